"""A campaign in PostgreSQL: it keeps its epoch, two workers never arm one batch, and what is left behind is swept or taken over."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from notifyctl.engine.procrastinate_queue import ProcrastinateQueue
from notifyctl.errors import HaltedError, LedgerError, LedgerLockedError
from notifyctl.ledger.postgresql import campaigns, locks
from notifyctl.ledger.postgresql.database import PostgresDatabase
from notifyctl.ledger.postgresql.halting import halt, resume
from notifyctl.ledger.postgresql.store import PostgresStore
from notifyctl.ledger.postgresql.worker_writer import PostgresWorkerWriter
from notifyctl.ledger.postgresql.writer import PostgresWriter
from notifyctl.model.batch import Accepted, Refused, Rejected, ScopeOpening, Unknown
from notifyctl.model.campaign import Campaign, CampaignOptions, PlannedAgain, content_check
from notifyctl.model.ledger import BatchState
from notifyctl.model.project import ChannelName, Limits
from notifyctl.model.recipients import FINGERPRINT_BYTES, ID_BYTES, Scope
from tests.contract_ledgers import NAME

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
SMS = Scope("outage", 1, "once", ChannelName.SMS)
SEAL = b"seal"
BATCHES = 5


def members(*people: int) -> bytes:
    return b"".join(number.to_bytes(ID_BYTES) + bytes(FINGERPRINT_BYTES) for number in people)


@pytest.fixture
def queue() -> ProcrastinateQueue:
    return ProcrastinateQueue("")


@pytest.fixture
def campaign(store: PostgresStore, queue: ProcrastinateQueue) -> Campaign:
    """Five batches of two people each."""
    with store.writer("planner") as writer:
        extent = writer.extent()
        packed = [members(2 * at, 2 * at + 1) for at in range(BATCHES)]
        numbers = writer.plan_batches(SMS, packed, at=AT)
        made = Campaign(
            epoch=extent.epoch,
            digest="sha256:0",
            project=NAME,
            revision=None,
            as_of=AT,
            options=CampaignOptions(only=("outage",), extent=extent),
            first_batch=numbers[0],
            batches=BATCHES,
            recipients=2 * BATCHES,
            content_check=content_check((SMS, each) for each in packed),
            at=AT,
        )
        assert isinstance(writer, PostgresWriter)
        writer.begin_campaign(made, [ScopeOpening(SMS, b"", (7,))], defer=queue.defer, at=AT)
    return made


def session(
    store: PostgresStore, campaign: Campaign, queue: ProcrastinateQueue, worker: int
) -> PostgresWorkerWriter:
    database = store.connect()
    return PostgresWorkerWriter(
        database,
        store.identify(database),
        campaign=campaign,
        worker=worker,
        account=b"account",
        limits=Limits(),
        defer=queue.defer,
    )


def test_a_campaign_is_read_as_it_was_recorded_with_its_jobs(
    campaign: Campaign, database: PostgresDatabase, queue: ProcrastinateQueue, store: PostgresStore
) -> None:
    assert campaigns.find_open(database) == campaign
    assert queue.live_batches(database.connection) == set(campaign.numbers)
    found = campaigns.progress(database, campaign)
    assert (found.batches, found.done, found.recipients, found.ended) == (BATCHES, 0, 2 * BATCHES, None)
    with closing(store.reader()) as reader:
        assert reader.opening(SMS) is not None
        assert reader.runs()[-1].ended is None, "it goes on"


def test_while_it_is_open_nobody_else_begins(
    campaign: Campaign, database: PostgresDatabase, store: PostgresStore
) -> None:
    message = r"run 1 is being sent by workers: 0 of 5 batches are done"
    with pytest.raises(LedgerLockedError, match=message), store.writer("another"):
        pass
    assert campaigns.find_open(database) == campaign
    halt(database.connection, None, "ops", AT)
    with store.writer("another"):
        pass
    assert campaigns.find_open(database) is None
    assert campaigns.how_ended(database, campaign.epoch) == campaigns.TAKEN_OVER


def test_of_two_workers_with_one_batch_one_arms_it(
    campaign: Campaign, store: PostgresStore, queue: ProcrastinateQueue, database: PostgresDatabase
) -> None:
    with (
        closing(session(store, campaign, queue, 1)) as one,
        closing(session(store, campaign, queue, 2)) as two,
    ):
        number = campaign.first_batch
        one.arm(number, 1, seal=SEAL, at=AT)
        with pytest.raises(LedgerError, match="armed"):
            two.arm(number, 1, seal=SEAL, at=AT)
        two.release(number, 1, Rejected("never left", posted=False), at=AT)
        record = two.find(number)
        assert record is not None
        assert record.state is BatchState.ARMED, "it is not that worker's to release"
        assert one.began() == AT
        one.settle(number, 1, Rejected("busy", 429, retryable=True), at=AT)
        assert not one.is_ended(number)
        two.arm(number, 2, seal=SEAL, at=AT)
        two.settle(number, 2, Rejected("bad request", 400), at=AT)
        assert one.is_ended(number)
        with pytest.raises(LedgerError, match="the campaign has ended for batch"):
            one.arm(number, 3, seal=SEAL, at=AT)
        one.arm(number + 1, 1, seal=SEAL, at=AT)
        one.release(number + 1, 1, Rejected("never left", posted=False), at=AT)
        two.arm(number + 1, 2, seal=SEAL, at=AT)
        two.settle(number + 1, 2, Accepted("id", 202), at=AT)
        one.arm(number + 2, 1, seal=SEAL, at=AT)
        one.settle(number + 2, 1, Unknown("reset"), at=AT)
    found = campaigns.progress(database, campaign)
    assert (found.done, found.accepted, found.rejected, found.unknown) == (3, 2, 2, 2)
    last = campaigns.last_batch(database, campaign)
    assert campaigns.unended(database, campaign.first_batch, last, limit=9) == [
        (number + 3, BatchState.PLANNED),
        (number + 4, BatchState.PLANNED),
    ]


def test_a_batch_is_planned_again_once_with_its_jobs(
    campaign: Campaign, store: PostgresStore, queue: ProcrastinateQueue, database: PostgresDatabase
) -> None:
    with (
        closing(session(store, campaign, queue, 1)) as one,
        closing(session(store, campaign, queue, 2)) as two,
    ):
        parts = [(members(1), "opted out")]
        [made] = one.plan_again(campaign.first_batch, parts, at=AT)
        assert two.plan_again(campaign.first_batch, parts, at=AT) == []
        assert two.planned_again(made) == PlannedAgain(campaign.first_batch, "opted out")
        assert two.planned_again(campaign.first_batch) is None
        assert queue.live_batches(database.connection) == {*campaign.numbers, made}
        assert campaigns.last_batch(database, campaign) == made == campaign.numbers[-1] + 1
        with pytest.raises(LedgerError, match="the campaign has ended for batch"):
            two.arm(campaign.first_batch, 1, seal=SEAL, at=AT)
        two.arm(made, 1, seal=SEAL, at=AT)


def test_nothing_is_armed_while_it_is_halted_or_once_it_has_ended(
    campaign: Campaign, store: PostgresStore, queue: ProcrastinateQueue, database: PostgresDatabase
) -> None:
    with closing(session(store, campaign, queue, 1)) as worker:
        halt(database.connection, "wrong text", "ops", AT)
        with pytest.raises(HaltedError, match="wrong text"):
            worker.arm(campaign.first_batch, 1, seal=SEAL, at=AT)
        resume(database.connection, "ops", AT)
        worker.arm(campaign.first_batch, 1, seal=SEAL, at=AT)
        worker.settle(campaign.first_batch, 1, Refused("wrong key", 401), at=AT)
        worker.end_campaign("refused: wrong key", at=AT)
        worker.end_campaign("finished", at=AT)
        with pytest.raises(LedgerError, match="the campaign has ended"):
            worker.arm(campaign.first_batch + 1, 1, seal=SEAL, at=AT)
        assert campaigns.find_open(database) is None
        assert campaigns.how_ended(database, campaign.epoch) == "refused: wrong key"
        with store.writer("the next"), pytest.raises(LedgerLockedError):
            worker.arm(campaign.first_batch + 1, 1, seal=SEAL, at=AT)


def test_what_a_dead_worker_left_armed_is_unknown_and_what_a_living_one_did_after_a_time(
    campaign: Campaign, store: PostgresStore, queue: ProcrastinateQueue, database: PostgresDatabase
) -> None:
    number = campaign.first_batch
    with (
        closing(session(store, campaign, queue, 1)) as dead,
        closing(session(store, campaign, queue, 2)) as alive,
        closing(store.connect()) as life,
    ):
        assert locks.try_worker(life.connection, 2)
        dead.arm(number, 1, seal=SEAL, at=AT)
        alive.arm(number + 1, 1, seal=SEAL, at=AT)
        alive.arm(number + 2, 1, seal=SEAL, at=AT)
        alive.settle(number + 2, 1, Accepted("id", 202), at=AT)

        def swept(before: datetime) -> int:
            armed = campaigns.armed(database, campaign, campaign.numbers[-1])
            living = sorted(locks.living_workers(database.connection))
            return campaigns.sweep(database, campaign, living=living, armed=armed, before=before, at=AT)

        assert [swept(AT), swept(AT)] == [1, 0]
        assert [swept(AT + timedelta(seconds=1)), swept(AT + timedelta(seconds=1))] == [1, 0]
        found = campaigns.progress(database, campaign)
        assert (found.unknown, found.accepted, found.in_flight) == (4, 2, 0)
        dead.settle(number, 1, Accepted("id-2", 202), at=AT)
    assert campaigns.progress(database, campaign).accepted == 4, "who comes back says what became of it"
