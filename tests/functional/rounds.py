"""Rounds of `run` in this process, by a clock that a test moves: a project with a series, its ledger, and what was reported."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

from notifyctl.app.ledger import facts_of, ledger_store
from notifyctl.app.plan import derive
from notifyctl.app.runner.events import DETAIL, EventKind, RunnerEvent
from notifyctl.app.runner.project_sources import ProjectSource, open_source
from notifyctl.app.runner.runner import Runner
from notifyctl.app.workspace import Workspace, open_workspace
from notifyctl.apply.run import Stop
from notifyctl.model.acceptance import Acceptance, AcceptRule, Identity, Proof
from notifyctl.plan.model import Plan
from notifyctl.plan.statuses import recipient_statuses
from notifyctl.testing.fakes import ManualClock

PROJECT = """\
apiVersion: notifyctl/v1
kind: Project
name: acme
defaultEnvironment: {environment}
"""
SERIES = """\
apiVersion: notifyctl/v1
kind: Schedule
name: {name}
cron: "{cron}"
{more}
---
apiVersion: notifyctl/v1
kind: Notification
name: {name}
schedule: {name}
template: {{channel: sms, content: {{type: text, text: {text}}}}}
audience: {{source: {{file: people.csv}}}}
"""
START = datetime(2027, 3, 1, 8, 50, tzinfo=UTC)
"""A Monday."""


class TestClock(ManualClock):
    """Stops a runner at `until`. `on_sleep` is called with each sleep, before it passes."""

    __test__ = False

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self.until = start
        self.stop: Stop | None = None
        self.sleeps: list[float] = []
        self.on_sleep: Callable[[], object] = bool
        self._shift = timedelta()

    def now(self) -> datetime:
        return super().now() + self._shift

    def set(self, moment: datetime) -> None:
        """As by a person, by NTP, or while the machine was suspended: no time passes."""
        self._shift += moment - self.now()

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.on_sleep()
        super().sleep(seconds)
        if self.now() >= self.until and self.stop is not None:
            self.stop.request()

    def wait(self, happened: Event, seconds: float) -> None:
        if not happened.wait(0.01):
            self.advance(seconds)


class Rounds:
    """One project. `said`: what was reported, oldest first."""

    def __init__(self, root: Path, *, environment: str = "sandbox", now: datetime = START) -> None:
        self.root = root
        self.environment = environment
        self.clock = TestClock(now)
        self.environ: dict[str, str] = {}
        self.said: list[RunnerEvent] = []
        self.source: ProjectSource | None = None
        self.runner: Runner | None = None
        root.mkdir(exist_ok=True)
        self.write("notifyctl.yaml", PROJECT.format(environment=environment))
        self.people(3)

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text, encoding="utf-8")

    def people(self, count: int) -> None:
        self.write("people.csv", "msisdn\n" + "".join(f"+447700900{at:03}\n" for at in range(count)))

    def series(
        self, name: str = "daily", *, cron: str = "0 9 * * *", text: str = "Hello", more: str = ""
    ) -> None:
        self.write(f"{name}.yaml", SERIES.format(name=name, cron=cron, text=text, more=more))

    def workspace(self) -> Workspace:
        return open_workspace(self.root, clock=self.clock, environ=self.environ)

    def plan(self) -> Plan:
        workspace = self.workspace()
        environment = workspace.environment(self.environment)
        with facts_of(workspace, environment) as facts:
            return derive(workspace, environment, facts, accepted_only=True)

    def accept(self, name: str = "daily", *, most: int = 100, days: int = 60) -> None:
        """As `notifyctl accept` records it."""
        series = next(each for each in self.plan().series if each.name == name)
        workspace, now = self.workspace(), self.clock.now()
        store = ledger_store(workspace, workspace.environment(self.environment))
        if not store.exists():
            store.create()
        with store.writer("ada") as writer:
            writer.record_acceptance(
                Acceptance(
                    fingerprint=series.fingerprint,
                    notification=name,
                    edition=1,
                    channel=series.channel,
                    until=now + timedelta(days=days),
                    max_recipients=most,
                    who=Identity("ada", Proof.CLAIMED),
                    rule=AcceptRule(),
                    revision=None,
                    at=now,
                )
            )

    def start(self, *, ref: str | None = None, pull: bool = False, once: bool = False) -> Runner:
        """A new process, as far as the runner can tell: it knows what the ledger knows."""
        self.source = open_source(
            self.root, ref, pull=pull, environment=self.environment, environ=self.environ, clock=self.clock
        )
        self.clock.stop = Stop()
        self.runner = Runner(
            self.source,
            self.environment,
            clock=self.clock,
            report=self.said.append,
            stop=self.clock.stop,
            busy=lambda _: None,
            once=once,
        )
        return self.runner

    def run_until(self, moment: datetime) -> list[tuple[EventKind, str]]:
        """What is reported until then, without details. It starts a runner if there is none."""
        runner = self.runner or self.start()
        before = len(self.said)
        assert self.clock.stop is not None
        self.clock.stop._requested = False
        self.clock.until = moment
        runner.run()
        return [(each.kind, each.text) for each in self.said[before:] if each.kind not in DETAIL]

    def sent(self) -> dict[str, int]:
        """Occurrence → recipients who were accepted, by notification and occurrence."""
        workspace = self.workspace()
        with closing(ledger_store(workspace, workspace.environment(self.environment)).reader()) as reader:
            return {
                f"{scope.notification} {scope.occurrence}": sum(
                    status.kind == "accepted" for status in recipient_statuses(reader.facts(scope)).values()
                )
                for scope in reader.scopes()
            }

    def notices(self) -> list[str]:
        workspace = self.workspace()
        with closing(ledger_store(workspace, workspace.environment(self.environment)).reader()) as reader:
            return list(reader.notices())
