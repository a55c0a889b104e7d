from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from notifyctl.apply.report import Counts, Planned, Sent, Settled, Waiting
from notifyctl.apply.run import MAX_ATTEMPTS, RETRY_AFTER_CAP, SEND_BY, Event, Job, Report, Stop, dry_run, run
from notifyctl.errors import LedgerError, LedgerLockedError
from notifyctl.model.batch import (
    Accepted,
    Outcome,
    PreparedRequest,
    Refused,
    Rejected,
    ScopeOpening,
    SendGroup,
    Unknown,
)
from notifyctl.model.ledger import BatchRecord, BatchState
from notifyctl.model.project import Limits, TpsCounts
from notifyctl.model.recipients import ID_BYTES, MEMBER_BYTES
from notifyctl.ports import LedgerWriter
from notifyctl.testing import ManualClock, RecordingProvider, TemporaryLedger, whole

Consign = Callable[..., SendGroup]

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
HASTE = Limits(tps=1_000_000_000, tps_counts=TpsCounts.CALLS, destinations_per_request=2, concurrency=1)
TAKEN = Accepted("message", 201)
BUSY = Rejected("over the account's rate (429)", 429, retryable=True)
AWAY = Rejected("no connection to the provider", retryable=True)
WRONG = Rejected("the provider rejected the request (400)", 400)
REFUSED = Refused("the provider refused the credentials (401)", 401)
NOBODY_KNOWS = Unknown("no answer in time")


