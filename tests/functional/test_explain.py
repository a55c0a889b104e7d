"""`explain --recipient`: right for everybody, whatever keeps them from being sent a message."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

NOTIFICATION = """\
apiVersion: notifyctl/v1
kind: Notification
name: {name}
template: {{channel: {channel}, content: {content}}}
audience: {{source: {{file: {file}}}{more}}}
{keys}
"""
PEOPLE = """\
msisdn,name,city,timezone
+447700900001,Ada,Leeds,Europe/London
+447700900002,Ben,Paris,Europe/Paris
+447700900003,Cy,Leeds,
07700 900004,Dee,Leeds,
+447700900001,Ada again,Leeds,
"""
MAILS = "email,name\nada@acme.example,Ada\n"


def sms(name: str = "hello", more: str = "", keys: str = "", text: str = "Hello") -> str:
    content = f"{{type: text, text: {text}}}"
    return NOTIFICATION.format(
        name=name, channel="sms", content=content, file="people.csv", more=more, keys=keys
    )


def mail(name: str = "letter") -> str:
    content = "{subject: Hello, type: text, text: Hello}"
    return NOTIFICATION.format(
        name=name, channel="email", content=content, file="mails.csv", more="", keys=""
    )


@pytest.fixture
def cities(production: Any) -> Any:
    production.write(hello=sms(), **{"people.csv": PEOPLE, "mails.csv": MAILS})
    return production


def explain(cli: Any, *arguments: str) -> str:
    result = cli("explain", *arguments)
    assert result.code == 0, result.err
    return " ".join(result.out.split())


def verdicts(cli: Any, *arguments: str) -> dict[str, Any]:
    found = cli("explain", *arguments, "--format", "json").json["verdicts"]
    return {each["notification"]: each for each in found}


def far_day() -> int:
    """A day of the month that is neither near now nor missing in some month."""
    today = datetime.now(UTC).date()
    near = {(today + timedelta(days=days)).day for days in range(-3, 4)}
    return next(day for day in range(1, 29) if day not in near)


def schedule(rule: str) -> str:
    """A notification's key, and the schedule that it names."""
    return f"schedule: timed\n---\napiVersion: notifyctl/v1\nkind: Schedule\nname: timed\n{rule}\n"


def recurring(zone: str) -> str:
    return schedule(f"cron: 0 9 {far_day()} * *\ntimezone: {zone}")


# In the audience


def test_who_is_to_be_sent_it(cities: Any) -> None:
    out = explain(cities, "hello", "--recipient", "+447700900002")
    assert "hello (sms, edition 1): will be sent: not sent yet row people.csv:3" in out
    assert "Attempts none" in out


def test_between_two_occurrences_it_says_when_the_next_one_is_due(cities: Any) -> None:
    cities.write(hello=sms(keys=recurring("Europe/Paris")))
    out = explain(cities, "hello", "--recipient", "+447700900002")
    assert "hello (sms, edition 1): in the audience: next due " in out
    assert " 09:00 Europe/Paris (0" in out
    verdict = verdicts(cities, "hello", "--recipient", "+447700900002")["hello"]
    assert (verdict["verdict"], verdict["in_audience"]) == ("waiting", True)
    due = datetime.fromisoformat(verdict["next_due"])
    assert (due.day, due > datetime.now(UTC)) == (far_day(), True)


@pytest.mark.parametrize(
    ("address", "zone"),
    [
        ("+447700900001", "Europe/London"),
        ("+447700900002", "Europe/Paris"),
        ("+447700900003", "Europe/London"),
    ],
)
def test_the_next_time_is_that_of_the_recipients_zone(cities: Any, address: str, zone: str) -> None:
    cities.write(hello=sms(keys=recurring("recipient")))
    assert f" 09:00 {zone}" in explain(cities, "hello", "--recipient", address)


