"""A receipt as it waits in the inbox of a ledger in PostgreSQL: without an address, and not yet matched with its recipient."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

FOREIGN = "other"
"""Stands for a correlation id that notifyctl did not make: an author's own may have a person's data in it, and only that
there is one matters.
"""


class Received(Struct, frozen=True):
    """`digest` identifies the receipt, so that a repeat changes nothing. `recipients` are the keyed ids that a ledger may know its
    destination by. The names in it are ours, shortened where they are another's.
    """

    digest: bytes
    status: str
    at: datetime
    recipients: tuple[bytes, ...] = ()
    correlation_id: str | None = None
    callback: str | None = None
    transaction: str | None = None
    channel: str | None = None
    code: str | None = None
    said_at: str | None = None
    inbound: bool = False
    """An event that the person began, about no message."""
