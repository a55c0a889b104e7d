"""What workers need of a queue: jobs in our transaction, again only when told so, those of the dead to others, an orderly end."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from notifyctl.engine.procrastinate_queue import ProcrastinateQueue
from notifyctl.engine.queue import Queue, Waking
from notifyctl.errors import LedgerError
from notifyctl.ledger.postgresql.migrations import queue_schema
from tests.postgres import Cutter, copied_database

Connection = psycopg.Connection[tuple[Any, ...]]
SOON = Waking(poll=0.1, listen=True)


def prepare(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(queue_schema().encode())


@pytest.fixture
def url(postgres_server: str) -> str:
    return copied_database(postgres_server, "queue", prepare)


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    with psycopg.connect(url, autocommit=True) as found:
        yield found


@pytest.fixture
def queue(url: str) -> Queue:
    return ProcrastinateQueue(url)


def serve_until(queue: Queue, send: Callable[[int], float | None], done: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 20
    queue.serve(send, concurrency=3, waking=SOON, stopping=lambda: done() or time.monotonic() > give_up)


def test_jobs_are_of_the_transaction(queue: Queue, connection: Connection) -> None:
    with connection.transaction(force_rollback=True):
        queue.defer(connection, [1, 2])
        assert queue.live_batches(connection) == {1, 2}
    assert queue.live_batches(connection) == frozenset()
    with connection.transaction():
        queue.defer(connection, range(3, 1003))
    queue.defer(connection, [])
    assert queue.live_batches(connection) == frozenset(range(3, 1003))


def test_each_job_is_handed_on_and_gone(queue: Queue, connection: Connection) -> None:
    queue.defer(connection, range(1, 31))
    seen: Counter[int] = Counter()
    together = threading.Barrier(3)

    def send(batch: int) -> float | None:
        seen[batch] += 1
        if batch <= 3:
            together.wait(timeout=10)  # as many at a time as are allowed
        # The fifth is not accepted twice, and comes again soon.
        return 0.01 if batch == 5 and seen[5] < 3 else None

    serve_until(queue, send, lambda: sum(seen.values()) == 32)
    assert seen == Counter(range(1, 31)) + Counter({5: 2})
    assert queue.live_batches(connection) == frozenset()
    assert connection.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() == (0,)


def test_what_is_in_hand_is_finished_and_the_rest_stays(queue: Queue, connection: Connection) -> None:
    queue.defer(connection, range(1, 11))
    begun, ended = threading.Event(), Counter[int]()

    def send(batch: int) -> float | None:
        begun.set()
        time.sleep(0.3)
        ended[batch] += 1
        return None

    serve_until(queue, send, begun.is_set)
    assert ended, "who is stopped finishes"
    assert max(ended.values()) == 1
    assert queue.live_batches(connection) == frozenset(range(1, 11)) - ended.keys()


def test_the_jobs_of_a_dead_worker_go_to_others(queue: Queue, connection: Connection) -> None:
    queue.defer(connection, [1, 2, 3])
    # One has a worker that has not been heard of, one a worker that is no more, one waits.
    connection.execute(
        "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 minute')"
    )
    connection.execute("SELECT procrastinate_fetch_job_v2(NULL, (SELECT min(id) FROM procrastinate_workers))")
    connection.execute("SELECT procrastinate_fetch_job_v2(NULL, NULL)")
    assert queue.live_batches(connection) == {1, 2, 3}
    assert queue.revive(connection, stale=120) == 1
    assert queue.revive(connection) == 1
    assert queue.revive(connection) == 0
    seen: list[int] = []
    serve_until(queue, seen.append, lambda: len(seen) == 3)
    assert sorted(seen) == [1, 2, 3]


def test_a_defect_ends_the_worker_with_it(queue: Queue, connection: Connection) -> None:
    queue.defer(connection, [1])

    def send(batch: int) -> float | None:
        raise RuntimeError(f"batch {batch}")

    with pytest.raises(RuntimeError, match="batch 1"):
        serve_until(queue, send, lambda: False)


def test_without_its_database_it_says_so(url: str, postgres_server: str) -> None:
    name = urlsplit(url).path.removeprefix("/")
    with Cutter(postgres_server) as proxy:
        queue, cut = ProcrastinateQueue(proxy.url(name), connect_timeout=0.5), threading.Event()

        def stopping() -> bool:
            if not cut.is_set():
                cut.set()
                proxy.__exit__()
            return False

        with pytest.raises(LedgerError, match="the queue in the ledger's database cannot be used"):
            queue.serve(lambda _: None, concurrency=1, waking=SOON, stopping=stopping)
        assert cut.is_set(), "it was served until then"
