from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from notifyctl.apply.pacing import CATCH_UP, Pacer
from notifyctl.model.project import Limits, TpsCounts
from notifyctl.testing import ManualClock

TPS = 50
SIZES = st.lists(st.integers(1, TPS), min_size=1, max_size=40)
LATE = st.lists(st.sampled_from([0.0, 0.0, 0.003, 0.04, 0.4, 3.0]), min_size=40, max_size=40)
DRIFT = 1e-6  # what adding fractions of seconds loses


def starts(limits: Limits, sizes: list[int], late: list[float]) -> list[tuple[float, int]]:
    """When each request starts, and what it counts, where the runner wakes up late now and then."""
    clock = ManualClock(datetime(2026, 12, 1, tzinfo=UTC))
    pacer = Pacer(limits, clock)
    found = []
    for size, lateness in zip(sizes, late, strict=False):
        clock.sleep(pacer.wait() + lateness)
        pacer.started(size)
        found.append((clock.monotonic(), size))
    return found


@given(SIZES, LATE)
def test_no_second_holds_more_than_the_rate_and_one_request(sizes: list[int], late: list[float]) -> None:
    found = starts(Limits(tps=TPS), sizes, late)
    for first, _ in found:
        inside = [size for start, size in found if first <= start < first + 1 - DRIFT]
        assert sum(inside) <= TPS * (1 + CATCH_UP) + inside[-1]


@given(SIZES)
def test_the_rate_is_used_up(sizes: list[int]) -> None:
    found = starts(Limits(tps=TPS), sizes, [0.0] * 40)
    assert abs(found[-1][0] - sum(sizes[:-1]) / TPS) < DRIFT


def test_calls_count_once_whatever_their_size() -> None:
    found = starts(Limits(tps=4, tps_counts=TpsCounts.CALLS), [1000] * 5, [0.0] * 5)
    assert [round(start, 6) for start, _ in found] == [0, 0.25, 0.5, 0.75, 1]


def test_holding_off_keeps_the_distance_afterwards() -> None:
    clock = ManualClock(datetime(2026, 12, 1, tzinfo=UTC))
    pacer = Pacer(Limits(tps=TPS), clock)
    pacer.started(TPS)
    pacer.hold_off(10)
    assert pacer.wait() == 10
    pacer.hold_off(2)
    assert pacer.wait() == 10
    clock.advance(10)
    assert pacer.wait() == 0
    pacer.started(TPS)
    assert pacer.wait() == 1
