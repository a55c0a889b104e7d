"""What an answer of the API means for the messages in the request. Pure: status, headers and body in, outcome out.

Only an answer that says so is an acceptance, only one that excludes it a rejection; everything else is unknown. Reasons
are sentences for people; they hold no address and no secret.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from notifyctl.model.batch import Accepted, Outcome, Refused, Rejected, Unknown

WITHOUT_A_BODY = {401, 404, 405, 429}
"""Documented without a body: whatever comes with them is from somebody else and is not read."""
AMBIGUOUS = {408, 409}
"""The request may have been taken all the same: a time-out at the server, and a conflict with what it has."""
FAILED = {"error", "failed", "failure", "invalid", "rejected"}
"""Values of `status` that contradict an acceptance; documented is `queued`."""

NAMES = ("to", "destination", "msisdn", "email")
"""What an entry of an answer may call its destination."""
SAID_LENGTH = 200
PRIVATE = re.compile(r"\S+@\S+|\+?\d[\d ()./-]{5,}\d|\S{33,}")
"""What may be an address, a number or a key in words of the provider."""


def outcome_of(
    status: int,
    body: bytes | None,
    *,
    retry_after: str | None = None,
    now: datetime,
    addresses: Callable[[], Sequence[str]] = tuple,
    secrets: Sequence[str] = (),
) -> Outcome:
    """`body` is None when it could not be read to its end, or was longer than any answer of the API. `retry_after` is the
    header's text. `addresses` gives the request's destinations in their order; it is asked only for an answer that lists them. `secrets` are
    struck out of what the provider says.
    """
    answer = None if status in WITHOUT_A_BODY else parsed(body)
    if status // 100 == 2:  # noqa: PLR2004 - what most answers are
        return taken(status, answer, secrets, addresses)
    said = spoken(answer, secrets)
    match status // 100, status:
        case 3, _:
            return Rejected(f"the endpoint answers with a redirect ({status}), which is not followed", status)
        case _, 401 | 403:
            return Refused(f"the provider does not accept the credentials ({status}{said})", status)
        case _, 429:
            wait = seconds_of(retry_after, now)
            return Rejected("over the account's rate (429)", status, retryable=True, retry_after=wait)
        case 4, _ if status not in AMBIGUOUS:
            return Rejected(f"the provider rejected the request ({status}{said})", status)
        case _:
            return Unknown(f"the answer does not tell whether the request was taken ({status}{said})", status)


def taken(
    status: int,
    answer: Mapping[str, Any] | None,
    secrets: Sequence[str],
    addresses: Callable[[], Sequence[str]],
) -> Outcome:
    """An answer of the 200s: accepted when it has a message id and says nothing to the contrary."""
    if answer is None:
        return Unknown(f"the answer to the request cannot be read ({status})", status)
    entries = answer.get("response")
    if isinstance(entries, list) and (asked := addresses()):
        return listed(status, answer, entries, asked)
    message_id, state = answer.get("messageId"), answer.get("status")
    if not isinstance(message_id, str) or not message_id:
        return Unknown(f"the answer has no message id ({status}{spoken(answer, secrets)})", status)
    if isinstance(state, str) and state.lower() in FAILED:
        said = spoken(answer, secrets)
        return Unknown(f"the answer has a message id and says {state.lower()!r} ({status}{said})", status)
    return Accepted(message_id, status)


def listed(
    status: int, answer: Mapping[str, Any], entries: Sequence[Any], addresses: Sequence[str]
) -> Outcome:
    """An answer that tells of each destination, as the first version of the API gave. Only an explicit rejection is one; who
    is not named is unknown; names that were not asked for say nothing.
    """
    positions = {bare(address): position for position, address in enumerate(addresses)}
    accepted: set[int] = set()
    refused: dict[int, str] = {}
    ids = [answer.get("messageId")]
    for entry in entries:
        named = next((entry[key] for key in NAMES if key in entry), None) if isinstance(entry, dict) else None
        position = positions.get(bare(named)) if isinstance(named, str) else None
        if position is None:
            continue
        state = str(entry.get("status", "")).lower()
        message_id = entry.get("messageId") or entry.get("transid")
        if state in FAILED:
            refused[position] = f"the provider rejected this recipient{spoken(entry, ())}"
        elif isinstance(message_id, str) and message_id:
            accepted.add(position)
            ids.append(message_id)
    provider_id = next((each for each in ids if isinstance(each, str) and each), None)
    everybody = frozenset(range(len(addresses)))
    if not accepted and refused.keys() == everybody:
        return Rejected(f"the provider rejected every recipient ({status})", status)
    if provider_id is None or not accepted:
        return Unknown(f"the answer lists recipients and accepts none ({status})", status)
    sure = {position: reason for position, reason in refused.items() if position not in accepted}
    return Accepted(provider_id, status, refused=sure, unheard=everybody - accepted - sure.keys())


def bare(address: str) -> str:
    return address.strip().lower().removeprefix("+")


def parsed(body: bytes | None) -> Mapping[str, Any] | None:
    try:
        value = json.loads(body or b"")
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def spoken(answer: Mapping[str, Any] | None, secrets: Sequence[str]) -> str:
    """The answer's code and message, to stand after a status: `, code 7004: Invalid parameter - sendAt`."""
    if answer is None:
        return ""
    code, message = (tidy(answer.get(key), secrets) for key in ("code", "message"))
    return (f", code {code}" if code else "") + (f": {message}" if message else "")


def tidy(value: object, secrets: Sequence[str]) -> str:
    if not isinstance(value, str | int):
        return ""
    text = str(value)
    for secret in secrets:
        text = text.replace(secret, "…")
    # Cut before the search too: what comes from outside may be long, and made to keep a pattern busy.
    words = PRIVATE.sub("…", text[: 2 * SAID_LENGTH]).split()
    return "".join(c for c in " ".join(words) if c.isprintable())[:SAID_LENGTH]


def seconds_of(retry_after: str | None, now: datetime) -> float | None:
    """The Retry-After header: seconds, or an HTTP date. `None` for neither."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
