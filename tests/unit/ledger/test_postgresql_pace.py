"""The pace of an account: reserved starts, which need no waiting to be looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifyctl.ledger.postgresql.pace import LEAD, AccountPace
from notifyctl.model.project import Limits, TpsCounts
from tests.postgres import drop_database, fresh_database

Connection = psycopg.Connection[Any]

TABLE = b"CREATE TABLE IF NOT EXISTS pace (account bytea PRIMARY KEY, next_at timestamptz NOT NULL, held_until timestamptz)"
SECOND = timedelta(seconds=1)
TICK = timedelta(microseconds=2)
"""PostgreSQL counts in microseconds."""


@pytest.fixture(scope="module")
def connections(postgres_server: str) -> Iterator[Sequence[Connection]]:
    """Three workers' connections."""
    url = fresh_database(postgres_server)
    with ExitStack() as stack:
        yield [stack.enter_context(psycopg.connect(url, autocommit=True)) for _ in range(3)]
    drop_database(url, postgres_server)


@pytest.fixture(autouse=True, scope="module")
def tables(connections: Sequence[Connection]) -> None:
    connections[0].execute(TABLE)


class Workers:
    """Workers of one account, and when what they reserved starts."""

    def __init__(self, connections: Sequence[Connection], limits: Limits) -> None:
        self.account = uuid4().bytes
        self.paces = [AccountPace(each, self.account, limits) for each in connections]
        self._connection = connections[0]

    def reserve(self, worker: int, destinations: int) -> datetime:
        """The reserved start, by the row."""
        pace = self.paces[worker]
        pace.reserve(destinations)
        row = self._connection.execute(
            b"SELECT next_at - make_interval(secs => %s) FROM pace WHERE account = %s",
            (pace.takes(destinations), self.account),
        ).fetchone()
        assert row is not None
        start = row[0]
        assert isinstance(start, datetime)
        return start


class HandClock:
    """Stands still, unless a test moves it."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        raise NotImplementedError

    def monotonic(self) -> float:
        return self.passed

    def sleep(self, seconds: float) -> None:
        raise NotImplementedError

    def wait(self, happened: object, seconds: float) -> None:
        raise NotImplementedError


@settings(max_examples=15)
@given(
    tps=st.integers(1, 5_000),
    share=st.floats(0.01, 1),
    counts=st.sampled_from(TpsCounts),
    turns=st.lists(st.tuples(st.integers(0, 2), st.floats(0, 1)), min_size=2, max_size=25),
)
def test_no_second_has_more_than_the_rate_and_one_batch(
    connections: Sequence[Connection],
    tps: int,
    share: float,
    counts: TpsCounts,
    turns: list[tuple[int, float]],
) -> None:
    largest = max(1, round(tps * share))
    workers = Workers(connections, Limits(tps=tps, tps_counts=counts))
    sizes = [max(1, round(part * largest)) for _, part in turns]
    starts = [workers.reserve(worker, size) for (worker, _), size in zip(turns, sizes, strict=True)]
    weights = sizes if counts is TpsCounts.DESTINATIONS else [1] * len(sizes)
    for (start, weight), (following, _) in pairwise(zip(starts, weights, strict=True)):
        assert following - start >= SECOND * weight / tps - TICK
    for start in starts:
        within = sum(
            weight
            for each, weight in zip(starts, weights, strict=True)
            if start <= each < start + SECOND - TICK * len(starts)
        )
        assert within <= tps + max(weights)


def test_workers_at_once_reserve_starts_one_behind_the_other(connections: Sequence[Connection]) -> None:
    workers = Workers(connections, Limits(tps=10))
    first = workers.reserve(0, 600)  # so that all others are to come, however slow this machine is
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda pace: [pace.reserve(5) for _ in range(20)], workers.paces))
    # 60 starts of half a second each: none was given twice, and none was lost.
    assert abs(workers.reserve(0, 1) - first - 90 * SECOND) < 60 * TICK


def test_another_account_has_a_pace_of_its_own(connections: Sequence[Connection]) -> None:
    one, other = (Workers(connections, Limits(tps=1)) for _ in range(2))
    assert one.paces[0].reserve(1_000) == 0
    assert one.paces[1].reserve(1) > 900
    assert other.paces[0].reserve(1) == 0


def test_429_holds_off_every_worker(connections: Sequence[Connection]) -> None:
    first, second, third = Workers(connections, Limits(tps=10)).paces
    assert first.held() == 0
    first.hold_off(3_600)
    second.hold_off(10)  # what a shorter answer asks takes nothing back
    assert min(each.held() for each in (first, second, third)) > 3_000
    assert second.reserve(10) > 3_000
    assert third.reserve(10) > 3_000


def test_a_reserved_start_inside_a_hold_off_is_reserved_anew(connections: Sequence[Connection]) -> None:
    waiting, other, _ = Workers(connections, Limits(tps=10)).paces
    waiting.reserve(600)
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        other.hold_off(3_600)
        return len(waits) < 2

    assert waiting.take_turn(1, clock=HandClock(), wait=wait) is None
    assert waits[0] < 100
    assert waits[1] > 3_000


def test_a_start_that_was_missed_is_reserved_anew(connections: Sequence[Connection]) -> None:
    pace = Workers(connections, Limits(tps=10)).paces[0]
    clock = HandClock()
    paused = iter([14.0, 0.0])
    pace.reserve(600)
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        clock.passed += seconds + next(paused)
        return True

    start = pace.take_turn(5, clock=clock, wait=wait)
    assert len(waits) == 2
    assert start is not None
    assert start - clock.passed == pytest.approx(LEAD), "it is armed before, and posted then"
