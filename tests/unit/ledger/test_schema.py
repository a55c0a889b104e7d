from __future__ import annotations

import sqlite3

import pytest

from notifyctl.ledger.facts import FACTS, FIRST_VERSION, fact_tables
from notifyctl.ledger.sqlite.schema import (
    APPLICATION_ID,
    SCHEMA_VERSION,
    STEPS,
    TABLES,
    guards,
    schema,
    serial_view,
    upgrade,
)


def made(version: tuple[int, ...]) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.executescript(schema(version))
    return connection


@pytest.mark.parametrize("version", [(3, 31, 0), sqlite3.sqlite_version_info])
def test_the_schema_can_be_made_with_and_without_strict_tables(version: tuple[int, ...]) -> None:
    connection = made(version)
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    connection.close()


def test_an_old_sqlite_is_not_shown_the_word_strict() -> None:
    assert "STRICT" not in schema((3, 36, 9))
    assert schema((3, 37, 0)).count(") STRICT;") == len(FACTS)


def test_every_table_is_guarded_and_counted_in_the_serial() -> None:
    connection = made(sqlite3.sqlite_version_info)
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    guarded = {
        name for (name,) in connection.execute("SELECT tbl_name FROM sqlite_schema WHERE type = 'trigger'")
    }
    [(serial,)] = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'serial'")
    connection.close()
    assert tables == guarded == set(FACTS)
    assert all(f"FROM {table})" in serial for table in FACTS)


@pytest.mark.parametrize("version", range(FIRST_VERSION, SCHEMA_VERSION))
def test_a_ledger_of_each_earlier_version_becomes_one_of_this_version(version: int) -> None:
    connection = sqlite3.connect(":memory:")
    scripts = [TABLES, *(script for since, (script, _) in STEPS.items() if since <= version)]
    tables = fact_tables(version)
    connection.executescript("\n".join([*scripts, serial_view(tables), guards(tables)]))
    for statement in upgrade(sqlite3.sqlite_version_info, version):
        connection.execute(statement)
    new = made(sqlite3.sqlite_version_info)
    query = "SELECT type, name, tbl_name FROM sqlite_schema ORDER BY type, name"
    assert connection.execute(query).fetchall() == new.execute(query).fetchall()
    assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    connection.close()
    new.close()
