"""A ledger in PostgreSQL as operators see it: doctor, /metrics, status --watch and the plan's line about late records, on one database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from notifyctl.app.ledger import ledger_store
from notifyctl.app.monitoring.doctor import examine
from notifyctl.app.monitoring.measurements import measure
from notifyctl.app.monitoring.metrics import metrics_page
from notifyctl.app.monitoring.watch import watch
from notifyctl.app.plan import make_plan
from notifyctl.app.runner.events import Health
from notifyctl.app.workspace import open_workspace
from notifyctl.clock import SystemClock
from notifyctl.ledger.postgresql.locks import try_worker
from notifyctl.model.events import Receipt
from notifyctl.testing.fakes import ManualClock
from tests.contract_ledgers import migrate
from tests.functional.test_service_logs import get, service
from tests.pgbouncer import pgbouncer
from tests.postgres import copied_database, drop_database

NOTIFICATION = """\
apiVersion: notifyctl/v1
kind: Notification
name: outage
template: {channel: sms, content: {type: text, text: Power is back}}
audience: {recipients: [{msisdn: "+447700900001"}, {msisdn: "+447700900002"}]}
"""


@pytest.fixture
def url(postgres_server: str) -> Iterator[str]:
    made = copied_database(postgres_server, "migrated", migrate)
    yield made
    drop_database(made, postgres_server)


@pytest.fixture
def database(url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def project(production: Any, url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Its ledger is in PostgreSQL; two recipients were sent to."""
    text = (production.root / "notifyctl.yaml").read_text(encoding="utf-8")
    production.write(notifyctl=text + "    ledger: {urlEnv: LEDGER_URL}\n", outage=NOTIFICATION)
    monkeypatch.setenv("LEDGER_URL", url)
    return production


def by_name(document: Any) -> dict[str, Any]:
    return {check["name"]: check for check in document["checks"]}


