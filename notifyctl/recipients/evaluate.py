"""Evaluates one message for many recipients: the segments of each text, and what is wrong with it.

The rules a plan blocks somebody by, in the order in which they are tried: a value that is missing, a value longer than its
variable allows, a text longer than the API takes, a character that the SMS's alphabet lacks, more SMS segments than the
policy allows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from notifyctl.channels import text_limit
from notifyctl.message import Filler
from notifyctl.model.message import Message
from notifyctl.model.project import ChannelName, Variable
from notifyctl.recipients.texts import SegmentCounts, TextMeter, fallback_meter
from notifyctl.recipients.values import ValueTable, find_longer, find_missing
from notifyctl.rulebook.sms import NEEDS_UNICODE


class Evaluation(Struct, frozen=True):
    """What one message makes of some recipients, by their positions among them.

    `lengths` (characters) is `None` for content without a text, `sms` on other channels and for opaque bodies.
    """

    problems: Mapping[int, str]
    """Position → the first rule that is broken, as a plan's reason."""
    lengths: Sequence[int] | None = None
    sms: SegmentCounts | None = None
    fallback: SegmentCounts | None = None
    """Of the SMS that is sent when RCS fails."""


class MessageEvaluator:
    """One composed message, ready for the columns of its readers."""

    def __init__(
        self,
        message: Message,
        variables: Sequence[Variable],
        *,
        profile: str,
        max_segments: int | None = None,
        needs_gsm7: bool = False,
    ) -> None:
        """`variables` are those that the template declares; `profile` is the environment's limits profile. `needs_gsm7`: a
        value outside GSM-7 is a problem in an SMS of `type: text` (rule 64).
        """
        content = message.content or {}
        self.message = message
        self.filler = Filler(message)
        self.has_text = isinstance(content.get("text"), str)
        self.is_sms = self.has_text and message.channel is ChannelName.SMS
        self.meter = TextMeter(message) if self.has_text else None
        self.limit = text_limit(message.channel, str(content.get("type")), profile) if self.has_text else None
        """Characters that the API takes."""
        self.fallback = fallback_meter(message)
        self.max_segments = max_segments
        self.needs_gsm7 = needs_gsm7 and self.is_sms and self.meter is not None and not self.meter.unicode
        self.max_lengths = [
            (message.names.index(variable.name), variable.max_length)
            for variable in variables
            if variable.max_length is not None and variable.name in message.names
        ]

    def evaluate(self, values: ValueTable) -> Evaluation:
        """Look at each recipient's values and text."""
        problems: dict[int, str] = {}
        for position, problem in self._check_values(values):
            problems.setdefault(position, problem)
        fallback = None
        if self.fallback is not None:
            fallback = self.fallback.count_segments(values, self.fallback.lengths(values))
        if self.meter is None or not (self.is_sms or self.limit is not None):
            return Evaluation(problems, fallback=fallback)
        lengths = self.meter.lengths(values)
        for position in find_above(lengths, self.limit):
            problems.setdefault(position, "text-too-long")
        if not self.is_sms:
            return Evaluation(problems, lengths, fallback=fallback)
        if self.needs_gsm7:
            for position in self.meter.find_non_gsm7(values):
                problems.setdefault(position, NEEDS_UNICODE.id)
        sms = self.meter.count_segments(values, lengths)
        for position in find_above(sms.segments, self.max_segments):
            problems.setdefault(position, "max-segments")
        return Evaluation(problems, lengths, sms)

    def _check_values(self, values: ValueTable) -> Iterator[tuple[int, str]]:
        """(position, problem), what counts first for a recipient before the rest."""
        for name, column in zip(self.message.names, values.columns, strict=True):
            for position in find_missing(column):
                yield position, f"missing-variable {name}"
        for at, limit in self.max_lengths:
            for position in find_longer(values.columns[at], limit):
                yield position, f"variable-too-long {self.message.names[at]}"


def find_above(sizes: Sequence[int], limit: int | None) -> Iterator[int]:
    """Where a size is over the limit; nowhere without one."""
    if limit is not None and max(sizes, default=0) > limit:
        yield from (position for position, size in enumerate(sizes) if size > limit)
