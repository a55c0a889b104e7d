"""Use cases of `ledger` and `status`, and how every other command opens the ledger of an environment."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from notifyctl.app.actor import find_actor, system_user
from notifyctl.app.environ import state_folder
from notifyctl.app.names import refuse_unknown_name
from notifyctl.app.workspace import Workspace
from notifyctl.clock import SystemClock
from notifyctl.command_line import command_line
from notifyctl.errors import LedgerError, SettingsError
from notifyctl.ledger import FixedIdentity, RecipientHasher, derived_code, scope_statuses
from notifyctl.model.acceptance import Acceptance
from notifyctl.model.events import Statement
from notifyctl.model.ledger import BatchRecord, LedgerSummary, OpeningRecord
from notifyctl.model.project import ChannelName, Environment, Project
from notifyctl.model.recipients import Scope
from notifyctl.plan.history import Status
from notifyctl.plan.saved import Code
from notifyctl.plurals import pluralise
from notifyctl.ports import Environ, LedgerReader
from notifyctl.recipients.hashes import Identify

if TYPE_CHECKING:
    from notifyctl.ledger.postgresql.store import PostgresStore
    from notifyctl.ledger.sqlite.high_water import HighWaterMark, HighWaterMarks
    from notifyctl.ledger.sqlite.store import SqliteStore

    Store = SqliteStore | PostgresStore

STATE_FOLDER = ".notifyctl"


def ledger_name(project: Project, environment: Environment) -> str:
    return f"{project.name}/{environment.name}"


def ledger_path(workspace: Workspace, environment: Environment) -> Path:
    return workspace.root / STATE_FOLDER / f"{environment.name}.db"


def external_key(environment: Environment, environ: Environ) -> bytes | None:
    """The key of the recipient ids if it is kept outside the ledger."""
    secret = environment.ledger.recipient_key
    if secret is None:
        return None
    from notifyctl.secrets import read_secret

    return read_secret(secret, environ, what="the ledger's recipient key").encode()


def ledger_store(workspace: Workspace, environment: Environment) -> Store:
    """The ledger store of an environment. Opens and creates nothing."""
    if environment.ledger.url is not None:
        return postgres_store(workspace, environment)
    return sqlite_store(workspace, environment)


def postgres_store(workspace: Workspace, environment: Environment) -> PostgresStore:
    """The store of an environment with `ledger.urlEnv`. Raises SettingsError without the URL or the libraries."""
    assert environment.ledger.url is not None
    try:
        from notifyctl.ledger.postgresql.checks import MAX_CLOCK_DIFFERENCE
        from notifyctl.ledger.postgresql.store import PostgresStore
    except ImportError as error:
        if error.name is None or not error.name.startswith("psycopg"):
            raise
        raise SettingsError(
            "a ledger in PostgreSQL needs psycopg, which is not installed",
            hint="run: pip install 'notifyctl[postgres]'",
        ) from None
    from notifyctl.secrets import read_secret

    return PostgresStore(
        read_secret(environment.ledger.url, workspace.environ, what="the ledger's URL"),
        name=ledger_name(workspace.sound, environment),
        clock=workspace.clock,
        external_key=external_key(environment, workspace.environ),
        fixed=sandbox_identity(workspace, environment),
        journal=workspace.root / STATE_FOLDER / f"{environment.name}.postgresql",
        # A time that was made up, for a test or a rehearsal, is compared with no other clock.
        max_clock_difference=MAX_CLOCK_DIFFERENCE if isinstance(workspace.clock, SystemClock) else None,
    )


def sqlite_store(workspace: Workspace, environment: Environment) -> SqliteStore:
    try:
        from notifyctl.ledger.sqlite.store import SqliteStore
    except ImportError as error:
        if error.name != "fcntl":
            raise
        raise SettingsError(
            "ledgers are not supported on this system: it has no POSIX file locks",
            hint="use Linux, macOS, or the Windows Subsystem for Linux (WSL); init, lint, fmt, render, preview and `plan --offline` work here",
        ) from None
    return SqliteStore(
        ledger_path(workspace, environment),
        clock=workspace.clock,
        external_key=external_key(environment, workspace.environ),
        fixed=sandbox_identity(workspace, environment),
        marks=high_water_marks(workspace, environment),
    )


def high_water_marks(workspace: Workspace, environment: Environment) -> HighWaterMarks | None:
    """The ledgers' high-water marks, in the user's state folder. None for a sandbox, whose ledger may be thrown away, and
    for a process that has no state folder.
    """
    folder = state_folder(workspace.environ)
    if environment.is_sandbox or folder is None:
        return None
    from notifyctl.ledger.sqlite.high_water import HighWaterMarks

    return HighWaterMarks(folder / "ledgers")


def refuse_unmarked(workspace: Workspace, environment: Environment) -> None:
    """Raises SettingsError where no mark can be kept, so that a lost or restored ledger would not be noticed."""
    if environment.ledger.url is not None:  # the database tells by itself
        return
    if not environment.is_sandbox and state_folder(workspace.environ) is None:
        raise SettingsError(
            "this process has no state folder, so it could not detect a ledger that was lost or restored from a backup;"
            " nothing was sent",
            hint="set NOTIFYCTL_STATE_DIR to a persistent folder, separate from the ledger",
        )


def sandbox_identity(workspace: Workspace, environment: Environment) -> FixedIdentity | None:
    """The identity of a sandbox ledger, which protects nobody; None for others.

    It is derived from the project's name, so that a plan made before the ledger exists agrees with the first apply, which
    creates it.
    """
    if not environment.is_sandbox:
        return None
    name = ledger_name(workspace.sound, environment)
    return FixedIdentity(f"sandbox:{name}", sha256(f"notifyctl sandbox ledger {name}".encode()).digest())


def create_ledger(
    workspace: Workspace, environment: Environment, *, replace_lost: bool = False
) -> LedgerSummary:
    """Creates the ledger of an environment. Raises LedgerError if there is one, or was one that is lost."""
    ledger_store(workspace, environment).create(replace_lost=replace_lost)
    return show_ledger(workspace, environment)


def show_ledger(workspace: Workspace, environment: Environment) -> LedgerSummary:
    with open_reader(workspace, environment) as reader:
        return reader.summary()


def verify_ledger(workspace: Workspace, environment: Environment) -> tuple[LedgerSummary | None, list[str]]:
    """A summary of a sound ledger, and what is wrong with another."""
    problems = ledger_store(workspace, environment).verify()
    return show_ledger(workspace, environment) if not problems else None, problems


def export_ledger(
    workspace: Workspace, environment: Environment
) -> Iterator[tuple[str, Mapping[str, object]]]:
    return ledger_store(workspace, environment).export()


def find_adoptable(workspace: Workspace, environment: Environment) -> tuple[LedgerSummary, str]:
    """The ledger to adopt, and, in words, which one was last written here. Raises LedgerError if there is no ledger."""
    summary, last_written = (
        show_ledger(workspace, environment),
        "This machine has not written a ledger here before.",
    )
    if environment.ledger.url is not None:
        return summary, postgres_store(workspace, environment).last_server()
    with suppress(LedgerError):
        mark = ledger_store(workspace, environment).mark()
        if mark is not None:
            last_written = f"Last written: {mark.lineage}, {pluralise(mark.serial, 'record')}: {mark.place}"
    return summary, last_written


def ledger_mark(workspace: Workspace, environment: Environment) -> HighWaterMark | None:
    return ledger_store(workspace, environment).mark()


def find_ledger_error(workspace: Workspace, environment: Environment) -> LedgerError | None:
    """Why no run may begin with an environment's ledger, by its marks; None if one may, or if there is no ledger."""
    store = ledger_store(workspace, environment)
    return store.find_error() if store.exists() else None