def test_a_holiday_before_the_next_time_is_named(cities: Any) -> None:
    day = (datetime.now(UTC) + timedelta(days=10)).date()
    weekday = day.strftime("%a").lower()
    keys = schedule(f"cron: 0 9 * * {weekday}\nholidays: [{day}, {day - timedelta(7)}]")
    cities.write(hello=sms(keys=keys))
    out = explain(cities, "hello", "--recipient", "+447700900002")
    assert f"{day} is a holiday" in out
    assert "next due " in out


def test_what_waits_says_until_when(cities: Any) -> None:
    at = (datetime.now(UTC) + timedelta(days=3)).strftime("%Y-%m-%dT%H:00")
    cities.write(hello=sms(keys=schedule(f'at: "{at}"\ntimezone: Europe/Paris')))
    out = explain(cities, "hello", "--recipient", "+447700900002")
    assert "will be sent later: not due yet; next possible time " in out
    assert "Europe/Paris (" in out


def test_a_threshold_that_others_exceed_is_told(cities: Any) -> None:
    """What the plan decides of one recipient depends on all of them."""
    project = (cities.root / "notifyctl.yaml").read_text()
    cities.write(notifyctl=project + "policy: {maxRecipients: 2}\n")
    out = explain(cities, "hello", "--recipient", "+447700900002")
    assert "blocked: 3 recipients, more than `maxRecipients` (2) allows" in out


def test_a_value_that_is_missing_is_told(cities: Any) -> None:
    people = PEOPLE.replace(",Ben,", ",,")
    cities.write(hello=sms(text="Hello $(name)"), **{"people.csv": people})
    assert "blocked: no value for $(name)" in explain(cities, "hello", "--recipient", "+447700900002")


def test_an_unknown_outcome_says_how_to_resolve_it(cities: Any, foreign: Any) -> None:
    foreign.answers[:] = [(500, b"")]
    assert cities.apply().code == 7
    out = explain(cities, "hello", "--recipient", "+447700900002")
    assert "will not be sent: the outcome of an earlier attempt is unknown" in out
    assert f"to resolve it, run: notifyctl -C {cities.root} -e production resolve hello" in out


def test_a_withdrawn_edition_is_called_that(cities: Any) -> None:
    assert cities("withdraw", "hello", "--reason", "the outage ended").code == 0
    out = explain(cities, "hello", "--recipient", "+447700900002")
    assert "will not be sent: edition 1 was withdrawn (the outage ended)" in out
    cities.write(hello=sms(keys=recurring("Europe/Paris")))
    out = explain(cities, "hello", "--recipient", "+447700900002")
    assert "will not be sent: edition 1 was withdrawn (the outage ended)" in out
    assert "next" not in out


# Not in it, and why


def test_who_is_filtered_out_is_told_by_what_and_where(cities: Any) -> None:
    cities.write(hello=sms(more=", where: city = 'Leeds'"))
    out = explain(cities, "hello", "--recipient", "+447700900002")
    assert "filtered out by `where`: people.csv:3 does not match `city = 'Leeds'`" in out
    verdict = verdicts(cities, "hello", "--recipient", "+447700900002")["hello"]
    assert (verdict["verdict"], verdict["in_audience"]) == ("filtered", False)
    assert verdict["rows"] == [{"file": "people.csv", "line": 3, "outcome": "filtered", "detail": None}]


@pytest.mark.parametrize("typed", ["07700 900004", "07700900004", "(07700) 900-004"])
def test_a_rejected_row_is_found_by_the_text_in_its_cell(cities: Any, typed: str) -> None:
    out = explain(cities, "hello", "--recipient", typed)
    assert "not in this plan: row rejected: people.csv:5: msisdn: " in out
    verdict = verdicts(cities, "hello", "--recipient", typed)["hello"]
    assert (verdict["verdict"], verdict["rows"][0]["line"]) == ("rejected", 5)


