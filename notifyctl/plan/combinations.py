"""All that a decision depends on, as one number: units are counted by it, and the action table is asked once for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property, reduce
from operator import or_

from msgspec import Struct

from notifyctl.plan.actions import AUTHORISED, Decision
from notifyctl.schedule.timing import Timing

PLACES = {
    "earlier": (0, 1),
    "joined": (1, 1),
    "standing": (2, 6),
    "blocked": (8, 16),
    "suppressed": (24, 8),
    "zone": (32, 10),
    "variant": (42, 8),
}
"""All that a decision depends on: where it stands in the one number that is made of it, and how many bits wide."""


def placed(name: str, place: int) -> str:
    return f"({name}::BIGINT << {place})"


KEY = " + ".join(placed(name, place) for name, (place, _) in PLACES.items())


class Combination(Struct, frozen=True):
    """All that a decision depends on, what was decided, and how many it is about."""

    key: int
    variant: int
    when: Timing | None
    decision: Decision
    people: int
    segments: int


class Combinations(list[Combination]):
    """Those of one scope. Asked for tests once all are in."""

    def where(self, wanted: Callable[[Combination], bool]) -> str:
        """The test for the units of some combinations; `false` for none."""
        keys = [each.key for each in self if wanted(each)]
        if len(keys) == len(self):
            return "true"
        return f"{self.key} IN ({', '.join(map(str, keys))})" if keys else "false"

    @cached_property
    def key(self) -> str:
        """KEY, of which only what tells combinations apart is read from units: mostly that is little."""
        keys = [each.key for each in self]
        differing = reduce(or_, (key ^ keys[0] for key in keys))
        alike, terms = keys[0], []
        for name, (place, bits) in PLACES.items():
            mask = ((1 << bits) - 1) << place
            if differing & mask:
                terms.append(placed(name, place))
                alike &= ~mask
        return " + ".join([str(alike), *terms])


def authorised(each: Combination) -> bool:
    return each.decision.action in AUTHORISED


def total(some: Iterable[Combination]) -> int:
    return sum(each.people for each in some)
