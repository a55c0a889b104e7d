"""SMS arithmetic: the encoding (GSM-7 or UCS-2), the units and the segments of a text.

`type: unicode` is sent as UCS-2 whatever its characters. A `type: text` beyond GSM-7 breaks a rule (64) and is counted as
UCS-2, so that no estimate is too low.

GSM 03.38 default alphabet and its extension table. In a message of several segments, 6 octets of each hold the
concatenation header, which leaves 153 septets or 67 UCS-2 units. A character is never split: an extension character
(two septets) or a surrogate pair (two units) that does not fit starts the next segment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = "\f^{}\\[~]|€"
"""Each takes two septets: an escape and itself."""

IS_BASIC = re.compile(f"[{re.escape(BASIC)}]*").fullmatch
IS_GSM7 = re.compile(f"[{re.escape(BASIC + EXTENSION)}]*").fullmatch
WIDE = frozenset(EXTENSION)
BEYOND_BMP = 0xFFFF
IS_BMP = re.compile("[\0-\uffff]*").fullmatch

SINGLE_GSM7, MULTI_GSM7 = 160, 153
SINGLE_UCS2, MULTI_UCS2 = 70, 67


class Segmentation(NamedTuple):
    """`units` are septets in GSM-7 and 16-bit units in UCS-2. An empty text has no units and no segment."""

    encoding: str
    units: int
    segments: int


def is_gsm7(text: str) -> bool:
    return IS_GSM7(text) is not None


def is_basic(text: str) -> bool:
    """Whether every character takes one septet."""
    return IS_BASIC(text) is not None


def is_bmp(text: str) -> bool:
    """Whether every character takes one unit of UCS-2."""
    return IS_BMP(text) is not None


def segment(text: str, *, unicode: bool = False) -> Segmentation:
    """Encoding, units and segments of a text. `unicode`: its content is `type: unicode`."""
    if not unicode and IS_BASIC(text):
        return Segmentation("GSM-7", len(text), divide(len(text), SINGLE_GSM7, MULTI_GSM7))
    if not unicode and IS_GSM7(text):
        widths = [2 if character in WIDE else 1 for character in text]
        return count_segments("GSM-7", widths, SINGLE_GSM7, MULTI_GSM7)
    if IS_BMP(text):
        return Segmentation("UCS-2", len(text), divide(len(text), SINGLE_UCS2, MULTI_UCS2))
    widths = [2 if ord(character) > BEYOND_BMP else 1 for character in text]
    return count_segments("UCS-2", widths, SINGLE_UCS2, MULTI_UCS2)


def divide(units: int, single: int, multi: int) -> int:
    """Segments of a text in which each character takes one unit."""
    if units <= single:
        return 1 if units else 0
    return -(-units // multi)


def count_segments(encoding: str, widths: list[int], single: int, multi: int) -> Segmentation:
    units = sum(widths)
    if units <= single:
        return Segmentation(encoding, units, 1)
    segments, used = 1, 0
    for width in widths:
        if used + width > multi:
            segments, used = segments + 1, 0
        used += width
    return Segmentation(encoding, units, segments)


def segment_content(content: Mapping[str, Any] | None) -> Segmentation | None:
    """Segments the finished content of an SMS by its `type`; None without a text."""
    text = (content or {}).get("text")
    return segment(text, unicode=is_unicode(content)) if isinstance(text, str) else None


def is_unicode(content: Mapping[str, Any] | None) -> bool:
    """Whether the content of an SMS is sent as UCS-2, whatever its characters."""
    return (content or {}).get("type") == "unicode"


def segment_starts(text: str, *, unicode: bool = False) -> list[int]:
    """The indexes at which a further segment starts; empty if the text fits one segment. `unicode` as in `segment`."""
    counted = segment(text, unicode=unicode)
    if counted.segments <= 1:
        return []
    narrow = counted.encoding == "GSM-7"
    most = MULTI_GSM7 if narrow else MULTI_UCS2
    found, used = [], 0
    for at, character in enumerate(text):
        width = (2 if character in WIDE else 1) if narrow else (2 if ord(character) > BEYOND_BMP else 1)
        if used + width > most:
            found.append(at)
            used = 0
        used += width
    return found


def first_non_gsm7(text: str) -> str | None:
    """The first character that is not in GSM-7, or None."""
    if IS_GSM7(text):
        return None
    return next(character for character in text if not IS_GSM7(character))
