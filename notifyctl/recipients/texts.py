"""Lengths and SMS segments of the finished texts of many recipients, by columns of their values.

Where every character costs the same, sizes follow from the lengths of the values by addition, and no text is made. A recipient
for whom that does not hold is filled in and counted by `channels.segments.segment`, like any single text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from operator import add

from msgspec import Struct
from msgspec.structs import replace

from notifyctl.channels.segments import (
    EXTENSION,
    MULTI_GSM7,
    MULTI_UCS2,
    SINGLE_GSM7,
    SINGLE_UCS2,
    divide,
    is_basic,
    is_bmp,
    is_gsm7,
    is_unicode,
    segment,
)
from notifyctl.message import Filler
from notifyctl.model.left_out import has_fallback
from notifyctl.model.message import PLACEHOLDER, UNSUBSCRIBE, Message
from notifyctl.model.project import ChannelName
from notifyctl.recipients.values import ValueTable, find_non_gsm7, join_values


class SegmentCounts(Struct, frozen=True):
    """What the SMS of some recipients cost: `units` are septets (GSM-7) or 16-bit units (UCS-2). One entry per recipient."""

    units: Sequence[int]
    segments: Sequence[int]


class TextMeter:
    """Measures `content.text` of one message. A value that nobody gives counts as an empty text."""

    def __init__(self, message: Message) -> None:
        text = str((message.content or {})["text"])
        positions = {name: at for at, name in enumerate(message.names) if name != UNSUBSCRIBE}
        self.uses = Counter(positions[name] for name in PLACEHOLDER.findall(text) if name in positions)
        """How often the text reads each column."""
        self.fixed_text = PLACEHOLDER.sub(lambda found: "" if found[1] in positions else found[0], text)
        """The text without what is filled in."""
        self._fill = Filler(message).fill("text")
        self.unicode = is_unicode(message.content)
        """Whether an SMS is UCS-2 whatever its characters."""
        self.fits_gsm7 = is_gsm7(self.fixed_text)
        """Whether `fixed_text` is in GSM-7."""
        self._narrow = self.fits_gsm7 and not self.unicode
        self._extra_units = 0
        self._sizes: _SegmentTable = _SegmentTable(SINGLE_UCS2, MULTI_UCS2)
        if self._narrow:
            self._extra_units = sum(character in EXTENSION for character in self.fixed_text)
            self._sizes = _SegmentTable(SINGLE_GSM7, MULTI_GSM7)

    def lengths(self, values: ValueTable) -> list[int]:
        """Characters of each recipient's text."""
        lengths = [len(self.fixed_text)] * values.count
        for at, times in self.uses.items():
            for _ in range(times):
                lengths = list(map(add, lengths, values.lengths[at]))
        return lengths

    def count_segments(self, values: ValueTable, lengths: Sequence[int]) -> SegmentCounts:
        """Units and segments of each recipient's SMS; `lengths` as `lengths` gives them."""
        units = [length + self._extra_units for length in lengths] if self._extra_units else list(lengths)
        segments = list(map(self._sizes.__getitem__, units))
        for position in self._irregular(values, units):
            text = self._fill([column[position] or "" for column in values.columns])
            counted = segment(text, unicode=self.unicode)
            units[position], segments[position] = counted.units, counted.segments
        return SegmentCounts(units, segments)

    def find_non_gsm7(self, values: ValueTable) -> Iterator[int]:
        """Recipients with a character outside GSM-7 in a value that the text reads; some more than once."""
        if not is_gsm7(values.joined):
            for at in self.uses:
                yield from find_non_gsm7(values.columns[at])

    def _irregular(self, values: ValueTable, units: Sequence[int]) -> set[int]:
        """Recipients whose text has characters of different widths, or an alphabet other than the fixed text's."""
        regular = is_basic if self._narrow else is_bmp
        if not self._narrow and not is_bmp(self.fixed_text):
            return set(range(len(units)))
        irregular: set[int] = set()
        for column in [] if regular(values.joined) else [values.columns[at] for at in self.uses]:
            if not regular(join_values(column)):
                irregular.update(at for at, value in enumerate(column) if value and not regular(value))
        if self._extra_units:
            # An escaped character may not be cut in two, so that a text of several segments must be counted.
            irregular.update(at for at, size in enumerate(units) if size > SINGLE_GSM7)
        return irregular


def fallback_meter(message: Message) -> TextMeter | None:
    """Measures the SMS that stands in for an RCS message, if there is one."""
    text = message.options.get("text")
    if message.channel is not ChannelName.RCS or not has_fallback(message) or not isinstance(text, str):
        return None
    return TextMeter(
        replace(message, channel=ChannelName.SMS, content={"type": "text", "text": text}, options={})
    )


class _SegmentTable(dict[int, int]):
    """Units → segments for texts in which every character costs one unit, worked out once per number."""

    def __init__(self, single: int, multiple: int) -> None:
        super().__init__()
        self._single, self._multiple = single, multiple

    def __missing__(self, units: int) -> int:
        segments = self[units] = divide(units, self._single, self._multiple)
        return segments
