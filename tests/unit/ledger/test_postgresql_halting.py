"""`halt` and `resume` in a ledger in PostgreSQL: the last row counts, and nothing is armed after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from notifyctl.errors import HaltedError
from notifyctl.exit_codes import ExitCode
from notifyctl.ledger.postgresql import locks
from notifyctl.ledger.postgresql.halting import halt, halted, refuse_halted, resume
from notifyctl.ledger.postgresql.in_flight import active_run, count_batches, find_in_flight, where_stopped
from notifyctl.ledger.postgresql.store import PostgresStore
from notifyctl.ledger.postgresql.worker_writer import PostgresWorkerWriter
from notifyctl.ledger.postgresql.writer import PostgresWriter
from notifyctl.model.batch import Accepted
from notifyctl.model.campaign import Campaign, CampaignOptions
from notifyctl.model.halting import Halt
from notifyctl.model.project import ChannelName, Limits
from notifyctl.model.recipients import FINGERPRINT_BYTES, ID_BYTES, Scope
from notifyctl.testing import ManualClock
from tests.contract_ledgers import NAME, postgresql_ledger
from tests.postgres import drop_database, fresh_database

Connection = psycopg.Connection[Any]

TABLE = (
    b"CREATE TABLE IF NOT EXISTS halt (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, halted boolean NOT NULL,"
    b" reason text, who text NOT NULL, at timestamptz NOT NULL)"
)
NOW = datetime(2026, 11, 29, 20, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def url(postgres_server: str) -> Iterator[str]:
    url = fresh_database(postgres_server)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(TABLE)
    yield url
    drop_database(url, postgres_server)


@pytest.fixture
def connect(url: str) -> Iterator[Callable[[], Connection]]:
    """Makes connections to a ledger where nothing is halted."""
    made: list[Connection] = []

    def connect() -> Connection:
        made.append(psycopg.connect(url, autocommit=True))
        return made[-1]

    resume(connect(), "the fixture", NOW)
    yield connect
    for each in made:
        each.close()


def test_the_last_row_counts(connect: Callable[[], Connection]) -> None:
    connection = connect()
    assert halted(connection) is None
    refuse_halted(connection)
    assert halt(connection, "wrong price", "ann@example.com", NOW) == Halt(
        "ann@example.com", NOW, "wrong price"
    )
    assert halted(connect()) == Halt("ann@example.com", NOW, "wrong price")
    assert resume(connection, "bob@example.com", NOW) == Halt("ann@example.com", NOW, "wrong price")
    assert halted(connection) is None
    assert resume(connection, "bob@example.com", NOW) is None


def test_a_second_halt_keeps_the_first_unless_it_gives_a_reason(connect: Callable[[], Connection]) -> None:
    connection = connect()
    first = halt(connection, None, "ann@example.com", NOW)
    assert halt(connection, None, "bob@example.com", NOW) == first
    assert halt(connection, "wrong price", "bob@example.com", NOW).who == "bob@example.com"
    assert halt(connection, None, "ann@example.com", NOW).reason == "wrong price"


def test_the_error_says_who_why_and_what_to_do(connect: Callable[[], Connection]) -> None:
    connection = connect()
    halt(connection, "wrong price", "ann@example.com", NOW)
    with pytest.raises(HaltedError) as raised:
        refuse_halted(connection)
    assert raised.value.exit_code is ExitCode.HALTED
    assert (
        raised.value.message == "sending was halted by ann@example.com at 2026-11-29 20:00 UTC: wrong price"
    )
    assert "notifyctl resume" in str(raised.value.hint)


def test_halt_waits_for_who_is_arming_and_lets_nobody_arm_after(connect: Callable[[], Connection]) -> None:
    arming, next_one, halting, looking = (connect() for _ in range(4))
    with ThreadPoolExecutor(2) as pool:
        with arming.transaction():
            locks.share(arming, locks.Lock.FENCE)
            refuse_halted(arming)
            pending = pool.submit(halt, halting, None, "ann@example.com", NOW)
            wait_for_waiting(looking, halting)
            assert not pending.done()
            assert halted(looking) is None, "not before what is being armed is armed"
            later = pool.submit(arm, next_one)
            wait_for_waiting(looking, next_one)
        pending.result()
        with pytest.raises(HaltedError):
            later.result()


def arm(connection: Connection) -> None:
    """What ARM does before its record."""
    with connection.transaction():
        locks.share(connection, locks.Lock.FENCE)
        refuse_halted(connection)


def wait_for_waiting(looking: Connection, other: Connection) -> None:
    """Returns once the other connection waits for a lock."""
    query = b"SELECT count(*) FROM pg_locks WHERE pid = %s AND NOT granted"
    while looking.execute(query, (other.info.backend_pid,)).fetchone() == (0,):
        pass


def test_halt_during_a_run_of_three_workers(request: pytest.FixtureRequest) -> None:
    """Three sessions arm batch after batch; after the commit of the halt none arms any, and each is seen where it stopped."""
    store = postgresql_ledger(request, ManualClock(NOW))
    assert isinstance(store, PostgresStore)
    store.create()
    campaign = begin_campaign(store, batches=3_000)
    with ExitStack() as stack:
        looking = stack.enter_context(closing(store.connect())).connection
        names = ["web1", "web2", "web3"]
        workers = [
            looking.execute(
                b"INSERT INTO worker (name, started_at, version) VALUES (%s, %s, '1') RETURNING id",
                (name, NOW),
            ).fetchone()[0]  # type: ignore[index]
            for name in names
        ]
        sessions = [stack.enter_context(closing(session(store, campaign, each))) for each in workers]
        pool = stack.enter_context(ThreadPoolExecutor(3))
        sending = [
            pool.submit(send_until_halted, each, campaign.numbers[at::3]) for at, each in enumerate(sessions)
        ]
        begun = b"SELECT worker, count(*) FROM attempt GROUP BY worker HAVING count(*) >= 5"
        while len(looking.execute(begun).fetchall()) < 3:
            assert not any(each.done() for each in sending)
        halt(looking, "wrong price", "ann@example.com", NOW)
        armed = looking.execute(b"SELECT count(*) FROM attempt").fetchone()
        counts = [each.result() for each in sending]
        assert looking.execute(b"SELECT count(*) FROM attempt").fetchone() == armed == (sum(counts),)
        run = active_run(looking)
        assert run is not None
        assert find_in_flight(looking, run[0]) == []
        stopped = where_stopped(looking, run, [])
        assert [(each.worker, each.name, each.requests) for each in stopped] == [
            *zip(workers, names, counts, strict=True)
        ]
        assert count_batches(looking, run[0]) == (3_000, 3_000 - sum(counts))


def begin_campaign(store: PostgresStore, *, batches: int) -> Campaign:
    """Batches of one recipient each."""
    scope = Scope("offer", 1, "once", ChannelName.SMS)
    packed = [each.to_bytes(ID_BYTES) + bytes(FINGERPRINT_BYTES) for each in range(batches)]
    with store.writer("ann@web0 pid 7") as writer:
        assert isinstance(writer, PostgresWriter)
        numbers = writer.plan_batches(scope, packed, at=NOW)
        campaign = Campaign(
            epoch=writer.extent().epoch,
            digest="sha256:0",
            project=NAME,
            revision=None,
            as_of=NOW,
            options=CampaignOptions(),
            first_batch=numbers[0],
            batches=batches,
            recipients=batches,
            content_check=b"",
            at=NOW,
        )
        writer.begin_campaign(campaign, [], defer=lambda _connection, _batches: None, at=NOW)
    return campaign


def session(store: PostgresStore, campaign: Campaign, worker: int) -> PostgresWorkerWriter:
    database = store.connect()
    return PostgresWorkerWriter(
        database,
        store.identify(database),
        campaign=campaign,
        worker=worker,
        account=b"",
        limits=Limits(),
        defer=lambda _connection, _batches: None,
    )


def send_until_halted(writer: PostgresWorkerWriter, numbers: Sequence[int]) -> int:
    """How many batches it armed, each of which it settled too."""
    for count, number in enumerate(numbers):
        try:
            writer.arm(number, 1, seal=b"seal", at=NOW)
        except HaltedError:
            return count
        writer.settle(number, 1, Accepted(f"m{number}", 201), at=NOW)
    raise AssertionError("it was never halted")
