"""The rig with a ledger in PostgreSQL: the same faults, with the same oracle, and those that only a server has.

The connection is cut at the n-th message of a run, and the server crashes in its middle. `NOTIFYCTL_SOAK=1` tries everything that
SQLite is tried with, every message, and more crashes; otherwise it is what tells most in a minute.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace

from notifyctl.app.ledger import ledger_store
from notifyctl.errors import LedgerError
from notifyctl.fault_injection import Point
from notifyctl.ledger.postgresql import locks
from tests import requirements
from tests.postgres import Cutter, OwnServer, database_name, end_sessions
from tests.rig import test_crash_loop as crash_loop
from tests.rig import test_lying_providers as lying_providers
from tests.rig import test_processes as processes
from tests.rig.conftest import opened
from tests.rig.ledgers import PostgresLedger
from tests.rig.projects import Rig, Talk

SOAK = bool(os.environ.get("NOTIFYCTL_SOAK"))
ONLY_IN_A_SOAK = pytest.mark.skipif(not SOAK, reason="takes minutes; NOTIFYCTL_SOAK=1 runs it")


@pytest.fixture
def rig(tmp_path: Path, runner: Talk, sink_process: tuple[Talk, int], postgres_server: str) -> Iterator[Rig]:
    with opened(runner, sink_process, tmp_path, PostgresLedger(postgres_server)) as made:
        yield made


def chance() -> random.Random:
    """What CI tries is always the same; elsewhere each run tries something else."""
    return random.Random(19 if requirements.in_ci() else os.urandom(8))


test_an_ordinary_run_passes_every_point = crash_loop.test_an_ordinary_run_passes_every_point

if SOAK:
    for _module in (crash_loop, lying_providers, processes):
        _tests = {name: value for name, value in vars(_module).items() if name.startswith("test_")}
        globals().update({name: value for name, value in _tests.items() if "page" not in name})


def test_killed_at_some_points(rig: Any) -> None:
    """Every sixth that a run passes. In CI always the same."""
    for n in range(1 + chance().randrange(6), crash_loop.AT_MOST, 6):
        rig.fresh()
        ended = rig.apply(fault=f"kill:#{n}")
        rig.check(crashes=1)
        rig.finish(crashes=1)
        if ended.how == "exit 0":
            break
        assert ended.how == crash_loop.KILLED
    assert n > len(rig.ledger.points), "the loop ended before it had been everywhere"


@pytest.mark.parametrize(
    "point", [Point.ARM_COMMIT, Point.ARM_COMMITTED, Point.POST_BODY, Point.RESULT_COMMIT]
)
def test_paused_at_some_points_and_overtaken(rig: Any, point: Point) -> None:
    crash_loop.test_paused_at_a_point_and_overtaken(rig, point)


@pytest.mark.parametrize(("point", "held"), [(Point.ARM_COMMIT, "share"), (Point.EPOCH_COMMIT, "take")])
def test_the_fence_is_held_until_the_commit(rig: Any, point: Point, held: str) -> None:
    """Who arms shares it with others who arm, and who begins an epoch has it alone."""
    rig.fresh(concurrency=1)
    paused = rig.start(fault=f"stop:{point}")
    assert rig.wait(paused).how == crash_loop.STOPPED

    def is_free(*, alone: bool) -> bool:
        function = "pg_try_advisory_xact_lock" if alone else "pg_try_advisory_xact_lock_shared"
        with psycopg.connect(rig.ledger.url) as connection:
            row = connection.execute(
                f"SELECT {function}(%s, %s)", (locks.LEDGER, int(locks.Lock.FENCE))
            ).fetchone()
        assert row is not None
        return bool(row[0])

    assert not is_free(alone=True)
    assert is_free(alone=False) is (held == "share")
    os.kill(paused, signal.SIGCONT)
    assert rig.wait(paused).code == 0
    assert is_free(alone=True)


def test_two_at_once_send_nothing_twice(rig: Any) -> None:
    """Longer than a run waits for the lock of one that has just died."""
    processes.two_at_once(rig, 20 if SOAK else 2, delay=0.5)


@ONLY_IN_A_SOAK
def test_paused_within_a_commit_it_keeps_others_waiting_for_seconds_only(rig: Any) -> None:
    """It keeps its session: the server ends a transaction in which nothing happens."""
    rig.fresh(concurrency=1)
    paused, first = rig.start(fault=f"stop:{Point.ARM_COMMIT}"), rig.runs
    assert rig.wait(paused).how == crash_loop.STOPPED
    workspace = rig.workspace()
    ledger_store(workspace, workspace.environment(None)).unlock("the rig")
    assert rig.apply().code == 0
    before = rig.taken()
    os.kill(paused, signal.SIGCONT)
    assert rig.wait(paused, first).code in {1, 5}
    assert rig.taken() == before
    rig.settled(crashes=0)


def small_run(rig: Any) -> None:
    """Three requests of two, one after the other: how many messages it takes depends on nothing."""
    rig.fresh(6, concurrency=1, size=2)


def test_the_connection_is_cut_at_a_message(
    tmp_path: Path, runner: Talk, sink_process: tuple[Talk, int], postgres_server: str
) -> None:
    """At each of a small run, or at some: nothing of it arrives, and nothing after it."""
    with Cutter(postgres_server) as cutter:
        ledger = PostgresLedger(postgres_server, lambda url: cutter.url(database_name(url)))
        with opened(runner, sink_process, tmp_path, ledger) as rig:
            messages = messages_of_small_run(rig, cutter)
            every = range(1, messages + 1)
            chosen = every if SOAK else sorted(chance().sample(every, 12))
            ends: Counter[int] = Counter()
            wrong = {}
            for n in chosen:
                small_run(rig)
                cutter.cut_at(None)
                digest, cuts = rig.plan().digest, cutter.cuts
                cutter.cut_at(n)
                ended = rig.wait(rig.start(digest=digest))
                cutter.cut_at(None)
                try:
                    assert cutter.cuts == cuts + 1, "it never came"
                    assert ended.code in {0, 1, 7}
                    end_sessions(ledger.url)  # the server may not have noticed yet that the lock is free
                    rig.check(crashes=1)
                    rig.finish(crashes=1)
                    ends[ended.code] += 1
                except AssertionError as error:
                    wrong[n] = f"{error}: {ended.err}"
            assert not wrong, f"of {messages} messages: {wrong}"
            sys.stdout.write(f"{len(chosen)} of {messages} messages; exit codes: {dict(ends)}\n")


def messages_of_small_run(rig: Any, cutter: Cutter) -> int:
    small_run(rig)
    cutter.cut_at(None)
    assert rig.wait(rig.start(digest=rig.plan().digest)).code == 0
    return cutter.passed


def test_a_run_that_begins_while_the_connection_is_cut_says_so(rig: Any, postgres_server: str) -> None:
    """Whichever message is lost, from the first one on, what is raised is an error with words for it."""
    rig.fresh(1)
    workspace = rig.workspace()
    environment = workspace.environment(None)
    with Cutter(postgres_server) as cutter:
        environ = {**workspace.environ, "LEDGER_URL": cutter.url(database_name(rig.ledger.url))}
        store = ledger_store(replace(workspace, environ=environ), environment)

        def begin() -> None:
            with store.writer("the rig"):
                pass

        cutter.cut_at(None)
        begin()
        lost = 0
        for n in range(1, cutter.passed + 1, 1 if SOAK else 3):
            cutter.cut_at(n)
            try:
                begin()
            except LedgerError as error:
                assert "cannot be reached" in error.message  # noqa: PT017 - some messages may be lost without harm
                lost += 1
            # The server has not noticed yet that somebody with the lock is gone.
            end_sessions(rig.ledger.url)
        assert lost > cutter.cuts / 2


@pytest.mark.parametrize("seed", range(20 if SOAK else 2))
def test_the_server_crashes_in_the_middle_of_a_run(
    tmp_path: Path, runner: Talk, sink_process: tuple[Talk, int], own_server: OwnServer, seed: int
) -> None:
    chance = random.Random(seed)
    with opened(runner, sink_process, tmp_path, PostgresLedger(own_server.url)) as rig:
        rig.fresh(120, concurrency=3, size=2)
        rig.script(*[{"do": "honest", "delay": 0.01}] * 80)
        running, first = rig.start(), rig.runs
        wanted = chance.randint(1, 110)
        while not rig.log.exists() or rig.log.read_bytes().count(b"\n") < wanted:
            time.sleep(0.002)
        own_server.restart("immediate")
        ended = rig.wait(running, first)
        assert ended.code in {0, 1, 7}, ended
        rig.check(crashes=1)
        rig.finish(crashes=1)


@pytest.fixture(scope="module")
def own_server() -> Iterator[OwnServer]:
    with OwnServer() as server:
        yield server
