"""`halt` and `resume` on the command line."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from time import sleep
from typing import Any

import psycopg
import pytest

from notifyctl.app.apply import apply
from notifyctl.app.ledger import ledger_store
from notifyctl.app.runner.events import EventKind
from notifyctl.app.workspace import open_workspace
from notifyctl.apply.job import Stop
from notifyctl.errors import InterruptedRunError
from notifyctl.exit_codes import ExitCode
from notifyctl.model.halting import Halt, Halted, InFlight, WhereStopped
from notifyctl.views import halting as view
from tests.functional.crew import crew
from tests.postgres import drop_database, fresh_database

AT = datetime(2026, 11, 29, 20, 0, tzinfo=UTC)

HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: Hello}}
audience: {source: {file: people.csv}}
"""


# A ledger in SQLite has no workers


def test_halt_on_sqlite_says_how_to_stop_that_run(production: Any) -> None:
    idle = production("halt", "--reason", "wrong price")
    assert idle.code == ExitCode.ERROR
    assert "its ledger is in SQLite; no run is active" in idle.err
    workspace = open_workspace(production.root)
    with ledger_store(workspace, workspace.environment("production")).writer("ann@web1 pid 7"):
        busy = production("halt")
    assert busy.code == ExitCode.ERROR
    assert "locked by ann@web1 pid 7" in busy.err
    assert "Ctrl-C" in busy.err
    assert "SIGTERM" in busy.err
    resumed = production("resume")
    assert resumed.code == ExitCode.ERROR
    assert "to continue an interrupted run, run: notifyctl" in resumed.err


# A ledger in PostgreSQL


