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
from pathlib import Path
from typing import Any

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


SIZES = {1: 16, 10: 16, 50: 8, 100: 4, 200: 4, 400: 4, 500: 4, 1000: 4}
"""Recipients in a request → requests in flight at once."""


@pytest.mark.parametrize("size", SIZES if ALL else (1, 50))
def test_after_a_kill_only_requests_in_flight_are_uncertain(rig: Any, size: int) -> None:
    """Tabulates whom a kill leaves uncertain, by what their request was doing. An answer takes 50 to 300 ms.

    The sink's log says who had arrived and who was answered; it goes on answering a dead process for a moment, so that
    some of the unanswered count as answered. The process's own log of fault points says how many requests were armed and
    not yet begun.
    """
    random_moments = random.Random(size)
    found: list[dict[str, int]] = []
    people = max(900, 3 * SIZES[size] * size)
    for _ in range(KILLS):
        rig.fresh(people, concurrency=SIZES[size], size=size, tps=400)
        rig.script(*[{"do": "honest", "delay": random_moments.uniform(0.05, 0.3)} for _ in range(people)])
        points = rig.folder / f"points-{rig.rounds}"
        running = process(rig, **{FAULT_LOG: str(points)})
        while running.poll() is None and not rig.log.stat().st_size:
            time.sleep(0.002)
        time.sleep(random_moments.uniform(0.0, 0.6))
        running.send_signal(signal.SIGKILL)
        if running.wait() != -signal.SIGKILL:
            continue
        # What the sink knew when the process died: it goes on answering, to nobody.
        answered_file = Path(f"{rig.log}.answered")
        answered = set(answered_file.read_text().split()) if answered_file.exists() else set()
        taken = set(rig.taken(quiet=False))
        passed = Counter(points.read_text().split())
        # No more than requests in flight hold, and nobody twice.
        uncertain = rig.check(crashes=1)["uncertain"]
        found.append(
            {
                "uncertain": len(uncertain),
                "connecting or being written": len(uncertain - taken),
                "unanswered": len(uncertain & taken - answered),
                "answered on the wire": len(uncertain & answered),
                "requests armed and not begun": passed[Point.ARM_COMMITTED] - passed[Point.POST_BEGUN],
            }
        )
        rig.finish(crashes=1)
    assert found, "every run was over before it could be killed"
    worst = {name: max(each[name] for each in found) for name in found[0]}
    sys.stdout.write(
        f"| {size} | {len(found)} | {SIZES[size] * size} | {' | '.join(map(str, worst.values()))} |\n"
    )


def test_two_at_once_never_send_two_messages(rig: Any) -> None:
    ends: Counter[tuple[int, ...]] = Counter()
    for _ in range(ROUNDS):
        rig.fresh()
        rig.script(*[{"do": "honest", "delay": 0.02}] * 6)
        pair = [(rig.start(), rig.runs), (rig.start(), rig.runs)]
        ended = [rig.wait(*each) for each in pair]
        codes = tuple(sorted(each.code for each in ended))
        # The other one finds the lock held, or comes late: then its digest is used up, or it planned after the first.
        assert codes in {(0, 5), (0, 4), (0, 0)}, ended
        if codes == (0, 5):
            assert any("is held by" in each.err for each in ended)
        assert rig.check(crashes=0, done=True)["accepted"] == set(rig.people)
        ends[codes] += 1
    assert ends[0, 5] > 0, "they never met"
    sys.stdout.write(f"{ROUNDS} rounds: {dict(ends)}\n")
