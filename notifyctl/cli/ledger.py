"""`notifyctl ledger`: creates, shows, verifies, exports, adopts and unlocks the ledger of an environment."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from notifyctl.cli import ledger_database
from notifyctl.cli.ledger_warnings import warn_of_ledger_error
from notifyctl.cli.options import ask, echo, format_option, get_globals, global_options, wants_colour
from notifyctl.cli.usage_errors import CommandGroup
from notifyctl.command_line import command_line
from notifyctl.errors import LedgerError, PlanRefusedError, UsageError
from notifyctl.exit_codes import ExitCode

if TYPE_CHECKING:
    from notifyctl.model.ledger import LedgerSummary


@click.group("ledger", cls=CommandGroup)
@global_options
def command() -> None:
    """Create, show, verify, export, adopt, unlock, copy or upgrade a ledger. Each environment has one; it is never created without being asked for."""


@command.command("init")
@click.option(
    "--replace-lost",
    metavar="[NAME]",
    is_flag=False,
    flag_value="",
    help="Create a new ledger in place of a lost one: earlier sends are then unknown, and everything is sent again. NAME is"
    " PROJECT/ENVIRONMENT. Default: ask for it.",
)
@global_options
@click.pass_context
def init(context: click.Context, replace_lost: str | None) -> int:
    """Create the ledger of an environment. Refuses if there is one, or if one was lost.

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
    echo(f"Created the ledger for `{environment.name}`: {ledger.location}")
    echo(f"Ledger ID: {ledger.lineage}. Back it up: it is the only record of who was sent what.")
    return ExitCode.DONE


def confirm_name(name: str, given: str) -> None:
    """Raises unless the ledger's name was given, or is typed now."""
    if not given:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise UsageError(
                "cannot ask for the name of the ledger: no terminal; nothing was created",
                hint=f"to create it without a question, run: {command_line('ledger', 'init', '--replace-lost', name)}",
            )
        given = ask(
            f"All recipients will be sent everything again. Type the name of the ledger, {name}, to continue"
        )
    if given.strip() != name:
        raise PlanRefusedError(f'the name of the ledger is {name}, not "{given}"; nothing was created')


