"""Shapes of templates, as documents and inline in a notification. Content and options are the channel's shapes."""

from __future__ import annotations

from collections.abc import Sequence

from notifyctl.config.content_shapes import content_shape, locale_shape
from notifyctl.config.fields import (
    Boolean,
    Cases,
    ChannelShape,
    Choice,
    Field,
    Integer,
    Record,
    Table,
    Text,
)
from notifyctl.config.kinds.shared_fields import (
    LOCALE,
    VARIABLE,
    head,
    name_text,
)
from notifyctl.rulebook import envelope

VARIABLES = Table(
    description="Every $(name) that the template uses, and no other; without it each $(name) used is required.",
    keys=VARIABLE,
    examples=({"name": {"example": "Ada"}},),
    value=Record(
        title="variable",
        description="A $(name) of the template.",
        fields=(
            Field(
                name="required",
                shape=Boolean(description="Whether each recipient needs a value."),
                default=True,
            ),
            Field(name="default", shape=Text(description="The value where nobody gives one.")),
            Field(name="example", shape=Text(description="A value for previews.", examples=("Ada",))),
            Field(
                name="maxLength",
                shape=Integer(minimum=1, description="The most characters a value may have."),
            ),
        ),
    ),
)

REMOTE_ID = Text(
    min_length=1,
    description="The ID of a template held by the provider.",
    examples=("5S2XXXXFNR",),
    rule=envelope.TEMPLATE_ID,
)
REMOTE = Record(
    title="provider's template",
    description="A template held by the provider, in place of content; its body is opaque here.",
    fields=(Field(name="id", shape=REMOTE_ID, required=True),),
)


def template(channels: Sequence[ChannelShape]) -> Cases:
    name = name_text("What notifications refer to.", "outage-sms")
    return Cases(
        title="Template",
        by="channel",
        rule=envelope.CHANNEL,
        description="What is said on one channel, in one or more languages.",
        cases={
            channel.name: Record(
                title=f"{channel.name} Template",
                description="What is said on one channel, in one or more languages.",
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
        description="A template that only this notification uses.",
        cases={
            channel.name: Record(
                title=f"inline {channel.name} template",
                description="A template that only this notification uses.",
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
            shape=Choice(values=("transactional", "marketing"), description="Policies tell the two apart."),
            default="transactional",
        ),
        Field(name="description", shape=Text(description="A sentence for those who read the project.")),
        Field(name="variables", shape=VARIABLES),
        Field(name="content", shape=content_shape(channel)),
        Field(name="template", shape=REMOTE),
        Field(name="options", shape=channel.options),
        Field(
            name="locales",
            shape=Table(
                value=locale_shape(channel),
                keys=LOCALE,
                description="What differs, per locale; fr-CA falls back to fr, then to the template itself.",
            ),
        ),
    )