def adopt_ledger(workspace: Workspace, environment: Environment, *, account: bytes | None = None) -> None:
    """Takes the ledger that lies here for the right one, and `account` for the one that is sent with.

    Raises SettingsError where that cannot be noted.
    """
    refuse_unmarked(workspace, environment)
    ledger_store(workspace, environment).adopt(holder(), account=account, actor=actor_of(workspace))


def lock_holder(workspace: Workspace, environment: Environment) -> str | None:
    return ledger_store(workspace, environment).held_by()


def unlock_ledger(workspace: Workspace, environment: Environment) -> None:
    ledger_store(workspace, environment).unlock(holder(), actor=actor_of(workspace))


def holder() -> str:
    """User, host and process as the holder of the lock, for messages of other runs."""
    return f"{system_user()}@{socket.gethostname()} pid {os.getpid()}"


def actor_of(workspace: Workspace) -> str:
    """Who is behind what this process records in a ledger."""
    return find_actor(workspace.root, workspace.environ)


def status(workspace: Workspace, environment: Environment, notification: str | None) -> Status:
    """Recipients by outcome in each edition that was started. Empty for an unused sandbox; elsewhere a ledger must exist."""
    if environment.is_sandbox and not ledger_store(workspace, environment).exists():
        if notification is not None:
            refuse_unknown_name(notification, workspace.sound.notifications)
        return Status()
    with open_reader(workspace, environment) as reader:
        refuse_unknown_in_ledger(workspace, reader, notification)
        return Status(
            tuple(scope_statuses(reader, notification)),
            tuple(each for each in reader.statements() if notification in {None, each.notification}),
            tuple(each for each in reader.resolutions() if notification in {None, each.scope.notification}),
            tuple(each for each in reader.tests() if notification in {None, each.message.notification}),
            tuple(each for each in reader.acceptances() if notification in {None, each.notification}),
            workspace.sound.timezone,
        )


def refuse_unknown_in_ledger(workspace: Workspace, reader: LedgerReader, name: str | None) -> None:
    """Raises UsageError for a name that is neither in the project nor in the ledger."""
    if name is not None:
        known = {scope.notification for scope in reader.scopes()}
        known |= {statement.notification for statement in reader.statements()}
        known |= {test.message.notification for test in reader.tests()}
        known |= {acceptance.notification for acceptance in reader.acceptances()}
        refuse_unknown_name(name, known | set(workspace.sound.notifications))


