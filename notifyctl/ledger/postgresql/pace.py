"""One account, one pace: the rate of an account over all workers, kept in one row by the database's clock.

A generic cell rate algorithm, as in `apply.pacing`, but nothing catches up: starts that were reserved lie at least as far apart as the
account's rate demands. So what starts within a second is at most the rate and one batch, however many workers there are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from notifyctl.apply.pacing import takes
from notifyctl.model.project import Limits
from notifyctl.ports import Clock

if TYPE_CHECKING:
    from psycopg import Connection

LEAD = 0.05
"""Seconds before its reserved start at which a request is armed: the commit takes some time, and more on a busy machine, which would move
its start towards those reserved after it.
"""
LATEST = 0.02
"""Seconds after its reserved start by which a request must be ready to be armed, or a fifth of what it takes of the rate if that is more.
One that is later would meet those that were reserved after it, and is reserved anew.
"""

RESERVE = """
WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO pace AS known (account, next_at)
SELECT %(account)s, clock_timestamp() + make_interval(secs => %(takes)s) FROM quick
ON CONFLICT (account) DO UPDATE SET
    next_at = greatest(known.next_at, known.held_until, clock_timestamp()) + make_interval(secs => %(takes)s)
RETURNING extract(epoch FROM next_at - make_interval(secs => %(takes)s) - clock_timestamp())
"""
"""The row is no fact: with others waiting for it, its commit does not wait for the disk. The ARM that follows syncs it too."""
HOLD_OFF = """
INSERT INTO pace AS known (account, next_at, held_until)
VALUES (%(account)s, clock_timestamp(), clock_timestamp() + make_interval(secs => %(seconds)s))
ON CONFLICT (account) DO UPDATE SET held_until = greatest(known.held_until, excluded.held_until)
"""
HELD = "SELECT extract(epoch FROM held_until - clock_timestamp()) FROM pace WHERE account = %s"


class AccountPace:
    """The pace of one account. `connection` is in autocommit mode; each call is one statement, so any kind of pool may be between."""

    def __init__(self, connection: Connection[Any], account: bytes, limits: Limits) -> None:
        self._connection = connection
        self._account = account
        self._limits = limits

    def takes(self, destinations: int, requests: int = 1) -> float:
        """Seconds by which requests with so many destinations delay the next one."""
        return takes(self._limits, destinations, requests)

    def reserve(self, destinations: int, requests: int = 1) -> float:
        """Reserves the next start for a request, and returns the seconds until then. A reservation cannot be given back."""
        from psycopg.pq import TransactionStatus

        # Within a transaction it would take the durability of all else in it.
        assert self._connection.info.transaction_status == TransactionStatus.IDLE
        values = {"account": self._account, "takes": self.takes(destinations, requests)}
        return max(0.0, self._number(RESERVE, values))

    def hold_off(self, seconds: float) -> None:
        """Lets no worker start anything for so many seconds: the provider is overloaded or unreachable."""
        self._connection.execute(HOLD_OFF.encode(), {"account": self._account, "seconds": seconds})

    def held(self) -> float:
        """The seconds for which nothing may start, though a start was reserved before; 0 for none."""
        return max(0.0, self._number(HELD, (self._account,)))

    def take_turn(self, destinations: int, *, clock: Clock, wait: Callable[[float], bool]) -> float | None:
        """Reserves a start, and waits until shortly before it. Returns the start, by `clock.monotonic`: nothing is posted before it. None if
        `wait`, which is given the seconds, returned False: then nothing may start.

        What was held off meanwhile, or comes too late, waits for another turn.
        """
        latest = max(LATEST, self.takes(destinations) / 5)
        while True:
            seconds = self.reserve(destinations)
            start = clock.monotonic() + seconds
            if not wait(max(0.0, seconds - LEAD)):
                return None
            if clock.monotonic() - start <= latest and not self.held():
                return start

    def _number(self, sql: str, values: object) -> float:
        row = self._connection.execute(sql.encode(), values).fetchone()  # type: ignore[call-overload]
        return float(row[0]) if row is not None and row[0] is not None else 0.0
