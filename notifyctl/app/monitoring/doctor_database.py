"""`doctor` on a ledger in PostgreSQL: judges what the server says of itself. The reads are short, and none changes anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from notifyctl.app.monitoring.doctor_network import judge_clock
from notifyctl.command_line import command_line
from notifyctl.errors import LedgerError, NotifyctlError
from notifyctl.ledger.postgresql.checks import find_dangers, refuse_shared_session
from notifyctl.ledger.postgresql.database import PostgresDatabase, connect
from notifyctl.ledger.postgresql.halting import halted, halted_error
from notifyctl.ledger.postgresql.migrations import current, latest
from notifyctl.ledger.postgresql.progress import read_workers_progress
from notifyctl.ledger.postgresql.server_health import (
    TIMEOUT_SINCE,
    Connections,
    Horizon,
    Replication,
    Rights,
    Rows,
    TableHealth,
    may_see_sessions,
    read_clock,
    read_connections,
    read_horizon,
    read_replication,
    read_rights,
    read_settings,
    read_tables,
)
from notifyctl.ledger.postgresql.store import PostgresStore
from notifyctl.ledger.postgresql.timeline import find_other_server
from notifyctl.model.checks import Check, error, not_checked, ok, warning
from notifyctl.model.progress import WorkersProgress
from notifyctl.plurals import pluralise
from notifyctl.ports import Clock
from notifyctl.transport.loopback import is_loopback

if TYPE_CHECKING:
    from psycopg import ConnectionInfo

LONG_SNAPSHOT = 60.0
"""Seconds after which an open transaction of somebody else is reported."""
MANY_TRANSACTIONS = 10_000_000
"""Transactions behind which the horizon is an error: the server itself begins to refuse work at 2 thousand million."""
MANY_DEAD = 10_000
FEW_CONNECTIONS = 10
MOST_LISTED = 3
INBOX = "receipt_inbox"
"""The table that servers of receipts add to."""
LARGE_FACTOR = 0.1
"""Of a table that changes all the time: with more, VACUUM comes too seldom."""
MONITOR = "grant pg_monitor to this role, for example: GRANT pg_monitor TO notifyctl"


def check_database(store: PostgresStore, clock: Clock) -> Iterator[Check]:
    """Of the ledger in it first. Raises LedgerError if the server cannot be reached."""
    with closing(store.connect()) as database:
        with database.session() as connection:
            yield judge_connection(connection.info, database.name)
            dangers = list(find_dangers(connection))
        yield from (error("database", each.message, each.hint) for each in dangers)
        try:
            with database.session() as connection:
                refuse_shared_session(connection, lambda: connect(database.url))
        except LedgerError as problem:
            yield error("pool", problem.message, problem.hint)
        yield check_clock(database, clock)
        yield from check_ledger(store, database)
        yield from check_server(database.rows)


def judge_connection(info: ConnectionInfo, name: str) -> Check:
    version = info.parameter_status("server_version") or "unknown"
    text = f"{name}, version {version.partition(' ')[0]}"
    if info.host.startswith("/") or is_loopback(info.host):
        return ok("database", text)
    if not info.pgconn.ssl_in_use:
        return warning(
            "database",
            f"{text}: the connection is not encrypted, so that others in the network can read it",
            "add sslmode=verify-full to the URL, and sslrootcert=… if a private CA signed the server's certificate",
        )
    return ok("database", f"{text}, by TLS")


def check_clock(database: PostgresDatabase, clock: Clock) -> Check:
    before = clock.now()
    theirs = read_clock(database.rows)
    return judge_clock(
        before - theirs, clock.now() - theirs, "the clock of the database", name="database clock"
    )


def check_ledger(store: PostgresStore, database: PostgresDatabase) -> Iterator[Check]:
    """Whether a run may begin with what is there."""
    try:
        store.identify(database)
    except LedgerError as problem:
        yield error("ledger", problem.message, problem.hint)
        return
    rights = read_rights(database.rows)
    yield judge_permissions(rights)
    if rights.reads_not:
        yield not_checked("ledger", "it is the right one; this role cannot read the rest of it")
        return
    with database.session() as connection:
        other, version, halt = find_other_server(connection), current(connection), halted(connection)
    if other is not None:
        yield error("ledger", other.message, other.hint)
        return
    newest = latest()
    text = f"schema {version.number}, {pluralise(database.serial(), 'record')}"
    if version.number < newest:
        hint = f"to upgrade it, run: {command_line('ledger', 'upgrade')}"
        yield warning("ledger", f"{text}; this notifyctl has schema {newest}", hint)
    else:
        yield ok("ledger", text)
    if (holder := store.held_by()) is not None:
        yield ok("ledger lock", f"locked by {holder}")
    if halt is not None:
        yield warning("halt", halted_error(halt).message, f"to continue, run: {command_line('resume')}")
    yield judge_workers(read_workers_progress(database))


def judge_workers(progress: WorkersProgress) -> Check:
    name, campaign = "workers", progress.campaign
    running = f"{pluralise(len(progress.workers), 'worker')} running"
    if campaign is None or campaign.ended is not None:
        return ok(name, f"{running}, nothing to send")
    text = f"{running}; run {campaign.epoch}: {campaign.done:,} of {pluralise(campaign.batches, 'batch', 'batches')} done"
    if not progress.workers:
        return warning(name, text, f"to start one, run: {command_line('worker')}")
    return ok(name, text)


def judge_permissions(rights: Rights) -> Check:
    """The three roles of `deploy/postgresql/roles.sql` are sound, and so is the owner. A role in between is a mistake."""
    name = "permissions"
    if not rights.reads_not and not rights.adds_not:
        return ok(name, "this role can read and add to every table: it can plan and send")
    if not rights.reads_not and not rights.adds:
        return ok(name, "this role can only read: it can plan, and cannot send")
    if rights.adds == (INBOX,):
        return ok(
            name, "this role can only add receipts: it can serve receipts, and can neither plan nor send"
        )
    return warning(
        name,
        f"this role can read all but {list_some(rights.reads_not)}, and add to all but {list_some(rights.adds_not)}",
        "run deploy/postgresql/roles.sql as the owner of the tables again, after each `ledger upgrade`",
    )


def list_some(names: Sequence[str]) -> str:
    """`none`, `a, b` or `a, b, c and 4 more`."""
    shown = ", ".join(names[:MOST_LISTED]) or "none"
    return shown if len(names) <= MOST_LISTED else f"{shown} and {len(names) - MOST_LISTED:,} more"


def check_server(rows: Rows) -> Iterator[Check]:
    """One check for each subject, whatever of them this role may not read."""
    subjects: tuple[tuple[str, Callable[[Rows], Iterable[Check]]], ...] = (
        ("durability", lambda rows: judge_durability(read_settings(rows))),
        (
            "long transactions",
            lambda rows: [judge_horizon(read_horizon(rows), sees_all=may_see_sessions(rows))],
        ),
        ("dead rows", lambda rows: [judge_dead_rows(read_tables(rows))]),
        ("autovacuum", lambda rows: [judge_autovacuum(read_settings(rows), read_tables(rows))]),
        ("timeouts", lambda rows: [judge_timeouts(read_settings(rows))]),
        ("replication", lambda rows: [judge_replication(read_replication(rows), read_settings(rows))]),
        ("connections", lambda rows: [judge_connections(read_connections(rows))]),
    )
    for name, find in subjects:
        try:
            yield from list(find(rows))
        except NotifyctlError as problem:
            yield not_checked(name, f"cannot be read: {problem.message}", MONITOR)


def judge_durability(settings: Mapping[str, str]) -> Iterator[Check]:
    """A commit that a crash takes back is a message that is sent twice."""
    if "off" in {settings.get("fsync"), settings.get("synchronous_commit")}:
        return  # a danger that keeps every run from beginning, reported as that
    if settings.get("full_page_writes") == "off":
        yield warning(
            "durability",
            "full_page_writes is off: a power cut can damage the ledger",
            "set full_page_writes = on in postgresql.conf, unless the file system never writes half a page",
        )
        return
    yield ok("durability", f"fsync is on, synchronous_commit is {settings.get('synchronous_commit')}")


def judge_horizon(horizon: Horizon | None, *, sees_all: bool) -> Check:
    name = "long transactions"
    if horizon is None and not sees_all:
        return not_checked(name, "this role does not see what sessions of other roles do", MONITOR)
    if horizon is None:
        return ok(name, "none: VACUUM can remove all dead rows")
    behind = pluralise(horizon.transactions, "transaction")
    since = f" for {format_seconds(horizon.seconds)}" if horizon.seconds is not None else ""
    text = (
        f"{horizon.holder} has been open{since}, {behind} behind: no dead row newer than that can be removed"
    )
    hint = (
        f"to end it, run in the database: SELECT pg_terminate_backend({horizon.pid})"
        if horizon.pid is not None
        else "remove it, or let it catch up"
    )
    if horizon.transactions >= MANY_TRANSACTIONS:
        return error(name, text, hint)
    if (horizon.seconds or 0) >= LONG_SNAPSHOT or (
        horizon.seconds is None and horizon.transactions >= MANY_DEAD
    ):
        return warning(name, f"{text}; the queue of the workers becomes slower and slower", hint)
    return ok(name, f"the oldest is {horizon.holder},{since or ' open'}, {behind} behind")


def format_seconds(seconds: float) -> str:
    """`8 s`, `3 min 5 s`, `2 h 0 min`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours:,} h {minutes_left} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def judge_dead_rows(tables: Sequence[TableHealth]) -> Check:
    name = "dead rows"
    if not tables:
        return ok(name, "no table with rows that change yet")
    counts = ", ".join(f"{table.name} {table.dead:,} dead, {table.live:,} live" for table in tables)
    many = [table.name for table in tables if table.dead >= MANY_DEAD and table.dead > table.live]
    if many:
        return warning(
            name,
            f"VACUUM falls behind: {counts}",
            f"see `long transactions` and `autovacuum`; then run: VACUUM {', '.join(many)}",
        )
    return ok(name, counts)


