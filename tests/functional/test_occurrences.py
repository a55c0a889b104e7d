"""When a message is due, and what makes two of them one: the same people at every clock, each once."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from notifyctl.plan.actions import Action
from tests.functional.moments import Project, utc

BERLIN = "timezone: Europe/Berlin\n"


@pytest.mark.parametrize("rule", ["0 2-3 * * *", "0,30 2 * * *", "*/30 1-4 * * *", "0 2 * * *"])
@pytest.mark.parametrize("hand_off", ["provider", "hold"])
def test_a_slot_in_a_gap_is_sent_once(tmp_path: Path, rule: str, hand_off: str) -> None:
    """Looked at before, at and after the moment to which a clock change moves it."""
    project = Project(
        tmp_path, f'{BERLIN}cron: "{rule}"\nfrom: "2026-03-29"\nhandOff: {hand_off}', ["UTC"] * 3
    )
    moved = utc(2026, 3, 29, 1)
    for now in (utc(2026, 3, 28, 20), moved - timedelta(minutes=1), moved, moved + timedelta(minutes=10)):
        project.sent(now)
    plan = project.plan(moved + timedelta(minutes=20))
    near = [each for each in plan.notifications if "2026-03-29T02" <= each.occurrence < "2026-03-29T03:30"]
    assert [(each.occurrence, each.actions) for each in near] == [("2026-03-29T03:00", {Action.UNCHANGED: 3})]


def test_what_an_earlier_version_named_otherwise_is_not_sent_again(tmp_path: Path) -> None:
    """Earlier versions named the slot by a local time in the gap, which depended on when they looked."""
    project = Project(tmp_path, f'{BERLIN}cron: "0 2-3 * * *"', ["UTC"] * 3)
    moved = utc(2026, 3, 29, 1)
    assert project.sent(moved) == 3
    database = tmp_path / ".notifyctl" / "sandbox.db"
    rename_occurrence(database, "2026-03-29T03:00", "2026-03-29T02:00")
    plan = project.plan(moved + timedelta(minutes=5))
    assert plan.sends == 0
    assert project.sent(moved + timedelta(minutes=5)) == 0


def rename_occurrence(database: Path, own: str, former: str) -> None:
    import sqlite3

    connection = sqlite3.connect(database)
    triggers = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'scope'"
    ).fetchall()
    for name, _ in triggers:
        connection.execute(f'DROP TRIGGER "{name}"')
    connection.execute("UPDATE scope SET occurrence = ? WHERE occurrence = ?", (former, own))
    for _, sql in triggers:
        connection.execute(sql)
    connection.commit()
    connection.close()


def test_gap_switched_between_two_looks_sends_once(tmp_path: Path) -> None:
    rule = f'{BERLIN}cron: "0,30 2 * * *"\nfrom: "2026-03-29"\nuntil: "2026-03-29"'
    project = Project(tmp_path, f"{rule}\ngap: shift", ["UTC"])
    moved = utc(2026, 3, 29, 1)
    assert project.sent(moved) == 1
    for gap in ("skip", "shift"):
        project.schedule(f"{rule}\ngap: {gap}")
        assert project.sent(moved + timedelta(minutes=10)) == 0


def test_a_skipped_slot_is_nobody_s(tmp_path: Path) -> None:
    project = Project(tmp_path, f'{BERLIN}cron: "30 2 * * *"\ngap: skip\nfrom: "2026-03-29"', ["UTC"])
    assert [project.sent(utc(2026, 3, 29, hour)) for hour in range(24)] == [0] * 24
    assert project.sent(utc(2026, 3, 30, 0, 30)) == 1


@pytest.mark.parametrize(
    ("overlap", "moment"), [("first", utc(2026, 10, 25, 0, 30)), ("last", utc(2026, 10, 25, 1, 30))]
)
def test_a_time_that_comes_twice_is_sent_once(tmp_path: Path, overlap: str, moment: datetime) -> None:
    rule = f'{BERLIN}cron: "30 2 * * *"\nfrom: "2026-10-25"\nuntil: "2026-10-25"'
    project = Project(tmp_path, f"{rule}\noverlap: {overlap}", ["UTC"])
    sent = [now for now in every(10, utc(2026, 10, 25), hours=4) if project.sent(now)]
    assert sent == [moment]
    other = {"first": "last", "last": "first"}[overlap]
    project.schedule(f"{rule}\noverlap: {other}")
    assert sum(project.sent(now) for now in every(10, utc(2026, 10, 25), hours=4)) == 0


@pytest.mark.parametrize(
    ("rule", "before", "after", "looks"),
    [
        # The Berliner's slot is moved to 03:00 at the very moment at which London's clock goes from 01:00 to 02:00.
        ("0 2 * * *", "Europe/Berlin", "Europe/London", (utc(2026, 3, 29, 1), utc(2026, 3, 29, 1, 10))),
        ("0 2 * * *", "Europe/London", "America/New_York", (utc(2026, 3, 8, 2), utc(2026, 3, 8, 7))),
        ("0 9 * * *", "Europe/London", "America/Los_Angeles", (utc(2026, 3, 8, 9), utc(2026, 3, 8, 16))),
        ("0 9 * * *", "Pacific/Auckland", "Europe/London", (utc(2026, 3, 7, 20), utc(2026, 3, 8, 9))),
        # The row loses its time zone: that of the number's country, London, counts.
        ("0 9 * * *", "Pacific/Auckland", "", (utc(2026, 3, 7, 20), utc(2026, 3, 8, 9))),
        ("0 2 * * *", "Europe/Berlin", "", (utc(2026, 3, 29, 1), utc(2026, 3, 29, 1, 10))),
    ],
)
def test_a_corrected_time_zone_sends_nobody_the_same_slot_twice(
    tmp_path: Path, rule: str, before: str, after: str, looks: tuple[datetime, datetime]
) -> None:
    project = Project(tmp_path, f'timezone: recipient\ncron: "{rule}"', [before])
    assert project.sent(looks[0]) == 1
    project.people([after])
    assert project.sent(looks[1]) == 0


@pytest.mark.parametrize("hand_off", ["hold", "provider"])
def test_where_a_time_zone_is_from_may_change_between_two_applies(tmp_path: Path, hand_off: str) -> None:
    """As an upgrade does, for which a number without a time zone is no longer in the project's but in its country's."""
    zones = ["Asia/Tokyo", "", "America/New_York", "", "Pacific/Apia"]
    for rule in (
        "at: 2026-12-01T09:00",
        'cron: "0 9 * * *"\nfrom: "2026-12-01"\nuntil: "2026-12-01"',
        "rrule: FREQ=DAILY;COUNT=1\nfrom: 2026-12-01T09:00",
    ):
        root = tmp_path / rule[:2]
        root.mkdir()
        schedule = f"timezone: recipient\ngrace: 2d\nhandOff: {hand_off}\n{rule}"
        project = Project(root, schedule, zones[:1], timezone="Asia/Tokyo")
        looks = every(120, utc(2026, 11, 30, 18), hours=36)
        sent = 0
        for at, now in enumerate(looks):
            project.people([zones[at % len(zones)]])
            sent += project.sent(now)
        assert sent == 1, rule


def test_a_daily_nine_o_clock_of_each_recipient_comes_once_a_day(tmp_path: Path) -> None:
    zones = ["Pacific/Auckland", "Europe/London", "America/Los_Angeles"]
    project = Project(tmp_path, 'timezone: recipient\ncron: "0 9 * * *"', zones)
    sent = [(now, count) for now in every(30, utc(2026, 12, 1), hours=48) if (count := project.sent(now))]
    # London, Los Angeles, Auckland.
    assert sent == [(utc(2026, 12, day, hour), 1) for day in (1, 2) for hour in (9, 17, 20)]


def every(minutes: int, start: datetime, *, hours: int) -> list[datetime]:
    return [start + timedelta(minutes=at) for at in range(0, hours * 60, minutes)]


def test_a_single_time_that_clocks_skip_is_left_out_where_gap_says_so(tmp_path: Path) -> None:
    """01:30 on 28 March 2027 does not exist in London; in New York it does."""
    project = Project(
        tmp_path,
        "timezone: recipient\nat: 2027-03-28T01:30\ngap: skip",
        ["Europe/London", "America/New_York"],
    )
    (planned,) = project.plan(utc(2027, 3, 28, 0)).notifications
    assert planned.actions == {Action.DEFERRED: 1, Action.EXPIRED: 1}
    assert planned.reasons[Action.EXPIRED] == {"clock-change": 1}
    assert [project.sent(utc(2027, 3, 28, hour, 30)) for hour in (1, 5)] == [0, 1]


@pytest.mark.parametrize(("overlap", "hour"), [("first", 0), ("last", 1)])
def test_a_single_time_that_comes_twice_is_sent_at_the_one_asked_for(
    tmp_path: Path, overlap: str, hour: int
) -> None:
    project = Project(
        tmp_path,
        f"timezone: Europe/London\nat: 2026-10-25T01:30\ngrace: 10m\noverlap: {overlap}",
        ["UTC"] * 2,
    )
    assert [project.sent(utc(2026, 10, 25, each, 30)) for each in (0, 1)] == [2 - 2 * hour, 2 * hour]
