"""What the provider posts to `notifyUrl`: the exact envelope and odd casing, and the signature over it. Pure.

Documented: `x-hub-signature` is the hexadecimal HMAC of the raw body, SHA-256 or SHA-512; a prefix is not documented and
is taken all the same.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

MAX_BODY = 256 * 1024
"""Bytes; the documented receipts have less than two thousand."""

STATUSES = {
    "submitted": "submitted",
    "sent": "submitted",
    "delivered": "delivered",
    "read": "read",
    "clicked": "clicked",
    "failed": "failed",
    "un-delivered": "failed",
    "undelivered": "failed",
    "bounce": "failed",
    "bounced": "failed",
    "not verified": "failed",
    "invalid": "failed",
    # Who complains has read it, or at least its sender.
    "complaint": "delivered",
    "complained": "delivered",
    # Who unsubscribes has got something; the platform reports it for some channels.
    "unsubscribe": "delivered",
    "unsubscribed": "delivered",
}
"""`deliveryStatus`, in small letters, as our words."""
OPT_OUTS = {
    "complaint": "7521",
    "complained": "7521",
    "unsubscribe": "unsubscribe",
    "unsubscribed": "unsubscribe",
}
"""`deliveryStatus` → the code by which an opt-out is known, whatever code came with it."""

SIGNATURES = {64: "sha256", 128: "sha512"}
"""Hexadecimal digits of a signature → its algorithm."""


class UnreadableReceiptError(Exception):
    """The body is no receipt. The message holds nothing of it."""


class Incoming(Struct, frozen=True):
    """A receipt as it came. `canonical` is the same text for the same receipt, whatever its spaces and order of keys."""

    status: str
    destination: str | None
    correlation_id: str | None
    callback_data: str | None
    transaction: str | None
    code: str | None
    said_at: str | None
    canonical: str


def read_receipt(data: bytes) -> Incoming:
    """Raises UnreadableReceiptError."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UnreadableReceiptError("it is no JSON") from error
    return to_incoming(document)


def to_incoming(document: object) -> Incoming:
    if not isinstance(document, dict):
        raise UnreadableReceiptError("it is no JSON object")
    outer = document.get("deliveryInfoNotification")
    inner = outer.get("deliveryInfo") if isinstance(outer, dict) else None
    if not isinstance(outer, dict) or not isinstance(inner, dict):
        raise UnreadableReceiptError("it has no deliveryInfoNotification with a deliveryInfo")
    status = text(inner, "deliveryStatus")
    if status is None:
        raise UnreadableReceiptError("it has no deliveryStatus")
    return Incoming(
        status=STATUSES.get(status.strip().lower(), status.strip().lower()[:40]),
        destination=text(inner, "destination"),
        correlation_id=text(outer, "correlationid") or text(outer, "correlationId"),
        callback_data=text(outer, "callbackData"),
        transaction=text(outer, "transid"),
        code=OPT_OUTS.get(status.strip().lower()) or text(inner, "code"),
        said_at=text(inner, "timeStamp"),
        canonical=json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False),
    )


def text(of: Mapping[str, Any], key: str) -> str | None:
    value = of.get(key)
    return value if isinstance(value, str) and value else None


def signature_matches(body: bytes, signature: str, secret: bytes) -> bool:
    """Whether a signature is that of the raw body. Takes the same time for every wrong one of its length."""
    given = signature.strip().lower()
    given = given.partition("=")[2] if given.startswith(("sha256=", "sha512=")) else given
    algorithm = SIGNATURES.get(len(given))
    if algorithm is None or not given.isascii():
        return False
    return hmac.compare_digest(hmac.digest(secret, body, algorithm).hex(), given)


def receipts_in(data: bytes) -> Iterator[tuple[int, Incoming | str]]:
    """A file of receipts: one JSON object a line, or one array, or one object. Gives (line, receipt or why it is none)."""
    try:
        whole = json.loads(data)
    except (ValueError, RecursionError):
        for number, line in enumerate(data.splitlines(), start=1):
            if line.strip():
                yield number, try_parse(line)
        return
    for entry in whole if isinstance(whole, list) else [whole]:
        try:
            yield 1, to_incoming(entry)
        except UnreadableReceiptError as error:
            yield 1, str(error)


def try_parse(line: bytes) -> Incoming | str:
    try:
        return read_receipt(line)
    except UnreadableReceiptError as error:
        return str(error)
