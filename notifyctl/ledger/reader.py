"""Reading a ledger: whose it is, what was begun and how it ended. Sees one moment and writes nothing."""

from __future__ import annotations

import hmac
import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from notifyctl.errors import LedgerError
from notifyctl.hashing import recipient_hasher
from notifyctl.ledger.database import Database
from notifyctl.ledger.identity import key_check
from notifyctl.ledger.learnt import SqliteLearnt
from notifyctl.ledger.schema import APPLICATION_ID, FIRST_VERSION, NORMALISER_VERSION, SCHEMA_VERSION
from notifyctl.model.ledger import BatchRecord, BatchState, LedgerSummary, OpeningRecord
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import ID_BYTES, MEMBER_BYTES, Scope

PAGE = 16
"""Batches fetched at a time: at 1,000 members each they stay near the processor until somebody looks at them."""
TOLD_AHEAD = 256
"""How many batches further what became of them is fetched."""


class Identity(Struct, frozen=True):
    lineage: str
    created_at: datetime
    key: bytes


class SqliteReader(SqliteLearnt):
    """Implements ports.LedgerReader."""

    def __init__(self, database: Database, identity: Identity) -> None:
        super().__init__(database)
        self._identity = identity
        self.recipient_ids = recipient_hasher(identity.key)

    @property
    def lineage(self) -> str:
        return self._identity.lineage

    @property
    def serial(self) -> int:
        return self._database.number("SELECT facts FROM serial")

    def summary(self) -> LedgerSummary:
        counted = self._database.rows(
            "SELECT state, count(*), sum(recipients) FROM batch_state GROUP BY state"
        )
        batches = {BatchState(state): number for state, number, _ in counted}
        recipients = Counter({BatchState(state): number for state, _, number in counted})
        for batch in self.batches_with_words():
            recipients[batch.state] -= len(batch.others)
            recipients.update(batch.others.values())
        return LedgerSummary(
            lineage=self._identity.lineage,
            location=str(self._database.path),
            schema_version=self._version,
            serial=self.serial,
            created_at=self._identity.created_at,
            batches={state: batches.get(state, 0) for state in BatchState},
            recipients={state: recipients[state] for state in BatchState},
            receipts=self.receipt_count(),
            scopes=self._database.number("SELECT count(*) FROM scope"),
        )

    def scopes(self) -> Sequence[Scope]:
        rows = self._database.rows("SELECT notification, edition, occurrence, channel FROM scope")
        return sorted(
            Scope(name, edition, slot, ChannelName(channel)) for name, edition, slot, channel in rows
        )

    def facts(self, scope: Scope) -> Iterator[BatchRecord]:
        """A page at a time, its tables one after the other: for ten thousand batches the view takes ten times as long."""
        last = told = 0
        key = self._scope_id(scope)
        while page := self._database.rows(
            "SELECT number, epoch, at, members FROM batch WHERE scope = ? AND number > ? ORDER BY number LIMIT ?",
            key,
            last,
            PAGE,
        ):
            last = page[-1][0]
            if last > told:
                told = last + TOLD_AHEAD
                words, ends = self.words(page[0][0], told), self._ends(page[0][0], told)
            for number, epoch, at, members in page:
                state, attempt, said_at, reason = ends.get(number, (BatchState.PLANNED, 0, at, None))
                facts = (number, state, attempt, members, said_at, reason, epoch)
                yield self.batch_facts(facts, words, scope)

    def _ends(self, first: int, last: int) -> dict[int, tuple[str, int, str, str | None]]:
        """What the view `batch_state` says of begun batches: state, attempt, since when, why."""
        found: dict[int, tuple[str, int, str, str | None]] = {
            number: (BatchState.ARMED, attempt, at, None)
            for number, attempt, at in self._database.rows(
                "SELECT batch, attempt, at FROM attempt WHERE batch BETWEEN ? AND ? ORDER BY batch, attempt",
                first,
                last,
            )
        }
        for number, attempt, kind, at, reason in self._database.rows(
            "SELECT batch, attempt, kind, at, reason FROM outcome WHERE batch BETWEEN ? AND ? ORDER BY batch, id",
            first,
            last,
        ):
            state, begun, *_ = found[number]
            if kind == BatchState.ACCEPTED or (state != BatchState.ACCEPTED and attempt == begun):
                found[number] = (kind, begun, at, reason)
        return found

    def opening(self, scope: Scope) -> OpeningRecord | None:
        key = self._scope_id(scope)
        parts = self._database.rows("SELECT epoch, held FROM opening WHERE scope = ? ORDER BY part", key)
        if not parts:
            return None
        return OpeningRecord(parts[0][0], b"".join(part for _, part in parts))

    def opening_size(self, scope: Scope) -> int:
        opening = self.opening(scope)
        if opening is None:
            return 0
        packed = self._database.number(
            "SELECT coalesce(sum(length(members)), 0) FROM batch WHERE scope = ? AND epoch = ?",
            self._scope_id(scope),
            opening.epoch,
        )
        return len(opening.held) // ID_BYTES + packed // MEMBER_BYTES

    def recorded(self, scope: Scope) -> bytes | None:
        opening = self.opening(scope)
        if opening is None:
            return None
        batches = self._database.rows(
            "SELECT members FROM batch WHERE scope = ? AND epoch = ? ORDER BY number",
            self._scope_id(scope),
            opening.epoch,
        )
        return opening.held + ids_of(b"".join(members for (members,) in batches))

    def next_batch(self) -> int:
        return self._database.number("SELECT coalesce(max(number), 0) + 1 FROM batch")

    def close(self) -> None:
        self._database.close()


