"""Adapts the shapes of channels to documents: texts from files, partial locale variants, unions over channels.

A channel declares what the API accepts; this module adds what only files can contain or omit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from notifyctl.config.fields import (
    Cases,
    ChannelShape,
    Choice,
    Field,
    Free,
    Items,
    Record,
    Shape,
    Text,
)
from notifyctl.rulebook import envelope, receipts

FROM_FILE = {"text": "textFile", "html": "htmlFile"}
"""Content key → the alternative key that names a file of the project."""


def content_shape(channel: ChannelShape) -> Cases:
    """Returns the channel's content shape in which `textFile` and `htmlFile` can replace `text` and `html`."""
    cases = {name: add_file_keys(record) for name, record in channel.content.cases.items()}
    return replace(channel.content, cases=cases)


def add_file_keys(record: Record) -> Record:
    """Adds a `…File` alternative to each text of a record. For a required text, exactly one of the two keys is
    required.
    """
    fields: list[Field] = []
    exactly_one, at_most_one = list(record.exactly_one), list(record.at_most_one)
    for field in record.fields:
        file_key = FROM_FILE.get(field.name)
        if file_key is None:
            fields.append(field)
            continue
        (exactly_one if field.required else at_most_one).append((field.name, file_key))
        fields += [replace(field, required=False), Field(name=file_key, shape=file_shape(field.name))]
    return replace(
        record, fields=tuple(fields), exactly_one=tuple(exactly_one), at_most_one=tuple(at_most_one)
    )


def file_shape(name: str) -> Text:
    return Text(
        min_length=1,
        description=f"A file of the project with the `{name}`, relative to this YAML file or to the project.",
        examples=(f"outage.{'html' if name == 'html' else 'txt'}",),
    )


def locale_shape(channel: ChannelShape) -> Record:
    """Returns the shape of a locale variant: any part of the content and the options."""
    content = content_shape(channel)
    types = Field(
        name=content.by,
        shape=Choice(values=tuple(content.cases), description="Type of the content, as in the template."),
    )
    rest = [
        field for field in merge_records(content.cases.values(), title="").fields if field.name != content.by
    ]
    partial = Record(
        title=f"{content.title} of a locale",
        description="Differences from the template's content. Lists are replaced, not merged.",
        fields=(types, *rest),
        at_most_one=tuple(pair for pair in FROM_FILE.items() if any(field.name == pair[0] for field in rest)),
        partial=True,
    )
    return Record(
        title=f"{channel.name} locale",
        description="Differences from the template in this locale.",
        fields=(
            Field(name="content", shape=partial),
            Field(name="options", shape=replace(channel.options, partial=True)),
        ),
        partial=True,
    )


def merge_options(channels: Sequence[ChannelShape]) -> Record:
    """Returns the union of all channels' options, for a notification whose template is not known yet."""
    return replace(
        merge_records([channel.options for channel in channels], title="options"),
        unknown_key_rules={"*": envelope.OPTIONS},
        unknown_key_hints={
            key: hint for each in channels for key, hint in each.options.unknown_key_hints.items()
        },
        description="Options of the channel. They replace those of the template, key by key.",
        partial=True,
    )


RECEIPT_ALIASES = {"sent": "submitted", "bounce": "bounced"}
"""Other names that the API accepts for receipts (rules 48 to 50)."""


def canonical_receipt(text: str) -> str:
    """Returns the canonical name of a receipt."""
    return RECEIPT_ALIASES.get(text.casefold(), text.casefold())


def receipts_shape(names: Iterable[str]) -> Items:
    return Items(
        description="Receipts that are posted to `notifyUrl`. Default: all.",
        examples=(["delivered", "failed"],),
        item=Choice(values=tuple(dict.fromkeys(names)), fold=True),
        rule=receipts.RECEIPTS,
    )


def merge_records(records: Iterable[Record], *, title: str) -> Record:
    """Returns a partial record with the fields of all `records`.

    A key with different shapes becomes `Free`; the channel checks it later with its own record.
    """
    fields: dict[str, Field] = {}
    for record in records:
        for field in record.fields:
            known = fields.get(field.name)
            if known is None:
                fields[field.name] = replace(field, required=False)
                continue
            if known.profile != field.profile:
                fields[field.name] = known = replace(known, profile=None)
            if strip_annotations(known.shape) != strip_annotations(field.shape):
                free = Free(description=known.shape.description, examples=known.shape.examples)
                fields[field.name] = replace(known, shape=free)
    return Record(title=title, fields=tuple(fields.values()), partial=True)


def strip_annotations(shape: Shape) -> Shape:
    return replace(shape, description="", examples=(), rule=None)
