"""What is still to come of a notification stands in every plan, with its words, and is never authorised by it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from notifyctl.plan.actions import Action
from notifyctl.plan.model import NextOccurrence, Plan, Upcoming
from notifyctl.views.markdown import render
from notifyctl.views.plan import as_text, public_plan
from tests.functional.moments import Project, utc

MONDAYS = 'cron: "0 9 * * mon"\ntimezone: Europe/Paris'
SATURDAY = utc(2026, 11, 28, 12)
PLACES = ["Europe/Berlin", "Europe/Paris", "Europe/London", "America/New_York"]


def shown(plan: Plan) -> list[str]:
    return [as_text(plan, colour=False), render(plan, None).replace("\\", "")]


def upcoming(plan: Plan) -> Upcoming:
    (found,) = plan.upcoming
    return found


def names(some: tuple[NextOccurrence, ...]) -> list[str]:
    return [each.occurrence for each in some]


@pytest.mark.parametrize("first_day", ["", '\nfrom: "2026-12-01"', '\nfrom: "2027-06-01"'])
def test_a_weekly_reminder_stands_in_a_plan_when_none_is_due(tmp_path: Path, first_day: str) -> None:
    plan = Project(tmp_path, MONDAYS + first_day, ["UTC"] * 3).plan(SATURDAY.replace(day=26))
    for text in shown(plan):
        assert "Hello" in text
        assert "next time: 3 recipients" in text
        assert "nothing due now; next: Mon " in text
        assert "No notifications." not in text
    assert plan.summary[Action.DEFERRED] == plan.sends == 0
    (entry,) = public_plan(plan)["upcoming"]
    assert entry["due_now"] is False
    assert [sample["content"]["text"] for sample in entry["preview"]["samples"]] == ["Hello"]
    assert len(entry["next"]) == 3
    assert not any(each["authorised"] for each in entry["next"])


def test_the_next_occurrence_is_named_and_how_long_it_is_until_then(tmp_path: Path) -> None:
    project = Project(tmp_path, f"{MONDAYS}\nholidays: [2026-11-30]", ["UTC"])
    for text in shown(project.plan(SATURDAY)):
        assert "nothing due now; next: Mon 7 Dec 09:00 Europe/Paris (08:00 UTC), in 8 days" in text
        assert (
            "then: Mon 14 Dec 09:00 Europe/Paris (08:00 UTC), Mon 21 Dec 09:00 Europe/Paris (08:00 UTC)"
            " (not authorised by this plan)" in text
        )
        assert "skipped: Mon 30 Nov 09:00 Europe/Paris (08:00 UTC): 2026-11-30 is a holiday" in text
    # On the holiday itself too, after its hour.
    for text in shown(project.plan(utc(2026, 11, 30, 10))):
        assert "skipped: Mon 30 Nov 09:00 Europe/Paris (08:00 UTC): 2026-11-30 is a holiday" in text
        assert "nothing due now; next: Mon 7 Dec" in text


@pytest.mark.parametrize(
    ("schedule", "now", "skipped", "coming"),
    [
        (
            f"{MONDAYS}\nholidays: [2026-11-30, 2026-12-07]",
            SATURDAY,
            {"2026-11-30T09:00": "holiday 2026-11-30", "2026-12-07T09:00": "holiday 2026-12-07"},
            "2026-12-14T09:00",
        ),
        (
            'cron: "30 2 * * sun"\ntimezone: Europe/Berlin\ngap: skip',
            utc(2026, 3, 24),
            {"2026-03-29T02:30": "clock-change"},
            "2026-04-05T02:30",
        ),
        (
            'cron: "0 7 * * *"\nwindow: {days: [mon], from: "08:00"}',
            utc(2026, 12, 4, 12),
            {"2026-12-05T07:00": "outside-window", "2026-12-06T07:00": "outside-window"},
            "2026-12-07T07:00",
        ),
        (
            # Both wait for ten o'clock, and of a recurring rule only the latest open slot is sent.
            'cron: "0,30 9 1 12 *"\nwindow: {from: "10:00"}',
            SATURDAY,
            {"2026-12-01T09:00": "outside-window"},
            "2026-12-01T09:30",
        ),
    ],
)
def test_what_is_left_out_is_named_with_its_reason(
    tmp_path: Path, schedule: str, now: datetime, skipped: dict[str, str], coming: str
) -> None:
    found = upcoming(Project(tmp_path, schedule, ["UTC"]).plan(now))
    assert {each.occurrence: each.reason for each in found.skipped[: len(skipped)]} == skipped
    assert names(found.next)[0] == coming


@pytest.mark.parametrize("schedule", [MONDAYS, f"{MONDAYS}\nhandOff: provider", "at: 2026-12-24T09:00"])
def test_what_is_shown_is_what_a_plan_at_that_time_sends(tmp_path: Path, schedule: str) -> None:
    """A differential test: each named occurrence, and none that is skipped, is sent when its time has come."""
    project = Project(tmp_path, f"{schedule}\nholidays: [2026-12-07, 2026-12-14]", ["UTC"])
    found = upcoming(project.plan(SATURDAY))
    for each in found.next:
        moment = (each.goes or each.due).first
        plan = project.plan(moment)
        sent = [planned.occurrence for planned in plan.notifications if planned.sends]
        assert sent[-1:] == [each.occurrence]
    for each in found.skipped:
        plan = project.plan(each.due.first)
        assert each.occurrence not in [planned.occurrence for planned in plan.notifications if planned.sends]


def test_later_occurrences_do_not_change_the_digest_and_are_not_authorised(tmp_path: Path) -> None:
    project = Project(tmp_path, MONDAYS, ["UTC"] * 2)
    friday, saturday = project.plan(utc(2026, 11, 27, 12)), project.plan(SATURDAY)
    assert friday.digest == saturday.digest
    assert len(friday.effects[0]) == 0
    assert upcoming(friday).preview is not None
    project.schedule(MONDAYS.replace("mon", "thu"))
    assert project.plan(utc(2026, 11, 27, 12)).digest == friday.digest
    assert project.apply(SATURDAY, expect=friday.digest).report is None


def test_of_each_recipient_s_zone_the_span_is_shown(tmp_path: Path) -> None:
    project = Project(tmp_path, 'cron: "0 9 * * mon"\ntimezone: recipient', PLACES)
    plan = project.plan(SATURDAY.replace(day=25))
    for text in shown(plan):
        assert (
            "nothing due now; next: Mon 30 Nov 09:00 in each recipient's time zone (08:00–14:00 UTC, 3 zones)"  # noqa: RUF001
            in text
        )
        assert "next time: 4 recipients" in text


def test_a_new_reminder_of_each_recipient_s_zone_knows_their_zones(tmp_path: Path) -> None:
    project = Project(
        tmp_path,
        'cron: "0 9 * * mon"\nfrom: "2027-03-01"\ntimezone: recipient',
        ["Asia/Tokyo", "Nowhere/Land"],
    )
    for text in shown(project.plan(SATURDAY)):
        assert "next: Mon 1 Mar 09:00 in each recipient's time zone (00:00 UTC, 1 zone)" in text
        assert (
            "next time: 1 recipient · 1 blocked: the recipient's time zone is not in the IANA database"
            in text
        )


def test_an_hour_that_is_skipped_in_one_zone_only_is_due_in_the_others(tmp_path: Path) -> None:
    project = Project(
        tmp_path, 'cron: "30 2 * * *"\ntimezone: recipient\ngap: skip', ["Europe/Berlin", "America/New_York"]
    )
    found = upcoming(project.plan(utc(2026, 3, 27, 20)))
    assert names(found.next) == ["2026-03-28T02:30", "2026-03-29T02:30", "2026-03-30T02:30"]
    assert [each.due.zones for each in found.next] == [2, 1, 2]
    assert names(found.skipped) == ["2026-03-29T02:30"]


def test_what_the_plan_authorises_is_not_listed_again(tmp_path: Path) -> None:
    project = Project(tmp_path, 'cron: "0 9 * * *"', ["UTC"])
    plan = project.plan(utc(2026, 11, 28, 9, 10))
    for text in shown(plan):
        assert "nothing due now" not in text
        assert "next: Mon 30 Nov 09:00 UTC, Tue 1 Dec 09:00 UTC (not authorised by this plan)" in text
    found = upcoming(plan)
    assert found.preview is None
    assert [each.authorised for each in found.next] == [True, False, False]


@pytest.mark.parametrize("schedule", ["at: 2026-11-01T09:00", f'{MONDAYS}\nuntil: "2026-11-20"'])
def test_where_nothing_is_to_come_the_plan_says_so(tmp_path: Path, schedule: str) -> None:
    plan = Project(tmp_path, schedule, ["UTC"]).plan(SATURDAY)
    assert "nothing due now; no further occurrence" in as_text(plan, colour=False)
    assert upcoming(plan).next == ()


def test_of_what_was_handed_to_the_provider_nothing_is_left(tmp_path: Path) -> None:
    project = Project(
        tmp_path, "at: 2026-12-01T09:00\ntimezone: Europe/Paris\nhandOff: provider", ["UTC"] * 2
    )
    assert project.sent(SATURDAY) == 2
    plan = project.plan(SATURDAY)
    said = as_text(plan, colour=False)
    assert "nothing left to send; due Tue 1 Dec 09:00 Europe/Paris (08:00 UTC), in 2 days" in said
    assert "next time" not in said
    assert upcoming(plan).preview is None


def test_withdrawn_is_withdrawn_next_time_too(tmp_path: Path) -> None:
    project = Project(tmp_path, MONDAYS, ["UTC"])
    (tmp_path / "w.yaml").write_text(
        "apiVersion: notifyctl/v1\nkind: Withdraw\nnotification: hello\nedition: 1\nreason: superseded\n"
    )
    for text in shown(project.plan(SATURDAY.replace(day=26))):
        assert "next time: 0 recipients · 1 withdrawn: superseded" in text


def test_a_saved_plan_shows_what_is_to_come(tmp_path: Path) -> None:
    from notifyctl.views.saved_plan import to_plan

    project = Project(tmp_path, f"{MONDAYS}\nholidays: [2026-11-30]", ["UTC"] * 2)
    saved = project.save(SATURDAY)
    assert shown(to_plan(saved)) == shown(project.plan(SATURDAY))
