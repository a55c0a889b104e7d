"""Receipts in a ledger in PostgreSQL: matched as one at a time, and folded to the same in any order, by any number at once."""

from __future__ import annotations

import json
import random
import re
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from notifyctl.app.receipts.recorder import Match, Matcher
from notifyctl.app.receipts.reduction import Reducer
from notifyctl.apply.correlation import callback_data, correlation_ids
from notifyctl.ledger.database import Database, Row
from notifyctl.ledger.postgresql.database import PostgresDatabase
from notifyctl.ledger.postgresql.receipt_inbox import (
    fold_receipts,
    is_full,
    put_receipts,
    record_receipts,
    waiting_receipts,
)
from notifyctl.ledger.postgresql.receipt_matching import match_page
from notifyctl.ledger.postgresql.store import PostgresStore
from notifyctl.model.batch import Accepted, Rejected, Unknown
from notifyctl.model.ledger import BatchState
from notifyctl.model.project import ChannelName
from notifyctl.model.received import Received
from notifyctl.model.recipients import FINGERPRINT_BYTES, Scope
from notifyctl.providers.webexconnect.receipts import Incoming
from notifyctl.testing import ManualClock
from tests.contract_ledgers import NAME, migrate
from tests.postgres import copied_database, drop_database

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
OUTCOMES = {
    "accepted": Accepted("msg", 202),
    "in part": Accepted("msg", 202, refused={0: "blocked"}, unheard=frozenset({1})),
    "rejected": Rejected("bad request", 400),
    "unknown": Unknown("read timed out"),
    "armed": None,
}
"""How each batch ended: with the same people in as many scopes."""
PEOPLE = 4


@dataclass(frozen=True, slots=True)
class Sent:
    """The batches that one example sent, to people of its own, by what became of them."""

    people: list[str]
    batches: dict[str, int]

    def seal(self, batch: int) -> bytes:
        return batch.to_bytes(16)

    def message(self, kind: str) -> str:
        """The provider's id of the response to a batch."""
        return f"msg-{self.batches[kind]}"


class Sending:
    """One ledger for all examples: each sends to people of its own, so that none sees another's."""

    def __init__(self, store: PostgresStore) -> None:
        self.store = store
        self.database = store.connect()
        self.identity = store.identify(self.database)
        with closing(store.reader()) as reader:
            self.identify = reader.recipient_ids
        self.reducer = Reducer(self.identify, NAME)
        self.examples = 0

    def send(self, kinds: Sequence[str] = tuple(OUTCOMES)) -> Sent:
        [sent] = self.send_alike(kinds, copies=1)
        return sent

    def send_alike(self, kinds: Sequence[str] = tuple(OUTCOMES), *, copies: int = 2) -> list[Sent]:
        """By one run: the next one's beginning makes unknown what is armed."""
        sent = []
        with self.store.writer("test") as writer:
            for _ in range(copies):
                self.examples += 1
                people = [f"p{number}-{self.examples}@acme.example" for number in range(PEOPLE)]
                members = b"".join(each + bytes(FINGERPRINT_BYTES) for each in self.identify(people))
                sent.append(Sent(people, {}))
                for edition, kind in enumerate(kinds, start=1):
                    scope = Scope("hello", edition, f"example {self.examples}", ChannelName.EMAIL)
                    [number] = writer.plan_batches(scope, [members], at=AT)
                    sent[-1].batches[kind] = number
                    writer.arm(number, 1, seal=number.to_bytes(16), at=AT)
                    outcome = OUTCOMES[kind]
                    if isinstance(outcome, Accepted):
                        outcome = Accepted(
                            f"msg-{number}", 202, refused=outcome.refused, unheard=outcome.unheard
                        )
                    if outcome is not None:
                        writer.settle(number, 1, outcome, at=AT)
        return sent

    def reduce(self, receipts: Sequence[Incoming]) -> list[Received]:
        return [self.reducer.reduce(each, AT) for each in receipts]

    def state(self, sent: Sent) -> dict[str, Any]:
        """What the ledger holds of each batch: the state of each member and its folded receipts."""
        found: dict[str, Any] = {}
        with closing(self.store.reader()) as reader:
            for kind, number in sent.batches.items():
                batch = reader.find(number)
                assert batch is not None
                states = [batch.others.get(position, batch.state) for position in range(PEOPLE)]
                found[kind] = (states, dict(reader.deliveries(number)))
        return found

    def count(self) -> tuple[int, int]:
        """Receipts in the ledger, and those of them without a match."""
        [row] = self.database.rows("SELECT count(*), count(*) FILTER (WHERE batch IS NULL) FROM receipt")
        return row[0], row[1]


