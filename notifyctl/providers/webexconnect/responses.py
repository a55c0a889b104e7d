"""Maps a response of the API to the outcome of the request. Pure.

An outcome is accepted or rejected only if the response is conclusive; everything else is unknown. Reasons are sentences
without addresses and secrets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec
from msgspec import Struct

from notifyctl import strict_json
from notifyctl.model.batch import Accepted, Outcome, Refused, Rejected, Unknown
from notifyctl.providers.webexconnect.contradictions import (
    contradictions,
    contradicts,
    is_acceptance,
    is_failure,
)

WITHOUT_A_BODY = {401, 404, 405, 429}
"""Documented without a body. A body comes from an intermediary and is ignored."""
AMBIGUOUS = {408, 409}
"""The request may have been accepted: a timeout at the server, or a conflict."""
MAX_QUOTED = 200
PRIVATE = re.compile(r"\S+@\S+|\+?\d[\d ()./-]{5,}\d|\S{33,}")
"""Matches possible addresses, phone numbers and keys in text from the provider."""


class ApiAnswer(Struct, frozen=True, rename="camel"):
    """The JSON body of a response: `message_id` if accepted, else `code` and `message`. Version 1 of the API lists destinations
    in `response`.
    """

    message_id: str | None = None
    status: Any = None
    code: Any = None
    message: Any = None
    response: Any = None


class ApiAnswerEntry(Struct, frozen=True, rename="camel"):
    """One destination in a response. Its address is under one of four keys."""

    to: Any = None
    destination: Any = None
    msisdn: Any = None
    email: Any = None
    status: Any = None
    message_id: Any = None
    transid: Any = None
    code: Any = None
    message: Any = None

    @property
    def agrees(self) -> bool:
        """Whether nothing in it contradicts an acceptance."""
        return is_acceptance(self.status) and not contradicts("code", self.code)

    @property
    def address(self) -> str:
        given = (self.to, self.destination, self.msisdn, self.email)
        return next((each for each in given if isinstance(each, str) and each), "")


def outcome_of(
    status: int,
    body: bytes | None,
    *,
    retry_after: str | None = None,
    now: datetime,
    addresses: Callable[[], Sequence[str]] = tuple,
    secrets: Sequence[str] = (),
) -> Outcome:
    """Returns the outcome of a response. `body` is None if it is incomplete or too long; `retry_after` is the header.

    `addresses` returns the request's destinations in order, and is called only if the response lists them. `secrets` are
    removed from text of the provider.
    """
    if status // 100 == 2:  # noqa: PLR2004 - what most answers are
        return parse_success(status, body, secrets, addresses)
    answer = None if status in WITHOUT_A_BODY else parse_answer(body)
    problem = describe_problem(answer, secrets)
    match status // 100, status:
        case 3, _:
            return Rejected(
                f"the endpoint responded with a redirect ({status}), which is not followed", status
            )
        case _, 410:
            return Refused(f"the endpoint no longer exists ({status}{problem})", status)
        case _, 401 | 403:
            return Refused(f"the provider refused the credentials ({status}{problem})", status)
        case _, 429:
            wait = parse_retry_after(retry_after, now)
            return Rejected("over the account's rate (429)", status, retryable=True, retry_after=wait)
        case 4, _ if status not in AMBIGUOUS:
            return Rejected(f"the provider rejected the request ({status}{problem})", status)
        case _:
            return Unknown(
                f"the response does not show whether the request was accepted ({status}{problem})", status
            )


def parse_success(
    status: int,
    body: bytes | None,
    secrets: Sequence[str],
    addresses: Callable[[], Sequence[str]],
) -> Outcome:
    """Status 2xx: accepted if the body has a message id and nothing in it contradicts that."""
    answer = parse_answer(body)
    if answer is None:
        return Unknown(f"the response cannot be read ({status})", status)
    problem = describe_problem(answer, secrets)
    fields = strict_json.parse(body or b"")
    requested = addresses() if isinstance(answer.response, list) else ()
    contradiction = next(contradictions(fields), None)
    if not requested and not answer.message_id:
        return Unknown(f"the response has no message ID ({status}{problem})", status)
    if contradiction is not None:
        name, value = (redact(each, secrets) for each in contradiction)
        return Unknown(
            f'the response has a message ID, but its {name} is "{value}" ({status}{problem})', status
        )
    if isinstance(answer.response, list) and requested:
        return parse_listing(status, answer, answer.response, requested)
    return Accepted(answer.message_id or "", status)


def parse_listing(
    status: int, answer: ApiAnswer, entries: Sequence[object], addresses: Sequence[str]
) -> Outcome:
    """A response with a status per destination (version 1 of the API). Unknown are destinations that it does not list, or
    lists as accepted and as rejected; entries for other addresses are ignored.
    """
    positions = {comparable(address): position for position, address in enumerate(addresses)}
    accepted: set[int] = set()
    refused: dict[int, str] = {}
    unclear: set[int] = set()
    ids: list[object] = [answer.message_id]
    for entry in filter(None, map(parse_entry, entries)):
        position = positions.get(comparable(entry.address))
        if position is None:
            continue
        message_id = entry.message_id or entry.transid
        if is_failure(entry.status):
            refused[position] = f"the provider rejected this recipient{describe_problem(entry, ())}"
        elif isinstance(message_id, str) and message_id and entry.agrees:
            accepted.add(position)
            ids.append(message_id)
        else:
            unclear.add(position)
    unclear |= accepted & refused.keys()
    accepted -= unclear
    sure = {position: reason for position, reason in refused.items() if position not in unclear}
    provider_id = next((each for each in ids if isinstance(each, str) and each), None)
    everybody = frozenset(range(len(addresses)))
    if sure.keys() == everybody:
        return Rejected(f"the provider rejected every recipient ({status})", status)
    if provider_id is None or not accepted:
        return Unknown(f"the response lists recipients and accepts none ({status})", status)
    return Accepted(provider_id, status, refused=sure, unheard=everybody - accepted - sure.keys())


def parse_entry(entry: object) -> ApiAnswerEntry | None:
    """None if it is not an object."""
    try:
        return msgspec.convert(entry, ApiAnswerEntry)
    except msgspec.ValidationError:
        return None


def comparable(address: str) -> str:
    """An address for comparison: lower case, without surrounding space and leading +."""
    return address.strip().lower().removeprefix("+")


def parse_answer(body: bytes | None) -> ApiAnswer | None:
    """None if it is not a JSON object, repeats a key, or its message id is not a string."""
    try:
        strict_json.parse(body or b"")  # msgspec takes the last of two values
        return msgspec.json.decode(body or b"", type=ApiAnswer)
    except (ValueError, msgspec.MsgspecError, RecursionError):  # no ValueError in msgspec 0.19
        return None


def describe_problem(answer: ApiAnswer | ApiAnswerEntry | None, secrets: Sequence[str]) -> str:
    """The response's code and message, to follow a status: `, code 7004: Invalid parameter - sendAt`."""
    if answer is None:
        return ""
    code, message = redact(answer.code, secrets), redact(answer.message, secrets)
    return (f", code {code}" if code else "") + (f": {message}" if message else "")


def redact(value: object, secrets: Sequence[str]) -> str:
    """Removes secrets, addresses and keys from text of the provider, and shortens it to MAX_QUOTED."""
    if not isinstance(value, str | int):
        return ""
    text = str(value)
    for secret in secrets:
        text = text.replace(secret, "…")
    # Cut before matching: untrusted text can be long enough to make the pattern slow.
    words = PRIVATE.sub("…", text[: 2 * MAX_QUOTED]).split()
    return "".join(c for c in " ".join(words) if c.isprintable())[:MAX_QUOTED]


def parse_retry_after(retry_after: str | None, now: datetime) -> float | None:
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
