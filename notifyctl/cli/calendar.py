"""`notifyctl calendar`: shows who is sent what on which day. Sends nothing and changes no project file."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from notifyctl.cli.options import (
    YEARS,
    as_of_option,
    echo,
    force_option,
    format_option,
    get_globals,
    global_options,
    only_option,
    wants_colour,
)
from notifyctl.exit_codes import ExitCode

if TYPE_CHECKING:
    from notifyctl.plan.calendar import Calendar

MOST_DAYS = 366


class DateParam(click.ParamType[date]):
    """An ISO 8601 day, for example 2026-12-01."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            day = date.fromisoformat(value)
        except ValueError:
            self.fail(f'"{value}" is not a valid date; use for example 2026-12-01', param, ctx)
        if day.year not in YEARS:
            self.fail(f'"{value}" is not between the years {YEARS.start} and {YEARS.stop - 1}', param, ctx)
        return day


@click.command("calendar")
@only_option
@click.option(
    "--days",
    type=click.IntRange(1, MOST_DAYS),
    default=14,
    show_default=True,
    help="Number of days to show.",
)
@click.option(
    "--from",
    "first",
    type=DateParam(),
    metavar="DATE",
    help="First day to show, for example 2026-12-01. Default: today in the project's time zone.",
)
@as_of_option
@click.option("--offline", is_flag=True, help="Do not read the ledger. Earlier sends are then unknown.")
@format_option("text", "json", "ics", "html")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to FILE instead of standard output.",
)
@force_option
@global_options
@click.pass_context
def command(  # noqa: PLR0917 - click passes options by name
    context: click.Context,
    only: tuple[str, ...],
    days: int,
    first: date | None,
    as_of_time: datetime | None,
    offline: bool,  # noqa: FBT001 - click passes flags by name
    form: str,
    out: Path | None,
    force: bool,  # noqa: FBT001
) -> int:
    """Show who is sent what on which day: every occurrence, when it is sent, to how many recipients, and what is skipped and why.

    Times are decided by the same rules as in `plan` and `apply`. The calendar is not a plan: nothing is authorised by it.
    Format ics is for calendar programs, format html is a page with a month view.

    \b
    notifyctl calendar
    notifyctl calendar --days 31 --from 2026-12-01 --format html --out december.html
    notifyctl calendar --format ics --out messages.ics
    notifyctl -e production calendar --only 'weekly-*' --format json
    """
    from notifyctl.app.as_of import as_of
    from notifyctl.app.calendar import make_calendar
    from notifyctl.app.outputs import outputs_of
    from notifyctl.app.workspace import open_workspace
    from notifyctl.views.calendar import is_calendar

    settings = get_globals(context)
    workspace = as_of(open_workspace(settings.chdir), as_of_time)
    environment = workspace.environment(settings.env)
    outputs = outputs_of(workspace, force=force)
    if out is not None:
        outputs.check(out, recognise=is_calendar)
    found = make_calendar(workspace, environment, days=days, first=first, only=only, offline=offline)
    ending = ExitCode.ERROR if found.complete and found.errors else ExitCode.DONE
    text = render(found, form, colour=out is None and wants_colour(context))
    if out is None:
        echo(text, verbatim=form != "text")
        return ending
    outputs.write(out, [text if text.endswith("\n") else f"{text}\n"], private=False)
    echo(f"Wrote {out} ({len(text.encode()) / 1000:,.0f} kB).", stderr=True)
    return ending


def render(found: Calendar, form: str, *, colour: bool) -> str:
    match form:
        case "json":
            from notifyctl.views.calendar import as_json

            return as_json(found)
        case "ics":
            from notifyctl.views.ics import as_ics

            return as_ics(found)
        case "html":
            from notifyctl.views.html.calendar_page import calendar_page

            return calendar_page(found)
    from notifyctl.views.calendar import as_text

    return as_text(found, colour=colour)