@contextmanager
def open_reader(workspace: Workspace, environment: Environment) -> Iterator[LedgerReader]:
    """Reads a ledger that must exist. Raises LedgerError if it does not."""
    store = ledger_store(workspace, environment)
    if not store.exists():
        store.refuse_lost()
        raise no_ledger(environment, planning=False)
    reader = store.reader()
    try:
        yield reader
    finally:
        reader.close()


def no_ledger(environment: Environment, *, planning: bool) -> LedgerError:
    name = environment.name
    hint = f"to create it (once), run: {command_line('ledger', 'init', env=name)}"
    if planning:
        offline = command_line("plan", "--offline", env=name)
        hint += f"\nto plan without it, run: {offline} (earlier sends are then unknown)"
    return LedgerError(f"environment `{name}` has no ledger", hint=hint)


class Facts(Struct, frozen=True):
    """What a plan needs of a ledger; also for a ledger that does not exist yet or is not read.

    `complete`: the recipient ids are those of the ledger, so the plan's digest holds for an apply.
    """

    reader: LedgerReader | None
    identify: Identify
    lineage: str | None
    complete: bool
    code: Code | None = None
    """Codes under the ledger's key; None where it is not read."""

    @property
    def missing(self) -> bool:
        return self.reader is None

    @property
    def knows_former_keys(self) -> bool:
        return self.reader is not None and self.reader.knows_former_keys

    @property
    def serial(self) -> int:
        """The number of records now; 0 where the ledger is not read."""
        return self.reader.serial if self.reader else 0

    @property
    def scopes(self) -> Sequence[Scope]:
        return self.reader.scopes() if self.reader else ()

    def batches(self, scope: Scope) -> Iterator[BatchRecord]:
        return self.reader.facts(scope) if self.reader else iter(())

    def recorded(self, scope: Scope) -> bytes | None:
        return self.reader.recorded(scope) if self.reader else None

    def opening(self, scope: Scope) -> OpeningRecord | None:
        return self.reader.opening(scope) if self.reader else None

    def begins(self) -> Mapping[int, datetime]:
        """Run → when it began to send."""
        return self.reader.begins() if self.reader else {}

    def opening_size(self, scope: Scope) -> int:
        return self.reader.opening_size(scope) if self.reader else 0

    def likenesses(self) -> Mapping[Scope, Sequence[int]]:
        return self.reader.likenesses() if self.reader else {}

    def next_batch(self) -> int:
        return self.reader.next_batch() if self.reader else 1

    @property
    def statements(self) -> Sequence[Statement]:
        return self.reader.statements() if self.reader else ()

    def opt_outs(self, reasons: Collection[str]) -> dict[tuple[ChannelName, str], set[bytes]]:
        """Whom receipts opted out for one of these reasons: ids by channel and reason."""
        found: dict[tuple[ChannelName, str], set[bytes]] = {}
        for recipient, channel, reason, _ in self.reader.opt_outs() if self.reader and reasons else ():
            if reason in reasons:
                found.setdefault((ChannelName(channel), str(reason)), set()).add(recipient)
        return found

    @property
    def acceptances(self) -> Sequence[Acceptance] | None:
        """None where the ledger is not read: what is accepted is then unknown."""
        if self.reader is not None:
            return self.reader.acceptances()
        return () if self.complete else None

    def served(self, scope: Scope) -> Iterator[bytes]:
        return self.reader.served(scope) if self.reader else iter(())


def facts_from(reader: LedgerReader) -> Facts:
    return Facts(reader, reader.recipient_ids, reader.lineage, complete=True, code=reader.code)


def no_facts(workspace: Workspace, environment: Environment, *, offline: bool) -> Facts:
    """Facts without a ledger. An unused sandbox has a known identity, so its first plan is complete; others are not."""
    identity = sandbox_identity(workspace, environment)
    if identity is None or offline:
        return Facts(None, RecipientHasher(b""), None, complete=False)
    code = partial(derived_code, identity.key)
    return Facts(None, RecipientHasher(identity.key), identity.lineage, complete=True, code=code)


@contextmanager
def facts_of(
    workspace: Workspace, environment: Environment, *, offline: bool = False, strict: bool = True
) -> Iterator[Facts]:
    """The facts of an environment's ledger; without one or with `offline`, what is known without it. Changes no file.

    `strict` refuses a ledger that is lost, behind its high-water mark, a copy, or new to this machine.
    """
    store = None if offline else ledger_store(workspace, environment)
    if store is not None and strict and not store.exists():
        store.refuse_lost()
    if store is None or not store.exists():
        yield no_facts(workspace, environment, offline=offline)
        return
    reader = store.reader(strict=strict)
    try:
        yield facts_from(reader)
    finally:
        reader.close()
