"""PLAN: records what will be sent to whom before anything is begun, and finds each batch again when its turn comes."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby, islice
from operator import itemgetter

from notifyctl.apply.job import Job
from notifyctl.apply.senders import Attempt
from notifyctl.apply.tally import OPTED_OUT, Tally
from notifyctl.apply.together import Together
from notifyctl.faults import Point, point
from notifyctl.model.recipients import MEMBER_BYTES, Scope
from notifyctl.ports import Clock, LedgerWriter

PLANNED_AT_ONCE = 64
"""Batches recorded in one commit: at 1,000 recipients each, less than 2 MB."""


class Intents:
    """The batches of a run, as the ledger has them."""

    def __init__(self, job: Job, writer: LedgerWriter, clock: Clock, tally: Tally) -> None:
        self._job = job
        self._writer = writer
        self._clock = clock
        self._tally = tally
        self._numbers, self._prints = array("q"), array("q")

    def record(self) -> None:
        batches = self._job.members()
        while chunk := list(islice(batches, PLANNED_AT_ONCE)):
            for scope, grouped in groupby(chunk, key=itemgetter(0)):
                self._record(scope, [packed for _, packed in grouped])

    def _record(self, scope: Scope, members: Sequence[bytes]) -> None:
        numbers = self._writer.plan_batches(scope, members, at=self._clock.now())
        point(Point.PLAN_COMMITTED)
        self._numbers.extend(numbers)
        self._prints.extend(map(hash, members))
        self._tally.planned(scope, len(members), sum(map(len, members)) // MEMBER_BYTES)

    def attempts(self) -> Iterator[Attempt]:
        """The batches as a whole, which nobody could hold: each must be what the ledger has of it."""
        parts = self._job.slices()
        for number, print_, part in zip(self._numbers, self._prints, parts, strict=True):
            if hash(part.members) != print_:
                raise RuntimeError(f"batch {number} is not made of the people who are recorded in it")
            yield Attempt(0.0, number, 1, part)

    def without_opted_out(self, attempt: Attempt) -> Attempt | None:
        """The same, if everybody in it still wants it; else one of those who do, recorded anew. None: nobody does."""
        ask = self._job.opted_out
        gone = ask(attempt.part.scope, attempt.part.units.destinations) if ask is not None else ()
        return self._planned_without(attempt, gone) if gone else attempt

    def _planned_without(self, attempt: Attempt, gone: Collection[int]) -> Attempt | None:
        """PLAN, for one batch: what was recorded is never changed, so the others get a batch of their own."""
        part = attempt.part.without(gone)
        if attempt.attempt == 1:
            self._tally.held_back(attempt.part.size - part.size, OPTED_OUT)
        if not part.size:
            return None
        (number,) = self._writer.plan_batches(part.scope, [part.members], at=self._clock.now())
        point(Point.PLAN_COMMITTED)
        self._tally.replanned(attempt.number, attempt.part.size - part.size)
        return Attempt(attempt.due, number, 1, part)


class Fresh:
    """Batches that were never begun, in their order."""

    def __init__(self, attempts: Iterator[Attempt]) -> None:
        self._attempts = attempts
        self._first: Attempt | None = None

    def group(self, together: Together) -> Sequence[Attempt]:
        """The next one, and those that may be begun with it; none: that was all."""
        found: list[Attempt] = []
        people = 0
        while True:
            attempt = self._first = self._first or next(self._attempts, None)
            if attempt is None or (found and not together.room(len(found), people, attempt.part)):
                return found
            found.append(attempt)
            people += attempt.part.size
            self._first = None
