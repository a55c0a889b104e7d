"""Random histories: a ledger accepts and refuses the verbs, and reports the facts, that a small model expects."""

from __future__ import annotations

from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from notifyctl.errors import LedgerError, LedgerLockedError
from notifyctl.model.batch import Accepted, Outcome, Refused, Rejected, Unknown
from notifyctl.model.ledger import BatchState
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import ID_BYTES, MEMBER_BYTES, Scope
from notifyctl.ports import LedgerReader, LedgerStore, LedgerWriter
from notifyctl.testing import ManualClock, TemporaryLedger
from tests.contract_ledgers import migrated_database, postgresql_store
from tests.postgres import drop_database

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
SCOPES = [Scope("outage", 1, "once", ChannelName.SMS), Scope("outage", 2, "once", ChannelName.EMAIL)]
OUTCOMES: list[Outcome] = [
    Accepted("msg-1", 202),
    Rejected("bad request", 400),
    Refused("no", 401),
    Unknown("reset"),
]
INTERRUPTED = Unknown("the run ended before the answer was recorded")

scopes = st.sampled_from(SCOPES)
packed = st.lists(st.binary(min_size=MEMBER_BYTES, max_size=MEMBER_BYTES), min_size=1, max_size=3).map(
    b"".join
)
ids = st.lists(st.binary(min_size=ID_BYTES, max_size=ID_BYTES), max_size=2).map(b"".join)
back = st.sampled_from([1, 1, 2, 3, 0])
"""Which batch, counted back from the next one, which does not exist yet."""


@dataclass
class ExpectedBatch:
    """`attempts` are the outcomes of each attempt, in the order in which they were recorded, with their times."""

    scope: Scope
    members: bytes
    epoch: int
    at: datetime
    attempts: list[tuple[datetime, list[tuple[Outcome, datetime]]]] = field(default_factory=list)

    @property
    def accepted_attempt(self) -> int | None:
        for number, (_, outcomes) in enumerate(self.attempts, 1):
            if any(isinstance(outcome, Accepted) for outcome, _ in outcomes):
                return number
        return None

    @property
    def facts(self) -> tuple[BatchState, datetime, str | None]:
        """State, since when, and why."""
        for _, outcomes in self.attempts:
            for outcome, at in outcomes:
                if isinstance(outcome, Accepted):
                    return BatchState.ACCEPTED, at, None
        if not self.attempts:
            return BatchState.PLANNED, self.at, None
        begun, outcomes = self.attempts[-1]
        if not outcomes:
            return BatchState.ARMED, begun, None
        outcome, at = outcomes[-1]
        assert not isinstance(outcome, Accepted)
        state = BatchState.UNKNOWN if isinstance(outcome, Unknown) else BatchState.REJECTED
        return state, at, outcome.reason


