"""Checks a whole v2 request as the API does: envelope, content, substitutions, times.

The sandbox uses it, and tests of the requests we build. It shares shapes and rules with lint.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from notifyctl.channels import CHANNELS
from notifyctl.channels.channel import collect_texts, shape_problems
from notifyctl.channels.field_checks import is_email_address, is_http_url, is_phone_number
from notifyctl.channels.limits import MAX_CALLBACK_DATA, MAX_DESTINATIONS, MAX_SEND_AHEAD_DAYS
from notifyctl.config.check import check
from notifyctl.config.fields import (
    NEWER,
    Boolean,
    Choice,
    Field,
    Free,
    Integer,
    Items,
    Record,
    Table,
    Text,
    only_in,
)
from notifyctl.config.kinds.notification import CONTACT_POLICY, SMARTLINK, policy_problems
from notifyctl.config.nodes import node_from_json
from notifyctl.diagnostics import Problem
from notifyctl.model.message import PLACEHOLDER
from notifyctl.model.project import ChannelName
from notifyctl.rulebook import Rule, email, envelope, receipts, sms, substitutions, times

VALUES = Table(
    description="Values for $(name).", value=Text(rule=substitutions.VALUES), rule=substitutions.VALUES
)
ADDRESSES = Items(item=Text(min_length=1, rule=envelope.DESTINATION), min_items=1, rule=envelope.DESTINATION)

DESTINATION = Record(
    title="destination",
    description="Addresses that share substitutions and a correlation ID.",
    exactly_one=(("msisdn", "email"),),
    fields=(
        Field(name="msisdn", shape=ADDRESSES),
        Field(name="email", shape=ADDRESSES),
        Field(name="correlationId", shape=Text(rule=envelope.CORRELATION_ID)),
        Field(name="substitutions", shape=VALUES),
    ),
)

REQUEST = Record(
    title="request",
    description="A request to send one message to up to 1,000 destinations.",
    exactly_one=(("content", "template"),),
    at_most_one=(("expireAt", "validity"),),
    fields=(
        Field(name="appid", shape=Text()),
        Field(name="channel", shape=Choice(values=tuple(ChannelName), rule=envelope.CHANNEL), required=True),
        Field(name="from", shape=Text(min_length=1, rule=envelope.SENDER), required=True),
        Field(name="to", shape=Items(item=DESTINATION, min_items=1), required=True),
        Field(name="substitutions", shape=VALUES),
        Field(name="sendAt", shape=Free(rule=times.SEND_TIME)),
        Field(name="expireAt", shape=Free(rule=times.EXPIRY_TIME)),
        Field(name="validity", shape=Integer(minimum=1, strings=True, rule=times.VALIDITY)),
        Field(name="priority", shape=Integer(minimum=1, maximum=3, strings=True, rule=envelope.PRIORITY)),
        Field(name="options", shape=Free(rule=envelope.OPTIONS)),
        Field(name="callbackData", shape=Text(max_length=MAX_CALLBACK_DATA, rule=envelope.CALLBACK_DATA)),
        Field(name="notifyUrl", shape=Text(rule=envelope.NOTIFY_URL)),
        *only_in(
            NEWER,
            Field(name="notifyUrlAuthId", shape=Text(min_length=1)),
            Field(name="contactPolicy", shape=CONTACT_POLICY),
            Field(name="batchId", shape=Text(min_length=1)),
            Field(name="multipleToRecipients", shape=Boolean(strings=True)),
        ),
        Field(name="requestedReceipts", shape=Items(item=Text(), rule=receipts.RECEIPTS)),
        Field(name="content", shape=Free(rule=envelope.CONTENT_OR_TEMPLATE)),
        Field(
            name="template",
            shape=Record(
                title="template",
                fields=(
                    Field(name="id", shape=Text(min_length=1, rule=envelope.TEMPLATE_ID), required=True),
                    *only_in(NEWER, Field(name="subject", shape=Text(min_length=1, rule=email.SUBJECT))),
                ),
            ),
        ),
        Field(name="cc", shape=Items(item=Text(), rule=email.COPIES)),
        Field(name="bcc", shape=Items(item=Text(), rule=email.COPIES)),
        Field(name="smartlinks", shape=Items(item=SMARTLINK, rule=sms.SMARTLINKS)),
    ),
)

DESTINATION_TYPE = Rule(11, "destination-type", "SMS and RCS need `msisdn`, and email needs `email`.")
"""For requests only: notifyctl builds each request for one channel."""
SEND_AT_HORIZON = Rule(38, "send-at-horizon", "`sendAt` must be at most 7 days ahead.")
"""For requests only: a plan defers what is further ahead."""

MAX_EPOCH_SECONDS = 100_000_000_000  # a larger number is milliseconds (rule 40)


def check_request(body: object, *, profile: str, now: datetime) -> list[Problem]:
    """Every problem of a decoded JSON body, envelope first. Paths start at the body."""
    value, problems = check(REQUEST, node_from_json(body), composed=True, profile=profile)
    if problems:
        return problems
    return [
        *content_problems(value, profile),
        *destination_problems(value),
        *time_problems(value, now),
        *envelope_problems(value),
    ]


def content_problems(body: Mapping[str, Any], profile: str) -> Iterator[Problem]:
    channel = CHANNELS[ChannelName(body["channel"])]
    content, options = body.get("content"), body.get("options", {})
    if not isinstance(options, Mapping):
        yield envelope.OPTIONS.broken(("options",), "`options` must be an object")
    elif content is None:
        yield from shape_problems(channel.shape.options, options, ("options",), profile=profile)
    elif not isinstance(content, Mapping):
        yield envelope.OPTIONS.broken(("content",), "`content` must be an object")
    else:
        yield from channel.check(content, options, profile=profile)
        yield from unresolved_placeholders(body, content, options)


def unresolved_placeholders(body: Mapping[str, Any], content: Any, options: Any) -> Iterator[Problem]:
    """Rule 31: every placeholder must have a value for every destination, its own or a global one."""
    used = {name for _, text in collect_texts([content, options]) for name in PLACEHOLDER.findall(text)} - {
        "unsubscribe"
    }
    missing = used - set(body.get("substitutions", {}))
    for number, destination in enumerate(body["to"] if missing else ()):
        lacks = sorted(missing - set(destination.get("substitutions", {})))
        if lacks:
            yield substitutions.UNRESOLVED.broken(
                ("to", number), f"no value for $({lacks[0]})", "add it to `substitutions`"
            )


def destination_problems(body: Mapping[str, Any]) -> Iterator[Problem]:
    wanted = ChannelName(body["channel"]).address_field
    right = is_email_address if wanted == "email" else is_phone_number
    total = 0
    for number, destination in enumerate(body["to"]):
        if wanted not in destination:
            yield DESTINATION_TYPE.broken(("to", number), f"{body['channel']} needs `{wanted}`")
            continue
        total += len(destination[wanted])
        for position, address in enumerate(destination[wanted]):
            if not right(address):
                yield envelope.BAD_ADDRESS.broken(("to", number, wanted, position), f"not a valid {wanted}")
    if total > MAX_DESTINATIONS:
        yield envelope.REQUEST_SIZE.broken(
            ("to",), f"the request has {total:,} recipients; the limit is {MAX_DESTINATIONS:,}"
        )


def time_problems(body: Mapping[str, Any], now: datetime) -> Iterator[Problem]:
    moments: dict[str, datetime] = {}
    for key in ("sendAt", "expireAt"):
        if key in body:
            moment = parse_time(body[key])
            if moment is None:
                yield times.SEND_TIME.broken(
                    (key,), f"`{key}` must be ISO 8601 with a zone, or epoch seconds"
                )
            else:
                moments[key] = moment
    send_at, expire_at = moments.get("sendAt"), moments.get("expireAt")
    if send_at is not None and send_at > now + timedelta(days=MAX_SEND_AHEAD_DAYS):
        yield SEND_AT_HORIZON.broken(
            ("sendAt",), f"`sendAt` must be at most {MAX_SEND_AHEAD_DAYS} days ahead"
        )
    if expire_at is not None and expire_at <= (send_at or now):
        yield times.EXPIRY_ORDER.broken(("expireAt",), "`expireAt` must be after `sendAt` and after now")


def parse_time(value: object) -> datetime | None:
    """Parses ISO 8601 with a zone, or epoch seconds as a number or digits (rules 37, 40 and 41)."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC) if 0 < value < MAX_EPOCH_SECONDS else None
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def envelope_problems(body: Mapping[str, Any]) -> Iterator[Problem]:
    url = body.get("notifyUrl")
    if url is not None and not is_http_url(url):
        yield envelope.NOTIFY_URL.broken(("notifyUrl",), "`notifyUrl` must be an https URL")
    channel = CHANNELS[ChannelName(body["channel"])]
    folded = Counter(receipt.lower() for receipt in body.get("requestedReceipts", ()))
    for receipt, count in folded.items():
        if receipt not in channel.shape.receipts or count > 1:
            yield receipts.OF_CHANNEL.broken(
                ("requestedReceipts",),
                f'"{receipt}" is not a receipt of {channel.name}, or is requested twice',
            )
    if channel.name is not ChannelName.EMAIL and (body.get("cc") or body.get("bcc")):
        yield email.COPIES.broken(("cc",), "only email has `cc` and `bcc`")
    for key, only in (("batchId", ChannelName.SMS), ("multipleToRecipients", ChannelName.EMAIL)):
        if key in body and channel.name is not only:
            yield envelope.KEY_OF_CHANNEL.broken((key,), f"only {only} has `{key}`")
    if "contactPolicy" in body:
        yield from policy_problems(body["contactPolicy"], ("contactPolicy",))
