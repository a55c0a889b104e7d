"""Finds the members that a page of receipts is about, in a few queries, however large the ledger is.

The same rules as for one receipt at a time, with two differences. Who has an address is asked of the claims, so a person counts
from the first attempt on. And what an earlier receipt settled still counts as uncertain, so that the order does not matter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from notifyctl.apply.correlation import (
    batch_in_callback,
    is_of_another_ledger,
    is_of_test,
    message_ids,
    parse_correlation_id,
    verify,
)
from notifyctl.ledger.database import Database
from notifyctl.ledger.postgresql.receipt_states import Place, uncertain
from notifyctl.model.received import Received
from notifyctl.model.recipients import MEMBER_BYTES

BATCHES_AT_ONCE = 64
"""Whose members are read together: 2 MB at 1,000 each."""

SEALS = "SELECT batch, seal FROM attempt WHERE batch = ANY(?::bigint[]) ORDER BY batch, attempt"
PROVIDER_IDS = (
    "SELECT DISTINCT ON (provider_id) provider_id, batch FROM outcome WHERE provider_id = ANY(?::text[])"
    " ORDER BY provider_id, id DESC"
)
MEMBER_AT = (
    "SELECT batch.number, asked.position, substring(members FROM asked.position * 28 + 1 FOR 16)"
    " FROM unnest(?::bigint[], ?::integer[]) AS asked (number, position) JOIN batch ON batch.number = asked.number"
)
MEMBERS = "SELECT number, members FROM batch WHERE number = ANY(?::bigint[])"
CLAIMS = (
    "SELECT claim.recipient, claim.batch, scope.channel FROM scope"
    " CROSS JOIN unnest(?::bytea[]) AS asked (recipient)"
    " JOIN claim ON claim.scope = scope.id AND claim.recipient = asked.recipient"
)
"""By the key of the claims: as many look-ups as there are scopes, whatever their size."""


def match_page(database: Database, ledger: str, receipts: Sequence[Received]) -> list[Place | None]:
    """The member that each receipt is about; None if it is not in this ledger. `ledger`: project/environment."""
    about = [None if is_of_test(each.correlation_id, each.callback) else each for each in receipts]
    places = named_places(database, ledger, about)
    open_ones = [
        at
        for at, receipt in enumerate(about)
        if receipt is not None and places[at] is None and receipt.recipients and is_by_person(receipt, ledger)
    ]
    people = {recipient for at in open_ones for recipient in receipts[at].recipients}
    claims = claims_of(database, people)
    unknown = set(uncertain(database, sorted({place for some in claims.values() for place, _ in some})))
    for at in open_ones:
        receipt = receipts[at]
        of_person = {claim for recipient in receipt.recipients for claim in claims.get(recipient, ())}
        if receipt.inbound:
            places[at] = max(
                (place for place, channel in of_person if receipt.channel in {None, channel}), default=None
            )
        else:
            possible = [place for place, _ in of_person if place in unknown]
            places[at] = possible[0] if len(possible) == 1 else None
    return places


def is_by_person(receipt: Received, ledger: str) -> bool:
    """Whether the destination alone may tell what a receipt is about."""
    if receipt.inbound:
        return True
    return bool(receipt.correlation_id) and not is_of_another_ledger(
        receipt.correlation_id, receipt.callback, ledger
    )


def named_places(database: Database, ledger: str, receipts: Sequence[Received | None]) -> list[Place | None]:
    """The member of each receipt that names it: by our correlation id, else by the batch in our callback data or the provider's id
    together with the destination.
    """
    named = {at: each for at, each in enumerate(receipts) if each is not None and not each.inbound}
    sealed = sealed_places(database, named)
    there = members_at(database, [place for at, place in sealed.items() if named[at].recipients])
    places: list[Place | None] = [None] * len(receipts)
    for at, place in sealed.items():
        if not named[at].recipients or there.get(place) in named[at].recipients:
            places[at] = place
    others = {at: receipt for at, receipt in named.items() if receipt.recipients and at not in sealed}
    candidates = batches_named(database, ledger, others)
    # Whom the id names and the destination is another: the destination decides, within the batch.
    candidates |= {at: [place] for at, place in sealed.items() if places[at] is None}
    for at, place in search_members(database, named, candidates).items():
        places[at] = place
    return places


def sealed_places(database: Database, receipts: Mapping[int, Received]) -> dict[int, Place]:
    """The members that our correlation ids name, of those that this ledger's seals authenticate."""
    parsed = {at: parse_correlation_id(receipt.correlation_id or "") for at, receipt in receipts.items()}
    ours = {at: Place(*found[:2]) for at, found in parsed.items() if found is not None}
    seals: defaultdict[int, list[bytes]] = defaultdict(list)
    if ours:
        for batch, seal in database.rows(SEALS, sorted({place.batch for place in ours.values()})):
            seals[batch].append(bytes(seal))
    return {
        at: place
        for at, place in ours.items()
        if any(verify(receipts[at].correlation_id or "", seal) for seal in seals[place.batch])
    }


