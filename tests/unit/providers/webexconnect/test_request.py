"""The three samples of the API page, made valid JSON and given made-up addresses, and what is left out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from notifyctl.channels.request import check_request
from notifyctl.model.batch import Batch, Destination, Destinations
from notifyctl.model.message import Envelope, Message
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import Scope
from notifyctl.providers.webexconnect.request import body_of, encode_body


def columns(to: Sequence[Destination]) -> Destinations:
    names = tuple(dict.fromkeys(name for entry in to for name in entry.substitutions))
    return Destinations(
        addresses=[address for entry in to for address in entry.addresses],
        correlation_ids=[entry.correlation_id for entry in to],
        names=names,
        own=[[entry.substitutions.get(name) for entry in to] for name in names],
        starts=[entry.first for entry in to],
    )


def batch(message: Message, envelope: Envelope, *to: Destination) -> Batch:
    return Batch(
        number=1,
        attempt=1,
        scope=Scope("sample", 1, "once", message.channel),
        message=message,
        envelope=envelope,
        to=columns(to),
        members=b"",
    )


SMS: dict[str, Any] = {
    "channel": "sms",
    "from": "CNNECT",
    "to": [{"msisdn": ["33639981234"], "correlationId": "n1"}],
    "substitutions": {"area": "EC1M 4BH", "value": "123"},
    "smartlinks": [{"smartlinkId": 5, "validity": 30}],
    "priority": 1,
    "options": {
        "trackClicks": True,
        "shortenLinks": True,
        "domain": "https://domainname.example",
        "extras": {"dlt_templateid": "123456789"},
    },
    "callbackData": "CallBackdata",
    "notifyUrl": "https://requestinspector.example/inspect/01evrfdrr7jc662279wjskfbk6",
    "requestedReceipts": ["SENT", "DELIVERED", "Clicked"],
    "content": {
        "type": "text",
        "text": "Hi user, there is an outage in your area $(area) for the next $(value)",
    },
}

EMAIL: dict[str, Any] = {
    "channel": "email",
    "from": "alerts@acme.example",
    "to": [
        {
            "email": ["ada@people.example", "grace@people.example"],
            "correlationId": "na1b2b1i1",
            "substitutions": {"area": "EC1M 4BH", "accountNumber": "38S189"},
        },
        {
            "email": ["linus@people.example"],
            "correlationId": "na1b2b1i1",
            "substitutions": {"area": "NW10 2QD", "accountNumber": "SA129"},
        },
    ],
    "substitutions": {"offerName": "Big OFFER", "value": "123"},
    "cc": ["manager@acme.example"],
    "bcc": ["archive@acme.example"],
    "options": {"trackClicks": True, "trackOpens": True, "fromName": "Brand Name"},
    "callbackData": "<notify data>",
    "notifyUrl": "https://webhook.example/d50dd211-8c06-440f-ba49-36f88e5eb6e4",
    "content": {
        "type": "html",
        "subject": "Food",
        "replyTo": "reply@acme.example",
        "attachments": [
            {"mimeType": "image/jpeg", "name": "wings", "mediaUrl": "https://i.acme.example/y5GjuE8.jpg"}
        ],
        "text": "This is a new email",
        "html": '<a no-track-connect href="https://acme.example">link text</a> <a href="$(unsubscribe)">unsubscribe</a>',
    },
}

CHIPS: list[dict[str, Any]] = [
    {"type": "reply", "displayText": "Yes", "postbackData": "usr_msg_yes"},
    {
        "type": "viewLocation",
        "address": "1 Front Street",
        "displayText": "Mobile Office",
        "latitude": 43.649269,
        "longitude": -79.378423,
        "postbackData": "e460dd65-e69b-4f86-a5af-458683248f2d_url_google",
    },
]

RCS: dict[str, Any] = {
    "channel": "rcs",
    "from": "a_156887855308557980",
    "to": [
        {
            "msisdn": ["+33639984512"],
            "correlationId": "na1b2b1i1",
            "substitutions": {"name": "John", "company": "IMI"},
        }
    ],
    "substitutions": {"company": "Mobile"},
    "options": {
        "smsFallback": True,
        "smsSenderId": "senderaddress",
        "text": "fallback text",
        "carrierId": "41",
    },
    "callbackData": "abc",
    "notifyUrl": "https://requestinspector.example/inspect/01dp3d028s11zeetkqbvp562st",
    "requestedReceipts": ["DELIVERED"],
    "content": {
        "type": "standalone",
        "richCard": {
            "title": "The Card Title",
            "description": "The description",
            "orientation": "VERTICAL",
            "thumbnailAlignment": "LEFT",
            "media": {"height": "SHORT", "url": "https://bit.example/2J5i2x0", "fileSize": 1212},
            "suggestions": CHIPS,
        },
        "suggestions": CHIPS,
    },
}


def batch_of(sample: dict[str, Any]) -> Batch:
    """A batch that holds the same as a sample."""
    channel = ChannelName(sample["channel"])
    message = Message(
        channel=channel,
        sender=sample["from"],
        content=sample["content"],
        options=sample["options"],
        cc=tuple(sample.get("cc", ())),
        bcc=tuple(sample.get("bcc", ())),
        smartlinks=tuple(sample.get("smartlinks", ())),
        shared=sample["substitutions"],
    )
    envelope = Envelope(
        priority=sample.get("priority"),
        callback_data=sample["callbackData"],
        notify_url=sample["notifyUrl"],
        requested_receipts=tuple(sample.get("requestedReceipts", ())),
    )
    first, to = 0, []
    for entry in sample["to"]:
        addresses = tuple(entry[channel.address_field])
        to.append(Destination(addresses, entry["correlationId"], entry.get("substitutions", {}), first))
        first += len(addresses)
    return batch(message, envelope, *to)


@pytest.mark.parametrize("sample", [SMS, EMAIL, RCS], ids=["sms", "email", "rcs"])
def test_a_sample_of_the_api_page_in_its_order(sample: dict[str, Any]) -> None:
    body = body_of(batch_of(sample))
    assert body == sample
    assert list(body) == list(sample)
    assert json.loads(encode_body(batch_of(sample))) == sample


@pytest.mark.parametrize("sample", [SMS, RCS], ids=["sms", "rcs"])
def test_the_samples_keep_to_every_rule_of_the_api(sample: dict[str, Any]) -> None:
    body = body_of(batch_of(sample))
    assert check_request(body, profile="2021", now=datetime(2026, 12, 1, tzinfo=UTC)) == []


HELLO = Message(channel=ChannelName.SMS, sender="CNNECT", content={"type": "text", "text": "Hello"})
ADA = Destination(("+447700900123",), "n1", {}, 0)


def test_what_nobody_gave_is_left_out() -> None:
    assert body_of(batch(HELLO, Envelope(), ADA)) == {
        "channel": "sms",
        "from": "CNNECT",
        "to": [{"msisdn": ["+447700900123"], "correlationId": "n1"}],
        "content": {"type": "text", "text": "Hello"},
    }


def test_times_are_utc_with_milliseconds() -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    envelope = Envelope(
        send_at=datetime(2021, 6, 26, 13, 47, 18, tzinfo=UTC),
        expire_at=datetime(2021, 6, 27, 3, 17, 18, 250_000, tzinfo=india),
    )
    body = body_of(batch(HELLO, envelope, ADA))
    assert body["sendAt"] == "2021-06-26T13:47:18.000Z"
    assert body["expireAt"] == "2021-06-26T21:47:18.250Z"


def test_validity_is_a_number_of_seconds_and_never_beside_a_time_of_expiry() -> None:
    assert body_of(batch(HELLO, Envelope(validity=14_400), ADA))["validity"] == 14_400
    both = Envelope(validity=14_400, expire_at=datetime(2026, 12, 1, tzinfo=UTC))
    assert "validity" not in body_of(batch(HELLO, both, ADA))


def test_a_template_of_the_provider_stands_in_place_of_content() -> None:
    remote = Message(channel=ChannelName.SMS, sender="CNNECT", content=None, template_id="5S2XXXXFNR")
    body = body_of(batch(remote, Envelope(), ADA))
    assert body["template"] == {"id": "5S2XXXXFNR"}
    assert "content" not in body
