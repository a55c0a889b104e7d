"""What is due next after a plan or an apply, and what will send it: a `run` that is active on this machine, or somebody. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from notifyctl.model.project import ChannelName
from notifyctl.plan.actions import AUTHORISED, Action
from notifyctl.plan.model import Plan, PlannedNotification
from notifyctl.plan.series import Series
from notifyctl.schedule.moments import Moments


class NextSend(Struct, frozen=True):
    """`at`: when it can be sent, or handed to the provider. `due`: when it is due. `series`: None for what does not recur. `running`:
    whether a `run` of the environment is active on this machine.
    """

    name: str
    channel: ChannelName
    at: datetime
    due: Moments
    series: Series | None
    running: bool

    @property
    def accepted_until(self) -> datetime | None:
        """The end of its acceptance; None where none holds then."""
        acceptance = self.series.acceptance if self.series is not None else None
        if acceptance is None or acceptance.until <= max(self.at, self.due.last):
            return None
        return acceptance.until

    @property
    def sent_by(self) -> str | None:
        """`run`, `apply`, or None: nothing sends it by itself, and it waits for acceptance or for a `run`."""
        if self.series is None:
            return "apply"
        return "run" if self.running and self.accepted_until is not None else None


def find_next(plan: Plan, *, running: bool) -> NextSend | None:
    """The first that goes after what the plan sends now; None: nothing recurs or waits, or nobody is left to send it to. `running`: whether
    a `run` of the environment is active on this machine.
    """
    found = sorted(candidates(plan), key=lambda each: (each[0], each[1]))
    if not found:
        return None
    at, name, channel, due = found[0]
    series = next((each for each in plan.series if (each.name, each.channel) == (name, channel)), None)
    return NextSend(name, channel, at, due, series, running)


def candidates(plan: Plan) -> Iterator[tuple[datetime, str, ChannelName, Moments]]:
    for each in plan.notifications:
        until = each.deferred_until
        if until is not None and until > plan.as_of and each.actions.get(Action.DEFERRED):
            when = each.times.get("deferred_until") or Moments(each.timezone or "UTC", None, until, until)
            yield until, each.name, each.channel, when
    for upcoming in plan.upcoming:
        for occurrence in upcoming.next:
            if occurrence.apply_from is not None and has_recipients(upcoming.preview):
                yield (
                    occurrence.apply_from,
                    upcoming.name,
                    upcoming.channel,
                    occurrence.goes or occurrence.due,
                )


def has_recipients(preview: PlannedNotification | None) -> bool:
    """Whether somebody would be sent an occurrence, once it is not blocked. Without a preview somebody is in the plan."""
    return preview is None or any(preview.actions.get(action) for action in (*AUTHORISED, Action.BLOCKED))
