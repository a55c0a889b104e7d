"""What goes around a message arrives in the request: times, priority, receipts, copies, and bodies that the provider holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

SMS = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: Hello}}
audience: {recipients: [{msisdn: "+447700900123"}]}
"""
EMAIL = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: email, content: {type: text, subject: Hello, text: Hello}}
audience: {recipients: [{email: Ada@acme.example}]}
"""
SCHEDULE = "apiVersion: notifyctl/v1\nkind: Schedule\nname: when\n"


def sent(cli: Any, foreign: Any, notification: str, schedule: str | None = None) -> dict[str, Any]:
    cli.write(hello=notification + ("schedule: when\n" if schedule else ""))
    if schedule:
        cli.write(when=SCHEDULE + schedule)
    result = cli.apply()
    assert result.code == 0, result.err
    (request,) = foreign.requests
    body: dict[str, Any] = request.body
    return body


def test_handed_off_to_the_provider_it_carries_its_time(production: Any, foreign: Any) -> None:
    due = (datetime.now(UTC) + timedelta(days=2)).replace(microsecond=0)
    body = sent(production, foreign, SMS, f"at: '{due.isoformat()}'\nhandOff: provider\nexpireAfter: 90m\n")
    assert body["sendAt"] == due.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert body["validity"] == 5400
    assert "expireAt" not in body


def test_an_expiry_is_a_moment_or_a_duration(production: Any, foreign: Any) -> None:
    ends = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
    body = sent(production, foreign, SMS, f"expireAt: '{ends.isoformat()}'\n")
    assert body["expireAt"] == ends.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert "validity" not in body
    assert "sendAt" not in body


def test_fields_of_the_author_are_sent_as_given(production: Any, foreign: Any) -> None:
    given = """\
from: ACME
priority: 2
callbackData: december
notifyUrl: https://hooks.acme.example/receipts
requestedReceipts: [delivered, failed]
"""
    body = sent(production, foreign, SMS + given)
    assert (body["from"], body["priority"], body["callbackData"]) == ("ACME", 2, "december")
    assert body["notifyUrl"] == "https://hooks.acme.example/receipts"
    assert body["requestedReceipts"] == ["delivered", "failed"]


def test_without_them_ours_name_the_ledger_and_the_rest_is_left_out(production: Any, foreign: Any) -> None:
    body = sent(production, foreign, SMS)
    assert body["callbackData"] == "notifyctl:acme/production:1:1"
    assert set(body) == {"channel", "from", "to", "callbackData", "content"}


@pytest.mark.parametrize(
    ("copies", "expected"),
    [("bcc: []\ncc: [a@acme.example]\n", ([], ["a@acme.example"])), ("", (None, None))],
)
def test_copies_are_sent_as_given(production: Any, foreign: Any, copies: str, expected: Any) -> None:
    body = sent(production, foreign, EMAIL + copies)
    assert (body.get("bcc"), body.get("cc")) == expected
    assert body["to"][0]["email"] == ["Ada@acme.example"]


def test_a_body_that_the_provider_holds_is_named_and_given_all_values(production: Any, foreign: Any) -> None:
    remote = SMS.replace(
        "template: {channel: sms, content: {type: text, text: Hello}}",
        "template: {channel: sms, template: {id: 5S2XXXXFNR}}\nsubstitutions: {value: 4 hours}",
    ).replace('"+447700900123"', '"+447700900123", substitutions: {name: Ada}')
    production.write(hello=remote)
    shown = production.plan()["notifications"][0]
    assert shown["opaque"] is True
    assert "is stored at the provider and cannot be shown" in production("plan").out
    assert shown["samples"][0]["content"] is None
    body = sent(production, foreign, remote)
    assert body["template"] == {"id": "5S2XXXXFNR"}
    assert "content" not in body
    assert body["substitutions"] == {"value": "4 hours"}
    assert body["to"][0]["substitutions"] == {"name": "Ada"}


def test_the_authors_correlation_id_is_sent_as_given(production: Any, foreign: Any) -> None:
    body = sent(
        production,
        foreign,
        SMS.replace('"+447700900123"', '["+447700900123", "+447700900124"], correlationId: shift'),
    )
    (destination,) = body["to"]
    assert destination == {"msisdn": ["+447700900123", "+447700900124"], "correlationId": "shift"}
