"""Parses the receipts that the provider posts to `notifyUrl`, and verifies their signature. Pure.

Documented: `x-hub-signature` is the hexadecimal HMAC (SHA-256 or SHA-512) of the raw body. A `sha256=` or `sha512=` prefix
is undocumented and accepted.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

MAX_BODY = 256 * 1024
"""In bytes; documented receipts are smaller than 2,000."""

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
    # A complaint implies delivery.
    "complaint": "delivered",
    "complained": "delivered",
    # So does an unsubscription, which the platform reports for some channels.
    "unsubscribe": "delivered",
    "unsubscribed": "delivered",
}
"""`deliveryStatus`, in lower case → DeliveryStatus or clicked."""
OPT_OUTS = {
    "complaint": "7521",
    "complained": "7521",
    "unsubscribe": "unsubscribe",
    "unsubscribed": "unsubscribe",
}
"""`deliveryStatus` → code of the opt-out, which replaces the code in the receipt."""

SIGNATURES = {64: "sha256", 128: "sha512"}
"""Hexadecimal digits of a signature → its algorithm."""


class UnreadableReceiptError(Exception):
    """The body is not a receipt. The message quotes nothing from it."""


class Incoming(Struct, frozen=True):
    """A parsed receipt. `canonical` is its JSON, independent of whitespace and key order."""

    status: str
    destination: str | None
    correlation_id: str | None
    callback_data: str | None
    transaction: str | None
    code: str | None
    said_at: str | None
    canonical: str


def read_receipt(data: bytes) -> Incoming:
    """Parses one receipt. Raises UnreadableReceiptError."""
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
    """Whether the signature matches the raw body, compared in constant time."""
    digits = signature.strip().lower()
    digits = digits.partition("=")[2] if digits.startswith(("sha256=", "sha512=")) else digits
    algorithm = SIGNATURES.get(len(digits))
    if algorithm is None or not digits.isascii():
        return False
    return hmac.compare_digest(hmac.digest(secret, body, algorithm).hex(), digits)


def receipts_in(data: bytes) -> Iterator[tuple[int, Incoming | str]]:
    """Parses a file of receipts: JSON Lines, one array, or one object. Yields (line, receipt or error)."""
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
