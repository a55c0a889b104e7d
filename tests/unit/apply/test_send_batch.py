"""The job of a batch: what the ledger decides, that nothing is sent in doubt, and when the job comes again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import cast

import pytest
from msgspec.structs import replace

from notifyctl.apply.attempts import TOO_LATE
from notifyctl.apply.counters import OPTED_OUT
from notifyctl.apply.job import Job, OptedOut, Stop
from notifyctl.apply.report import Event, Sent, Settled
from notifyctl.apply.retries import MAX_ATTEMPTS
from notifyctl.apply.send_batch import AT_ONCE, AWAY, MAX_REFUSALS, SOON, BatchSender, CampaignSession
from notifyctl.errors import HaltedError, LedgerError, LedgerLockedError
from notifyctl.ledger.writer import Writer
from notifyctl.model.batch import Accepted, Outcome, Refused, Rejected, SendGroup, Unknown
from notifyctl.model.campaign import PlannedAgain
from notifyctl.model.events import Verdict, VerdictSource
from notifyctl.model.ledger import BatchState
from notifyctl.model.project import Limits
from notifyctl.model.recipients import Scope
from notifyctl.ports import Clock
from notifyctl.testing import ManualClock, RecordingProvider, TemporaryLedger

Consign = Callable[..., SendGroup]
AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
BUSY = Rejected("busy", 429, retryable=True, retry_after=3.0)
UNREACHABLE = Rejected("connection refused", retryable=True, posted=False)


class Session:
    """Implements CampaignSession over a real writer: what only a ledger in PostgreSQL has is in memory."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.ends: dict[int, str] = {}
        self.again: dict[int, PlannedAgain] = {}
        self.over: str | None = None
        self.held = 0.0
        self.on_turn: Callable[[], object] = bool
        self.faults: list[tuple[bool, Exception]] = []
        """Of the next ARMs: whether it was committed all the same, and what is raised."""

    def __getattr__(self, name: str) -> object:
        return getattr(self._writer, name)

    def arm(self, number: int, attempt: int, *, seal: bytes, at: datetime) -> None:
        committed, error = self.faults.pop(0) if self.faults else (True, None)
        if committed:
            self._writer.arm(number, attempt, seal=seal, at=at)
        if error is not None:
            raise error

    def settle(self, number: int, attempt: int, outcome: Outcome, *, at: datetime) -> None:
        self._writer.settle(number, attempt, outcome, at=at)
        if isinstance(outcome, Refused) or (isinstance(outcome, Rejected) and not outcome.retryable):
            self.ends[number] = outcome.reason

    def is_ended(self, number: int) -> bool:
        return number in self.ends

    def planned_again(self, number: int) -> PlannedAgain | None:
        return self.again.get(number)

    def began(self) -> datetime | None:
        return min(self._writer.begins().values(), default=None)

    def end_batch(self, number: int, reason: str, *, at: datetime) -> None:
        self.ends[number] = reason

    def plan_again(
        self, number: int, parts: Sequence[tuple[bytes, str | None]], *, at: datetime
    ) -> Sequence[int]:
        self.ends[number] = "planned again"
        record = self._writer.find(number)
        assert record is not None
        numbers = self._writer.plan_batches(record.scope, [members for members, _ in parts], at=at)
        for made, (_, fallback) in zip(numbers, parts, strict=True):
            self.again[made] = PlannedAgain(number, fallback)
        return numbers

    def end_campaign(self, how: str, *, at: datetime) -> None:
        self.over = how

    def release(self, number: int, attempt: int, outcome: Rejected, *, at: datetime) -> None:
        record = self._writer.find(number)
        if record is not None and record.state is BatchState.ARMED and record.attempt == attempt:
            self._writer.settle(number, attempt, outcome, at=at)

    def take_turn(self, destinations: int, *, clock: Clock, wait: Callable[[float], bool]) -> float | None:
        self.on_turn()
        return clock.monotonic() if wait(0.0) else None

    def hold_off(self, seconds: float) -> None:
        self.held = seconds


