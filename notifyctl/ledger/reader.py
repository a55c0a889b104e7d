"""Reads a ledger: its identity, the batches and how they ended, as of one moment. Writes nothing."""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Iterator, Sequence
from copy import copy
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from notifyctl.errors import LedgerError
from notifyctl.hashing import RecipientHasher
from notifyctl.ledger.damage import reading, reads_checked
from notifyctl.ledger.database import Database
from notifyctl.ledger.events import BATCHES, Events
from notifyctl.ledger.facts import ACCOUNT_SINCE, IDENTITY_RULES_SINCE, NORMALISER_VERSION
from notifyctl.ledger.identity import derived_code, key_check
from notifyctl.ledger.progress import read_progress
from notifyctl.model.events import UNSETTLED
from notifyctl.model.ledger import BatchRecord, BatchState, Extent, LedgerSummary, OpeningRecord, Purpose
from notifyctl.model.progress import LedgerProgress
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import ID_BYTES, MEMBER_BYTES, Scope

RESOLVED = (
    "SELECT number FROM batch_state WHERE number >= ? AND state = 'unknown'"
    " AND EXISTS (SELECT 1 FROM word WHERE word.batch = batch_state.number) ORDER BY number LIMIT ?"
)
MOST_RESOLVED = 1000
"""Batches of which single recipients are looked at for a quick count."""
PAGE = 64
"""Batches read at a time: 2 MB of members at 1,000 each."""


class Identity(Struct, frozen=True):
    lineage: str
    created_at: datetime
    key: bytes
    first_rules: int = NORMALISER_VERSION
    """The rules of identity that the ledger began with."""


@reads_checked
class Reader(Events):
    """Implements ports.LedgerReader."""

    def __init__(self, database: Database, identity: Identity) -> None:
        super().__init__(database)
        self._identity = identity
        self.recipient_ids = RecipientHasher(identity.key)

    @property
    def lineage(self) -> str:
        return self._identity.lineage

    @property
    def knows_former_keys(self) -> bool:
        return self._identity.first_rules < NORMALISER_VERSION

    @property
    def facts_version(self) -> int:
        return self._version

    @property
    def serial(self) -> int:
        return self._database.serial()

    def summary(self) -> LedgerSummary:
        counts = self._database.rows(
            "SELECT state, count(*), sum(recipients) FROM batch_state GROUP BY state"
        )
        batches = {BatchState(state): number for state, number, _ in counts}
        recipients = Counter({BatchState(state): number for state, _, number in counts})
        for batch in self.batches_with_words():
            recipients[batch.state] -= len(batch.others)
            recipients.update(batch.others.values())
            settled = settled_state(batch)
            if settled is not batch.state:
                batches[batch.state] -= 1
                batches[settled] = batches.get(settled, 0) + 1
        return LedgerSummary(
            lineage=self._identity.lineage,
            location=self._database.name,
            schema_version=self._database.schema_version(),
            serial=self.serial,
            created_at=self._identity.created_at,
            batches={state: batches.get(state, 0) for state in BatchState},
            recipients={state: recipients[state] for state in BatchState},
            receipts=self.receipt_count(),
            tests=len(self.tests()),
            acceptances=len(self.acceptances()),
            scopes=self._database.number("SELECT count(*) FROM scope"),
        )

    def progress(self) -> LedgerProgress:
        found = read_progress(self._database)
        if found.run is None or not found.run.recipients.get(BatchState.UNKNOWN):
            return found
        # What receipts and people said of single recipients of the requests whose outcome was unknown.
        recipients = Counter(found.run.recipients)
        for (number,) in self._events(RESOLVED, found.run.first_batch, MOST_RESOLVED):
            batch = self.find(number)
            assert batch is not None
            recipients[BatchState.UNKNOWN] -= len(batch.others)
            recipients.update(batch.others.values())
        return replace(found, run=replace(found.run, recipients=dict(recipients)))

    def scopes(self) -> Sequence[Scope]:
        rows = self._database.rows(
            "SELECT notification, edition, occurrence, channel FROM scope WHERE id <= ?", self._extent.scopes
        )
        return sorted(
            Scope(name, edition, slot, ChannelName(channel)) for name, edition, slot, channel in rows
        )

    def facts(self, scope: Scope) -> Iterator[BatchRecord]:
        """Reads a page of batches at a time, so that a large ledger does not fill the memory."""
        sql = (
            f"{BATCHES} WHERE batch_state.scope = ? AND batch.epoch < ? AND batch_state.number > ?"
            " ORDER BY batch_state.number LIMIT ?"
        )
        for page in self._database.pages(sql, self._scope_id(scope), self._extent.epoch, size=PAGE):
            words = self.words(page[0][0], page[-1][0])
            for row in page:
                yield self.batch_facts(row, words)

    def opening(self, scope: Scope) -> OpeningRecord | None:
        key = self._scope_id(scope)
        rows = self._database.rows(
            "SELECT epoch, held FROM opening WHERE scope = ? AND epoch < ? ORDER BY part",
            key,
            self._extent.epoch,
        )
        if not rows:
            return None
        held = b"".join(held for _, held in rows)
        assert len(held) % ID_BYTES == 0
        return OpeningRecord(rows[0][0], held)

    def opening_size(self, scope: Scope) -> int:
        opening = self.opening(scope)
        if opening is None:
            return 0
        packed_bytes = self._database.number(
            "SELECT coalesce(sum(length(members)), 0) FROM batch WHERE scope = ? AND epoch = ?",
            self._scope_id(scope),
            opening.epoch,
        )
        return len(opening.held) // ID_BYTES + packed_bytes // MEMBER_BYTES

    def recorded(self, scope: Scope) -> bytes | None:
        opening = self.opening(scope)
        if opening is None:
            return None
        batches = self._database.rows(
            "SELECT members FROM batch WHERE scope = ? AND epoch = ? ORDER BY number",
            self._scope_id(scope),
            opening.epoch,
        )
        return opening.held + recipient_ids_of(b"".join(members for (members,) in batches))

    def within(self, extent: Extent) -> Reader:
        then = copy(self)
        then._extent = extent  # noqa: SLF001 - of this class
        return then

    def code(self, purpose: Purpose, data: bytes) -> bytes:
        return derived_code(self._identity.key, purpose, data)

    def account(self) -> bytes | None:
        if self._version < ACCOUNT_SINCE:
            return None
        row = self._database.row("SELECT hash FROM account ORDER BY id DESC LIMIT 1")
        return row[0] if row is not None else None

    def next_batch(self) -> int:
        return self._database.number("SELECT coalesce(max(number), 0) + 1 FROM batch")

    def close(self) -> None:
        self._database.close()


