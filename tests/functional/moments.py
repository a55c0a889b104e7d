"""Looks at a project at moments that a test chooses: plan and apply with a clock of its own, through the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from notifyctl.app.apply import Applied, apply
from notifyctl.app.outputs import Outputs
from notifyctl.app.plan import make_plan
from notifyctl.app.plan_file import read_plan_file, save_plan
from notifyctl.app.providers import inbox_path
from notifyctl.app.workspace import open_workspace
from notifyctl.apply.run import Sent, Stop
from notifyctl.plan.model import Plan
from notifyctl.plan.saved import SavedPlan
from notifyctl.providers.sandbox.inbox import read_entries
from notifyctl.testing.fakes import ManualClock

PROJECT = "apiVersion: notifyctl/v1\nkind: Project\nname: acme\ndefaults: {timezone: %s}\n"
DOCUMENTS = """\
apiVersion: notifyctl/v1
kind: Schedule
name: s
%s
---
apiVersion: notifyctl/v1
kind: Notification
name: hello
schedule: s
template: {channel: sms, content: {type: text, text: Hello}}
audience: {source: {file: people.csv}, columns: {timezone: zone}}
"""


def received(project: Project) -> list[dict[str, Any]]:
    """What the sandbox accepted, in its order: one entry for each message."""
    workspace = open_workspace(project.root, environ={})
    path = inbox_path(workspace)
    return list(read_entries(path)) if path.exists() else []


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


class Project:
    """A folder with one notification to some people and its schedule. `zones`: one person for each."""

    def __init__(self, root: Path, schedule: str, zones: list[str], *, timezone: str = "UTC") -> None:
        self.root = root
        (root / "notifyctl.yaml").write_text(PROJECT % timezone)
        self.schedule(schedule)
        self.people(zones)

    def schedule(self, lines: str) -> None:
        (self.root / "n.yaml").write_text(DOCUMENTS % lines)

    def people(self, zones: list[str]) -> None:
        rows = [f"+4477009{at:05},{zone}" for at, zone in enumerate(zones)]
        (self.root / "people.csv").write_text("\n".join(["msisdn,zone", *rows]) + "\n")

    def plan(self, now: datetime) -> Plan:
        workspace = open_workspace(self.root, clock=ManualClock(now), environ={})
        return make_plan(workspace, workspace.environment(None))

    def save(self, now: datetime) -> SavedPlan:
        """A plan made at this moment, in a file."""
        workspace = open_workspace(self.root, clock=ManualClock(now), environ={})
        environment = workspace.environment(None)
        out = self.root / "p.plan"
        save_plan(workspace, environment, make_plan(workspace, environment), out, Outputs())
        return read_plan_file(out)

    def apply(
        self,
        now: datetime,
        *,
        expect: str | None = None,
        saved: SavedPlan | None = None,
        accepted_only: bool = False,
        stop: Stop | None = None,
        on_sent: Callable[[], object] = bool,
    ) -> Applied:
        """`on_sent` is called when a request was sent."""

        def report(event: object) -> None:
            if isinstance(event, Sent):
                on_sent()

        workspace = open_workspace(self.root, clock=ManualClock(now), environ={})
        return apply(
            workspace,
            workspace.environment(None),
            expect=expect,
            saved=saved,
            accepted_only=accepted_only,
            on_plan=lambda plan: None,
            on_event=report,
            stop=stop or Stop(),
        )

    def sent(self, now: datetime) -> int:
        """How many people an apply at this moment sends to."""
        report = self.apply(now).report
        return report.accepted if report is not None else 0