@pytest.fixture(scope="module")
def sending(postgres_server: str) -> Iterator[Sending]:
    url = copied_database(postgres_server, "migrated", migrate)
    store = PostgresStore(url, name=NAME, clock=ManualClock(AT), max_clock_difference=None)
    store.create()
    made = Sending(store)
    yield made
    made.database.close()
    drop_database(url, postgres_server)


@dataclass(frozen=True, slots=True)
class Told:
    """What a receipt has of a batch and a person. `None`: nothing of it."""

    kind: str
    person: int
    destination: str | None
    correlation: str | None
    callback: str | None
    transaction: str | None
    status: str
    inbound: bool

    def receipt(self, sent: Sent, number: int) -> Incoming:
        batch = sent.batches[self.kind]
        ours = correlation_ids(batch, [self.person], sent.seal(batch))[0]
        forged = correlation_ids(batch, [self.person], b"another seal 16b")[0]
        destinations = {"their own": sent.people[self.person], "another's": sent.people[self.person - 1]}
        names = {
            "ours": ours,
            "forged": forged,
            "author's": f"customer {self.person}",
            "of a test": "notifyctl-test-1-0000",
        }
        callbacks = {
            "ours": callback_data(NAME, batch, 1),
            "another ledger's": callback_data("acme/other", batch, 1),
            "author's": "campaign 7",
        }
        ids = {"first": sent.message(self.kind), "later": f"{sent.message(self.kind)}_{self.person}"}
        fields = (
            destinations.get(self.destination or "", self.destination),
            None if self.inbound else names.get(self.correlation or ""),
            None if self.inbound else callbacks.get(self.callback or ""),
            ids.get(self.transaction or ""),
        )
        status = "unsubscribed" if self.inbound else self.status
        canonical = json.dumps([number, sent.people[0], status, fields])
        channel = ChannelName.EMAIL.value if self.inbound and self.person % 2 else None
        return Incoming(
            status,
            *fields,
            code="7521",
            said_at=None,
            canonical=canonical,
            channel=channel,
            inbound=self.inbound,
        )


TOLD = st.builds(
    Told,
    kind=st.sampled_from(list(OUTCOMES)),
    person=st.integers(0, PEOPLE - 1),
    destination=st.sampled_from(
        ["their own", "their own", "another's", "stranger@acme.example", "nonsense", None]
    ),
    correlation=st.sampled_from(["ours", "forged", "author's", "author's", "of a test", None]),
    callback=st.sampled_from(["ours", "another ledger's", "author's", None, None]),
    transaction=st.sampled_from(["first", "later", None, None]),
    status=st.sampled_from(["submitted", "delivered", "failed", "read", "clicked"]),
    inbound=st.sampled_from([False, False, False, True]),
)


