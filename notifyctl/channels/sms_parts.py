"""What an SMS carries, as parts; also the SMS that is sent when RCS fails."""

from __future__ import annotations

import re
from collections.abc import Iterator

from notifyctl.channels.parts import Carried, Fields, Kind, Part, fields_of
from notifyctl.channels.request_parts import describe_request
from notifyctl.channels.segments import Segmentation, segment

DOT = "•"
MASKED = re.compile(rf"\+?\d{{0,3}}{DOT}+\d*")
"""A number as `mask` leaves it."""


def describe(carried: Carried) -> Iterator[Part]:
    content, options = fields_of(carried.content), fields_of(carried.options)
    yield from describe_sender(carried.sender)
    unicode = content.take("type") == "unicode"
    if "text" in content:
        yield describe_text(content.text("text"), unicode=unicode)
    yield from content.rest()
    yield from options.rest()
    yield from describe_request(fields_of(carried.request))


def describe_sender(sender: str) -> Iterator[Part]:
    if sender:
        yield Part(Kind.FIELD, "from", "From", sender)


def describe_text(text: str, *, unicode: bool = False) -> Part:
    """`unicode`: it is sent as UCS-2, whatever its characters."""
    counted = count_segments(text, unicode=unicode)
    return Part(
        Kind.TEXT,
        "text",
        "",
        text,
        encoding=counted.encoding,
        units=counted.units,
        segments=counted.segments,
    )


def count_segments(text: str, *, unicode: bool = False) -> Segmentation:
    """Of the text as it is sent: where a number is masked, its dots stand for digits."""
    return segment(MASKED.sub(lambda found: found[0].replace(DOT, "0"), text), unicode=unicode)


def describe_fallback(options: Fields) -> Iterator[Part]:
    """The SMS in place of an RCS message, whose keys it takes from the options."""
    asked, sender, text = options.take("smsFallback"), options.text("smsSenderId"), options.text("text")
    if asked is True or text or sender:
        counted = count_segments(text)
        label = "SMS sent when RCS fails" if asked is True else "SMS text without effect: smsFallback is off"
        yield Part(
            Kind.BLOCK,
            "fallback",
            label,
            parts=(*describe_sender(sender), describe_text(text)),
            encoding=counted.encoding,
            units=counted.units,
            segments=counted.segments,
        )
    elif asked is not None:
        yield Part(Kind.SETTING, "smsFallback", "smsFallback", "false")
