"""A run is killed, stopped, interrupted or robbed of its disk at each fault point. Whatever follows, nobody gets it twice.

The loop is that of SQLite's own tests: at the first point, at the second, … until a run ends unharmed. `RIG_ALL=1` tries all
pairs of points, not a sample of them. `-rP` shows how many points and runs there were.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from notifyctl.fault_injection import Point

ALL = bool(os.environ.get("RIG_ALL"))
PAIRS = 10
"""How many pairs are tried otherwise."""
TRIES = 8
"""Of the first crash of a pair, which a run may have passed by without it."""
AT_MOST = 200
"""Points in a run: a loop that goes further has lost its end."""
KILLED = f"signal {signal.SIGKILL.value}"
STOPPED = f"stop {signal.SIGSTOP.value}"


def test_an_ordinary_run_passes_every_point(rig: Any, tmp_path: Path) -> None:
    rig.fresh()
    points = tmp_path / "points"
    assert rig.apply(points=points).code == 0
    assert set(points.read_text().split()) == rig.ledger.points


def test_without_the_variable_no_point_does_anything(rig: Any) -> None:
    rig.fresh()
    assert rig.apply().code == 0
    assert rig.check(crashes=0, done=True)["accepted"] == set(rig.people)


def test_a_fault_that_does_not_exist_is_refused(rig: Any) -> None:
    rig.fresh()
    ended = rig.apply(fault="kill:NOWHERE")
    assert ended.code == 64
    assert "ARM.committed" in ended.err
    assert rig.taken() == []


def test_killed_at_every_point(rig: Any) -> None:
    for n in range(1, AT_MOST):
        rig.fresh()
        ended = rig.apply(fault=f"kill:#{n}")
        rig.check(crashes=1)
        rig.finish(crashes=1)
        if ended.how == "exit 0":
            break
        assert ended.how == KILLED
    assert n > len(Point), "the loop ended before it had been everywhere"
    sys.stdout.write(f"SIGKILL at {n - 1} points: {rig.runs} runs\n")


def test_killed_and_killed_again_while_recovering(rig: Any) -> None:
    rig.fresh()
    log = rig.folder / "points"
    rig.apply(points=log)
    count = len(log.read_text().split())
    pairs = list(product(range(1, count + 1), repeat=2))
    chosen = pairs if ALL else random.Random(count).sample(pairs, PAIRS)
    once = twice = 0
    for first, second in chosen:
        for _ in range(TRIES):
            rig.fresh()
            # How many points a run passes depends a little on when answers come.
            came = rig.apply(fault=f"kill:#{first}").how == KILLED
            if came:
                break
        once += came
        again = rig.apply(fault=f"kill:#{second}")
        twice += again.how == KILLED
        rig.check(crashes=2)
        rig.finish(crashes=2)
    assert once > len(chosen) * 0.9, "the first crash came too seldom"
    assert twice > len(chosen) / 10, "the second crash hardly ever came"
    sys.stdout.write(f"{len(chosen)} of {len(pairs)} pairs, the second hit in {twice}: {rig.runs} runs\n")


@pytest.mark.parametrize("point", Point)
def test_asked_to_end_at_a_point_it_ends_in_order(rig: Any, point: Point) -> None:
    rig.fresh()
    ended = rig.apply(fault=f"term:{point}")
    assert ended.code in {0, 130}
    # What was in flight was waited for: an orderly end leaves nobody uncertain.
    assert rig.check(crashes=0)["uncertain"] == set()
    rig.finish(crashes=0)


def skip_unknown(rig: Any, point: Point) -> None:
    if point not in rig.ledger.points:
        pytest.skip("a run with this ledger does not pass it")


def small(rig: Any) -> int:
    """A project with one recipient in a request; how many points a run of it passes."""
    log = rig.folder / "points-of-small-batches"
    if not log.exists():
        rig.fresh(90, size=1)
        assert rig.apply(points=log).code == 0
        names = log.read_text().split()
        assert names.count(Point.ARM_COMMITTED) == 90, "each request is armed by itself"
        assert names.count(Point.RESULT_COMMITTED) == 90, "each outcome is recorded by itself"
    rig.fresh(90, size=1)
    return len(log.read_text().split())


def some_of(rig: Any, salt: str) -> list[int]:
    """Points of a run of small batches: all, or a sample."""
    numbers = range(1, small(rig) + 1)
    return list(numbers) if ALL else sorted(random.Random(salt).sample(numbers, PAIRS))


def test_killed_while_small_batches_are_sent(rig: Any) -> None:
    """Only requests in flight are uncertain: the oracle allows one recipient for each of them."""
    for n in some_of(rig, "kill"):
        small(rig)
        ended = rig.apply(fault=f"kill:#{n}")
        assert ended.how in {KILLED, "exit 0"}  # how many points there are depends on when answers come
        rig.check(crashes=1)
        rig.finish(crashes=1)


def test_killed_before_an_arm_nobody_is_uncertain(rig: Any) -> None:
    """With one request at a time, none is in flight while the next one waits for its turn: it must not be armed yet."""
    rig.fresh(concurrency=1)
    points = rig.folder / "points-one-at-a-time"
    assert rig.apply(points=points).code == 0
    passed = points.read_text().split()
    before = [n for n, name in enumerate(passed, 1) if name in {Point.RESERVED, Point.ARM_COMMIT}]
    assert len(before) == 2 * 3, "three requests, each reserved and armed once"
    for n in before:
        rig.fresh(concurrency=1)
        assert rig.apply(fault=f"kill:#{n}").how == KILLED
        assert rig.check(crashes=0)["uncertain"] == set()
        rig.finish(crashes=0)


def test_asked_to_end_while_small_batches_are_sent(rig: Any) -> None:
    for n in some_of(rig, "term"):
        small(rig)
        ended = rig.apply(fault=f"term:#{n}")
        assert ended.code in {0, 130}
        assert rig.check(crashes=0)["uncertain"] == set()
        rig.finish(crashes=0)


def test_without_room_on_the_disk_while_small_batches_are_sent(rig: Any) -> None:
    for n in some_of(rig, "raise"):
        small(rig)
        rig.apply(fault=f"raise:#{n}")
        rig.check(crashes=1)
        rig.finish(crashes=1)


BEFORE_ANYTHING_LEAVES = tuple(Point)[: tuple(Point).index(Point.ARM_COMMITTED)]


@pytest.mark.parametrize("point", Point)
def test_without_room_on_the_disk_at_a_point(rig: Any, point: Point) -> None:
    skip_unknown(rig, point)
    rig.fresh()
    ended = rig.apply(fault=f"raise:{point}")
    assert ended.code not in {0, 7}
    if point in BEFORE_ANYTHING_LEAVES:
        assert rig.taken() == []
    rig.check(crashes=1)
    rig.finish(crashes=1)


@pytest.mark.parametrize("point", Point)
def test_paused_at_a_point_and_overtaken(rig: Any, point: Point) -> None:
    """The lock is lost, another run takes over, and then the first one wakes up."""
    skip_unknown(rig, point)
    # One request at a time: of two threads one could be caught in a commit of its own.
    rig.fresh(concurrency=1)
    paused = rig.start(fault=f"stop:{point}")
    first = rig.runs
    assert rig.wait(paused).how == STOPPED
    rig.ledger.lose_lock(rig.workspace())
    overtaking = rig.apply().code
    assert overtaking in rig.ledger.overtaking(point)
    rig.check(crashes=1, quiet=False)
    os.kill(paused, signal.SIGCONT)
    rig.wait(paused, first)
    rig.check(crashes=1)
    rig.finish(crashes=1)


@pytest.mark.parametrize("point", [Point.LOCK_TAKEN, Point.ARM_COMMITTED, Point.POST_BODY])
def test_paused_with_its_lock_nobody_else_begins(rig: Any, point: Point) -> None:
    rig.fresh()
    paused = rig.start(fault=f"stop:{point}")
    first = rig.runs
    assert rig.wait(paused).how == STOPPED
    before = rig.log.read_bytes() if point is not Point.POST_BODY else None
    other = rig.apply()
    assert other.code == 5
    assert "is locked by" in other.err
    assert before is None or rig.log.read_bytes() == before
    os.kill(paused, signal.SIGCONT)
    assert rig.wait(paused, first).code == 0
    rig.settled(crashes=0)
