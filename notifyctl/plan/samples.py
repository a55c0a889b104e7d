"""Which texts to show: each distinct one once, with the number of people who read it. Addresses are masked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from notifyctl.audience.addresses import mask
from notifyctl.channels.segments import is_gsm7, segment
from notifyctl.delivery import Message
from notifyctl.message import Filler
from notifyctl.model import ChannelName
from notifyctl.plan.actions import Action
from notifyctl.plan.plan import Sample

KEPT = 10
"""Texts shown of each notification: a plan is read by people."""
HELD = 24
"""Texts held for each variant until the best are chosen."""
RTL = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")

First = tuple[str | None, Action, str, Sequence[str | None]]
Sight = tuple[str, str | None]
"""What a text is an example of, and of which variant."""


class Samples:
    """Counts every distinct delivery hash, and keeps those that are worth a look: the first few of each variant, the longest,
    the shortest, and one of each kind that is easily overlooked. Chosen, not random: the same on every machine.
    """

    def __init__(self, messages: Mapping[str | None, Message]) -> None:
        self.messages = messages
        self.counts: dict[bytes, int] = {}
        self.firsts: dict[bytes, First] = {}
        self.per_variant: dict[str | None, int] = {}
        self.sights: dict[Sight, bytes] = {}
        self.lengths: dict[Sight, int] = {}
        self.optional = {
            variant: [at for at, name in enumerate(message.names) if message.shared.get(name) == ""]
            for variant, message in messages.items()
        }

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
        if seen:
            return
        found = self._sights(variant, delivery_hash, values)
        if found or self.per_variant.get(variant, 0) < HELD:
            self.per_variant[variant] = self.per_variant.get(variant, 0) + 1
            self.firsts[delivery_hash] = (variant, action, destination, values)

    def _sights(self, variant: str | None, key: bytes, values: Sequence[str | None]) -> bool:
        """Whether this text is the first or most of some kind so far."""
        text = "".join([value or "" for value in values])
        found = False
        for name, length in (("longest", len(text)), ("shortest", -len(text))):
            sight = (name, variant)
            if sight not in self.lengths or length > self.lengths[sight]:
                self.lengths[sight], self.sights[sight], found = length, key, True
        if not text.isascii():
            for name, pattern in (("not GSM-7", not is_gsm7(text)), ("right to left", RTL.search(text))):
                if pattern and (name, variant) not in self.sights:
                    self.sights[name, variant], found = key, True
        lacks = any(not values[at] for at in self.optional[variant])
        if lacks and ("without optional values", variant) not in self.sights:
            self.sights["without optional values", variant], found = key, True
        return found

    def chosen(self) -> tuple[Sample, ...]:
        """At least one for each variant, then what is easily overlooked, then the most read; KEPT in all, the most read first."""
        ranked = sorted(self.firsts, key=lambda key: -self.counts[key])
        leaders = {self.firsts[key][0]: key for key in reversed(ranked)}
        spread = [key for key in self.sights.values() if key in self.firsts]
        order = dict.fromkeys([*sorted(leaders.values(), key=ranked.index), *spread, *ranked])
        kept = sorted(list(order)[:KEPT], key=ranked.index)
        fillers = {variant: Filler(message) for variant, message in self.messages.items()}
        # Where all texts are shown, nobody need be told which is the longest.
        tell = len(self.counts) > KEPT
        return tuple(self._sample(key, fillers, tell=tell) for key in kept)

    def _sample(self, key: bytes, fillers: Mapping[str | None, Filler], *, tell: bool) -> Sample:
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
            why=tuple(name for (name, _), shown in self.sights.items() if shown == key) if tell else (),
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
