"""`status --watch`: what is sent, in flight and unknown, with rates, until the run ends or somebody presses Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from notifyctl.app.ledger import ledger_store
from notifyctl.app.monitoring.watch import rates, watch
from notifyctl.app.workspace import open_workspace
from notifyctl.model.batch import Accepted, Unknown
from notifyctl.model.events import Verdict, VerdictSource
from notifyctl.model.ledger import BatchState
from notifyctl.model.progress import (
    Backlog,
    CampaignProgress,
    LedgerProgress,
    Look,
    RunProgress,
    Totals,
    WorkerProgress,
    WorkersProgress,
)
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import MEMBER_BYTES, Scope
from notifyctl.testing.fakes import ManualClock
from notifyctl.views.colours import Paint
from notifyctl.views.watch import as_block, as_json, as_line, format_seconds
from tests.functional.test_service_logs import NOW
from tests.functional.test_terminal import in_terminal

SCOPE = Scope("outage", 1, "once", ChannelName.SMS)


def batch(number: int, people: int) -> bytes:
    return b"".join(bytes([number, each]) + bytes(MEMBER_BYTES - 2) for each in range(people))


class Acting(ManualClock):
    """Each time somebody sleeps, the next thing happens."""

    def __init__(self, *acts: Callable[[], object]) -> None:
        super().__init__(NOW)
        self._acts = list(acts)

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self._acts.pop(0)()


def test_it_follows_a_run_until_its_end(production: Any) -> None:
    workspace = open_workspace(production.root)
    environment = workspace.environment(None)
    context = ledger_store(workspace, environment).writer("test")
    writer = context.__enter__()
    first, second, third = writer.plan_batches(SCOPE, [batch(1, 10), batch(2, 20), batch(3, 5)], at=NOW)
    writer.arm(first, 1, seal=b"\1" * 16, at=NOW)

    def answer() -> None:
        writer.settle(first, 1, Accepted("x", 201), at=NOW)
        writer.arm(second, 1, seal=b"\2" * 16, at=NOW)
        writer.settle(second, 1, Unknown("no answer"), at=NOW)

    def resolve() -> None:
        word = Verdict(0, BatchState.ACCEPTED, VerdictSource.RECEIPT, None, None, NOW)
        writer.resolve(second, [word], at=NOW)

    clock = Acting(answer, resolve, lambda: context.__exit__(None, None, None))
    seen = list(watch(replace(workspace, clock=clock), environment, every=2.0))
    assert [look.active for look, _ in seen] == [True, True, True, False]
    assert seen[0][0].run is not None
    assert (seen[0][0].recipients, seen[0][0].run.in_flight) == (35, 1)
    assert seen[1][1].recipients == 5.0, "10 in 2 s"
    assert seen[1][1].requests == 0.5
    assert [look.count(BatchState.UNKNOWN) for look, _ in seen] == [0, 20, 19, 19]
    assert seen[3][0].count(BatchState.PLANNED) == 5
    assert "run 1: 11 of 35 recipients accepted, 0 not accepted, 19 unknown" in as_line(*seen[3])
    assert third
    assert production("status", "--watch").code == 7
    assert "cannot be limited" in production("status", "outage", "--watch", "1").err


def test_ctrl_c_ends_it_with_130(production: Any) -> None:
    workspace = open_workspace(production.root)
    with ledger_store(workspace, workspace.environment(None)).writer("test") as writer:
        writer.plan_batches(SCOPE, [batch(1, 10)], at=NOW)
        command = [sys.executable, "-m", "notifyctl", "status", "--watch", "0.1", "--format", "json"]
        with subprocess.Popen(
            command,
            cwd=production.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        ) as process:
            assert process.stdout is not None
            lines = [json.loads(process.stdout.readline()) for _ in range(2)]
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
        assert [line["active"] for line in lines] == [True, True]
        assert lines[1]["by_state"]["not_begun"] == 10


def test_a_terminal_is_redrawn_and_keeps_the_last_block(production: Any) -> None:
    said = in_terminal(["status", "--watch", "0.1"], production.root, 80)
    assert "Nothing was sent yet." in said


def seen_workers(seconds: float, recipients: int, *workers: WorkerProgress, halted: bool = False) -> Look:
    run = RunProgress(
        epoch=12,
        started=NOW,
        ended=None,
        how=None,
        batches={BatchState.ARMED: 4, BatchState.PLANNED: 700},
        recipients={
            BatchState.ACCEPTED: recipients,
            BatchState.UNKNOWN: 3,
            BatchState.PLANNED: 100_000 - recipients,
        },
        first_batch=1,
        in_flight_since=NOW,
    )
    return Look(
        NOW,
        seconds,
        active=True,
        ledger=LedgerProgress(
            Totals(attempts=300, outcomes={}, accepted=recipients, receipts=0, records=9), run
        ),
        workers=WorkersProgress(
            CampaignProgress(12, NOW, 1000, 100_000, 300, None, None),
            workers,
            Backlog({"todo": 700}, 65.0, 1_200, 3.0, 0.0, halted),
        ),
    )


def worker(number: int, recipients: int) -> WorkerProgress:
    return WorkerProgress(number, f"host-{number}", NOW, 30, 2, recipients, NOW)


def test_workers_are_shown_with_their_own_rates() -> None:
    before = seen_workers(0.0, 20_000, worker(1, 10_000), worker(2, 10_000))
    now = seen_workers(10.0, 30_000, worker(1, 16_000), worker(2, 14_000), worker(3, 500))
    found = rates(before, now)
    assert found.recipients == 1_000
    assert found.workers == {1: 600.0, 2: 400.0}
    block = "\n".join(as_block(now, found, Paint(on=False)))
    assert "about 1 min left" in block
    assert "jobs waiting             700  oldest 1 min" in block
    assert "worker 1               600/s  16,000 recipients, 2 requests in flight  host-1" in block
    assert "3 workers, 1,200 receipts waiting, oldest 3 s" in as_line(now, found)
    document = json.loads(as_json(now, found))
    assert document["recipients"] == 100_000
    assert document["campaign"] == {"run": 12, "batches": 1000, "done": 300, "how": None}
    assert [each["recipients_per_second"] for each in document["workers"]] == [600.0, 400.0, 0.0]
    assert "No worker is running" in "\n".join(as_block(seen_workers(0.0, 1), found, Paint(on=False)))
    halted = seen_workers(0.0, 1, halted=True)
    assert "notifyctl resume" in "\n".join(as_block(halted, found, Paint(on=False)))
    assert [format_seconds(each) for each in (59, 61, 7_500)] == ["59 s", "1 min", "2 h 5 min"]
