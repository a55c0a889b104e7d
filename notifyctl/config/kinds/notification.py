"""Shapes of notifications and of the statements about them: Moved, Baseline, Withdraw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from notifyctl.config.content_shapes import merge_options, receipts_shape
from notifyctl.config.fields import (
    NEWER,
    Boolean,
    ChannelShape,
    Choice,
    Either,
    Field,
    Integer,
    Items,
    Record,
    Text,
    only_in,
)
from notifyctl.config.kinds.audience import INLINE_AUDIENCE
from notifyctl.config.kinds.project import NARROWED
from notifyctl.config.kinds.shared_fields import (
    EDITION,
    SUBSTITUTIONS,
    head,
    name_text,
)
from notifyctl.config.kinds.suppressions import SUPPRESSIONS
from notifyctl.config.kinds.template import inline_template
from notifyctl.config.scalar_types import (
    parse_endpoint,
)
from notifyctl.diagnostics import Path, Problem
from notifyctl.rulebook import email, envelope, sms

SMARTLINK = Record(
    title="smartlink",
    description="A smartlink of the provider, written {{ smartlink(5) }} in the text.",
    rule=sms.SMARTLINKS,
    fields=(
        Field(
            name="smartlinkId",
            shape=Integer(
                minimum=1, description="Number of the smartlink.", examples=(5,), rule=sms.SMARTLINKS
            ),
            required=True,
        ),
        Field(
            name="validity",
            shape=Integer(minimum=1, description="How long it works.", examples=(30,), rule=sms.SMARTLINKS),
        ),
    ),
)

CONTACT_POLICY = Record(
    title="contactPolicy",
    description="Checks by the provider, against the contacts of a group, before a message is sent. A recipient who fails them is"
    " not sent the message, which a failed receipt reports.",
    rule=envelope.CONTACT_POLICY,
    fields=(
        Field(
            name="contactPolicyGroup",
            shape=Text(
                min_length=1,
                description="ID of the group.",
                examples=("xKa4xfM3S_a9bP98ryCw8w",),
                rule=envelope.CONTACT_POLICY,
            ),
            required=True,
        ),
        Field(
            name="channelCheckConsent",
            shape=Boolean(
                description="Send only to recipients who opted in on the channel.",
                strings=True,
                rule=envelope.CONTACT_POLICY,
            ),
            default=False,
        ),
        Field(
            name="channelApplyFrequencyCap",
            shape=Boolean(
                description="Send only within the group's frequency cap for the channel.",
                strings=True,
                rule=envelope.CONTACT_POLICY,
            ),
            default=False,
        ),
    ),
)
CHECKS = ("channelCheckConsent", "channelApplyFrequencyCap")


def policy_problems(policy: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    """`policy` is a contactPolicy of the right shape."""
    if not any(policy.get(key) is True for key in CHECKS):
        message = f"`contactPolicy` needs `{CHECKS[0]}: true` or `{CHECKS[1]}: true`"
        yield envelope.CONTACT_POLICY.broken(path, message, "add one of them, or remove `contactPolicy`")


ADDRESSES = Items(
    item=Text(min_length=1), unique=True, examples=(["office@acme.example"],), rule=email.COPIES
)


def notification(channels: Sequence[ChannelShape]) -> Record:
    return Record(
        title="Notification",
        description="Sends a template to an audience on a schedule. The only kind that sends anything.",
        fields=(
            *head(
                "Notification", name_text("Name under which the ledger records it.", "ec1m-outage-december")
            ),
            Field(name="edition", shape=EDITION, default=1),
            Field(
                name="template",
                shape=Either(
                    text=name_text("Name of a Template.", "outage-sms"),
                    mapping=inline_template(channels),
                    description="Name of a Template, or an inline one.",
                ),
                required=True,
            ),
            Field(
                name="audience",
                shape=Either(
                    text=name_text("Name of an Audience.", "ec1m-customers"),
                    mapping=INLINE_AUDIENCE,
                    description="Name of an Audience, or an inline one.",
                ),
                required=True,
            ),
            Field(
                name="schedule",
                shape=name_text("Name of a Schedule. Default: due immediately.", "weekday-morning"),
            ),
            *envelope_fields(channels),
            Field(
                name="joiners",
                shape=Choice(
                    values=("hold", "send"),
                    description="Recipients added after the edition started: hold or send.",
                ),
                default="hold",
            ),
            Field(
                name="onUnknown",
                shape=Choice(
                    values=("hold", "resend"),
                    description="After an unknown outcome: hold, or resend and accept that some recipients are sent it twice.",
                ),
                default="hold",
            ),
            Field(name="limits", shape=NARROWED),
            SUPPRESSIONS,
            Field(
                name="acknowledge",
                shape=Text(
                    description="Hash (from `plan`) of a changed text that is not sent to recipients who were already sent the old one.",
                    pattern=r"d1:[0-9a-f]{8,64}",
                    pattern_description="a hash from `notifyctl plan`: d1: and hexadecimal digits",
                ),
            ),
        ),
    )


def envelope_fields(channels: Sequence[ChannelShape]) -> tuple[Field, ...]:
    """Returns the request's fields besides content and recipients, in the API's spelling."""
    receipts = receipts_shape(receipt for channel in channels for receipt in channel.receipts)
    return (
        Field(
            name="from",
            shape=Text(
                min_length=1,
                description="Sender. Default: the environment's sender for the channel.",
                examples=("CNNECT",),
                rule=envelope.SENDER,
            ),
        ),
        Field(
            name="substitutions",
            shape=replace(
                SUBSTITUTIONS,
                description="Values of $(name) for all recipients. A recipient's own value replaces it.",
                examples=({"value": "4 hours"},),
            ),
        ),
        Field(
            name="priority",
            shape=Integer(
                minimum=1,
                maximum=3,
                strings=True,
                description="Priority, from 1 (lowest) to 3.",
                rule=envelope.PRIORITY,
            ),
        ),
        Field(name="options", shape=merge_options(channels)),
        Field(
            name="callbackData",
            shape=Text(
                min_length=1,
                max_length=2000,
                description="Data returned in each receipt. Default: data by which notifyctl recognises the message.",
                examples=("ec1m-december",),
                rule=envelope.CALLBACK_DATA,
            ),
        ),
        Field(
            name="notifyUrl",
            shape=Text(
                description="URL that receipts are posted to.",
                examples=("https://hooks.acme.example/receipts",),
                parse=parse_endpoint,
                rule=envelope.NOTIFY_URL,
            ),
        ),
        *only_in(
            NEWER,
            Field(
                name="notifyUrlAuthId",
                shape=Text(
                    min_length=1,
                    description="ID of an authorization at the provider, used for calls to `notifyUrl`.",
                    examples=("TNPXXXT09U",),
                ),
            ),
        ),
        Field(name="requestedReceipts", shape=receipts),
        Field(
            name="cc",
            shape=replace(
                ADDRESSES, description="Email only: addresses that are sent a copy of each message."
            ),
        ),
        Field(
            name="bcc",
            shape=replace(
                ADDRESSES, description="Email only: addresses that are sent a blind copy of each message."
            ),
        ),
        Field(
            name="smartlinks",
            shape=Items(
                item=SMARTLINK,
                description="SMS only: smartlinks in the text.",
                rule=sms.SMARTLINKS,
            ),
        ),
        *only_in(
            NEWER,
            Field(name="contactPolicy", shape=CONTACT_POLICY),
            Field(
                name="batchId",
                shape=Text(
                    min_length=1,
                    description="SMS only: your ID of the messages that the provider holds until they are due"
                    " (`handOff: provider`).",
                    examples=("december-2026",),
                ),
            ),
            Field(
                name="multipleToRecipients",
                shape=Boolean(
                    description="Email only, and only `false`: each recipient is sent an email of their own."
                ),
            ),
        ),
    )


MOVED = Record(
    title="Moved",
    description="A renamed notification. What was sent under the old name counts for the new name.",
    fields=(
        *head("Moved", None),
        Field(name="from", shape=name_text("Old name.", "outage-dec"), required=True),
        Field(name="to", shape=name_text("New name.", "ec1m-outage-december"), required=True),
    ),
)


def statement(kind: str, description: str) -> Record:
    return Record(
        title=kind,
        description=description,
        fields=(
            *head(kind, None),
            Field(
                name="notification",
                shape=name_text("Name of a Notification.", "ec1m-outage-december"),
                required=True,
            ),
            Field(
                name="edition", shape=replace(EDITION, description="Edition of the notification."), default=1
            ),
            Field(
                name="reason",
                shape=Text(
                    min_length=1,
                    max_length=1000,
                    description="Reason. The ledger stores it.",
                    examples=("cancelled",),
                ),
                required=True,
            ),
        ),
    )
