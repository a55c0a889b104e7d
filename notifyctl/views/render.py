"""Rendered messages as text and JSON; addresses are masked unless revealed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from notifyctl.audience.addresses import mask
from notifyctl.channels.message_parts import list_parts
from notifyctl.channels.parts import Carried, Part
from notifyctl.model.message import RenderedMessage
from notifyctl.plan.samples import without
from notifyctl.plurals import pluralise
from notifyctl.views.colours import Paint, strip_controls
from notifyctl.views.message import SAID_ABOVE, STORED_ELSEWHERE, as_lines, as_objects

FORMAT_VERSION = "1.0"


def as_text(found: Sequence[RenderedMessage], *, reveal: bool, colour: bool) -> str:
    paint = Paint(colour)
    return "\n".join(line for one in found for line in _lines(mask_text(one, reveal=reveal), paint))


def _lines(one: RenderedMessage, paint: Paint) -> Iterator[str]:
    facts = [one.channel.value, f"from {strip_controls(one.sender)}", one.locale or "default"]
    if one.segments:
        facts.append(
            f"{one.encoding}, {pluralise(one.units or 0, 'character')}, {pluralise(one.segments, 'segment')}"
        )
    yield f"{paint.bold(strip_controls(one.destination))}  {paint.dim(' · '.join(facts))}"
    if "template" in one.request:
        yield paint.yellow(f"  {STORED_ELSEWHERE}")
    yield from (
        f"  {paint.dim('│')} {strip_controls(line)}"
        for line in as_lines(parts_of(one), without=SAID_ABOVE[one.channel])
    )
    if one.missing:
        yield paint.red(f"  No value for: {', '.join(one.missing)}")
    yield ""


def parts_of(one: RenderedMessage) -> tuple[Part, ...]:
    values = one.values if "template" in one.request else {}
    return list_parts(
        Carried(one.channel, one.sender, one.content, one.options, one.request, one.sizes, values)
    )


def as_json(
    found: Sequence[RenderedMessage], *, reveal: bool, more: Mapping[str, str] = MappingProxyType({})
) -> str:
    """`more`: keys that a command adds."""
    messages = [_object(mask_text(one, reveal=reveal)) for one in found]
    return json.dumps(
        {"format_version": FORMAT_VERSION, **more, "messages": messages}, indent=2, ensure_ascii=False
    )


def _object(one: RenderedMessage) -> dict[str, Any]:
    return {
        "notification": one.notification,
        "channel": one.channel.value,
        "from": one.sender,
        "recipient": one.destination,
        "locale": one.locale,
        "content": one.content,
        "options": one.options,
        "values": dict(one.values),
        "missing": list(one.missing),
        "encoding": one.encoding,
        "units": one.units,
        "segments": one.segments,
        "request": one.request,
        "parts": as_objects(parts_of(one)),
    }


def mask_text(one: RenderedMessage, *, reveal: bool) -> RenderedMessage:
    """The message with the recipient's address masked, in its text too."""
    if reveal:
        return one
    from msgspec.structs import replace

    masked = mask(one.destination)
    return replace(
        one,
        destination=masked,
        content=without(one.content, one.destination, masked),
        options=without(one.options, one.destination, masked),
        values={name: without(value, one.destination, masked) for name, value in one.values.items()},
    )