@dataclass
class ExpectedLedger:
    """The rules of a ledger, as small as they can be written. A method returns whether the verb is allowed."""

    epoch: int = 0
    batches: list[ExpectedBatch] = field(default_factory=list)
    openings: dict[Scope, tuple[int, bytes]] = field(default_factory=dict)
    claims: dict[tuple[Scope, bytes], int] | None = None
    """Who is in which request, where the ledger itself sees to that nobody is in two."""

    def begin_epoch(self, at: datetime) -> None:
        self.epoch += 1
        for batch in self.batches:
            for _, outcomes in batch.attempts:
                if not outcomes:
                    outcomes.append((INTERRUPTED, at))

    def plan(self, scope: Scope, batches: list[bytes], at: datetime) -> bool:
        self.batches += [ExpectedBatch(scope, members, self.epoch, at) for members in batches]
        return True

    def open(self, scope: Scope, held: bytes) -> bool:
        if scope in self.openings:
            return False
        self.openings[scope] = (self.epoch, held)
        return True

    def arm(self, number: int, attempt: int, at: datetime) -> bool:
        batch = self.batch(number)
        if batch is None or batch.epoch != self.epoch or attempt != len(batch.attempts) + 1:
            return False
        if batch.facts[0] not in {BatchState.PLANNED, BatchState.REJECTED} or not self.claim(number, batch):
            return False
        batch.attempts.append((at, []))
        return True

    def claim(self, number: int, batch: ExpectedBatch) -> bool:
        if self.claims is None:
            return True
        starts = range(0, len(batch.members), MEMBER_BYTES)
        people = {(batch.scope, batch.members[start : start + ID_BYTES]) for start in starts}
        others = {self.claims.get(person, number) for person in people} - {number}
        if len(people) < len(starts) or not all(self.gives_up(other) for other in others):
            return False
        self.claims |= dict.fromkeys(people, number)
        return True

    def gives_up(self, number: int) -> bool:
        """Whether those in this batch may be in another one."""
        batch = self.batches[number - 1]
        state = batch.facts[0]
        return state is BatchState.REJECTED or (state is BatchState.UNKNOWN and batch.epoch < self.epoch)

    def settle(self, number: int, attempt: int, outcome: Outcome, at: datetime) -> bool:
        batch = self.batch(number)
        if batch is None or not 1 <= attempt <= len(batch.attempts):
            return False
        accepted = batch.accepted_attempt
        if accepted is not None and (accepted == attempt or isinstance(outcome, Accepted)):
            return accepted == attempt and isinstance(outcome, Accepted)
        batch.attempts[attempt - 1][1].append((outcome, at))
        return True

    def batch(self, number: int) -> ExpectedBatch | None:
        return self.batches[number - 1] if 1 <= number <= len(self.batches) else None

    def recorded(self, scope: Scope) -> bytes | None:
        if scope not in self.openings:
            return None
        epoch, held = self.openings[scope]
        members = b"".join(b.members for b in self.batches if (b.scope, b.epoch) == (scope, epoch))
        starts = range(0, len(members), MEMBER_BYTES)
        return held + b"".join(members[start : start + ID_BYTES] for start in starts)

    @property
    def scopes(self) -> list[Scope]:
        return sorted({batch.scope for batch in self.batches} | self.openings.keys())


def compare(reader: LedgerReader, expected: ExpectedLedger) -> None:
    assert reader.scopes() == expected.scopes
    assert reader.next_batch() == len(expected.batches) + 1
    people = dict.fromkeys(BatchState, 0)
    for scope in SCOPES:
        found = [
            (f.number, f.members, f.epoch, f.attempt, (f.state, f.at, f.reason), dict(f.others))
            for f in reader.facts(scope)
        ]
        assert found == [
            (number, batch.members, batch.epoch, len(batch.attempts), batch.facts, {})
            for number, batch in enumerate(expected.batches, 1)
            if batch.scope == scope
        ]
        assert reader.recorded(scope) == expected.recorded(scope)
    for batch in expected.batches:
        people[batch.facts[0]] += len(batch.members) // MEMBER_BYTES
    summary = reader.summary()
    assert dict(summary.recipients) == people
    assert sum(summary.batches.values()) == len(expected.batches)
    assert (summary.scopes, summary.created_at) == (len(expected.scopes), AT)


