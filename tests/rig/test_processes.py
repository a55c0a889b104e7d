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
from typing import Any

import pytest

ALL = bool(os.environ.get("RIG_ALL"))
ROUNDS = 50 if ALL else 10
SLOW = {"do": "honest", "delay": 0.05}


def process(rig: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "notifyctl", "-C", str(rig.root), "apply", "--expect", rig.plan().digest],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **rig.secrets},
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
