"""`notifyctl lint`: check a project's files. Offline: no ledger, no secret, no network."""

from __future__ import annotations

from pathlib import Path

import click

from notifyctl.cli.options import format_option, global_options, globals_of


@click.command("lint")
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option("--select", metavar="RULE", multiple=True, help="Only this rule; may be given several times.")
@click.option("--ignore", metavar="RULE", multiple=True, help="Not this rule; may be given several times.")
@click.option(
    "--all",
    "every",
    is_flag=True,
    help="List all rows of audiences with a problem, not the first five of each kind.",
)
@click.option(
    "--fix",
    is_flag=True,
    help="Mend what is safe: booleans in quotes, times in seconds, names of receipts. Then report what is left.",
)
@format_option("text", "json", "github", "gitlab", "sarif", "junit")
@global_options
@click.pass_context
def command(
    context: click.Context,
    paths: tuple[Path, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    every: bool,  # noqa: FBT001 - click passes flags by name
    fix: bool,  # noqa: FBT001
    form: str,
) -> int:
    """Check a project's files: syntax, keys, references, limits of the API, variables, and every recipient's own text.

    The whole project is always read, because references cross files; PATH narrows what is reported. A line is
    excepted by `# notifyctl: ignore[rule] reason`, a rule made lighter or graver by `lint:` in notifyctl.yaml.
    Ends with 1 when there are errors, else with 0.

    \b
    notifyctl lint
    notifyctl lint notifications/outage.yaml
    notifyctl lint --ignore needs-unicode
    notifyctl lint --fix
    notifyctl lint --format sarif > notifyctl.sarif
    """
    from notifyctl.cli.linting import run_lint

    return run_lint(globals_of(context), paths, select=select, ignore=ignore, every=every, fix=fix, form=form)
