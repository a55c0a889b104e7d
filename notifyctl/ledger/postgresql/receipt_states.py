"""What the ledger holds of single members of batches, for receipts: a few queries for a page of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from notifyctl.ledger.database import Database
from notifyctl.model.events import UNSETTLED, Verdict, VerdictSource, fold_verdicts
from notifyctl.model.ledger import BatchState

CONFIRMED_BY_RECEIPT = frozenset({*UNSETTLED, BatchState.REJECTED})
"""States of a member that a receipt turns into accepted."""
STATES = "SELECT number, state FROM batch_state WHERE number = ANY(?::bigint[])"
WORDS = (
    "SELECT batch, position, kind, source FROM word WHERE batch = ANY(?::bigint[]) AND (position IS NULL OR (batch, position) IN"
    " (SELECT batch, position FROM unnest(?::bigint[], ?::integer[]) AS asked (batch, position))) ORDER BY batch, id"
)


class Place(NamedTuple):
    """A member of a batch."""

    batch: int
    position: int


Words = Mapping[Place, Sequence[Verdict]]


def unconfirmed(database: Database, places: Sequence[Place]) -> list[Place]:
    """The members that a receipt turns into accepted."""
    states, words = batch_states(database, places), member_words(database, places)
    return [
        place
        for place in places
        if place.batch in states and member_state(states[place.batch], words[place]) in CONFIRMED_BY_RECEIPT
    ]


def uncertain(database: Database, places: Sequence[Place]) -> list[Place]:
    """The members whose outcome is unknown, but for what receipts told of them.

    What receipts told does not count, so that which receipt is recorded first does not decide what the next one matches.
    """
    states, words = batch_states(database, places), member_words(database, places)
    return [
        place
        for place in places
        if place.batch in states
        and member_state(
            states[place.batch], [each for each in words[place] if each.source is not VerdictSource.RECEIPT]
        )
        in UNSETTLED
    ]


def member_state(state: BatchState, words: Sequence[Verdict]) -> BatchState:
    """`words` are about one member, or about all whose outcome is unknown."""
    return fold_verdicts(state, 1, words).get(0, state)


def batch_states(database: Database, places: Collection[Place]) -> dict[int, BatchState]:
    numbers = sorted({place.batch for place in places})
    rows = database.rows(STATES, numbers) if numbers else []
    return {number: BatchState(state) for number, state in rows}


def member_words(database: Database, places: Sequence[Place]) -> Words:
    """Verdicts on each of these members, in order, with its position as 0: each is looked at alone."""
    words: defaultdict[Place, list[Verdict]] = defaultdict(list)
    if not places:
        return words
    by_batch: defaultdict[int, list[Place]] = defaultdict(list)
    for place in places:
        by_batch[place.batch].append(place)
    rows = database.rows(
        WORDS, sorted(by_batch), [place.batch for place in places], [place.position for place in places]
    )
    for batch, position, kind, source in rows:
        verdict = Verdict(None if position is None else 0, BatchState(kind), VerdictSource(source))
        for place in by_batch[batch] if position is None else (Place(batch, position),):
            words[place].append(verdict)
    return words
