"""The contract of every ledger for events after a batch was sent: verdicts, receipts, statements, runs, used plans."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from notifyctl.errors import LedgerError
from notifyctl.ledger import scope_statuses
from notifyctl.model.acceptance import Acceptance, AcceptBy, AcceptRule, Identity, Proof
from notifyctl.model.batch import Accepted, Outcome, Rejected, Unknown
from notifyctl.model.events import (
    Delivery,
    DeliveryStatus,
    Receipt,
    Statement,
    StatementKind,
    Verdict,
    VerdictSource,
    fold_receipts,
    fold_verdicts,
)
from notifyctl.model.ledger import BatchRecord, BatchState
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import FINGERPRINT_BYTES, ID_BYTES, Scope
from notifyctl.model.test_messages import TestMessage
from notifyctl.plan.statuses import recipient_statuses
from notifyctl.ports import LedgerReader, LedgerStore, LedgerWriter
from notifyctl.testing import ManualClock
from tests.contract_ledgers import IMPLEMENTATIONS

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
SMS = Scope("outage", 1, "once", ChannelName.SMS)
MAIL = Scope("invoice", 1, "once", ChannelName.EMAIL)
UNKNOWN = Unknown("read timed out")
NO = BatchState.REJECTED
ACCEPTANCE = Acceptance(
    fingerprint="s1:0a",
    notification="outage",
    edition=2,
    channel=ChannelName.RCS,
    until=AT + timedelta(days=30),
    max_recipients=1_200,
    who=Identity("ada", Proof.SIGNATURE, "SHA256:key", "signed words"),
    rule=AcceptRule(AcceptBy.ANOTHER, above=1_000, proven=True),
    revision="abc1234",
    at=AT.astimezone(timezone(timedelta(hours=2))),
)
YES = BatchState.ACCEPTED


@pytest.fixture(params=list(IMPLEMENTATIONS.values()), ids=list(IMPLEMENTATIONS))
def store(request: pytest.FixtureRequest) -> LedgerStore:
    made: LedgerStore = request.param(request, ManualClock(AT))
    made.create()
    return made


def members(*people: int) -> bytes:
    return b"".join(n.to_bytes(ID_BYTES) + bytes(FINGERPRINT_BYTES) for n in people)


def sent(store: LedgerStore, outcome: Outcome | None, size: int = 3) -> int:
    with store.writer("test") as writer:
        [number] = writer.plan_batches(SMS, [members(*range(1, size + 1))], at=AT)
        writer.arm(number, 1, seal=b"seal", at=AT)
        if outcome is not None:
            writer.settle(number, 1, outcome, at=AT)
    return number


def found(store: LedgerStore, number: int = 1) -> BatchRecord:
    with closing(store.reader()) as reader:
        facts = reader.find(number)
        assert facts is not None
        assert [facts] == list(reader.facts(facts.scope))
        return facts


def receipt(
    position: int | None, status: str = "delivered", *, batch: int | None = 1, digest: str = ""
) -> Receipt:
    return Receipt(f"{digest}{batch}-{position}-{status}".encode(), AT, status, batch, position, code="7500")


def kinds(store: LedgerStore) -> list[str]:
    with closing(store.reader()) as reader:
        known = recipient_statuses(reader.facts(SMS))
    return [known[n.to_bytes(ID_BYTES)].kind for n in range(1, len(known) + 1)]


# Words on single people


def test_a_partly_accepted_request_stands_member_by_member(store: LedgerStore) -> None:
    sent(store, Accepted("m", 201, refused={1: "not a number"}, unheard=frozenset({2})))
    assert found(store).others == {1: NO, 2: BatchState.UNKNOWN}
    assert kinds(store) == ["accepted", "rejected", "uncertain"]
    with closing(store.reader()) as reader:
        recipients = reader.summary().recipients
        [status] = scope_statuses(reader)
    assert (recipients[YES], recipients[NO], recipients[BatchState.UNKNOWN]) == (1, 1, 1)
    assert (status.accepted, status.rejected, status.uncertain) == (1, 1, 1)


def test_a_person_settles_what_is_unknown_and_nothing_else(store: LedgerStore) -> None:
    sent(store, UNKNOWN)
    with store.writer("ada") as writer:
        writer.resolve(1, [Verdict(0, YES, VerdictSource.RESOLVE, "asked them", "ada")], at=AT)
        writer.resolve(1, [Verdict(None, NO, VerdictSource.RESOLVE, "provider says no", "ada")], at=AT)
    assert kinds(store) == ["accepted", "rejected", "rejected"]


@pytest.mark.parametrize("outcome", [Accepted("m", 201), Rejected("bad request", 400)])
def test_what_is_known_is_not_settled_again(store: LedgerStore, outcome: Outcome) -> None:
    sent(store, outcome)
    with store.writer("ada") as writer:
        writer.resolve(
            1, [Verdict(None, NO, VerdictSource.RESOLVE), Verdict(None, YES, VerdictSource.RESOLVE)], at=AT
        )
    assert found(store).others == {}


def test_a_batch_that_is_not_there_cannot_be_settled(store: LedgerStore) -> None:
    with store.writer("ada") as writer, pytest.raises(LedgerError, match="no batch 7"):
        writer.resolve(7, [Verdict(None, NO, VerdictSource.RESOLVE)], at=AT)


words = st.lists(
    st.builds(
        Verdict,
        st.one_of(st.none(), st.integers(0, 3)),
        st.sampled_from([YES, NO]),
        st.sampled_from(VerdictSource),
    ),
    max_size=6,
)


@given(state=st.sampled_from(BatchState), said=words, more=words)
def test_accepted_is_never_taken_back(state: BatchState, said: list[Verdict], more: list[Verdict]) -> None:
    more = [word for word in more if word.source is not VerdictSource.ANSWER]
    before, after = fold_verdicts(state, 4, said), fold_verdicts(state, 4, [*said, *more])
    for position in range(4):
        if before.get(position, state) is YES:
            assert after.get(position, state) is YES


# Receipts


def test_a_receipt_settles_what_is_unknown(store: LedgerStore) -> None:
    sent(store, UNKNOWN)
    with store.inbox() as inbox:
        assert inbox.add([receipt(1)]) == 1
    assert found(store).others == {1: YES}
    assert kinds(store) == ["uncertain", "accepted", "uncertain"]


def test_a_receipt_of_a_failed_delivery_says_that_the_provider_had_it(store: LedgerStore) -> None:
    sent(store, UNKNOWN)
    with store.inbox() as inbox:
        inbox.add([receipt(0, "failed")])
    assert found(store).others == {0: YES}
    with closing(store.reader()) as reader:
        assert reader.deliveries(1) == {0: Delivery(DeliveryStatus.FAILED)}


def test_the_same_receipt_again_changes_nothing(store: LedgerStore) -> None:
    sent(store, UNKNOWN)
    with store.inbox() as inbox:
        assert inbox.add([receipt(1), receipt(1)]) == 1
        assert inbox.add([receipt(1)]) == 0
    with closing(store.reader()) as reader:
        assert reader.summary().receipts == 1


def test_receipts_come_while_a_run_is_at_work_and_before_its_result(store: LedgerStore) -> None:
    with store.writer("test") as writer:
        [number] = writer.plan_batches(SMS, [members(1, 2)], at=AT)
        writer.arm(number, 1, seal=b"seal", at=AT)
        with store.inbox() as inbox:
            inbox.add([receipt(0)])
        writer.settle(number, 1, UNKNOWN, at=AT)
    assert found(store).others == {0: YES}


def test_a_batch_whose_people_have_it_is_not_begun_again(store: LedgerStore) -> None:
    with store.writer("test") as writer:
        [number] = writer.plan_batches(SMS, [members(1, 2)], at=AT)
        writer.arm(number, 1, seal=b"seal", at=AT)
        writer.settle(number, 1, Rejected("too fast", 429), at=AT)
        with store.inbox() as inbox:
            inbox.add([receipt(0)])
        with pytest.raises(LedgerError):
            writer.arm(number, 2, seal=b"seal", at=AT)


def test_a_receipt_for_nobody_here_is_kept_and_settles_nobody(store: LedgerStore) -> None:
    sent(store, UNKNOWN)
    with store.inbox() as inbox:
        assert inbox.add([receipt(None, batch=None)]) == 1
    assert found(store).others == {}


@pytest.mark.parametrize(
    ("said", "folded"),
    [
        (["submitted"], Delivery(DeliveryStatus.SUBMITTED)),
        (["delivered", "submitted"], Delivery(DeliveryStatus.DELIVERED)),
        (["read", "delivered", "submitted"], Delivery(DeliveryStatus.READ)),
        (["failed", "delivered"], Delivery(DeliveryStatus.FAILED)),
        (["clicked"], Delivery(None, clicked=True)),
        (["clicked", "delivered", "clicked"], Delivery(DeliveryStatus.DELIVERED, clicked=True)),
        (["something new"], Delivery()),
    ],
)
def test_receipts_fold_to_the_same_in_any_order(said: list[str], folded: Delivery) -> None:
    for order in permutations(said):
        assert fold_receipts([*order, *order]) == folded


# Finding


def test_a_batch_is_found_by_number_and_by_the_provider_s_id(store: LedgerStore) -> None:
    number = sent(store, Accepted("m-1", 201))
    with closing(store.reader()) as reader:
        assert reader.find(99) is None
        assert reader.seals(number) == [b"seal"]
        assert reader.by_provider_id("m-1") == number
        assert reader.by_provider_id("m-2") is None
        [attempt] = reader.attempts(SMS)
    assert (attempt.batch, attempt.attempt, attempt.kind, attempt.provider_id) == (number, 1, YES, "m-1")


def test_an_attempt_without_an_answer_is_armed(store: LedgerStore) -> None:
    with store.writer("test") as writer:
        [number] = writer.plan_batches(SMS, [members(1)], at=AT)
        writer.arm(number, 1, seal=b"seal", at=AT)
        with closing(store.reader()) as reader:
            assert [each.kind for each in reader.attempts(SMS)] == [BatchState.ARMED]


# Statements, plans and runs


def test_what_is_declared_comes_back_in_order(store: LedgerStore) -> None:
    first = Statement(StatementKind.MOVED, "outage-2", None, "outage", "ada")
    second = Statement(StatementKind.BASELINE, "invoice", 1, "sent by post", "ada")
    with store.writer("test") as writer:
        writer.declare(first, at=AT)
        writer.declare(second, at=AT, served={MAIL: members(4, 5)})
    with closing(store.reader()) as reader:
        assert [(s.kind, s.detail, s.who, s.at) for s in reader.statements()] == [
            (StatementKind.MOVED, "outage", "ada", AT),
            (StatementKind.BASELINE, "sent by post", "ada", AT),
        ]
        assert b"".join(reader.served(MAIL)) == members(4, 5)
        assert list(reader.served(SMS)) == []


def test_the_likeness_of_texts_comes_back_by_scope(store: LedgerStore) -> None:
    with store.writer("test") as writer:
        writer.open_scope(SMS, b"", at=AT, likeness=[0, 2**64 - 1, 7])
        writer.open_scope(MAIL, b"", at=AT)
    with closing(store.reader()) as reader:
        assert reader.likenesses() == {SMS: [0, 2**64 - 1, 7]}


def test_a_plan_is_used_once_and_remembered(store: LedgerStore) -> None:
    with store.writer("test") as writer:
        assert not writer.plan_used("p1")
        writer.use_plan("p1", at=AT)
        writer.use_plan("p1", at=AT)
    with closing(store.reader()) as reader:
        assert reader.plan_used("p1")
        assert not reader.plan_used("p2")


def test_runs_tell_who_came_from_where_and_how_they_ended(store: LedgerStore) -> None:
    with store.writer("ada", revision="abc1234"):
        pass
    with pytest.raises(KeyboardInterrupt), store.writer("bo"):
        raise KeyboardInterrupt
    with closing(store.reader()) as reader:
        runs = [(run.epoch, run.holder, run.revision, run.how) for run in reader.runs()]
    assert runs == [(1, "ada", "abc1234", "finished"), (2, "bo", None, "KeyboardInterrupt")]


def test_an_interrupted_run_and_who_was_behind_it_are_kept(store: LedgerStore) -> None:
    with store.writer("ada", actor="ada@acme.example") as writer:
        writer.note_interrupted()
    with closing(store.reader()) as reader:
        assert [(run.actor, run.how) for run in reader.runs()] == [("ada@acme.example", "interrupted")]


def test_what_a_person_resolved_is_one_decision_for_each_command_and_scope(store: LedgerStore) -> None:
    numbers = [sent(store, UNKNOWN), sent(store, UNKNOWN)]
    words = [Verdict(at, NO, VerdictSource.RESOLVE, "ticket 4711", "ada") for at in (0, 2)]
    with store.writer("test") as writer:
        for number in numbers:
            writer.resolve(number, words, at=AT)
        writer.resolve(numbers[0], [Verdict(1, YES, VerdictSource.RESOLVE, "console", "bo")], at=AT)
    with closing(store.reader()) as reader:
        found = [
            (each.kind, each.recipients, each.batches, each.reason, each.who) for each in reader.resolutions()
        ]
        assert sorted(found) == [(YES, 1, (1,), "console", "bo"), (NO, 4, (1, 2), "ticket 4711", "ada")]
        assert {at: (each.kind, each.who, each.at) for at, each in reader.verdicts(1).items()} == {
            0: (NO, "ada", AT),
            1: (YES, "bo", AT),
            2: (NO, "ada", AT),
        }
        assert reader.summary().batches[BatchState.UNKNOWN] == 1, "one member of batch 2 is left"
        assert reader.summary().batches[YES] == 1


def test_a_test_message_is_in_no_scope_batch_or_count(store: LedgerStore) -> None:
    about = TestMessage(
        "outage", 1, ChannelName.SMS, "fr", members(1)[:ID_BYTES], members(2)[:ID_BYTES], bytes(12)
    )
    with store.writer("test", actor="ada") as writer:
        before = writer.summary().serial
        assert [writer.begin_test(about, at=AT) for _ in range(3)] == [1, 2, 3]
        writer.end_test(3, Accepted("msg", 201), at=AT)
        writer.end_test(1, Rejected("no", 400), at=AT)
        assert writer.summary().serial == before + 5
        assert writer.next_test() == 4
    with closing(store.reader()) as reader:
        assert [(each.kind, each.who) for each in reader.tests()] == [
            (NO, "ada"),
            (BatchState.UNKNOWN, "ada"),
            (YES, "ada"),
        ]
        assert all(each.message == about for each in reader.tests())
        assert not reader.scopes()
        summary = reader.summary()
        assert (summary.tests, sum(summary.recipients.values()), reader.next_batch()) == (3, 0, 1)


def test_acceptances_come_back_in_order_and_each_notice_is_kept_once(store: LedgerStore) -> None:
    first = ACCEPTANCE
    second = replace(first, who=Identity("bo", Proof.CLAIMED), rule=AcceptRule(), revision=None, revoked=True)
    with store.writer("test") as writer:
        before = writer.summary().serial
        assert (list(writer.acceptances()), dict(writer.notices())) == ([], {})
        writer.record_acceptance(first)
        writer.record_acceptance(second)
        assert writer.summary().serial == before + 2
        for key, later in (("expired|a", 0), ("waiting|b", 1), ("expired|a", 2)):
            writer.note(key, at=AT + timedelta(hours=later))
        assert writer.summary().serial == before + 4
    with closing(store.reader()) as reader:
        assert list(reader.acceptances()) == [first, second]
        assert reader.notices() == {"expired|a": AT, "waiting|b": AT + timedelta(hours=1)}
        assert reader.summary().acceptances == 2
        assert not reader.scopes(), "an acceptance starts no edition"


def test_every_fact_raises_the_serial(store: LedgerStore) -> None:
    def serial() -> int:
        with closing(store.reader()) as reader:
            return reader.summary().serial

    sent(store, UNKNOWN)
    before = serial()
    with store.inbox() as inbox:
        inbox.add([receipt(0)])
    assert serial() == before + 2  # the receipt, and the word that it says
    with store.writer("test") as writer:
        writer.declare(Statement(StatementKind.WITHDRAW, "outage", 1, "called off"), at=AT)
    assert serial() == before + 2 + 1 + 2  # the statement, the run and its end


# What a ledger was when a run began to plan


def all_that_a_plan_reads(reader: LedgerReader) -> dict[str, object]:
    scopes = reader.scopes()
    return {
        "scopes": list(scopes),
        "facts": {scope: list(reader.facts(scope)) for scope in scopes},
        "served": {scope: list(reader.served(scope)) for scope in scopes},
        "opening": {scope: (reader.opening(scope), reader.recorded(scope)) for scope in scopes},
        "begins": dict(reader.begins()),
        "likenesses": {scope: list(found) for scope, found in reader.likenesses().items()},
        "statements": list(reader.statements()),
        "acceptances": list(reader.acceptances()),
        "opt-outs": list(reader.opt_outs()),
    }


def record_of_each_kind(writer: LedgerWriter, scope: Scope) -> None:
    statement = Statement(StatementKind.BASELINE, SMS.notification, scope.edition, "by hand", "ada")
    writer.declare(statement, at=AT, served={SMS: members(7), scope: members(8)})
    for number in writer.plan_batches(scope, [members(1, 2, 3), members(4)], at=AT):
        writer.arm(number, 1, seal=b"seal", at=AT)
        writer.settle(number, 1, Rejected("bad request", 400), at=AT)
    writer.open_scope(scope, b"", at=AT, likeness=[scope.edition])
    writer.record_acceptance(ACCEPTANCE)


def test_within_an_extent_a_ledger_reads_as_it_was_then(store: LedgerStore) -> None:
    with store.writer("first") as writer:
        record_of_each_kind(writer, SMS)
    with store.inbox() as inbox:
        inbox.add([receipt(0, digest="a"), Receipt(b"complaint", AT, "failed", 1, 1, code="7521")])
    with store.writer("second") as writer:
        extent = writer.extent()
        before = all_that_a_plan_reads(writer)
        assert all_that_a_plan_reads(writer.within(extent)) == before
        record_of_each_kind(writer, replace(SMS, edition=2))
        # Receipts of the run before, which make a rejected recipient an accepted one.
        with store.inbox() as inbox:
            inbox.add([receipt(2, digest="b"), Receipt(b"another", AT, "failed", 2, 0, code="7521")])
        assert all_that_a_plan_reads(writer.within(extent)) == before
    with store.writer("third") as writer:
        record_of_each_kind(writer, MAIL)
    with closing(store.reader()) as reader:
        assert all_that_a_plan_reads(reader.within(extent)) == before
        now = all_that_a_plan_reads(reader)
    assert [kind for kind in now if now[kind] == before[kind]] == []
