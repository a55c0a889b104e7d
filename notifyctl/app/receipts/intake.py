"""Puts receipts into the inbox of a ledger in PostgreSQL, many in one commit, and refuses what it cannot take at present.

Stateless: a receipt is in the database or was not answered with 200. Several servers can do this for one ledger.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from threading import Condition, Thread
from typing import Protocol

from msgspec import Struct

from notifyctl.errors import LedgerError, NotifyctlError, OverloadedError
from notifyctl.model.received import Received
from notifyctl.ports import Clock

GROUP = 1_000
"""Receipts in one commit, at most."""
LINGER = 0.003
"""Seconds that the first receipt of a commit waits for others."""
QUEUE = 384
"""Receipts that wait for their commit or are in one, beyond which the next is refused: three quarters of the connections, so that
more are answered and not cut off."""
LOOK_AGAIN = 1.0
"""Seconds until the database is asked again, after it was away or its inbox was full; and between two looks at the inbox."""
RETRY_BUSY, RETRY_AWAY, RETRY_FULL = 1, 5, 30
"""Seconds after which the provider should post again: a full queue, no database, a full inbox."""


class Inbox(Protocol):
    """One connection to the inbox. Each method raises LedgerError if the database is away."""

    def put(self, receipts: Sequence[Received]) -> None:
        """Durable when it returns."""

    def is_full(self) -> bool: ...

    def close(self) -> None: ...


class IntakeCounts(Struct):
    """Since the start: receipts that were committed, commits, and receipts that were refused because the queue was full, because the
    database was away, and because its inbox was full.
    """

    stored: int = 0
    commits: int = 0
    busy: int = 0
    away: int = 0
    full: int = 0


class Refusal(Struct, frozen=True):
    """Why receipts are not taken, and in how many seconds to post them again."""

    why: str
    retry_after: int

    def error(self) -> OverloadedError:
        return OverloadedError(self.why, retry_after=self.retry_after)


class Waiter(Struct, frozen=True):
    receipt: Received
    done: Future[None]


class Intake:
    """One thread commits what arrives. `open_inbox` connects; it is called again after the database was away."""

    def __init__(
        self, open_inbox: Callable[[], Inbox], clock: Clock, *, queue: int = QUEUE, group: int = GROUP
    ) -> None:
        self.counts = IntakeCounts()
        self._open_inbox = open_inbox
        self._clock = clock
        self._bound = queue
        self._group = group
        self._waiting: deque[Waiter] = deque()
        self._pending = 0
        self._changed = Condition()
        self._closing = False
        self._refusal: Refusal | None = None
        self._looked = self._refused_until = float("-inf")
        # A ledger that cannot be used at all ends the start, not each receipt.
        self._inbox: Inbox | None = open_inbox()
        self._thread = Thread(target=self._commit_groups, name="receipts", daemon=True)
        self._thread.start()

    def offer(self, receipt: Received) -> Future[None]:
        """Done once the receipt is committed; it fails with OverloadedError if it could not be. Raises OverloadedError at once where the
        queue is full, or the database was away or its inbox full a moment ago.
        """
        with self._changed:
            refusal = self._current_refusal()
            if refusal is not None:
                self._count_refusal(refusal, 1)
                raise refusal.error()
            waiter = Waiter(receipt, Future())
            self._waiting.append(waiter)
            self._pending += 1
            if len(self._waiting) == 1:
                self._changed.notify()
        return waiter.done

    @property
    def pending(self) -> int:
        """Receipts that wait for their commit or are in one."""
        return self._pending

    def is_ready(self) -> bool:
        """Whether receipts are taken. After a failure only once the database was reached again: a balancer that stops posting here must
        not learn of it by the next receipt.
        """
        with self._changed:
            return self._refusal is None and self._current_refusal() is None

    def close(self) -> None:
        """Commits what waits, then ends."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()
        if self._inbox is not None:
            with suppress(LedgerError):
                self._inbox.close()

    def _current_refusal(self) -> Refusal | None:
        if self._closing:
            return Refusal("this server is stopping", RETRY_BUSY)
        if self._refusal is not None and self._clock.monotonic() < self._refused_until:
            return self._refusal
        if self._pending >= self._bound:
            return Refusal("too many receipts wait to be stored", RETRY_BUSY)
        return None

    def _commit_groups(self) -> None:
        while (group := self._next_group()) or not self._closing:
            refusal = self._store([waiter.receipt for waiter in group])
            with self._changed:
                self._pending -= len(group)
                self._refusal = refusal
                if refusal is None:
                    self.counts.stored += len(group)
                    self.counts.commits += bool(group)
                else:
                    self._refused_until = self._clock.monotonic() + LOOK_AGAIN
                    self._count_refusal(refusal, len(group))
            for waiter in group:
                # Whoever waited may have given up meanwhile.
                if waiter.done.set_running_or_notify_cancel():
                    if refusal is None:
                        waiter.done.set_result(None)
                    else:
                        waiter.done.set_exception(refusal.error())

    def _next_group(self) -> list[Waiter]:
        """Waits for a receipt, then a moment for others; empty at the end, and where it is time to see whether the database is back."""
        with self._changed:
            refused = self._refusal is not None
            self._changed.wait_for(lambda: self._waiting or self._closing, LOOK_AGAIN if refused else None)
            if self._waiting and not self._closing:
                self._changed.wait_for(lambda: self._closing, LINGER)
            return [self._waiting.popleft() for _ in range(min(self._group, len(self._waiting)))]

    def _store(self, receipts: Sequence[Received]) -> Refusal | None:
        """Commits receipts, or none to see whether that can be done. What was cut before its answer may be stored all the same: it is
        repeated, and known by its digest.
        """
        why = ""
        for _ in range(2):  # a connection may have been cut while it was idle
            try:
                if self._inbox is None:
                    self._inbox = self._open_inbox()
                if self._is_full(self._inbox):
                    return Refusal("too many receipts wait in the database to be recorded", RETRY_FULL)
                self._inbox.put(receipts)
            except NotifyctlError as error:
                why = error.message
            except Exception as error:  # noqa: BLE001 - without this thread no receipt would be stored any more
                why = f"an error of notifyctl itself, {type(error).__name__}"
            else:
                return None
            self._drop()
        return Refusal(why, RETRY_AWAY)

    def _is_full(self, inbox: Inbox) -> bool:
        """Looked at once a second: meanwhile a server can exceed the bound by what it takes in a second."""
        now = self._clock.monotonic()
        if now - self._looked < LOOK_AGAIN:
            return False
        if inbox.is_full():
            return True
        self._looked = now
        return False

    def _drop(self) -> None:
        if self._inbox is not None:
            with suppress(Exception):  # it is lost already
                self._inbox.close()
        self._inbox = None

    def _count_refusal(self, refusal: Refusal, receipts: int) -> None:
        if refusal.retry_after == RETRY_FULL:
            self.counts.full += receipts
        elif refusal.retry_after == RETRY_AWAY:
            self.counts.away += receipts
        else:
            self.counts.busy += receipts
