"""`notifyctl ledger`: creates, shows, verifies, exports, adopts and unlocks the ledger of an environment."""

from __future__ import annotations

import sys

import click

from notifyctl.cli.options import echo, format_option, get_globals, global_options, wants_colour
from notifyctl.errors import PlanRefusedError, UsageError
from notifyctl.exit_codes import ExitCode


@click.group("ledger")
@global_options
def command() -> None:
    """Make, show, verify, export, adopt or unlock a ledger. A ledger is made once for each environment and never silently."""


@command.command("init")
@global_options
@click.pass_context
def init(context: click.Context) -> int:
    """Make the ledger of an environment. Refuses where there is one.

    \b
    notifyctl -e production ledger init
    """
    from notifyctl.app.ledger import create_ledger, ledger_mark
    from notifyctl.app.workspace import open_workspace

    settings = get_globals(context)
    workspace = open_workspace(settings.chdir)
    environment = workspace.environment(settings.env)
    previous = ledger_mark(workspace, environment)
    ledger = create_ledger(workspace, environment)
    if previous is not None:
        echo(
            f"Warning: another ledger lay here, {previous.lineage} with {previous.serial:,} facts. If it is lost, the new one does not"
            " know who was sent what: put the old one back instead, and `notifyctl ledger adopt`.",
            stderr=True,
        )
    echo(f"Made the ledger of {environment.name!r}: {ledger.location}")
    echo(f"Its lineage is {ledger.lineage}. Keep the file, and back it up: it alone knows who was sent what.")
    return ExitCode.DONE


@command.command("show")
@format_option("text", "json")
@global_options
@click.pass_context
def show(context: click.Context, form: str) -> int:
    """Show what the ledger of an environment holds: counts, no address, no text.

    \b
    notifyctl -e production ledger show --format json
    """
    from notifyctl.app.ledger import show_ledger
    from notifyctl.app.workspace import open_workspace
    from notifyctl.views import ledger as view

    settings = get_globals(context)
    workspace = open_workspace(settings.chdir)
    summary = show_ledger(workspace, workspace.environment(settings.env))
    echo(view.as_json(summary) if form == "json" else view.as_text(summary, colour=wants_colour(context)))
    return ExitCode.DONE


@command.command("verify")
@global_options
@click.pass_context
def verify(context: click.Context) -> int:
    """Check a ledger as a whole: its pages, its guards, its sums, and that nobody accepted anything twice.

    \b
    notifyctl -e production ledger verify
    """
    from notifyctl.app.ledger import verify_ledger
    from notifyctl.app.workspace import open_workspace

    settings = get_globals(context)
    workspace = open_workspace(settings.chdir)
    summary, faults = verify_ledger(workspace, workspace.environment(settings.env))
    for fault in faults:
        echo(f"fault: {fault}")
    if faults:
        echo(
            "Put the ledger back from a backup, then `notifyctl ledger adopt`; do not apply with this one.",
            stderr=True,
        )
        return ExitCode.ERROR
    people = sum(summary.recipients.values())
    echo(
        f"Sound: {summary.serial:,} facts, {people:,} people in {sum(summary.batches.values()):,} batches, nobody twice."
    )
    return ExitCode.DONE


@command.command("export")
@global_options
@click.pass_context
def export(context: click.Context) -> int:
    """Print every fact as JSON, one object a line. People are keyed hashes; there is no address and no key.

    \b
    notifyctl -e production ledger export > ledger.jsonl
    """
    import json

    from notifyctl.app.ledger import export_ledger
    from notifyctl.app.workspace import open_workspace

    settings = get_globals(context)
    workspace = open_workspace(settings.chdir)
    for table, fact in export_ledger(workspace, workspace.environment(settings.env)):
        echo(json.dumps({"fact": table, **fact}, ensure_ascii=False))
    return ExitCode.DONE


@command.command("adopt")
@click.option("--yes", is_flag=True, help="Do not ask. Needed where nobody can be asked.")
@global_options
@click.pass_context
def adopt(context: click.Context, yes: bool) -> int:  # noqa: FBT001 - click passes flags by name
    """Take the ledger that lies here for the right one, after it was put back from a backup, moved or copied.

    Who was sent to after the backup was made is not in it: `plan` will show them as not sent. Settle that first.

    \b
    notifyctl -e production ledger adopt
    """
    from notifyctl.app.ledger import adopt_ledger, find_adoptable
    from notifyctl.app.workspace import open_workspace

    settings = get_globals(context)
    workspace = open_workspace(settings.chdir)
    environment = workspace.environment(settings.env)
    summary, mark = find_adoptable(workspace, environment)
    echo(f"Here lies   {summary.lineage}, {summary.serial:,} facts: {summary.location}")
    echo(
        f"Last written {mark.lineage}, {mark.serial:,} facts: {mark.place}"
        if mark
        else "Nothing was written here before."
    )
    if not yes and not confirm("Take the ledger that lies here for the right one?"):
        raise PlanRefusedError("not confirmed; nothing was changed")
    adopt_ledger(workspace, environment)
    echo("Adopted.")
    return ExitCode.DONE


@command.command("unlock")
@click.option(
    "--force",
    is_flag=True,
    help="Fence out a run that is alive: it cannot record or begin anything any more.",
)
@global_options
@click.pass_context
def unlock(context: click.Context, force: bool) -> int:  # noqa: FBT001
    """Say who holds the ledger, and with --force take it from them.

    The lock of a process that has died is free by itself. One that lives, or hangs, is fenced out by a new epoch: what it
    has in flight becomes uncertain.

    \b
    notifyctl -e production ledger unlock
    """
    from notifyctl.app.ledger import lock_holder, unlock_ledger
    from notifyctl.app.workspace import open_workspace

    settings = get_globals(context)
    workspace = open_workspace(settings.chdir)
    environment = workspace.environment(settings.env)
    who = lock_holder(workspace, environment)
    if who is None:
        echo("Nobody holds the ledger.")
        return ExitCode.DONE
    if not force:
        echo(f"The ledger is held by {who}.")
        echo(
            "It is free when that process ends. If it hangs: end it, or `notifyctl ledger unlock --force`.",
            stderr=True,
        )
        return ExitCode.LEDGER_LOCKED
    unlock_ledger(workspace, environment)
    echo(f"Fenced out: {who}. It can record and begin nothing more; what it had in flight is uncertain.")
    return ExitCode.DONE


def confirm(question: str) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("nobody is here to confirm", hint="--yes does it without asking")
    return click.confirm(question, err=True)
