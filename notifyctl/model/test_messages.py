"""Test messages: one real message with a recipient's values, sent to an address for tests. Never counted as sent to anybody."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from notifyctl.model.ledger import BatchState
from notifyctl.model.project import ChannelName


class TestMessage(Struct, frozen=True):
    """What a test is about. `values_of` and `sent_to` are recipient ids; `fingerprint` is the start of the delivery hash."""

    __test__ = False
    notification: str
    edition: int
    channel: ChannelName
    locale: str | None
    values_of: bytes
    sent_to: bytes
    fingerprint: bytes


class TestRecord(Struct, frozen=True):
    """A test in the ledger. `kind` is UNKNOWN, with a reason, if no result was recorded."""

    __test__ = False
    number: int
    message: TestMessage
    epoch: int
    at: datetime
    kind: BatchState
    status: int | None = None
    provider_id: str | None = None
    reason: str | None = None
    who: str | None = None
