"""`apply --workers` and `worker`: what was planned is sent by others, each message once, and the ledger says what became of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg
import pytest

from notifyctl.app.apply import apply
from notifyctl.app.ledger import ledger_store
from notifyctl.app.monitoring.measurements import measure
from notifyctl.app.monitoring.service_pages import make_metrics
from notifyctl.app.monitoring.watch import watch
from notifyctl.app.runner.events import EventKind, Health
from notifyctl.app.workers.worker import WorkerSettings
from notifyctl.app.workspace import open_workspace
from notifyctl.apply.job import Stop
from notifyctl.errors import HaltedError, InterruptedRunError
from notifyctl.exit_codes import ExitCode
from notifyctl.ledger.postgresql.store import PostgresStore
from notifyctl.model.events import UNSUBSCRIBE_CODE
from notifyctl.model.ledger import BatchState
from notifyctl.model.project import Environment
from notifyctl.model.recipients import MEMBER_BYTES
from tests.contract_ledgers import migrate
from tests.functional.crew import QUICK, Hand, crew
from tests.postgres import copied_database, drop_database

PEOPLE, BATCH = 60, 5
HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: Hello $(name)}, variables: {name: {}}}
audience: {source: {file: people.csv}}
"""
REFUSED = b'{"code": 7000, "message": "no"}'


def number(person: int) -> str:
    return f"+447700900{person:03}"


def everyone() -> list[str]:
    return [number(person) for person in range(PEOPLE)]