class LedgerHistories(RuleBasedStateMachine):
    """`make` returns the store under test."""

    is_locked_at_once = True
    """Whether a second writer is turned away without waiting for a moment; one that waits is tried in test_ledger.py."""

    def make(self) -> LedgerStore:
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock(AT)
        self.store = self.make()
        self.expected = ExpectedLedger()
        self.held: AbstractContextManager[LedgerWriter] | None = None
        self.writer: LedgerWriter | None = None

    @initialize()
    def create(self) -> None:
        self.store.create()
        self.begin_to_write()

    def do(self, verb: str, *values: object, allowed: bool, **named: object) -> None:
        """A verb that is allowed never lowers the serial; one that is refused leaves it as it is."""
        assert self.writer is not None
        before = self.writer.summary().serial
        try:
            getattr(self.writer, verb)(*values, at=self.clock.now(), **named)
        except LedgerLockedError:
            raise
        except LedgerError:
            assert not allowed, f"{verb} {values} was refused"
            assert self.writer.summary().serial == before
        else:
            assert allowed, f"{verb} {values} was accepted"
            assert self.writer.summary().serial >= before

    @precondition(lambda self: not self.writer)
    @rule()
    def begin_to_write(self) -> None:
        self.held = self.store.writer("machine")
        self.writer = self.held.__enter__()
        self.expected.begin_epoch(self.clock.now())

    @precondition(lambda self: self.writer)
    @rule(error=st.sampled_from([None, KeyboardInterrupt]))
    def end_writing(self, error: type[BaseException] | None) -> None:
        assert self.held is not None
        if error is None:
            self.held.__exit__(None, None, None)
        else:
            assert not self.held.__exit__(error, error(), None)
        self.held = self.writer = None

    @precondition(lambda self: self.writer and self.is_locked_at_once)
    @rule()
    def second_writer(self) -> None:
        with pytest.raises(LedgerLockedError), self.store.writer("second"):
            pass

    @precondition(lambda self: self.writer)
    @rule(scope=scopes, batches=st.lists(packed, min_size=1, max_size=2))
    def plan(self, scope: Scope, batches: list[bytes]) -> None:
        allowed = self.expected.plan(scope, batches, self.clock.now())
        self.do("plan_batches", scope, batches, allowed=allowed)

    @precondition(lambda self: self.writer)
    @rule(scope=scopes, held=ids)
    def open(self, scope: Scope, held: bytes) -> None:
        self.do("open_scope", scope, held, allowed=self.expected.open(scope, held))

    def nearby(self, back: int) -> tuple[int, int]:
        """The number of a recent batch, and its last attempt."""
        number = len(self.expected.batches) + 1 - back
        batch = self.expected.batch(number)
        return number, len(batch.attempts) if batch else 0

    def try_to_arm(self, number: int, attempt: int) -> None:
        allowed = self.expected.arm(number, attempt, self.clock.now())
        self.do("arm", number, attempt, seal=b"seal", allowed=allowed)

    def try_to_settle(self, number: int, attempt: int, outcome: Outcome) -> None:
        allowed = self.expected.settle(number, attempt, outcome, self.clock.now())
        self.do("settle", number, attempt, outcome, allowed=allowed)

    @precondition(lambda self: self.writer)
    @rule(back=back, ahead=st.sampled_from([1, 1, 0, 2]))
    def arm(self, back: int, ahead: int) -> None:
        number, last = self.nearby(back)
        self.try_to_arm(number, last + ahead)

    @precondition(lambda self: self.writer)
    @rule(back=back, behind=st.sampled_from([0, 0, 1, -1]), outcome=st.sampled_from(OUTCOMES))
    def settle(self, back: int, behind: int, outcome: Outcome) -> None:
        number, last = self.nearby(back)
        self.try_to_settle(number, last - behind, outcome)

    @precondition(lambda self: self.writer)
    @rule(back=back, outcome=st.sampled_from(OUTCOMES))
    def send(self, back: int, outcome: Outcome) -> None:
        number, last = self.nearby(back)
        self.try_to_arm(number, last + 1)
        self.try_to_settle(number, last + 1, outcome)

    @rule(seconds=st.integers(1, 3600))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @invariant()
    def facts_are_as_expected(self) -> None:
        if self.store.exists():
            with closing(self.store.reader()) as reader:
                compare(reader, self.expected)
        if self.writer is not None:
            compare(self.writer, self.expected)

    def teardown(self) -> None:
        if self.writer:
            self.end_writing(None)


class PostgresHistories(LedgerHistories):
    """Each history has a database of its own."""

    is_locked_at_once = False

    def __init__(self, server: str) -> None:
        self.server = server
        super().__init__()
        self.expected.claims = {}

    def make(self) -> LedgerStore:
        self.url = migrated_database(self.server)
        return postgresql_store(self.url, self.clock)

    def teardown(self) -> None:
        super().teardown()
        drop_database(self.url, self.server)


def test_postgresql(postgres_server: str) -> None:
    few = settings(TestSqlite.settings, max_examples=5, stateful_step_count=20)
    run_state_machine_as_test(lambda: PostgresHistories(postgres_server), settings=few)  # type: ignore[arg-type]


class SqliteHistories(LedgerHistories):
    def make(self) -> LedgerStore:
        return TemporaryLedger(clock=self.clock)


TestSqlite = SqliteHistories.TestCase
TestSqlite.settings = settings(
    max_examples=20,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
