"""`doctor` on a PostgreSQL server: a session that holds back VACUUM is named; unsafe settings and few connections are found."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from notifyctl.app.monitoring.doctor_database import (
    check_server,
    format_seconds,
    judge_autovacuum,
    judge_connections,
    judge_dead_rows,
    judge_horizon,
    judge_permissions,
    judge_replication,
    judge_timeouts,
)
from notifyctl.ledger.postgresql.server_health import (
    Connections,
    Horizon,
    Replication,
    Rights,
    Rows,
    TableHealth,
    read_connections,
    read_horizon,
)
from notifyctl.model.checks import Check, CheckStatus
from tests.postgres import fresh_database

Session = psycopg.Connection[tuple[object, ...]]


@pytest.fixture(scope="module")
def url(postgres_server: str) -> str:
    return fresh_database(postgres_server)


@pytest.fixture
def session(url: str) -> Iterator[Session]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def rows_of(connection: Session) -> Rows:
    return lambda sql: connection.execute(sql.encode()).fetchall()


def by_name(connection: Session) -> dict[str, Check]:
    return {check.name: check for check in check_server(rows_of(connection))}


def test_a_quiet_server_is_sound(session: Session) -> None:
    session.execute("CREATE TABLE pace (account int) WITH (autovacuum_vacuum_scale_factor = 0.02)")
    found = by_name(session)
    assert list(found) == [
        "durability",
        "long transactions",
        "dead rows",
        "autovacuum",
        "timeouts",
        "replication",
        "connections",
    ]
    assert {check.status for check in found.values()} == {CheckStatus.OK}, found
    assert "pace 0.02" in found["autovacuum"].text
    assert "timeline 1, no standby" in found["replication"].text


def test_a_foreign_snapshot_is_found_and_named(session: Session, url: str) -> None:
    with psycopg.connect(url, application_name="reporting") as foreign:
        foreign.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        foreign.execute("SELECT 1")
        for _ in range(5):
            session.execute("SELECT pg_current_xact_id()")
        found = read_horizon(rows_of(session))
        assert found is not None
        assert found.pid == foreign.info.backend_pid
        assert found.transactions >= 5
        assert found.holder is not None
        assert "application reporting" in found.holder
        foreign.rollback()
        assert read_horizon(rows_of(session)) is None


def test_a_role_without_rights_learns_the_rest(session: Session) -> None:
    session.execute("CREATE ROLE plain")
    session.execute("SET ROLE plain")
    found = by_name(session)
    assert found["long transactions"].status is CheckStatus.NOT_CHECKED
    assert "pg_monitor" in str(found["long transactions"].hint)
    assert found["connections"].status is CheckStatus.OK


def test_commits_that_a_crash_takes_back_are_an_error(session: Session, url: str) -> None:
    name = session.info.dbname
    session.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off'.encode())
    with psycopg.connect(url, autocommit=True) as later:
        found = by_name(later)
    session.execute(f'ALTER DATABASE "{name}" RESET synchronous_commit'.encode())
    assert "durability" not in found, "a danger that every run refuses, and is reported as that"


def test_the_narrowest_limit_of_connections_counts(session: Session) -> None:
    name = session.info.dbname
    session.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT 3'.encode())
    found = read_connections(rows_of(session))
    session.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT -1'.encode())
    assert found.limit == 3
    assert judge_connections(found).status in {CheckStatus.WARNING, CheckStatus.ERROR}
    assert judge_connections(Connections(100, 100)).status is CheckStatus.ERROR
    assert judge_connections(Connections(1, 100)).status is CheckStatus.OK


def test_roles_with_least_privilege_are_sound_and_others_are_not() -> None:
    every = ("attempt", "batch", "outcome", "receipt_inbox", "run")
    texts = {
        "plan and send": Rights(reads=every, reads_not=(), adds=every, adds_not=()),
        "cannot send": Rights(reads=every, reads_not=(), adds=(), adds_not=every),
        "serve receipts": Rights(reads=(), reads_not=every, adds=("receipt_inbox",), adds_not=every[:3]),
    }
    for words, rights in texts.items():
        assert judge_permissions(rights).status is CheckStatus.OK
        assert words in judge_permissions(rights).text
    late = judge_permissions(Rights(reads=every, reads_not=(), adds=("run",), adds_not=every[:4]))
    assert late.status is CheckStatus.WARNING
    assert "all but none, and add to all but attempt, batch, outcome and 1 more" in late.text


def test_what_holds_back_vacuum_is_judged_by_time_and_age() -> None:
    held = judge_horizon(Horizon(5_000, 185.0, "session 7 of user bob", 7), sees_all=True)
    assert held.status is CheckStatus.WARNING
    assert "session 7 of user bob has been open for 3 min 5 s, 5,000 transactions behind" in held.text
    assert "pg_terminate_backend(7)" in str(held.hint)
    assert judge_horizon(Horizon(5, 2.0, "session 7", 7), sees_all=True).status is CheckStatus.OK
    slot = judge_horizon(Horizon(20_000, None, "the replication slot old", None), sees_all=True)
    assert slot.status is CheckStatus.WARNING
    assert "pg_terminate" not in str(slot.hint)
    wrapped = Horizon(20_000_000, 9_000.0, "session 7", 7)
    assert judge_horizon(wrapped, sees_all=True).status is CheckStatus.ERROR
    assert [format_seconds(each) for each in (8, 60, 7_205)] == ["8 s", "1 min 0 s", "2 h 0 min"]


def test_dead_rows_and_autovacuum() -> None:
    jobs = TableHealth("procrastinate_jobs", live=1_000, dead=92_000, vacuumed=None)
    assert judge_dead_rows([jobs]).status is CheckStatus.WARNING
    assert "VACUUM procrastinate_jobs" in str(judge_dead_rows([jobs]).hint)
    few = TableHealth("procrastinate_jobs", 1_000, 900, None, {"autovacuum_vacuum_scale_factor": "0.01"})
    assert judge_dead_rows([few]).status is CheckStatus.OK
    on = {"autovacuum": "on", "track_counts": "on", "autovacuum_vacuum_scale_factor": "0.2"}
    assert judge_autovacuum(on, [jobs]).status is CheckStatus.WARNING
    assert judge_autovacuum(on, [few]).status is CheckStatus.OK
    assert judge_autovacuum({**on, "autovacuum": "off"}, [few]).status is CheckStatus.ERROR
    disabled = TableHealth("procrastinate_jobs", 0, 0, None, {"autovacuum_enabled": "false"})
    assert "RESET (autovacuum_enabled)" in str(judge_autovacuum(on, [disabled]).hint)


def test_standbys_and_old_servers() -> None:
    durable = {"synchronous_commit": "on"}
    assert judge_replication(Replication(True, {}), durable).status is CheckStatus.WARNING
    lone = judge_replication(Replication(False, {"b": False}, "1", 2), durable)
    assert lone.status is CheckStatus.WARNING
    assert "ledger adopt" in lone.text
    assert judge_replication(Replication(False, {"b": True}, "1", 2), durable).status is CheckStatus.OK
    assert (
        "never fail over to c" in judge_replication(Replication(False, {"b": True, "c": False}), durable).text
    )
    old = {"server_version_num": "160004", "server_version": "16.4"}
    assert judge_timeouts(old).status is CheckStatus.WARNING