def test_the_valid_spelling_of_a_rejected_row_finds_it_as_the_nearest(cities: Any) -> None:
    out = explain(cities, "hello", "--recipient", "+447700900004")
    assert "hello (sms, edition 1): not in the audience `hello` (people.csv, 5 rows searched)" in out
    assert "people.csv:5" in out.partition("Nearest addresses:")[2]


def test_a_row_that_cannot_be_read_is_found_by_its_text(cities: Any) -> None:
    cities.write(**{"people.csv": PEOPLE + "+447700900009,too,many,cells,in,this,row\n"})
    out = explain(cities, "hello", "--recipient", "+447700900009")
    assert "not in this plan: row rejected: people.csv:7: the row has 7 cells" in out
    out = explain(cities, "hello", "--recipient", "+447700900555")
    assert "1 row of audience" in out
    assert "cannot be read and may contain the address, the first at people.csv:7" in out


def test_of_two_rows_the_first_counts_and_the_other_is_named(cities: Any) -> None:
    out = explain(cities, "hello", "--recipient", "+44 7700 900001")
    assert "will be sent: not sent yet row people.csv:2 duplicate row people.csv:6: " in out


def test_a_suppression_names_list_line_and_reason(cities: Any) -> None:
    text = "address,channel,reason\n+447700900001,email,\n+44 7700 900002,,letter of 2 November\n"
    project = (cities.root / "notifyctl.yaml").read_text()
    cities.write(notifyctl=f"{project}suppressions: [opt-out.csv]\n", **{"opt-out.csv": text})
    out = explain(cities, "hello", "--recipient", "+447700900002")
    assert "will not be sent: opted out: letter of 2 November" in out
    assert "listed in opt-out.csv:3: opted out: letter of 2 November" in out
    verdict = verdicts(cities, "hello", "--recipient", "+447700900002")["hello"]
    assert verdict["suppressed_by"] == [
        {"file": "opt-out.csv", "line": 3, "reason": "opted-out: letter of 2 November"}
    ]
    assert "will be sent" in explain(cities, "hello", "--recipient", "+447700900001"), "for email only"
    cities.write(hello=sms(keys=recurring("Europe/Paris")))
    out = explain(cities, "hello", "--recipient", "+447700900002")
    assert "will not be sent: opted out: letter of 2 November" in out


def test_who_is_not_on_the_allow_list_is_told_where_it_is(cities: Any) -> None:
    project = (cities.root / "notifyctl.yaml").read_text()
    fence = '    fence: {allow: ["+447700900001"]}\n'
    cities.write(notifyctl=project + fence)
    line = len(project.splitlines()) + 1
    out = explain(cities, "hello", "--recipient", "+447700900002")
    assert "will not be sent: not on the environment's allow-list (`fence`)" in out
    assert f"allow-list: `fence` at notifyctl.yaml:{line}" in out


# Over all notifications, and in none


def test_without_a_name_it_is_about_every_notification(cities: Any) -> None:
    cities.write(
        hello=sms(),
        leeds=sms("leeds", more=", where: city = 'Leeds'"),
        monthly=sms("monthly", keys=recurring("Europe/Paris"), text="Monthly"),
        others=sms("others").replace("people.csv", "others.csv"),
        letter=mail(),
        **{"others.csv": "msisdn\n+447700900077\n"},
    )
    out = explain(cities, "--recipient", "+447700900002")
    for sentence in (
        "hello (sms, edition 1): will be sent: not sent yet",
        "leeds (sms, edition 1): not in this plan: filtered out by `where`",
        "monthly (sms, edition 1): in the audience: next due ",
        "Not in the audience of: others",
        "Not searched, because they send to email addresses: letter",
    ):
        assert sentence in out
    found = verdicts(cities, "--recipient", "+447700900002")
    assert {name: each["verdict"] for name, each in found.items()} == {
        "hello": "planned",
        "leeds": "filtered",
        "monthly": "waiting",
        "others": "absent",
        "letter": "other-channel",
    }


