"""The body of a request as bytes: what `payload.body_of` describes, written straight from columns.

A thousand destinations as Python objects, and those as JSON, cost more than all else of a request. Here the `to` array is woven
from whole columns: constants that hold names, and values that the C function of `json` has quoted. No text is ever code. A
test compares the two ways over odd texts. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from json.encoder import encode_basestring as quoted
from typing import cast

from notifyctl.model.batch import Batch, Destinations
from notifyctl.model.message import Envelope, Message
from notifyctl.model.project import ChannelName
from notifyctl.providers.webexconnect.payload import fields
from notifyctl.records import dataclass

OPENED = '"substitutions":{'
BETWEEN = "\x1f"
"""What no text has that goes out, as a rule."""
BETWEEN_QUOTED = quoted(BETWEEN)[1:-1]
LONGER = len(BETWEEN_QUOTED) - len(BETWEEN)

written = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

Texts = Sequence[str]
"""A column: a text for each object."""
Own = Sequence[str | None]
"""A column with gaps."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands before the destinations, between them and the callback data, and behind that."""

    before: str
    between: str
    after: str


class Encoder:
    """Bodies of batches, one after the other. What a batch shares with the last one is written once."""

    def __init__(self) -> None:
        self._message: Message | None = None
        self._around: tuple[object, ...] = ()
        self._frame = Frame("", "", "")

    def content_of(self, batch: Batch) -> bytes:
        """The JSON of a batch in UTF-8, keys in the order of the API page; `json.loads` of it is `body_of(batch)`."""
        envelope = batch.envelope
        around = (
            envelope.send_at,
            envelope.expire_at,
            envelope.validity,
            envelope.priority,
            envelope.notify_url,
            envelope.requested_receipts,
            envelope.callback_data is None,
        )
        if batch.message is not self._message or around != self._around:
            self._message, self._around = batch.message, around
            self._frame = frame_of(batch.message, envelope)
        frame, callback = self._frame, envelope.callback_data
        called = "" if callback is None else quoted(callback)
        pieces = [frame.before, *array(batch.to, batch.message.channel), frame.between, called, frame.after]
        # Joined once: each copy of so much text is memory that the system has to find. Half a surrogate pair is no text: it
        # goes out as the escape that JSON has for it.
        return "".join(pieces).encode("utf-8", "backslashreplace")


def frame_of(message: Message, envelope: Envelope) -> Frame:
    texts, comma = [""], "{"
    for key, value in fields(message, envelope, ()):
        texts[-1] += f"{comma}{quoted(key)}:"
        comma = ","
        if key in {"to", "callbackData"}:
            texts.append("")
        else:
            texts[-1] += written(value)
    texts[-1] += "}"
    before, between, *after = texts
    return Frame(before, between, *after or [""])


def array(to: Destinations, channel: ChannelName) -> list[str]:
    """The pieces of the `to` array (rules 10 to 13). A name that nobody has a value for is left out."""
    count = len(to)
    if not count:
        return ["[]"]
    gaps = [column.count(None) for column in to.own]
    given = [(name, to.own[at]) for at, name in enumerate(to.names) if gaps[at] < count]
    even = sum(gaps) == (len(gaps) - len(given)) * count
    values = cast("Sequence[Texts]", [column for _, column in given]) if even else ()
    addresses, ids, *own = escaped_together([to.addresses, to.correlation_ids, *values])
    objects = [lists(addresses, to.starts), ids]
    if even:
        names = tuple([name for name, _ in given])
        return woven(constants(channel, names), [*objects, *own], '"}}' if names else '"}')
    return woven((*constants(channel, ()), '"'), [*objects, uneven(given)], "}")


@lru_cache(maxsize=64)
def constants(channel: ChannelName, names: tuple[str, ...]) -> tuple[str, ...]:
    """What stands before the address of an object, before its correlation id, and before its value for each of the names."""
    own = [f'",{"" if at else OPENED}{quoted(name)}:"' for at, name in enumerate(names)]
    return (f'{{{quoted(channel.address_field)}:["', '"],"correlationId":"', *own)


def woven(before: tuple[str, ...], texts: Sequence[Texts], ends: str) -> list[str]:
    """Objects side by side: each of the constants in turn, with the object's own text behind it."""
    pieces, width = list(warp(before, ends, len(texts[0]))), 2 * len(before)
    for at, column in enumerate(texts):
        pieces[2 * at + 1 :: width] = column
    return pieces


@lru_cache(maxsize=8)
def warp(before: tuple[str, ...], ends: str, count: int) -> tuple[str, ...]:
    """The pieces of so many objects, but for their texts."""
    one = [piece for constant in before for piece in (constant, "")]
    first, *rest = one
    return (f"[{first}", *rest, *[f"{ends},{first}", *rest] * (count - 1), f"{ends}]")


def escaped_together(columns: Sequence[Texts]) -> Sequence[Texts]:
    """`escaped` of each, for all at once where nothing need be quoted, as mostly."""
    texts = list(chain.from_iterable(columns))
    joined = BETWEEN.join(texts)
    return columns if stands(joined, quoted(joined), len(texts)) else [escaped(texts) for texts in columns]


def escaped(texts: Texts) -> Texts:
    """Texts as they stand between the quotation marks of JSON. One call quotes all of them. Where that changed something, they
    are found again by what lies between two, if it is in none of them.
    """
    joined = BETWEEN.join(texts)
    all_of_them = quoted(joined)
    if stands(joined, all_of_them, len(texts)):
        return texts
    found = all_of_them[1:-1].split(BETWEEN_QUOTED)
    return found if len(found) == len(texts) else [quoted(text)[1:-1] for text in texts]


def stands(joined: str, all_of_them: str, count: int) -> bool:
    """Whether quoting so many texts made nothing longer but what lies between two: then they stand so already."""
    return len(all_of_them) == len(joined) + 2 + (count - 1) * LONGER


def lists(addresses: Texts, starts: Sequence[int] | None) -> Texts:
    """The addresses of each object, without the first and the last quotation mark."""
    if starts is None:
        return addresses
    ends = [*starts[1:], len(addresses)]
    return ['","'.join(addresses[start:end]) for start, end in zip(starts, ends, strict=True)]


def uneven(given: Sequence[tuple[str, Own]]) -> Texts:
    """The substitutions of each object, where some have names that others have not."""
    keys = [f"{quoted(name)}:" for name, _ in given]
    columns = [
        ["" if value is None else key + quoted(value) for value in column]
        for key, (_, column) in zip(keys, given, strict=True)
    ]
    rows = [",".join(filter(None, row)) for row in zip(*columns, strict=True)]
    return [f",{OPENED}{row}}}" if row else "" for row in rows]
