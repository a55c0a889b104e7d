"""Why an apply did not reach somebody is what the ledger's strongest record of each occurrence says."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from notifyctl.app.failures import failure_reasons
from notifyctl.app.ledger import facts_from
from notifyctl.app.plan import Past
from notifyctl.app.workspace import open_workspace
from notifyctl.ledger.sqlite.store import SqliteStore
from notifyctl.model.batch import Accepted, Outcome, Rejected, Unknown
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import Scope
from notifyctl.testing import ManualClock

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: Hello}}
audience: {recipients: [{msisdn: "+447700900123"}]}
"""


@pytest.mark.parametrize(
    ("outcomes", "reason"),
    [
        ([("once", Unknown("no answer")), ("once", Rejected("refused"))], "outcome unknown: no answer"),
        ([("once", Rejected("refused")), ("once", Accepted("m1", 202))], None),
        ([("1", Rejected("refused")), ("2", Accepted("m1", 202))], "not accepted: refused"),
        ([("1", Accepted("m1", 202)), ("2", Unknown("no answer"))], "outcome unknown: no answer"),
        ([("1", Unknown("no answer")), ("2", Rejected("refused"))], "outcome unknown: no answer"),
        ([("1", Rejected("refused")), ("2", Unknown("no answer"))], "outcome unknown: no answer"),
    ],
)
def test_the_strongest_record_of_each_occurrence_decides(
    tmp_path: Path, outcomes: list[tuple[str, Outcome]], reason: str | None
) -> None:
    (tmp_path / "notifyctl.yaml").write_text("apiVersion: notifyctl/v1\nkind: Project\nname: acme\n")
    (tmp_path / "hello.yaml").write_text(HELLO)
    project = open_workspace(tmp_path).sound
    store = SqliteStore(tmp_path / "production.db", clock=ManualClock(AT))
    store.create()
    with store.writer("a test") as writer:
        [recipient] = writer.recipient_ids(["+447700900123"])
        for occurrence, outcome in outcomes:
            scope = Scope("hello", 1, occurrence, ChannelName.SMS)
            [number] = writer.plan_batches(scope, [recipient + bytes(12)], at=AT)
            writer.arm(number, 1, seal=bytes(16), at=AT)
            writer.settle(number, 1, outcome, at=AT)
    with closing(store.reader()) as reader:
        past = Past(project, facts_from(reader))
        reasons = failure_reasons(past, reader, project.notifications["hello"])
    assert reasons.get(recipient) == reason
