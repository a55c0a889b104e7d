"""Which expired recipients are news: an apply was too late for them, lately. What expired before the ledger knew the rule is none."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import Scope
from notifyctl.schedule.slots import ONCE
from notifyctl.schedule.timing import EXPIRES_FIRST, PAST_GRACE, Timing

LAPSES = frozenset({PAST_GRACE, EXPIRES_FIRST, "past-expiry", "past-window"})
"""Reasons for which nobody is sent a message because it is late; one that a later occurrence replaces is not missed."""
RECENT = timedelta(days=1)
LONGEST = timedelta(days=7)
"""After which a missed message is history: an apply is not to end as blocked for ever."""


def is_missed(occurrence: str, when: Timing, *, now: datetime, opened: Collection[str]) -> bool:
    """Whether an occurrence that expired for some recipients should have been sent to them: for `apply` and `run` alike.

    What a window, quiet hours or holidays leave out of a recurring rule is never to be sent: it is replaced by a later occurrence,
    or has no moment at which it may go.

    `opened`: the ids of the occurrences of the edition that an apply has begun. A recurring rule has occurrences from before the
    notification was first applied: of those only the last day counts.
    """
    if when.reason not in LAPSES:
        return False
    if occurrence != ONCE and (when.not_before is None or when.reason == EXPIRES_FIRST):
        return False
    age = now - when.expires if when.expires is not None else timedelta()
    if not timedelta() <= age <= LONGEST:
        return False
    return age <= RECENT or occurrence == ONCE or any(each <= occurrence for each in opened)


NOTICE = "missed"
"""How a notice in the ledger begins that says how many recipients of a scope were missed: of those nothing else is recorded."""


def missed_notice(scope: Scope, recipients: int) -> str:
    parts = (NOTICE, scope.notification, scope.edition, scope.occurrence, scope.channel.value, recipients)
    return "|".join(map(str, parts))


def read_missed(notices: Iterable[str]) -> dict[Scope, int]:
    """Recipients who were missed, by scope: the most that were recorded. Notices of anything else are skipped."""
    found: dict[Scope, int] = {}
    for key in notices:
        kind, *rest = key.split("|")
        if kind == NOTICE:
            name, edition, occurrence, channel, recipients = rest
            scope = Scope(name, int(edition), occurrence, ChannelName(channel))
            found[scope] = max(found.get(scope, 0), int(recipients))
    return found