@pytest.fixture
def shared(production: Any, postgres_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A project with a ledger in PostgreSQL, and twelve batches to send."""
    url = copied_database(postgres_server, "migrated", migrate)
    monkeypatch.setenv("LEDGER_URL", url)
    settings = (production.root / "notifyctl.yaml").read_text(encoding="utf-8")
    settings = settings.replace("concurrency: 4", f"concurrency: 4, destinationsPerRequest: {BATCH}")
    rows = "".join(f"{number(person)},person {person}\n" for person in range(PEOPLE))
    production.write(
        notifyctl=settings + "    ledger: {urlEnv: LEDGER_URL}\n",
        hello=HELLO,
        **{"people.csv": f"msisdn,name\n{rows}"},
    )
    assert production("ledger", "init").code == 0
    yield production
    drop_database(url, postgres_server)


@pytest.fixture
def jobs(shared: Any) -> Iterator[psycopg.Connection[Any]]:
    """The database of the ledger and the queue."""
    with psycopg.connect(os.environ["LEDGER_URL"], autocommit=True) as connection:
        yield connection


def digest(shared: Any) -> str:
    found: str = shared.plan()["digest"]
    return found


def send(shared: Any, *arguments: str) -> Any:
    return shared.apply("--workers", *arguments)


def outcomes(result: Any) -> dict[str, int]:
    found: dict[str, int] = json.loads(result.out)["outcomes"]
    return found


def test_two_workers_send_each_message_once(shared: Any, foreign: Any, jobs: Any) -> None:
    with crew(shared.root) as hands:
        result = send(shared)
        assert result.code == 0, result.err
        again = send(shared)
    assert sorted(foreign.addresses) == everyone()
    assert len(foreign.requests) == PEOPLE // BATCH
    assert outcomes(result)["accepted"] == PEOPLE
    assert f"Sending to {PEOPLE} recipients in 12 requests." in result.err
    assert again.code == 0
    assert len(foreign.requests) == PEOPLE // BATCH
    assert shared.plan()["summary"]["unchanged"] == PEOPLE
    for hand in hands:
        assert "sending run 1: 60 recipients in 12 batches" in hand.said
        assert "run 1 has ended (finished); this worker:" in hand.said
    workers = jobs.execute("SELECT worker, count(*) FROM attempt GROUP BY worker").fetchall()
    assert sum(count for _, count in workers) == 12
    assert None not in dict(workers)
    assert jobs.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() == (0,)
    assert jobs.execute("SELECT count(*) FROM worker_end WHERE how = 'stopped'").fetchone() == (2,)
    assert shared("ledger", "verify").code == 0


def altered_copy(root: Path) -> Path:
    """The project with another text, as on a machine at another commit."""
    other = root.with_name("other")
    shutil.copytree(root, other)
    (other / "hello.yaml").write_text(HELLO.replace("Hello", "Goodbye"), encoding="utf-8")
    return other


def test_a_worker_that_renders_something_else_sends_nothing_and_says_why(shared: Any, foreign: Any) -> None:
    other = altered_copy(shared.root)
    with crew(other, 1) as [stranger], crew(shared.root, 1):
        assert send(shared).code == 0
        assert "this worker takes no batch of run 1" in stranger.said
        assert stranger.worker.health.checked is not None
    assert sorted(foreign.addresses) == everyone()
    texts = {json.dumps(each.body["content"]) for each in foreign.requests}
    assert not any("Goodbye" in text for text in texts)


def test_what_is_refused_for_good_and_for_now(shared: Any, foreign: Any) -> None:
    foreign.answers = [(400, REFUSED), (429, REFUSED), (500, REFUSED)]
    with crew(shared.root, 1) as [hand]:
        result = send(shared)
    assert result.code == ExitCode.UNCERTAIN
    found = outcomes(result)
    assert (found["accepted"], found["rejected"], found["uncertain"]) == (50, 5, 5)
    assert len(foreign.requests) == 13, "what was too much for the provider came again, once"
    assert hand.said.count("not accepted") == 2, hand.said
    assert Counter(foreign.addresses).most_common(1)[0][1] == 2
    again = shared.plan()
    assert again["summary"]["retry"] == 5
    assert again["summary"]["uncertain"] == 5


def test_wrong_credentials_end_the_campaign_within_the_requests_in_flight(shared: Any, foreign: Any) -> None:
    foreign.answers = [(401, REFUSED)] * 8
    with crew(shared.root):
        result = send(shared)
        assert result.code == ExitCode.ERROR
        assert len(foreign.requests) <= 8
        left = PEOPLE - len(foreign.addresses)
        assert outcomes(result)["not_begun"] == left
        foreign.answers = []
        sent = len(foreign.requests)
        assert send(shared).code == 0
    assert Counter(each for at in foreign.requests[sent:] for each in addresses(at)) == Counter(everyone())


def addresses(request: Any) -> list[str]:
    return [address for entry in request.body["to"] for address in entry["msisdn"]]


def test_halt_stops_within_the_requests_in_flight_and_resume_goes_on(shared: Any, foreign: Any) -> None:
    first = threading.Event()
    foreign.on_request, foreign.delay = first.set, 0.05
    expected = digest(shared)
    results: list[Any] = []
    workspace = open_workspace(shared.root)
    environment = workspace.environment(None)

    def follow() -> None:
        try:
            apply(
                workspace,
                environment,
                expect=expected,
                on_plan=lambda _: None,
                on_event=lambda _: None,
                stop=Stop(),
                by_workers=True,
            )
        except HaltedError as error:
            results.append(error)

    with crew(shared.root) as hands:
        following = threading.Thread(target=follow)
        following.start()
        assert first.wait(20)
        halted = shared("halt", "--reason", "wrong price")
        sent = len(foreign.requests)
        following.join(20)
        assert halted.code == 0, halted.err
        assert sent < PEOPLE // BATCH
        assert "wrong price" in str(results[0])
        assert "batches are done" in str(results[0])
        refused = shared("worker", "--once")
        assert refused.code == ExitCode.HALTED
        assert send(shared).code == ExitCode.HALTED, "it does not take over what is halted"
        assert len(foreign.requests) == sent, "nothing began after it"
        assert shared("resume").code == 0
        wait_for(lambda: all("has ended (finished)" in hand.said for hand in hands))
        assert all(hand.has(EventKind.HALTED) and hand.has(EventKind.RESUMED) for hand in hands)
    assert sorted(foreign.addresses) == everyone()


def wait_for(condition: Any) -> None:
    waiting = threading.Event()
    for _ in range(400):
        if condition():
            return
        waiting.wait(0.05)
    raise AssertionError("it never happened")


def test_jobs_that_are_lost_doubled_and_reordered_change_nothing(
    shared: Any, foreign: Any, jobs: Any
) -> None:
    def upset() -> None:
        jobs_of = "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args) SELECT queue_name, task_name, 7, args"
        jobs.execute("DELETE FROM procrastinate_jobs WHERE status = 'todo' AND id % 3 = 0")
        jobs.execute(f"{jobs_of} FROM procrastinate_jobs WHERE id % 3 = 1 LIMIT 5")

    foreign.on_request = upset
    with crew(shared.root):
        result = send(shared)
    assert result.code == 0, result.out
    assert sorted(foreign.addresses) == everyone()


def test_who_opts_out_meanwhile_is_not_sent_it(shared: Any, foreign: Any) -> None:
    shared.write(**{"stopped.csv": "msisdn\n"})
    settings = (shared.root / "notifyctl.yaml").read_text(encoding="utf-8")
    shared.write(notifyctl=settings.replace("vars:", "suppressions: [stopped.csv]\nvars:"))
    gone = {number(PEOPLE - 1), number(PEOPLE - 2)}
    foreign.delay = 0.05
    foreign.on_request = lambda: (shared.root / "stopped.csv").write_text(
        "msisdn\n" + "".join(f"{each}\n" for each in sorted(gone)), encoding="utf-8"
    )
    one = WorkerSettings(concurrency=1, waking=QUICK.waking, look=QUICK.look)
    with crew(shared.root, 1, one):
        result = send(shared)
    assert result.code == 0, result.out + result.err
    assert sorted(foreign.addresses) == sorted(set(everyone()) - gone)
    found = outcomes(result)
    assert found["not_begun"] == 2
    assert shared("ledger", "verify").code == 0


def test_who_unsubscribes_by_a_receipt_meanwhile_is_not_sent_it(shared: Any, foreign: Any, jobs: Any) -> None:
    gone = number(PEOPLE - 1)
    workspace = open_workspace(shared.root)
    store = ledger_store(workspace, workspace.environment(None))
    assert isinstance(store, PostgresStore)
    with closing(store.reader()) as reader:
        [recipient] = reader.recipient_ids([gone])
    first = threading.Event()

    def unsubscribe() -> None:
        """As soon as one request was made, and before the last."""
        if not first.is_set():
            first.set()
            receipt = "INSERT INTO receipt (digest, at, batch, position, status, code) VALUES (%s, now(), %s, %s, 'unsubscribed', %s)"
            batch, members = jobs.execute(
                "SELECT number, members FROM batch ORDER BY number DESC LIMIT 1"
            ).fetchone()
            jobs.execute(
                receipt, (b"d" * 32, batch, members.index(recipient) // MEMBER_BYTES, UNSUBSCRIBE_CODE)
            )
            for _ in range(2):  # one look that may have begun before, and one after it
                looked = hands[0].worker.health.checked
                wait_for(lambda: hands[0].worker.health.checked != looked)  # noqa: B023 - called at once

    foreign.on_request = unsubscribe
    one = WorkerSettings(concurrency=1, waking=QUICK.waking, look=QUICK.look)
    with crew(shared.root, 1, one) as hands:
        result = send(shared)
    assert result.code == 0, result.out + result.err
    assert sorted(foreign.addresses) == sorted(set(everyone()) - {gone})


def hand_over(shared: Any) -> None:
    """Plan and record a campaign, and stop following it at once."""
    workspace, expected, stop = open_workspace(shared.root), digest(shared), Stop()
    stop.request()
    apply(
        workspace,
        workspace.environment(None),
        expect=expected,
        on_plan=lambda _: None,
        on_event=lambda _: None,
        stop=stop,
        by_workers=True,
    )


def test_who_stops_following_stops_no_worker(shared: Any, foreign: Any) -> None:
    foreign.delay = 0.02
    with pytest.raises(InterruptedRunError, match="workers go on sending run 1") as caught:
        hand_over(shared)
    assert "status --watch" in (caught.value.hint or "")
    assert foreign.requests == [], "no worker was running"
    locked = shared.apply()
    assert locked.code == ExitCode.LEDGER_LOCKED
    assert "run 1 is being sent by workers: 0 of 12 batches are done" in locked.err
    refused = type(shared)(altered_copy(shared.root), shared.capture)("worker", "--once")
    assert refused.code == ExitCode.PLAN_REFUSED
    assert foreign.requests == []
    assert shared("worker", "--once", "--poll", "0.1", "--no-listen-notify").code == 0
    assert sorted(foreign.addresses) == everyone()
    assert shared("worker", "--once").code == 0, "nothing is left"


def test_what_a_worker_logs_and_measures_names_nobody(shared: Any, foreign: Any) -> None:
    """The provider's answer quotes a recipient: the log does not."""
    quoted = json.dumps(
        {"code": 7000, "message": f"{number(7)} and person7@customer.example are not allowed"}
    )
    foreign.answers = [(400, quoted.encode())]
    with pytest.raises(InterruptedRunError):
        hand_over(shared)
    before = [
        look for look, _ in islice(watch(open_workspace(shared.root), environment_of(shared), every=1), 1)
    ]
    assert [(look.active, look.recipients, look.count(BatchState.PLANNED)) for look in before] == [
        (True, PEOPLE, PEOPLE)
    ]
    sent = shared("worker", "--once", "--poll", "0.1", "--no-listen-notify", "--log-format", "json")
    assert (sent.code, sent.out) == (0, "")
    lines = [json.loads(line) for line in sent.err.splitlines()]
    failed = [line for line in lines if line["event"] == "failed"]
    assert [(line["level"], line["run"], line["recipients_in_batch"]) for line in failed] == [
        ("error", 1, BATCH)
    ]
    assert "not allowed" in failed[0]["text"], "the reason is there, the address is not"
    assert {line["event"] for line in lines} == {"started", "campaign", "failed", "stopped"}
    workspace = open_workspace(shared.root)
    page = make_metrics(
        lambda: measure(workspace, environment_of(shared)), lambda: Health("production"), workspace.clock
    )().body.decode()
    assert "notifyctl_campaign_batches_done 12.0" in page
    assert 'notifyctl_run_recipients{state="rejected"} 5.0' in page
    for text in (sent.err, page, shared("status", "--watch").out, shared("doctor", "--offline").out):
        assert not re.search(r"7700900|customer\.example|person \d", text)


def environment_of(shared: Any) -> Environment:
    return open_workspace(shared.root).environment(None)


def test_a_worker_that_is_told_to_stop_finishes_what_is_in_flight(shared: Any, foreign: Any) -> None:
    first = threading.Event()
    foreign.on_request, foreign.delay = first.set, 0.3
    with pytest.raises(InterruptedRunError):
        hand_over(shared)
    hand = Hand(shared.root)
    assert first.wait(20)
    hand.stop.request()
    hand.join()
    assert hand.error is None
    sent = len(foreign.requests)
    assert sent < 12
    with closing(psycopg.connect(os.environ["LEDGER_URL"])) as connection:
        left = "SELECT count(*), count(*) FILTER (WHERE kind = 'accepted') FROM attempt LEFT JOIN outcome USING (batch, attempt)"
        assert connection.execute(left).fetchone() == (sent, sent)
    assert shared("worker", "--once").code == 0
    assert sorted(foreign.addresses) == everyone()


def test_run_hands_over_to_workers_where_one_is_running(shared: Any, foreign: Any, jobs: Any) -> None:
    schedule = 'apiVersion: notifyctl/v1\nkind: Schedule\nname: often\ncron: "0 * * * *"\n---\n'
    shared.write(hello=f"{schedule}{HELLO}schedule: often\n")
    plan = str(shared.root / "hello.plan")
    assert shared("plan", "--out", plan).code == 0
    accepted = shared("accept", plan, "--until", "2090-12-31")
    assert accepted.code == 0, accepted.err
    with crew(shared.root, 1):
        wait_for(lambda: jobs.execute("SELECT count(*) FROM worker").fetchone() == (1,))
        result = shared("run", "--once")
    assert result.code in {ExitCode.DONE, ExitCode.BLOCKED}, result.err  # an earlier hour may have expired
    assert sorted(foreign.addresses) == everyone()
    assert jobs.execute("SELECT DISTINCT worker IS NULL FROM attempt").fetchall() == [(False,)]
    assert f"sent to {PEOPLE} recipients" in result.out


def test_workers_need_a_ledger_in_postgresql(production: Any) -> None:
    production.write(hello=HELLO, **{"people.csv": f"msisdn,name\n{number(1)},Ada\n"})
    for command in (["worker", "--once"], ["apply", "--workers", "--expect", "sha256:0"]):
        result = production(*command)
        assert result.code == ExitCode.ERROR
        assert (
            "workers need a ledger in PostgreSQL; that of environment `production` is in SQLite" in result.err
        )
