"""The inbox of receipts: servers put receipts in, and whoever folds takes them out, a page at a time, into the facts.

A receipt waits without an address and without a match. To put it in takes no right to read a fact; to fold it takes no lock
of the ledger: a receipt is true whoever writes, and it never makes anybody eligible again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from notifyctl.ledger.database import Database, Row
from notifyctl.ledger.postgresql.receipt_matching import match_page
from notifyctl.ledger.postgresql.receipt_states import Place, unconfirmed
from notifyctl.model.events import UNSUBSCRIBED, VerdictSource
from notifyctl.model.ledger import BatchState
from notifyctl.model.received import Received

PAGE = 1_000
"""Receipts that are folded in one transaction."""
MAX_UNFOLDED = 1_000_000
"""Receipts in the inbox beyond which servers take no more: some 400 MB."""

MAX_PROVIDER_ID = 80
"""Characters of the provider's id that are recorded."""

NEW, UNMATCHED, REPEATED = "recorded", "recorded without a matching recipient", "already recorded"
"""What became of a receipt."""

PUT = (
    "INSERT INTO receipt_inbox (digest, correlation_id, callback, transaction, recipients, channel, status, code, said_at,"
    " inbound, at) SELECT digest, correlation_id, callback, transaction,"
    " ARRAY(SELECT substring(packed FROM n * 16 + 1 FOR 16) FROM generate_series(0, length(packed) / 16 - 1) AS n),"
    " channel, status, code, said_at, inbound, at"
    " FROM unnest(?::bytea[], ?::text[], ?::text[], ?::text[], ?::bytea[], ?::text[], ?::text[], ?::text[], ?::text[],"
    " ?::boolean[], ?::timestamptz[]) AS received (digest, correlation_id, callback, transaction, packed, channel, status, code,"
    " said_at, inbound, at) ON CONFLICT DO NOTHING"
)
"""Arrays of columns, so that a thousand receipts are one statement and one commit."""
TAKE = (
    "SELECT id, digest, correlation_id, callback, transaction, recipients, channel, status, code, said_at, inbound, at"
    " FROM receipt_inbox WHERE id > ? AND id <= ? ORDER BY id LIMIT ? FOR UPDATE SKIP LOCKED"
)
RECORD = (
    "INSERT INTO receipt (digest, at, batch, position, status, code, provider_id, said_at)"
    " SELECT * FROM unnest(?::bytea[], ?::timestamptz[], ?::bigint[], ?::integer[], ?::text[], ?::text[], ?::text[], ?::text[])"
    " ON CONFLICT (digest) DO NOTHING RETURNING digest"
)
CONFIRM = (
    "INSERT INTO word (batch, position, kind, source, reason, who, at)"
    " SELECT batch, position, ?, ?, reason, NULL, at"
    " FROM unnest(?::bigint[], ?::integer[], ?::text[], ?::timestamptz[]) AS said (batch, position, reason, at)"
)


def put_receipts(database: Database, receipts: Sequence[Received]) -> None:
    """Puts receipts into the inbox in one durable commit. A repeat of one that waits there changes nothing.

    In the order of their digests: of two servers with the same receipts, neither then waits for the other in a circle.
    """
    ordered = sorted(receipts, key=lambda receipt: receipt.digest)
    database.run(
        PUT,
        [each.digest for each in ordered],
        [each.correlation_id for each in ordered],
        [each.callback for each in ordered],
        [each.transaction for each in ordered],
        [b"".join(each.recipients) for each in ordered],
        [each.channel for each in ordered],
        [each.status for each in ordered],
        [each.code for each in ordered],
        [each.said_at for each in ordered],
        [each.inbound for each in ordered],
        [each.at.astimezone(UTC) for each in ordered],
    )


def is_full(database: Database, bound: int = MAX_UNFOLDED) -> bool:
    """Whether `bound` receipts wait to be folded. Reads the ids alone, and counts them only where they may be that many."""
    first, last = database.row("SELECT min(id), max(id) FROM receipt_inbox") or (None, None)
    if first is None or last - first + 1 < bound:
        return False
    return (
        database.number("SELECT count(*) FROM (SELECT FROM receipt_inbox LIMIT ?) AS waiting", bound) >= bound
    )


def waiting_receipts(database: Database) -> int:
    """How many receipts wait to be folded."""
    return database.number("SELECT count(*) FROM receipt_inbox")


