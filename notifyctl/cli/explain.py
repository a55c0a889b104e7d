"""`notifyctl explain`: the page of a lint rule, or why a recipient is or is not sent a notification."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import click

from notifyctl.cli.options import as_of_option, echo, format_option, get_globals, global_options, wants_colour
from notifyctl.command_line import command_line
from notifyctl.errors import UsageError
from notifyctl.exit_codes import ExitCode

if TYPE_CHECKING:
    from notifyctl.lint.rule_pages import Page


@click.command("explain")
@click.argument("subject", metavar="[RULE|NOTIFICATION]", required=False)
@click.option("--recipient", metavar="ADDRESS", help="Explain what happens for this recipient.")
@as_of_option
@format_option("text", "json")
@global_options
@click.pass_context
def command(
    context: click.Context,
    subject: str | None,
    recipient: str | None,
    as_of_time: datetime | None,
    form: str,
) -> int:
    """Explain a lint rule, or why a recipient is or is not sent a message.

    Without RULE, list all rules. With --recipient, show for NOTIFICATION, or for every notification, whether the recipient is sent
    it and why: row, filter, suppression list, allow-list, schedule, earlier attempts and decisions.

    \b
    notifyctl explain needs-unicode
    notifyctl -e production explain outage-sms --recipient +447700900123
    notifyctl -e production explain --recipient +447700900123
    notifyctl explain reminder --recipient +447700900123 --as-of 2026-12-07T09:00
    """
    if recipient is not None:
        return explain_recipient(context, subject, recipient, as_of_time, form)
    if as_of_time is not None:
        raise UsageError(
            "--as-of can be used only with --recipient: a rule does not depend on the time",
            hint=f"run: {command_line('explain', '--recipient', 'ADDRESS', '--as-of', as_of_time.isoformat())}",
        )
    from notifyctl.lint.rule_pages import PAGES

    if subject is None:
        echo("\n".join(f"{page.severity:<8} {name}" for name, page in sorted(PAGES.items())))
        return ExitCode.DONE
    if subject not in PAGES:
        from notifyctl.lint.unknown_rules import describe_unknown, suggest_rule

        raise UsageError(describe_unknown(subject), hint=suggest_rule(subject))
    page = PAGES[subject]
    echo(f"{subject} ({', '.join(describe_page(page))})\n\n{page.text}")
    return ExitCode.DONE


def describe_page(page: Page) -> Iterator[str]:
    yield page.severity
    if page.numbers:
        yield f"API rule {' and '.join(map(str, page.numbers))}"
    if page.profile:
        yield f"profile {page.profile} only"


def explain_recipient(
    context: click.Context, notification: str | None, address: str, as_of_time: datetime | None, form: str
) -> int:
    from notifyctl.app.as_of import as_of
    from notifyctl.app.explain import explain
    from notifyctl.app.workspace import open_workspace
    from notifyctl.audience.addresses import mask
    from notifyctl.views import explain as view

    settings = get_globals(context)
    workspace = as_of(open_workspace(settings.chdir), as_of_time)
    explanation = explain(workspace, workspace.environment(settings.env), notification, address)
    if form == "json":
        echo(view.explanation_json(explanation, recipient=mask(address)))
    else:
        echo(view.explanation_text(explanation, recipient=mask(address), colour=wants_colour(context)))
    return ExitCode.DONE
