"""Small batches: begun in one commit and sent each in its turn; their results recorded in one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifyctl.apply.pacing import CATCH_UP
from notifyctl.apply.report import Counts, Sent, Settled
from notifyctl.apply.results import LINGER
from notifyctl.apply.run import Event, Job, Report, Stop, run
from notifyctl.apply.senders import NEVER_LEFT
from notifyctl.apply.together import MOST, TOGETHER
from notifyctl.errors import LedgerError, LedgerLockedError
from notifyctl.model.batch import (
    Accepted,
    AttemptResult,
    AttemptStart,
    Outcome,
    PreparedRequest,
    Refused,
    Rejected,
    ScopeOpening,
    SendGroup,
    Unknown,
)
from notifyctl.model.ledger import BatchState
from notifyctl.model.project import Limits, TpsCounts
from notifyctl.ports import LedgerWriter
from notifyctl.testing import ManualClock, MemoryLedger, RecordingProvider

Consign = Callable[..., SendGroup]

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
PACED = Limits(tps=100, tps_counts=TpsCounts.CALLS, destinations_per_request=2, concurrency=1)
TAKEN = Accepted("message", 201)
BUSY = Rejected("over the account's rate (429)", 429, retryable=True, retry_after=30.0)
REFUSED = Refused("the provider does not accept the credentials (401)", 401)
ALL_IN_ONE_BY_ONE = 25
"""Requests after which some are begun and have not left."""


class Patient(ManualClock):
    """Answers take no time by it."""

    def wait(self, happened: threading.Event, seconds: float) -> None:
        if not happened.wait(0.02):
            super().wait(happened, seconds)


class Watched(RecordingProvider):
    """Notes when each request comes, and calls `then` with how many there were."""

    def __init__(self, clock: ManualClock, script: Sequence[Outcome] = ()) -> None:
        super().__init__(script)
        self._clock = clock
        self.moments: list[float] = []
        self.then: Callable[[int], None] = lambda _: None

    def send(self, request: PreparedRequest) -> Outcome:
        self.moments.append(self._clock.monotonic())
        self.then(len(self.moments))
        return super().send(request)


@dataclass
class Commits:
    """A writer that keeps the size of each commit, and may fail before it makes one."""

    writer: LedgerWriter
    begun: list[int] = field(default_factory=list)
    settled: list[int] = field(default_factory=list)
    armed: set[int] = field(default_factory=set)
    trouble: Callable[[str, int], None] = lambda _verb, _size: None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.writer, name)

    def arm_all(self, beginnings: Sequence[AttemptStart], *, at: datetime) -> None:
        self.trouble("arm", len(beginnings))
        self.writer.arm_all(beginnings, at=at)
        self.begun.append(len(beginnings))
        self.armed.update(each.number for each in beginnings)

    def settle_all(self, endings: Sequence[AttemptResult], *, at: datetime) -> None:
        self.trouble("settle", len(endings))
        self.writer.settle_all(endings, at=at)
        self.settled.append(len(endings))

    def settle(self, number: int, attempt: int, outcome: Outcome, *, at: datetime) -> None:
        self.trouble("settle", 1)
        self.writer.settle(number, attempt, outcome, at=at)
        self.settled.append(1)


class Bench:
    def __init__(
        self, consignment: SendGroup, limits: Limits = PACED, script: Sequence[Outcome] = ()
    ) -> None:
        self.clock = Patient(AT) if limits.concurrency > 1 else ManualClock(AT)
        self.ledger = MemoryLedger(clock=self.clock)
        self.ledger.create()
        self.provider = Watched(self.clock, script)
        self.stop = Stop()
        self.events: list[tuple[float, Event]] = []
        self.on_event: Callable[[Event], None] = lambda _: None
        self.trouble: Callable[[str, int], None] = lambda _verb, _size: None
        self.job = Job([ScopeOpening(consignment.scope, b"")], [consignment], limits, "acme/production", b"")
        self.commits: Commits | None = None
        self.kept: list[tuple[int, int, Outcome]] = []

    def hear(self, event: Event) -> None:
        self.events.append((self.clock.monotonic(), event))
        self.on_event(event)

    def run(self) -> Report:
        with self.ledger.writer("test") as writer:
            self.commits = Commits(writer, trouble=self.trouble)
            return run(
                self.job,
                writer=cast("LedgerWriter", self.commits),
                provider=self.provider,
                clock=self.clock,
                on_event=self.hear,
                stop=self.stop,
                keep=lambda batch, attempt, outcome, _: self.kept.append((batch, attempt, outcome)),
                chance=Random(1),
            )

    @property
    def states(self) -> list[BatchState]:
        reader = self.ledger.reader()
        return [fact.state for scope in reader.scopes() for fact in reader.facts(scope)]

    @property
    def reasons(self) -> set[str | None]:
        reader = self.ledger.reader()
        return {
            fact.reason
            for scope in reader.scopes()
            for fact in reader.facts(scope)
            if fact.state is BatchState.REJECTED
        }

    @property
    def reached(self) -> list[str]:
        return [a for request in self.provider.sent for entry in request.body["to"] for a in entry["msisdn"]]


def people(consign: Consign, count: int) -> SendGroup:
    return consign([("EC1M", f"P{number}") for number in range(count)])


def test_more_and_more_of_them_are_begun_at_once_and_each_leaves_in_its_turn(consign: Consign) -> None:
    bench = Bench(people(consign, 600), replace(PACED, concurrency=4))
    recorded: list[bool] = []

    class Looking(Watched):
        def send(self, request: PreparedRequest) -> Outcome:
            assert bench.commits is not None
            recorded.append(int(request.body["callbackData"].split(":")[2]) in bench.commits.armed)
            return super().send(request)

    bench.provider = Looking(bench.clock)
    assert bench.run().recipients == Counts(accepted=600)
    assert recorded == [True] * 300
    assert bench.commits is not None
    assert bench.commits.begun[:2] == [1, 1]
    assert max(bench.commits.begun) == MOST
    assert sum(bench.commits.begun) == sum(bench.commits.settled) == 300
    assert len(bench.commits.settled) < 50
    moments = [at for at, event in bench.events if isinstance(event, Sent)]
    assert moments[-1] == pytest.approx(2.99, abs=CATCH_UP)
    # A few at a time, as long as none is later than what is made good.
    assert all(-1e-6 < at - turn / 100 < CATCH_UP for turn, at in enumerate(moments))


@pytest.mark.parametrize("size", [TOGETHER // 2 + 1, 500, 1000])
def test_a_large_batch_is_always_alone(consign: Consign, size: int) -> None:
    limits = replace(PACED, destinations_per_request=size)
    bench = Bench(people(consign, 6 * size), limits)
    bench.run()
    assert bench.commits is not None
    assert bench.commits.begun == bench.commits.settled == [1] * 6


@pytest.mark.parametrize(
    ("size", "most"), [(TOGETHER // 4, 4), (2, MOST), (TOGETHER // 4 - 10, 4), (TOGETHER // 2 - 10, 2)]
)
def test_no_commit_begins_more_people_than_a_crash_may_make_uncertain(
    consign: Consign, size: int, most: int
) -> None:
    limits = replace(PACED, destinations_per_request=size, tps=1000, concurrency=4)
    bench = Bench(people(consign, 60 * size), limits)
    bench.run()
    assert bench.commits is not None
    assert 1 < max(bench.commits.begun) <= most
    assert max(bench.commits.settled) <= most + 1


def test_at_a_low_rate_nothing_is_begun_before_its_turn(consign: Consign) -> None:
    bench = Bench(people(consign, 40), replace(PACED, tps=2))
    bench.run()
    assert bench.commits is not None
    assert bench.commits.begun == [1] * 20


def test_a_result_waits_for_others_and_not_for_long(consign: Consign) -> None:
    bench = Bench(people(consign, 200), replace(PACED, concurrency=4))
    bench.run()
    sent = {event.number: at for at, event in bench.events if isinstance(event, Sent)}
    settled = {event.number: at for at, event in bench.events if isinstance(event, Settled)}
    # It is heard of when the next ones have their turn, and waits from then on.
    assert max(settled[number] - sent[number] for number in sent) < LINGER + CATCH_UP + 0.02


def stopped(bench: Bench, _: int) -> None:
    bench.stop.request()


def taken_over(bench: Bench, _: int) -> None:
    bench.ledger.lose_lock()
    with bench.ledger.writer("another"):
        pass


def test_told_to_stop_it_takes_back_what_has_not_left(consign: Consign) -> None:
    bench = Bench(people(consign, 200))
    bench.provider.then = lambda count: bench.stop.request() if count == ALL_IN_ONE_BY_ONE else None
    report = bench.run()
    assert report.interrupted
    assert report.accepted == 2 * ALL_IN_ONE_BY_ONE
    assert report.rejected > 0
    assert report.reasons == {NEVER_LEFT: report.rejected}
    assert not {BatchState.ARMED, BatchState.UNKNOWN} & set(bench.states)
    assert bench.reasons == {NEVER_LEFT}
    assert len(bench.reached) == report.accepted


def test_a_refusal_takes_back_what_has_not_left(consign: Consign) -> None:
    bench = Bench(people(consign, 200), script=[TAKEN] * 24 + [REFUSED])
    report = bench.run()
    assert report.refused == REFUSED.reason
    assert len(bench.provider.sent) == ALL_IN_ONE_BY_ONE
    assert not {BatchState.ARMED, BatchState.UNKNOWN} & set(bench.states)
    assert bench.reasons == {NEVER_LEFT, REFUSED.reason}


def test_what_the_window_shuts_on_is_taken_back(consign: Consign) -> None:
    bench = Bench(replace(people(consign, 200), not_after=AT + timedelta(seconds=5)))
    # Nobody begins what has its turn after the end; so something must go wrong.
    bench.provider.then = lambda count: bench.clock.advance(10) if count == ALL_IN_ONE_BY_ONE else None
    report = bench.run()
    assert report.accepted == 2 * ALL_IN_ONE_BY_ONE
    assert not {BatchState.ARMED, BatchState.UNKNOWN} & set(bench.states)
    assert len(bench.provider.sent) == ALL_IN_ONE_BY_ONE


def test_who_must_wait_for_long_does_not_wait_begun(consign: Consign) -> None:
    bench = Bench(people(consign, 200), script=[TAKEN] * 24 + [BUSY])
    waiting: list[BatchState] = []
    bench.provider.then = lambda count: (
        waiting.extend(bench.states) if count == ALL_IN_ONE_BY_ONE + 1 else None
    )
    report = bench.run()
    assert report.recipients == Counts(accepted=200)
    assert report.requests == 101
    assert waiting.count(BatchState.ARMED) <= 1
    assert bench.provider.moments[ALL_IN_ONE_BY_ONE] >= 30


def test_who_is_taken_back_again_and_again_is_not_given_up(consign: Consign) -> None:
    """Only what was handed over counts as a try."""
    script = ([TAKEN] * 24 + [replace(BUSY, retry_after=5.0)]) * 4
    bench = Bench(people(consign, 400), script=script)
    report = bench.run()
    assert report.recipients == Counts(accepted=400)
    assert report.reasons == {}


def test_what_cannot_be_begun_together_is_not_sent(consign: Consign) -> None:
    bench = Bench(people(consign, 200))

    def full(verb: str, size: int) -> None:
        if verb == "arm" and size > 1:
            raise LedgerError("the disk is full")

    bench.trouble = full
    with pytest.raises(LedgerError, match="disk is full"):
        bench.run()
    assert set(bench.states) == {BatchState.ACCEPTED, BatchState.PLANNED}
    assert len(bench.provider.sent) == bench.states.count(BatchState.ACCEPTED)


def test_one_result_that_cannot_be_recorded_keeps_no_other_out(consign: Consign) -> None:
    bench = Bench(people(consign, 200))

    def together(verb: str, size: int) -> None:
        if verb == "settle" and size > 1:
            raise LedgerError("one of them is wrong")

    bench.trouble = together
    assert bench.run().recipients == Counts(accepted=200)
    assert bench.commits is not None
    assert bench.commits.settled == [1] * 100


def test_whom_another_run_took_over_loses_no_word_of_what_it_knows(consign: Consign) -> None:
    bench = Bench(people(consign, 200))
    noticed = threading.Event()

    def then(count: int) -> None:
        if count == ALL_IN_ONE_BY_ONE:
            taken_over(bench, count)
            assert bench.commits is not None
            bench.commits.trouble = lambda verb, _: noticed.set() if verb == "settle" else None
        elif count > ALL_IN_ONE_BY_ONE:
            assert noticed.wait(30)

    bench.provider.then = then
    with pytest.raises(LedgerLockedError, match="another"):
        bench.run()
    # The successor called them unknown; what became of them is kept for the next run.
    unknown = {number for number, state in enumerate(bench.states, 1) if state is BatchState.UNKNOWN}
    assert {number for number, _, _ in bench.kept} == unknown
    posted = 2 * len(bench.provider.sent)
    accepted = 2 * bench.states.count(BatchState.ACCEPTED)
    told = [outcome for _, _, outcome in bench.kept]
    assert accepted + 2 * sum(isinstance(outcome, Accepted) for outcome in told) == posted
    assert {outcome.reason for outcome in told if isinstance(outcome, Rejected)} == {NEVER_LEFT}


def test_an_end_without_warning_leaves_uncertain_only_who_was_sent_to(consign: Consign) -> None:
    bench = Bench(people(consign, 200))
    bench.on_event = lambda event: interrupt() if event == Sent(ALL_IN_ONE_BY_ONE, 2, 1) else None
    with pytest.raises(KeyboardInterrupt):
        bench.run()
    with bench.ledger.writer("next"):
        assert bench.states.count(BatchState.UNKNOWN) <= 1
    assert bench.reasons == {NEVER_LEFT}


def interrupt() -> None:
    raise KeyboardInterrupt


OUTCOMES = st.sampled_from(
    [TAKEN] * 12
    + [replace(BUSY, retry_after=3.0), Rejected("no", 400), Unknown("no answer in time"), REFUSED]
)


@settings(deadline=None, max_examples=40)
@given(
    script=st.lists(OUTCOMES, max_size=80),
    count=st.integers(0, 120),
    concurrency=st.integers(1, 3),
    tps=st.sampled_from([3, 100, 1_000_000]),
    ends=st.sampled_from([None, 0.3, 2.0]),
    stops=st.integers(1, 80),
)
def test_whatever_comes_the_report_is_what_the_ledger_says(
    consign: Consign,
    *,
    script: list[Outcome],
    count: int,
    concurrency: int,
    tps: int,
    ends: float | None,
    stops: int,
) -> None:
    not_after = None if ends is None else AT + timedelta(seconds=ends)
    limits = replace(PACED, concurrency=concurrency, tps=tps, destinations_per_request=1)
    bench = Bench(replace(people(consign, count), not_after=not_after), limits, script)
    bench.provider.then = lambda sent: bench.stop.request() if sent == stops else None
    report = bench.run()
    states = bench.states
    assert len(bench.reached) == report.requests
    assert report.recipients == Counts(
        states.count(BatchState.ACCEPTED),
        states.count(BatchState.REJECTED),
        states.count(BatchState.UNKNOWN),
        states.count(BatchState.PLANNED),
    )
    taken = [
        a
        for a, outcome in zip(bench.reached, script, strict=False)
        if isinstance(outcome, Accepted | Unknown)
    ]
    assert len(taken) == len(set(taken))
