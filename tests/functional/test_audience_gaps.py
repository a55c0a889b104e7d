"""Time zones and locales that are missing, unknown or without a text: counted in the plan, in its JSON and in lint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from notifyctl.views.gaps import describe_counts

DOCUMENTS = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
schedule: s
template: {channel: sms, content: {type: text, text: Hello}%s}
audience: {source: {file: people.csv}}
---
apiVersion: notifyctl/v1
kind: Schedule
name: s
timezone: %s
at: 2030-12-01T09:00
"""
FRENCH = ", locales: {fr: {content: {text: Bonjour}}}"


@pytest.fixture
def project(cli: Any) -> Any:
    def write(rows: list[str], *, locales: str = FRENCH, timezone: str = "recipient") -> Any:
        (cli.root / "notifyctl.yaml").write_text(
            "apiVersion: notifyctl/v1\nkind: Project\nname: acme\ndefaults: {timezone: Europe/London}\n"
        )
        (cli.root / "n.yaml").write_text(DOCUMENTS % (locales, timezone))
        (cli.root / "people.csv").write_text("\n".join(rows) + "\n")
        return cli

    return write


def gaps(cli: Any) -> dict[str, Any]:
    (planned,) = cli("plan", "--format", "json").json["notifications"]
    found: dict[str, Any] = planned["gaps"]
    return found


def told(cli: Any, rule: str) -> list[tuple[str, str, int]]:
    found = cli("lint", "--format", "json").json["diagnostics"]
    return [(each["message"], each["file"], each["line"]) for each in found if each["rule"] == rule]


def views(cli: Any) -> list[str]:
    markdown = cli("plan", "--format", "markdown").out.replace("\\", "")
    return [" ".join(cli("plan").out.split()), " ".join(markdown.split())]


def test_without_a_column_or_a_country_with_one_zone_the_project_s_is_used_and_said(project: Any) -> None:
    cli = project(["msisdn", "+12025550123", "+12025550124"])
    for text in views(cli):
        assert "time zones: 2 the project's (Europe/London)" in text
        assert "⚠ 2 recipients without a time zone: Europe/London is used" in text
        assert "2030-12-01 09:00 in each recipient's time zone (09:00 UTC, 1 zone)" in text
    assert gaps(cli)["without_timezone"] == 2
    assert gaps(cli)["timezone"] == "Europe/London"
    ((message, file, line),) = told(cli, "missing-timezone")
    lack = "no recipient has a time zone, and none follows from their numbers; Europe/London is used for all"
    assert lack in message
    assert (file, line) == ("n.yaml", 6)


def test_the_country_of_a_number_gives_a_time_zone(project: Any) -> None:
    cli = project(["msisdn", "+4915112345678", "+447700900124", "+447700900125"])
    for text in views(cli):
        assert "time zones: 3 from the number's country (Europe/London 2, Europe/Berlin 1)" in text
        assert "without a time zone" not in text
        assert "2030-12-01 09:00 in each recipient's time zone (08:00–09:00 UTC, 2 zones)" in text  # noqa: RUF001
    assert gaps(cli)["timezone_sources"] == {"audience": 0, "country": 3, "project": 0}
    assert gaps(cli)["country_timezones"] == {"Europe/London": 2, "Europe/Berlin": 1}
    assert gaps(cli)["without_timezone"] == 0
    assert told(cli, "missing-timezone") == []


def test_of_an_email_address_no_country_is_known(project: Any) -> None:
    cli = project(["email,msisdn,timezone", "ada@acme.example,+4915112345678,", "ben@acme.example,,UTC"])
    mail = "{channel: email, content: {type: text, subject: Hello, text: Hello}}"
    notification = (cli.root / "n.yaml").read_text()
    (cli.root / "n.yaml").write_text(
        notification.replace("{channel: sms, content: {type: text, text: Hello}" + FRENCH + "}", mail)
    )
    assert gaps(cli)["timezone_sources"] == {"audience": 1, "country": 0, "project": 1}
    ((message, _, _),) = told(cli, "missing-timezone")
    assert "1 of 2 recipients has no time zone; Europe/London is used" in message