def test_a_page_is_matched_as_its_receipts_are_one_by_one(sending: Sending) -> None:
    """Also where few people are uncertain, so that the destination alone decides."""

    @settings(max_examples=12, deadline=None, phases=[Phase.generate])
    @given(
        st.lists(TOLD, min_size=30, max_size=60), st.sampled_from([["unknown"], ["armed"], list(OUTCOMES)])
    )
    def check(told: list[Told], kinds: list[str]) -> None:
        sent = sending.send(kinds)
        receipts = [each.receipt(sent, at) for at, each in enumerate(told) if each.kind in kinds]
        with closing(sending.store.reader()) as reader:
            matcher = Matcher(reader, NAME)
            alone = [matcher.match(each) for each in receipts]
        together = match_page(sending.database, NAME, sending.reduce(receipts))
        assert [Match(*place) if place else Match(None, None) for place in together] == alone
        matched.update(match.batch is not None for match in alone)

    matched: Counter[bool] = Counter()
    check()
    assert min(matched[True], matched[False]) > 10, "the examples try too little"


def fold_at_once(sending: Sending, folders: int, page: int) -> Counter[str]:
    """Several sessions fold at the same time, until nothing waits."""
    became: list[Counter[str]] = []

    def work() -> None:
        with closing(sending.store.connect()) as database:
            became.append(fold_receipts(database, NAME, page=page))

    threads = [threading.Thread(target=work) for _ in range(folders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # What came in behind the last receipt that a session saw when it began.
    became.append(fold_receipts(sending.database, NAME))
    assert len(became) == folders + 1, "a session failed"
    return sum(became, Counter())


def test_any_order_with_repeats_in_pages_of_any_size_by_several_at_once_gives_the_same(
    sending: Sending,
) -> None:
    @settings(max_examples=10, deadline=None, phases=[Phase.generate])
    @given(
        st.lists(TOLD, min_size=20, max_size=40),
        st.sampled_from([["unknown"], list(OUTCOMES)]),
        st.integers(1, 7),
        st.integers(1, 3),
        st.integers(1, 4),
        st.randoms(use_true_random=False),
    )
    def check(
        made: list[Told], kinds: list[str], page: int, repeats: int, folders: int, order: random.Random
    ) -> None:
        # Who is in one batch alone can be matched by the destination, as long as they are uncertain.
        told = [replace(each, kind=kinds[0]) if len(kinds) == 1 else each for each in made]
        plain, mixed = sending.send_alike(kinds)
        before = sending.count()
        put_receipts(
            sending.database, sending.reduce([each.receipt(plain, at) for at, each in enumerate(told)])
        )
        fold_receipts(sending.database, NAME)
        between = sending.count()

        for _ in range(repeats):
            again = sending.reduce([each.receipt(mixed, at) for at, each in enumerate(told)] * 2)
            order.shuffle(again)
            for start in range(0, len(again), 9):
                put_receipts(sending.database, again[start : start + 9])
            fold_at_once(sending, folders, page)
        after = sending.count()
        assert sending.state(mixed) == sending.state(plain)
        assert [b - a for a, b in zip(before, between, strict=True)] == [
            b - a for a, b in zip(between, after, strict=True)
        ]
        assert waiting_receipts(sending.database) == 0

    check()


def test_a_thousand_repeats_are_one_receipt_and_one_verdict(sending: Sending) -> None:
    sent = sending.send(["unknown"])
    told = Told("unknown", 2, "their own", "author's", None, None, "delivered", inbound=False)
    [receipt] = sending.reduce([told.receipt(sent, 0)])
    before = sending.count()[0]
    became: Counter[str] = Counter()
    for _ in range(10):
        put_receipts(sending.database, [receipt] * 50)
        put_receipts(sending.database, [receipt] * 50)
        became += fold_receipts(sending.database, NAME)
    assert became == {"recorded": 1, "already recorded": 9}
    assert sending.count()[0] == before + 1
    states, deliveries = sending.state(sent)["unknown"]
    assert [state is BatchState.ACCEPTED for state in states] == [False, False, True, False]
    assert list(deliveries) == [2]
    [words] = sending.database.rows("SELECT count(*) FROM word WHERE batch = ?", sent.batches["unknown"])
    assert words == (1,)


def test_many_sessions_fold_each_receipt_once(sending: Sending) -> None:
    sent = sending.send()
    told = [
        Told(kind, person, "their own", "ours", None, None, status, inbound=False)
        for kind in OUTCOMES
        for person in range(PEOPLE)
        for status in ("submitted", "delivered", "read")
    ]
    put_receipts(
        sending.database, sending.reduce([each.receipt(sent, at) for at, each in enumerate(told * 20)])
    )
    became = fold_at_once(sending, 4, 25)
    assert became == {"recorded": len(told) * 20}
    for states, deliveries in sending.state(sent).values():
        assert states == [BatchState.ACCEPTED] * PEOPLE
        assert {each.status for each in deliveries.values()} == {"read"}


def test_only_as_many_pages_as_asked_are_folded_and_the_bound_counts_the_rest(sending: Sending) -> None:
    sent = sending.send(["accepted"])
    told = [Told("accepted", 1, "their own", "ours", None, None, "delivered", inbound=False)] * 30
    put_receipts(sending.database, sending.reduce([each.receipt(sent, at) for at, each in enumerate(told)]))
    assert is_full(sending.database, 30)
    assert not is_full(sending.database, 31)
    fold_receipts(sending.database, NAME, page=10, pages=2)
    assert waiting_receipts(sending.database) == 10
    assert is_full(sending.database, 10)
    fold_receipts(sending.database, NAME)
    assert not is_full(sending.database, 1)


def test_the_next_run_begins_with_what_receipts_told(sending: Sending) -> None:
    sent = sending.send(["unknown"])
    told = Told("unknown", 3, "their own", "ours", None, None, "read", inbound=False)
    put_receipts(sending.database, sending.reduce([told.receipt(sent, 0)]))
    with sending.store.writer("test") as writer:
        batch = writer.find(sent.batches["unknown"])
        assert batch is not None
        assert batch.others == {3: BatchState.ACCEPTED}
    assert waiting_receipts(sending.database) == 0


class Watched:
    """A database that keeps the queries it is asked."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database
        self.asked: list[tuple[str, tuple[object, ...]]] = []

    def rows(self, sql: str, *values: object) -> list[Row]:
        self.asked.append((sql, values))
        return self._database.rows(sql, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)


def test_a_page_takes_few_queries_and_none_reads_a_table_whole(sending: Sending) -> None:
    """However many receipts it has, and whichever way they name what they are about."""
    sent = sending.send()
    ways = [("ours", None, None), ("author's", None, None), (None, "ours", None), (None, None, "later")]
    asked = []
    for size in (2, 20):
        told = [
            Told(kind, number % PEOPLE, "their own", *way, "read", inbound=inbound)
            for number in range(size)
            for kind in OUTCOMES
            for way in ways
            for inbound in (False, True)
        ]
        receipts = sending.reduce([each.receipt(sent, size * 1000 + at) for at, each in enumerate(told)])
        watched = Watched(sending.database)
        record_receipts(cast("Database", watched), NAME, receipts)
        asked.append(watched.asked)
    assert len(asked[0]) == len(asked[1]) <= 14
    # The tables of a test are too small for the server to prefer an index; whether it can use one does not depend on that.
    with closing(sending.store.connect()) as planner:
        for setting in ("seqscan", "hashjoin", "mergejoin"):
            planner.run(f"SET enable_{setting} = off")
        for sql, values in asked[1]:
            if sql.startswith("SELECT"):
                plan = "\n".join(line for (line,) in planner.rows(f"EXPLAIN {sql}", *values))
                scans = re.findall(
                    r"(?:Scan on|Scan using \w+ on) (?:batch|claim|attempt|outcome|word)\w*.*\n +(.*)", plan
                )
                assert scans, plan
                assert all(detail.startswith(("Index Cond", "Recheck Cond")) for detail in scans), plan
