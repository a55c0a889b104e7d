"""Fills a ledger in PostgreSQL by COPY. The recipients are random ids: nobody is behind them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import Connection

MEMBER, ID = 28, 16
SCOPE_PEOPLE = 1_000_000
"""People of one notification in a ledger that was filled."""
COPY_CLAIMS = "COPY {} (scope, batch, recipient) FROM STDIN (FORMAT binary)"
HEADER, END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"


def claims(scope: int, first: int, members: Any, per_batch: int) -> bytes:
    """Rows of `claim` in COPY's binary format. `members`: an array of (people, MEMBER) bytes."""
    import numpy as np

    count = len(members)
    kind = np.dtype(
        [
            ("fields", ">i2"),
            ("a", ">i4"),
            ("scope", ">i8"),
            ("b", ">i4"),
            ("batch", ">i8"),
            ("c", ">i4"),
            ("id", "u1", ID),
        ]
    )
    rows = np.zeros(count, kind)
    rows["fields"], rows["a"], rows["b"], rows["c"] = 3, 8, 8, ID
    rows["scope"], rows["batch"] = scope, first + np.arange(count) // per_batch
    rows["id"] = members[:, :ID]
    return rows.tobytes()


def random_members(people: int) -> Any:
    import numpy as np

    return np.frombuffer(os.urandom(people * MEMBER), "u1").reshape(people, MEMBER)


def fill(url: str, before: int, people: int, per_batch: int) -> None:
    """Fills a ledger that has `before` people to have `people`: accepted, each in a batch and with a claim."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '1GB'")
        connection.execute("SET max_parallel_maintenance_workers = 2")
        # Sorted once at the end instead of row by row: the index is the same.
        connection.execute("ALTER TABLE claim DROP CONSTRAINT claim_pkey")
        now = datetime.now(UTC)
        epoch = number(connection, "SELECT coalesce(max(epoch), 0) + 1 FROM run")
        with connection.transaction():
            connection.execute("INSERT INTO run VALUES (%s, %s, 'benchmark', 'benchmark')", (epoch, now))
            connection.execute("INSERT INTO run_end VALUES (%s, %s, 'finished')", (epoch, now))
        for start in range(before, people, SCOPE_PEOPLE):
            fill_scope(connection, epoch, start, min(SCOPE_PEOPLE, people - start), per_batch, now)
        connection.execute("ALTER TABLE claim ADD CONSTRAINT claim_pkey PRIMARY KEY (scope, recipient)")
        connection.execute("VACUUM ANALYZE")


def fill_scope(
    connection: Connection[Any], epoch: int, start: int, people: int, per_batch: int, now: datetime
) -> None:
    scope = number(
        connection,
        "INSERT INTO scope (notification, edition, occurrence, channel) VALUES (%s, 1, '', 'sms') RETURNING id",
        f"filled-{start}",
    )
    first = number(connection, "SELECT coalesce(max(number), 0) + 1 FROM batch")
    members = random_members(people)
    batches = range(first, first - (-people // per_batch))
    tables: dict[str, Iterator[tuple[object, ...]]] = {
        "opening (scope, part, epoch, at, held)": iter([(scope, 0, epoch, now, b"")]),
        "batch (number, scope, epoch, at, members)": (
            (each, scope, epoch, now, members[at * per_batch : (at + 1) * per_batch].tobytes())
            for at, each in enumerate(batches)
        ),
        "attempt (batch, attempt, epoch, at, seal)": ((each, 1, epoch, now, b"0" * 12) for each in batches),
        "outcome (batch, attempt, kind, status, provider_id, epoch, at)": (
            (each, 1, "accepted", 201, f"benchmark-{each}", epoch, now) for each in batches
        ),
    }
    with connection.transaction(), connection.cursor() as cursor:
        for table, rows in tables.items():
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        with cursor.copy(COPY_CLAIMS.format("claim")) as copy:
            copy.write(HEADER)
            for at in range(0, people, 50_000):
                copy.write(claims(scope, first + at // per_batch, members[at : at + 50_000], per_batch))
            copy.write(END)


def number(connection: Connection[Any], sql: str, *values: object) -> int:
    row = connection.execute(sql.encode(), values).fetchone()
    assert row is not None
    return int(row[0])
