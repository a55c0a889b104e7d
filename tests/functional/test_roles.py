"""The roles of deploy/postgresql/roles.sql on a real server: each can do its work, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from notifyctl.app.ledger import postgres_store
from notifyctl.app.receipts.shared import open_inbox
from notifyctl.app.workspace import open_workspace
from notifyctl.engine.procrastinate_queue import ProcrastinateQueue
from notifyctl.engine.queue import Waking
from notifyctl.errors import LedgerError
from notifyctl.exit_codes import ExitCode
from notifyctl.ledger.facts import FACTS
from notifyctl.ledger.postgresql.migrations import Migration, known_migrations, latest, migrate
from notifyctl.model.received import Received
from tests.functional.crew import crew
from tests.postgres import drop_database, fresh_database

SCRIPT = Path(__file__).parents[2] / "deploy" / "postgresql" / "roles.sql"
ROLES = ("notifyctl_planner", "notifyctl_worker", "notifyctl_receipts")
OWNER = "acme_owner"
HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: Hello}}
audience: {source: {file: people.csv}}
joiners: send
"""
MUTABLE = {"claim", "pace", "receipt_inbox"}
OWNED = {"meta", "migration"}

As = Callable[[str], str]
"""The URL of the ledger's database for a user with a role, who is made by that name."""


def run_script(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SCRIPT.read_bytes())


@pytest.fixture
def shared(
    production: Any, postgres_server: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Any, As]]:
    """A project whose ledger was made by the owner of its database, and users with one role each."""
    url = fresh_database(postgres_server)

    def as_user(name: str) -> str:
        return make_conninfo(url, user=name)

    production.write(
        notifyctl=(production.root / "notifyctl.yaml").read_text() + "    ledger: {urlEnv: LEDGER_URL}\n",
        hello=HELLO,
        **{"people.csv": "msisdn\n+447700900001\n+447700900002\n"},
    )
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        try:
            admin.execute(f"CREATE ROLE {OWNER} LOGIN CREATEROLE".encode())
            database = conninfo_to_dict(url)["dbname"]
            admin.execute(f'ALTER DATABASE "{database}" OWNER TO {OWNER}'.encode())
            monkeypatch.setenv("LEDGER_URL", as_user(OWNER))
            assert production("ledger", "init").code == 0
            run_script(as_user(OWNER))
            run_script(as_user(OWNER))  # again, as after an upgrade
            for role in ROLES:
                admin.execute(f"CREATE ROLE acme_{role} LOGIN IN ROLE {role}".encode())
            yield production, as_user
        finally:
            drop_database(url, postgres_server)
            for user in (*(f"acme_{role}" for role in ROLES), *ROLES, OWNER):
                admin.execute(f"DROP ROLE IF EXISTS {user}".encode())


