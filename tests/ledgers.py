"""A ledger with a record of every kind, for tests of what is done with a ledger as a whole."""

from __future__ import annotations

from datetime import UTC, datetime

from notifyctl.model.acceptance import Acceptance, AcceptRule, Identity, Proof
from notifyctl.model.batch import Accepted
from notifyctl.model.events import Receipt, Statement, StatementKind
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import Scope
from notifyctl.model.test_messages import TestMessage
from notifyctl.ports import LedgerStore

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
SCOPE = Scope("outage", 1, "once", ChannelName.SMS)
PHONE = "+447700900123"


def fill(store: LedgerStore) -> None:
    """At least one row in every table."""
    with store.writer("ada@laptop", revision="abc1234", actor="ada") as writer:
        [recipient] = writer.recipient_ids([PHONE])
        [number] = writer.plan_batches(SCOPE, [recipient + bytes(12)], at=AT)
        writer.open_scope(SCOPE, b"", at=AT, likeness=[1])
        writer.arm(number, 1, seal=b"seal", at=AT)
        writer.settle(number, 1, Accepted("msg-1", 202, refused={0: "no such number"}), at=AT)
        writer.declare(
            Statement(StatementKind.BASELINE, "outage", 1, "served by post"),
            at=AT,
            served={SCOPE: recipient + bytes(12)},
        )
        writer.use_plan("p1", at=AT)
        writer.use_account(b"account", at=AT)
        test = TestMessage("outage", 1, ChannelName.SMS, None, recipient, recipient, bytes(12))
        writer.end_test(writer.begin_test(test, at=AT), Accepted("msg-2", 202), at=AT)
        writer.record_acceptance(
            Acceptance(
                fingerprint="s1:a",
                notification="outage",
                edition=1,
                channel=ChannelName.SMS,
                until=AT,
                max_recipients=1,
                who=Identity("ada", Proof.CLAIMED),
                rule=AcceptRule(),
                revision=None,
                at=AT,
            )
        )
        writer.note("expired|outage", at=AT)
    with store.inbox() as inbox:
        inbox.add([Receipt(b"digest", AT, "delivered", number, 0)])
