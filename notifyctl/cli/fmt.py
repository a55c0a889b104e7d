"""`notifyctl fmt`: formats the project's YAML files."""

from __future__ import annotations

from pathlib import Path

import click

from notifyctl.cli.options import echo, get_globals, global_options, wants_colour
from notifyctl.exit_codes import ExitCode


@click.command("fmt")
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Write nothing. Exit with 1 if a file would change.")
@click.option(
    "--diff", is_flag=True, help="Write nothing. Show what would change, and exit with 1 if anything would."
)
@global_options
@click.pass_context
def command(context: click.Context, paths: tuple[Path, ...], check: bool, diff: bool) -> int:  # noqa: FBT001 - click passes flags by name
    """Format the project's YAML files, or those at PATH.

    Sets the order of keys, indentation, document separators and line ends. Values, quotes, comments, long lines, block
    scalars and flow style (`[…]`, `{…}`) are kept. A file that cannot be parsed, or whose meaning would change, is
    skipped and reported; the exit code is then 1. Files outside a project, and files that are not notifyctl documents,
    are ignored.

    \b
    notifyctl fmt
    notifyctl fmt --check
    notifyctl fmt --diff templates/outage.yaml
    """
    from notifyctl.app.fmt import format_files
    from notifyctl.diagnostics import Diagnostic
    from notifyctl.plurals import pluralise
    from notifyctl.views.colours import strip_controls
    from notifyctl.views.diagnostics import as_text
    from notifyctl.views.unified_diff import as_diff

    dry = check or diff
    changed = same = 0
    left: list[Diagnostic] = []
    for file in format_files(get_globals(context).chdir, paths):
        if isinstance(file, Diagnostic):
            left.append(file)
            continue
        if not file.changed:
            same += 1
            continue
        changed += 1
        if diff:
            echo(as_diff(file.shown, file.before, file.after, colour=wants_colour(context)), verbatim=True)
        if not dry:
            file.write()
        echo(f"{'would reformat' if dry else 'formatted'} {strip_controls(file.shown)}", stderr=True)
    if left:
        echo(as_text(left, colour=wants_colour(context, stderr=True)), stderr=True)
    counts = [
        f"{pluralise(changed, 'file')} {'would be reformatted' if dry else 'reformatted'}",
        f"{same:,} unchanged",
    ]
    echo(", ".join([*counts, f"{len(left):,} skipped"] if left else counts), stderr=True)
    return ExitCode.ERROR if left or (dry and changed) else ExitCode.DONE