@pytest.fixture
def shared(production: Any, postgres_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The project with a ledger in PostgreSQL, and three recipients."""
    url = fresh_database(postgres_server)
    monkeypatch.setenv("LEDGER_URL", url)
    settings = (production.root / "notifyctl.yaml").read_text(encoding="utf-8")
    production.write(
        notifyctl=settings + "    ledger: {urlEnv: LEDGER_URL}\n",
        hello=HELLO,
        **{"people.csv": "msisdn\n+447700900001\n+447700900002\n+447700900003\n"},
    )
    made = production("ledger", "init")
    assert made.code == 0, made.err
    yield production
    drop_database(url, postgres_server)


def test_nothing_is_sent_between_halt_and_resume(shared: Any, foreign: Any) -> None:
    assert shared("resume").out == "Sending is not halted. Nothing was changed.\n"
    halted = shared("halt", "--reason", "wrong price")
    assert halted.code == 0
    assert "wrong price. No further request starts.\nNo run is active.\n" in halted.out
    for command in ("status", "history"):
        assert "Warning: sending was halted by " in shared(command).err
    refused = shared.apply()
    assert refused.code == ExitCode.HALTED
    assert "wrong price" in refused.err
    assert "notifyctl" in refused.err
    assert "resume" in refused.err
    assert foreign.requests == []
    assert shared("halt", "--format", "json").json["halted"]["reason"] == "wrong price"
    resumed = shared("resume", "--format", "json")
    assert (resumed.code, resumed.json["resumed"]["reason"]) == (0, "wrong price")
    assert "Warning" not in shared("status").err
    assert shared.apply().code == 0
    assert len(foreign.addresses) == 3


def test_halt_during_a_run_of_three_workers(shared: Any, foreign: Any) -> None:
    """In 60 requests, of which each worker sends one at a time."""
    settings = (shared.root / "notifyctl.yaml").read_text(encoding="utf-8")
    numbers = [f"+4477009001{at:02}" for at in range(60)]
    shared.write(
        notifyctl=settings.replace("concurrency: 4", "concurrency: 1, destinationsPerRequest: 1"),
        **{"people.csv": "\n".join(["msisdn", *numbers]) + "\n"},
    )
    foreign.delay = 0.2
    with (
        closing(psycopg.connect(os.environ["LEDGER_URL"], autocommit=True)) as ledger,
        crew(shared.root, 3) as workers,
    ):
        hand_over(shared)
        begun = "SELECT count(DISTINCT worker), count(*) FROM attempt"
        wait_for(lambda: ledger.execute(begun).fetchone()[0] == 3)  # type: ignore[index]
        halted = shared("halt", "--reason", "wrong price")
        assert halted.code == 0, halted.out + halted.err
        _, armed = ledger.execute(begun).fetchone() or (0, 0)
        assert armed == len(foreign.requests) < 60
        assert halted.out.count(": stopped after batch ") == 3
        assert f"Not attempted: {60 - armed} of 60 batches of run 1." in halted.out
        wait_for(lambda: all(each.has(EventKind.HALTED) for each in workers))
        assert len(foreign.requests) == armed, "nothing began after it"
        foreign.delay = 0
        assert shared("resume").code == 0
        wait_for(lambda: all("has ended (finished)" in each.said for each in workers))
    assert sorted(foreign.addresses) == numbers


def hand_over(shared: Any) -> None:
    """`apply --workers`, which is not followed."""
    workspace, expected, stop = open_workspace(shared.root), shared.plan()["digest"], Stop()
    stop.request()
    with pytest.raises(InterruptedRunError):
        apply(
            workspace,
            workspace.environment(None),
            expect=expected,
            on_plan=lambda _: None,
            on_event=lambda _: None,
            stop=stop,
            by_workers=True,
        )


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(600):
        if condition():
            return
        sleep(0.05)
    raise AssertionError("it never happened")


# What is shown

FLIGHT = InFlight(7, 1, 3, AT, 200)
HALTED = Halted(
    Halt("ann@example.com", AT, "wrong price"),
    12,
    1_000,
    700,
    (
        WhereStopped(1, "web1 pid 7", True, 150, 298),
        WhereStopped(2, "web2 pid 8", True, 149, 300, (InFlight(300, 1, 2, AT, 200),)),
        WhereStopped(3, "web3 pid 9", False, 1, 7, (FLIGHT,)),
        WhereStopped(4, "web4 pid 9", True, 0, None),
    ),
)


def test_the_text_says_where_each_worker_stopped_and_what_is_not_known() -> None:
    assert view.as_text(HALTED, "UTC").splitlines() == [
        "Halted by ann@example.com at 2026-11-29 20:00 UTC: wrong price. No further request starts.",
        "  worker 1 (web1 pid 7): stopped after batch 298, 150 requests in all",
        "  worker 2 (web2 pid 8): 1 request still in flight (batch 300); last: batch 300, 149 requests in all",
        "  worker 3 (web3 pid 9): is not running; 1 request without a recorded outcome (batch 7); last: batch 7, 1 request in all",
        "  worker 4 (web4 pid 9): attempted no batch",
        "Not attempted: 700 of 1,000 batches of run 12.",
        "400 recipients: outcome not recorded yet. They are not sent the message again until it is known; to see them, run: notifyctl status",
        "To continue, run: notifyctl resume",
    ]


def test_the_json_has_the_same() -> None:
    shown = json.loads(view.as_json(HALTED))
    assert shown["halted"] == {
        "who": "ann@example.com",
        "at": "2026-11-29T20:00:00+00:00",
        "reason": "wrong price",
    }
    assert (shown["run"], shown["batches"], shown["not_attempted"]) == (12, 1_000, 700)
    assert [each["running"] for each in shown["workers"]] == [True, True, False, True]
    assert shown["workers"][2]["in_flight"] == [
        {"batch": 7, "attempt": 1, "at": "2026-11-29T20:00:00+00:00", "recipients": 200}
    ]


def test_control_characters_of_a_reason_do_not_reach_the_terminal() -> None:
    shown = view.as_text(Halted(Halt("ann", AT, "now\x1b[2J"), None, 0, 0, ()), "UTC")
    assert "\x1b" not in shown
    assert "No run is active." in shown
    assert "\x1b" not in view.resumed_text(Halt("ann", AT, "now\x1b[2J"), "UTC")


def test_resume_says_what_it_ended() -> None:
    assert view.resumed_text(None, "UTC") == "Sending is not halted. Nothing was changed."
    shown = view.resumed_text(HALTED.halt, "Europe/Paris")
    assert (
        shown
        == "Resumed. It was halted by ann@example.com at 2026-11-29 21:00 Europe/Paris (20:00 UTC): wrong price."
    )
    assert json.loads(view.resumed_json(None)) == {"format_version": "1.0", "resumed": None}
    assert json.loads(view.resumed_json(HALTED.halt))["resumed"]["who"] == "ann@example.com"
