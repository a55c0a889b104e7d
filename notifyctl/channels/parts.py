"""Labelled parts of a message: what plans, `render`, the inbox and the preview show of it. `message_parts` lists them.

What no channel describes is a part all the same, labelled with its path, so that a new field cannot stay hidden. Parts hold text
as it came: whoever prints them escapes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from notifyctl.model.project import ApiObject, ChannelName


class Kind(StrEnum):
    """What a part is, and so how it is drawn."""

    FIELD = "field"  # a label and one line: the subject, who it is from
    TEXT = "text"  # what is read, over several lines
    MEDIA = "media"  # a picture, video or document: `text` is its URL
    FILE = "file"  # an attachment: `label` is its name, `text` its type, size and URL
    BUTTON = "button"  # an RCS suggestion: `label` is on it, `text` says what a tap does
    BLOCK = "block"  # `parts` below a heading: a card, the SMS sent when RCS fails
    SETTING = "setting"  # what the provider is told and recipients do not read


class Part(Struct, frozen=True):
    """One labelled part. `key` is a stable name for programs, such as `subject`, `html`, `card` or `fallback`."""

    kind: Kind
    key: str
    label: str = ""
    """For people; empty where the text needs none."""
    text: str = ""
    parts: tuple[Part, ...] = ()
    """Of a block, in the order in which a recipient meets them."""
    encoding: str | None = None
    """Of an SMS, with `units` (characters in that encoding) and `segments`."""
    units: int | None = None
    segments: int | None = None


class Carried(Struct, frozen=True):
    """One message as it is sent to one recipient: texts filled in, keys as in the API."""

    channel: ChannelName
    sender: str = ""
    content: ApiObject | None = None
    """None for a template that is stored at the provider."""
    options: ApiObject = field(default_factory=dict)
    request: ApiObject = field(default_factory=dict)
    """The request's other keys, which all recipients share, such as `cc`, `bcc`, `smartlinks` and `template`."""
    sizes: tuple[int | None, ...] = ()
    """Bytes of each attachment, where the author wrote them: they are not sent."""
    values: Mapping[str, str] = field(default_factory=dict)
    """Of a template that is stored at the provider: what fills its variables."""


def walk_parts(parts: Iterable[Part]) -> Iterator[Part]:
    """Each part and those inside it, in order."""
    for part in parts:
        yield part
        yield from walk_parts(part.parts)


def find_part(parts: Iterable[Part], key: str) -> Part | None:
    """The first part of that key, also inside blocks."""
    return next((part for part in walk_parts(parts) if part.key == key), None)


class Fields(dict[str, Any]):
    """An object of the API of which each key is taken once; `rest` are parts of the keys that were not."""

    def take(self, key: str) -> Any:
        """The value, or None. It is described by whoever takes it."""
        return self.pop(key, None)

    def text(self, key: str) -> str:
        """The value as a text, empty where there is none."""
        value = self.pop(key, None)
        return "" if value is None else write_value(value)

    def rest(self, path: str = "", kind: Kind = Kind.SETTING) -> Iterator[Part]:
        for key, value in self.items():
            yield from describe_unknown(value, f"{path}.{key}" if path else key, kind)
        self.clear()


def fields_of(value: object) -> Fields:
    """The fields of an object; of anything else, which no channel has, itself under `value`."""
    if isinstance(value, Mapping):
        return Fields(value)
    return Fields() if value is None else Fields(value=value)


def items_of(value: object) -> list[Any]:
    """The items of a list; a single value is one, and nothing is none."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def describe_unknown(value: object, path: str, kind: Kind) -> Iterator[Part]:
    """One part for each leaf."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from describe_unknown(item, f"{path}.{key}", kind)
    elif isinstance(value, (list, tuple)):
        plain = not any(isinstance(item, (Mapping, list, tuple)) for item in value)
        if plain and value:
            yield Part(kind, path, path, ", ".join(map(write_value, value)))
        for number, item in enumerate([] if plain else value, 1):
            yield from describe_unknown(item, f"{path}.{number}", kind)
    elif value is not None:
        yield Part(kind, path, path, write_value(value))


def write_value(value: object) -> str:
    """A leaf as the JSON of a request has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
