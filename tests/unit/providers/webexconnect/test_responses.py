from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyctl.model.batch import Accepted, Outcome, Refused, Rejected, Unknown
from notifyctl.providers.webexconnect.responses import outcome_of, parse_retry_after

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
QUEUED = b'{"requestTimestamp":"2026-12-01T09:00:00.000Z","messageId":"5f1c","correlationId":"n1","status":"queued"}'
BAD_TIME = b'{"code":"7004","message":"Invalid parameter - sendAt"}'


def answer(status: int, body: bytes | None = b"", retry_after: str | None = None) -> Outcome:
    return outcome_of(status, body, retry_after=retry_after, now=NOW)


@pytest.mark.parametrize("status", [200, 201, 202])
def test_an_answer_that_names_the_message_is_an_acceptance(status: int) -> None:
    assert answer(status, QUEUED) == Accepted("5f1c", status)
    assert answer(status, b'{"messageId":"5f1c"}') == Accepted("5f1c", status)


@pytest.mark.parametrize(
    "body",
    [
        None,
        b"",
        b"<html>Welcome</html>",
        QUEUED[:40],
        b"[]",
        b'"queued"',
        b"null",
        b"{}",
        b'{"messageId":""}',
        b'{"messageId":12}',
        b'{"messageId":null,"status":"queued"}',
        b'{"messageId":"5f1c","status":"Failed"}',
        BAD_TIME,
        b"[" * 100_000,
        b"\xff\xfe\x00",
        b'{"messageId":"5f1c","messageId":"6a2d"}',
        b'{"messageId":"5f1c","status":"failed","status":"queued"}',
        b'{"messageId":"5f1c","more":{"a":1,"a":2}}',
        QUEUED.decode().encode("utf-16"),
    ],
)
def test_success_without_saying_so_is_unknown(body: bytes | None) -> None:
    assert isinstance(answer(201, body), Unknown)


@pytest.mark.parametrize(
    "more",
    [
        {"status": "Failed "},
        {"status": " FAILED"},
        {"status": "failure: blacklisted"},
        {"status": "Error"},
        {"status": "Un-Delivered"},
        {"status": "something that nobody has documented"},
        {"status": 500},
        {"status": False},
        {"status": ["failed"]},
        {"Status": "failed"},
        {"state": "rejected"},
        {"success": False},
        {"success": "false"},
        {"success": 0},
        {"isSuccess": False},
        {"code": "7020"},
        {"code": 7000},
        {"status": "queued", "code": "7004", "message": "Invalid parameter - sendAt"},
        {"statusCode": 400},
        {"error": "no route"},
        {"error": {"code": "7004"}},
        {"error": True},
        {"errors": [{"code": "7004"}]},
        {"errorCode": "7004"},
        {"error_message": "no route"},
        {"failed": 1},
        {"fault": "x"},
        {"message": "Rejected by policy"},
        {"result": {"status": "failed"}},
        {"data": {"more": {"success": False}}},
        {"data": {"errors": ["x"]}},
    ],
)
def test_a_success_that_says_failure_is_unknown(more: dict[str, object]) -> None:
    outcome = answer(201, json.dumps({"messageId": "5f1c", **more}).encode())
    assert isinstance(outcome, Unknown)


@pytest.mark.parametrize(
    "more",
    [
        {"status": "Queued "},
        {"status": "accepted"},
        {"status": ""},
        {"status": None},
        {"success": True},
        {"success": "TRUE"},
        {"code": "1001"},
        {"code": 1001, "description": "Queued"},
        {"code": 0},
        {"code": None},
        {"error": None, "errors": [], "errorCode": "0", "failed": 0, "fault": {}},
        {"data": {"status": "active", "code": "44"}},
        {"defaultRegion": "GB", "countryCode": "44"},
    ],
)
def test_a_success_that_says_so_in_other_words_is_an_acceptance(more: dict[str, object]) -> None:
    assert answer(201, json.dumps({"messageId": "5f1c", **more}).encode()) == Accepted("5f1c", 201)


ADDRESSES = ("+447700900001", "+447700900002", "+447700900003")


def listed(*entries: tuple[int, dict[str, object]], **more: object) -> Outcome:
    """The answer that lists destinations, each with its position in ADDRESSES."""
    response = [{"to": ADDRESSES[position], **entry} for position, entry in entries]
    body = json.dumps({"response": response, **more}).encode()
    return outcome_of(201, body, now=NOW, addresses=lambda: ADDRESSES)


TAKEN: dict[str, object] = {"messageId": "5f1c", "status": "queued"}
REFUSED: dict[str, object] = {"messageId": "5f1c", "status": "Rejected "}


@pytest.mark.parametrize("entries", [(TAKEN, REFUSED), (REFUSED, TAKEN), (REFUSED, {"code": "7004"})])
def test_who_is_listed_as_accepted_and_as_rejected_is_unknown(entries: tuple[dict[str, object], ...]) -> None:
    outcome = listed((0, TAKEN), (2, REFUSED), *((1, entry) for entry in entries))
    assert isinstance(outcome, Accepted)
    assert set(outcome.refused) == {2}
    assert outcome.unheard == {1}


