"""The reconciler against what happens while it looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
from psycopg import Connection

from notifyctl.app.workers.reconciler import Reconciler
from notifyctl.engine.queue import STALE, Send, Waking
from notifyctl.ledger.postgresql import campaigns
from notifyctl.ledger.postgresql.store import PostgresStore
from notifyctl.ledger.postgresql.worker_writer import PostgresWorkerWriter
from notifyctl.ledger.postgresql.writer import PostgresWriter
from notifyctl.model.batch import Accepted
from notifyctl.model.campaign import Campaign, CampaignOptions, content_check
from notifyctl.model.project import ChannelName, Limits
from notifyctl.model.recipients import FINGERPRINT_BYTES, ID_BYTES, Scope
from notifyctl.testing import ManualClock
from tests.contract_ledgers import NAME, postgresql_ledger

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
SMS = Scope("outage", 1, "once", ChannelName.SMS)
MEMBERS = [number.to_bytes(ID_BYTES) + bytes(FINGERPRINT_BYTES) for number in range(2)]


class Interrupted:
    """A queue without jobs; while it is asked to revive some, something else happens."""

    def __init__(self, happens: Callable[[], object] = lambda: None) -> None:
        self.happens = happens
        self.deferred: list[int] = []

    def defer(self, _: Connection[Any], batches: Sequence[int]) -> None:
        self.deferred += batches

    def live_batches(self, _: Connection[Any]) -> frozenset[int]:
        return frozenset()

    def revive(self, _: Connection[Any], *, stale: float = STALE) -> int:
        self.happens()
        return 0

    def serve(
        self, send: Send, *, concurrency: int, waking: Waking, stopping: Callable[[], bool]
    ) -> None: ...


@pytest.fixture
def store(request: pytest.FixtureRequest) -> PostgresStore:
    made = postgresql_ledger(request, ManualClock(AT))
    assert isinstance(made, PostgresStore)
    made.create()
    return made


@pytest.fixture
def campaign(store: PostgresStore) -> Campaign:
    """One batch of two people."""
    with store.writer("planner") as writer:
        extent = writer.extent()
        [number] = writer.plan_batches(SMS, [b"".join(MEMBERS)], at=AT)
        made = Campaign(
            epoch=extent.epoch,
            digest="sha256:0",
            project=NAME,
            revision=None,
            as_of=AT,
            options=CampaignOptions(extent=extent),
            first_batch=number,
            batches=1,
            recipients=2,
            content_check=content_check([(SMS, b"".join(MEMBERS))]),
            at=AT,
        )
        assert isinstance(writer, PostgresWriter)
        writer.begin_campaign(made, [], defer=Interrupted().defer, at=AT)
    return made


@pytest.fixture
def session(store: PostgresStore, campaign: Campaign) -> Iterator[PostgresWorkerWriter]:
    with closing(store.connect()) as database:
        yield PostgresWorkerWriter(
            database,
            store.identify(database),
            campaign=campaign,
            worker=1,
            account=b"account",
            limits=Limits(),
            defer=Interrupted().defer,
        )


def test_a_batch_that_is_planned_again_meanwhile_is_sent(
    store: PostgresStore, campaign: Campaign, session: PostgresWorkerWriter
) -> None:
    """Somebody opts out between the reconciler's looks at what there is and at what is done: the rest has still to be sent."""
    with closing(store.connect()) as database:
        first = campaign.first_batch
        queue = Interrupted(lambda: session.plan_again(first, [(MEMBERS[0], None)], at=AT))
        found = Reconciler(queue, ManualClock(AT)).look(database, campaign)
        assert found is not None
        assert not found.ended
        assert campaigns.how_ended(database, campaign.epoch) is None
        queue.happens = lambda: None
        Reconciler(queue, ManualClock(AT)).look(database, campaign)
        assert queue.deferred[-1] == first + 1


def test_it_ends_with_the_last_batch(
    store: PostgresStore, campaign: Campaign, session: PostgresWorkerWriter
) -> None:
    with closing(store.connect()) as database:
        session.arm(campaign.first_batch, 1, seal=b"", at=AT)
        session.settle(campaign.first_batch, 1, Accepted("id", 201), at=AT)
        found = Reconciler(Interrupted(), ManualClock(AT)).look(database, campaign)
        assert found is not None
        assert found.ended
        assert campaigns.how_ended(database, campaign.epoch) == campaigns.FINISHED
