"""The simulator over real HTTP: auth, strict JSON, the rules, the rate, and an inbox with finished words."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from notifyctl.clock import SystemClock
from notifyctl.model.project import TpsCounts
from notifyctl.providers.sandbox.app import SandboxSettings
from notifyctl.providers.sandbox.inbox import Inbox, read_entries
from notifyctl.providers.sandbox.server import SandboxServer

SECRET = b"made-up secret of thirty-two byte"
KEY = {"key": "made-up-key"}
BODY: dict[str, Any] = {
    "channel": "sms",
    "from": "CNNECT",
    "to": [
        {
            "msisdn": ["+447700900123", "+447700900124"],
            "correlationId": "c1",
            "substitutions": {"name": "team"},
        },
        {
            "msisdn": ["+447700900125"],
            "correlationId": "c2",
            "substitutions": {"name": "Ada", "value": "1 h"},
        },
    ],
    "substitutions": {"value": "4 h"},
    "content": {"type": "text", "text": "Hi $(name), $(value)"},
}


def settings(tps: int = 1000, counts: TpsCounts = TpsCounts.DESTINATIONS) -> SandboxSettings:
    return SandboxSettings("made-up-key", "service", SECRET, tps, counts, "2021")


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path / "inbox.jsonl")


@pytest.fixture
def url(inbox: Inbox) -> Iterator[str]:
    with SandboxServer(settings(), inbox, SystemClock()) as server:
        yield server.url


def token(
    *,
    issuer: Any = "service",
    issued: Any = None,
    algorithm: str = "HS256",
    secret: bytes = SECRET,
    **claims: Any,
) -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    issued = int(time.time()) if issued is None else issued
    head = f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part({'iss': issuer, 'iat': issued, **claims})}"
    signature = hmac.digest(secret, head.encode(), "sha256")
    return f"{head}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def test_an_accepted_request_is_answered_as_documented(url: str) -> None:
    answer = httpx.post(url, json=BODY, headers=KEY)
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"requestTimestamp", "messageId", "correlationId", "status"}
    assert (body["status"], body["correlationId"]) == ("queued", "c1")


def test_the_inbox_holds_what_each_destination_reads(url: str, inbox: Inbox) -> None:
    httpx.post(url, json=BODY, headers=KEY)
    assert inbox.path is not None
    entries = list(read_entries(inbox.path))
    assert [(e["to"], e["content"]["text"], e["correlationId"]) for e in entries] == [
        ("+447700900123", "Hi team, 4 h", "c1"),
        ("+447700900124", "Hi team, 4 h", "c1"),
        ("+447700900125", "Hi Ada, 1 h", "c2"),
    ]
    first = entries[0]["messageId"]
    assert [e["transid"] for e in entries] == [first, f"{first}_1", f"{first}_2"]


def test_a_torn_line_of_the_inbox_is_left_out(inbox: Inbox) -> None:
    assert inbox.path is not None
    inbox.path.write_text('{"at": "t", "channel": "sms", "to": "x"}\n{"at": "t", "chan')
    assert len(list(read_entries(inbox.path))) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"key": "another"},
        bearer("not.a.token"),
        bearer("nonsense"),
        bearer(token(secret=b"another secret")),
        bearer(token(issuer="another")),
        bearer(token(issued=int(time.time()) - 3700)),
        bearer(token(issued=str(int(time.time())))),
        bearer(token(algorithm="none")),
        bearer(token(exp=int(time.time()) - 1)),
        {**KEY, **bearer("nonsense")},  # the token goes first when both are sent
    ],
)
def test_who_is_not_known_gets_401_without_a_body(url: str, inbox: Inbox, headers: dict[str, str]) -> None:
    answer = httpx.post(url, json=BODY, headers=headers)
    assert (answer.status_code, answer.content) == (401, b"")
    assert inbox.accepted == 0


def test_a_good_token_is_enough(url: str) -> None:
    assert httpx.post(url, json=BODY, headers=bearer(token())).status_code == 201


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"{", b'{"channel": "sms",}', b'{"a": 1, "a": 2}', b'{"a": NaN}', b"[" * 100_000, b"\xff"],
)
def test_what_is_no_json_object_is_7000(url: str, text: bytes) -> None:
    answer = httpx.post(url, content=text, headers=KEY)
    assert (answer.status_code, answer.json()["code"], answer.json()["message"]) == (
        400,
        "7000",
        "Invalid JSON",
    )


def changed(**parts: Any) -> dict[str, Any]:
    return {key: value for key, value in {**BODY, **parts}.items() if value is not ...}


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (changed(channel=...), "7003", "Mandatory parameter missing: channel"),
        (changed(channel="fax"), "7004", "Invalid parameter - channel"),
        (changed(sendAt="tomorrow"), "7004", "Invalid parameter - sendAt"),
        (changed(sendAt="2099-01-01T00:00:00Z"), "7004", "Invalid parameter - sendAt"),
        (changed(priority=4), "7004", "Invalid parameter - priority"),
        (changed(validity=60, expireAt="2099-01-01T00:00:00Z"), "7004", "Invalid parameter - "),
        (changed(template={"id": "5S2XXXXFNR"}), "7004", "Invalid parameter - "),
        (changed(content={"type": "text", "text": "x" * 1025}), "7004", "Invalid parameter - content.text"),
        (changed(content={"type": "text", "text": "$(nobody)"}), "7004", "Invalid parameter - to.0"),
        (changed(options={"trackClicks": True}), "7004", "Invalid parameter - options.trackClicks"),
        (changed(to=[{"email": ["a@acme.example"]}]), "7004", "Invalid parameter - to.0"),
        (changed(to=[{"msisdn": ["0123"]}]), "7004", "Invalid parameter - "),
        (
            changed(
                to=[{"msisdn": [f"+336399{80000 + n}" for n in range(1001)]}],
                content={"type": "text", "text": "x"},
            ),
            "7009",
            "Invalid parameter - to",
        ),
    ],
)
def test_a_broken_rule_is_400_with_the_documented_code(
    url: str, inbox: Inbox, body: Any, code: str, message: str
) -> None:
    answer = httpx.post(url, json=body, headers=KEY)
    assert answer.status_code == 400
    assert answer.json()["code"] == code
    assert answer.json()["message"].startswith(message)
    assert answer.json()["sandboxProblems"]
    assert inbox.accepted == 0


@pytest.mark.parametrize(("counts", "accepted"), [(TpsCounts.DESTINATIONS, 1), (TpsCounts.CALLS, 6)])
def test_over_the_rate_is_429_with_7020(inbox: Inbox, counts: TpsCounts, accepted: int) -> None:
    with SandboxServer(settings(4, counts), inbox, SystemClock()) as server:
        answers = [httpx.post(server.url, json=BODY, headers=KEY) for _ in range(12)]
    codes = [answer.status_code for answer in answers]
    assert codes[:accepted] == [201] * accepted
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json() == {"code": "7020", "message": "You have reached the maximum transaction limit"}


def test_other_paths_and_methods_are_not_there(url: str) -> None:
    assert httpx.get(url).status_code == 405
    assert httpx.post(url.replace("/v2/", "/v1/")).status_code == 404
    assert httpx.get(url.replace("/v2/messages", "/")).json()["reaches"] == "nobody"


def test_no_secret_is_in_a_representation() -> None:
    assert "made-up" not in repr(settings()) + repr(settings().access)
