"""Slots that a shut window moves to the moment of a later one: plan, explain, apply and calendar promise the later one alone."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta

import pytest

from notifyctl.plan.actions import Action
from notifyctl.plan.model import Plan
from notifyctl.views.apply import as_json as report_json
from notifyctl.views.apply import as_text as report_text
from notifyctl.views.plan import as_text
from tests.functional.conftest import Cli
from tests.functional.moments import Project, utc

WEEKDAYS = """\
cron: "0 9 * * *"
window: {days: [mon, tue, wed, thu, fri], from: "08:00", to: "20:00"}
grace: 2h
handOff: %s
"""
SUNDAY, MONDAY = utc(2026, 12, 6, 10), utc(2026, 12, 7, 8)
PROMISED = {Action.DEFERRED, Action.SEND}
"""What `hold` keeps, and what the provider is handed now."""


def promised(plan: Plan) -> dict[str, int]:
    """Occurrence → recipients whom the plan says to send it to, now or later."""
    found = {each.occurrence: sum(each.actions.get(a, 0) for a in PROMISED) for each in plan.notifications}
    return {occurrence: count for occurrence, count in found.items() if count}


@pytest.mark.parametrize("hand_off", ["hold", "provider"])
def test_of_a_weekend_one_message_is_promised_and_sent_on_monday(cli: Cli, hand_off: str) -> None:
    project = Project(cli.root, WEEKDAYS % hand_off, ["UTC"] * 3)
    saturday = cli("plan", "--as-of", "2026-12-05T10:00").out
    assert "next: Sun 6 Dec 09:00 UTC, in 23 hours; moved to 2026-12-07 08:00 UTC" in saturday
    assert "next time: 3 recipients" in saturday
    sunday = cli("plan", "--as-of", "2026-12-06T10:00").out
    assert "expired            3  replaced by a later occurrence; only the latest is sent\n" in sunday
    assert "the later occurrence is sent from 2026-12-07 08:00 UTC, in 22 hours" in sunday
    document = json.loads(cli("plan", "--as-of", "2026-12-06T10:00", "--format", "json").out)
    (replaced,) = [each for each in document["notifications"] if each["occurrence"] == "2026-12-05T09:00"]
    assert replaced["reasons"] == {"expired": {"superseded": 3}}
    assert replaced["times"]["replaced"]["first"] == "2026-12-07T08:00:00+00:00"
    assert replaced["missed"] == 0
    explained = cli("explain", "hello", "--as-of", "2026-12-06T10:00", "--recipient", "+447700900000").out
    assert "only the latest is sent; the later one is sent from 2026-12-07 08:00 UTC" in explained
    calendar = cli("calendar", "--as-of", "2026-12-05T10:00", "--days", "3", "--format", "json").out
    fates = {each["occurrence"]: each["state"] for each in json.loads(calendar)["occurrences"]}
    assert fates == {
        "2026-12-05T09:00": "skipped",
        "2026-12-06T09:00": "to-come",
        "2026-12-07T09:00": "to-come",
    }

    sent: Counter[str] = Counter()
    promise = promised(project.plan(SUNDAY))
    assert promise == {"2026-12-06T09:00": 3, "2026-12-07T09:00": 3}
    for now in (SUNDAY, MONDAY, MONDAY + timedelta(hours=1), MONDAY + timedelta(hours=2)):
        report = project.apply(now).report
        for scope, counts in report.scopes.items() if report is not None else ():
            sent[scope.occurrence] += counts.accepted
    # The provider has been handed Tuesday's too.
    also = {"2026-12-08T09:00": 3} if hand_off == "provider" else {}
    assert +sent == {**promise, **also}


def test_the_digest_of_the_weekend_moves_at_midnight_only(cli: Cli) -> None:
    project = Project(cli.root, WEEKDAYS % "hold", ["UTC"] * 3)
    days = [utc(2026, 12, day) for day in (6, 7)]
    digests = [{project.plan(day + timedelta(hours=at)).digest for at in (0, 8, 9, 10, 23)} for day in days]
    assert [len(each) for each in digests] == [1, 1]


def test_what_was_replaced_was_not_missed_even_if_the_later_one_was(cli: Cli) -> None:
    project = Project(cli.root, WEEKDAYS % "hold", ["UTC"] * 3)
    assert project.sent(utc(2026, 12, 4, 9)) == 3
    applied = project.apply(MONDAY + timedelta(hours=2, minutes=30))
    missed = json.loads(report_json(applied.plan, applied.report))["missed"]
    assert [each["occurrence"] for each in missed] == ["2026-12-06T09:00"]
    assert applied.plan.missed == 3
    text = report_text(applied.plan, applied.report, colour=False)
    assert "3 recipients: expired earlier, or replaced by a later occurrence" in text


def test_many_replaced_ones_are_one_line_that_does_not_warn(cli: Cli) -> None:
    schedule = (WEEKDAYS % "hold").replace("0 9 * * *", "0 8-18/2 * * *")
    project = Project(cli.root, schedule, ["UTC"] * 3)
    assert project.sent(utc(2026, 12, 4, 18)) == 3
    plan = project.plan(utc(2026, 12, 6, 7))
    # Monday's at 08:00 goes when the weekend's would.
    line = (
        "not sent: 12 occurrences from 2026-12-05 08:00 to 2026-12-06 18:00 UTC: replaced by a later occurrence;"
        " only the latest is sent; 3 recipients each"
    )
    assert f"  {line}" in as_text(plan, colour=False)
    assert f"⚠ {line}" not in as_text(plan, colour=False)
    assert promised(plan).keys() == {f"2026-12-07T{hour:02}:00" for hour in range(8, 20, 2)}