def batches_named(
    database: Database, ledger: str, receipts: Mapping[int, Received]
) -> dict[int, list[Place]]:
    """The batches that receipts may be about, the most certain first, each from its first position on."""
    ids = {at: message_ids(receipt.transaction) for at, receipt in receipts.items()}
    asked = sorted({each for some in ids.values() for each in some})
    known: dict[str, int] = dict(database.rows(PROVIDER_IDS, asked)) if asked else {}
    found: dict[int, list[Place]] = {}
    for at, receipt in receipts.items():
        number = batch_in_callback(receipt.callback, ledger)
        numbers = [] if number is None else [number]
        numbers += [known[each] for each in ids[at] if each in known]
        if numbers:
            found[at] = [Place(each, 0) for each in numbers]
    return found


def members_at(database: Database, places: Collection[Place]) -> dict[Place, bytes]:
    """Who is at these places, without reading the members beside them."""
    distinct = sorted(set(places))
    if not distinct:
        return {}
    rows = database.rows(
        MEMBER_AT, [place.batch for place in distinct], [place.position for place in distinct]
    )
    return {Place(batch, position): bytes(recipient) for batch, position, recipient in rows}


def search_members(
    database: Database, receipts: Mapping[int, Received], candidates: Mapping[int, Sequence[Place]]
) -> dict[int, Place]:
    """The first candidate of each receipt that has its recipient, preferably from the place's position on."""
    asking: defaultdict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for at, places in candidates.items():
        for rank, place in enumerate(places):
            asking[place.batch].append((at, rank, place.position))
    best: dict[int, tuple[int, Place]] = {}
    numbers = sorted(asking)
    for start in range(0, len(numbers), BATCHES_AT_ONCE):
        for batch, members in database.rows(MEMBERS, numbers[start : start + BATCHES_AT_ONCE]):
            for at, rank, first in asking[batch]:
                position = position_in(bytes(members), receipts[at].recipients, first)
                if position is not None:
                    better = (rank, Place(batch, position))
                    best[at] = min(best.get(at, better), better)
    return {at: place for at, (_, place) in best.items()}


def position_in(members: bytes, recipients: Iterable[bytes], first: int = 0) -> int | None:
    """The recipient's position in packed members, by any of their ids, preferably from `first` on."""
    found = sorted(position for recipient in recipients for position in positions_of(members, recipient))
    return next((position for position in found if position >= first), found[0] if found else None)


def positions_of(members: bytes, recipient: bytes) -> Iterator[int]:
    at = members.find(recipient)
    while at >= 0:
        if at % MEMBER_BYTES == 0:
            yield at // MEMBER_BYTES
        at = members.find(recipient, at + 1)


Claims = Mapping[bytes, Sequence[tuple[Place, str]]]
"""Recipient → the members that they are, one of each scope, with its channel."""


def claims_of(database: Database, recipients: Collection[bytes]) -> Claims:
    """The batches that these people were last attempted in."""
    claims: defaultdict[bytes, list[tuple[Place, str]]] = defaultdict(list)
    rows = database.rows(CLAIMS, sorted(recipients)) if recipients else []
    asking: defaultdict[int, list[tuple[bytes, str]]] = defaultdict(list)
    for recipient, batch, channel in rows:
        asking[batch].append((bytes(recipient), channel))
    numbers = sorted(asking)
    for start in range(0, len(numbers), BATCHES_AT_ONCE):
        for batch, members in database.rows(MEMBERS, numbers[start : start + BATCHES_AT_ONCE]):
            for recipient, channel in asking[batch]:
                for position in positions_of(bytes(members), recipient):
                    claims[recipient].append((Place(batch, position), channel))
    return claims
