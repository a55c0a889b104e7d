"""The rig with three workers on a ledger in PostgreSQL: killed, paused, cut off, and a queue that loses, doubles and reorders.

The oracle is that of every other run: nobody twice, nobody lost, who was sent something is accepted or unknown, and unknown are at most
those in flight. `NOTIFYCTL_SOAK=1` tries every point and many more seeds.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import psycopg
import pytest

from notifyctl.fault_injection import Point
from tests import requirements
from tests.postgres import Cutter, OwnServer, database_name, end_sessions
from tests.rig.campaigns import Campaign
from tests.rig.conftest import opened
from tests.rig.ledgers import PostgresLedger
from tests.rig.projects import Rig, Talk

SOAK = bool(os.environ.get("NOTIFYCTL_SOAK"))
KILLED, STOPPED = f"signal {signal.SIGKILL.value}", f"stop {signal.SIGSTOP.value}"
SLOW = {"do": "honest", "delay": 0.02}


@pytest.fixture(scope="module")
def warm(
    runner: Talk,
    sink_process: tuple[Talk, int],
    postgres_server: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Talk:
    """It has imported all that a worker imports."""
    folder = tmp_path_factory.mktemp("warm")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder))
        with opened(runner, sink_process, folder, PostgresLedger(postgres_server)) as rig:
            rig.fresh(1)
            campaign = Campaign(rig)
            campaign.begin()
            worker = rig.start("worker", modules=rig.folder / "modules")
            assert campaign.followed().code == 0
            os.kill(worker, signal.SIGTERM)
            assert rig.wait(worker).code == 0
            assert int(runner.ask({"import": str(rig.folder / "modules")})) > 100
    return runner


@pytest.fixture
def rig(tmp_path: Path, warm: Talk, sink_process: tuple[Talk, int], postgres_server: str) -> Iterator[Rig]:
    with opened(warm, sink_process, tmp_path, PostgresLedger(postgres_server)) as made:
        yield made


def chance(salt: object = 0) -> random.Random:
    """What CI tries is always the same; elsewhere each run tries something else."""
    return random.Random(f"19 {salt}" if requirements.in_ci() else os.urandom(8))


def settled(rig: Rig, *, crashes: int) -> dict[str, set[str]]:
    """The campaign has ended: nobody is without a word, and another run finds nothing to do."""
    believed = rig.check(crashes=crashes, done=True)
    assert rig.plan().sends == 0
    return believed


def test_three_workers_share_a_campaign(rig: Any) -> None:
    rig.fresh(60)
    campaign = Campaign(rig)
    campaign.begin()
    campaign.hire(None, None, None)
    assert campaign.followed().code == 0
    assert [ended.code for ended in campaign.dismiss()] == [0, 0, 0]
    assert settled(rig, crashes=0)["accepted"] == set(rig.people)


def killed_at(rig: Rig, *points: int) -> int:
    """Workers die at these points each, and another one completes what they left. Returns how many died."""
    rig.fresh(24, size=2)
    campaign = Campaign(rig)
    campaign.begin()
    campaign.hire(*(f"kill:#{n}" for n in points))
    died = campaign.wait_for_deaths()
    campaign.hire(None)
    ended = campaign.followed()
    campaign.dismiss()
    believed = settled(rig, crashes=died)
    assert ended.code == (7 if believed["uncertain"] else 0), ended
    return died


def points_of_a_worker(rig: Any) -> int:
    rig.fresh(24, size=2)
    campaign, log = Campaign(rig), rig.folder / "points-of-a-worker"
    campaign.begin()
    campaign.workers.append(rig.start("worker", points=log))
    assert campaign.followed().code == 0
    campaign.dismiss()
    passed = log.read_text().split()
    assert passed.count(Point.ARM_COMMITTED) == passed.count(Point.RESULT_COMMITTED) == 12
    return len(passed)


def test_killed_at_a_point_others_go_on(rig: Any) -> None:
    every = range(1, points_of_a_worker(rig) + 1)
    died = sum(killed_at(rig, n) for n in (every if SOAK else chance().sample(every, 2)))
    assert died
    sys.stdout.write(f"{died} killed at one of {len(every)} points\n")


@pytest.mark.skipif(not SOAK, reason="waits long for what two left behind; NOTIFYCTL_SOAK=1 runs it")
def test_two_killed_at_points_the_third_goes_on(rig: Any) -> None:
    few = range(1, 30)
    pairs = chance().sample(list(product(few, repeat=2)), 60)
    died = sum(killed_at(rig, *pair) for pair in pairs)
    assert died
    sys.stdout.write(f"{died} killed in {len(pairs)} pairs\n")


@pytest.mark.parametrize(
    "point", [Point.ARM_COMMIT, Point.ARM_COMMITTED, Point.POST_BODY, Point.RESULT_HEARD]
)
def test_paused_at_a_point_and_given_up(rig: Any, point: Point) -> None:
    """The server ends the sessions of a worker that is paused, others complete the campaign, and then it wakes up."""
    rig.fresh(24, concurrency=1, size=2)
    campaign = Campaign(rig)
    campaign.begin()
    campaign.hire(f"stop:{point}")
    [paused] = campaign.workers
    assert rig.wait(paused).how == STOPPED
    end_sessions(rig.ledger.url)
    campaign.hire(None, None)
    ended = campaign.followed()
    assert ended.code in {0, 7}, ended
    believed = rig.check(crashes=1, done=True, quiet=False)
    assert ended.code == (7 if believed["uncertain"] else 0), ended
    os.kill(paused, signal.SIGCONT)
    campaign.dismiss()
    settled(rig, crashes=1)


def disorder(url: str, random_jobs: random.Random) -> None:
    """What no queue should do to its jobs: lose, double, reorder them, and hand out again what somebody works on."""
    with psycopg.connect(url, autocommit=True) as connection:
        # Not the jobs' own functions: what is tried is a queue that went wrong.
        connection.execute("SET session_replication_role = replica")
        for statement in random_jobs.sample(DISORDERS, 2):
            connection.execute(statement)
    time.sleep(0.05)


SOME = "(SELECT id FROM procrastinate_jobs WHERE status = '{}' ORDER BY random() LIMIT 4)"
DOUBLE = (
    "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args, status)"
    " SELECT queue_name, task_name, priority, args, 'todo' FROM procrastinate_jobs WHERE id IN"
)
DISORDERS = [
    f"DELETE FROM procrastinate_jobs WHERE id IN {SOME.format('todo')}",
    f"UPDATE procrastinate_jobs SET priority = (random() * 100)::int WHERE id IN {SOME.format('todo')}",
    f"UPDATE procrastinate_jobs SET status = 'todo', worker_id = NULL WHERE id IN {SOME.format('doing')}",
    f"{DOUBLE} {SOME.format('todo')}",
    f"{DOUBLE} {SOME.format('doing')}",
]


@pytest.mark.parametrize("seed", range(20 if SOAK else 1))
def test_jobs_that_are_lost_doubled_and_reordered(rig: Any, seed: int) -> None:
    rig.fresh(160, size=2)
    rig.script(*[SLOW] * 200)
    campaign, random_jobs = Campaign(rig), chance(seed)
    campaign.begin()
    campaign.hire(None, None, None)
    ended = campaign.followed(meanwhile=lambda: disorder(rig.ledger.url, random_jobs))
    assert ended.code == 0, ended
    campaign.dismiss()
    assert settled(rig, crashes=0)["accepted"] == set(rig.people)


def test_a_queue_that_is_emptied_is_filled_again(rig: Any) -> None:
    rig.fresh(24, size=2)
    campaign = Campaign(rig)
    campaign.begin()
    campaign.wait_until_enqueued()
    with psycopg.connect(rig.ledger.url, autocommit=True) as connection:
        while (
            not (row := connection.execute("SELECT count(*) FROM procrastinate_jobs").fetchone())
            or not row[0]
        ):
            time.sleep(0.01)
        connection.execute("TRUNCATE procrastinate_jobs CASCADE")
    campaign.hire(None, None, None)
    assert campaign.followed().code == 0
    campaign.dismiss()
    assert settled(rig, crashes=0)["accepted"] == set(rig.people)


@pytest.mark.parametrize("seed", range(10 if SOAK else 1))
def test_killed_and_paused_at_random(rig: Any, seed: int) -> None:
    """One of three is killed every now and then, and replaced; another one is paused meanwhile."""
    rig.fresh(400, concurrency=3, size=4)
    rig.script(*[SLOW] * 300)
    campaign, events = Campaign(rig), chance(seed)
    campaign.begin()
    campaign.hire(None, None, None)
    kills = 0

    def fault() -> None:
        nonlocal kills
        time.sleep(events.uniform(0.3, 0.6))
        victim, paused = events.sample(campaign.workers, 2)
        os.kill(paused, signal.SIGSTOP)
        campaign.kill(victim)
        campaign.hire(None)
        kills += 1
        os.kill(paused, signal.SIGCONT)

    campaign.wait_for_requests(8)
    ended = campaign.followed(meanwhile=fault)
    campaign.dismiss()
    believed = settled(rig, crashes=kills)
    assert ended.code == (7 if believed["uncertain"] else 0), ended
    assert kills > 1, "it was over before anybody could be killed"
    sys.stdout.write(f"{kills} killed, {len(believed['uncertain'])} of 400 unknown\n")


@pytest.mark.parametrize("seed", range(10 if SOAK else 1))
def test_the_server_crashes_while_workers_send(
    tmp_path: Path, warm: Talk, sink_process: tuple[Talk, int], own_server: OwnServer, seed: int
) -> None:
    with opened(warm, sink_process, tmp_path, PostgresLedger(own_server.url)) as rig:
        rig.fresh(240, concurrency=2, size=2)
        rig.script(*[SLOW] * 200)
        campaign = Campaign(rig)
        campaign.begin()
        campaign.hire(None, None, None)
        campaign.wait_for_requests(chance(seed).randint(1, 150))
        own_server.restart("immediate")
        ended = campaign.followed()
        assert ended.code in {0, 7}, ended
        campaign.dismiss()
        believed = settled(rig, crashes=3)
        assert ended.code == (7 if believed["uncertain"] else 0), ended


@pytest.fixture(scope="module")
def own_server() -> Iterator[OwnServer]:
    with OwnServer() as server:
        yield server


@pytest.mark.parametrize("seed", range(10 if SOAK else 1))
def test_connections_are_cut_while_workers_send(
    tmp_path: Path, warm: Talk, sink_process: tuple[Talk, int], postgres_server: str, seed: int
) -> None:
    """A message is lost every now and then, of whatever session."""
    random_messages = chance(seed)
    with Cutter(postgres_server) as cutter:
        ledger = PostgresLedger(postgres_server, lambda url: cutter.url(database_name(url)))
        with opened(warm, sink_process, tmp_path, ledger) as rig:
            rig.fresh(120, concurrency=2, size=2)
            rig.script(*[SLOW] * 120)
            cutter.cut_at(None)
            campaign = Campaign(rig)
            campaign.begin()
            campaign.wait_until_enqueued()
            campaign.hire(None, None, None)

            def cut() -> None:
                cutter.cut_at(random_messages.randint(1, 400))
                time.sleep(0.5)

            ended = campaign.followed(until=120, meanwhile=cut)
            cutter.cut_at(None)
            campaign.dismiss()
            believed = settled(rig, crashes=cutter.cuts)
            assert ended.code == (7 if believed["uncertain"] else 0), ended
            sys.stdout.write(f"{cutter.cuts} cuts, {len(believed['uncertain'])} of 120 unknown\n")


def test_two_that_enqueue_at_once_and_one_that_sends_itself(rig: Any) -> None:
    """One of them has the ledger; the others find it locked, or come late."""
    rig.fresh(60)
    rig.script(*[SLOW] * 60)
    starts = [("apply", "--workers", "--format", "json")] * 2 + [("apply", "--format", "json")]
    running = [rig.start(*start) for start in starts]
    campaign = Campaign(rig, running[0])
    campaign.hire(None, None, None)
    codes = sorted(rig.wait(each).code for each in running)
    campaign.dismiss()
    assert codes[0] == 0
    assert set(codes) <= {0, 4, 5}
    assert settled(rig, crashes=0)["accepted"] == set(rig.people)


def test_after_a_halt_nothing_begins_until_it_is_resumed(rig: Any) -> None:
    rig.fresh(160, concurrency=2, size=2)
    rig.script(*[SLOW] * 200)
    campaign = Campaign(rig)
    campaign.begin()
    campaign.hire(None, None, None)
    campaign.wait_for_requests(20)
    assert rig.wait(rig.start("halt", "--reason", "the rig")).code == 0
    ended = campaign.followed()
    assert ended.code == 8, ended
    assert "the rig" in ended.err
    taken = len(rig.taken(quiet=False))
    time.sleep(1)
    assert len(rig.taken(quiet=False)) == taken < 160
    rig.check(crashes=0, quiet=False)
    assert rig.wait(rig.start("resume")).code == 0
    deadline = time.monotonic() + 60
    while len(rig.taken(quiet=False)) < 160 and time.monotonic() < deadline:
        time.sleep(0.05)
    campaign.dismiss()
    assert rig.check(crashes=0, done=True)["uncertain"] == set()
