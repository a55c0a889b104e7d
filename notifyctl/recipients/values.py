"""The columns of an audience as the readers of one message see them: which locale variant, and which value for each name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from notifyctl.channels.segments import is_gsm7
from notifyctl.message import variant_for
from notifyctl.model.message import Message
from notifyctl.model.project import Template

Column = Sequence[str | None]
"""One entry per recipient; `None` where there is no value."""


class VariantIndex:
    """Which variant of a template a recipient reads, looked up once per locale."""

    def __init__(self, template: Template, default_locale: str) -> None:
        """`default_locale` is for recipients that name none."""
        self._template = template
        self._default = default_locale
        self._known: dict[str | None, str | None] = {}

    def variant(self, locale: str | None) -> str | None:
        """The variant of a recipient's locale; `None` is the template's own text."""
        if locale not in self._known:
            self._known[locale] = variant_for(self._template, locale or self._default)
        return self._known[locale]

    def group(self, locales: Column) -> dict[str | None, Sequence[int]]:
        """Positions of a batch by the variant they read, each list ascending, in the order of the first reader."""
        if not self._template.locales:
            return {None: range(len(locales))} if locales else {}
        groups: dict[str | None, list[int]] = {}
        for position, locale in enumerate(locales):
            groups.setdefault(self.variant(locale), []).append(position)
        return dict(groups)


def resolve_columns(
    message: Message, values: Mapping[str, Column | None], positions: Sequence[int]
) -> list[Column]:
    """A column for each of the message's `names` for the recipients at `positions` (ascending), in their order.

    `values` are a batch's own values by name. They win over the notification's, and those over the template's default
    (rule 29).
    """
    columns: list[Column] = []
    for name in message.names:
        column = values.get(name)
        default = message.shared.get(name)
        if not column:
            columns.append([default] * len(positions))
            continue
        if len(positions) < len(column):
            column = [column[position] for position in positions]
        if default is not None and None in column:
            column = [default if value is None else value for value in column]
        columns.append(column)
    return columns


class ValueTable:
    """The columns of `resolve_columns` for `count` recipients. What several rules ask of all values is worked out once."""

    def __init__(self, columns: Sequence[Column], count: int) -> None:
        self.columns = columns
        self.count = count

    @cached_property
    def joined(self) -> str:
        """All values in one text, so that a property of every character can be tested at once."""
        return "".join(map(join_values, self.columns))

    @cached_property
    def lengths(self) -> list[list[int]]:
        """Characters of each value, by column; 0 where there is none."""
        return list(map(value_lengths, self.columns))


def find_missing(column: Column) -> Iterator[int]:
    """Where nothing gives a value."""
    if None in column:
        yield from (position for position, value in enumerate(column) if value is None)


def find_longer(column: Column, limit: int) -> Iterator[int]:
    """Where a value has more than `limit` characters."""
    if max(map(len, filter(None, column)), default=0) > limit:
        yield from (position for position, value in enumerate(column) if value and len(value) > limit)


def find_non_gsm7(column: Column) -> Iterator[int]:
    """Where a value has a character that is not in GSM-7."""
    if not is_gsm7(join_values(column)):
        yield from (position for position, value in enumerate(column) if value and not is_gsm7(value))


def value_lengths(column: Column) -> list[int]:
    """Characters of each value; 0 where there is none."""
    if None in column:
        return [len(value or "") for value in column]
    return list(map(len, column))  # type: ignore[arg-type]  # no None is in it


def join_values(column: Column) -> str:
    """All values of a column in one text."""
    return "".join(filter(None, column))
