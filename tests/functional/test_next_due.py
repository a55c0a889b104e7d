"""When to look again: a runner that applies at these moments, and at no other, sends each thing as early as it can go."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from notifyctl.plan.upcoming import next_due
from tests.functional.moments import Project, utc

ZONES = ["Asia/Tokyo", "Europe/Paris", "America/New_York"]
FRIDAY = utc(2026, 11, 27, 12)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("schedule", "sent"),
    [
        ("at: 2026-12-01T09:00\ntimezone: Europe/Paris", ["12-01 08:00 3"]),
        ("at: 2026-12-01T09:00\ntimezone: recipient", ["12-01 00:00 1", "12-01 08:00 1", "12-01 14:00 1"]),
        ("at: 2026-12-15T09:00\nhandOff: provider", ["12-08 09:00 3"]),
        ("at: 2026-12-01T09:00\nhandOff: provider", ["11-27 12:00 3"]),
        (
            'cron: "0 9 * * mon"\ntimezone: Europe/Paris',
            ["11-30 08:00 3", "12-07 08:00 3", "12-14 08:00 3"],
        ),
        ('cron: "0 9 * * mon"\nuntil: "2026-12-07"', ["11-30 09:00 3", "12-07 09:00 3"]),
        (
            'cron: "0 9 * * mon"\ntimezone: recipient\nuntil: "2026-12-01"',
            ["11-30 00:00 1", "11-30 08:00 1", "11-30 14:00 1"],
        ),
        # The provider is handed it as soon as a plan authorises it: on the day before.
        ('cron: "0 9 * * mon"\nhandOff: provider\nuntil: "2026-12-07"', ["11-29 00:00 3", "12-06 00:00 3"]),
        ('cron: "0 9 * * mon"\nholidays: [2026-11-30]\nuntil: "2026-12-07"', ["12-07 09:00 3"]),
        ('window: {days: [mon], from: "10:00"}', ["11-30 10:00 3"]),
        # Due on Monday, and open on Saturday: longer than a plan looks ahead.
        ('cron: "0 9 30 11 *"\nwindow: {days: [sat], from: "10:00"}\nuntil: "2026-12-07"', ["12-05 10:00 3"]),
        ("expireAfter: 1h", ["11-27 12:00 3"]),
    ],
)
def test_at_the_next_due_moment_more_goes_and_at_none_before(
    tmp_path: Path, schedule: str, sent: list[str]
) -> None:
    project = Project(tmp_path, schedule, ZONES)
    now: datetime | None = FRIDAY
    seen, last = [], FRIDAY + timedelta(days=20)
    while now is not None and now < last:
        if count := project.sent(now):
            seen.append(f"{now:%m-%d %H:%M} {count}")
        after = project.plan(now)
        due = next_due(after)
        for moment in moments_between(now, due or last):
            assert project.plan(moment).sends == 0
        assert due is None or due > now
        now = due
    assert seen == sent


def moments_between(first: datetime, last: datetime) -> list[datetime]:
    """Where more would be sent if the next due moment were too late."""
    return [first + MINUTE, first + (last - first) / 2, last - MINUTE]


def test_what_was_sent_in_some_time_zones_goes_on_in_the_others(tmp_path: Path) -> None:
    project = Project(tmp_path, 'cron: "0 9 * * *"\ntimezone: recipient', ZONES)
    assert next_due(project.plan(utc(2026, 12, 1, 8))) == utc(2026, 12, 1, 14)
    assert project.plan(utc(2026, 12, 1, 8)).sends == 1


def test_what_is_due_and_waits_for_longer_than_a_plan_looks_ahead_is_not_forgotten(tmp_path: Path) -> None:
    schedule = 'cron: "0 9 * * mon"\nwindow: {days: [sat], from: "10:00"}'
    plan = Project(tmp_path, schedule, ["UTC"]).plan(utc(2026, 12, 1, 8))
    (upcoming,) = plan.upcoming
    assert upcoming.next[0].occurrence == "2026-11-30T09:00"
    assert next_due(plan) == utc(2026, 12, 5, 10)
