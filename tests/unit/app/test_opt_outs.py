"""The watcher of opt-outs: entries that begin to count while an apply is under way."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from notifyctl.app.ledger import no_facts
from notifyctl.app.opt_outs import OptOutWatcher
from notifyctl.app.workspace import open_workspace
from notifyctl.audience.suppressions import applicable_lists
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import Scope
from notifyctl.testing.fakes import ManualClock

PROJECT = "apiVersion: notifyctl/v1\nkind: Project\nname: acme\nsuppressions: [stop.csv]\n"
NOTIFICATION = """\
apiVersion: notifyctl/v1
kind: Notification
name: offer
template: {channel: sms, content: {type: text, text: Hello}}
audience: {recipients: [{msisdn: "+447700900001"}]}
"""
NUMBERS = ["+447700900000", "+447700900001"]


def test_an_entry_that_begins_to_count_during_an_apply_counts_from_then_on(tmp_path: Path) -> None:
    (tmp_path / "notifyctl.yaml").write_text(PROJECT)
    (tmp_path / "offer.yaml").write_text(NOTIFICATION)
    (tmp_path / "stop.csv").write_text(f"msisdn,since\n{NUMBERS[1]},2030-01-01T09:00:00Z\n")
    clock = ManualClock(datetime(2030, 1, 1, 8, 59, tzinfo=UTC))
    workspace = open_workspace(tmp_path, clock=clock)
    environment = workspace.environment(None)
    scope = Scope("offer", 1, "once", ChannelName.SMS)
    watcher = OptOutWatcher(workspace, environment, no_facts(workspace, environment, offline=False))
    assert list(watcher.lists.problems(applicable_lists(workspace.sound, environment))) == []
    assert list(watcher(scope, NUMBERS).recipients) == []
    clock.advance(60)
    assert list(watcher(scope, NUMBERS).recipients) == [1]
