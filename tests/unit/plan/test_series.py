"""The fingerprint of a series, and which acceptance lets it go."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from notifyctl.diagnostics import Positions
from notifyctl.model.acceptance import Acceptance, AcceptBy, AcceptRule, Identity, Proof
from notifyctl.model.message import Message
from notifyctl.model.project import (
    Audience,
    ChannelName,
    Environment,
    HolidayCountry,
    HolidayFile,
    Notification,
    Policy,
    Project,
    Schedule,
    Template,
)
from notifyctl.plan.series import (
    Series,
    different_parts,
    judge_series,
    make_series,
    missing_acceptance,
    most_by_default,
)

NOW = datetime(2026, 12, 7, 9, tzinfo=UTC)
AT = Positions("a.yaml", {})
TEXT = Message(ChannelName.SMS, "ACME", {"type": "text", "text": "Hello"})
SCHEDULE = Schedule("daily", AT, cron="0 9 * * *", holidays=(date(2026, 12, 25), HolidayCountry("GB", "ENG")))
NOTIFICATION = Notification(
    "hello",
    Template("hello", ChannelName.SMS, AT),
    Audience("people", AT),
    AT,
    schedule=SCHEDULE,
    policy=Policy(),
)
ENVIRONMENT = Environment("production", "webexconnect", AT)


def series(*, notification: Notification = NOTIFICATION, message: Message = TEXT, **schedule: Any) -> Series:
    if schedule:
        notification = replace(notification, schedule=replace(SCHEDULE, **schedule))
    return make_series(
        Project("acme", AT), ENVIRONMENT, notification, {None: message}, provider="webexconnect"
    )


def test_a_fingerprint_never_changes_by_itself() -> None:
    """If this fails, every acceptance of every user ends: leave the algorithm, or name it `s2:` and say so in upgrade.md."""
    expected = "s1:bb64577e26da9b5c88ddf515cdd4b7dbee7c38ab85f85efa1397934527e06440"
    assert series().fingerprint == expected


CALENDAR = """\
BEGIN:VCALENDAR
BEGIN:VEVENT
UID:1
DTSTAMP:20260101T000000Z
DTSTART;VALUE=DATE:20261225
SUMMARY:Christmas
END:VEVENT
END:VCALENDAR
"""


def test_a_calendar_counts_by_the_days_of_its_events() -> None:
    def with_file(text: str | None) -> str:
        return series(holidays=(HolidayFile("days.ics", text),)).fingerprint

    for before, after, same in (
        ("DTSTAMP:20260101", "DTSTAMP:20260202", True),
        ("SUMMARY:Christmas", "SUMMARY:Noel", True),
        ("\n", "\r\n", True),
        ("DATE:20261225", "DATE:2026\n 1225", True),
        ("20261225", "20261226", False),
        ("UID:1\n", "UID:1\nRRULE:FREQ=YEARLY\n", False),
        ("UID:1\n", "UID:1\nSTATUS:CANCELLED\n", False),
    ):
        assert before in CALENDAR
        assert (with_file(CALENDAR) == with_file(CALENDAR.replace(before, after))) is same, after
    assert with_file(None) != with_file(CALENDAR)


def test_a_difference_is_told_by_its_parts() -> None:
    first = series()
    for other, parts in (
        (series(message=replace(TEXT, content={"type": "text", "text": "Good day"})), ["texts"]),
        (series(message=replace(TEXT, sender="OTHER")), ["sender and copies"]),
        (series(message=replace(TEXT, bcc=("x@acme.example",))), ["sender and copies"]),
        (series(grace=timedelta(hours=2)), ["schedule"]),
        (series(holidays=(HolidayCountry("GB", "SCT"),)), ["schedule"]),
        (
            series(notification=replace(NOTIFICATION, audience=Audience("people", AT, where="a = 1"))),
            ["audience"],
        ),
        (series(notification=replace(NOTIFICATION, policy=Policy(max_recipients=5))), ["limits"]),
        (series(notification=replace(NOTIFICATION, priority=1)), ["other settings"]),
        (series(notification=replace(NOTIFICATION, edition=2)), ["other settings"]),
    ):
        assert other.fingerprint != first.fingerprint
        assert different_parts(first.parts, other.parts) == parts
    assert different_parts(first.parts, series().parts) == []


def accepted(fingerprint: str, **changes: Any) -> Acceptance:
    found = Acceptance(
        fingerprint=fingerprint,
        notification="hello",
        edition=1,
        channel=ChannelName.SMS,
        until=NOW + timedelta(days=1),
        max_recipients=10,
        who=Identity("ada", Proof.CLAIMED),
        rule=AcceptRule(),
        revision=None,
        at=NOW - timedelta(days=1),
    )
    return replace(found, **changes)


def test_the_last_acceptance_of_a_fingerprint_counts() -> None:
    own = Series("hello", ChannelName.SMS, 1, "s1:new")
    first = accepted("s1:new")
    for given, missing in (
        ([first], None),
        ([first, accepted("s1:new", revoked=True)], f"acceptance-revoked {first.at.isoformat()}"),
        ([first, accepted("s1:new", revoked=True), first], None),
        ([accepted("s1:new", until=NOW)], f"acceptance-past {NOW.isoformat()}"),
        ([], "series-not-accepted"),
        ([accepted("s1:old")], "series-changed s1:old s1:new"),
        ([accepted("s1:old", notification="bye")], "series-not-accepted"),
        ([accepted("s1:old", edition=2)], "series-changed s1:old s1:new"),
        ([accepted("s1:old", channel=ChannelName.RCS)], "series-changed s1:old s1:new"),
        ([accepted("s1:old", until=NOW)], "series-not-accepted"),
        ([accepted("s1:old"), accepted("s1:old", revoked=True)], "series-not-accepted"),
        (None, "acceptance-unknown"),
    ):
        judged = judge_series(own, given, now=NOW)
        assert judged.missing == missing
        assert (judged.acceptance is None) is (missing is not None)


@pytest.mark.parametrize("people", [0, 1, 9, 10])
def test_what_is_accepted_is_bounded_in_number_and_time(people: int) -> None:
    own = judge_series(Series("hello", ChannelName.SMS, 1, "s1:new"), [accepted("s1:new")], now=NOW)
    until = NOW + timedelta(days=1)
    assert missing_acceptance(own, people=people, first=None, last=None) is None
    assert (
        missing_acceptance(own, people=people + 11, first=None, last=None)
        == f"acceptance-limit {people + 11} > 10"
    )
    assert (
        missing_acceptance(own, people=people, first=until, last=None)
        == f"acceptance-ends {until.isoformat()}"
    )
    assert (
        missing_acceptance(own, people=people, first=None, last=until)
        == f"acceptance-ends {until.isoformat()}"
    )
    assert missing_acceptance(None, people=people, first=None, last=None) == "series-not-recurring"
    policy = Policy(max_growth_percent=25)
    assert most_by_default(people, policy) == people + people // 4


def test_an_acceptance_does_not_outlive_a_stricter_rule() -> None:
    """Its author puts the files back to what they accepted before a second person was needed."""
    own = Series("hello", ChannelName.SMS, 1, "s1:before")
    another, proven = AcceptRule(AcceptBy.ANOTHER), AcceptRule(AcceptBy.ANOTHER, proven=True)
    large = AcceptRule(AcceptBy.ANOTHER, above=5)
    bob = Identity("bob", Proof.SIGNATURE)
    for given, last, holds in (
        (accepted("s1:before"), accepted("s1:now", rule=another), False),
        (accepted("s1:before"), accepted("s1:now", notification="bye", rule=another), False),
        (accepted("s1:before", max_recipients=5), accepted("s1:now", rule=large), True),
        (accepted("s1:before", rule=another), accepted("s1:now", rule=another), True),
        (
            accepted("s1:before", rule=AcceptRule(AcceptBy.ANOTHER, above=10)),
            accepted("s1:now", rule=large),
            False,
        ),
        (accepted("s1:before", rule=another), accepted("s1:now", rule=proven), False),
        (accepted("s1:before", rule=another, who=bob), accepted("s1:now", rule=proven), True),
        (accepted("s1:before"), accepted("s1:now", rule=another, revoked=True), True),
        (accepted("s1:before", rule=proven), accepted("s1:now"), True),
    ):
        missing = judge_series(own, [given, last], now=NOW).missing
        assert missing == (None if holds else "acceptance-looser-rule")
