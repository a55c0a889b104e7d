"""What a PostgreSQL server says of itself: who holds back VACUUM, dead rows, settings, replication, connections left.

Only short reads of system views. Each is asked for by itself: a role that may not read one still learns the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

Rows = Callable[[str], Sequence[tuple[Any, ...]]]
"""Runs a query without parameters, and returns all its rows."""

BUSY_TABLES = ("procrastinate_jobs", "procrastinate_events", "pace", "receipt_inbox")
"""Tables in which rows are changed and deleted. All others only grow, so that they hold no dead rows."""
TIMEOUT_SINCE = 170000
"""The first server with `transaction_timeout`."""
SETTINGS = (
    "server_version_num",
    "server_version",
    "fsync",
    "synchronous_commit",
    "synchronous_standby_names",
    "full_page_writes",
    "track_counts",
    "autovacuum",
    "autovacuum_naptime",
    "autovacuum_vacuum_scale_factor",
    "autovacuum_vacuum_threshold",
    "transaction_timeout",
    "idle_in_transaction_session_timeout",
    "max_connections",
    "superuser_reserved_connections",
    "reserved_connections",
)


class Horizon(Struct, frozen=True):
    """What holds back VACUUM most: dead rows newer than `transactions` ago cannot be removed. `holder`: a session in words."""

    transactions: int
    seconds: float | None = None
    """How long its transaction lasts; None: unknown, or it is no session."""
    holder: str | None = None
    pid: int | None = None


class TableHealth(Struct, frozen=True):
    """Row counts of the server's statistics, which lag by about a second."""

    name: str
    live: int
    dead: int
    vacuumed: datetime | None
    options: Mapping[str, str] = {}
    """Storage parameters of this table, such as `autovacuum_enabled`."""

    @property
    def has_autovacuum(self) -> bool:
        """Whether it is not switched off for this table."""
        return self.options.get("autovacuum_enabled") not in {"off", "false"}


class Replication(Struct, frozen=True):
    """`is_standby`: it cannot be written. `standbys`: by name, whether each confirms commits (synchronous)."""

    is_standby: bool
    standbys: Mapping[str, bool]
    system: str | None = None
    timeline: int | None = None


class Connections(Struct, frozen=True):
    used: int
    limit: int
    """For ordinary roles: without those that are reserved."""

    @property
    def left(self) -> int:
        return max(self.limit - self.used, 0)


def read_settings(rows: Rows) -> dict[str, str]:
    """The server's settings as this session has them; those of time limits as other sessions do. Unknown ones are left out."""
    names = ", ".join(f"'{name}'" for name in SETTINGS)
    return {
        name: str(value)
        for name, value in rows(
            # Our sessions set time limits for themselves.
            f"""
            SELECT name, CASE WHEN name LIKE '%timeout' THEN reset_val || coalesce(unit, '') ELSE current_setting(name) END
              FROM pg_catalog.pg_settings WHERE name IN ({names})
            """  # noqa: S608 - our own names
        )
    }


def may_see_sessions(rows: Rows) -> bool:
    """Whether this role sees what other roles' sessions do."""
    [(allowed,)] = rows("SELECT pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')")
    return bool(allowed)


def read_horizon(rows: Rows) -> Horizon | None:
    """The oldest of: snapshots and transactions of sessions, standbys' feedback, replication slots, prepared transactions.

    None if nothing holds it back. Our own session and autovacuum, which holds nothing back, are not counted.
    """
    found = rows(
        """
        SELECT greatest(age(backend_xmin), age(backend_xid)) AS age,
               extract(epoch FROM clock_timestamp() - xact_start)::float8,
               pid, usename::text, application_name, host(client_addr), state
          FROM pg_catalog.pg_stat_activity
         WHERE (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL) AND pid <> pg_backend_pid()
           AND backend_type NOT IN ('autovacuum worker', 'walsender')
           AND (datid IS NULL OR datid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))
         UNION ALL
        SELECT age(backend_xmin), NULL, NULL, NULL, application_name, NULL, 'standby'
          FROM pg_catalog.pg_stat_replication WHERE backend_xmin IS NOT NULL
         UNION ALL
        SELECT greatest(age(xmin), age(catalog_xmin)), NULL, NULL, NULL, slot_name::text, NULL, 'slot'
          FROM pg_catalog.pg_replication_slots WHERE xmin IS NOT NULL OR catalog_xmin IS NOT NULL
         UNION ALL
        SELECT age(transaction), extract(epoch FROM clock_timestamp() - prepared)::float8, NULL, owner::text, gid, NULL, 'prepared'
          FROM pg_catalog.pg_prepared_xacts WHERE database = current_database()
         ORDER BY age DESC NULLS LAST, 2 DESC NULLS LAST LIMIT 1
        """
    )
    for age, seconds, pid, user, name, host, state in found:
        return Horizon(int(age or 0), seconds, describe_holder(pid, user, name, host, state), pid)
    return None