def refused(connection: psycopg.Connection[Any], sql: str) -> bool:
    """Whether the server refuses a statement for want of a right. It takes effect for nobody."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(sql.encode())
    except psycopg.errors.InsufficientPrivilege:
        return True
    except psycopg.Error:
        return False  # it came as far as a guard or a constraint
    return False


def tables(connection: psycopg.Connection[Any]) -> list[str]:
    rows = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        " AND NOT relispartition AND relname NOT LIKE 'procrastinate%'"
    ).fetchall()
    return [name for (name,) in rows]


def test_each_role_does_its_work_and_nothing_else(
    shared: tuple[Any, As], foreign: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, as_user = shared

    # The planner reads everything, and an apply of it ends before anything is sent.
    monkeypatch.setenv("LEDGER_URL", as_user("acme_notifyctl_planner"))
    for command in (("plan",), ("status",), ("ledger", "show"), ("ledger", "verify"), ("ledger", "export")):
        done = project(*command)
        assert done.code == 0, done.err
    apply = project.apply()
    assert apply.code == ExitCode.ERROR
    assert "this database user cannot" in apply.err or "may not do that with the ledger" in apply.err
    assert foreign.requests == []

    # The worker sends with and without workers, halts and resumes.
    monkeypatch.setenv("LEDGER_URL", as_user("acme_notifyctl_worker"))
    for words in (("halt", "--reason", "wrong price"), ("resume",)):
        done = project(*words)
        assert done.code == 0, done.err
    with crew(project.root, 1):
        assert project.apply("--workers").code == 0
    assert len(foreign.addresses) == 2
    project.write(**{"people.csv": "msisdn\n+447700900001\n+447700900002\n+447700900003\n"})
    assert project.apply().code == 0
    assert len(foreign.addresses) == 3
    assert project("ledger", "verify").code == 0

    # Servers of receipts put them into the inbox.
    monkeypatch.setenv("LEDGER_URL", as_user("acme_notifyctl_receipts"))
    workspace = open_workspace(project.root)
    inbox, _ = open_inbox(postgres_store(workspace, workspace.environment("production")))
    with closing(inbox):
        inbox.put([receipt()])
        inbox.put([receipt()])  # a repeat
        assert not inbox.is_full()
    refused_plan = project("plan")
    assert refused_plan.code == ExitCode.ERROR

    # What the worker takes from there.
    monkeypatch.setenv("LEDGER_URL", as_user("acme_notifyctl_worker"))
    assert project("apply", "--expect", digest(project)).code == 0
    with psycopg.connect(as_user(OWNER)) as owner:
        assert owner.execute("SELECT count(*) FROM receipt_inbox").fetchone() == (0,)
        assert owner.execute("SELECT count(*) FROM receipt").fetchone() == (1,)

    # Beyond it, the server itself refuses.
    for user in ("acme_notifyctl_worker", OWNER):
        serve_one_job(as_user(user))
    for role in ROLES:
        with psycopg.connect(as_user(f"acme_{role}"), autocommit=True) as connection:
            assert refused(connection, "CREATE TABLE public.mine (x int)")
            for table in tables(connection):
                check_rights(connection, role, table)


def serve_one_job(url: str) -> None:
    """Puts a job into the queue and takes it out. Whatever the server warns of is an error."""
    taken: list[int] = []
    queue = ProcrastinateQueue(url)
    with psycopg.connect(url, autocommit=True) as connection:
        warnings: list[str] = []
        connection.add_notice_handler(lambda notice: warnings.append(str(notice.message_primary)))
        queue.defer(connection, [7])
        assert warnings == []
    waking = Waking(poll=0.1, listen=True)
    queue.serve(taken.append, concurrency=1, waking=waking, stopping=lambda: bool(taken))
    assert taken == [7]


def check_rights(connection: psycopg.Connection[Any], role: str, table: str) -> None:
    worker, receipts = role == "notifyctl_worker", role == "notifyctl_receipts"
    assert refused(connection, f"TRUNCATE {table}"), (role, table)
    assert refused(connection, f"ALTER TABLE {table} DISABLE TRIGGER ALL"), (role, table)
    changes = worker and table in MUTABLE
    assert refused(connection, f"DELETE FROM {table}") is not changes, (role, table)
    column = column_of(connection, table)
    assert refused(connection, f"UPDATE {table} SET {column} = {column}") is not changes, (role, table)
    inserts = (worker and table not in OWNED) or (receipts and table == "receipt_inbox")
    assert refused(connection, f"INSERT INTO {table} DEFAULT VALUES") is not inserts, (role, table)
    if receipts and table in FACTS:
        assert refused(connection, f"SELECT {column} FROM {table}") is (
            table not in {"meta", "identity_rules"}
        ), table


def column_of(connection: psycopg.Connection[Any], table: str) -> str:
    row = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND attidentity = '' LIMIT 1",
        (table,),
    ).fetchone()
    assert row is not None
    return str(row[0])


def receipt() -> Received:
    return Received(b"digest", "delivered", datetime.now(UTC))


def digest(project: Any) -> str:
    return str(project("plan", "--format", "json").json["digest"])


def test_only_the_owner_upgrades(shared: tuple[Any, As]) -> None:
    _, as_user = shared
    later = [*known_migrations(), Migration(latest() + 1, "later", 1, "CREATE TABLE later (x int)")]
    with (
        psycopg.connect(as_user("acme_notifyctl_worker"), autocommit=True) as worker,
        pytest.raises(LedgerError, match="cannot change the ledger's schema"),
    ):
        migrate(worker, steps=later)
    with psycopg.connect(as_user(OWNER), autocommit=True) as owner:
        assert len(migrate(owner, steps=later)) == 1
    run_script(as_user(OWNER))
    with psycopg.connect(as_user("acme_notifyctl_worker"), autocommit=True) as worker:
        worker.execute("INSERT INTO later VALUES (1)")
