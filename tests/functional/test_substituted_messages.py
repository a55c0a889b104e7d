"""Rules look at what is sent: what a value makes of a text is told by lint, and whoever it is wrong for gets nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from notifyctl.exit_codes import ExitCode
from notifyctl.lint.rule_pages import PAGES

RULES = Path(__file__).parents[1] / "cases" / "rules"
ERRORS = sorted(path.name for path in RULES.iterdir() if PAGES[path.name].severity == "error")
PROJECT = """\
apiVersion: notifyctl/v1
kind: Project
name: acme
environments: {sandbox: {provider: sandbox, senders: {sms: CNNECT, email: alerts@acme.example, rcs: a_1}}}
"""
ADDRESSES = {"email": ("ada@acme.example", "bob@acme.example"), "msisdn": ("+447700900123", "+447700900124")}


def write(
    cli: Any, channel: str, content: Any, *, options: Any = None, bad: str, good: str, **more: Any
) -> None:
    """Two people with a value each: the first has `bad`."""
    field = "email" if channel == "email" else "msisdn"
    people = [
        {field: address, "substitutions": {"value": value}}
        for address, value in zip(ADDRESSES[field], (bad, good), strict=True)
    ]
    document = {
        "apiVersion": "notifyctl/v1",
        "kind": "Notification",
        "name": "n",
        "template": {"channel": channel, "content": content, **({"options": options} if options else {})},
        "audience": {"recipients": people},
        **more,
    }
    cli.write(notifyctl=PROJECT, n=json.dumps(document))


def told(cli: Any) -> list[tuple[str, str]]:
    """(rule, severity) of what lint says of a value, information left out."""
    found = json.loads(cli("lint", "--format", "json").out)["diagnostics"]
    return [(each["rule"], each["severity"]) for each in found if each["severity"] != "info"]


def reasons(cli: Any) -> Any:
    [planned] = cli.plan()["notifications"]
    assert planned["actions"].get("send", 0) + planned["actions"].get("blocked", 0) == 2
    return planned["reasons"].get("blocked", {})


def mail(**content: Any) -> Any:
    return {"type": "text", "subject": "Hello", "text": "Hello", **content}


def html(text: str) -> Any:
    return {"type": "html", "subject": "Hello", "html": text}


def chip(**given: Any) -> Any:
    given = {"displayText": "Go", "postbackData": "go", **given}
    return {"type": "text", "text": "Hello", "suggestions": [given]}


def event(start: str, end: str = "2027-12-01T11:00:00Z") -> Any:
    return chip(type="calendarEvent", startTime=start, endTime=end, meetingTitle="Visit")


def carousel(**card: Any) -> Any:
    plain = {"title": "One", "media": {"height": "SHORT", "url": "https://acme.example/a.png"}}
    return {"type": "carousel", "width": "SMALL", "cards": [plain, {**plain, **card}]}


URL = chip(type="openUrl", url="$(value)")
FILE = {"mimeType": "application/pdf", "name": "plan.pdf", "mediaUrl": "https://acme.example/plan.pdf"}

BLOCKED = [
    *(
        (
            "email",
            mail(subject="Hi $(value)"),
            {},
            f"Ada{line}Bcc: eve@acme.example",
            "Ada",
            "header-one-line",
        )
        for line in ("\n", "\r\n", "\r", "\x85", "\u2028", "\x0b")
    ),
    ("email", mail(), {"fromName": "Acme $(value)"}, "a\nb", "a", "header-one-line"),
    (
        "email",
        mail(replyTo="$(value)"),
        {},
        "desk@acme.example\nX-Extra: 1",
        "desk@acme.example",
        "header-one-line",
    ),
    ("email", mail(replyTo="$(value)"), {}, "the desk", "desk@acme.example", "reply-to-address"),
    ("email", mail(replyTo="$(value)@acme.example"), {}, "a b", "desk", "reply-to-address"),
    ("email", mail(replyTo="$(value)"), {}, "$(x)@acme.example", "desk@acme.example", "reply-to-address"),
    ("email", mail(attachments=[{**FILE, "name": "$(value).pdf"}]), {}, "a\nb", "a", "header-one-line"),
    (
        "email",
        mail(attachments=[{**FILE, "mediaUrl": "$(value)"}]),
        {},
        "plan.pdf",
        FILE["mediaUrl"],
        "attachment-url",
    ),
    (
        "email",
        html('<a href="$(value)">go</a>'),
        {},
        "javascript:alert(1)",
        "https://acme.example",
        "active-markup",
    ),
    (
        "email",
        html('<a href="$(value)">go</a>'),
        {},
        " JavaScript:alert(1)",
        "https://acme.example",
        "active-markup",
    ),
    (
        "email",
        html('<a href="$(value)">go</a>'),
        {},
        "java\nscript:x",
        "https://acme.example",
        "active-markup",
    ),
    (
        "email",
        html('<a href="$(value)">go</a>'),
        {},
        "&#106;avascript:x",
        "https://acme.example",
        "active-markup",
    ),
    ("email", html('<a href="$(value):x">go</a>'), {}, "javascript", "https", "active-markup"),
    ("email", html("<a href=$(value)>go</a>"), {}, "vbscript:x", "https://acme.example", "active-markup"),
    ("email", html("<p>$(value)</p>"), {}, "<script>alert(1)</script>", "Ada", "active-markup"),
    ("email", html('<p title="$(value)">x</p>'), {}, '" onclick="alert(1)', "Ada", "active-markup"),
    (
        "rcs",
        {"type": "text", "text": "Hi"},
        {"smsFallback": True, "smsSenderId": "ACME", "text": "Hi $(value)"},
        "L" * 1022,
        "L" * 1021,
        "fallback-text-length",
    ),
    (
        "rcs",
        {"type": "text", "text": "Hi"},
        {"smsFallback": True, "smsSenderId": "$(value)", "text": "Hi"},
        "ACMEPOWERGRID",
        "ACME",
        "sms-sender",
    ),
    (
        "rcs",
        {"type": "text", "text": "Hi"},
        {"smsFallback": True, "smsSenderId": "$(value)", "text": "Hi"},
        "+4477",
        "ACME",
        "sms-sender",
    ),
    ("rcs", URL, {}, "javascript:alert(1)", "https://acme.example", "open-url"),
    ("rcs", URL, {}, "acme.example/a", "https://acme.example/a", "open-url"),
    ("rcs", URL, {}, "$(javascript:alert)", "https://acme.example/a", "open-url"),
    ("rcs", chip(type="openUrl", url="https://acme.example/$(value)"), {}, "a b", "a", "open-url"),
    (
        "rcs",
        chip(type="dialPhone", phone="$(value)"),
        {},
        "not a number",
        "+447700900999",
        "dial-phone-number",
    ),
    ("rcs", chip(type="reply", displayText="$(value)"), {}, "L" * 26, "L" * 25, "suggestion-text-long"),
    ("rcs", chip(type="reply", displayText="$(value)"), {}, "", "Yes", "suggestion-text"),
    ("rcs", event("$(value)"), {}, "yesterday", "2027-12-01T10:00:00Z", "calendar-event-times"),
    ("rcs", event("$(value)"), {}, "2027-12-01T12:00:00Z", "2027-12-01T10:00:00Z", "calendar-event-times"),
    (
        "rcs",
        {"type": "media", "mediaContentUrl": "$(value)"},
        {},
        "http://a b/c.png",
        "https://acme.example/a.png",
        "media-url",
    ),
    (
        "rcs",
        {"type": "media", "mediaContentUrl": "https://acme.example/$(value)"},
        {},
        "a",
        "a.png",
        "media-file-type",
    ),
    (
        "rcs",
        {"type": "media", "mediaContentUrl": "https://acme.example/$(value).png"},
        {},
        "a" * 2048,
        "a",
        "media-content-url",
    ),
    (
        "rcs",
        carousel(media={"height": "SHORT", "url": "$(value)"}),
        {},
        'https://acme.example/"a" b.png',
        "https://acme.example/b.png",
        "media-url",
    ),
    (
        "rcs",
        carousel(
            suggestions=[{"type": "openUrl", "displayText": "Go", "url": "$(value)", "postbackData": "g"}]
        ),
        {},
        "file:///etc",
        "https://acme.example",
        "open-url",
    ),
]


@pytest.mark.parametrize(("channel", "content", "options", "bad", "good", "rule"), BLOCKED)
def test_a_value_that_breaks_a_rule_blocks_that_person(
    cli: Any, channel: str, content: Any, options: Any, bad: str, good: str, rule: str
) -> None:
    write(cli, channel, content, options=options, bad=bad, good=good)
    assert (rule, "error") in told(cli)
    assert reasons(cli) == {rule: 1}
    sent = [
        json.loads(line)
        for line in cli("apply", "--dry-run", "--reveal", "--format", "json").out.splitlines()
    ]
    field = "email" if channel == "email" else "msisdn"
    assert [entry[field] for each in sent for entry in each["body"]["to"]] == [[ADDRESSES[field][1]]]
    write(cli, channel, content, options=options, bad=good, good=good)
    assert reasons(cli) == {}
    assert (rule, "error") not in told(cli)


@pytest.mark.parametrize(
    ("channel", "content", "options", "bad", "good", "rule"),
    [each for each in BLOCKED[::3] if "$(" not in each[3]],
)
def test_what_blocks_as_a_value_is_an_error_where_it_is_written_out(
    cli: Any, channel: str, content: Any, options: Any, bad: str, good: str, rule: str
) -> None:
    fixed = json.loads(json.dumps([content, options]).replace("$(value)", json.dumps(bad)[1:-1]))
    write(cli, channel, fixed[0], options=fixed[1], bad="", good="")
    assert (rule, "error") in told(cli)
    assert cli("plan").code == ExitCode.ERROR


WARNED = [
    (html("<p>$(value)</p>"), "<a href=https://evil.example>Win</a>", "html-value-markup"),
    (html("<p>$(value)</p>"), "Smith & Sons", "html-value-markup"),
    (html("<p>$(value)</p>"), 'the "best"', "html-value-markup"),
    (html('<p title="$(value)">x</p>'), "a & b", "html-value-markup"),
    (
        html('<a href="https://acme.example/?e=$(value)">x</a>'),
        "ada+news@acme.example",
        "link-value-unencoded",
    ),
    (html('<a href="https://acme.example/?e=$(value)">x</a>'), "a b", "link-value-unencoded"),
    (html('<a href="https://acme.example/?e=$(value)">x</a>'), "50%", "link-value-unencoded"),
    (html('<a href="https://acme.example/$(value)/x">x</a>'), "a#b", "link-value-unencoded"),
    (mail(text="See https://acme.example/?e=$(value)"), "a&b", "link-value-unencoded"),
    (html('<a href="$(value)">x</a>'), "news/today", "relative-link"),
    (html('<a href="$(value)">x</a>'), "http://acme.example", "insecure-link"),
]


@pytest.mark.parametrize(("content", "bad", "rule"), WARNED)
def test_a_value_that_may_be_meant_is_told_and_sent(cli: Any, content: Any, bad: str, rule: str) -> None:
    good = "https://acme.example" if content.get("html", "").startswith('<a href="$(') else "a%20b"
    write(cli, "email", content, bad=bad, good=good)
    assert told(cli).count((rule, "warning")) == 1
    assert cli("lint").code == ExitCode.DONE
    assert reasons(cli) == {}
    write(cli, "email", content, bad=good, good=good)
    assert told(cli) == []


def test_a_link_in_an_sms_is_looked_at_too(cli: Any) -> None:
    content = {"type": "text", "text": "See https://acme.example/?e=$(value)"}
    write(cli, "sms", content, bad="a b", good="a")
    assert told(cli) == [("link-value-unencoded", "warning")]


@pytest.mark.parametrize("sender", ["ACMEPOWERGRID", "ACMEPOWERENERGYLTD"])
def test_the_fallback_s_sender_is_one_of_an_sms(cli: Any, sender: str) -> None:
    options = {"smsFallback": True, "smsSenderId": sender, "text": "Hi"}
    write(cli, "rcs", {"type": "text", "text": "Hi $(value)"}, options=options, bad="a", good="b")
    assert told(cli) == [("sms-sender", "error")]
    assert cli("plan").code == ExitCode.ERROR


def test_the_fallback_s_segments_count_for_the_policy(cli: Any) -> None:
    options = {"smsFallback": True, "smsSenderId": "ACME", "text": "Hi $(value)"}
    content = {"type": "text", "text": "Hi"}
    write(cli, "rcs", content, options=options, bad="L" * 400, good="L", limits={"maxSegments": 2})
    assert reasons(cli) == {"max-segments": 1}


def test_html_that_a_value_makes_too_long_blocks_that_person(cli: Any) -> None:
    write(cli, "email", html("<p>$(value)</p>"), bad="é" * 174_999, good="é" * 174_000)
    assert reasons(cli) == {"email-html-size": 1}


def test_many_rows_are_told_once_for_each_rule_with_their_number(cli: Any) -> None:
    people = "".join(f"p{number}@acme.example,A & B,<\n" for number in range(12))
    notification = {
        "apiVersion": "notifyctl/v1",
        "kind": "Notification",
        "name": "n",
        "template": {"channel": "email", "content": html("<p>$(name)</p><b>$(area)</b>")},
        "audience": {"source": {"file": "people.csv"}},
    }
    cli.write(notifyctl=PROJECT, n=json.dumps(notification), **{"people.csv": "email,name,area\n" + people})
    found = [
        each
        for each in json.loads(cli("lint", "--format", "json").out)["diagnostics"]
        if each["rule"] == "html-value-markup"
    ]
    assert len(found) == 6, "five rows, and how many more there are"
    assert "7 more rows with this problem" in found[-1]["message"]


def test_a_rule_made_a_warning_stops_nobody(cli: Any) -> None:
    write(cli, "rcs", chip(type="reply", displayText="$(value)"), bad="L" * 26, good="Yes")
    cli.write(notifyctl=PROJECT + "lint: {suggestion-text-long: warning}\n")
    assert told(cli) == [("suggestion-text-long", "warning")]
    assert reasons(cli) == {}


@pytest.mark.parametrize("rule", ERRORS)
@pytest.mark.parametrize("environment", ["sandbox", "later"])
def test_what_lint_calls_an_error_is_not_sent(cli: Any, rule: str, environment: str) -> None:
    """Either nothing is planned, or each row with an error is left out."""
    for path in (RULES / rule / "fires").rglob("*"):
        if path.is_file():
            target = cli.root / path.relative_to(RULES / rule / "fires")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    linted = json.loads(cli("lint", "-e", environment, "--format", "json").out)
    planned = cli("plan", "-e", environment, "--format", "json")
    if planned.code == ExitCode.DONE:
        [each] = planned.json["notifications"]
        sends = sum(each["actions"].get(action, 0) for action in ("send", "resend", "retry", "send-new"))
        assert sends + linted["summary"]["errors"] <= each["audience"]["rows"]
    else:
        assert planned.code == ExitCode.ERROR
