"""Cases of the field with a real PostgreSQL server: what it holds beside what is read, and what the machine makes of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from notifyctl.exit_codes import ExitCode

CASES = Path(__file__).parents[1] / "cases" / "field"
Put = Callable[[str, str], None]


@pytest.fixture
def put(postgres_server: str, cli: Any, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Puts the project of a case in place, and makes its table `people` of a query."""
    import psycopg

    monkeypatch.setenv("CRM_URL", postgres_server)

    def prepare(case: str, query: str) -> None:
        shutil.copytree(CASES / case, cli.root, dirs_exist_ok=True)
        with psycopg.connect(postgres_server) as connection:
            connection.execute("DROP TABLE IF EXISTS people")
            connection.execute(f"CREATE TABLE people AS {query}".encode())

    return prepare


ROWS = (
    "SELECT '+4477009001' || lpad(i::text, 2, '0') AS phone, 'Ada' AS name, {} FROM generate_series(1, 60) i"
)


@pytest.mark.parametrize(
    "odd",
    [
        "array['a'] AS odd",
        "'{\"a\": 1}'::jsonb AS odd",
        "'\\xff'::bytea AS odd",
        "timestamp 'infinity' AS odd",
        "time '24:00' AS odd",
        "date '0044-03-15 BC' AS odd",
    ],
)
def test_a_column_that_nobody_reads_loses_nobody(odd: str, put: Put, cli: Any) -> None:
    put("pg-column-nobody-reads", ROWS.format(odd))
    told = cli("plan")
    assert told.code == 0
    assert "Plan: 60 send" in told.out
    assert "rejected" not in told.out
    notification = cli.root / "n.yaml"
    notification.write_text(notification.read_text().replace("  substitutions: {name: name}\n", ""))
    assert "Plan: 60 send" in cli("plan").out, "every column is a variable, and no text names it"


def test_a_column_that_is_read_is_told_once(put: Put, cli: Any) -> None:
    put("pg-column-nobody-reads", ROWS.format("array['a'] AS tags"))
    notification = cli.root / "n.yaml"
    notification.write_text(
        notification.read_text().replace("$(name)", "$(tags)").replace("{name: name}", "{tags: tags}")
    )
    told = cli("plan")
    assert told.out.count("bad-row") == 1
    assert "'tags' is neither a text nor a number: 60 rows, the first in row 1" in told.out
    assert "60 rejected rows ⚠" in told.out


def test_times_are_the_same_on_every_machine(put: Put, cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put(
        "timestamps-by-machine", "SELECT '+447700900101' AS phone, timestamptz '2026-11-01 10:00+02' AS since"
    )
    assert cli("apply").code == 0
    assert "[2026-11-01 08:00:00+00]" in cli("plan", "--only", "n").out + cli("render", "n").out
    monkeypatch.setenv("PGTZ", "Europe/Berlin")
    assert "1 unchanged" in cli("plan").out


def test_a_row_is_told_by_its_number_and_at_no_line_of_the_yaml(put: Put, cli: Any) -> None:
    put(
        "pg-column-nobody-reads",
        "SELECT * FROM (VALUES ('+447700900101', 'Ada'), ('none', 'Bea')) AS p (phone, name)",
    )
    told = cli("plan")
    assert "n.yaml:6:11: warning [bad-address] row 2 of the table 'people': msisdn: " in told.out
    notification = cli.root / "n.yaml"
    notification.write_text(notification.read_text().replace("table: people", "table: public.people"))
    told = cli("plan")
    assert told.code == ExitCode.ERROR
    assert "sql: select * from public.people" in told.out + told.err
