"""Selects example messages for a plan: distinct texts with their number of recipients. Addresses are masked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from notifyctl.audience.addresses import mask
from notifyctl.channels.segments import is_gsm7, segment, segment_content
from notifyctl.message import Filler
from notifyctl.model.left_out import has_fallback
from notifyctl.model.message import Message
from notifyctl.model.project import ApiObject, ChannelName
from notifyctl.plan.actions import Action
from notifyctl.plan.model import Cost, Sample
from notifyctl.plan.prices import PriceList, write_amount

KEPT = 10
"""Examples shown per notification, or one for each variant if there are more variants."""
HELD = 24
"""Texts collected per variant, to choose from."""
RTL = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")


def known_content(message: Message, values: Sequence[str | None]) -> ApiObject | None:
    """What is known of a template stored at the provider: the subject that the request gives it, if it does."""
    if message.template_subject is None:
        return None
    known = replace(message, content={"subject": message.template_subject})
    return Filler(known).content([value or "" for value in values])


First = tuple[str | None, Action, str, Sequence[str | None]]
Sight = tuple[str, str | None]
"""(what a text is an example of, its variant)."""


class Samples:
    """Collects examples per variant: the first HELD texts, the longest, the shortest, and one of each special case. `counts`:
    delivery hash → recipients. Deterministic.
    """

    def __init__(
        self,
        messages: Mapping[str | None, Message],
        sizes: Mapping[str | None, tuple[int | None, ...]] | None = None,
        prices: PriceList | None = None,
    ) -> None:
        """`sizes`: variant → bytes of each attachment. `prices`: for the SMS sent when RCS fails."""
        self.messages = messages
        self.sizes = sizes or {}
        self.prices = prices
        self.texts = 0
        """Number of distinct texts."""
        self.counts: dict[bytes, int] = {}
        self.firsts: dict[str | None, dict[bytes, First]] = {variant: {} for variant in messages}
        self.sights: dict[Sight, tuple[bytes, First]] = {}
        self.lengths: dict[Sight, int] = {}
        self.optional = {
            variant: [at for at, name in enumerate(message.names) if message.shared.get(name) == ""]
            for variant, message in messages.items()
        }

    def show(self, key: bytes, first: First) -> None:
        """Adds the first recipient of a text, in row order. The caller sets `counts` and `texts`."""
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

    def choose(self) -> tuple[Sample, ...]:
        """Returns one example per variant, and up to KEPT in all: special cases, then the most frequent; most frequent first."""
        collected = {key: first for firsts in self.firsts.values() for key, first in firsts.items()}
        collected |= dict(self.sights.values())
        ranked = sorted(collected, key=lambda key: -self.counts[key])
        leaders = {collected[key][0]: key for key in reversed(ranked)}
        spread = [key for key, _ in self.sights.values()]
        order = dict.fromkeys([*sorted(leaders.values(), key=ranked.index), *spread, *ranked])
        kept = sorted(list(order)[: max(KEPT, len(leaders))], key=ranked.index)
        fillers = {
            variant: (Filler(message), Filler(replace(message, content=message.options)))
            for variant, message in self.messages.items()
        }
        # Why an example was chosen matters only if some texts are not shown.
        explain = self.texts > KEPT
        return tuple(self._sample(key, collected[key], fillers, explain=explain) for key in kept)

    def _sample(
        self, key: bytes, first: First, fillers: Mapping[str | None, tuple[Filler, Filler]], *, explain: bool
    ) -> Sample:
        variant, action, destination, values = first
        message = self.messages[variant]
        masked = mask(destination)
        if message.opaque or message.content is None:
            content = known_content(message, values)
        else:
            content = fillers[variant][0].content([value or "" for value in values])
        options = fillers[variant][1].content([value or "" for value in values])
        sms = segment_content(content) if message.channel is ChannelName.SMS else None
        return Sample(
            recipient=masked,
            count=self.counts[key],
            action=action,
            locale=variant,
            content=without(content, destination, masked),
            segments=sms.segments if sms else None,
            why=tuple(name for (name, _), (shown, _) in self.sights.items() if shown == key)
            if explain
            else (),
            options=without(options, destination, masked),
            sizes=self.sizes.get(variant, ()),
            values={
                name: without(value or "", destination, masked)
                for name, value in zip(message.names, values, strict=False)
            },
            fallback_cost=self._price_fallback(message, destination, options),
        )

    def _price_fallback(self, message: Message, destination: str, options: Mapping[str, Any]) -> Cost | None:
        """Of the SMS that is sent when RCS fails."""
        if self.prices is None or message.channel is not ChannelName.RCS or not has_fallback(message):
            return None
        price = self.prices.of(ChannelName.SMS, destination)
        counted = segment(str(options.get("text", "")))
        return Cost(write_amount(price.amount * counted.segments), price.currency) if price else None


def without(value: Any, address: str, masked: str) -> Any:
    """Returns the content with the recipient's address masked in every text."""
    if isinstance(value, str):
        return value.replace(address, masked).replace(address.lstrip("+"), masked.lstrip("+"))
    if isinstance(value, Mapping):
        return {key: without(item, address, masked) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [without(item, address, masked) for item in value]
    return value
