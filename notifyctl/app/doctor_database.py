"""`doctor` on a ledger in PostgreSQL: judges what the server says of itself. The reads are short, and none changes anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta

from notifyctl.errors import NotifyctlError
from notifyctl.ledger.postgresql.server_health import (
    TIMEOUT_SINCE,
    Connections,
    Horizon,
    Replication,
    Rows,
    TableHealth,
    may_see_sessions,
    read_connections,
    read_horizon,
    read_replication,
    read_settings,
    read_tables,
)
from notifyctl.model.checks import Check, error, not_checked, ok, warning
from notifyctl.plurals import pluralise

LONG_SNAPSHOT = 60.0
"""Seconds after which an open transaction of somebody else is reported."""
MANY_TRANSACTIONS = 10_000_000
"""Transactions behind which the horizon is an error: the server itself begins to refuse work at 2 thousand million."""
MANY_DEAD = 10_000
FEW_CONNECTIONS = 10
LARGE_FACTOR = 0.1
"""Of a table that changes all the time: with more, VACUUM comes too seldom."""
MONITOR = "grant pg_monitor to this role, for example: GRANT pg_monitor TO notifyctl"


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
    for name in ("fsync", "synchronous_commit"):
        if settings.get(name) == "off":
            yield error(
                "durability",
                f"{name} is off: a crash of the server can lose records, and recipients would be sent messages twice",
                f"to switch it on for this database, run: ALTER DATABASE … SET {name} = on"
                if name == "synchronous_commit"
                else "set fsync = on in postgresql.conf, and restart the server",
            )
            return
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
    idle = settings.get("idle_in_transaction_session_timeout", "0")
    others = (
        "none for other sessions" if idle == "0" else f"idle transactions of other sessions end after {idle}"
    )
    if version < TIMEOUT_SINCE:
        return warning(
            name,
            f"PostgreSQL {settings['server_version']} has no transaction_timeout, so that one of ours is not ended; {others}",
            "upgrade to PostgreSQL 17 or later, or watch the oldest transaction",
        )
    limit = settings.get("transaction_timeout", "0")
    return ok(
        name,
        f"notifyctl sets transaction_timeout in its own sessions; the server's own is {limit if limit != '0' else 'not set'}; {others}",
    )


def judge_replication(replication: Replication, settings: Mapping[str, str]) -> Check:
    name = "replication"
    if replication.is_standby:
        return error(
            name,
            "this server is a standby: it cannot be written, and nothing can be sent",
            "let the URL of the ledger name the primary, for example with target_session_attrs=read-write",
        )
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


def describe_difference(difference: timedelta) -> str:
    """By how much this machine's clock differs from another: `0.2 s ahead`."""
    seconds = difference.total_seconds()
    return f"{abs(seconds):,.1f} s {'ahead' if seconds > 0 else 'behind'}"
