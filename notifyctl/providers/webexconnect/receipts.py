"""Parses the receipts that the provider posts to `notifyUrl`, and verifies their signature. Pure.

Documented: `x-hub-signature` is the hexadecimal HMAC (SHA-256 or SHA-512) of the raw body. A `sha256=` or `sha512=` prefix
is undocumented and accepted.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from notifyctl.model.events import BOUNCE_CODE, UNSUBSCRIBE_CODE, UNSUBSCRIBED

MAX_BODY = 256 * 1024
"""In bytes; documented receipts are smaller than 2,000."""
MAX_DEPTH = 32
"""Levels of objects and arrays; documented receipts have three."""
MALFORMED = re.compile(r"[\x00\ud800-\udfff]")
"""What is no character of a text, though JSON can escape it: NUL and lone surrogates."""

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
    "unsubscribe": UNSUBSCRIBE_CODE,
    "unsubscribed": UNSUBSCRIBE_CODE,
}
"""`deliveryStatus` → code of the opt-out, which replaces the code in the receipt."""

BOUNCES = ("bounce", "bounced")
PERMANENT = "permanent"
"""How the description of a bounce begins that no later e-mail will escape: Permanent_NoEmail."""
UNSUBSCRIBE_EVENT = "unsubscribe"
EVENT_KEYS = ("event", "eventType", "eventName", "type")
"""Where an inbound event has its name; editions of the documentation differ."""
SENDER_KEYS = ("oa", "msisdn", "email", "senderAddress", "from", "destination", "userId")
"""Where an inbound event has the address of the person, the likeliest first."""

SIGNATURES = {64: "sha256", 128: "sha512"}
"""Hexadecimal digits of a signature → its algorithm."""


class UnreadableReceiptError(Exception):
    """The body is not a receipt. The message quotes nothing from it."""


class Incoming(Struct, frozen=True):
    """A parsed receipt. `status` is one line of printable characters; other texts are as they came. `canonical` is its JSON,
    independent of whitespace and key order.
    """

    status: str
    destination: str | None
    correlation_id: str | None
    callback_data: str | None
    transaction: str | None
    code: str | None
    said_at: str | None
    canonical: str
    channel: str | None = None
    """Of an event; others say it by what they match."""
    inbound: bool = False
    """An event that the person began, about no message: the last one they got stands for it."""


def read_receipt(data: bytes) -> Incoming:
    """Parses one receipt. Raises UnreadableReceiptError."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UnreadableReceiptError("it is not valid JSON") from error
    return to_incoming(document)


def to_incoming(document: object) -> Incoming:
    if not isinstance(document, dict):
        raise UnreadableReceiptError("it is not a JSON object")
    check_texts(document)
    event = inbound_event(document)
    if event is not None:
        return event
    outer = document.get("deliveryInfoNotification")
    inner = outer.get("deliveryInfo") if isinstance(outer, dict) else None
    if not isinstance(outer, dict) or not isinstance(inner, dict):
        raise UnreadableReceiptError("it has no `deliveryInfo` in a `deliveryInfoNotification`")
    status = (text(inner, "deliveryStatus") or "").strip().lower()
    if not status:
        raise UnreadableReceiptError("it has no `deliveryStatus`")
    return Incoming(
        status=STATUSES.get(status, printable(status)[:40]),
        destination=text(inner, "destination"),
        correlation_id=text(outer, "correlationid") or text(outer, "correlationId"),
        callback_data=text(outer, "callbackData"),
        transaction=text(outer, "transid"),
        code=OPT_OUTS.get(status) or bounce_code(status, inner) or text(inner, "code"),
        said_at=text(inner, "timeStamp"),
        canonical=canonical_text(document),
    )


def check_texts(document: Mapping[str, Any]) -> None:
    """Raises UnreadableReceiptError for a text, or key, that can be neither stored nor compared, and for endless nesting."""
    level: list[Any] = [document]
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                inner += [*value, *value.values()]
            elif isinstance(value, list):
                inner += value
            elif isinstance(value, str) and MALFORMED.search(value):
                raise UnreadableReceiptError("it has text with NUL or an incomplete character")
        if not inner:
            return
        level = inner
    raise UnreadableReceiptError("it is nested too deeply")


def printable(text: str) -> str:
    """One line, with every control, format and other invisible character escaped: a stranger's text, for logs and terminals."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def bounce_code(status: str, inner: Mapping[str, Any]) -> str | None:
    description = text(inner, "Description") or text(inner, "description") or ""
    permanent = description.strip().lower().startswith(PERMANENT)
    return BOUNCE_CODE if status in BOUNCES and permanent else None


def inbound_event(document: Mapping[str, Any]) -> Incoming | None:
    """Somebody who unsubscribed by themselves. `None` for anything else."""
    parts = list(objects_in(document))
    if UNSUBSCRIBE_EVENT not in {(first_text(parts, key) or "").strip().lower() for key in EVENT_KEYS}:
        return None
    return Incoming(
        status=UNSUBSCRIBED,
        destination=first_text(parts, *SENDER_KEYS),
        correlation_id=None,
        callback_data=None,
        transaction=first_text(parts, "tid", "transid"),
        code=UNSUBSCRIBE_CODE,
        said_at=first_text(parts, "timeStamp", "ts"),
        canonical=canonical_text(document),
        channel=(first_text(parts, "channel", "deliveryChannel") or "").lower() or None,
        inbound=True,
    )


def first_text(parts: Sequence[Mapping[str, Any]], *keys: str) -> str | None:
    """The first of the keys that has a text or a whole number anywhere, as text."""
    for key in keys:
        for each in parts:
            value = each.get(key)
            if isinstance(value, int) and not isinstance(value, bool):
                return str(value)
            if isinstance(value, str) and value:
                return value
    return None


def objects_in(document: Mapping[str, Any], depth: int = 3) -> Iterator[Mapping[str, Any]]:
    """An object and those in it, the outermost first."""
    yield document
    for value in document.values() if depth else ():
        if isinstance(value, dict):
            yield from objects_in(value, depth - 1)


def canonical_text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


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
