"""Requests that are handed over together ride with a thread that is at work; none waits for one that is stuck."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from notifyctl.apply.batches import cut
from notifyctl.apply.job import Stop
from notifyctl.apply.senders import LAPSED, Attempt, Ready, Senders, Since, left
from notifyctl.clock import SystemClock
from notifyctl.model.batch import Accepted, Batch, Outcome, PreparedRequest, Rejected, SendGroup
from notifyctl.ports import Provider

Consign = Callable[..., SendGroup]
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


class Gate:
    """ports.Provider whose requests wait until they are let through, one by one; they end as `script` says."""

    identity = "gate"

    def __init__(self, *script: Outcome) -> None:
        self.begun = 0
        self._script = iter(script)
        self._turn = threading.Lock()
        self._free = threading.Semaphore(0)

    def prepare(self, batch: Batch) -> PreparedRequest:
        return REQUEST

    def send(self, request: PreparedRequest) -> Outcome:
        with self._turn:
            self.begun += 1
            outcome = next(self._script, TAKEN)
        assert self._free.acquire(timeout=10)
        return outcome

    def let(self, many: int) -> None:
        self._free.release(many)

    def close(self) -> None:
        pass


def handed_over(
    consignment: SendGroup,
    provider: Provider,
    many: int,
    *,
    most: int = 1,
    stop: Stop | None = None,
    together: bool = True,
) -> Senders:
    """Threads that were given so many requests at once, numbered from 0."""
    clock = SystemClock()
    senders = Senders(provider, clock, most=most, stop=stop or Stop())
    since = Since(datetime.now(UTC), clock.monotonic())
    [part] = cut(consignment, 1)
    for number in range(many):
        senders.post(Ready(Attempt(0.0, number, 1, part), b"", REQUEST), since, together=together)
    return senders


def ada(consign: Consign) -> SendGroup:
    return consign([("EC1M", "Ada")])


def heard(senders: Senders) -> list[tuple[int, Outcome | BaseException]]:
    """The next answers, once there is one."""
    return [(attempt.number, outcome) for attempt, outcome in senders.answers(block=True)]


def all_heard(senders: Senders) -> list[tuple[int, Outcome | BaseException]]:
    """Every answer to what is in flight; then the threads may go."""
    found = []
    while senders.in_flight:
        found += heard(senders)
    senders.end()
    return found


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("many", [1, 2, 4])
def test_a_request_that_takes_long_keeps_no_other_back(consign: Consign, many: int, together: bool) -> None:  # noqa: FBT001
    senders = handed_over(ada(consign), Meeting(many), many, most=many, together=together)
    assert sorted(all_heard(senders)) == [(number, TAKEN) for number in range(many)]


def test_whoever_waits_with_a_bound_helps_too(consign: Consign) -> None:
    senders = handed_over(ada(consign), Meeting(2), 2, most=2)
    found = 0
    while senders.in_flight:
        senders.wait(0.05)
        found += sum(1 for _ in senders.answers(block=False))
    senders.end()
    assert found == 2


@pytest.mark.parametrize("most", [1, 2, 3])
def test_however_many_wait_no_more_are_under_way_than_allowed(consign: Consign, most: int) -> None:
    gate = Gate()
    senders = handed_over(ada(consign), gate, 6, most=most)
    for _ in range(most + 2):
        senders.wait(0.05)
    assert gate.begun == most
    assert (senders.in_flight, senders.waiting) == (6, 6 - most)
    gate.let(6)
    assert sorted(number for number, _ in all_heard(senders)) == [0, 1, 2, 3, 4, 5]


REJECTED = Rejected("no", 400)


def test_what_waits_behind_one_that_is_not_accepted_stays_until_it_is_taken_back(consign: Consign) -> None:
    gate = Gate(TAKEN, REJECTED)
    senders = handed_over(ada(consign), gate, 5)
    gate.let(5)
    found = heard(senders)
    while len(found) < 2:
        found += heard(senders)
    assert found == [(0, TAKEN), (1, REJECTED)]
    assert senders.halted
    assert heard(senders) == [], "nothing comes, and nobody waits for it"
    back = senders.back()
    assert [ready.attempt.number for ready, _ in back] == [2, 3, 4]
    assert (senders.in_flight, gate.begun, senders.halted) == (0, 2, False)
    for ready, since in back:
        senders.post(ready, since, together=True)
    assert all_heard(senders) == [(2, TAKEN), (3, TAKEN), (4, TAKEN)]


def test_told_to_stop_nothing_that_waits_leaves(consign: Consign) -> None:
    gate, stop = Gate(), Stop()
    senders = handed_over(ada(consign), gate, 4, stop=stop)
    while not gate.begun:
        senders.wait(0.01)
    stop.request()
    gate.let(4)
    assert heard(senders) == [(0, TAKEN)]
    assert heard(senders) == []
    assert [ready.attempt.number for ready, _ in senders.back()] == [1, 2, 3]
    assert (gate.begun, senders.in_flight) == (1, 0)
    senders.end()


def test_what_waits_until_its_window_shuts_does_not_leave(consign: Consign) -> None:
    gate = Gate()
    ends = datetime.now(UTC) + timedelta(seconds=0.3)
    senders = handed_over(replace(ada(consign), not_after=ends), gate, 2)
    while datetime.now(UTC) <= ends:
        senders.wait(0.05)
    gate.let(2)
    assert all_heard(senders) == [(0, TAKEN), (1, Rejected(LAPSED))]
    assert gate.begun == 1
    assert not left(Rejected(LAPSED))
