"""Checks of one message for its recipients: a scan of a batch by columns, then a closer check of suspects one by one.

Which value a recipient gets, whether it is missing or too long, and how long the text is, are decided in `recipients`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from notifyctl.channels.segments import first_non_gsm7, is_unicode, segment
from notifyctl.diagnostics import Severity
from notifyctl.lint.gsm7 import describe_non_gsm7
from notifyctl.model.message import Message
from notifyctl.model.project import ChannelName, Variable
from notifyctl.model.recipients import RecipientBatch
from notifyctl.recipients.evaluate import MessageEvaluator, find_above
from notifyctl.recipients.values import (
    Column,
    ValueTable,
    find_longer,
    find_missing,
    join_values,
    resolve_columns,
)
from notifyctl.rulebook.sms import NEEDS_UNICODE


class Finding(Struct, frozen=True):
    """A problem of one recipient. `severity` None: that of the rule's page."""

    rule: str
    message: str
    hint: str | None = None
    severity: Severity | None = None


class BatchScan(Struct, frozen=True):
    """One variant's recipients in a batch, scanned by columns. Positions are those of the batch."""

    positions: Sequence[int]
    columns: Sequence[Column]
    """For each of the message's names, the values of the recipients at `positions`."""
    suspects: Sequence[int]
    """Indexes into `positions` of recipients to check one by one."""
    units: int = -1
    """Size of the longest text: units of an SMS, else characters. -1: there is no text."""
    longest: int = -1
    """Index into `positions` of the first longest text."""

    def values(self, index: int) -> tuple[str | None, ...]:
        """A recipient's values in the order of the message's names."""
        return tuple(column[index] for column in self.columns)


class RecipientChecker:
    """Checks one composed message for batches of recipients."""

    def __init__(self, message: Message, variables: Sequence[Variable], *, profile: str) -> None:
        """`variables` are those that the template declares; `profile` is the environment's limits profile."""
        self.message = message
        self._evaluator = MessageEvaluator(message, variables, profile=profile)
        self._declared = {variable.name: variable for variable in variables}
        self._has_text = self._evaluator.has_text and message.channel is not ChannelName.EMAIL
        meter = self._evaluator.meter
        self._gsm7_only = self._evaluator.is_sms and meter is not None and not meter.unicode

    def scan(self, batch: RecipientBatch, positions: Sequence[int]) -> BatchScan:
        """Find the suspects among the recipients at `positions`, and the longest text."""
        columns = resolve_columns(self.message, batch.values, positions)
        suspects = {
            index
            for name, column in zip(self.message.names, columns, strict=True)
            for index in self._suspect_values(name, column)
        }
        meter = self._evaluator.meter
        if meter is None or not self._has_text:
            return BatchScan(positions, columns, sorted(suspects))
        values = ValueTable(columns, len(positions))
        lengths = meter.lengths(values)
        suspects.update(find_above(lengths, self._evaluator.limit))
        if self._gsm7_only:
            suspects.update(meter.find_non_gsm7(values))
        sizes: Sequence[int] = lengths
        if self._evaluator.is_sms:
            sizes = meter.count_segments(values, lengths).units
        most = max(sizes)
        return BatchScan(positions, columns, sorted(suspects), most, list(sizes).index(most))

    def _suspect_values(self, name: str, column: Column) -> Iterator[int]:
        """Indexes of values that are missing, blank or too long."""
        yield from find_missing(column)
        joined = join_values(column)
        if "" in column or " " in joined or not joined.isprintable():
            yield from (
                index for index, value in enumerate(column) if value is not None and not value.strip()
            )
        declared = self._declared.get(name)
        if declared is not None and declared.max_length is not None:
            yield from find_longer(column, declared.max_length)

    def check(self, values: Sequence[str | None]) -> Iterator[Finding]:
        """The problems of one recipient, whose values are in the order of the message's names."""
        for name, value in zip(self.message.names, values, strict=True):
            yield from self._check_value(name, value)
        if not self._has_text or None in values:
            return
        text = self._text(values)
        limit = self._evaluator.limit
        if 0 in find_above([len(text)], limit):
            yield Finding("text-too-long", f"text has {len(text):,} characters; the limit is {limit:,}")
        meter = self._evaluator.meter
        if self._gsm7_only and meter is not None:
            # The template's own words are reported once, where they stand.
            for at in meter.uses:
                if (character := first_non_gsm7(values[at] or "")) is not None:
                    yield self._not_gsm7(character, self.message.names[at])
                    return

    def _check_value(self, name: str, value: str | None) -> Iterator[Finding]:
        declared = self._declared.get(name)
        if value is None:
            yield Finding(
                "unresolved-variable",
                f"no value for $({name})",
                f"fill the cell, or give variable `{name}` a default",
            )
        elif not value.strip() and (declared is None or declared.required):
            yield Finding(
                "empty-variable",
                f"$({name}) is empty",
                "fill the cell, or set `required: false` for the variable",
            )
        elif (
            declared is not None
            and declared.max_length is not None
            and 0 in find_longer([value], declared.max_length)
        ):
            yield Finding(
                "variable-too-long",
                f"value of $({name}) has {len(value):,} characters; `maxLength` is {declared.max_length:,}",
            )

    def _not_gsm7(self, character: str, name: str) -> Finding:
        return Finding(NEEDS_UNICODE.id, *describe_non_gsm7(character, f" in $({name})"))

    def describe_size(self, values: Sequence[str | None]) -> str:
        """The size of a recipient's text: units and segments of an SMS, else characters."""
        text = self._text(values)
        if self.message.channel is not ChannelName.SMS:
            return f"{len(text):,} characters"
        counted = segment(text, unicode=is_unicode(self.message.content))
        plural = "" if counted.segments == 1 else "s"
        return f"{counted.units:,} characters ({counted.encoding}), {counted.segments} segment{plural}"

    def _text(self, values: Sequence[str | None]) -> str:
        return self._evaluator.filler.text("text", [value or "" for value in values])
