"""Joins the ledger's packed batch records with an audience and keeps, per recipient, the strongest status
(accepted > unknown > rejected).

Ids are compared as two 64-bit numbers: the audience's are sorted, the ledger's are looked up PIECE at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from notifyctl.model.ledger import BatchRecord, BatchState
from notifyctl.model.recipients import FINGERPRINT_BYTES, ID_BYTES, MEMBER_BYTES, Scope
from notifyctl.plan.combinations import OTHER_TEXT, REJECTED, SAME_TEXT, UNCERTAIN, Past, Renames
from notifyctl.plan.inputs import Batches, LedgerRecords, ScopeRecords
from notifyctl.plan.recipient_table import Mask, Places, RecipientTable
from notifyctl.plan.statuses import KINDS, RANK

PIECE = 1 << 18
"""Members per lookup."""
ID = np.dtype([("high", ">u8"), ("low", ">u8")])
MEMBER = np.dtype([("high", ">u8"), ("low", ">u8"), ("fingerprint", np.uint8, (FINGERPRINT_BYTES,))])
BATCH_BITS = 56
"""A rank has the kind in the high bits and the batch number below: among equal kinds the later batch wins."""
STATUS_OF_RANK = np.zeros(8, np.uint8)
STATUS_OF_RANK[[RANK["rejected"], RANK["uncertain"], RANK["accepted"]]] = (REJECTED, UNCERTAIN, SAME_TEXT)
"""Rank of a kind → status code, if the text sent equals the current one."""


class Piece(NamedTuple):
    """Members of the ledger with their ranks (0: not attempted). `recorded`: planned by the run that opened the scope."""

    members: NDArray[Any]
    ranks: NDArray[np.uint64]
    recorded: Mask


class StatusColumns(NamedTuple):
    """Per recipient of a table: the highest rank (0: no record), whether that record's text equals the current one, and its
    fingerprint.
    """

    ranks: NDArray[np.uint64]
    same: Mask
    fingerprints: NDArray[np.uint8]

    @classmethod
    def empty(cls, count: int) -> StatusColumns:
        return cls(
            np.zeros(count, np.uint64), np.zeros(count, bool), np.zeros((count, FINGERPRINT_BYTES), np.uint8)
        )

    def codes(self) -> NDArray[np.uint8]:
        """Returns codes of `combinations.STATUSES`."""
        codes: NDArray[np.uint8] = STATUS_OF_RANK[self.ranks >> np.uint64(BATCH_BITS)]
        codes[(codes == SAME_TEXT) & ~self.same] = OTHER_TEXT
        return codes


MAX_PREFIX_BITS = 24
"""Leading bits of an id in the prefix filter."""


class LedgerJoin:
    """Joins the recipients of one table with ledger records by id."""

    def __init__(self, table: RecipientTable) -> None:
        """Recipients are also found by their former ids, as far as the table has them."""
        self._table = table
        self._index(table.entries["high"], table.entries["low"], table.by_id, table.by_id)
        self._by_former_ids = False
        if table.former_ids:
            self._add_former_ids()
        self.recorded_size = 0
        """Size of the recorded audience, set by `join`. A recipient planned twice within the run counts twice."""

    def _index(
        self,
        highs: NDArray[Any],
        lows: NDArray[Any],
        order: NDArray[np.uint32],
        recipients: NDArray[np.uint32],
    ) -> None:
        """`order` sorts the ids; `recipients` are theirs in that order."""
        self._highs, self._lows = highs[order].astype(np.uint64), lows[order]
        self._recipients = recipients
        bits = min(len(self._highs).bit_length() + 4, MAX_PREFIX_BITS)
        self._prefix_shift = np.uint64(64 - bits)
        self._prefixes = np.zeros(1 << bits, bool)
        self._prefixes[self._highs >> self._prefix_shift] = True

    def _add_former_ids(self) -> None:
        pairs = np.unique(np.frombuffer(self._table.former_ids, np.dtype([("now", "V16"), ("then", "V16")])))
        rows, recipients = self.find(np.ascontiguousarray(pairs["now"]).view(ID))
        former = np.ascontiguousarray(pairs["then"]).view(ID)[rows]
        highs = np.concatenate([self._table.entries["high"], former["high"]])
        lows = np.concatenate([self._table.entries["low"], former["low"]])
        owners = np.concatenate([np.arange(len(self._table), dtype=np.uint32), recipients.astype(np.uint32)])
        order = np.lexsort((lows, highs)).astype(np.uint32)
        self._index(highs, lows, order, owners[order])
        self._by_former_ids = True

    def join(
        self, records: LedgerRecords, beside: Iterable[tuple[ScopeRecords, Mask]] = ()
    ) -> tuple[Past, StatusColumns]:
        """Returns each recipient's past and the record that decides it. `beside`: records of other occurrences, and for which
        recipients they count too.
        """
        count = len(self._table)
        recorded = np.full(count, records.recorded is None)
        epochs: Mapping[Scope, int] = {}
        if records.recorded is not None:
            epochs = records.recorded.epochs
            for held in records.recorded.held:
                self.recorded_size += len(held) // ID_BYTES
                recorded[self.find(np.frombuffer(held, ID))[1]] = True
        statuses = self.fold(self._counted(pieces_of(records.batches(), epochs)), recorded)
        served = np.zeros(count, bool)
        for packed in records.served():
            served[self.find(np.frombuffer(packed, MEMBER))[1]] = True
        for other, concerned in beside:
            self.fold(pieces_of(other.batches()), None, statuses, concerned)
            for packed in other.served():
                found = self.find(np.frombuffer(packed, MEMBER))[1]
                served[found[concerned[found]]] = True
        nothing = Renames((), np.zeros(count, np.uint32))
        past = Past(statuses.codes(), ~recorded, self._reached(records.earlier()), served, nothing)
        return past, statuses

    def find_begun(
        self,
        records: LedgerRecords,
        first: NDArray[np.float64],
        last: NDArray[np.float64],
    ) -> Mask:
        """The recipients whom a run has planned that began to send in time: from `first` until before `last`, in seconds, an entry
        for each recipient.
        """
        begun = np.zeros(len(self._table), bool)
        begins = {run: moment.timestamp() for run, moment in records.begins().items()}
        for batch in records.batches():
            began = begins.get(batch.epoch)
            if began is not None:
                found = self.find(np.frombuffer(batch.members, MEMBER))[1]
                begun[found[(first[found] <= began) & (began < last[found])]] = True
        return begun

    def find_renames(self, records: LedgerRecords, wanted: Mask) -> Renames:
        """The wanted recipients who may have their current text under a removed name, and do not have it under the present one."""
        places = np.zeros(len(self._table), np.uint32)
        names: list[str] = []
        for name, scopes in sorted(records.vanished.items()):
            if not wanted.any():
                break
            found = self.find_text(scopes) & wanted
            if found.any():
                names.append(name)
                places[found] = len(names)
                wanted = wanted & ~found
        if names:
            # Who has it under this name too gets it again on purpose: another edition, or another occurrence.
            places[self.find_text(records.own)] = 0
        return Renames(tuple(names), places)

    def last_texts(self, named: Mapping[str, Sequence[ScopeRecords]]) -> tuple[StatusColumns, dict[int, str]]:
        """What decides of each recipient over all these scopes; and the name that each batch belongs to."""
        names: dict[int, str] = {}

        def batches() -> Iterator[BatchRecord]:
            for name, scopes in named.items():
                for batch in (batch for scope in scopes for batch in scope.batches()):
                    names[batch.number] = name
                    yield batch

        return self.fold(pieces_of(batches())), names

    def find_text(self, scopes: Iterable[ScopeRecords]) -> Mask:
        """The recipients who have their current text in one of the scopes, may have it, or count as served with it."""
        found = np.zeros(len(self._table), bool)
        for members in members_who_may_have_it(scopes):
            rows, recipients = self.find(members)
            same = members["fingerprint"][rows] == self._table.members[recipients, ID_BYTES:]
            found[recipients[same.all(axis=1)]] = True
        return found

    def find_reached(self, records: ScopeRecords, wanted: Mask) -> tuple[Mask, datetime | None]:
        """The wanted recipients who have a text of a scope, or may have it, and when the last of them was sent it."""
        reached = np.zeros(len(self._table), bool)
        last: datetime | None = None
        for batch in records.batches():
            [piece] = pieces_of([batch])
            likely = piece.ranks >> np.uint64(BATCH_BITS) > RANK["rejected"]
            recipients = self.find(piece.members[likely])[1]
            recipients = recipients[wanted[recipients]]
            if len(recipients):
                reached[recipients] = True
                last = max(last or batch.at, batch.at)
        return reached, last

    def find(self, ids: NDArray[Any]) -> tuple[Places, Places]:
        """Returns (positions in `ids`, positions in the table) of the ids that are in the table."""
        highs, lows = ids["high"].astype(np.uint64), ids["low"]
        # Most ids of a large ledger are not in the audience; the prefix filter drops them.
        rows = np.flatnonzero(self._prefixes[highs >> self._prefix_shift])
        rows = rows[np.argsort(highs[rows])]
        places = np.searchsorted(self._highs, highs[rows])
        found_rows, found_recipients = [rows[:0]], [rows[:0]]
        while len(rows):
            near = places < len(self._highs)
            rows, places = rows[near], places[near]
            near = self._highs[places] == highs[rows]
            rows, places = rows[near], places[near]
            equal = self._lows[places] == lows[rows]
            found_rows.append(rows[equal])
            found_recipients.append(self._recipients[places[equal]].astype(np.intp))
            # Two recipients may share the first half of their ids. A former id may be the whole id of somebody else.
            further = np.full(len(rows), self._by_former_ids) | ~equal
            rows, places = rows[further], places[further] + 1
        return np.concatenate(found_rows), np.concatenate(found_recipients)

    def fold(
        self,
        pieces: Iterable[Piece],
        recorded: Mask | None = None,
        statuses: StatusColumns | None = None,
        concerned: Mask | None = None,
    ) -> StatusColumns:
        """Keeps the highest rank per recipient, and sets `recorded` for members that a piece marks so. `concerned`: those whom the
        pieces are about; None: everybody.
        """
        ranks, same, fingerprints = columns = statuses or StatusColumns.empty(len(self._table))
        for piece in pieces:
            rows, recipients = self.find(piece.members)
            if concerned is not None:
                rows, recipients = rows[concerned[recipients]], recipients[concerned[recipients]]
            if recorded is not None:
                recorded[recipients[piece.recorded[rows]]] = True
            higher = piece.ranks[rows] > ranks[recipients]
            rows, recipients = rows[higher], recipients[higher]
            # The last assignment to a recipient wins, so the highest rank comes last.
            order = np.argsort(piece.ranks[rows], kind="stable")
            rows, recipients = rows[order], recipients[order]
            sent = piece.members["fingerprint"][rows]
            ranks[recipients] = piece.ranks[rows]
            same[recipients] = (sent == self._table.members[recipients, ID_BYTES:]).all(axis=1)
            fingerprints[recipients] = sent
        return columns

    def count_absent(self, batches: Iterable[BatchRecord]) -> int:
        """How many of those who have a text of these batches, or may have it, are not in the table, each counted once."""
        absent = [np.empty(0, ID)]
        for piece in pieces_of(batches):
            likely = piece.members[piece.ranks >> np.uint64(BATCH_BITS) > RANK["rejected"]]
            unknown = np.ones(len(likely), bool)
            unknown[self.find(likely)[0]] = False
            ids = np.empty(int(unknown.sum()), ID)
            ids["high"], ids["low"] = likely["high"][unknown], likely["low"][unknown]
            absent.append(ids)
        return len(np.unique(np.concatenate(absent)))

    def _counted(self, pieces: Iterable[Piece]) -> Iterator[Piece]:
        for piece in pieces:
            self.recorded_size += int(piece.recorded.sum())
            yield piece

    def _reached(self, batches: Iterable[BatchRecord]) -> Mask:
        """Returns the recipients accepted in any of the batches."""
        reached = np.zeros(len(self._table), bool)
        for piece in pieces_of(batches):
            accepted = piece.ranks >> np.uint64(BATCH_BITS) == RANK["accepted"]
            reached[self.find(piece.members[accepted])[1]] = True
        return reached


def pieces_of(batches: Iterable[BatchRecord], epochs: Mapping[Scope, int] | None = None) -> Iterator[Piece]:
    """Yields the members of batches, about PIECE at a time. `epochs`: scope → run that opened it."""
    waiting: list[BatchRecord] = []
    members = 0
    for batch in batches:
        waiting.append(batch)
        members += len(batch.members) // MEMBER_BYTES
        if members >= PIECE:
            yield piece_of(waiting, epochs or {})
            waiting, members = [], 0
    if waiting:
        yield piece_of(waiting, epochs or {})


def piece_of(batches: list[BatchRecord], epochs: Mapping[Scope, int]) -> Piece:
    sizes = [len(batch.members) // MEMBER_BYTES for batch in batches]
    ranks = np.repeat(np.array([rank_of(batch, batch.state) for batch in batches], np.uint64), sizes)
    start = 0
    for batch, size in zip(batches, sizes, strict=True):
        for position, state in batch.others.items():
            ranks[start + position] = rank_of(batch, state)
        start += size
    recorded = np.repeat([epochs.get(batch.scope) == batch.epoch for batch in batches], sizes)
    packed = b"".join([batch.members for batch in batches])
    return Piece(np.frombuffer(packed, MEMBER), ranks, recorded)


def rank_of(batch: BatchRecord, state: BatchState) -> int:
    """0 for a batch that was not attempted."""
    kind = KINDS.get(state)
    return (RANK[kind] << BATCH_BITS) + batch.number if kind is not None else 0


def members_who_may_have_it(scopes: Iterable[ScopeRecords]) -> Iterator[NDArray[Any]]:
    """Members of type MEMBER that are accepted, uncertain or served."""
    scopes = list(scopes)
    for piece in pieces_of(batch for scope in scopes for batch in scope.batches()):
        yield piece.members[piece.ranks >> np.uint64(BATCH_BITS) > RANK["rejected"]]
    for scope in scopes:
        yield from (np.frombuffer(packed, MEMBER) for packed in scope.served())


def has_uncertain(batch: BatchRecord) -> bool:
    return any(KINDS.get(state) == "uncertain" for state in {batch.state, *batch.others.values()})


class Unsettled(NamedTuple):
    """Unresolved recipients of a scope whose definition was removed."""

    uncertain: int
    withdrawn: int
    """In the recorded audience, and not attempted or rejected."""
    never_begun: int
    """Those of them that were not attempted."""


def count_unsettled(batches: Batches, recorded: bytes) -> Unsettled:
    """Counts the unresolved recipients of one scope. `recorded` are the packed ids of its recorded audience."""
    if not recorded and not any(map(has_uncertain, batches())):
        return Unsettled(0, 0, 0)  # the usual case: a completed occurrence
    pieces = [
        (piece.members[piece.ranks > 0], piece.ranks[piece.ranks > 0]) for piece in pieces_of(batches())
    ]
    members = np.concatenate([np.empty(0, MEMBER), *(members for members, _ in pieces)])
    ranks = np.concatenate([np.empty(0, np.uint64), *(ranks for _, ranks in pieces)])
    audience = np.frombuffer(recorded, ID)
    highs = np.concatenate([audience["high"], members["high"]])
    lows = np.concatenate([audience["low"], members["low"]])
    known = np.concatenate([np.zeros(len(audience), np.uint64), ranks])
    order = np.lexsort((known, lows, highs))
    first = np.ones(len(order), bool)
    first[1:] = (highs[order[1:]] != highs[order[:-1]]) | (lows[order[1:]] != lows[order[:-1]])
    starts = np.flatnonzero(first)
    if not len(starts):
        return Unsettled(0, 0, 0)
    kinds = np.maximum.reduceat(known[order], starts) >> np.uint64(BATCH_BITS)
    held = np.logical_or.reduceat((order < len(audience)), starts)
    unsettled = held & (kinds <= RANK["rejected"])
    return Unsettled(
        uncertain=int((kinds == RANK["uncertain"]).sum()),
        withdrawn=int(unsettled.sum()),
        never_begun=int((held & (kinds == 0)).sum()),
    )