def fold_receipts(
    database: Database, ledger: str, *, page: int = PAGE, pages: int | None = None
) -> Counter[str]:
    """Records the receipts that wait as this begins, a page in a transaction, at most so many pages, and returns what became of
    them. `ledger`: project/environment.

    Any number of processes can do this at once: each takes what no other holds. What is recorded depends neither on the order
    of the receipts nor on their repeats.
    """
    became: Counter[str] = Counter()
    after, last = 0, database.number("SELECT coalesce(max(id), 0) FROM receipt_inbox")
    while after < last and pages != 0:
        with database.transaction():
            rows = database.rows(TAKE, after, last, page)
            if not rows:
                break
            became.update(record_page(database, ledger, [waiting(row) for row in rows]))
            database.run("DELETE FROM receipt_inbox WHERE id = ANY(?::bigint[])", [row[0] for row in rows])
        # Behind the last one: the index still has those that are gone, as long as anybody's snapshot can see them.
        after = rows[-1][0]
        pages = None if pages is None else pages - 1
    return became


def record_receipts(
    database: Database, ledger: str, receipts: Sequence[Received], *, page: int = PAGE
) -> Counter[str]:
    """Records receipts that are at hand, without the inbox."""
    became: Counter[str] = Counter()
    for start in range(0, len(receipts), page):
        with database.transaction():
            became.update(record_page(database, ledger, receipts[start : start + page]))
    return became


def record_page(database: Database, ledger: str, receipts: Sequence[Received]) -> list[str]:
    """Records receipts in the transaction that is open. All are matched before any is recorded."""
    distinct = {receipt.digest: receipt for receipt in sorted(receipts, key=lambda receipt: receipt.digest)}
    places = dict(zip(distinct, match_page(database, ledger, list(distinct.values())), strict=True))
    new = insert(database, [(receipt, places[receipt.digest]) for receipt in distinct.values()])
    confirm(database, [(distinct[digest], places[digest]) for digest in distinct if digest in new])
    became = []
    for receipt in receipts:
        matched = NEW if places[receipt.digest] is not None else UNMATCHED
        became.append(matched if receipt.digest in new else REPEATED)
        new.discard(receipt.digest)
    return became


Placed = tuple[Received, Place | None]


def insert(database: Database, placed: Sequence[Placed]) -> set[bytes]:
    """Inserts receipts, in the order of their digests, and returns the digests of those that were not recorded before."""
    rows = database.rows(
        RECORD,
        [receipt.digest for receipt, _ in placed],
        [receipt.at for receipt, _ in placed],
        [place.batch if place else None for _, place in placed],
        [place.position if place else None for _, place in placed],
        [receipt.status for receipt, _ in placed],
        [receipt.code for receipt, _ in placed],
        [receipt.transaction and receipt.transaction[:MAX_PROVIDER_ID] for receipt, _ in placed],
        [receipt.said_at for receipt, _ in placed],
    )
    return {digest for (digest,) in rows}


def confirm(database: Database, placed: Iterable[Placed]) -> None:
    """Whatever its status, a receipt proves that the provider accepted the message; an event about a person does not."""
    first: dict[Place, Received] = {}
    for receipt, place in placed:
        if place is not None and receipt.status != UNSUBSCRIBED:
            first.setdefault(place, receipt)
    proven = [(place, first[place]) for place in unconfirmed(database, list(first))]
    if proven:
        database.run(
            CONFIRM,
            BatchState.ACCEPTED.value,
            VerdictSource.RECEIPT.value,
            [place.batch for place, _ in proven],
            [place.position for place, _ in proven],
            [f"a receipt says {receipt.status}" for _, receipt in proven],
            [receipt.at for _, receipt in proven],
        )


class Waiting(Struct, frozen=True):
    """The columns of the inbox after the id, in their order."""

    digest: bytes
    correlation_id: str | None
    callback: str | None
    transaction: str | None
    recipients: list[bytes]
    channel: str | None
    status: str
    code: str | None
    said_at: str | None
    inbound: bool
    at: datetime | str


def waiting(row: Row) -> Received:
    found = Waiting(*row[1:])
    at = found.at if isinstance(found.at, datetime) else datetime.fromisoformat(found.at)
    return Received(
        digest=bytes(found.digest),
        status=found.status,
        at=at,
        recipients=tuple(map(bytes, found.recipients)),
        correlation_id=found.correlation_id,
        callback=found.callback,
        transaction=found.transaction,
        channel=found.channel,
        code=found.code,
        said_at=found.said_at,
        inbound=found.inbound,
    )