class Bench:
    """A campaign of batches of two, its ledger, and one worker."""

    def __init__(self, writer: Writer, group: SendGroup, clock: ManualClock) -> None:
        self.clock = clock
        self.session = Session(writer)
        self.gone: set[str] = set()
        self.group = group
        self.stop = Stop()
        self.events: list[Event] = []
        self.provider = RecordingProvider()
        pieces = list(self._job().slices())
        numbers = writer.plan_batches(group.scope, [each.members for each in pieces], at=AT)
        self.slices = dict(zip(numbers, pieces, strict=True))
        self.first = numbers[0]
        self.writer = writer
        self.sender = self.worker()

    def worker(self, *script: Outcome) -> BatchSender:
        """Another worker, whose requests get these outcomes first."""
        self.provider = RecordingProvider(script)
        self.sender = BatchSender(
            self._job(),
            self.slices,
            epoch=1,
            sessions=self._open,
            provider=self.provider,
            clock=self.clock,
            stop=self.stop,
            on_event=self.events.append,
            random=Random(7),
        )
        return self.sender

    def _job(self) -> Job:
        limits = Limits(destinations_per_request=2)
        return Job((), [self.group], limits, "acme/test", b"", opted_out=self._opted_out)

    def _opted_out(self, scope: Scope, destinations: Sequence[str]) -> OptedOut:
        return OptedOut(recipients=[at for at, each in enumerate(destinations) if each in self.gone])

    @contextmanager
    def _open(self) -> Iterator[CampaignSession]:
        yield cast("CampaignSession", self.session)

    def state(self, number: int) -> BatchState:
        record = self.writer.find(number)
        assert record is not None
        return record.state


@pytest.fixture
def bench(consign: Consign) -> Iterator[Bench]:
    clock = ManualClock(AT)
    store = TemporaryLedger(clock=clock)
    store.create()
    with store.writer("test") as writer:
        assert isinstance(writer, Writer)
        yield Bench(writer, consign([("EC1M", name) for name in ("Ada", "Bo", "Cy", "Di")]), clock)


def test_a_job_sends_its_batch_once_however_often_it_comes(bench: Bench) -> None:
    assert bench.sender.send(bench.first) is None
    assert bench.sender.send(bench.first) is None
    assert bench.sender.send(bench.first + 99) is None, "a batch that is not in this ledger"
    assert len(bench.provider.sent) == 1
    assert bench.state(bench.first) is BatchState.ACCEPTED
    assert [type(each) for each in bench.events] == [Sent, Settled]


@pytest.mark.parametrize("outcome", [Unknown("read timed out"), Rejected("bad request", 400)])
def test_what_is_unknown_or_rejected_for_good_ends_the_job(bench: Bench, outcome: Outcome) -> None:
    sender = bench.worker(outcome)
    assert sender.send(bench.first) is None
    assert sender.send(bench.first) is None
    assert len(bench.provider.sent) == 1
    assert bench.session.over is None


def test_a_busy_provider_holds_all_workers_off_and_the_batch_is_tried_so_often(bench: Bench) -> None:
    sender = bench.worker(*[BUSY] * MAX_ATTEMPTS)
    for _ in range(MAX_ATTEMPTS - 1):
        assert (sender.send(bench.first) or 0) >= 3.0
        assert bench.session.held >= 3.0
    assert sender.send(bench.first) is None
    assert bench.session.ends == {bench.first: "busy"}
    assert bench.session.over is None
    assert sender.send(bench.first + 1) is None
    assert bench.state(bench.first + 1) is BatchState.ACCEPTED


def test_who_cannot_reach_the_provider_leaves_the_other_batches(bench: Bench) -> None:
    sender = bench.worker(*[UNREACHABLE] * MAX_ATTEMPTS)
    for _ in range(MAX_ATTEMPTS):
        sender.send(bench.first)
    assert bench.session.over == "refused: the provider cannot be reached: connection refused"
    assert sender.send(bench.first + 1) is None
    assert bench.state(bench.first + 1) is BatchState.PLANNED


def test_a_refused_account_ends_the_campaign(bench: Bench) -> None:
    sender = bench.worker(Refused("wrong key", 401))
    assert sender.send(bench.first) is None
    assert bench.session.over == "refused: wrong key"
    assert sender.send(bench.first + 1) is None
    assert len(bench.provider.sent) == 1


