"""Random histories: the ledger on disk and the one in memory accept and refuse the same verbs and tell the same facts."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from notifyctl.errors import LedgerError, LedgerLockedError
from notifyctl.ledger.sqlite import SqliteStore
from notifyctl.model.batch import Accepted, AttemptResult, AttemptStart, Outcome, Refused, Rejected, Unknown
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import Scope
from notifyctl.ports import LedgerReader, LedgerStore, LedgerWriter
from notifyctl.testing import ManualClock, MemoryLedger

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
SCOPES = [Scope("outage", 1, "once", ChannelName.SMS), Scope("outage", 2, "once", ChannelName.EMAIL)]
OUTCOMES: list[Outcome] = [
    Accepted("msg-1", 202),
    Rejected("bad request", 400),
    Refused("no", 401),
    Unknown("reset"),
]

scopes = st.sampled_from(SCOPES)
packed = st.lists(st.binary(min_size=28, max_size=28), min_size=1, max_size=3).map(b"".join)
back = st.sampled_from([1, 1, 2, 3, 0])
"""Which batch, counted back from the next one, which is not there."""


def told(reader: LedgerReader) -> object:
    """All that a ledger says, but for where it is and the name it was made with."""
    summary = reader.summary()
    return (
        reader.scopes(),
        [list(reader.facts(scope)) for scope in SCOPES],
        [reader.recorded(scope) for scope in SCOPES],
        reader.next_batch(),
        (summary.serial, summary.batches, summary.recipients, summary.scopes, summary.created_at),
    )


class TwoLedgers(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.clock = ManualClock(AT)
        self.stores: list[LedgerStore] = []
        self.held: list[AbstractContextManager[LedgerWriter]] = []
        self.writers: list[LedgerWriter] = []

    @initialize()
    def create(self) -> None:
        disk = SqliteStore(self.folder / "staging.db", clock=self.clock)
        self.stores = [disk, MemoryLedger(clock=self.clock)]
        for store in self.stores:
            store.create()
        self.begin_to_write()

    def both(self, verb: str, *values: object, **named: object) -> None:
        """Do the same with both writers: the same answer, or a refusal of the same kind."""
        answers: list[object] = []
        for writer in self.writers:
            try:
                answer = getattr(writer, verb)(*values, at=self.clock.now(), **named)
                answers.append(list(answer) if answer is not None else None)
            except LedgerError as refusal:
                answers.append(type(refusal))
        assert answers[0] == answers[1]

    @precondition(lambda self: not self.writers)
    @rule()
    def begin_to_write(self) -> None:
        self.held = [store.writer("machine") for store in self.stores]
        self.writers = [context.__enter__() for context in self.held]

    @precondition(lambda self: self.writers)
    @rule(error=st.sampled_from([None, KeyboardInterrupt]))
    def end_writing(self, error: type[BaseException] | None) -> None:
        for context in self.held:
            if error is None:
                context.__exit__(None, None, None)
            else:
                assert not context.__exit__(error, error(), None)
        self.held, self.writers = [], []

    @precondition(lambda self: self.writers)
    @rule()
    def second_writer(self) -> None:
        for store in self.stores:
            try:
                with store.writer("second"):
                    raise AssertionError("two writers")
            except LedgerLockedError:
                pass

    @precondition(lambda self: self.writers)
    @rule(scope=scopes, batches=st.lists(packed, min_size=1, max_size=2))
    def plan(self, scope: Scope, batches: list[bytes]) -> None:
        self.both("plan_batches", scope, batches)

    @precondition(lambda self: self.writers)
    @rule(scope=scopes, held=st.lists(st.binary(min_size=16, max_size=16), max_size=2).map(b"".join))
    def open(self, scope: Scope, held: bytes) -> None:
        self.both("open_scope", scope, held)

    def nearby(self, back: int) -> tuple[int, int]:
        """The number of a recent batch, and its last attempt."""
        number = self.writers[0].next_batch() - back
        known = (facts for scope in SCOPES for facts in self.writers[0].facts(scope))
        return number, next((facts.attempt for facts in known if facts.number == number), 0)

    @precondition(lambda self: self.writers)
    @rule(back=back, ahead=st.sampled_from([1, 1, 0, 2]))
    def arm(self, back: int, ahead: int) -> None:
        number, last = self.nearby(back)
        self.both("arm", number, last + ahead, seal=b"seal")

    @precondition(lambda self: self.writers)
    @rule(back=back, behind=st.sampled_from([0, 0, 1, -1]), outcome=st.sampled_from(OUTCOMES))
    def settle(self, back: int, behind: int, outcome: Outcome) -> None:
        number, last = self.nearby(back)
        self.both("settle", number, last - behind, outcome)

    @precondition(lambda self: self.writers)
    @rule(back=back, outcome=st.sampled_from(OUTCOMES))
    def send(self, back: int, outcome: Outcome) -> None:
        number, last = self.nearby(back)
        self.both("arm", number, last + 1, seal=b"seal")
        self.both("settle", number, last + 1, outcome)

    @precondition(lambda self: self.writers)
    @rule(
        backs=st.lists(back, min_size=2, max_size=3),
        outcomes=st.lists(st.sampled_from(OUTCOMES), min_size=3, max_size=3),
    )
    def send_together(self, backs: list[int], outcomes: list[Outcome]) -> None:
        next_ones = [(number, last + 1) for number, last in map(self.nearby, backs)]
        self.both("arm_all", [AttemptStart(number, attempt, b"seal") for number, attempt in next_ones])
        endings = zip(next_ones, outcomes, strict=False)
        self.both(
            "settle_all", [AttemptResult(number, attempt, outcome) for (number, attempt), outcome in endings]
        )

    @rule(seconds=st.integers(1, 3600))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @invariant()
    def they_tell_the_same(self) -> None:
        if self.stores:
            readings = []
            for store in self.stores:
                with closing(store.reader()) as reader:
                    readings.append(told(reader))
            readings.extend(told(writer) for writer in self.writers)
            assert all(reading == readings[0] for reading in readings)

    def teardown(self) -> None:
        if self.writers:
            self.end_writing(None)
        shutil.rmtree(self.folder)


TestTwoLedgers = TwoLedgers.TestCase
TestTwoLedgers.settings = settings(
    max_examples=20,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
