"""`--as-of`: a project as it is now, looked at as of another time. Only what shows something takes it; nothing is sent by it."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from notifyctl.app.workspace import Workspace
from notifyctl.clock import ClockAsOf
from notifyctl.errors import UsageError
from notifyctl.schedule.moments import format_time
from notifyctl.schedule.zones import is_skipped, load_zone, to_instant

OPTION = "--as-of"


def as_of(workspace: Workspace, time: datetime | None) -> Workspace:
    """The same workspace at `time`: one without an offset is a local time of the project's zone. None: now.

    Files and ledger stay as they are: what the ledger recorded after `time` is still recorded. Raises UsageError for a local time
    that a clock change skips or repeats.
    """
    if time is None:
        return workspace
    zone = workspace.project.timezone if workspace.project is not None else "UTC"
    moment = time if time.tzinfo is not None else local_instant(time, zone)
    return replace(workspace, clock=ClockAsOf(moment, workspace.clock), made_at=workspace.clock.now())


def local_instant(local: datetime, zone: str) -> datetime:
    first, second = to_instant(local, zone), to_instant(local, zone, last=True)
    if is_skipped(local, zone):
        raise UsageError(
            f"{OPTION}: {local:%Y-%m-%d %H:%M} does not exist in {zone}: a clock change skips it",
            hint=f"the first time after it is {offset_time(first, zone)}",
        )
    if second - first > timedelta():
        raise UsageError(
            f"{OPTION}: {local:%Y-%m-%d %H:%M} comes twice in {zone}, because of a clock change",
            hint=f"use {offset_time(first, zone)} or {offset_time(second, zone)}",
        )
    return first


def offset_time(moment: datetime, zone: str) -> str:
    return moment.astimezone(load_zone(zone)).isoformat(timespec="minutes")


def asked_for(workspace: Workspace) -> dict[str, str]:
    """`as_of` and `made_at` for a JSON document; nothing where it is now."""
    if workspace.made_at is None:
        return {}
    return {"as_of": workspace.clock.now().isoformat(), "made_at": workspace.made_at.isoformat()}


def not_now(workspace: Workspace) -> str | None:
    """A line that says that another time is shown; None where it is now."""
    if workspace.made_at is None:
        return None
    zone = workspace.project.timezone if workspace.project is not None else "UTC"
    return (
        f"As of {format_time(workspace.clock.now(), zone)} (not now: {format_time(workspace.made_at, zone)})."
    )