def judge_autovacuum(settings: Mapping[str, str], tables: Sequence[TableHealth]) -> Check:
    name = "autovacuum"
    off = [setting for setting in ("autovacuum", "track_counts") if settings.get(setting) == "off"]
    if off:
        return error(
            name,
            f"{off[0]} is off: dead rows of the queue are never removed",
            f"set {off[0]} = on in postgresql.conf, and reload the server",
        )
    disabled = [table.name for table in tables if not table.has_autovacuum]
    if disabled:
        return error(
            name,
            f"autovacuum is off for {', '.join(disabled)}",
            f"run: ALTER TABLE {disabled[0]} RESET (autovacuum_enabled)",
        )
    general = settings.get("autovacuum_vacuum_scale_factor", "0.2")
    text = f"on, every {settings.get('autovacuum_naptime')}, scale factor {general}"
    own = [(t.name, t.options.get("autovacuum_vacuum_scale_factor")) for t in tables]
    text += "".join(f", {table} {factor}" for table, factor in own if factor is not None)
    late = [
        table
        for table, factor in own
        if table == "procrastinate_jobs" and float(factor or general) > LARGE_FACTOR
    ]
    if late:
        return warning(
            name,
            f"{text}: VACUUM of {late[0]} waits until a large part of it is dead",
            f"run: ALTER TABLE {late[0]} SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0)",
        )
    return ok(name, text)


