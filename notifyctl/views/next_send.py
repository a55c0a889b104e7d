"""The line that says what is due next and what sends it, and the same as JSON."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from notifyctl.command_line import command_line
from notifyctl.plan.next_send import NextSend
from notifyctl.plan.series import CHANGED
from notifyctl.schedule.moments import format_slot, format_time, format_wait


def next_line(following: NextSend, now: datetime, zone: str, *, env: str) -> str:
    """`zone`: the project's. The command can be pasted as it is, but for a date."""
    slot = format_slot(following.due, now)
    head = f"Next: {following.name}, {slot}, {format_wait(max(following.due.first - now, timedelta()))}"
    if following.at < following.due.first:
        head += f" (handed to the provider from {format_time(following.at, zone)})"
    return f"{head}; {who(following, zone, env)}"


def who(following: NextSend, zone: str, env: str) -> str:
    series, until = following.series, following.accepted_until
    if series is None:
        return f"to send it then, run: {command_line('apply', env=env)}"
    if until is None:
        why = (
            "changed since it was accepted" if (series.missing or "").startswith(CHANGED) else "not accepted"
        )
        if series.acceptance is not None:
            why = f"its acceptance ends before, at {format_time(series.acceptance.until, zone)}"
        accept = command_line("accept", series.fingerprint, "--until", "DATE", env=env)
        return f"{why}: to accept it, run: {accept}"
    accepted = f"accepted until {format_time(until, zone)}"
    if following.running:
        return f"`notifyctl run` sends it: {accepted}"
    return f"{accepted}, but `notifyctl run` is not active on this machine: to start it, run: {command_line('run', env=env)}"


def next_object(following: NextSend | None) -> dict[str, Any] | None:
    """`sent_by`: `run`, `apply`, or null where it waits for acceptance or for a `run`."""
    if following is None:
        return None
    until = following.accepted_until
    return {
        "at": following.at.isoformat(),
        "due": following.due.first.isoformat(),
        "notification": following.name,
        "channel": following.channel.value,
        "sent_by": following.sent_by,
        "series": following.series.fingerprint if following.series else None,
        "accepted_until": until.isoformat() if until else None,
        "run_active": following.running,
    }