MANY = 100_000
"""Members from which on columns are worth their import."""
ID_OF = struct.Struct(f"{ID_BYTES}s{MEMBER_BYTES - ID_BYTES}x")


def ids_of(members: bytes) -> bytes:
    """Packed members without their fingerprints."""
    if len(members) < MANY * MEMBER_BYTES:
        return b"".join([recipient for (recipient,) in ID_OF.iter_unpack(members)])
    import numpy as np

    return np.frombuffer(members, "u1").reshape(-1, MEMBER_BYTES)[:, :ID_BYTES].tobytes()


def identify_ledger(database: Database, external_key: bytes | None) -> Identity:
    """Whose ledger this is. Raises LedgerError unless this version can read it and knows its people by the same ids."""
    refuse_other_versions(database)
    [(lineage, created_at, normaliser, kept, check)] = database.rows(
        "SELECT lineage, created_at, normaliser, recipient_key, key_check FROM meta"
    )
    key = kept if external_key is None else external_key
    if key is None:
        raise LedgerError(
            f"the recipient key of {database.path} is kept outside, and none is given",
            hint="name its environment variable in the environment: `ledger: {recipientKeyEnv: …}`",
        )
    if not hmac.compare_digest(key_check(key), check):
        raise LedgerError(
            f"the recipient key given is not the one {database.path} was made with: people would be taken for others,"
            " and get everything again",
            hint="set the variable that `ledger.recipientKeyEnv` names to the key this ledger was made with"
            + ("" if kept is None else ", or remove `recipientKeyEnv`: this ledger keeps its own"),
        )
    if normaliser != NORMALISER_VERSION:
        raise LedgerError(
            f"{database.path} knows people by addresses written in way {normaliser}, this version writes way"
            f" {NORMALISER_VERSION}: people would be taken for others, and get everything again",
            hint="use the version of notifyctl that wrote this ledger last",
        )
    return Identity(lineage, datetime.fromisoformat(created_at), key)


def refuse_other_versions(database: Database) -> None:
    if database.number("PRAGMA application_id") != APPLICATION_ID:
        raise not_a_ledger(database.path)
    version = database.number("PRAGMA user_version")
    if not FIRST_VERSION <= version <= SCHEMA_VERSION:
        raise LedgerError(
            f"{database.path} is a ledger of version {version}; this notifyctl reads up to version {SCHEMA_VERSION}",
            hint="upgrade notifyctl: the ledger was written by a newer one",
        )


def not_a_ledger(path: Path) -> LedgerError:
    return LedgerError(
        f"{path} is not a notifyctl ledger",
        hint="move that file away and put the ledger back from a backup; a new ledger would send everything again",
    )
