"""`notifyctl ledger`: creates, shows, verifies, exports, adopts and unlocks the ledger of an environment."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from notifyctl.cli.ledger_warnings import warn_of_ledger_error
from notifyctl.cli.options import echo, format_option, get_globals, global_options, wants_colour
from notifyctl.errors import LedgerError, PlanRefusedError, UsageError
from notifyctl.exit_codes import ExitCode

if TYPE_CHECKING:
    from notifyctl.model.ledger import LedgerSummary


@click.group("ledger")
@global_options
def command() -> None:
    """Make, show, verify, export, adopt or unlock a ledger. A ledger is made once for each environment and never silently."""


@command.command("init")
@click.option(
    "--replace-lost",
    metavar="[NAME]",
    is_flag=False,
    flag_value="",
    help="Make a new ledger in place of one that is lost: it knows nobody, and everything is sent again. NAME is"
    " PROJECT/ENVIRONMENT; without it, it is asked for.",
)
@global_options
@click.pass_context
def init(context: click.Context, replace_lost: str | None) -> int:
    """Make the ledger of an environment. Refuses where there is one, or was one that is lost.

    \b
    notifyctl -e production ledger init
    notifyctl -e production ledger init --replace-lost acme/production
    """
    from notifyctl.app.ledger import create_ledger, ledger_mark, ledger_name
    from notifyctl.app.workspace import open_workspace

    settings = get_globals(context)
    workspace = open_workspace(settings.chdir)
    environment = workspace.environment(settings.env)
    if replace_lost is not None and ledger_mark(workspace, environment) is not None:
        confirm_name(ledger_name(workspace.sound, environment), replace_lost)
    ledger = create_ledger(workspace, environment, replace_lost=replace_lost is not None)
    echo(f"Made the ledger of {environment.name!r}: {ledger.location}")
    echo(f"Its lineage is {ledger.lineage}. Keep the file, and back it up: it alone knows who was sent what.")
    return ExitCode.DONE


def confirm_name(name: str, given: str) -> None:
    """Raises unless the ledger's name was given, or is typed now."""
    if not given:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise UsageError(
                "nobody is here to type the ledger's name",
                hint=f"--replace-lost {name} does it without asking",
            )
        given = click.prompt(
            f"Everybody will be sent everything again. Type the ledger's name, {name}, to go on",
            err=True,
            default="",
            show_default=False,
        )
    if given.strip() != name:
        raise PlanRefusedError(f"this is not the name of the ledger, {name}; nothing was made")


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
    environment = workspace.environment(settings.env)
    summary = show_ledger(workspace, environment)
    warn_of_ledger_error(workspace, environment)
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
    environment = workspace.environment(settings.env)
    summary, faults = verify_ledger(workspace, environment)
    doubtful = warn_of_ledger_error(workspace, environment)
    for fault in faults:
        echo(f"fault: {fault}")
    if summary is None:
        echo(
            "Put the ledger back from a backup, then `notifyctl ledger adopt`; do not apply with this one.",
            stderr=True,
        )
        return ExitCode.ERROR
    people = sum(summary.recipients.values())
    echo(
        f"Sound: {summary.serial:,} facts, {people:,} people in {sum(summary.batches.values()):,} batches, nobody twice."
    )
    return ExitCode.ERROR if doubtful else ExitCode.DONE


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
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--ledger", "lineage", metavar="ID", help="Do not ask, and adopt only the ledger with this lineage."
)
@click.option(
    "--facts",
    metavar="N",
    type=click.IntRange(min=0),
    help="With --ledger: only if it has at least as many facts, as `ledger show` said where it was last written.",
)
@click.option(
    "--account",
    is_flag=True,
    help="From now on send with the account (service ID) that the environment has now.",
)
@global_options
@click.pass_context
def adopt(
    context: click.Context,
    yes: bool,  # noqa: FBT001 - click passes flags by name
    lineage: str | None,
    facts: int | None,
    account: bool,  # noqa: FBT001
) -> int:
    """Take the ledger that lies here for the right one: put back from a backup, moved, copied, or new to this machine.

    Who was sent to after the backup was made is not in it: `plan` will show them as not sent. Settle that first.

    \b
    notifyctl -e production ledger adopt
    notifyctl -e production ledger adopt --ledger 1b4e28ba-2fa1-11d2-883f-0016d3cca427 --facts 41207
    """
    from notifyctl.app.account import known_account
    from notifyctl.app.ledger import adopt_ledger, find_adoptable
    from notifyctl.app.workspace import open_workspace

    if (lineage is None) is not (facts is None):
        raise UsageError(
            "--ledger and --facts belong together",
            hint="`notifyctl ledger show` says both, where it was written",
        )
    settings = get_globals(context)
    workspace = open_workspace(settings.chdir)
    environment = workspace.environment(settings.env)
    known = known_account(workspace, environment) if account else None
    summary, mark = find_adoptable(workspace, environment)
    echo(f"Here lies   {summary.lineage}, {summary.serial:,} facts: {summary.location}")
    echo(
        f"Last written {mark.lineage}, {mark.serial:,} facts: {mark.place}"
        if mark
        else "Nothing was written here before."
    )
    if lineage is not None and facts is not None:
        refuse_other(summary, lineage, facts)
    elif not yes and not confirm("Take the ledger that lies here for the right one?"):
        raise PlanRefusedError("not confirmed; nothing was changed")
    adopt_ledger(workspace, environment, account=known)
    echo("Adopted, with the account that the environment has now." if known else "Adopted.")
    return ExitCode.DONE


def refuse_other(summary: LedgerSummary, lineage: str, facts: int) -> None:
    """Raises LedgerError for another ledger than the one named, or an older state of it."""
    if summary.lineage != lineage:
        raise LedgerError(
            f"the ledger that lies here is {summary.lineage}, not {lineage}; nothing was changed",
            hint="put the right one here",
        )
    if summary.serial < facts:
        raise LedgerError(
            f"the ledger that lies here has {summary.serial:,} facts, fewer than {facts:,}; nothing was changed",
            hint="people were sent to that it does not know: put a later copy here",
        )


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
        raise UsageError(
            "nobody is here to confirm", hint="--ledger ID --facts N, or --yes, does it without asking"
        )
    return click.confirm(question, err=True)