@pytest.mark.parametrize(
    "entry",
    [
        {"messageId": "5f1c", "status": "whatever"},
        {"messageId": "5f1c", "status": {"code": 1}},
        {"messageId": "5f1c", "status": "queued", "code": "7102"},
        {"messageId": 12, "status": "queued"},
        {"status": "queued"},
        {"code": "7102"},
    ],
)
def test_who_is_listed_without_saying_so_is_unknown(entry: dict[str, object]) -> None:
    outcome = listed((0, TAKEN), (1, entry), (2, TAKEN))
    assert isinstance(outcome, Accepted)
    assert (dict(outcome.refused), set(outcome.unheard)) == ({}, {1})
    assert listed((0, TAKEN), (1, TAKEN), (1, entry), (2, TAKEN)) == outcome


def test_a_list_in_an_answer_that_says_failure_is_unknown() -> None:
    entries = [(position, TAKEN) for position in range(3)]
    assert isinstance(listed(*entries), Accepted)
    assert isinstance(listed(*entries, success=False), Unknown)
    assert isinstance(listed(*entries, status="failed"), Unknown)
    assert isinstance(listed(*((position, REFUSED) for position in range(3))), Rejected)


def test_an_endpoint_that_is_gone_ends_the_run() -> None:
    assert answer(410) == Refused("the endpoint no longer exists (410)", 410)


def test_a_rejection_gives_the_providers_words() -> None:
    assert answer(400, BAD_TIME) == Rejected(
        "the provider rejected the request (400, code 7004: Invalid parameter - sendAt)", 400
    )


@pytest.mark.parametrize("body", [None, b"", b"<html>", b"[1]", b'{"code":{},"message":[]}'])
def test_a_rejection_needs_no_readable_body(body: bytes | None) -> None:
    assert answer(400, body) == Rejected("the provider rejected the request (400)", 400)


@pytest.mark.parametrize("status", [401, 404, 405, 429])
def test_what_is_documented_without_a_body_is_not_read(status: int) -> None:
    assert answer(status, QUEUED) == answer(status, None)
    assert answer(status, BAD_TIME) == answer(status, None)


@pytest.mark.parametrize("status", [401, 403])
def test_credentials_that_are_not_accepted_end_the_run(status: int) -> None:
    outcome = answer(status)
    assert isinstance(outcome, Refused)
    assert outcome.status == status


@pytest.mark.parametrize("status", [408, 409, 500, 502, 503, 504, 599, 100, 600])
def test_what_proves_nothing_is_unknown(status: int) -> None:
    for body in (b"", BAD_TIME, QUEUED):
        assert isinstance(answer(status, body), Unknown)


@pytest.mark.parametrize("status", [300, 301, 302, 307, 308, 404, 405, 413, 415, 422, 451])
def test_what_was_certainly_not_taken_is_rejected_for_good(status: int) -> None:
    outcome = answer(status, QUEUED)
    assert isinstance(outcome, Rejected)
    assert not outcome.retryable


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        (" 0 ", 0.0),
        ("Tue, 01 Dec 2026 09:01:30 GMT", 90.0),
        ("Tue, 01 Dec 2026 09:01:30", 90.0),
        ("Tue, 01 Dec 2026 08:00:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("", None),
        ("٣", None),
    ],
)
def test_over_the_rate_says_when_to_come_back(header: str | None, seconds: float | None) -> None:
    assert answer(429, None, header) == Rejected(
        "over the account's rate (429)", 429, retryable=True, retry_after=seconds
    )


def test_a_reason_holds_no_address_no_secret_and_no_line_end() -> None:
    message = (
        "no route\nto +447700900123, 00447700900123, +33 6 39 98 00 00 or ada@people.example\x1b[31m;"
        " key made-up-key, token " + "x" * 60
    )
    body = json.dumps({"code": "7004", "message": message}).encode()
    outcome = outcome_of(400, body, now=NOW, secrets=["made-up-key"])
    assert isinstance(outcome, Rejected)
    for private in ("7700", "39 98", "ada@", "made-up-key", "xxx", "\n", "\x1b"):
        assert private not in outcome.reason
    assert "7004" in outcome.reason


def test_a_long_reason_is_cut() -> None:
    body = json.dumps({"code": "c" * 1_000_000, "message": "word " * 100_000}).encode()
    outcome = answer(400, body)
    assert isinstance(outcome, Rejected)
    assert len(outcome.reason) < 500


@given(st.integers(100, 599), st.binary(max_size=200), st.text(max_size=30))
def test_any_answer_has_an_outcome_and_only_success_is_accepted(
    status: int, body: bytes, header: str
) -> None:
    outcome = answer(status, body, header)
    assert not isinstance(outcome, Accepted)
    assert isinstance(answer(status, QUEUED, header), Accepted) == (200 <= status < 300)


@given(st.text())
def test_any_header_is_seconds_or_nothing(text: str) -> None:
    found = parse_retry_after(text, NOW)
    assert found is None or found >= 0
