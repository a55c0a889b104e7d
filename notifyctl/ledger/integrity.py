"""Checks the facts of a ledger, whatever keeps them. Reads everything and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from notifyctl.ledger.database import Database
from notifyctl.ledger.reader import Reader
from notifyctl.model.ledger import BatchState
from notifyctl.model.recipients import ID_BYTES, MEMBER_BYTES

MAX_PROBLEMS = 20
"""Reported of one kind; a broken disk breaks many pages."""

PACKED_COLUMNS = (
    ("batch", MEMBER_BYTES, "SELECT number FROM batch WHERE length(members) % ? <> 0"),
    ("opening", ID_BYTES, "SELECT scope FROM opening WHERE length(held) % ? <> 0"),
)
"""Table, bytes per person, and the query for rows of another length."""
SECRET_COLUMNS = frozenset({"recipient_key"})


def find_wrong_facts(database: Database, reader: Reader) -> Iterator[str]:
    """What the tables say that cannot be, as sentences."""
    for table, size, query in PACKED_COLUMNS:
        for (row,) in database.rows(query, size)[:MAX_PROBLEMS]:
            yield f"row {row} of {table} has a damaged list of recipients"
    gaps = database.rows(
        "SELECT batch, max(attempt), count(*) FROM attempt GROUP BY batch HAVING max(attempt) <> count(*)"
    )
    for batch, last, count in gaps[:MAX_PROBLEMS]:
        yield f"batch {batch} has {count} attempts, the last of which is number {last}"
    orphans = database.rows("SELECT number FROM batch WHERE epoch > (SELECT max(epoch) FROM run)")
    yield from (f"batch {number} belongs to a run that never was" for (number,) in orphans[:MAX_PROBLEMS])
    reader.acceptances(), reader.notices()  # raise LedgerError for what cannot be read
    yield from find_double_acceptances(reader)


def find_double_acceptances(reader: Reader) -> Iterator[str]:
    """Checks promise P1 against the facts: nobody is accepted in two batches of one scope."""
    for scope in reader.scopes():
        accepted_in: dict[bytes, int] = {}
        reported = 0
        for batch in reader.facts(scope):
            for position, start in enumerate(range(0, len(batch.members), MEMBER_BYTES)):
                if batch.others.get(position, batch.state) is not BatchState.ACCEPTED:
                    continue
                recipient = batch.members[start : start + ID_BYTES]
                if recipient in accepted_in and reported < MAX_PROBLEMS:
                    reported += 1
                    yield (
                        f"{scope.notification} edition {scope.edition}: one recipient is accepted in batches"
                        f" {accepted_in[recipient]} and {batch.number}"
                    )
                accepted_in[recipient] = batch.number


def as_plain(value: object, column: str) -> object:
    """The value for JSON: bytes as hexadecimal. The key that recipients are hashed with is not exported."""
    if column in SECRET_COLUMNS:
        return None if value is None else "<kept in the ledger>"
    return value.hex() if isinstance(value, bytes) else value
