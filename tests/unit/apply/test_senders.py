"""Requests that are handed over together ride with a thread that is at work; none waits for one that is stuck."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from notifyctl.apply.batches import cut
from notifyctl.apply.senders import Attempt, Senders, Since
from notifyctl.clock import SystemClock
from notifyctl.delivery import Accepted, Batch, Consignment, Outcome, PreparedRequest

Consign = Callable[..., Consignment]
TAKEN = Accepted("message", 201)
REQUEST = PreparedRequest("POST", "http://127.0.0.1:9/", {}, b"{}")


class Meeting:
    """ports.Provider whose requests go on only when so many are there at once."""

    identity = "meeting"

    def __init__(self, many: int) -> None:
        self._barrier = threading.Barrier(many, timeout=10)

    def prepare(self, batch: Batch) -> PreparedRequest:
        return REQUEST

    def send(self, request: PreparedRequest) -> Outcome:
        self._barrier.wait()
        return TAKEN

    def close(self) -> None:
        pass


def attempts(consign: Consign, many: int) -> list[Attempt]:
    [part] = cut(consign([("EC1M", "Ada")]), 1)
    return [Attempt(0.0, number, 1, part) for number in range(many)]


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("many", [1, 2, 4])
def test_a_request_that_takes_long_keeps_no_other_back(consign: Consign, many: int, together: bool) -> None:  # noqa: FBT001
    clock = SystemClock()
    senders = Senders(Meeting(many), clock)
    since = Since(datetime.now(UTC), clock.monotonic())
    for attempt in attempts(consign, many):
        senders.post(attempt, REQUEST, since, together=together)
    heard: list[int] = []
    while senders.in_flight:
        for attempt, outcome in senders.answers(block=True):
            assert outcome == TAKEN
            heard.append(attempt.number)
    senders.end()
    assert sorted(heard) == list(range(many))


def test_whoever_waits_with_a_bound_helps_too(consign: Consign) -> None:
    clock = SystemClock()
    senders = Senders(Meeting(2), clock)
    since = Since(datetime.now(UTC), clock.monotonic())
    for attempt in attempts(consign, 2):
        senders.post(attempt, REQUEST, since, together=True)
    heard = 0
    while senders.in_flight:
        senders.wait(0.05)
        heard += sum(1 for _ in senders.answers(block=False))
    senders.end()
    assert heard == 2
