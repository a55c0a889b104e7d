"""Real processes, started as a person starts them: killed at any moment, and two at the same time."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from statistics import median
from typing import Any, NamedTuple

import pytest

from notifyctl.fault_injection import FAULT_LOG, Point

ALL = bool(os.environ.get("RIG_ALL"))
ROUNDS = 50 if ALL else 10
KILLS = int(os.environ.get("RIG_KILLS", "12" if ALL else "3"))
SLOW = {"do": "honest", "delay": 0.05}


def process(rig: Any, **environ: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "notifyctl", "-C", str(rig.root), "apply", "--expect", rig.plan().digest],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **rig.secrets, **environ},
    )


@pytest.mark.parametrize("seed", range(1, 11 if ALL else 3))
def test_killed_at_random(rig: Any, seed: int) -> None:
    """50 ms for an answer, batches of 50, four at once; `kill -9` until everybody is done."""
    chance = random.Random(seed)
    rig.fresh(900, concurrency=4, size=50)
    rig.script(*[SLOW] * 100)
    kills, code = 0, None
    while code is None:
        running = process(rig)
        before = rig.log.stat().st_size
        # A few requests after its first, at an unforeseeable moment of the next ones.
        more = chance.randint(1, 12) * 50 * 60
        while running.poll() is None and rig.log.stat().st_size < before + more:
            time.sleep(0.002)
        time.sleep(chance.random() * 0.05)
        running.send_signal(signal.SIGKILL)
        kills += running.wait() == -signal.SIGKILL
        code = running.returncode if running.returncode >= 0 else None
        rig.check(crashes=kills)
    assert kills > 1, "the runs were over before they could be killed"
    assert code in {0, 7}
    believed = rig.settled(crashes=kills)
    status = json.loads(rig.says("status", "--format", "json"))["notifications"][0]["outcomes"]
    assert (status["accepted"], status["uncertain"]) == (
        len(believed["accepted"]),
        len(believed["uncertain"]),
    )
    assert sum(status.values()) == 900
    sys.stdout.write(f"seed {seed}: {kills} kills, {status}\n")


class Kill(NamedTuple):
    """People whom a kill left uncertain, by what their request was doing; `waiting` counts requests."""

    uncertain: int
    never_left: int
    in_flight: int
    answered: int
    waiting: int

    @property
    def excess(self) -> int:
        return self.uncertain - self.in_flight


ENOUGH = 40
"""Kills from which on a median says something."""
SIZES = {1: 16, 10: 16, 50: 8, 100: 4, 200: 4, 400: 4, 500: 4, 1000: 4}
"""Recipients in a request → requests in flight at once."""


COLUMNS = (
    "people a request",
    "kills",
    "in flight (max)",
    "uncertain (max)",
    "excess (max)",
    "excess (median)",
    "never left (max)",
    "answered, not recorded (max)",
    "requests armed, not begun (max)",
)


@pytest.mark.parametrize("size", SIZES if ALL else (1, 50))
def test_after_a_kill_only_requests_in_flight_are_uncertain(rig: Any, size: int) -> None:
    """Tabulates whom a kill leaves uncertain, by what their request was doing. An answer takes 50 to 300 ms.

    In flight is who was read whole by the sink and not answered. The excess over them is at most what `concurrency`
    requests hold, made only of requests that were connecting or being written ("never left"), and of answers on the wire.
    The process's own log of fault points says how many requests were armed and not yet begun: none waits for its turn, so
    that is at most the one that is being handed to its thread. The sink goes on answering a dead process for a moment, so
    that some who were in flight count as answered.
    """
    random_moments = random.Random(size)
    found: list[Kill] = []
    room = SIZES[size] * size
    people = max(240, 3 * room)
    while len(found) < KILLS:
        rig.fresh(people, concurrency=SIZES[size], size=size, tps=400)
        rig.script(*[{"do": "honest", "delay": random_moments.uniform(0.05, 0.3)} for _ in range(people)])
        points = rig.folder / f"points-{rig.rounds}"
        running = process(rig, **{FAULT_LOG: str(points)})
        while running.poll() is None and not rig.log.stat().st_size:
            time.sleep(0.002)
        time.sleep(random_moments.uniform(0.0, 0.6))
        with rig.sink.paused():  # or it would go on answering, to nobody
            running.send_signal(signal.SIGKILL)
            how = running.wait()
            answered, taken = rig.answered(), set(rig.taken(quiet=False))
        if how != -signal.SIGKILL:
            continue
        passed = Counter(points.read_text().split())
        # Nobody twice, nobody lost.
        uncertain = rig.check(crashes=1)["uncertain"]
        found.append(
            Kill(
                uncertain=len(uncertain),
                never_left=len(uncertain - taken),
                in_flight=len(uncertain & taken - answered),
                answered=len(uncertain & answered),
                waiting=passed[Point.ARM_COMMITTED] - passed[Point.POST_BEGUN],
            )
        )
        rig.finish(crashes=1)
    excesses = [kill.excess for kill in found]
    row = (
        size,
        len(found),
        max(kill.in_flight for kill in found),
        max(kill.uncertain for kill in found),
        max(excesses),
        int(median(excesses)),
        max(kill.never_left for kill in found),
        max(kill.answered for kill in found),
        max(kill.waiting for kill in found),
    )
    if size == min(SIZES):
        sys.stdout.write(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}\n")
    sys.stdout.write(f"| {' | '.join(map(str, row))} |\n")
    assert all(excess <= room for excess in excesses)
    assert all(kill.waiting <= 1 for kill in found), "a request was armed that waited for its turn"
    if len(found) >= ENOUGH:
        assert median(excesses) == 0


def test_two_at_once_never_send_two_messages(rig: Any) -> None:
    two_at_once(rig, ROUNDS)


def two_at_once(rig: Any, rounds: int, *, delay: float = 0.02) -> None:
    ends: Counter[tuple[int, ...]] = Counter()
    for _ in range(rounds):
        rig.fresh()
        rig.script(*[{"do": "honest", "delay": delay}] * 6)
        pair = [(rig.start(), rig.runs), (rig.start(), rig.runs)]
        ended = [rig.wait(*each) for each in pair]
        codes = tuple(sorted(each.code for each in ended))
        # The other one finds the lock held, or comes late: then its digest is used up, or it planned after the first. Or a file of
        # SQLite that nobody had open was opened by the first while it planned.
        assert codes in {(0, 5), (0, 4), (0, 0), (0, 1)}, ended
        said = {5: "is locked by", 1: "was written to while it was read"}
        if codes[1] in said:
            assert any(said[codes[1]] in each.err for each in ended)
        assert rig.check(crashes=0, done=True)["accepted"] == set(rig.people)
        ends[codes] += 1
    assert ends[0, 5] > 0, "they never met"
    sys.stdout.write(f"{rounds} rounds: {dict(ends)}\n")
