"""Which texts to show: each distinct one once, with the number of people who read it. Addresses are masked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from notifyctl.audience.addresses import mask
from notifyctl.channels.segments import is_gsm7, segment
from notifyctl.message import Filler
from notifyctl.model.message import Message
from notifyctl.model.project import ChannelName
from notifyctl.plan.actions import Action
from notifyctl.plan.model import Sample

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
        self.texts = 0
        """Distinct ones."""
        self.counts: dict[bytes, int] = {}
        self.firsts: dict[str | None, dict[bytes, First]] = {variant: {} for variant in messages}
        self.sights: dict[Sight, tuple[bytes, First]] = {}
        self.lengths: dict[Sight, int] = {}
        self.optional = {
            variant: [at for at, name in enumerate(message.names) if message.shared.get(name) == ""]
            for variant, message in messages.items()
        }

    def show(self, key: bytes, first: First) -> None:
        """The first reader of a text, in the order of the rows. `counts` and `texts` are set by whoever counts readers."""
        variant, _, _, values = first
        firsts = self.firsts[variant]
        if len(firsts) < HELD:
            firsts[key] = first
        text = "".join([value or "" for value in values])
        for name, length in (("longest", len(text)), ("shortest", -len(text))):
            sight = (name, variant)
            if sight not in self.lengths or length > self.lengths[sight]:
                self.lengths[sight], self.sights[sight] = length, (key, first)
        if not text.isascii():
            for name, pattern in (("not GSM-7", not is_gsm7(text)), ("right to left", RTL.search(text))):
                if pattern:
                    self.sights.setdefault((name, variant), (key, first))
        if any(not values[at] for at in self.optional[variant]):
            self.sights.setdefault(("without optional values", variant), (key, first))

    def chosen(self) -> tuple[Sample, ...]:
        """At least one for each variant, then what is easily overlooked, then the most read; KEPT in all, the most read first."""
        held = {key: first for firsts in self.firsts.values() for key, first in firsts.items()}
        held |= dict(self.sights.values())
        ranked = sorted(held, key=lambda key: -self.counts[key])
        leaders = {held[key][0]: key for key in reversed(ranked)}
        spread = [key for key, _ in self.sights.values()]
        order = dict.fromkeys([*sorted(leaders.values(), key=ranked.index), *spread, *ranked])
        kept = sorted(list(order)[:KEPT], key=ranked.index)
        fillers = {variant: Filler(message) for variant, message in self.messages.items()}
        # Where all texts are shown, nobody need be told which is the longest.
        tell = self.texts > KEPT
        return tuple(self._sample(key, held[key], fillers, tell=tell) for key in kept)

    def _sample(
        self, key: bytes, first: First, fillers: Mapping[str | None, Filler], *, tell: bool
    ) -> Sample:
        variant, action, destination, values = first
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
            why=tuple(name for (name, _), (shown, _) in self.sights.items() if shown == key) if tell else (),
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
