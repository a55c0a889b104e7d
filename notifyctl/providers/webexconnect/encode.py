"""The body of a request as bytes: what `payload.body_of` describes, written straight from columns.

A thousand destinations as Python objects, and those as JSON, cost more than all else of a request. Here the `to` array is woven
from whole columns: constants that hold names, and values that the C function of `json` has quoted. No text is ever code. A
test compares the two ways over odd texts. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring as quoted
from typing import cast

from notifyctl.delivery import Batch, Destinations, Envelope, Message
from notifyctl.model import ChannelName
from notifyctl.providers.webexconnect.payload import fields

OPENED = '"substitutions":{'
BETWEEN = "\x1f"
"""What no text has that goes out, as a rule."""
BETWEEN_QUOTED = quoted(BETWEEN)[1:-1]

written = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

Thread = tuple[str, Sequence[str]]
"""A constant, the same in every object, and the text behind it, one an object."""


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
    """The pieces of the `to` array (rules 10 to 13)."""
    return woven(
        [
            (f'{{{quoted(channel.address_field)}:["', lists(to)),
            ('"],"correlationId":"', escaped(to.correlation_ids)),
            *substitutions(to),
        ]
    )


def escaped(texts: Sequence[str]) -> Sequence[str]:
    """Texts as they stand between the quotation marks of JSON. One call quotes all of them. Where it made nothing longer but
    what lies between two, they stand so already; else they are found again by that, if it is in none of them.
    """
    joined = BETWEEN.join(texts)
    all_of_them = quoted(joined)
    if len(all_of_them) == len(joined) + 2 + (len(texts) - 1) * (len(BETWEEN_QUOTED) - len(BETWEEN)):
        return texts
    found = all_of_them[1:-1].split(BETWEEN_QUOTED)
    return found if len(found) == len(texts) else [quoted(text)[1:-1] for text in texts]


def woven(threads: Sequence[Thread]) -> list[str]:
    """Objects side by side: each of the constants in turn, with the object's own text behind it."""
    count, width = len(threads[0][1]), 2 * len(threads)
    pieces = [""] * (count * width)
    for at, (constant, texts) in enumerate(threads):
        # What ends an object stands before the next one.
        pieces[2 * at :: width] = [constant if at else f"}},{constant}"] * count
        pieces[2 * at + 1 :: width] = texts
    if not count:
        return ["[]"]
    pieces[0] = f"[{threads[0][0]}"
    pieces.append("}]")
    return pieces


def lists(to: Destinations) -> Sequence[str]:
    """The addresses of each object, without the first and the last quotation mark."""
    texts = escaped(to.addresses)
    if to.starts is None:
        return texts
    ends = [*to.starts[1:], len(texts)]
    return ['","'.join(texts[start:end]) for start, end in zip(to.starts, ends, strict=True)]


def substitutions(to: Destinations) -> Sequence[Thread]:
    """What the objects have of their own, behind an open text. A name that nobody has a value for is left out."""
    given = [
        (f"{quoted(name)}:", column)
        for name, column in zip(to.names, to.own, strict=True)
        if column.count(None) < len(column)
    ]
    nothing = [""] * len(to)
    if not given:
        return [('"', nothing)]
    if any(None in column for _, column in given):
        return [('"', uneven(given))]
    threads = [
        (f'",{"" if at else OPENED}{key}"', escaped(cast("Sequence[str]", column)))
        for at, (key, column) in enumerate(given)
    ]
    return [*threads, ('"}', nothing)]


def uneven(given: Sequence[tuple[str, Sequence[str | None]]]) -> list[str]:
    """The substitutions of each object, where some have names that others have not."""
    columns = [["" if value is None else key + quoted(value) for value in column] for key, column in given]
    rows = [",".join(filter(None, row)) for row in zip(*columns, strict=True)]
    return [f",{OPENED}{row}}}" if row else "" for row in rows]
