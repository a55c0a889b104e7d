"""What in the body of a successful response contradicts an acceptance. Pure.

The documented success is flat: `messageId`, and `status` is `queued`; version 1 adds `code` 1001. Whatever else a status
or code says, nobody has documented it as an acceptance, so the outcome of the request is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

ACCEPTED = frozenset({"queued", "accepted", "submitted", "scheduled", "sent", "success", "successful", "ok"})
"""Values of `status` that agree with an acceptance, in lower case."""
ACCEPTED_CODES = frozenset({"0", "200", "201", "202", "1001"})
FAILED = re.compile(
    r"\W*(err|fail|fault|invalid|reject|denied|refus|undeliver|un-deliver|unauth|forbid|block|expire|abort|cancel|not\b|nok\b|ko\b)"
)
"""How a status begins that says the opposite, in lower case."""
NOTHING = frozenset({"", "0", "false", "none", "null", "no"})
"""What a field says, in lower case, that reports no failure."""
FAILURE_KEYS = ("err", "exception", "fail", "fault")
"""How the names of fields begin that report a failure, in lower case and without punctuation."""


def is_acceptance(status: object) -> bool:
    """Whether a status agrees with an acceptance, or says nothing."""
    return status is None or (isinstance(status, str) and (normalise(status) or "ok") in ACCEPTED)


def is_failure(status: object) -> bool:
    """Whether a status says in so many words that the message was not accepted."""
    return isinstance(status, str) and FAILED.match(normalise(status)) is not None


def normalise(text: str) -> str:
    return " ".join(text.split()).lower()


def contradictions(body: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """The fields of a response that contradict an acceptance, each with what it says; those of objects inside it too, but of
    no list.
    """
    for key, value in body.items():
        if contradicts(plain_name(key), value):
            yield key, says(value)
        elif isinstance(value, Mapping):
            yield from inner_failures(value)


def contradicts(name: str, value: object) -> bool:
    match name:
        case "status" | "state" | "result":
            return not is_acceptance(value) and not isinstance(value, Mapping)
        case "success" | "successful" | "issuccess" | "ok":
            return value is not None and says(value) not in {"true", "1", "yes"}
        case "code" | "statuscode" | "resultcode" | "responsecode" | "returncode" | "httpstatus":
            return value is not None and says(value) not in ACCEPTED_CODES | {""}
        case "message" | "description" | "reason":
            return is_failure(value)
        case _:
            return name.startswith(FAILURE_KEYS) and says(value) not in NOTHING


def inner_failures(body: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Plain failures only: what a status means inside an undocumented object, nobody can know."""
    waiting = [body]
    while waiting:
        for key, value in waiting.pop().items():
            name = plain_name(key)
            if isinstance(value, Mapping):
                waiting.append(value)
            if inner_contradicts(name, value):
                yield key, says(value)


def inner_contradicts(name: str, value: object) -> bool:
    match name:
        case "status" | "state" | "result":
            return is_failure(value)
        case "success" | "successful" | "issuccess":
            return says(value) in NOTHING - {""}
        case _:
            return name.startswith(FAILURE_KEYS) and says(value) not in NOTHING


def plain_name(key: str) -> str:
    """The name of a field in lower case and without punctuation."""
    return re.sub(r"\W|_", "", key).lower()


def says(value: object) -> str:
    """A value as one word. Empty for nothing: null, an empty text, list or object."""
    if isinstance(value, str | bool | int | float):
        return normalise(str(value))
    return "something" if value else ""