def describe_holder(
    pid: int | None, user: str | None, name: str | None, host: str | None, state: str | None
) -> str:
    match state:
        case "standby":
            return f"the standby {name or 'without a name'} (hot_standby_feedback)"
        case "slot":
            return f"the replication slot {name}"
        case "prepared":
            return f"the prepared transaction {name} of user {user}"
        case _:
            where = ", ".join(
                filter(None, (f"application {name}" if name else "", f"from {host}" if host else "", state))
            )
            return f"session {pid} of user {user}" + (f" ({where})" if where else "")


def read_tables(rows: Rows) -> list[TableHealth]:
    """The tables of BUSY_TABLES that are in the search path."""
    names = ", ".join(f"'{name}'" for name in BUSY_TABLES)
    found = rows(
        f"""
        SELECT s.relname::text, s.n_live_tup, s.n_dead_tup, extract(epoch FROM greatest(s.last_vacuum, s.last_autovacuum))::float8,
               coalesce(c.reloptions, '{{}}')
          FROM pg_catalog.pg_stat_user_tables s JOIN pg_catalog.pg_class c ON c.oid = s.relid
         WHERE s.relname IN ({names}) AND pg_catalog.pg_table_is_visible(s.relid) ORDER BY s.relname
        """  # noqa: S608 - our own names
    )
    return [
        TableHealth(
            name,
            live,
            dead,
            datetime.fromtimestamp(vacuumed, UTC) if vacuumed is not None else None,
            dict(option.split("=", 1) for option in options),
        )
        for name, live, dead, vacuumed, options in found
    ]


def read_replication(rows: Rows) -> Replication:
    [(is_standby,)] = rows("SELECT pg_catalog.pg_is_in_recovery()")
    standbys = {
        str(name): state in {"sync", "quorum"}
        for name, state in rows(
            "SELECT application_name, sync_state FROM pg_catalog.pg_stat_replication WHERE state = 'streaming'"
        )
    }
    [(system, timeline)] = rows(
        "SELECT (SELECT system_identifier::text FROM pg_catalog.pg_control_system()),"
        " (SELECT timeline_id FROM pg_catalog.pg_control_checkpoint())"
    )
    return Replication(bool(is_standby), standbys, system, timeline)


def read_connections(rows: Rows) -> Connections:
    """By the narrowest of the limits of server, database and role."""
    [(used, here, limit, database_limit, role_limit, of_role)] = rows(
        """
        SELECT (SELECT coalesce(sum(numbackends), 0)::int FROM pg_catalog.pg_stat_database),
               (SELECT numbackends FROM pg_catalog.pg_stat_database WHERE datname = current_database()),
               (SELECT sum(CASE WHEN name = 'max_connections' THEN setting::int ELSE -setting::int END)::int
                  FROM pg_catalog.pg_settings
                 WHERE name IN ('max_connections', 'superuser_reserved_connections', 'reserved_connections')),
               (SELECT datconnlimit FROM pg_catalog.pg_database WHERE datname = current_database()),
               (SELECT rolconnlimit FROM pg_catalog.pg_roles WHERE rolname = current_user),
               (SELECT count(*)::int FROM pg_catalog.pg_stat_activity WHERE usename = current_user)
        """
    )
    found = [Connections(used, limit)]
    found += [Connections(here, database_limit)] if database_limit >= 0 else []
    found += [Connections(of_role, role_limit)] if role_limit >= 0 else []
    return min(found, key=lambda each: each.left)


class Rights(Struct, frozen=True):
    """The tables of the ledger that this role may read and add to, or not. The owner's own tables are left out."""

    reads: tuple[str, ...]
    reads_not: tuple[str, ...]
    adds: tuple[str, ...]
    adds_not: tuple[str, ...]


def read_rights(rows: Rows) -> Rights:
    found = rows(
        "SELECT relname::text, has_table_privilege(oid, 'SELECT'), has_table_privilege(oid, 'INSERT')"
        " FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
        " AND relname NOT IN ('meta', 'migration')"
        " AND relnamespace = (SELECT relnamespace FROM pg_catalog.pg_class WHERE oid = to_regclass('meta'))"
        " ORDER BY relname"
    )
    return Rights(
        reads=tuple(name for name, reads, _ in found if reads),
        reads_not=tuple(name for name, reads, _ in found if not reads),
        adds=tuple(name for name, _, adds in found if adds),
        adds_not=tuple(name for name, _, adds in found if not adds),
    )


def read_clock(rows: Rows) -> datetime:
    [(epoch,)] = rows("SELECT extract(epoch FROM clock_timestamp())::float8")
    return datetime.fromtimestamp(epoch, UTC)