def test_blank_and_unknown_zones_are_counted(project: Any) -> None:
    rows = [
        "+447700900123,Europe/Berlin",
        "+447700900124,",
        "+447700900125,Europe/Lodon",
        "+447700900126,CEST",
        "+12025550123,",
    ]
    cli = project(["msisdn,timezone", *rows])
    sources = (
        "1 from the audience, 1 from the number's country (Europe/London), 1 the project's (Europe/London)"
    )
    for text in views(cli):
        assert f"time zones: {sources}" in text
        assert "⚠ 1 recipient without a time zone: Europe/London is used" in text
        assert "⚠ 2 recipients with unknown time zones CEST (1), Europe/Lodon (1) are blocked" in text
    assert gaps(cli)["unknown_timezones"] == {"CEST": 1, "Europe/Lodon": 1}
    assert [line for _, _, line in told(cli, "unknown-timezone")] == [4, 5]
    (first, *_) = cli("lint", "--format", "json").json["diagnostics"]
    assert "1 of 5 recipients has no time zone" in first["message"]


def test_of_a_schedule_with_its_own_zone_the_column_means_nothing(project: Any) -> None:
    cli = project(
        ["msisdn,timezone", "+447700900123,Europe/Lodon", "+447700900124,"], timezone="Europe/Paris"
    )
    for text in views(cli):
        assert "time zone: " not in text
        assert "time zones: " not in text
        assert "unknown time zone" not in text
    assert told(cli, "unknown-timezone") == told(cli, "missing-timezone") == []


def test_who_gets_the_default_text_for_want_of_their_own_is_counted(project: Any) -> None:
    locales = ["fr", "fr-CA", "en-GB", "", "de", "Deutsch", "frr"]
    rows = [f"+4477009001{at:02},UTC,{locale}" for at, locale in enumerate(locales)]
    cli = project(["msisdn,timezone,locale", *rows])
    for text in views(cli):
        assert "⚠ 1 recipient with invalid locale Deutsch gets the default text" in text
        assert "2 recipients with locales de (1), frr (1) get the default text" in text
    assert gaps(cli)["invalid_locales"] == {"Deutsch": 1}
    assert gaps(cli)["default_locales"] == {"de": 1, "frr": 1}
    assert [line for _, _, line in told(cli, "invalid-locale")] == [7]
    ((message, _, _),) = told(cli, "locale-without-text")
    assert message == "2 recipients with locales de, frr get the default text of `hello`"


def test_one_locale_is_named_in_one_sentence(project: Any) -> None:
    cli = project(["msisdn,timezone,locale", "+447700900123,UTC,de", "+447700900124,UTC,fr"])
    for text in views(cli):
        assert "1 recipient with locale de gets the default text" in text
    assert describe_counts("unknown time zone", {"X": 1}, "are blocked") == (
        "1 recipient with unknown time zone X is blocked"
    )


def test_a_column_of_other_things_does_not_fill_the_plan(project: Any) -> None:
    rows = [f"+44770090{at:04},UTC,Ada {at} at 1 High Street" for at in range(50, 90)]
    cli = project(["msisdn,timezone,locale", *rows])
    assert gaps(cli)["invalid_locales"] == {"others": 40}
    assert "High Street" not in "".join(views(cli)) + json.dumps(gaps(cli))


def test_a_saved_plan_says_it_too(project: Any, tmp_path: Path) -> None:
    cli = project(["msisdn,locale", "+12025550123,de"])
    assert cli("plan", "--out", str(tmp_path / "p.plan")).code == 0
    shown = " ".join(cli("show", str(tmp_path / "p.plan")).out.split())
    assert "1 recipient with locale de gets the default text" in shown
    assert "1 recipient without a time zone: Europe/London is used" in shown
