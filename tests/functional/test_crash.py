"""`kill -9` of real apply processes against a server that is not ours: nobody twice, nobody lost, the ledger true to the log."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: Hello $(name)}}
audience: {source: {file: people.csv}}
"""
PEOPLE = [f"+336399{80000 + n}" for n in range(400)]
ROUNDS = 12


def apply(cli: Any) -> subprocess.Popen[bytes]:
    digest = cli.plan()["digest"]
    return subprocess.Popen(
        [sys.executable, "-m", "notifyctl", "-C", str(cli.root), "apply", "--expect", digest],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=dict(os.environ),
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_random_kills(production: Any, foreign: Any, seed: int) -> None:
    chance = random.Random(seed)
    foreign.delay = 0.05
    project = (production.root / "notifyctl.yaml").read_text()
    production.write(
        notifyctl=project.replace("tps: 100000", "tps: 100000, destinationsPerRequest: 20"), hello=HELLO
    )
    production.write(**{"people.csv": "msisdn,name\n" + "".join(f"{n},P{n[-3:]}\n" for n in PEOPLE)})
    kills = 0
    for _ in range(ROUNDS):
        before = len(foreign.requests)
        process = apply(production)
        # Killed after a few requests have arrived, at an unforeseeable moment of the next ones.
        target = before + chance.randint(1, 4)
        while process.poll() is None and len(foreign.requests) < target:
            time.sleep(0.002)
        time.sleep(chance.random() * 0.05)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.wait()
    production.apply()
    assert kills > 1, "the runs were over before they could be killed"

    log = foreign.addresses
    assert len(log) == len(set(log)), "somebody was sent to twice"
    status = json.loads(production("status", "--format", "json").out)["notifications"][0]["outcomes"]
    assert sum(status.values()) == len(PEOPLE)
    assert status["not_begun"] == status["rejected"] == 0
    # Who is accepted was in the log; who is in the log is accepted or uncertain.
    assert status["accepted"] <= len(log) <= status["accepted"] + status["uncertain"]
    assert status["uncertain"] <= kills * 4 * 20, "uncertain: at most crashes x in flight x batch size"
    assert production.plan()["summary"]["uncertain"] == status["uncertain"]


def test_two_at_once_send_nobody_twice(production: Any, foreign: Any) -> None:
    foreign.delay = 0.02
    production.write(hello=HELLO)
    production.write(**{"people.csv": "msisdn,name\n" + "".join(f"{n},P\n" for n in PEOPLE[:60])})
    project = (production.root / "notifyctl.yaml").read_text()
    production.write(notifyctl=project.replace("tps: 100000", "tps: 100000, destinationsPerRequest: 10"))
    pair = [apply(production), apply(production)]
    codes = sorted(process.wait() for process in pair)
    # The other one finds the lock held, or comes late and finds that its digest is used up.
    assert codes[0] == 0
    assert codes[1] in {4, 5}
    assert sorted(foreign.addresses) == sorted(PEOPLE[:60])
