"""As of when something is shown, and that this is not now where another time was asked for. One place for every view."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from notifyctl.plan.model import Plan
from notifyctl.plurals import pluralise
from notifyctl.schedule.moments import format_time


def as_of_words(moment: datetime, zone: str, *, made_at: datetime | None) -> str:
    """As of 2026-12-07 09:00 Europe/Paris (08:00 UTC), not now."""
    return f"as of {format_time(moment, zone)}{' (not now)' if made_at else ''}"


def plan_as_of(plan: Plan) -> str:
    return as_of_words(plan.as_of, plan.timezone, made_at=plan.made_at)


def describe_as_of(plan: Plan) -> str | None:
    """What it means that a plan is of another time than now; None: it is of the time at which it was made."""
    if plan.made_at is None:
        return None
    made = format_time(plan.made_at, plan.timezone)
    what = "files and the ledger" if plan.complete else "files"
    later = ""
    if plan.complete and plan.as_of < plan.made_at:
        later = ", including what was recorded after the time shown"
    return f"Not now: this shows another time, with the {what} as they were at {made}{later}."


def refuse_words(plan: Plan) -> str | None:
    """The same, and that such a plan is for looking at."""
    found = describe_as_of(plan)
    return f"{found} This plan cannot be applied." if found else None


def caveats(plan: Plan) -> list[str]:
    """What to know of a plan's time before reading it."""
    return [words for words in (refuse_words(plan), meanwhile_words(plan)) if words]


def meanwhile_words(plan: Plan) -> str | None:
    """That the plan may not know the latest records, where that is so."""
    if not plan.records_added:
        return None
    added = pluralise(plan.records_added, "record was", "records were")
    return f"{added} added to the ledger while this plan was made. A new plan with all records is made before anything is sent."


def valid_words(plan: Plan) -> str:
    if plan.made_at is not None:
        return f"Made at {format_time(plan.made_at, plan.timezone)}; cannot be applied"
    return f"Valid until {format_time(plan.valid_until, plan.timezone)}"


def as_of_object(as_of: datetime, made_at: datetime | None) -> dict[str, Any]:
    """`made_at` is null where `as_of` is the time at which it was made."""
    return {"as_of": as_of.isoformat(), "made_at": made_at.isoformat() if made_at else None}