@command.command("show")
@format_option("text", "json")
@global_options
@click.pass_context
def show(context: click.Context, form: str) -> int:
    """Show a summary of the ledger of an environment, without addresses or texts.

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
    """Check the integrity of a ledger: pages, triggers, checksums, and that no recipient was accepted twice.

    \b
    notifyctl -e production ledger verify
    """
    from notifyctl.app.ledger import verify_ledger
    from notifyctl.app.workspace import open_workspace
    from notifyctl.plurals import pluralise

    settings = get_globals(context)
    workspace = open_workspace(settings.chdir)
    environment = workspace.environment(settings.env)
    summary, faults = verify_ledger(workspace, environment)
    doubtful = warn_of_ledger_error(workspace, environment)
    for fault in faults:
        echo(f"problem: {fault}")
    if summary is None:
        echo(
            "Do not run apply with this ledger. Restore it from a backup, then run:"
            f" {command_line('ledger', 'adopt', env=environment.name)}",
            stderr=True,
        )
        return ExitCode.ERROR
    recipients = pluralise(sum(summary.recipients.values()), "recipient")
    batches = pluralise(sum(summary.batches.values()), "batch", "batches")
    echo(
        f"OK: {pluralise(summary.serial, 'record')}, {recipients} in {batches}; no recipient was accepted twice."
    )
    return ExitCode.ERROR if doubtful else ExitCode.DONE


@command.command("export")
@global_options
@click.pass_context
def export(context: click.Context) -> int:
    """Print all records as JSON Lines. Recipients are keyed hashes; there are no addresses and no key.

    \b
    notifyctl -e production ledger export > ledger.jsonl
    """
    import json

    from notifyctl.app.ledger import export_ledger
    from notifyctl.app.workspace import open_workspace

    settings = get_globals(context)
    workspace = open_workspace(settings.chdir)
    for table, fact in export_ledger(workspace, workspace.environment(settings.env)):
        echo(json.dumps({"fact": table, **fact}, ensure_ascii=False), verbatim=True)
    return ExitCode.DONE


@command.command("adopt")
@click.option("--yes", is_flag=True, help="Skip the confirmation.")
@click.option(
    "--ledger", "lineage", metavar="ID", help="Skip the confirmation, and adopt only the ledger with this ID."
)
@click.option(
    "--facts",
    metavar="N",
    type=click.IntRange(min=0),
    help="With --ledger: adopt only if it has at least N records, as `ledger show` prints on the machine that last wrote it.",
)
@click.option(
    "--account",
    is_flag=True,
    help="Send from now on with the account (service ID) that the environment has now.",
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
    """Accept a ledger that was restored from a backup, moved, copied, or is new to this machine. In PostgreSQL: a server that was
    promoted, or another one.

    Sends made after the backup are not in it: `plan` lists those recipients as not sent. Resolve this first.

    \b
    notifyctl -e production ledger adopt
    notifyctl -e production ledger adopt --ledger 1b4e28ba-2fa1-11d2-883f-0016d3cca427 --facts 41207
    """
    from notifyctl.app.account import known_account
    from notifyctl.app.ledger import adopt_ledger, find_adoptable
    from notifyctl.app.workspace import open_workspace
    from notifyctl.plurals import pluralise

    if (lineage is None) is not (facts is None):
        raise UsageError(
            "--ledger and --facts must be used together",
            hint=f"to see both, run on the machine that wrote it: {command_line('ledger', 'show')}",
        )
    settings = get_globals(context)
    workspace = open_workspace(settings.chdir)
    environment = workspace.environment(settings.env)
    known = known_account(workspace, environment) if account else None
    summary, last_written = find_adoptable(workspace, environment)
    echo(f"Found here:   {summary.lineage}, {pluralise(summary.serial, 'record')}: {summary.location}")
    echo(last_written)
    if lineage is not None and facts is not None:
        refuse_other(summary, lineage, facts)
    elif not yes and not confirm("Accept the ledger found here?"):
        raise PlanRefusedError("not confirmed; nothing was changed")
    adopt_ledger(workspace, environment, account=known)
    echo("Adopted, with the account that the environment has now." if known else "Adopted.")
    return ExitCode.DONE


def refuse_other(summary: LedgerSummary, lineage: str, facts: int) -> None:
    """Raises LedgerError for another ledger than the one named, or an older state of it."""
    from notifyctl.plurals import pluralise

    if summary.lineage != lineage:
        raise LedgerError(
            f"the ledger found here has ID {summary.lineage}, not {lineage}; nothing was changed",
            hint="restore the ledger with that ID here",
        )
    if summary.serial < facts:
        raise LedgerError(
            f"the ledger found here has {pluralise(summary.serial, 'record')}, fewer than {facts:,}; nothing was changed",
            hint="later sends are not in it: restore a later copy here",
        )


@command.command("unlock")
@click.option(
    "--force",
    is_flag=True,
    help="Take over the lock from a live run, which then cannot start or record anything.",
)
@global_options
@click.pass_context
def unlock(context: click.Context, force: bool) -> int:  # noqa: FBT001
    """Show who holds the lock of the ledger; with --force, take it over.

    The lock of a process that has ended is released automatically. If you take the lock over from a live process, its
    requests in flight have an unknown outcome.

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
        echo("The ledger is not locked.")
        return ExitCode.DONE
    if not force:
        echo(f"The ledger is locked by {who}.")
        echo(
            "The lock is released when that process ends. If it hangs, end it, or run:"
            f" {command_line('ledger', 'unlock', '--force', env=environment.name)}",
            stderr=True,
        )
        return ExitCode.LEDGER_LOCKED
    unlock_ledger(workspace, environment)
    echo(
        f"Took over the lock from {who}. That run cannot start or record anything more; its requests in flight have an"
        " unknown outcome."
    )
    return ExitCode.DONE


def confirm(question: str) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "cannot ask for confirmation: no terminal; nothing was changed",
            hint="to skip the question, add --ledger ID --facts N, or --yes",
        )
    return click.confirm(question, err=True)


command.add_command(ledger_database.copy)
command.add_command(ledger_database.upgrade)
