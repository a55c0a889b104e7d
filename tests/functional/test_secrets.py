"""The secret, the service key and the token occur in nothing that notifyctl prints or keeps."""

from __future__ import annotations

import base64
from typing import Any

import pytest

KEY = "canary-service-key-5f1d"
SECRET = base64.b64encode(b"canary secret bytes, thirty-two!").decode()
HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: Hello $(name)}}
audience: {recipients: [{msisdn: "+447700900123", substitutions: {name: Ada}}]}
"""
AUTH = "auth: {jwt: {serviceIdEnv: SERVICE_ID, secretEnv: SERVICE_SECRET}}"
BOTH = "auth: {jwt: {serviceIdEnv: SERVICE_ID, secretEnv: SERVICE_SECRET}, serviceKeyEnv: SERVICE_KEY}"
ONLY_KEY = "auth: {serviceKeyEnv: SERVICE_KEY}"


def everything(cli: Any) -> bytes:
    """All that was printed and every byte below the project."""
    said = "\n".join(cli.said).encode()
    return said + b"".join(path.read_bytes() for path in cli.root.rglob("*") if path.is_file())


@pytest.mark.parametrize("auth", [AUTH, BOTH, ONLY_KEY])
@pytest.mark.parametrize("status", [201, 400, 401, 500])
def test_canaries_stay_inside(
    production: Any, foreign: Any, monkeypatch: pytest.MonkeyPatch, auth: str, status: int
) -> None:
    monkeypatch.setenv("SERVICE_SECRET", SECRET)
    monkeypatch.setenv("SERVICE_KEY", KEY)
    project = (production.root / "notifyctl.yaml").read_text()
    production.write(notifyctl=project.replace(AUTH, auth), hello=HELLO)
    if status != 201:
        foreign.answers = [(status, b'{"code":"7004","message":"Invalid parameter"}')]
    digest = production.plan()["digest"]
    for command in (
        ("lint", "-v"),
        ("lint", "--format", "json"),
        ("plan", "-v"),
        ("plan", "--out", str(production.root / "plan.json")),
        ("apply", "--dry-run", "--reveal", "-v"),
        ("apply", "--dry-run", "--reveal", "--format", "json"),
        ("apply", "-v", "--expect", digest),
        ("status", "-v"),
        ("status", "--format", "json"),
        ("ledger", "show", "-v"),
        ("render", "hello", "--reveal"),
        ("plan", "-v"),
    ):
        production(*command)
    (request,) = foreign.requests
    token = request.headers.get("Authorization", "Bearer no-token-was-sent").removeprefix("Bearer ")
    found = everything(production)
    for canary in (KEY, SECRET, base64.b64decode(SECRET).decode(), token):
        assert canary.encode() not in found
    if auth is BOTH:
        assert "key" not in request.headers, "the token goes first when both are configured"


def test_a_missing_variable_is_named_and_its_value_never(
    production: Any, foreign: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    production.write(hello=HELLO)
    monkeypatch.delenv("SERVICE_SECRET")
    result = production.apply()
    assert result.code == 1
    assert "SERVICE_SECRET" in result.err
    monkeypatch.setenv("SERVICE_SECRET", "not base64: canary!")
    result = production.apply()
    assert result.code == 1
    assert "SERVICE_SECRET" in result.err
    assert "canary" not in result.err
    assert foreign.requests == []


def test_the_ledger_and_the_plan_hold_no_address_and_the_ledger_no_text(production: Any) -> None:
    production.write(hello=HELLO)
    production("plan", "--out", str(production.root / "plan.json"))
    assert production.apply().code == 0
    for path in production.root.rglob("*"):
        if path.is_file() and path.suffix != ".yaml":
            data = path.read_bytes()
            assert b"447700900123" not in data, path
            if path.name != "plan.json":
                assert b"Hello" not in data, path