def test_attempts_of_all_notifications_are_shown(cities: Any) -> None:
    cities.write(hello=sms(), second=sms("second", text="Second"))
    assert cities.apply().code == 0
    out = explain(cities, "--recipient", "+447700900002")
    assert "hello (sms, edition 1): accepted" in out
    assert "second (sms, edition 1): accepted" in out


def test_somebody_in_no_audience_gets_one_sentence_and_the_nearest(cities: Any) -> None:
    cities.write(hello=sms(), letter=mail())
    out = explain(cities, "--recipient", "+447700900033")
    assert "Not in any audience of this project (1 notification, 5 rows searched)." in out
    assert "people.csv:4: +44••••••0003" in out.partition("Nearest addresses:")[2]
    assert "+447700900003" not in out
    out = explain(cities, "--recipient", "aad@acme.example")
    assert "mails.csv:2: a•••@acme.example" in out.partition("Nearest addresses:")[2]


def test_one_that_is_elsewhere_is_told_where(cities: Any) -> None:
    cities.write(
        hello=sms(),
        others=sms("others").replace("people.csv", "others.csv"),
        **{"others.csv": "msisdn\n+447700900077\n"},
    )
    out = explain(cities, "hello", "--recipient", "+447700900077")
    assert "hello (sms, edition 1): not in the audience" in out
    assert "In the audience of: others" in out


def test_an_address_of_the_wrong_kind_is_told_so(cities: Any) -> None:
    out = explain(cities, "hello", "--recipient", "ada@acme.example")
    assert "hello (sms, edition 1): not searched: it sends to phone numbers" in out


def test_what_is_no_address_and_in_no_cell_is_wrong_usage(cities: Any) -> None:
    result = cities("explain", "--recipient", "nobody")
    assert result.code == 64
    assert "not a valid address, and no audience has it as it was typed" in result.err


def test_a_national_number_is_read_as_the_audience_reads_it(cities: Any) -> None:
    cities.write(hello=sms(more=", region: GB"))
    out = explain(cities, "hello", "--recipient", "07700 900004")
    assert "will be sent: not sent yet row people.csv:5" in out


def test_without_a_ledger_earlier_sends_are_called_unknown(cities: Any) -> None:
    project = (cities.root / "notifyctl.yaml").read_text()
    cities.write(
        notifyctl=project.replace("  production:", "  staging:").replace(": production", ": staging")
    )
    out = explain(cities, "hello", "--recipient", "+447700900002")
    assert "will be sent: not sent yet" in out
    assert "Environment `staging` has no ledger here: earlier sends are unknown." in out
    assert "Attempts unknown" in out


def test_explain_changes_no_file(cities: Any) -> None:
    before = cities.files()
    explain(cities, "--recipient", "+447700900002")
    assert cities.files() == before


def test_what_stands_in_the_way_of_the_next_occurrence_is_told(cities: Any) -> None:
    people = PEOPLE.replace(",Ben,", ",,")
    keys = recurring("Europe/Paris")
    cities.write(hello=sms(text="Hello $(name)", keys=keys), **{"people.csv": people})
    out = explain(cities, "hello", "--recipient", "+447700900002")
    assert "in the audience: next due " in out
    assert "then blocked, as things are now: no value for $(name)" in out
    assert "then " not in explain(cities, "hello", "--recipient", "+447700900001")


def test_what_the_provider_holds_until_it_is_due_says_when_it_is_delivered(cities: Any) -> None:
    at = (datetime.now(UTC) + timedelta(days=3)).strftime("%Y-%m-%dT%H:00")
    cities.write(hello=sms(keys=schedule(f'at: "{at}"\ntimezone: Europe/Paris\nhandOff: provider')))
    out = explain(cities, "hello", "--recipient", "+447700900002")
    assert "will be sent: not sent yet; handed to the provider now, delivered " in out
    assert cities.apply().code == 0
    out = explain(cities, "hello", "--recipient", "+447700900002")
    assert "will not be sent: already sent; handed to the provider before, delivered " in out
    assert "Europe/Paris" in out


