"""The parts of a message in lines of text: for plans at a terminal and in comments, `render` and the inbox."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from notifyctl.channels.parts import Kind, Part
from notifyctl.model.project import ChannelName
from notifyctl.plurals import pluralise

INDENT = "  "
STORED_ELSEWHERE = "The text of this template is stored at the provider and cannot be shown."
SAID_ABOVE: Mapping[ChannelName, tuple[str, ...]] = {
    ChannelName.EMAIL: (),
    ChannelName.RCS: ("from",),
    ChannelName.SMS: ("from",),
}
"""Parts that the head of a plan's notification has. The sender of an email has a name that differs between locales."""


def as_lines(
    parts: Iterable[Part], *, without: Iterable[str] = (), price: str = "", dense: bool = False
) -> Iterator[str]:
    """Lines without line breaks. `dense`: none of them is blank between head and text. `without`: keys of parts that are said elsewhere. `price`: of the SMS sent when RCS fails."""
    hidden = set(without)
    shown = [part for part in parts if part.key not in hidden]
    headed = False
    for part in shown:
        if part.kind is Kind.SETTING:
            continue
        if part.kind is Kind.TEXT and headed and not dense:
            yield ""
        headed = part.kind is Kind.FIELD or (part.kind is Kind.TEXT and bool(part.label))
        for line in part_lines(part, price):
            yield from line.splitlines() or [""]
    yield from setting_lines(part for part in shown if part.kind is Kind.SETTING)


def part_lines(part: Part, price: str = "") -> Iterator[str]:
    match part.kind:
        case Kind.FIELD:
            yield f"{part.label}: {part.text}"
        case Kind.TEXT:
            yield from [f"{part.label}:"] if part.label else []
            yield part.text
        case Kind.MEDIA:
            yield f"[{part.label.lower()}: {part.text}]"
        case Kind.FILE:
            yield f"Attached: {part.label} ({part.text})"
        case Kind.BUTTON:
            about = "".join(f" {each.label} {each.text}" for each in part.parts)
            yield f"( {part.label} → {part.text} ){about}"
        case Kind.BLOCK:
            facts = [part.label, *([describe_size(part), price] if part.segments else [])]
            yield f"— {' · '.join(filter(None, facts))}"
    if part.parts and part.kind is not Kind.BUTTON:
        inside = as_lines(part.parts, dense=True) if part.kind is Kind.BLOCK else setting_lines(part.parts)
        yield from (f"{INDENT}{line}" for line in inside)


def setting_lines(parts: Iterable[Part]) -> Iterator[str]:
    """All of them in one line, except those of several lines."""
    said = [f"{part.label} {' '.join(part.text.split())}" for part in parts]
    if said:
        yield f"Settings: {', '.join(said)}"


def describe_size(part: Part) -> str:
    """Of an SMS: "2 segments (GSM-7, 170 characters)"."""
    return f"{pluralise(part.segments or 0, 'segment')} ({part.encoding}, {pluralise(part.units or 0, 'character')})"


def as_objects(parts: Iterable[Part]) -> list[dict[str, Any]]:
    """The parts as JSON; keys without a value are left out."""
    return [dict(describe_object(part)) for part in parts]


def describe_object(part: Part) -> Iterator[tuple[str, Any]]:
    yield "kind", part.kind.value
    yield "key", part.key
    for name in ("label", "text", "encoding", "units", "segments"):
        if value := getattr(part, name):
            yield name, value
    if part.parts:
        yield "parts", as_objects(part.parts)