def values(page: str) -> dict[str, float]:
    return {
        sample.name + "".join(f" {value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def test_what_doctor_metrics_and_watch_say(project: Any, database: psycopg.Connection[Any]) -> None:
    missing = project("doctor", "--format", "json")
    assert missing.code == 1
    assert "ledger init" in by_name(missing.json)["ledger"]["hint"]
    assert project("status", "--watch").code == 1
    assert project("ledger", "init").code == 0
    assert "nothing was sent yet" in project("status", "--watch").out
    assert project.apply().code == 0
    database.execute("ANALYZE")

    found = project("doctor", "--format", "json")
    assert found.code == 0, found.out
    checks = by_name(found.json)
    assert checks["database clock"]["status"] == "ok"
    assert checks["permissions"]["status"] == "ok"
    assert checks["autovacuum"]["status"] == "ok", "the schema sets it for the tables of the queue"
    assert "procrastinate_jobs 0.01" in checks["autovacuum"]["text"]
    assert "schema" in checks["ledger"]["text"]
    assert {
        "durability",
        "long transactions",
        "dead rows",
        "autovacuum",
        "timeouts",
        "replication",
        "connections",
    } <= {*checks}
    assert "pool" not in checks

    workspace = open_workspace(project.root)
    environment = workspace.environment(None)
    page = metrics_page(
        lambda: measure(workspace, environment), lambda: Health("production"), SystemClock()
    )().body.decode()
    numbers = values(page)
    assert numbers["notifyctl_recipients_accepted_total"] == 2
    assert numbers["notifyctl_run_recipients accepted"] == 2
    assert numbers["notifyctl_halted"] == 0
    assert numbers["notifyctl_workers"] == 0
    assert numbers["notifyctl_postgresql_connections_limit"] > 1
    assert abs(numbers["notifyctl_postgresql_clock_ahead_seconds"]) < 30
    assert "notifyctl_postgresql_dead_rows pace" in numbers
    assert "447700900001" not in page
    families = list(text_string_to_metric_families(page))
    labels = {label for family in families for sample in family.samples for label in sample.labels}
    assert labels == {"version", "outcome", "state", "status", "table"}, (
        "closed sets: no process, no person, no notification"
    )
    ours = [family for family in families if not family.name.startswith("process_")]
    assert all(family.name.startswith("notifyctl_") and family.documentation for family in ours)

    line = project("status", "--watch", "0.1").out
    assert "2 of 2 recipients accepted, 0 not accepted, 0 unknown, 0 requests in flight" in line
    assert line.rstrip().endswith("finished")
    assert project("status", "--watch", "0.1", "--format", "json").json["by_state"]["accepted"] == 2


def test_what_is_wrong_with_the_server_is_named(
    project: Any, database: psycopg.Connection[Any], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert project("ledger", "init").code == 0
    workspace = open_workspace(project.root)
    environment = workspace.environment(None)
    with psycopg.connect(url, application_name="reporting") as foreign:
        foreign.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        foreign.execute("SELECT 1")
        database.execute("SELECT pg_current_xact_id()")
        held = values(
            metrics_page(
                lambda: measure(workspace, environment), lambda: Health(""), SystemClock()
            )().body.decode()
        )
        assert held["notifyctl_postgresql_oldest_xmin_age_transactions"] >= 1
        assert (
            "application reporting"
            in by_name(project("doctor", "--format", "json").json)["long transactions"]["text"]
        )
    hour_ahead = ManualClock(datetime.now(UTC) + timedelta(hours=1))
    late = {
        check.name: check
        for check in examine(open_workspace(project.root, clock=hour_ahead), None, offline=True).checks
    }
    assert late["database clock"].status.value == "error"
    database.execute(
        b"CREATE ROLE reading IN ROLE pg_monitor; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reading"
    )
    database.execute(b"CREATE ROLE receiving; GRANT SELECT ON meta, migration, identity_rules TO receiving")
    database.execute(b"GRANT INSERT ON receipt_inbox TO receiving")
    for role, words in (("reading", "only read"), ("receiving", "only add receipts")):
        monkeypatch.setenv("LEDGER_URL", f"{url}&options=-c%20role%3D{role}")
        seen = project("doctor", "--offline", "--format", "json")
        assert seen.code == 0, seen.out
        assert words in by_name(seen.json)["permissions"]["text"]
    database.execute(b"DROP OWNED BY reading, receiving; DROP ROLE reading, receiving")
    with pgbouncer(url, "transaction") as pooled:
        monkeypatch.setenv("LEDGER_URL", pooled)
        shared = by_name(project("doctor", "--offline", "--format", "json").json)["pool"]
        assert shared["status"] == "error"
        assert "session" in shared["hint"]
    monkeypatch.setenv(
        "LEDGER_URL", url + "_not_there" if "?" not in url else url.replace("?", "_not_there?", 1)
    )
    gone = project("doctor", "--format", "json")
    assert gone.code == 1
    assert by_name(gone.json)["ledger"]["status"] == "error"


CAMPAIGN = """
INSERT INTO worker (name, started_at, version) VALUES ('host-1', now(), '1'), ('host-2', now(), '1');
INSERT INTO campaign VALUES (1, 'sha256:x', 'acme/production', NULL, now(), '{}', 1, 1, 2, '\\x00', now());
INSERT INTO batch_again VALUES (2, 1, NULL, 1);
INSERT INTO batch (scope, number, epoch, at, members) SELECT scope, 2, 1, now(), members FROM batch WHERE number = 1;
INSERT INTO attempt (batch, attempt, epoch, at, seal, worker) VALUES (2, 1, 1, now(), '\\x00', 1);
INSERT INTO receipt_inbox (digest, recipients, status, inbound, at)
    VALUES ('\\x01', '{}', 'delivered', false, now() - interval '1 minute');
INSERT INTO halt (halted, who, at) VALUES (true, 'test', now());
"""


def test_workers_and_what_waits_for_them_are_seen(
    project: Any, database: psycopg.Connection[Any], url: str
) -> None:
    assert project("ledger", "init").code == 0
    assert project.apply().code == 0
    database.execute(CAMPAIGN.encode())
    workspace = open_workspace(project.root)
    environment = workspace.environment(None)
    with psycopg.connect(url, autocommit=True) as session:
        assert try_worker(session, 1), "it lives as long as its session"
        found = measure(workspace, environment)
    assert found is not None
    assert found.workers is not None
    assert found.workers.campaign is not None
    assert (found.workers.campaign.batches, found.workers.campaign.done) == (2, 1)
    [alive] = found.workers.workers
    assert (alive.name, alive.requests, alive.in_flight, alive.recipients) == ("host-1", 1, 1, 0)
    assert found.workers.backlog.receipts == 1
    assert 59 <= found.workers.backlog.receipt_seconds < 600
    assert found.workers.backlog.halted
    checks = by_name(project("doctor", "--format", "json").json)
    assert checks["workers"]["status"] == "warning", "its session has ended"
    assert "0 workers running; run 1: 1 of 2 batches done" in checks["workers"]["text"]
    halt = checks["halt"]
    assert (halt["status"], halt["hint"].endswith(" resume")) == ("warning", True)
    look = next(iter(watch(workspace, environment, every=1.0)))[0]
    assert look.active, "the campaign is open"
    database.execute(
        "INSERT INTO outcome (batch, attempt, kind, epoch, at) VALUES (2, 1, 'accepted', 1, now())"
    )
    database.execute("INSERT INTO campaign_end VALUES (1, now(), 'finished')")
    ended = measure(workspace, environment)
    assert ended is not None
    assert ended.workers is not None
    assert ended.workers.campaign is not None
    assert (ended.workers.campaign.done, ended.workers.campaign.how) == (2, "finished")
    assert ended.workers.workers == ()


def test_a_worker_serves_health_and_metrics_and_logs_json(project: Any) -> None:
    assert project("ledger", "init").code == 0
    arguments = ("worker", "--listen", "127.0.0.1:0", "--log-format", "json", "--no-listen-notify")
    with service(project.root, *arguments) as (process, lines):
        url = lines[-1]["url"]
        status, page = get(url.replace("/healthz", "/metrics"))
        assert status == 200
        assert get(url)[0] == 200
    assert process.wait(30) == 0
    assert lines[-1]["event"] == "stopped"
    assert lines[-1]["worker"] == 1
    numbers = values(page)
    assert numbers["notifyctl_ledger_up"] == 1
    assert numbers["notifyctl_halted"] == 0
    assert numbers["notifyctl_workers"] in {0, 1}, "it may not have connected yet"


def test_a_plan_says_that_records_came_meanwhile(project: Any) -> None:
    assert project("ledger", "init").code == 0
    workspace = open_workspace(project.root)
    environment = workspace.environment(None)
    with ledger_store(workspace, environment).inbox() as inbox:
        added: list[object] = []

        def progress(step: object) -> None:
            if not added:
                assert (
                    inbox.add([Receipt(digest=b"\1" * 32, at=workspace.clock.now(), status="delivered")]) == 1
                )
                added.append(step)

        plan = make_plan(replace(workspace, show_progress=progress), environment)
        assert added
        assert plan.records_added == 1
        assert make_plan(workspace, environment).records_added == 0
    assert project("plan", "--format", "json").json["records_added"] == 0
    assert json.loads(json.dumps(plan.digest)) == make_plan(workspace, environment).digest
