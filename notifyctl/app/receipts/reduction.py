"""Takes from a receipt what is personal in it, before it waits in a database: the address, and names that an author gave."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from msgspec import Struct

from notifyctl.apply.correlation import (
    CALLBACK,
    TEST_CALLBACK,
    TEST_CORRELATION,
    batch_in_callback,
    callback_data,
    parse_correlation_id,
)
from notifyctl.audience.addresses import parse_address
from notifyctl.audience.former_addresses import former_key
from notifyctl.model.received import FOREIGN, Received
from notifyctl.providers.webexconnect.receipts import Incoming, printable
from notifyctl.recipients.hashes import Identify

MAX_NAME = 200
"""Characters of the provider's id that are kept for the match."""
MAX_WORD = 40
"""Characters of a code, a time or a channel."""


class Reducer(Struct, frozen=True):
    """Makes of a receipt what may be stored of it. `ledger` is project/environment; `identify` has the ledger's key."""

    identify: Identify
    ledger: str

    def reduce(self, incoming: Incoming, now: datetime) -> Received:
        """Without the address, and without names that an author gave: they may have a person's data in them."""
        digest, *recipients = self.identify(
            ["receipt\0" + incoming.canonical, *possible_keys(incoming.destination)]
        )
        return Received(
            digest=digest,
            status=incoming.status,
            at=now,
            recipients=tuple(recipients),
            correlation_id=reduce_correlation_id(incoming.correlation_id),
            callback=self.reduce_callback(incoming.callback_data),
            transaction=shorten(incoming.transaction, MAX_NAME),
            channel=shorten(incoming.channel, MAX_WORD),
            code=shorten(incoming.code, MAX_WORD),
            said_at=shorten(incoming.said_at, MAX_WORD),
            inbound=incoming.inbound,
        )

    def reduce_callback(self, text: str | None) -> str | None:
        if text is None or not text.startswith((CALLBACK, TEST_CALLBACK)):
            return None
        if text.startswith(TEST_CALLBACK):
            return TEST_CALLBACK
        number = batch_in_callback(text, self.ledger)
        if number is not None:
            return callback_data(self.ledger, number, 0)
        ours = f"{CALLBACK}{self.ledger}:"
        return ours if text.startswith(ours) else CALLBACK


def reduce_correlation_id(text: str | None) -> str | None:
    if not text or parse_correlation_id(text) is not None:
        return text or None
    return TEST_CORRELATION if text.startswith(TEST_CORRELATION) else FOREIGN


def shorten(text: str | None, length: int) -> str | None:
    return printable(text or "")[:length] or None


def possible_keys(destination: str | None) -> list[str]:
    """The normalised addresses that a ledger may know a destination by, former ones among them; none if it is no address."""
    if destination is None:
        return []
    keys = [former_key(destination)]
    with suppress(ValueError):
        keys.append(parse_address(destination).key)
    return list(dict.fromkeys(filter(None, keys)))
