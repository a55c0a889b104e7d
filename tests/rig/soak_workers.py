"""Three workers, one killed every two seconds, one paused for 14 seconds, against a provider that is not ours; then the oracle.

    python tests/rig/soak_workers.py [--recipients 100000] [--size 100] [--workers 3] [--every 2] [--pause 14] [--seed 1]

Each is a process as a person starts it. Prints how many recipients were sent something twice, how many were lost in silence, and how
many have an unknown outcome, with the bound: those of the requests that dead workers had in flight. Exits 1 if one of them is wrong.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.postgres import OwnServer, memory_folder
from tests.rig.ledgers import PostgresLedger
from tests.rig.projects import HERE, Rig, Talk

COMMAND = [sys.executable, "-m", "notifyctl"]
LONGEST = 900.0
"""Seconds."""


class Crew:
    """The workers. Which of them is killed or paused is drawn from `chance`."""

    def __init__(self, rig: Rig, size: int, chance: random.Random) -> None:
        self._rig = rig
        self._chance = chance
        self._paused: tuple[subprocess.Popen[bytes], float] | None = None
        self.workers = [self.hire() for _ in range(size)]
        self.kills = 0
        self.pauses = 0

    def hire(self) -> subprocess.Popen[bytes]:
        return start(self._rig, "worker")

    def kill_one(self) -> None:
        """Not the one that is paused; a new one takes its place."""
        awake = [worker for worker in self.workers if self._paused is None or worker is not self._paused[0]]
        victim = self._chance.choice(awake)
        victim.kill()
        victim.wait()
        self.kills += 1
        self.workers[self.workers.index(victim)] = self.hire()

    def pause_one(self, seconds: float) -> None:
        """One at a time, again and again."""
        if self._paused is None:
            worker = self._chance.choice(self.workers)
            worker.send_signal(signal.SIGSTOP)
            self._paused = worker, time.monotonic() + seconds
            self.pauses += 1
        elif time.monotonic() > self._paused[1]:
            self._paused[0].send_signal(signal.SIGCONT)
            self._paused = None

    def dismiss(self) -> None:
        for worker in self.workers:
            worker.send_signal(signal.SIGTERM)
            worker.send_signal(signal.SIGCONT)
        for worker in self.workers:
            worker.wait(60)


def start(rig: Rig, *arguments: str) -> subprocess.Popen[bytes]:
    rig.runs += 1
    with (rig.folder / f"said-{rig.runs}").open("wb") as said:
        command = [*COMMAND, arguments[0], "-C", str(rig.root), *arguments[1:]]
        return subprocess.Popen(command, stdout=said, stderr=said, env={**os.environ, **rig.secrets})


@contextmanager
def provided(asked: argparse.Namespace) -> Iterator[Rig]:
    """A project with so many recipients, a server of its own, and the provider."""
    folder = Path(tempfile.mkdtemp(prefix="notifyctl-soak-", dir=memory_folder()))
    os.environ["XDG_STATE_HOME"] = str(folder)
    try:
        with (
            OwnServer() as server,
            Talk("-I", "-S", str(HERE / "sink.py"), str(folder / "unused.jsonl")) as sink,
            Talk(str(HERE / "runner.py")) as runner,
        ):
            ledger = PostgresLedger(server.url)
            rig = Rig(folder, runner, sink, int(sink.line()), ledger)
            rig.fresh(asked.recipients, concurrency=asked.concurrency, size=asked.size, tps=asked.tps)
            rig.script(*[{"do": "honest", "delay": asked.delay}] * (2 * asked.recipients // asked.size))
            yield rig
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def disturb(rig: Rig, crew: Crew, asked: argparse.Namespace) -> tuple[int, float]:
    """Kills and pauses until the campaign has ended. Returns how it ended, and the seconds it took."""
    began = time.monotonic()
    following = start(rig, "apply", "--workers", "--expect", rig.plan().digest)
    while not rig.log.stat().st_size:
        assert following.poll() is None, (rig.folder / f"said-{rig.runs}").read_text()
        time.sleep(0.05)
    next_kill = time.monotonic()
    while following.poll() is None:
        if time.monotonic() >= next_kill:
            crew.kill_one()
            next_kill += asked.every
        crew.pause_one(asked.pause)
        time.sleep(0.02)
        assert time.monotonic() - began < LONGEST, "it does not end"
    return following.returncode, time.monotonic() - began


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in (
        ("recipients", 100_000),
        ("size", 100),
        ("workers", 3),
        ("concurrency", 4),
        ("tps", 30),
        ("seed", 1),
    ):
        parser.add_argument(f"--{name}", type=int, default=default)
    for name, seconds in (("every", 2.0), ("pause", 14.0), ("delay", 0.1)):
        parser.add_argument(f"--{name}", type=float, default=seconds)
    asked = parser.parse_args()
    with provided(asked) as rig:
        crew = Crew(rig, asked.workers, random.Random(asked.seed))
        try:
            code, seconds = disturb(rig, crew, asked)
        finally:
            crew.dismiss()
        taken = Counter(rig.taken())
        believed = rig.believed()
        with psycopg.connect(rig.ledger.direct["LEDGER_URL"]) as connection:
            row = connection.execute(
                "SELECT count(*), coalesce(sum(length(members) / 28), 0) FROM batch JOIN LATERAL (SELECT kind FROM outcome"
                " WHERE outcome.batch = number ORDER BY kind = 'accepted' DESC, id DESC LIMIT 1) AS said ON kind = 'unknown'"
            ).fetchone()
        problems = report(rig, asked, crew, taken, believed)
        say(
            f"{seconds:.0f} s, exit code {code}; batches with an unknown outcome, and their recipients: {row}"
        )
        for problem in problems:
            say(f"WRONG: {problem}")
        return int(bool(problems))


def report(
    rig: Rig, asked: argparse.Namespace, crew: Crew, taken: Counter[str], believed: dict[str, set[str]]
) -> list[str]:
    accepted, unknown = believed["accepted"], believed["uncertain"]
    twice = sum(times > 1 for times in taken.values())
    lost = set(rig.people) - accepted - unknown
    bound = crew.kills * asked.concurrency * asked.size
    say(
        f"{asked.recipients:,} recipients, {asked.size} in a request, {asked.workers} workers;"
        f" {crew.kills} killed, {crew.pauses} pauses of {asked.pause:g} s"
    )
    say(
        f"twice: {twice}; lost: {len(lost)}; unknown: {len(unknown)} (the provider has {len(unknown & taken.keys())} of them;"
        f" at most {bound} were in flight); accepted: {len(accepted)}"
    )
    found = {
        "sent twice": twice > 0,
        "lost in silence": bool(lost),
        "more unknown than were in flight": len(unknown) > bound,
        "accepted, and the provider never had it": not accepted <= taken.keys(),
        "the provider has it, and the ledger would send it again": not taken.keys() <= accepted | unknown,
        "nobody was killed": crew.kills == 0,
    }
    return [name for name, is_so in found.items() if is_so]


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
