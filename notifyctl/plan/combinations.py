"""People counted by all that a decision depends on, so that the action table is asked once for each combination."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from notifyctl.plan.actions import AUTHORISED, Decision
from notifyctl.plan.recipient_table import Mask, Profile, RecipientTable
from notifyctl.plan.statuses import Kind
from notifyctl.schedule.timing import Gate, Timing

STATUSES: tuple[tuple[Kind | None, bool], ...] = (
    (None, True),
    ("rejected", True),
    ("uncertain", True),
    ("accepted", True),
    ("accepted", False),
)
"""Status codes: the kind, and whether what was sent is what the recipient would get now."""
REJECTED, UNCERTAIN, SAME_TEXT, OTHER_TEXT = 1, 2, 3, 4
"""Up to UNCERTAIN somebody may be sent to, under `onUnknown: resend`."""
PAST_STATES = len(STATUSES) * 16
"""What a ledger can say of somebody: a status, whether it was begun in time, whether a baseline serves them, whether they joined
later, whether they got an earlier edition.
"""


class Past(Struct, frozen=True):
    """What the ledger says of each recipient: a code of STATUSES, whether they joined, whether an edition before reached them,
    whether a baseline counts them as served, and under which removed name they got the text that they would get now.
    """

    statuses: NDArray[np.uint8]
    joined: Mask
    earlier: Mask
    served: Mask
    renames: Renames
    begun: Mask | None = None
    """Whether an apply began their message in time; None: nobody's."""


class Renames(Struct, frozen=True):
    """`places`: for each recipient 0, or 1 + the place in `names`."""

    names: tuple[str, ...]
    places: NDArray[np.uint32]


class Circumstance(Struct, frozen=True):
    """One combination of what a decision depends on, with its people and their SMS segments."""

    key: int
    profile: Profile
    kind: Kind | None
    same: bool
    joined: bool
    earlier: bool
    served: bool
    begun: bool
    renamed: str | None
    people: int
    segments: int


class Combination(Struct, frozen=True):
    """A circumstance that was decided. `when` is `None` in a time zone that does not exist."""

    about: Circumstance
    when: Timing | None
    decision: Decision
    allowed: Decision | None = None
    """What is decided at another time of the day, where only the time is against it now."""

    @property
    def listed(self) -> bool:
        """Whether it is an occurrence of these people at all, before the horizon."""
        elsewhere = self.when is not None and self.when.state is Gate.ELSEWHERE
        return not (elsewhere and self.decision.action in AUTHORISED)

    @property
    def authorised(self) -> bool:
        return self.decision.action in AUTHORISED and self.listed

    @property
    def covered(self) -> Decision | None:
        """The decision by which the plan gives leave to send, now or at another time of the day."""
        return self.decision if self.authorised else self.allowed


class Selection(Struct, frozen=True):
    """The recipients of some combinations. `wanted` has an entry for each possible key."""

    keys: NDArray[np.uint32]
    wanted: Mask
    people: int

    def mask(self, start: int = 0, end: int | None = None) -> Mask:
        """Whether each recipient between two positions is meant."""
        return self.wanted[self.keys[start:end]]


class CombinationKeys:
    """One number for each recipient that stands for all a decision about them depends on."""

    def __init__(self, table: RecipientTable, past: Past) -> None:
        begun = np.zeros(len(past.statuses), bool) if past.begun is None else past.begun
        facts = (
            past.statuses.astype(np.uint32) * 16
            + begun * 8
            + past.served * 4
            + past.joined * 2
            + past.earlier
        )
        facts = facts.astype(np.uint32)
        self._renamed: tuple[str | None, ...] = (None, *past.renames.names)
        who = table.profiles * np.uint32(len(self._renamed)) + past.renames.places
        self.keys: NDArray[np.uint32] = who * np.uint32(PAST_STATES) + facts
        self._profiles = table.profile_list
        self._segments = table.segments

    @property
    def _size(self) -> int:
        return len(self._profiles) * len(self._renamed) * PAST_STATES

    def count(self) -> Iterator[Circumstance]:
        """Every combination that somebody has."""
        size = self._size
        people = np.bincount(self.keys, minlength=size)
        segments = np.bincount(self.keys, weights=self._segments, minlength=size)
        for key in np.flatnonzero(people).tolist():
            who, facts = divmod(key, PAST_STATES)
            profile, renamed = divmod(who, len(self._renamed))
            kind, same = STATUSES[facts >> 4]
            yield Circumstance(
                key=key,
                profile=self._profiles[profile],
                kind=kind,
                same=same,
                joined=bool(facts & 2),
                earlier=bool(facts & 1),
                served=bool(facts & 4),
                begun=bool(facts & 8),
                renamed=self._renamed[renamed],
                people=int(people[key]),
                segments=int(segments[key]),
            )

    def select(self, combinations: Iterable[Combination]) -> Selection:
        """Everybody who has one of these combinations."""
        wanted = np.zeros(self._size, bool)
        people = 0
        for each in combinations:
            wanted[each.about.key] = True
            people += each.about.people
        return Selection(self.keys, wanted, people)
