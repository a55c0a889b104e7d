"""Shapes of templates, as documents and inline in a notification. Content and options are the channel's shapes."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from notifyctl.config.content_shapes import content_shape, locale_shape
from notifyctl.config.fields import (
    NEWER,
    Boolean,
    Cases,
    ChannelShape,
    Choice,
    Field,
    Integer,
    Record,
    Table,
    Text,
    only_in,
)
from notifyctl.config.kinds.shared_fields import (
    LOCALE,
    VARIABLE,
    head,
    name_text,
)
from notifyctl.rulebook import email, envelope

VARIABLES = Table(
    description="All variables that the template uses. Default: each $(name) in it, required.",
    keys=VARIABLE,
    examples=({"name": {"example": "Ada"}},),
    value=Record(
        title="variable",
        description="A variable, $(name) in the template.",
        fields=(
            Field(
                name="required",
                shape=Boolean(description="Each recipient needs a value."),
                default=True,
            ),
            Field(name="default", shape=Text(description="Value for recipients without one.")),
            Field(name="example", shape=Text(description="Example for previews.", examples=("Ada",))),
            Field(
                name="maxLength",
                shape=Integer(minimum=1, description="Maximum number of characters in a value."),
            ),
        ),
    ),
)

REMOTE_ID = Text(
    min_length=1,
    description="ID of a template stored at the provider.",
    examples=("5S2XXXXFNR",),
    rule=envelope.TEMPLATE_ID,
)
REMOTE = Record(
    title="provider's template",
    description="A template stored at the provider, instead of `content`. Its text is not known here.",
    fields=(Field(name="id", shape=REMOTE_ID, required=True),),
)
REMOTE_EMAIL = replace(
    REMOTE,
    title="provider's email template",
    fields=(
        *REMOTE.fields,
        *only_in(
            NEWER,
            Field(
                name="subject",
                shape=Text(
                    min_length=1,
                    composed=True,
                    description="Subject line. It replaces that of the stored template.",
                    examples=("Planned outage in $(area)",),
                    rule=email.SUBJECT,
                ),
            ),
        ),
    ),
)


def template(channels: Sequence[ChannelShape]) -> Cases:
    name = name_text("Name that notifications refer to.", "outage-sms")
    return Cases(
        title="Template",
        by="channel",
        rule=envelope.CHANNEL,
        description="The text of messages on one channel, in one or more languages.",
        cases={
            channel.name: Record(
                title=f"{channel.name} Template",
                description="The text of messages on one channel, in one or more languages.",
                fields=(*head("Template", name), *template_fields(channel)),
                exactly_one=(("content", "template"),),
                exclusive_rules={("content", "template"): envelope.CONTENT_OR_TEMPLATE},
                at_most_one=(("template", "locales"),),
            )
            for channel in channels
        },
    )


def inline_template(channels: Sequence[ChannelShape]) -> Cases:
    """Returns the shape of a template in a notification, where `id` can replace `template: {id: …}`."""
    return Cases(
        title="template",
        by="channel",
        rule=envelope.CHANNEL,
        description="A template for this notification only.",
        cases={
            channel.name: Record(
                title=f"inline {channel.name} template",
                description="A template for this notification only.",
                fields=(*template_fields(channel), Field(name="id", shape=REMOTE_ID)),
                exactly_one=(("content", "template", "id"),),
                exclusive_rules={("content", "template", "id"): envelope.CONTENT_OR_TEMPLATE},
                at_most_one=(("template", "locales"), ("id", "locales")),
            )
            for channel in channels
        },
    )


def template_fields(channel: ChannelShape) -> tuple[Field, ...]:
    return (
        Field(
            name="channel",
            shape=Choice(values=(channel.name,), description="sms, email or rcs.", rule=envelope.CHANNEL),
            required=True,
        ),
        Field(
            name="category",
            shape=Choice(
                values=("transactional", "marketing"),
                description="Category. Policies and suppression lists distinguish them.",
            ),
            default="transactional",
        ),
        Field(name="description", shape=Text(description="Description. It is not sent.")),
        Field(name="variables", shape=VARIABLES),
        Field(name="content", shape=content_shape(channel)),
        Field(name="template", shape=REMOTE_EMAIL if channel.name == "email" else REMOTE),
        Field(name="options", shape=channel.options),
        Field(
            name="locales",
            shape=Table(
                value=locale_shape(channel),
                keys=LOCALE,
                description="Differences per locale. fr-CA falls back to fr, then to the default text.",
            ),
        ),
    )
