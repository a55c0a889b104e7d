"""Fence and suppressions hold for every destination: copies of an e-mail, and the SMS in place of RCS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

MAIL = """\
apiVersion: notifyctl/v1
kind: Notification
name: news
edition: {edition}
template: {{channel: email, content: {{type: text, subject: News, text: Hello $(name)}}}}
audience: {{source: {{file: people.csv}}}}
{copies}
"""
READERS = "email,name\nada@inside.example,Ada\nbob@inside.example,Bob\n"
RCS = """\
apiVersion: notifyctl/v1
kind: Notification
name: outage
template:
  channel: rcs
  content: {type: text, text: Hello $(name)}
  options: {smsFallback: true, smsSenderId: CNNECT, text: Hi $(name), carrierId: "12"}
audience: {source: {file: people.csv}}
"""
NUMBERS = [f"+4477009000{n:02}" for n in range(4)]
PEOPLE = "msisdn,name\n" + "".join(f"{number},P{at}\n" for at, number in enumerate(NUMBERS))


def mail(
    production: Any, copies: str, *, edition: int = 1, stop: str = "# nobody\n", fence: str = ""
) -> Path:
    production.write(
        news=MAIL.format(copies=copies, edition=edition), **{"people.csv": READERS, "stop.csv": stop}
    )
    return settings(production, fence)


def settings(production: Any, fence: str = "", *, more: str = "", limits: str = "concurrency: 4") -> Path:
    text = (production.root / "notifyctl.yaml").read_text().replace("concurrency: 4", limits)
    if "suppressions" not in text:
        text = text.replace("defaultEnvironment", f"suppressions: [stop.csv]\n{more}defaultEnvironment")
    production.write(notifyctl=text + fence)
    path: Path = production.root / "stop.csv"
    return path


FENCE = '    fence: {allow: ["*@inside.example"]}\n'


@pytest.mark.parametrize("key", ["cc", "bcc"])
@pytest.mark.parametrize("copy", ["boss@outside.example", "boss@inside.example.outside.example"])
def test_a_copy_outside_the_fence_blocks_the_notification(
    production: Any, foreign: Any, key: str, copy: str
) -> None:
    mail(production, f"{key}: [team@inside.example, {copy}]", fence=FENCE)
    [planned] = production.plan()["notifications"]
    assert planned["actions"] == {"blocked": 2}
    assert planned["reasons"]["blocked"] == {f"copy-outside-fence: {key} 2 b•••@{copy.partition('@')[2]}": 2}
    # Whoever approves it must see who gets copies: the file has the address as well.
    assert planned["request"][key] == ["team@inside.example", copy]
    assert production.apply().code == 3
    assert foreign.requests == []


def test_copies_inside_the_fence_go_out_whatever_their_spelling(production: Any, foreign: Any) -> None:
    mail(production, "cc: [Team@Inside.Example]", fence=FENCE)
    assert production.apply().code == 0
    assert foreign.requests[0].body["cc"] == ["Team@Inside.Example"]


@pytest.mark.parametrize("key", ["cc", "bcc"])
def test_a_copy_that_opted_out_is_left_out_and_told(production: Any, foreign: Any, key: str) -> None:
    mail(production, f"{key}: [Boss@Inside.example, team@inside.example]")
    before = production.plan()
    mail(production, f"{key}: [Boss@Inside.example, team@inside.example]", stop="boss@inside.example\n")
    plan = production.plan()
    [planned] = plan["notifications"]
    assert planned["left_out"] == [{"what": f"{key} 1", "reason": "opted-out", "recipients": 2}]
    assert plan["digest"] == before["digest"], "the message is what its author wrote"
    assert f"without {key} 1 for 2 recipients: opted out" in production("plan").out
    assert f"without {key} 1 for 2 recipients: opted out" in production("plan", "--format", "markdown").out
    assert production.apply().code == 0
    [request] = foreign.requests
    assert request.body[key] == ["team@inside.example"]
    explained = production("explain", "news", "--recipient", "ada@inside.example").out
    assert f"sent without {key} 1 (opted-out)" in explained
    mail(production, f"{key}: [Boss@Inside.example, team@inside.example]")
    assert production.plan()["summary"]["unchanged"] == 2


def test_when_every_copy_opted_out_the_request_has_none(production: Any, foreign: Any) -> None:
    mail(production, "cc: [boss@inside.example]", stop="boss@inside.example\n")
    dry = [json.loads(line) for line in production("apply", "--dry-run", "--format", "json").out.splitlines()]
    assert production.apply().code == 0
    assert "cc" not in foreign.requests[0].body
    assert "cc" not in dry[0]["body"]


def test_a_copy_that_opts_out_during_an_apply_is_not_in_the_next_attempt(
    production: Any, foreign: Any
) -> None:
    stop = mail(production, "cc: [boss@inside.example, team@inside.example]")
    foreign.answers = [(429, b'{"code":"7020","message":"You have reached the maximum transaction limit"}')]
    foreign.on_request = lambda: stop.write_text("boss@inside.example\n")
    assert production.apply().code == 0
    assert [request.body["cc"] for request in foreign.requests] == [
        ["boss@inside.example", "team@inside.example"],
        ["team@inside.example"],
    ]
    assert production.plan()["summary"]["unchanged"] == 2


def rcs(production: Any, stop: str, **given: Any) -> Path:
    production.write(outage=RCS, **{"people.csv": PEOPLE, "stop.csv": stop})
    return settings(production, **given)


def fallbacks(foreign: Any) -> dict[str, object]:
    """Address → the options of the last request that it was in."""
    return {
        address: request.body["options"]
        for request in foreign.requests
        for entry in request.body["to"]
        for address in entry["msisdn"]
    }


WITH = {"smsFallback": True, "smsSenderId": "CNNECT", "text": "Hi $(name)", "carrierId": "12"}
WITHOUT = {"carrierId": "12"}


def test_rcs_to_who_opted_out_of_sms_goes_without_the_sms(production: Any, foreign: Any) -> None:
    rcs(production, "# nobody\n")
    before = production.plan()["digest"]
    rcs(production, f"msisdn,channel,reason\n{NUMBERS[1]},sms,letter\n{NUMBERS[2]},rcs,\n")
    plan = production.plan()
    [planned] = plan["notifications"]
    assert planned["actions"] == {"send": 3, "suppressed": 1}
    assert planned["left_out"] == [{"what": "SMS fallback", "reason": "opted-out: letter", "recipients": 1}]
    assert plan["digest"] != before, "who opted out of RCS is not in it"
    assert production.apply().code == 0
    assert fallbacks(foreign) == {NUMBERS[0]: WITH, NUMBERS[1]: WITHOUT, NUMBERS[3]: WITH}
    explained = production("explain", "outage", "--recipient", NUMBERS[1]).out
    assert "sent without SMS fallback (opted-out: letter)" in explained
    (production.root / "stop.csv").write_text("# nobody\n")
    assert production.plan()["summary"]["unchanged"] == 3, "the hash is that of the message as written"


def test_who_opts_out_of_sms_during_an_apply_gets_the_rest_without(production: Any, foreign: Any) -> None:
    stop = rcs(production, "# nobody\n", limits="concurrency: 1")
    foreign.answers = [(429, b'{"code":"7020","message":"You have reached the maximum transaction limit"}')]
    foreign.on_request = lambda: stop.write_text(
        f"msisdn,channel\n{NUMBERS[0]},sms\n{NUMBERS[2]},sms\n{NUMBERS[3]},\n"
    )
    applied = production.apply()
    assert applied.json["outcomes"]["accepted"] == 3
    assert foreign.addresses[4:] == [NUMBERS[1], NUMBERS[0], NUMBERS[2]]
    assert fallbacks(foreign) == {
        NUMBERS[0]: WITHOUT,
        NUMBERS[1]: WITH,
        NUMBERS[2]: WITHOUT,
        NUMBERS[3]: WITH,  # of the first attempt, which was not taken
    }


def receipt(body: Any, at: int, status: str, **given: str) -> Any:
    entry = body["to"][at]
    return {
        "deliveryInfoNotification": {
            "deliveryInfo": {"deliveryStatus": status, "destination": entry["email"][0], **given},
            "correlationid": entry["correlationId"],
            "callbackData": body.get("callbackData"),
        }
    }


def ingest(production: Any, *receipts: Any) -> None:
    path = production.root / "receipts.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in receipts))
    assert production("receipts", "ingest", str(path)).code == 0


PERMANENT, TRANSIENT = "Permanent_NoEmail", "Transient_MailboxFull"


@pytest.mark.parametrize(
    ("on", "status", "given", "reason", "stops"),
    [
        ("", "Complaint", {"code": "7521"}, "complaint", True),
        ("", "Failed", {"code": "7241"}, "unsubscribed", True),
        ("", "Unsubscribed", {}, "unsubscribed", True),
        ("", "Bounce", {"code": "7520", "Description": PERMANENT}, "bounced", False),
        ("optOutOn: [bounced]\n", "Bounce", {"code": "7520", "Description": PERMANENT}, "bounced", True),
        ("optOutOn: [bounced]\n", "Bounce", {"code": "7520", "Description": TRANSIENT}, None, False),
        ("optOutOn: [bounced]\n", "Failed", {"code": "7240"}, "bounced", True),
        ("optOutOn: [bounced]\n", "Complaint", {"code": "7521"}, "complaint", False),
        ("optOutOn: []\n", "Failed", {"code": "7241"}, "unsubscribed", False),
        ("", "Failed", {"code": "7524"}, None, False),
    ],
)
def test_what_a_receipt_means_is_shown_and_opts_out_where_the_project_says_so(
    production: Any,
    foreign: Any,
    on: str,
    status: str,
    given: dict[str, str],
    reason: str | None,
    *,
    stops: bool,
) -> None:
    production.write(**{"stop.csv": "# nobody\n"})
    settings(production, more=on)
    mail(production, "")
    assert production.apply().code == 0
    ingest(production, receipt(foreign.requests[0].body, 0, status, **given))
    [row] = production("status", "--format", "json").json["notifications"]
    shown = {name for name in ("complaint", "unsubscribed", "bounced") if name in row["receipts"]}
    assert shown == ({reason} if reason else set())
    explained = production("explain", "news", "--recipient", "ada@inside.example", "--format", "json").json
    assert explained["received"][0]["opt_outs"] == ([reason] if reason else [])
    mail(production, "", edition=2)
    plan = production.plan()
    assert plan["summary"]["resend"] == (1 if stops else 2)
    if stops:
        assert plan["notifications"][0]["reasons"]["suppressed"] == {f"opted-out: {reason}": 1}
        assert production.apply().code == 0
        assert foreign.addresses[2:] == ["bob@inside.example"]


@pytest.mark.parametrize("channel", ["RCS", "SMS"])
@pytest.mark.parametrize("form", ["flat", "nested"])
def test_an_inbound_unsubscription_is_taken_in_and_opts_out(
    production: Any, foreign: Any, channel: str, form: str
) -> None:
    rcs(production, "# nobody\n")
    assert production.apply().code == 0
    number = NUMBERS[1].lstrip("+")
    flat = {"channel": channel, "event": "UNSUBSCRIBE", "oa": number, "tid": "1"}
    nested = {"inbound": {"channel": channel, "message": {"type": "unsubscribe"}, "msisdn": int(number)}}
    ingest(production, nested if form == "nested" else flat)
    production.write(outage=RCS + "edition: 2\n")
    assert production.plan()["summary"]["resend"] == (3 if channel == "RCS" else 4)
    assert production("status", "--format", "json").json["notifications"][0]["outcomes"]["accepted"] == 4


def test_what_was_left_out_of_a_request_without_an_answer_is_kept(production: Any, foreign: Any) -> None:
    mail(production, "cc: [boss@inside.example]", stop="boss@inside.example\n")
    foreign.answers = [(500, b"")]
    assert production.apply().code == 7
    explained = production("explain", "news", "--recipient", "ada@inside.example").out
    assert "sent without cc 1 (opted-out)" in explained


def test_an_inbound_unsubscription_proves_nothing_of_a_message(production: Any, foreign: Any) -> None:
    rcs(production, "# nobody\n")
    foreign.answers = [(400, b'{"code":"7004","message":"Invalid parameter - from"}')]
    assert production.apply().code == 6
    ingest(production, {"channel": "RCS", "event": "UNSUBSCRIBE", "oa": NUMBERS[1]})
    [row] = production("status", "--format", "json").json["notifications"]
    assert row["outcomes"]["rejected"] == 4
    assert production.plan()["summary"]["retry"] == 3