def judge_timeouts(settings: Mapping[str, str]) -> Check:
    name, version = "timeouts", int(settings["server_version_num"])
    idle = settings.get("idle_in_transaction_session_timeout", "0ms")
    others = (
        "none for other sessions"
        if idle == "0ms"
        else f"idle transactions of other sessions end after {idle}"
    )
    if version < TIMEOUT_SINCE:
        return warning(
            name,
            f"PostgreSQL {settings['server_version']} has no transaction_timeout, so that one of ours is not ended; {others}",
            "upgrade to PostgreSQL 17 or later, or watch the oldest transaction",
        )
    limit = settings.get("transaction_timeout", "0ms")
    return ok(
        name,
        f"notifyctl sets transaction_timeout in its own sessions; the server's own is {limit if limit != '0ms' else 'not set'}; {others}",
    )


def judge_replication(replication: Replication, settings: Mapping[str, str]) -> Check:
    name = "replication"
    if replication.is_standby:
        return warning(name, "this server is a standby of another one")
    timeline = f"timeline {replication.timeline}" if replication.timeline is not None else "timeline unknown"
    if not replication.standbys:
        return ok(name, f"{timeline}, no standby")
    late = [standby or "without a name" for standby, confirms in replication.standbys.items() if not confirms]
    confirmed = any(replication.standbys.values())
    if not confirmed or settings.get("synchronous_commit") == "local":
        return warning(
            name,
            f"{timeline}; no standby confirms commits ({', '.join(late) or 'synchronous_commit is local'}): a failover can lose"
            " records, and notifyctl then stops until `ledger adopt`",
            "set synchronous_standby_names, and leave synchronous_commit on",
        )
    if late:
        return ok(name, f"{timeline}; confirmed by a standby; never fail over to {', '.join(late)}")
    return ok(name, f"{timeline}; {pluralise(len(replication.standbys), 'standby', 'standbys')} confirmed")


def judge_connections(connections: Connections) -> Check:
    name = "connections"
    text = f"{connections.used:,} of {connections.limit:,} used, {connections.left:,} left"
    hint = "raise max_connections, or let all but the lock go through a pooler"
    if connections.left == 0:
        return error(name, text, hint)
    if connections.left < min(FEW_CONNECTIONS, connections.limit):
        return warning(name, text, hint)
    return ok(name, text)
