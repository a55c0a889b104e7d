"""Eight recipients in eight time zones, known from three sources: each is sent to when another library says, and at no other moment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from whenever import Date, Instant, Time, ZonedDateTime

from notifyctl.app.explain import explain
from notifyctl.app.workspace import open_workspace
from notifyctl.plan.actions import Action
from notifyctl.testing.fakes import ManualClock
from notifyctl.views.plan import as_text
from tests.functional.moments import Project, received, utc

QUIET_FROM, QUIET_TO = Time(21), Time(8)
QUIET_HOURS = 'quietHours: {from: "21:00", to: "08:00"}\n'

# Number, time zone in the row, time zone that is expected.
PEOPLE = [
    ("+447700900001", "", "Europe/London"),  # by country
    ("+910000000001", "", "Asia/Kolkata"),
    ("+9779800000000", "", "Asia/Kathmandu"),
    ("+6857200000", "", "Pacific/Apia"),
    ("+447700900002", "America/New_York", "America/New_York"),  # by the audience
    ("+447700900003", "Australia/Lord_Howe", "Australia/Lord_Howe"),
    ("+447700900004", "Pacific/Chatham", "Pacific/Chatham"),
    ("+5511900000000", "", "America/Sao_Paulo"),  # Brazil has several: the project's
]
ZONES = {number: zone for number, _, zone in PEOPLE}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path, "at: 2030-01-01T00:00", [], timezone="America/Sao_Paulo")
    rows = [f"{number},{own}" for number, own, _ in PEOPLE]
    (tmp_path / "people.csv").write_text("\n".join(["msisdn,zone", *rows]) + "\n")
    return made


def test_one_instant_goes_at_once_or_when_the_night_is_over(project: Project) -> None:
    """13:00 UTC is evening in India, and night on Lord Howe, Chatham and Samoa."""
    project.schedule(f"timezone: recipient\nat: 2026-12-01T13:00Z\n{QUIET_HOURS}")
    due = Instant.from_utc(2026, 12, 1, 13)
    expected = {number: after_the_night(due.to_tz(zone), zone) for number, zone in ZONES.items()}
    assert sum(moment > utc(2026, 12, 1, 13) for moment in expected.values()) == 3
    check(project, expected, before=utc(2026, 11, 30))


def test_a_local_time_in_the_night_goes_in_the_morning_also_where_the_clocks_change(project: Project) -> None:
    """The clocks of Lord Howe, by half an hour, and of Chatham are set back that night."""
    day = Date(2027, 4, 4)
    project.schedule(
        f'timezone: recipient\ncron: "30 5 * * *"\nfrom: "2027-04-04"\nuntil: "2027-04-04"\n{QUIET_HOURS}'
    )
    expected = {
        number: after_the_night(ZonedDateTime(day.year, day.month, day.day, 5, 30, tz=zone), zone)
        for number, zone in ZONES.items()
    }
    early = project.plan(utc(2027, 4, 3))
    (planned,) = early.notifications
    assert (planned.actions, planned.elsewhere) == ({Action.DEFERRED: 5}, {"after-horizon": 3})
    assert "3 recipients not counted here: in their time zones it is due after" in as_text(
        early, colour=False
    )
    check(project, expected, before=utc(2027, 4, 3, 12))


def after_the_night(due: ZonedDateTime, zone: str) -> datetime:
    """The first moment from then on outside quiet hours, by the clock of the recipient."""
    if QUIET_TO <= due.time() < QUIET_FROM:
        return due.to_stdlib().astimezone(UTC)
    day = due.date() if due.time() < QUIET_TO else due.date().add(days=1)
    return day.at(QUIET_TO).assume_tz(zone).to_stdlib().astimezone(UTC)


def check(project: Project, expected: dict[str, datetime], *, before: datetime) -> None:
    """What the plan says, what `explain` says of each recipient, and what the sandbox gets when apply is run at each moment."""
    plan = project.plan(before)
    (planned,) = plan.notifications
    assert planned.actions == {Action.DEFERRED: len(PEOPLE)}
    assert planned.gaps.timezone_sources == {"audience": 3, "country": 4, "project": 1}
    until = planned.times["deferred_until"]
    assert (until.first, until.last, until.zones) == (
        min(expected.values()),
        max(expected.values()),
        len(set(expected.values())),
    )
    assert "time zones: 3 from the audience, 4 from the number's country (" in as_text(plan, colour=False)
    assert dict(explained(project, before)) == expected
    got: dict[str, datetime] = {}
    for moment in sorted(set(expected.values())):
        assert project.plan(moment - timedelta(seconds=1)).sends == 0
        plan = project.plan(moment)
        (planned,) = [each for each in plan.notifications if each.sends or each.actions.get(Action.DEFERRED)]
        assert sum(planned.actions.values()) == len(PEOPLE)
        assert planned.sends == sum(each == moment for each in expected.values())
        project.apply(moment)
        for entry in received(project)[len(got) :]:
            assert entry["to"] not in got
            got[entry["to"]] = datetime.fromisoformat(entry["at"]).replace(second=0, microsecond=0)
    assert got == expected
    assert project.sent(max(expected.values()) + timedelta(minutes=1)) == 0


def explained(project: Project, now: datetime) -> Iterator[tuple[str, datetime | None]]:
    workspace = open_workspace(project.root, clock=ManualClock(now), environ={})
    for number, zone in ZONES.items():
        (found,) = explain(workspace, workspace.environment(None), "hello", number).explained
        assert found.zone == zone
        (probed,) = found.probed
        yield number, probed.until
