"""PLAN: records every batch before any is attempted, and finds each one again when its turn comes."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from operator import itemgetter

from msgspec.structs import replace

from notifyctl.apply import turn
from notifyctl.apply.attempts import Attempt
from notifyctl.apply.batches import BatchSlice
from notifyctl.apply.counters import OPTED_OUT, Counters
from notifyctl.apply.job import Job
from notifyctl.fault_injection import Point, point
from notifyctl.model.recipients import MEMBER_BYTES, Scope
from notifyctl.ports import Clock, LedgerWriter

BATCHES_PER_COMMIT = 64
"""At 1,000 recipients each, less than 2 MB."""


class WriteAhead:
    """The batches of a run as the ledger holds them. Keeps a number and a hash per batch, not its members."""

    def __init__(self, job: Job, writer: LedgerWriter, clock: Clock, counters: Counters) -> None:
        self._job = job
        self._writer = writer
        self._clock = clock
        self._counters = counters
        self._numbers, self._hashes = array("q"), array("q")

    @property
    def first_number(self) -> int:
        """The number of the first batch. The others follow it without a gap: nobody else plans meanwhile."""
        assert all(number == self._numbers[0] + at for at, number in enumerate(self._numbers))
        return self._numbers[0]

    def record(self) -> None:
        """Record every batch of the job as planned."""
        batches = self._job.members()
        while chunk := list(islice(batches, BATCHES_PER_COMMIT)):
            for scope, grouped in groupby(chunk, key=itemgetter(0)):
                self._record(scope, [packed for _, packed in grouped])

    def _record(self, scope: Scope, members: Sequence[bytes]) -> None:
        numbers = self._writer.plan_batches(scope, members, at=self._clock.now())
        point(Point.PLAN_COMMITTED)
        self._numbers.extend(numbers)
        self._hashes.extend(map(hash, members))
        self._counters.planned(scope, len(members), sum(map(len, members)) // MEMBER_BYTES)

    def attempts(self) -> Iterator[Attempt]:
        """The first attempt of each batch in order, cut again from the job and checked against what was recorded."""
        for number, expected, piece in zip(self._numbers, self._hashes, self._job.slices(), strict=True):
            if hash(piece.members) != expected:
                raise RuntimeError(f"batch {number} does not consist of the recipients recorded in it")
            yield Attempt(number, 1, piece)

    def still_wanted(self, attempt: Attempt) -> list[Attempt]:
        """What is left of an attempt now, in requests of their own: itself, or less where people or destinations of theirs have
        opted out since.
        """
        wanted = turn.still_wanted(attempt.slice, self._job.opted_out)
        if wanted.split:
            return self._replan(attempt, wanted.parts, wanted.gone)
        [piece] = wanted.parts
        return [attempt if piece is attempt.slice else replace(attempt, slice=piece)]

    def _replan(self, attempt: Attempt, parts: Sequence[BatchSlice], gone: int) -> list[Attempt]:
        """PLAN what is left of a batch as batches of their own: a recorded batch never changes."""
        if attempt.attempt == 1:
            self._counters.held_back(gone, OPTED_OUT)
        if not parts:
            return []
        scope = attempt.slice.scope
        numbers = self._writer.plan_batches(scope, [part.members for part in parts], at=self._clock.now())
        point(Point.PLAN_COMMITTED)
        self._counters.replanned(attempt.number, gone, batches=len(parts))
        return [Attempt(number, 1, part) for number, part in zip(numbers, parts, strict=True)]
