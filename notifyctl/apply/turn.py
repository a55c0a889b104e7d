"""The rules of one attempt when its turn comes: whether it can still be sent, to whom, and what is recorded of its outcome.

One copy for a run that sends by itself and for workers. Decides and never waits, records or sends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from notifyctl.apply.batches import BatchSlice
from notifyctl.apply.job import OptedOut
from notifyctl.model.batch import Accepted, Outcome, Unknown
from notifyctl.model.left_out import SMS_FALLBACK, describe
from notifyctl.model.message import LeftOut
from notifyctl.model.recipients import Scope
from notifyctl.ports import Clock

AskOptOuts = Callable[[Scope, Sequence[str]], OptedOut]


def began_late(piece: BatchSlice, began: datetime | None) -> bool:
    """Whether the first attempt of the run began after the end of its grace."""
    by = piece.group.begin_by
    return by is not None and began is not None and began >= by


def is_too_late(piece: BatchSlice, began: datetime | None, clock: Clock) -> bool:
    """Whether its window has closed, or the run began after the end of its grace."""
    return began_late(piece, began) or piece.has_lapsed(clock)


def is_over(piece: BatchSlice, began: datetime | None) -> bool:
    """Whether no later apply goes on with what is too late now."""
    return piece.group.final or began_late(piece, began)


def due_now(piece: BatchSlice, clock: Clock) -> BatchSlice:
    """The slice without a `sendAt` that has passed while it waited for its turn; itself if there is none."""
    group = piece.group
    send_at = group.envelope.send_at
    if send_at is None or clock.now() < send_at:
        return piece
    return replace(piece, group=replace(group, envelope=replace(group.envelope, send_at=None)))


class Wanted(Struct, frozen=True):
    """What is left of a slice now, in requests of their own: itself alone, or less. `gone`: recipients who opted out."""

    parts: Sequence[BatchSlice]
    gone: int = 0
    split: bool = False
    """Whether the parts are other batches than the slice: a recorded batch never changes its recipients."""


def still_wanted(piece: BatchSlice, ask: AskOptOuts | None) -> Wanted:
    """The slice without people and destinations of theirs that have opted out since the plan."""
    if ask is None:
        return Wanted([piece])
    found = ask(piece.scope, piece.units.destinations)
    piece = piece.leaving_out(found.copies)
    gone = frozenset(found.recipients)
    bare: dict[str, list[int]] = {}
    if not any(each.what == SMS_FALLBACK for each in piece.group.left_out):
        for position, reason in found.fallback.items():
            if position not in gone:
                bare.setdefault(reason, []).append(position)
    apart = [position for positions in bare.values() for position in positions]
    if not gone and not apart:
        return Wanted([piece])
    parts = [piece.without([*gone, *apart])] + [
        piece.only(positions).leaving_out([LeftOut(SMS_FALLBACK, reason)])
        for reason, positions in bare.items()
    ]
    return Wanted([part for part in parts if part.size], len(gone), split=True)


def outcome_to_keep(piece: BatchSlice, outcome: Outcome) -> Outcome:
    """The outcome, with which destinations the request went without."""
    return noted(outcome, describe(piece.group.left_out)) if piece.group.left_out else outcome


def noted(outcome: Outcome, note: str) -> Outcome:
    """The outcome with what the ledger is to keep of a request that may have been accepted."""
    if isinstance(outcome, Accepted):
        return replace(outcome, note=note)
    return replace(outcome, reason=f"{outcome.reason}; {note}") if isinstance(outcome, Unknown) else outcome