@pytest.mark.parametrize("committed", [True, False])
def test_in_doubt_about_its_record_nothing_is_sent_and_the_batch_is_tried_again(
    bench: Bench,
    committed: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    bench.session.faults = [(committed, LedgerError("the connection was lost"))]
    assert bench.sender.send(bench.first) == AWAY
    assert bench.provider.sent == []
    assert bench.state(bench.first) is (BatchState.REJECTED if committed else BatchState.PLANNED)
    assert bench.sender.send(bench.first) is None
    assert len(bench.provider.sent) == 1
    assert bench.state(bench.first) is BatchState.ACCEPTED


def test_a_batch_that_the_ledger_never_arms_is_given_up(bench: Bench) -> None:
    bench.session.faults = [(False, LedgerError("recipients are in another batch"))] * MAX_REFUSALS
    for _ in range(MAX_REFUSALS):
        assert bench.sender.send(bench.first) == AWAY
    assert bench.sender.send(bench.first) is None
    assert bench.session.ends == {bench.first: "recipients are in another batch"}
    assert bench.provider.sent == []


def test_halted_and_taken_over(bench: Bench) -> None:
    bench.session.faults = [
        (False, HaltedError("halted")),
        (False, LedgerLockedError("another run took over")),
    ]
    assert bench.sender.send(bench.first) == SOON
    assert bench.sender.send(bench.first) == SOON, "it asks nobody while it is halted"
    bench.sender.halted = None
    assert bench.sender.send(bench.first) is None
    assert bench.sender.over == "another run took over"
    assert bench.sender.send(bench.first) is None
    assert bench.provider.sent == []


def test_who_is_told_to_stop_while_waiting_for_a_turn_begins_nothing(bench: Bench) -> None:
    bench.session.on_turn = bench.stop.request
    assert bench.sender.send(bench.first) == AT_ONCE
    assert bench.sender.send(bench.first) == SOON
    assert bench.provider.sent == []
    assert bench.state(bench.first) is BatchState.PLANNED


def test_who_opted_out_is_planned_out_of_the_batch(bench: Bench) -> None:
    bench.gone = {bench.group.units.chunks(4).__next__().destinations[0]}
    assert bench.sender.send(bench.first) is None
    assert bench.provider.sent == []
    made = bench.first + 2
    assert bench.session.again == {made: PlannedAgain(bench.first)}
    assert bench.sender.send(made) is None
    [sent] = bench.provider.sent
    assert [entry["msisdn"] for entry in sent.body["to"]] == [["+33639980001"]]
    bench.gone = {f"+3363998000{at}" for at in range(4)}
    assert bench.sender.send(bench.first + 1) is None
    assert bench.session.ends[bench.first + 1] == OPTED_OUT


def test_who_opts_out_while_the_batch_waits_for_its_turn_is_not_sent_it(bench: Bench) -> None:
    bench.session.on_turn = lambda: bench.gone.add("+33639980000")
    assert bench.sender.send(bench.first) == AT_ONCE
    assert bench.provider.sent == []
    assert bench.sender.send(bench.first) is None
    assert bench.session.ends == {bench.first: "planned again"}


def test_a_window_that_closes_while_a_batch_waits_keeps_it_unsent(consign: Consign) -> None:
    clock = ManualClock(AT)
    store = TemporaryLedger(clock=clock)
    store.create()
    group = replace(consign([("EC1M", "Ada")]), not_after=AT + timedelta(minutes=1))
    with store.writer("test") as writer:
        assert isinstance(writer, Writer)
        bench = Bench(writer, group, clock)
        bench.session.on_turn = lambda: clock.advance(60)
        assert bench.sender.send(bench.first) == AT_ONCE
        assert bench.sender.send(bench.first) is None
        assert bench.session.ends == {bench.first: TOO_LATE}
        assert bench.provider.sent == []


def test_another_batch_than_the_recorded_one_is_a_defect(bench: Bench) -> None:
    bench.slices[bench.first], bench.slices[bench.first + 1] = (
        bench.slices[bench.first + 1],
        bench.slices[bench.first],
    )
    with pytest.raises(RuntimeError, match="does not consist of the recipients recorded in it"):
        bench.sender.send(bench.first)
    assert bench.provider.sent == []


def test_of_a_batch_that_a_thread_has_in_hand_a_second_job_is_of_no_use(bench: Bench) -> None:
    again: list[float | None] = []
    bench.session.on_turn = lambda: again.append(bench.sender.send(bench.first))
    assert bench.sender.send(bench.first) is None
    assert again == [None]
    assert len(bench.provider.sent) == 1


def test_a_receipt_that_came_first_keeps_the_batch_from_another_try(bench: Bench) -> None:
    sender = bench.worker(BUSY)
    assert sender.send(bench.first) is not None
    bench.writer.resolve(bench.first, [Verdict(0, BatchState.ACCEPTED, VerdictSource.RECEIPT)], at=AT)
    assert sender.send(bench.first) is None
    assert len(bench.provider.sent) == 1
    assert bench.first in bench.session.ends
    assert isinstance(bench.events[-1], Settled)
    assert not isinstance(bench.events[-1].outcome, Accepted)
