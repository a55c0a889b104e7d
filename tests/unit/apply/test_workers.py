"""Worker threads: as many at once as are submitted, each outcome once, and nothing posted too late."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from notifyctl.apply.attempts import LAPSED, NEVER_LEFT, Attempt, PreparedAttempt
from notifyctl.apply.batches import cut
from notifyctl.apply.workers import SEND_BY, ArmedAt, Workers
from notifyctl.clock import SystemClock
from notifyctl.model.batch import Accepted, Batch, Outcome, PreparedRequest, Rejected, SendGroup
from notifyctl.ports import Provider

Consign = Callable[..., SendGroup]
TAKEN = Accepted("message", 201)
REQUEST = PreparedRequest("POST", "http://127.0.0.1:9/", {}, b"{}")


class Meeting:
    """ports.Provider whose requests go on only once so many are there at the same time."""

    identity = "meeting"

    def __init__(self, many: int) -> None:
        self.calls = 0
        self._barrier = threading.Barrier(many, timeout=10)

    def prepare(self, batch: Batch) -> PreparedRequest:
        return REQUEST

    def send(self, request: PreparedRequest) -> Outcome:
        self.calls += 1
        self._barrier.wait()
        return TAKEN

    def close(self) -> None:
        pass


class Broken(Meeting):
    def send(self, request: PreparedRequest) -> Outcome:
        raise TypeError("a defect")


def submitted(group: SendGroup, provider: Provider, many: int, *, armed_at: ArmedAt | None = None) -> Workers:
    """Workers with so many requests, numbered from 0."""
    clock = SystemClock()
    workers = Workers(provider, clock)
    armed_at = armed_at or ArmedAt(datetime.now(UTC), clock.monotonic())
    [piece] = cut(group, 1)
    for number in range(many):
        workers.submit(PreparedAttempt(Attempt(number, 1, piece), b"", REQUEST), armed_at)
    return workers


def outcomes_of(workers: Workers) -> list[tuple[int, Outcome | BaseException]]:
    """Every outcome of what is in flight, by number; then the threads end."""
    found = []
    while workers.in_flight:
        found += [(attempt.number, outcome) for attempt, outcome in workers.outcomes(block=True)]
    workers.stop()
    return sorted(found, key=lambda each: each[0])


@pytest.fixture
def ada(consign: Consign) -> SendGroup:
    return consign([("EC1M", "Ada")])


@pytest.mark.parametrize("many", [1, 2, 4])
def test_requests_in_flight_do_not_wait_for_each_other(ada: SendGroup, many: int) -> None:
    workers = submitted(ada, Meeting(many), many)
    assert outcomes_of(workers) == [(number, TAKEN) for number in range(many)]


def test_waiting_ends_when_an_outcome_arrives(ada: SendGroup) -> None:
    workers = submitted(ada, Meeting(1), 1)
    while not list(workers.outcomes(block=False)):
        workers.wait(30)
    assert workers.in_flight == 0


def test_without_requests_in_flight_nothing_is_waited_for(ada: SendGroup) -> None:
    assert list(submitted(ada, Meeting(1), 0).outcomes(block=True)) == []


def test_a_defect_in_a_provider_arrives_as_its_exception(ada: SendGroup) -> None:
    [(_, outcome)] = outcomes_of(submitted(ada, Broken(1), 1))
    assert isinstance(outcome, TypeError)


@pytest.mark.parametrize("clock", ["now", "monotonic"])
def test_what_was_armed_too_long_ago_is_not_posted(ada: SendGroup, clock: str) -> None:
    """By either clock: one stands still while the machine sleeps, the other can be set."""
    provider = Meeting(1)
    now, monotonic = datetime.now(UTC), SystemClock().monotonic()
    old = ArmedAt(now - timedelta(seconds=SEND_BY + 1), monotonic)
    if clock == "monotonic":
        old = ArmedAt(now, monotonic - SEND_BY - 1)
    assert outcomes_of(submitted(ada, provider, 1, armed_at=old)) == [
        (0, Rejected(NEVER_LEFT, retryable=True, posted=False))
    ]
    assert provider.calls == 0


def test_what_is_not_posted_before_its_window_closes_is_not_posted(ada: SendGroup) -> None:
    provider = Meeting(1)
    closed = replace(ada, not_after=datetime.now(UTC))
    assert outcomes_of(submitted(closed, provider, 1)) == [(0, Rejected(LAPSED, posted=False))]
    assert provider.calls == 0