@dataclass
class Bench:
    """A ledger in a temporary file, a provider that keeps to a script, and a clock that nobody waits for."""

    job: Job
    provider: RecordingProvider = field(default_factory=RecordingProvider)
    clock: ManualClock = field(default_factory=lambda: ManualClock(AT))
    stop: Stop = field(default_factory=Stop)
    events: list[Event] = field(default_factory=list)
    on_event: Callable[[Event], None] = lambda _: None
    kept: list[tuple[int, int, Outcome]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ledger = TemporaryLedger(clock=self.clock)
        self.ledger.create()

    def hear(self, event: Event) -> None:
        self.events.append(event)
        self.on_event(event)

    def keep(self, number: int, attempt: int, outcome: Outcome, _: datetime) -> None:
        self.kept.append((number, attempt, outcome))

    def run(self, around: Callable[[LedgerWriter], LedgerWriter] = lambda writer: writer) -> Report:
        with self.ledger.writer("test") as writer:
            return run(
                self.job,
                writer=around(writer),
                provider=self.provider,
                clock=self.clock,
                on_event=self.hear,
                stop=self.stop,
                keep=self.keep,
                random=Random(1),
            )

    @property
    def facts(self) -> list[BatchRecord]:
        with closing(self.ledger.reader()) as reader:
            return [fact for scope in reader.scopes() for fact in reader.facts(scope)]

    @property
    def states(self) -> list[tuple[BatchState, int]]:
        return [(fact.state, fact.attempt) for fact in self.facts]

    @property
    def reached(self) -> list[str]:
        """Every address of every request, repeats included."""
        return [a for request in self.provider.sent for entry in request.body["to"] for a in entry["msisdn"]]


def job_of(*send_groups: SendGroup, limits: Limits = HASTE, held: bytes = b"") -> Job:
    scopes = dict.fromkeys(group.scope for group in send_groups)
    return Job([ScopeOpening(scope, held) for scope in scopes], send_groups, limits, "acme/production", b"")


def people(consign: Consign, count: int, **rest: Any) -> SendGroup:
    return consign([("EC1M", f"P{number}") for number in range(count)], **rest)


def test_everybody_once_and_all_of_it_in_the_ledger(consign: Consign) -> None:
    first, second = people(consign, 5), people(consign, 3, notification="price")
    bench = Bench(job_of(first, second, held=b"h" * ID_BYTES))
    report = bench.run()
    assert report.recipients == Counts(accepted=8)
    assert report.batches == Counts(accepted=5)
    assert report.scopes == {first.scope: Counts(accepted=5), second.scope: Counts(accepted=3)}
    assert (report.requests, report.reasons, report.refused, report.interrupted) == (5, {}, None, False)
    assert Counter(bench.reached) == Counter(
        [*whole(first.units).destinations, *whole(second.units).destinations]
    )
    assert bench.states == [(BatchState.ACCEPTED, 1)] * 5
    with closing(bench.ledger.reader()) as reader:
        recorded = reader.recorded(first.scope)
    assert recorded == b"h" * ID_BYTES + b"".join(number.to_bytes(ID_BYTES) for number in range(5))
    assert bench.events[0] == Planned(5, 8)
    sizes = list(enumerate([2, 2, 1, 2, 1], 1))
    sent = [Sent(number, size, 1) for number, size in sizes]
    settled = [
        Settled(number, size, Accepted(f"message-{number}", 201), again=False, attempt=1)
        for number, size in sizes
    ]
    assert [event for event in bench.events if isinstance(event, Sent)] == sent
    assert [event for event in bench.events if isinstance(event, Settled)] == settled
    assert all(bench.events.index(a) < bench.events.index(b) for a, b in zip(sent, settled, strict=True))


def test_a_dry_run_shows_what_is_then_posted(consign: Consign) -> None:
    bench = Bench(job_of(people(consign, 5), people(consign, 3, notification="price")))
    shown = list(dry_run(bench.job, next_batch=1, provider=bench.provider))
    assert bench.provider.sent == []
    bench.run()
    assert bench.provider.sent == [request for _, request in shown]
    assert [fact.members for fact in bench.facts] == [batch.members for batch, _ in shown]


def test_nothing_leaves_before_its_record_is_durable(consign: Consign) -> None:
    seen: list[BatchState] = []

    class Looking(RecordingProvider):
        def send(self, request: PreparedRequest) -> Outcome:
            number = int(request.body["callbackData"].split(":")[2])
            seen.append(bench.facts[number - 1].state)
            return super().send(request)

    bench = Bench(job_of(people(consign, 6)), Looking())
    bench.run()
    assert seen == [BatchState.ARMED] * 3


def test_what_passes_is_tried_again_as_a_new_attempt(consign: Consign) -> None:
    bench = Bench(job_of(people(consign, 2)), RecordingProvider([BUSY, AWAY]))
    report = bench.run()
    assert (report.accepted, report.requests, report.reasons) == (2, 3, {})
    assert bench.states == [(BatchState.ACCEPTED, 3)]
    said = [request.body["callbackData"] for request in bench.provider.sent]
    assert said == [f"notifyctl:acme/production:1:{attempt}" for attempt in (1, 2, 3)]
    assert len({request.body["to"][0]["correlationId"] for request in bench.provider.sent}) == 1
    settled = [event for event in bench.events if isinstance(event, Settled)]
    assert [(event.outcome, event.again) for event in settled[:2]] == [(BUSY, True), (AWAY, True)]


@pytest.mark.parametrize(("asked", "waited"), [(20.0, 20.0), (86_400.0, RETRY_AFTER_CAP)])
def test_the_wait_that_the_provider_asks_for_holds_for_all_within_reason(
    consign: Consign, asked: float, waited: float
) -> None:
    moments: list[float] = []

    class Timed(RecordingProvider):
        def send(self, request: PreparedRequest) -> Outcome:
            moments.append(bench.clock.monotonic())
            return super().send(request)

    bench = Bench(job_of(people(consign, 4)), Timed([replace(BUSY, retry_after=asked)]))
    bench.run()
    assert moments[0] == 0
    assert moments[1:] == pytest.approx([waited, waited])


def test_an_account_that_stays_busy_costs_a_batch_its_attempts_and_not_the_run(consign: Consign) -> None:
    bench = Bench(job_of(people(consign, 4)), RecordingProvider([BUSY] * MAX_ATTEMPTS))
    report = bench.run()
    assert report.recipients == Counts(accepted=2, rejected=2)
    assert report.reasons == {BUSY.reason: 2}
    assert bench.states == [(BatchState.REJECTED, MAX_ATTEMPTS), (BatchState.ACCEPTED, 1)]


def test_when_nobody_is_there_the_rest_is_not_begun(consign: Consign) -> None:
    bench = Bench(job_of(people(consign, 6)), RecordingProvider([AWAY] * 100))
    report = bench.run()
    assert report.recipients == Counts(rejected=2, not_begun=4)
    assert (report.requests, report.refused, report.interrupted) == (MAX_ATTEMPTS, None, False)
    assert bench.states == [(BatchState.REJECTED, MAX_ATTEMPTS), *[(BatchState.PLANNED, 0)] * 2]


@pytest.mark.parametrize(
    ("outcome", "counts"), [(WRONG, Counts(rejected=2)), (NOBODY_KNOWS, Counts(unknown=2))]
)
def test_what_is_certain_or_unknown_is_not_tried_again(
    consign: Consign, outcome: Rejected | Unknown, counts: Counts
) -> None:
    bench = Bench(job_of(people(consign, 4)), RecordingProvider([outcome]))
    report = bench.run()
    assert report.recipients == counts + Counts(accepted=2)
    assert report.reasons == {outcome.reason: 2}
    assert report.requests == 2


def test_a_refusal_ends_the_run(consign: Consign) -> None:
    bench = Bench(job_of(people(consign, 6)), RecordingProvider([TAKEN, REFUSED]))
    report = bench.run()
    assert report.recipients == Counts(accepted=2, rejected=2, not_begun=2)
    assert report.refused == REFUSED.reason
    assert [state for state, _ in bench.states] == ["accepted", "rejected", "planned"]


def test_a_request_to_stop_finishes_what_is_in_flight_and_begins_nothing(consign: Consign) -> None:
    bench = Bench(job_of(people(consign, 6)))
    bench.on_event = lambda event: bench.stop.request() if isinstance(event, Sent) else None
    report = bench.run()
    assert report.recipients == Counts(accepted=2, not_begun=4)
    assert report.interrupted


def test_a_request_to_stop_ends_a_long_wait(consign: Consign) -> None:
    slow = replace(HASTE, tps=1, tps_counts=TpsCounts.DESTINATIONS, destinations_per_request=1)
    bench = Bench(job_of(people(consign, 3), limits=slow))
    bench.on_event = lambda event: bench.stop.request() if isinstance(event, Waiting) else None
    report = bench.run()
    assert report.recipients == Counts(accepted=1, not_begun=2)
    assert bench.clock.monotonic() < 1


def test_a_run_that_is_stopped_at_once_sends_nothing(consign: Consign) -> None:
    bench = Bench(job_of(people(consign, 6)))
    bench.stop.request()
    assert bench.run().recipients == Counts(not_begun=6)
    assert bench.provider.sent == []


def test_the_rate_is_kept(consign: Consign) -> None:
    moments: list[float] = []

    class Timed(RecordingProvider):
        def send(self, request: PreparedRequest) -> Outcome:
            moments.append(bench.clock.monotonic())
            return super().send(request)

    limits = Limits(tps=2, concurrency=1)
    bench = Bench(job_of(people(consign, 7), limits=limits), Timed())
    bench.run()
    assert moments == pytest.approx([0, 1, 2, 3])


def test_what_has_not_begun_when_the_window_shuts_is_not_begun(consign: Consign) -> None:
    shut = replace(people(consign, 7), not_after=AT + timedelta(seconds=1.5))
    bench = Bench(job_of(shut, limits=Limits(tps=2, concurrency=1)))
    report = bench.run()
    assert (report.accepted, report.not_begun) == (4, 3)
    assert list(report.reasons.values()) == [3]
    assert [state for state, _ in bench.states].count(BatchState.PLANNED) == 2


def test_at_the_instant_at_which_the_window_shuts_nothing_is_begun(consign: Consign) -> None:
    bench = Bench(job_of(replace(people(consign, 7), not_after=AT)))
    report = bench.run()
    assert (report.accepted, report.not_begun) == (0, 7)
    assert {state for state, _ in bench.states} == {BatchState.PLANNED}


def test_as_many_are_in_flight_as_allowed_and_no_more(consign: Consign) -> None:
    together, lock = threading.Barrier(3), threading.Lock()
    flying: list[int] = [0, 0]

    class Meeting(RecordingProvider):
        def send(self, request: PreparedRequest) -> Outcome:
            with lock:
                flying[0] += 1
                flying[1] = max(flying)
            together.wait(timeout=30)  # only three that are in flight at the same time get through
            with lock:
                flying[0] -= 1
            return super().send(request)

    bench = Bench(job_of(people(consign, 12), limits=replace(HASTE, concurrency=3)), Meeting())
    assert bench.run().recipients == Counts(accepted=12)
    assert flying[1] == 3


def test_no_other_is_begun_while_as_many_as_allowed_have_no_answer(consign: Consign) -> None:
    too_many = threading.Event()
    flying = [0]

    class Patient(RecordingProvider):
        def send(self, request: PreparedRequest) -> Outcome:
            too_many.wait(0.2)  # where another one is begun all the same, it comes before this answer
            return super().send(request)

    def count(event: Event) -> None:
        flying[0] += isinstance(event, Sent) - isinstance(event, Settled)
        if flying[0] > 2:
            too_many.set()

    bench = Bench(job_of(people(consign, 6), limits=replace(HASTE, concurrency=2)), Patient())
    bench.on_event = count
    assert bench.run().recipients == Counts(accepted=6)
    assert not too_many.is_set()


@contextmanager
def raises_and_keeps(bench: Bench, error: type[Exception], match: str) -> Iterator[None]:
    """The run ends with the error, and everything that was posted is still accounted for."""
    with pytest.raises(error, match=match):
        yield
    assert len(bench.reached) == len(set(bench.reached))
    begun = sum(len(f.members) // MEMBER_BYTES for f in bench.facts if f.state is not BatchState.PLANNED)
    assert begun >= len(bench.reached)


class Troubled:
    """A writer whose verbs fail now and then: each list says for one call after the other with what, `None` for not."""

    def __init__(
        self, writer: LedgerWriter, *, arm: Sequence[str | None] = (), settle: Sequence[str | None] = ()
    ) -> None:
        self._writer = writer
        self._plans = {"arm": iter(arm), "settle": iter(settle)}

    def __getattr__(self, name: str) -> Any:
        trouble = next(self._plans[name], None) if name in self._plans else None
        if trouble is not None:
            raise LedgerError(trouble)
        return getattr(self._writer, name)


def troubled(**plans: Sequence[str | None]) -> Callable[[LedgerWriter], LedgerWriter]:
    return lambda writer: cast("LedgerWriter", Troubled(writer, **plans))


def test_what_cannot_be_recorded_is_not_sent(consign: Consign) -> None:
    bench = Bench(job_of(people(consign, 6)))
    with raises_and_keeps(bench, LedgerError, "disk is full"):
        bench.run(troubled(arm=[None, "the disk is full"]))
    assert bench.reached == ["+33639980000", "+33639980001"]
    assert [state for state, _ in bench.states] == ["accepted", "planned", "planned"]


def test_who_sleeps_between_the_record_and_the_request_does_not_send_it(consign: Consign) -> None:
    """Meanwhile another run can have taken it for lost, and a person can have settled it."""
    bench = Bench(job_of(people(consign, 2)))
    naps = [SEND_BY + 1, SEND_BY - 1]

    class Sleeping(Troubled):
        def arm(self, *values: Any, **named: Any) -> None:
            self._writer.arm(*values, **named)
            bench.clock.advance(naps.pop(0))

    report = bench.run(lambda writer: cast("LedgerWriter", Sleeping(writer)))
    assert (report.accepted, report.requests, len(bench.provider.sent)) == (2, 1, 1)
    settled = [event.outcome for event in bench.events if isinstance(event, Settled)]
    assert isinstance(settled[0], Rejected)
    assert "never left" in settled[0].reason
    assert bench.states == [(BatchState.ACCEPTED, 2)]


def test_a_passing_trouble_of_the_ledger_loses_no_outcome(consign: Consign) -> None:
    bench = Bench(job_of(people(consign, 4)))
    assert bench.run(troubled(settle=["busy", "busy"])).accepted == 4
    assert bench.states == [(BatchState.ACCEPTED, 1)] * 2


def test_an_outcome_that_cannot_be_recorded_ends_the_run_and_is_uncertain(consign: Consign) -> None:
    bench = Bench(job_of(people(consign, 4)))
    with raises_and_keeps(bench, LedgerError, "batch 1 was sent"):
        bench.run(troubled(settle=["gone"] * 100))
    with bench.ledger.writer("next"):
        assert [state for state, _ in bench.states] == ["unknown", "planned"]


@pytest.mark.parametrize("posted", [True, False])
@pytest.mark.parametrize("kind", [Rejected, Refused])
def test_what_never_left_is_not_said_to_have_been_sent(
    consign: Consign, kind: type[Rejected | Refused], *, posted: bool
) -> None:
    """Whether it left is a field of the outcome; the words of its reason do not count."""
    bench = Bench(job_of(people(consign, 2)), RecordingProvider([kind("it never left", posted=posted)]))
    with raises_and_keeps(bench, LedgerError, "was sent" if posted else "never left"):
        bench.run(troubled(settle=["gone"] * 100))


@pytest.mark.parametrize("posted", [True, False])
def test_only_what_can_have_left_counts_as_a_request(consign: Consign, *, posted: bool) -> None:
    outcome = Refused("the host cannot be found", posted=posted)
    report = Bench(job_of(people(consign, 6)), RecordingProvider([outcome] * 3)).run()
    assert (report.requests, report.refused) == (posted, "the host cannot be found")


def test_a_run_that_was_overtaken_stops(consign: Consign) -> None:
    class Overtaken(RecordingProvider):
        def send(self, request: PreparedRequest) -> Outcome:
            bench.ledger.lose_lock()
            with bench.ledger.writer("another"):
                return super().send(request)

    bench = Bench(job_of(people(consign, 6)), Overtaken())
    with raises_and_keeps(bench, LedgerLockedError, "another"):
        bench.run()
    assert len(bench.reached) == 2
    assert [state for state, _ in bench.states] == ["unknown", "planned", "planned"]


def test_a_defect_while_sending_is_recorded_as_unknown_and_told(consign: Consign) -> None:
    class Broken(RecordingProvider):
        def send(self, request: PreparedRequest) -> Outcome:
            super().send(request)
            raise TypeError("a defect")

    bench = Bench(job_of(people(consign, 4)), Broken())
    with raises_and_keeps(bench, TypeError, "a defect"):
        bench.run()
    assert [state for state, _ in bench.states] == ["unknown", "planned"]


def test_an_end_without_warning_leaves_nothing_that_would_be_sent_twice(consign: Consign) -> None:
    over = threading.Event()

    class Slow(RecordingProvider):
        def send(self, request: PreparedRequest) -> Outcome:
            over.wait(30)
            return super().send(request)

    def interrupt(event: Event) -> None:
        if isinstance(event, Sent):
            raise KeyboardInterrupt

    bench = Bench(job_of(people(consign, 4)), Slow())
    bench.on_event = interrupt
    with pytest.raises(KeyboardInterrupt):
        bench.run()
    over.set()
    with bench.ledger.writer("next"):
        assert [state for state, _ in bench.states] == ["unknown", "planned"]


def test_a_run_that_was_overtaken_keeps_the_outcome_of_each_request_in_flight(consign: Consign) -> None:
    """The run that took over recorded them as unknown; what became of them is kept for the next run."""
    arrived, overtaken = threading.Barrier(3), threading.Event()

    class Overtaken(RecordingProvider):
        def send(self, request: PreparedRequest) -> Outcome:
            if arrived.wait(30) == 0:
                bench.ledger.lose_lock()
                with bench.ledger.writer("another"):
                    overtaken.set()
            assert overtaken.wait(30)
            return super().send(request)

    bench = Bench(job_of(people(consign, 10), limits=replace(HASTE, concurrency=3)), Overtaken([TAKEN] * 3))
    with raises_and_keeps(bench, LedgerLockedError, "another"):
        bench.run()
    assert [state for state, _ in bench.states] == ["unknown"] * 3 + ["planned"] * 2
    assert sorted(bench.kept, key=lambda each: each[0]) == [(number, 1, TAKEN) for number in (1, 2, 3)]


OUTCOMES = st.sampled_from([TAKEN, TAKEN, BUSY, AWAY, WRONG, NOBODY_KNOWS, REFUSED])


@settings(deadline=None)
@given(
    script=st.lists(OUTCOMES, max_size=30),
    count=st.integers(0, 40),
    concurrency=st.integers(1, 3),
    tps=st.sampled_from([3, 100, HASTE.tps]),
    window=st.sampled_from([None, 0.3, 2.0]),
    stops_at=st.integers(1, 40),
)
def test_whatever_comes_nobody_is_lost_and_nobody_gets_it_twice(
    consign: Consign,
    *,
    script: list[Outcome],
    count: int,
    concurrency: int,
    tps: int,
    window: float | None,
    stops_at: int,
) -> None:
    """Also where the window closes after `window` seconds, and where the run is asked to stop with a request."""

    class Stopping(RecordingProvider):
        def send(self, request: PreparedRequest) -> Outcome:
            outcome = super().send(request)
            if len(self.sent) >= stops_at:
                bench.stop.request()
            return outcome

    ends = None if window is None else AT + timedelta(seconds=window)
    limits = replace(HASTE, concurrency=concurrency, tps=tps)
    bench = Bench(job_of(replace(people(consign, count), not_after=ends), limits=limits), Stopping(script))
    report = bench.run()
    assert report.requests == len(bench.provider.sent)
    counts = report.recipients
    assert counts.accepted + counts.rejected + counts.unknown + counts.not_begun == count
    held = Counter[str]()
    for fact in bench.facts:
        held[fact.state] += len(fact.members) // MEMBER_BYTES
    assert (held["accepted"], held["rejected"], held["unknown"], held["planned"]) == (
        counts.accepted,
        counts.rejected,
        counts.unknown,
        counts.not_begun,
    )
    endings: dict[int, list[Outcome]] = {}
    for event in bench.events:
        if isinstance(event, Settled):
            endings.setdefault(event.number, []).append(event.outcome)
    for outcomes in endings.values():
        assert all(isinstance(outcome, Rejected) and outcome.retryable for outcome in outcomes[:-1])
        assert len(outcomes) <= MAX_ATTEMPTS