def test_a_locale_without_a_text_and_a_row_without_a_zone_are_told(cities: Any) -> None:
    people = "msisdn,locale,timezone\n+447700900001,de,\n+447700900002,,Europe/Paris\n+12025550123,,\n"
    cities.write(hello=sms(keys=recurring("recipient")), **{"people.csv": people})
    out = explain(cities, "hello", "--recipient", "+447700900001")
    assert "locale `de`: reads the default text" in out
    assert "time zone Europe/London, from the number's country" in out
    out = explain(cities, "hello", "--recipient", "+447700900002")
    assert "locale" not in out
    assert "time zone Europe/Paris, from the row" in out
    out = explain(cities, "hello", "--recipient", "+12025550123")
    assert "time zone UTC, the project's: the row has none" in out


def test_who_was_sent_a_withdrawn_edition_is_told_that_it_is(cities: Any) -> None:
    assert cities.apply().code == 0
    assert cities("withdraw", "hello", "--reason", "the outage ended").code == 0
    cities.write(hello=sms(text="Another"))
    out = explain(cities, "hello", "--recipient", "+447700900002")
    assert "will not be sent: was already sent a different text of edition 1" in out
    assert "edition 1 is withdrawn: the outage ended; no further recipients are sent it" in out


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("+447700900001", "will be sent: not sent yet row hello.yaml:5 duplicate row hello.yaml:5: "),
        ("0770", "row rejected: hello.yaml:5: msisdn: "),
    ],
)
def test_recipients_on_one_line_of_yaml_are_told_apart(cities: Any, address: str, sentence: str) -> None:
    recipients = '[{msisdn: ["+447700900001", "0770"]}, {msisdn: "+447700900001"}]'
    cities.write(
        hello="apiVersion: notifyctl/v1\nkind: Notification\nname: hello\n"
        "template: {channel: sms, content: {type: text, text: Hello}}\n"
        f"audience: {{recipients: {recipients}}}\n"
    )
    assert sentence in explain(cities, "hello", "--recipient", address)


def test_a_row_of_a_table_is_told_by_its_number(cities: Any) -> None:
    with closing(sqlite3.connect(cities.root / "people.sqlite")) as connection:
        connection.execute("CREATE TABLE people (msisdn TEXT)")
        connection.executemany("INSERT INTO people VALUES (?)", [("+447700900001",), ("0770",)])
        connection.commit()
    cities.write(
        hello=sms(more=", table: people").replace(
            "people.csv}, table: people", "people.sqlite, table: people}"
        )
    )
    assert "row people.sqlite, row 1" in explain(cities, "hello", "--recipient", "+447700900001")
    assert "row rejected: people.sqlite: row 2 of the table" in explain(
        cities, "hello", "--recipient", "0770"
    )


def test_an_opt_out_by_receipt_is_told_with_its_time(cities: Any, foreign: Any) -> None:
    project = (cities.root / "notifyctl.yaml").read_text()
    cities.write(notifyctl=project + "optOutOn: [complaint]\n")
    assert cities.apply().code == 0
    body = foreign.requests[-1].body
    receipt = {
        "deliveryInfoNotification": {
            "deliveryInfo": {
                "code": "7521",
                "destination": "447700900002",
                "destinationType": "msisdn",
                "deliveryStatus": "Failed",
            },
            "transid": "made-up",
            "callbackData": body["callbackData"],
        }
    }
    path = cities.root.parent / "receipts.jsonl"
    path.write_text(json.dumps(receipt) + "\n")
    assert cities("receipts", "ingest", str(path)).code == 0
    cities.write(hello=sms("second"))
    out = explain(cities, "second", "--recipient", "+447700900002")
    assert "will not be sent: opted out: complaint" in out
    assert "reported by a receipt at " in out
    assert "UTC: complaint" in out
