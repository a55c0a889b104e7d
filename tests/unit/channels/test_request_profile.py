"""What the sandbox makes of the keys of profile 6.20, as the API would."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from notifyctl.channels.request import check_request

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
SMS: dict[str, Any] = {
    "channel": "sms",
    "from": "ACME",
    "to": [{"msisdn": ["447700900123"]}],
    "content": {"type": "text", "text": "Hello"},
}
MAIL: dict[str, Any] = {
    "channel": "email",
    "from": "alerts@acme.example",
    "to": [{"email": ["ada@acme.example"]}],
    "content": {"type": "html", "subject": "Hello", "html": "<p>Hello</p>"},
}
CHECKED = {"contactPolicyGroup": "g1", "channelCheckConsent": True}


def problems(body: dict[str, Any], profile: str) -> list[str]:
    return [problem.rule for problem in check_request(body, profile=profile, now=NOW)]


KEYS = [
    (SMS, "notifyUrlAuthId", "TNPXXXT09U"),
    (SMS, "contactPolicy", CHECKED),
    (SMS, "batchId", "december"),
    (MAIL, "multipleToRecipients", False),
    (SMS, "options", {"tag1": "december"}),
    (MAIL, "options", {"shortenLinks": "true", "domain": "https://s.acme.example"}),
    (MAIL, "options", {"listUnsubscribeUrl": "https://www.acme.example/out"}),
    (MAIL, "content", {**MAIL["content"], "encoding": "utf-8"}),
]


@pytest.mark.parametrize(("base", "key", "value"), KEYS, ids=lambda value: str(value)[:20])
def test_a_key_of_6_20_is_accepted_there_and_refused_by_2021(base: Any, key: str, value: Any) -> None:
    body = {**base, key: value}
    assert problems(body, "6.20") == []
    assert set(problems(body, "2021")) == {"profile-key"}


WRONG = [
    ({**SMS, "contactPolicy": {"contactPolicyGroup": "g1"}}, "contact-policy"),
    ({**SMS, "contactPolicy": {"channelCheckConsent": True}}, "contact-policy"),
    ({**SMS, "contactPolicy": {**CHECKED, "consent": True}}, "unknown-key"),
    ({**SMS, "notifyUrlAuthId": ""}, "too-short"),
    ({**SMS, "multipleToRecipients": True}, "key-of-another-channel"),
    ({**MAIL, "batchId": "december"}, "key-of-another-channel"),
    ({**SMS, "options": {"allowFallbackURL": "maybe"}}, "boolean-option"),
    ({**SMS, "options": {"listUnsubscribeUrl": "https://www.acme.example"}}, "channel-options"),
    ({**MAIL, "options": {"unsubscribeEmailAddress": "out at acme"}}, "list-unsubscribe"),
    ({**MAIL, "options": {"domain": "http://s.acme.example"}}, "short-link-domain-https"),
]


@pytest.mark.parametrize(("body", "rule"), WRONG, ids=lambda value: str(value)[:24])
def test_what_the_pages_exclude_is_refused(body: Any, rule: str) -> None:
    assert problems(body, "6.20") == [rule]


def test_spellings_of_the_pages_are_accepted() -> None:
    file = {"mimetype": "image/png", "name": "a", "mediaUrl": "https://static.acme.example/a.png", "cid": "a"}
    assert (
        problems({**MAIL, "content": {**MAIL["content"], "attachments": [file]}, "validity": "60"}, "6.20")
        == []
    )