def settled_state(batch: BatchRecord) -> BatchState:
    """The state to count a batch under: one whose outcome was unknown is not, once that of each member is known."""
    size = len(batch.members) // MEMBER_BYTES
    states = set(batch.others.values())
    if batch.state not in UNSETTLED or len(batch.others) < size or states & UNSETTLED:
        return batch.state
    return BatchState.ACCEPTED if BatchState.ACCEPTED in states else BatchState.REJECTED


def recipient_ids_of(members: bytes) -> bytes:
    """The ids of packed members, without their fingerprints."""
    return b"".join([members[start : start + ID_BYTES] for start in range(0, len(members), MEMBER_BYTES)])


def identify_ledger(database: Database, external_key: bytes | None) -> Identity:
    """The identity of a ledger. Raises LedgerError unless this version can read it and derives the same recipient ids."""
    database.refuse_unreadable()
    with reading(database):
        return checked_identity(database, external_key)


def checked_identity(database: Database, external_key: bytes | None) -> Identity:
    [(lineage, created_at, normaliser, stored_key, check)] = database.rows(
        "SELECT lineage, created_at, normaliser, recipient_key, key_check FROM meta"
    )
    key = stored_key if external_key is None else external_key
    if key is None:
        raise LedgerError(
            f"the recipient key of {database.name} is kept outside, and none is given",
            hint="name its environment variable in the environment: `ledger: {recipientKeyEnv: …}`",
        )
    if not hmac.compare_digest(key_check(key), check):
        raise LedgerError(
            f"the recipient key is not the one {database.name} was created with: recipients would not be recognised"
            " and would be sent everything again",
            hint="set the variable that `ledger.recipientKeyEnv` names to the key this ledger was created with"
            + ("" if stored_key is None else ", or remove `recipientKeyEnv`: this ledger keeps its own"),
        )
    latest = max(normaliser, latest_rules(database))
    if latest > NORMALISER_VERSION:
        raise LedgerError(
            f"{database.name} identifies recipients by rules of version {latest}, but this notifyctl has version"
            f" {NORMALISER_VERSION}: recipients would not be recognised and would be sent everything again",
            hint="use the version of notifyctl that wrote this ledger last",
        )
    return Identity(lineage, datetime.fromisoformat(created_at), key, normaliser)


def latest_rules(database: Database) -> int:
    """The latest rules of identity that a run made ids by; 0 if those of the ledger's beginning still hold."""
    if database.facts_version() < IDENTITY_RULES_SINCE:
        return 0
    return database.number("SELECT coalesce(max(version), 0) FROM identity_rules")
