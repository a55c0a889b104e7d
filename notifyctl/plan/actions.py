"""The actions of the plan and the table that picks one for each delivery unit. Pure; no knowledge of audiences or files."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from notifyctl.model.project import Joiners, OnUnknown
from notifyctl.plan.statuses import Kind


class Action(StrEnum):
    """One per unit; declared in the order of the table: the first rule that matches decides."""

    UNCERTAIN = "uncertain"
    UNCHANGED = "unchanged"
    CHANGED = "changed-after-send"
    WITHDRAWN = "withdrawn"
    SUPPRESSED = "suppressed"
    BASELINE = "baseline"
    EXPIRED = "expired"
    BLOCKED = "blocked"
    DEFERRED = "deferred"
    RETRY = "retry"
    SEND_NEW = "send-new"
    RESEND = "resend"
    SEND = "send"

    @property
    def sends(self) -> bool:
        return self in SENDS


SENDS = frozenset({Action.RETRY, Action.SEND_NEW, Action.RESEND, Action.SEND})
AUTHORISED = SENDS | {Action.DEFERRED}
"""What a plan gives leave to send: now, or later when it is due."""


class Intent(StrEnum):
    """Why a unit is eligible, apart from when: a retry or a deferred unit keeps the intent it had."""

    FIRST = "first"
    JOINER = "joiner"
    RESEND = "resend"


class Circumstances(Struct, frozen=True):
    """What is the same for all recipients of one scope that share a moment: rules 4, 6 and 8."""

    withdrawn: str | None = None
    expired: str | None = None
    deferred: str | None = None
    joiners: Joiners = Joiners.HOLD
    unknown: OnUnknown = OnUnknown.HOLD
    fresh_only: bool = False
    """A saved plan is applied again: only who was never attempted may be sent to."""
    acknowledged: bool = False
    """Those who have another text need not get this one."""
    baseline: str | None = None
    """Why whoever is in the audience counts as served from the next apply on."""
    recorded_baseline: str | None = None
    """Why those whom the ledger counts as served do so."""
    higher_edition: int | None = None
    """The highest edition that was opened, where it is above this one."""


class Decision(Struct, frozen=True):
    action: Action
    reason: str | None = None
    intent: Intent = Intent.FIRST


BASELINE_REASON = "baseline ("
"""How the reason of somebody who counts as served begins; the author's reason follows."""


def baseline_reason(reason: str | None) -> str:
    return f"{BASELINE_REASON}{reason or 'recorded'})"


def decide(  # noqa: C901, PLR0912 - a table read from the top: one test a row
    *,
    kind: Kind | None,
    same: bool,
    suppressed: str | None,
    blocked: str | None,
    joined: bool,
    earlier: bool,
    served: bool = False,
    renamed: str | None = None,
    circumstances: Circumstances,
) -> Decision:
    """The action table, top to bottom.

    `kind` is what the ledger knows of the unit; None: nothing. `same`: what was sent is what it would get now. `joined`:
    the edition is open and its recorded audience is without this recipient. `earlier`: accepted under a lower edition. `served`:
    a recorded baseline counts them as served. `renamed`: the removed name under which they got this very text.
    """
    if kind == "uncertain" and circumstances.unknown is OnUnknown.HOLD:
        return Decision(Action.UNCERTAIN, "no-outcome")
    if kind == "accepted":
        if same:
            return Decision(Action.UNCHANGED)
        if circumstances.acknowledged:
            return Decision(Action.UNCHANGED, "acknowledged")
        return Decision(Action.CHANGED, "other-text-sent")
    if served:
        # Whatever the text is now: a baseline speaks of the message, not of its words.
        return Decision(Action.UNCHANGED, baseline_reason(circumstances.recorded_baseline))
    if circumstances.withdrawn:
        return Decision(Action.WITHDRAWN, circumstances.withdrawn)
    if suppressed:
        return Decision(Action.SUPPRESSED, suppressed)
    if circumstances.baseline is not None:
        return Decision(Action.BASELINE, baseline_reason(circumstances.baseline))
    if circumstances.expired:
        return Decision(Action.EXPIRED, circumstances.expired)
    if blocked:
        return Decision(Action.BLOCKED, blocked)
    if renamed is not None:
        return Decision(Action.BLOCKED, f"suspected-rename of {renamed}")
    intent = Intent.JOINER if joined else Intent.RESEND if earlier else Intent.FIRST
    # These two come before the question of when: nobody is authorised at any moment.
    if circumstances.higher_edition is not None and kind != "rejected":
        return Decision(Action.BLOCKED, f"higher-edition {circumstances.higher_edition}", intent)
    if joined and circumstances.joiners is Joiners.HOLD and kind is None:
        return Decision(Action.BLOCKED, "joiners-held", intent)
    if circumstances.deferred:
        return Decision(Action.DEFERRED, circumstances.deferred, intent)
    if kind is not None and circumstances.fresh_only:
        return Decision(Action.BLOCKED, "plan-used", intent)
    if kind is not None:
        reason = "may-have-it-already" if kind == "uncertain" else "not-accepted"
        return Decision(Action.RETRY, reason, intent)
    if joined:
        return Decision(Action.SEND_NEW, intent=intent)
    if earlier:
        return Decision(Action.RESEND, intent=intent)
    return Decision(Action.SEND, intent=intent)
