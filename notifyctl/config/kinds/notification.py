"""Shapes of notifications and of the statements about them: Moved, Baseline, Withdraw."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from notifyctl.config.content_shapes import merge_options, receipts_shape
from notifyctl.config.fields import (
    ChannelShape,
    Choice,
    Either,
    Field,
    Integer,
    Items,
    Record,
    Text,
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
from notifyctl.rulebook import email, envelope, sms

SMARTLINK = Record(
    title="smartlink",
    description="A link of the platform, written {{ smartlink(5) }} in the text.",
    rule=sms.SMARTLINKS,
    fields=(
        Field(
            name="smartlinkId",
            shape=Integer(minimum=1, description="Its number.", examples=(5,), rule=sms.SMARTLINKS),
            required=True,
        ),
        Field(
            name="validity",
            shape=Integer(minimum=1, description="How long it works.", examples=(30,), rule=sms.SMARTLINKS),
        ),
    ),
)

ADDRESSES = Items(
    item=Text(min_length=1), unique=True, examples=(["office@acme.example"],), rule=email.COPIES
)


def notification(channels: Sequence[ChannelShape]) -> Record:
    return Record(
        title="Notification",
        description="The only document with an effect: it binds template, audience and schedule.",
        unknown_key_hints={
            name: f"`{name}` is a key of release 6.20 of the API, which this format does not have; leave it out"
            for name in ("notifyUrlAuthId", "contactPolicy", "batchId", "multipleToRecipients")
        },
        fields=(
            *head("Notification", name_text("What the ledger knows it by.", "ec1m-outage-december")),
            Field(name="edition", shape=EDITION, default=1),
            Field(
                name="template",
                shape=Either(
                    text=name_text("The name of a Template.", "outage-sms"),
                    mapping=inline_template(channels),
                    description="The name of a Template, or one inline.",
                ),
                required=True,
            ),
            Field(
                name="audience",
                shape=Either(
                    text=name_text("The name of an Audience.", "ec1m-customers"),
                    mapping=INLINE_AUDIENCE,
                    description="The name of an Audience, or one inline.",
                ),
                required=True,
            ),
            Field(
                name="schedule",
                shape=name_text("The name of a Schedule; without it due at once.", "weekday-morning"),
            ),
            *envelope_fields(channels),
            Field(
                name="joiners",
                shape=Choice(
                    values=("hold", "send"),
                    description="People who joined the audience after the first apply: hold them back, or send.",
                ),
                default="hold",
            ),
            Field(
                name="onUnknown",
                shape=Choice(
                    values=("hold", "resend"),
                    description="Where nobody knows whether it arrived: hold, or resend and accept that some get it twice.",
                ),
                default="hold",
            ),
            Field(name="limits", shape=NARROWED),
            SUPPRESSIONS,
            Field(
                name="acknowledge",
                shape=Text(
                    description="The delivery hash of a change that those who were already sent to need not get.",
                    pattern=r"d1:[0-9a-f]{8,64}",
                    pattern_description="a hash that `notifyctl plan` shows, d1: and hexadecimal digits",
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
                description="The sender; without it the environment's for the channel.",
                examples=("CNNECT",),
                rule=envelope.SENDER,
            ),
        ),
        Field(
            name="substitutions",
            shape=replace(
                SUBSTITUTIONS,
                description="Values of $(name) for everyone; a recipient's own win.",
                examples=({"value": "4 hours"},),
            ),
        ),
        Field(
            name="priority",
            shape=Integer(
                minimum=1,
                maximum=3,
                strings=True,
                description="1 is the lowest, 3 the highest.",
                rule=envelope.PRIORITY,
            ),
        ),
        Field(name="options", shape=merge_options(channels)),
        Field(
            name="callbackData",
            shape=Text(
                min_length=1,
                max_length=2000,
                description="Comes back with each receipt; without it notifyctl's own.",
                examples=("ec1m-december",),
                rule=envelope.CALLBACK_DATA,
            ),
        ),
        Field(
            name="notifyUrl",
            shape=Text(
                description="Where receipts are posted to.",
                examples=("https://hooks.acme.example/receipts",),
                parse=parse_endpoint,
                rule=envelope.NOTIFY_URL,
            ),
        ),
        Field(name="requestedReceipts", shape=receipts),
        Field(name="cc", shape=replace(ADDRESSES, description="E-mail only: copies, one with each message.")),
        Field(
            name="bcc",
            shape=replace(ADDRESSES, description="E-mail only: blind copies, one with each message."),
        ),
        Field(
            name="smartlinks",
            shape=Items(
                item=SMARTLINK,
                description="SMS only: the platform's links that the text uses.",
                rule=sms.SMARTLINKS,
            ),
        ),
    )


MOVED = Record(
    title="Moved",
    description="A notification has another name: what was sent under the old one counts for the new one.",
    fields=(
        *head("Moved", None),
        Field(name="from", shape=name_text("The old name.", "outage-dec"), required=True),
        Field(name="to", shape=name_text("The new name.", "ec1m-outage-december"), required=True),
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
                shape=name_text("The name of a Notification.", "ec1m-outage-december"),
                required=True,
            ),
            Field(name="edition", shape=replace(EDITION, description="Which edition is meant."), default=1),
            Field(
                name="reason",
                shape=Text(
                    min_length=1,
                    max_length=1000,
                    description="Why, for those who read the ledger, which keeps it.",
                    examples=("called off",),
                ),
                required=True,
            ),
        ),
    )
