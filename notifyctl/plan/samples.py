"""Which texts to show: each distinct one once, with the number of people who read it. Addresses are masked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from notifyctl.audience.addresses import mask
from notifyctl.channels.segments import segment
from notifyctl.delivery import Message
from notifyctl.message import Filler
from notifyctl.model import ChannelName
from notifyctl.plan.actions import Action
from notifyctl.plan.plan import Sample

KEPT = 10
"""Texts kept for each variant: a plan is read by people."""

First = tuple[str | None, Action, str, Sequence[str | None]]


class Samples:
    """Counts every distinct delivery hash and keeps the first recipient of the first few per variant."""

    def __init__(self, messages: Mapping[str | None, Message]) -> None:
        self.messages = messages
        self.counts: dict[bytes, int] = {}
        self.firsts: dict[bytes, First] = {}
        self.per_variant: dict[str | None, int] = {}

    def add(
        self,
        variant: str | None,
        delivery_hash: bytes,
        action: Action,
        destination: str,
        values: Sequence[str | None],
    ) -> None:
        seen = self.counts.get(delivery_hash, 0)
        self.counts[delivery_hash] = seen + 1
        if not seen and self.per_variant.get(variant, 0) < KEPT:
            self.per_variant[variant] = self.per_variant.get(variant, 0) + 1
            self.firsts[delivery_hash] = (variant, action, destination, values)

    def chosen(self) -> tuple[Sample, ...]:
        """The most read texts first, at least one for each variant, KEPT in all."""
        ranked = sorted(self.firsts, key=lambda key: -self.counts[key])
        leaders = {self.firsts[key][0]: key for key in reversed(ranked)}
        order = [
            *sorted(leaders.values(), key=ranked.index),
            *(k for k in ranked if k not in leaders.values()),
        ]
        kept = sorted(order[:KEPT], key=ranked.index)
        fillers = {variant: Filler(message) for variant, message in self.messages.items()}
        return tuple(self._sample(key, fillers) for key in kept)

    def _sample(self, key: bytes, fillers: Mapping[str | None, Filler]) -> Sample:
        variant, action, destination, values = self.firsts[key]
        message = self.messages[variant]
        masked = mask(destination)
        if message.opaque or message.content is None:
            content = None
        else:
            content = fillers[variant].content([value or "" for value in values])
        text = content.get("text") if content and message.channel is ChannelName.SMS else None
        return Sample(
            recipient=masked,
            count=self.counts[key],
            action=action,
            locale=variant,
            content=without(content, destination, masked),
            segments=segment(text).segments if isinstance(text, str) else None,
        )


def without(value: Any, address: str, masked: str) -> Any:
    """The same content with the reader's own address masked wherever it stands in the words."""
    if isinstance(value, str):
        return value.replace(address, masked).replace(address.lstrip("+"), masked)
    if isinstance(value, Mapping):
        return {key: without(item, address, masked) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [without(item, address, masked) for item in value]
    return value
