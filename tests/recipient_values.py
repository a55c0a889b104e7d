"""The values of a recipient by rule 29, one by one: what the functions over whole columns must agree with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat

from notifyctl.model.message import Message
from notifyctl.model.recipients import RecipientBatch


def own_values(message: Message, batch: RecipientBatch) -> Iterator[tuple[str | None, ...]]:
    """Yields each recipient's own values in the order of the message's names, None for missing ones."""
    if not message.names:
        return repeat((), len(batch))
    columns = [batch.values.get(name) or repeat(None, len(batch)) for name in message.names]
    return zip(*columns, strict=True)


def resolve_values(message: Message, own: Sequence[str | None]) -> tuple[str | None, ...]:
    """Returns the values by rule 29: the recipient's own, else the notification's, else the template's default."""
    if None not in own:
        return tuple(own)
    shared = message.shared
    return tuple(
        shared.get(name) if value is None else value for name, value in zip(message.names, own, strict=True)
    )
