"""Random histories of one ledger: it accepts and refuses what a small model of batches and attempts predicts."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from notifyctl.errors import LedgerError, LedgerLockedError
from notifyctl.ledger.sqlite import SqliteStore
from notifyctl.model.batch import Accepted, Outcome, Refused, Rejected, Unknown
from notifyctl.model.ledger import BatchRecord, BatchState
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import MEMBER_BYTES, Scope
from notifyctl.ports import LedgerReader, LedgerStore, LedgerWriter
from notifyctl.testing import ManualClock

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
SCOPES = [Scope("outage", 1, "once", ChannelName.SMS), Scope("outage", 2, "once", ChannelName.EMAIL)]
OUTCOMES: list[Outcome] = [
    Accepted("msg-1", 202),
    Rejected("bad request", 400),
    Refused("no", 401),
    Unknown("reset"),
]
STATES = {
    Accepted: BatchState.ACCEPTED,
    Rejected: BatchState.REJECTED,
    Refused: BatchState.REJECTED,
    Unknown: BatchState.UNKNOWN,
}

scopes = st.sampled_from(SCOPES)
packed = st.lists(st.binary(min_size=28, max_size=28), min_size=1, max_size=3).map(b"".join)
back = st.sampled_from([1, 1, 2, 3, 0])
"""Which batch, counted back from the next one, which does not exist yet."""


@dataclass
class ModelBatch:
    """What is known of one batch. `outcomes` holds (attempt, state) in the order in which they were recorded."""

    scope: Scope
    members: bytes
    epoch: int
    armed: int = 0
    outcomes: list[tuple[int, BatchState]] = field(default_factory=list)

    @property
    def accepted(self) -> int | None:
        return next((attempt for attempt, state in self.outcomes if state is BatchState.ACCEPTED), None)

    @property
    def state(self) -> BatchState:
        """Accepted once it ever was; else the last outcome of the last attempt."""
        if self.accepted is not None:
            return BatchState.ACCEPTED
        last = [state for attempt, state in self.outcomes if attempt == self.armed]
        return last[-1] if last else BatchState.ARMED if self.armed else BatchState.PLANNED


class OneLedger(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.clock = ManualClock(AT)
        self.store: LedgerStore = SqliteStore(self.folder / "staging.db", clock=self.clock)
        self.held: AbstractContextManager[LedgerWriter] | None = None
        self.writer: LedgerWriter | None = None
        self.epoch = 0
        self.batches: dict[int, ModelBatch] = {}
        self.openings: dict[Scope, tuple[int, bytes]] = {}

    @initialize()
    def create(self) -> None:
        self.store.create()
        self.start_writing()

    @property
    def writing(self) -> LedgerWriter:
        assert self.writer is not None
        return self.writer

    def attempt(self, allowed: bool, verb: str, *values: object, **named: object) -> object:  # noqa: FBT001
        """Call a method of the writer, which must succeed if it is `allowed` and raise LedgerError if not."""
        try:
            answer = getattr(self.writing, verb)(*values, at=self.clock.now(), **named)
        except LedgerError:
            assert not allowed, f"{verb}{values} was refused"
            return None
        assert allowed, f"{verb}{values} was not refused"
        return answer

    @precondition(lambda self: self.writer is None)
    @rule()
    def start_writing(self) -> None:
        self.held = self.store.writer("machine")
        self.writer = self.held.__enter__()
        self.epoch += 1
        for batch in self.batches.values():
            for attempt in range(1, batch.armed + 1):
                if attempt not in {number for number, _ in batch.outcomes}:
                    batch.outcomes.append((attempt, BatchState.UNKNOWN))

    @precondition(lambda self: self.writer)
    @rule(error=st.sampled_from([None, KeyboardInterrupt]))
    def end_writing(self, error: type[BaseException] | None) -> None:
        assert self.held is not None
        if error is None:
            self.held.__exit__(None, None, None)
        else:
            assert not self.held.__exit__(error, error(), None)
        self.held = self.writer = None

    @precondition(lambda self: self.writer)
    @rule()
    def second_writer(self) -> None:
        try:
            with self.store.writer("second"):
                raise AssertionError("two writers")
        except LedgerLockedError:
            pass

    @precondition(lambda self: self.writer)
    @rule(scope=scopes, batches=st.lists(packed, min_size=1, max_size=2))
    def plan(self, scope: Scope, batches: list[bytes]) -> None:
        numbers = self.attempt(True, "plan_batches", scope, batches)
        assert list(numbers) == list(range(len(self.batches) + 1, len(self.batches) + len(batches) + 1))  # type: ignore[call-overload]
        for members in batches:
            self.batches[len(self.batches) + 1] = ModelBatch(scope, members, self.epoch)

    @precondition(lambda self: self.writer)
    @rule(scope=scopes, held=st.lists(st.binary(min_size=16, max_size=16), max_size=2).map(b"".join))
    def open(self, scope: Scope, held: bytes) -> None:
        allowed = scope not in self.openings
        self.attempt(allowed, "open_scope", scope, held)
        self.openings.setdefault(scope, (self.epoch, held))

    @precondition(lambda self: self.writer)
    @rule(back=back, ahead=st.sampled_from([1, 1, 0, 2]))
    def arm(self, back: int, ahead: int) -> None:
        number = len(self.batches) + 1 - back
        batch = self.batches.get(number)
        attempt = (batch.armed if batch else 0) + ahead
        allowed = (
            batch is not None
            and batch.epoch == self.epoch
            and batch.state in {BatchState.PLANNED, BatchState.REJECTED}
            and attempt == batch.armed + 1
        )
        self.attempt(allowed, "arm", number, attempt, seal=b"seal")
        if batch is not None and allowed:
            batch.armed = attempt

    @precondition(lambda self: self.writer)
    @rule(back=back, behind=st.sampled_from([0, 0, 1, -1]), outcome=st.sampled_from(OUTCOMES))
    def settle(self, back: int, behind: int, outcome: Outcome) -> None:
        number = len(self.batches) + 1 - back
        batch = self.batches.get(number)
        attempt = (batch.armed if batch else 0) - behind
        accepted = isinstance(outcome, Accepted)
        allowed = batch is not None and 1 <= attempt <= batch.armed
        if batch is not None and batch.accepted is not None:
            # An acceptance is never taken back, and one attempt alone is accepted. A late word on another attempt is kept.
            allowed = allowed and (accepted if attempt == batch.accepted else not accepted)
        self.attempt(allowed, "settle", number, attempt, outcome)
        if batch is not None and allowed:
            batch.outcomes.append((attempt, STATES[type(outcome)]))

    @precondition(lambda self: self.writer)
    @rule(back=back, outcome=st.sampled_from(OUTCOMES))
    def send(self, back: int, outcome: Outcome) -> None:
        self.arm(back, 1)
        self.settle(back, 0, outcome)

    @rule(seconds=st.integers(1, 3600))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @invariant()
    def the_ledger_is_what_the_model_says(self) -> None:
        if not self.epoch:
            return
        with closing(self.store.reader()) as reader:
            self.compare(reader)
        if self.writer is not None:
            self.compare(self.writer)

    def compare(self, reader: LedgerReader) -> None:
        records = {record.number: record for scope in SCOPES for record in reader.facts(scope)}
        assert {number: shape(record) for number, record in records.items()} == {
            number: (batch.scope, batch.state, batch.armed, batch.members)
            for number, batch in self.batches.items()
        }
        assert reader.next_batch() == len(self.batches) + 1
        for scope in SCOPES:
            assert reader.recorded(scope) == self.recorded(scope)
        summary = reader.summary()
        assert sum(summary.batches.values()) == len(self.batches)
        assert sum(summary.recipients.values()) * MEMBER_BYTES == sum(
            len(batch.members) for batch in self.batches.values()
        )

    def recorded(self, scope: Scope) -> bytes | None:
        if scope not in self.openings:
            return None
        epoch, held = self.openings[scope]
        of_run = [b.members for b in self.batches.values() if b.scope == scope and b.epoch == epoch]
        return held + b"".join(
            members[start : start + 16]
            for members in of_run
            for start in range(0, len(members), MEMBER_BYTES)
        )

    def teardown(self) -> None:
        if self.writer is not None:
            self.end_writing(None)
        shutil.rmtree(self.folder)


def shape(record: BatchRecord) -> tuple[Scope, BatchState, int, bytes]:
    return record.scope, record.state, record.attempt, record.members


TestOneLedger = OneLedger.TestCase
TestOneLedger.settings = settings(
    max_examples=20,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
