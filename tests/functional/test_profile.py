"""Profile 6.20 of the API: its keys, receipts and spellings, from the file to the request; and what profile 2021 says of them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from notifyctl.channels import CHANNELS
from notifyctl.config.documents import document_shapes
from notifyctl.config.fields import NEWER, Cases, Either, Items, Record, Shape, Table

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "profiles.md"
PROJECT = """\
apiVersion: notifyctl/v1
kind: Project
name: case
environments:
  sandbox: {provider: sandbox, profile: "6.20"}
  old: {provider: sandbox}
"""
SMS = """\
apiVersion: notifyctl/v1
kind: Notification
name: sms
template: {channel: sms, content: {type: text, text: "See https://www.acme.example"}}
audience: {recipients: [{msisdn: "+447700900123"}]}
options: {shortenLinks: true, domain: "https://s.acme.example", tag1: december, tag2: outage, allowFallbackURL: true}
notifyUrl: https://hooks.acme.example/r
notifyUrlAuthId: TNPXXXT09U
requestedReceipts: [SUBMITTED, SENT, DELIVERED, FAILED]
contactPolicy: {contactPolicyGroup: g1, channelCheckConsent: true}
"""
HELD = """\
apiVersion: notifyctl/v1
kind: Notification
name: held
template: {channel: sms, content: {type: text, text: Hello}}
audience: {recipients: [{msisdn: "+447700900124"}]}
batchId: december-2026
schedule: soon
---
apiVersion: notifyctl/v1
kind: Schedule
name: soon
at: SOON
handOff: provider
expireAfter: 4h
"""
MAIL = """\
apiVersion: notifyctl/v1
kind: Notification
name: mail
template:
  channel: email
  content:
    type: html
    encoding: utf-8
    subject: Your order
    html: <p>See https://www.acme.example <img src="cid:orderconf" alt="Order"></p>
    attachments:
      - {mimetype: image/jpg, name: order, mediaUrl: "https://static.acme.example/order.jpg", cid: orderconf}
  options:
    shortenLinks: true
    domain: https://s.acme.example
    tag1: december
    tag2: outage
    allowFallbackURL: false
    listUnsubscribeUrl: https://www.acme.example/out
    unsubscribeEmailAddress: out@acme.example
    unsubscribeEmailSubject: Out
audience: {recipients: [{email: ada@acme.example}]}
notifyUrl: https://hooks.acme.example/r
requestedReceipts: [submitted, delivered, read, clicked, bounce, not verified, invalid, complaint, failed]
multipleToRecipients: false
"""
STORED = """\
apiVersion: notifyctl/v1
kind: Notification
name: stored
template: {channel: email, template: {id: 5S2XXXXFNR, subject: "Hello $(name) of {{ 'Acme' }}"}}
audience: {recipients: [{email: grace@acme.example, substitutions: {name: Grace}}]}
"""
CARD = """\
apiVersion: notifyctl/v1
kind: Notification
name: card
template:
  channel: rcs
  content:
    type: standalone
    richCard:
      title: Hello
      description: See https://www.acme.example
      orientation: HORIZONTAL
      thumbnailAlignment: LEFT
      media: {url: "https://static.acme.example/a.png", height: SHORT, filesize: 12864}
      thumbnail:
        {url: "https://static.acme.example/a.gif", height: SHORT, fileSize: 128, contentType: image/gif, description: small}
  options: {shortenLinks: true, trackClicks: true, domain: "https://s.acme.example", tag1: december, tag2: outage, allowFallbackURL: true}
audience: {recipients: [{msisdn: "+447700900125"}]}
notifyUrl: https://hooks.acme.example/r
requestedReceipts: [Sent, Clicked, Delivered, Read, Failed]
"""
LINKS = {"shortenLinks": True, "domain": "https://s.acme.example", "tag1": "december", "tag2": "outage"}


@pytest.fixture
def newer(cli: Any) -> Any:
    soon = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%dT%H:%MZ}"
    cli.write(
        notifyctl=PROJECT, sms=SMS, held=HELD.replace("SOON", soon), mail=MAIL, stored=STORED, card=CARD
    )
    return cli


def requests(cli: Any) -> dict[str, Any]:
    """The body of each request of a dry run, by what tells them apart."""
    dry = cli("apply", "--dry-run", "--reveal", "--format", "json")
    assert dry.code == 0, dry.err
    bodies = [line["body"] for line in dry.lines]
    return {body["to"][0].get("msisdn", body["to"][0].get("email"))[0]: body for body in bodies}


def fields_of(shape: Shape) -> Iterator[str]:
    """The keys that only profile 6.20 has, in a shape and in those inside it."""
    match shape:
        case Record():
            for field in shape.fields:
                if field.profile == NEWER:
                    yield field.name
                else:
                    yield from fields_of(field.shape)
        case Cases():
            for record in shape.cases.values():
                yield from fields_of(record)
        case Either():
            yield from fields_of(shape.mapping)
        case Items():
            yield from fields_of(shape.item)
        case Table():
            yield from fields_of(shape.value)


def test_the_projects_here_use_every_key_of_the_profile() -> None:
    shapes = document_shapes([channel.shape for channel in CHANNELS.values()])
    known = {name for shape in shapes.values() for name in fields_of(shape)}
    text = SMS + HELD + MAIL + STORED + CARD
    assert known
    assert {name for name in known if f"{name}:" not in text} == set()


def test_the_page_about_profiles_lists_every_key() -> None:
    page = PAGE.read_text(encoding="utf-8")
    keys = page.partition("## Keys of profile 6.20")[2].partition("\n## ")[0]
    shapes = document_shapes([channel.shape for channel in CHANNELS.values()])
    known = {name for shape in shapes.values() for name in fields_of(shape)}
    assert {name for name in known if f"`{name}`" not in keys} == set()


def test_it_is_all_sound_in_that_profile(newer: Any) -> None:
    result = newer("lint")
    assert result.code == 0, result.out
    assert "0 errors" in result.out or "No problems" in result.out
    assert "warning" not in result.out.replace("0 warnings", "")


def test_in_the_older_profile_each_key_is_an_error_that_names_the_profile(newer: Any) -> None:
    result = newer("lint", "-e", "old", "--format", "json")
    told = {
        each["message"].split("`")[1].rpartition(".")[2]
        for each in result.json["diagnostics"]
        if each["rule"] == "profile-key"
    }
    shapes = document_shapes([channel.shape for channel in CHANNELS.values()])
    known = {name for shape in shapes.values() for name in fields_of(shape)}
    assert told == known
    assert newer("plan", "-e", "old").code == 1


def test_the_requests_have_them_as_the_pages_spell_them(newer: Any) -> None:
    made = requests(newer)
    sms, mail, stored, card = (
        made[key] for key in ("+447700900123", "ada@acme.example", "grace@acme.example", "+447700900125")
    )
    held = made["+447700900124"]
    assert (held["batchId"], held["validity"]) == ("december-2026", "14400")
    assert sms["options"] == {**LINKS, "allowFallbackURL": "true"}
    assert sms["contactPolicy"] == {"contactPolicyGroup": "g1", "channelCheckConsent": True}
    assert sms["notifyUrlAuthId"] == "TNPXXXT09U"
    assert sms["requestedReceipts"] == ["SUBMITTED", "SENT", "DELIVERED", "FAILED"]
    assert mail["multipleToRecipients"] is False
    assert mail["content"]["encoding"] == "utf-8"
    assert mail["content"]["attachments"] == [
        {
            "mimetype": "image/jpg",
            "name": "order",
            "mediaUrl": "https://static.acme.example/order.jpg",
            "cid": "orderconf",
        }
    ]
    assert mail["options"] == {
        **LINKS,
        "allowFallbackURL": "false",
        "listUnsubscribeUrl": "https://www.acme.example/out",
        "unsubscribeEmailAddress": "out@acme.example",
        "unsubscribeEmailSubject": "Out",
    }
    assert stored["template"] == {"id": "5S2XXXXFNR", "subject": "Hello $(name) of Acme"}
    assert stored["to"][0]["substitutions"] == {"name": "Grace"}
    assert card["content"]["richCard"]["media"]["fileSize"] == 12864
    assert card["content"]["richCard"]["thumbnail"] == {
        "url": "https://static.acme.example/a.gif",
        "height": "SHORT",
        "fileSize": 128,
        "contentType": "image/gif",
        "description": "small",
    }
    assert card["options"] == {**LINKS, "trackClicks": True, "allowFallbackURL": "true"}
    assert card["requestedReceipts"] == ["Sent", "Clicked", "Delivered", "Read", "Failed"]


SHOWN = {
    "sms": [
        "the provider checks consent, group g1",
        "notifyUrlAuthId TNPXXXT09U",
        "tag1 december",
        "tag2 outage",
        "allowFallbackURL true",
    ],
    "held": ["batchId december-2026"],
    "mail": [
        "multipleToRecipients false",
        "encoding utf-8",
        "shown in the HTML as cid:orderconf",
        "List-Unsubscribe: https://www.acme.example/out, or email to out@acme.example, subject Out",
        "domain https://s.acme.example",
    ],
    "stored": ["Subject: Hello Grace of Acme"],
    "card": [
        "[thumbnail: https://static.acme.example/a.gif]",
        "Thumbnail text: small",
        "thumbnail.contentType image/gif",
    ],
}


@pytest.mark.parametrize("name", SHOWN)
def test_a_plan_shows_them(newer: Any, name: str) -> None:
    for command in (("plan", "--only", name), ("plan", "--only", name, "--format", "markdown")):
        shown = " ".join(newer(*command).out.replace("\\", "").split())
        assert [each for each in SHOWN[name] if each not in shown] == [], shown
    text = newer("plan", "--only", name, "--format", "json").out
    for each in SHOWN[name]:
        assert each.split()[-1].rstrip("]") in text


EFFECTS = [
    ("sms", "notifyUrlAuthId: TNPXXXT09U", "notifyUrlAuthId: TNPXXXT09V", {"route-changed"}),
    (
        "sms",
        "channelCheckConsent: true",
        "channelApplyFrequencyCap: true",
        {"safety-loosened", "safety-tightened"},
    ),
    (
        "sms",
        "channelCheckConsent: true",
        "channelCheckConsent: true, channelApplyFrequencyCap: true",
        {"safety-tightened"},
    ),
    ("sms", "contactPolicy: {contactPolicyGroup: g1, channelCheckConsent: true}\n", "", {"safety-loosened"}),
    ("sms", "contactPolicyGroup: g1", "contactPolicyGroup: g2", {"safety-loosened", "safety-tightened"}),
    ("sms", "tag1: december", "tag1: january", {"delivery-changed"}),
    ("sms", "allowFallbackURL: true", "allowFallbackURL: false", {"text-changed"}),
    ("held", "batchId: december-2026", "batchId: january-2027", {"delivery-changed"}),
    ("mail", "multipleToRecipients: false\n", "", {"delivery-changed"}),
    ("mail", "www.acme.example/out", "www.acme.example/bye", {"text-changed", "route-changed"}),
    ("mail", "encoding: utf-8", "encoding: latin-1", {"text-changed"}),
    ("mail", "orderconf", "order", {"text-changed"}),
    ("stored", "Hello $(name)", "Goodbye $(name)", {"text-changed"}),
    ("card", "a.gif", "b.gif", {"text-changed"}),
    ("card", "description: small", "description: tiny", {"text-changed"}),
]
"""Notification, before, after → the effects that `plan --base` names."""


@pytest.mark.parametrize(("name", "before", "after", "effects"), EFFECTS)
def test_a_review_names_the_effect_of_each(
    newer: Any, name: str, before: str, after: str, effects: set[str]
) -> None:
    def git(*arguments: str) -> None:
        who = ["-c", "user.name=ada", "-c", "user.email=ada@acme.example", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", str(newer.root), *who, *arguments], check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-q", "-m", "x")
    path = newer.root / f"{name}.yaml"
    assert before in path.read_text(encoding="utf-8")
    path.write_text(path.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    result = newer("plan", "--offline", "--base", "main", "--format", "json")
    assert result.code == 0, result.err
    changes = {each["name"]: set(each["effects"]) for each in result.json["review"]["changes"]}
    assert changes == {name: effects}


def test_the_sandbox_accepts_them_and_shows_the_subject(newer: Any) -> None:
    applied = newer("apply")
    assert applied.code == 0, applied.err
    inbox = newer("sandbox", "inbox").out
    assert (
        "order (image/jpg, shown in the HTML as cid:orderconf, https://static.acme.example/order.jpg)"
        in inbox
    )
    assert "Hello Grace of Acme" in inbox


HASHED = [
    ("tag1: december", "tag1: january", False),
    ("contactPolicyGroup: g1", "contactPolicyGroup: g2", False),
    ("notifyUrlAuthId: TNPXXXT09U", "notifyUrlAuthId: TNPXXXT09V", False),
    ("allowFallbackURL: true", "allowFallbackURL: false", True),
]


@pytest.mark.parametrize(("before", "after", "noticed"), HASHED)
def test_only_what_recipients_can_notice_is_another_text(
    newer: Any, before: str, after: str, *, noticed: bool
) -> None:
    assert newer("apply", "--only", "sms").code == 0
    newer.write(sms=SMS.replace(before, after))
    plan = newer.plan("--only", "sms")
    assert plan["summary"]["changed-after-send" if noticed else "unchanged"] == 1


def test_a_new_subject_of_a_stored_template_is_another_text(newer: Any) -> None:
    assert newer("apply", "--only", "stored").code == 0
    newer.write(stored=STORED.replace("Hello $(name)", "Goodbye $(name)"))
    assert newer.plan("--only", "stored")["summary"]["changed-after-send"] == 1


def test_a_review_is_bound_to_the_checks_of_the_provider(newer: Any) -> None:
    """Without the consent check more people would be sent to than the reviewer agreed to."""
    checked = newer.plan("--only", "sms")["digest"]
    newer.write(sms=SMS.replace("contactPolicy: {contactPolicyGroup: g1, channelCheckConsent: true}\n", ""))
    unchecked = newer.plan("--only", "sms")["digest"]
    assert checked != unchecked
    assert newer("apply", "--only", "sms", "--expect", checked).code == 4
    newer.write(sms=SMS)
    assert newer("plan", "--out", str(newer.root / "reviewed.json")).code == 0
    newer.write(sms=SMS.replace("contactPolicy: {contactPolicyGroup: g1, channelCheckConsent: true}\n", ""))
    saved = newer("apply", str(newer.root / "reviewed.json"))
    assert saved.code == 4
    assert "with other checks by the provider" in saved.err
    assert newer("apply", "--only", "sms", "--expect", unchecked).code == 0


@pytest.mark.parametrize(
    ("before", "after", "rule", "says"),
    [
        ("cid: orderconf", "cid: OrderConf", "inline-image-missing", "did you mean cid:OrderConf?"),
        (", cid: orderconf", "", "inline-image-missing", "add `cid: orderconf` to an attachment"),
        ("cid:orderconf", "cid:order%63onf", "", ""),
        (
            'src="cid:orderconf"',
            'src="https://static.acme.example/o.jpg"',
            "inline-image-unused",
            "remove `cid`",
        ),
        ("cid:orderconf", "cid:other", "inline-image-missing", "no attachment has this `cid`"),
        ("<p>See", "<p>Your cid:order, see", "", ""),
        ("<p>See", "<!-- <img src='cid:old'> --><p>See", "", ""),
        (
            "<p>See",
            "<!--[if mso]><v:fill src='cid:vml'/><![endif]--><p>See",
            "inline-image-missing",
            "shows cid:vml",
        ),
        ("<p>See", "<p style='background:url(cid:bg)'>See", "inline-image-missing", "shows cid:bg"),
        ("<p>See", "<table background=cid:tile></table><p>See", "inline-image-missing", "shows cid:tile"),
        ("cid: orderconf", "cid: cid:orderconf", "attachment-cid", "must not start with cid:"),
        (
            "listUnsubscribeUrl: https:",
            "listUnsubscribeUrl: http:",
            "list-unsubscribe",
            "must be an https URL",
        ),
        ("out@acme.example", "out at acme", "list-unsubscribe", "must be one email address"),
        ("multipleToRecipients: false", "multipleToRecipients: true", "shared-to", "the addresses of others"),
    ],
)
def test_what_cannot_work_is_told(newer: Any, before: str, after: str, rule: str, says: str) -> None:
    assert before in MAIL
    newer.write(mail=MAIL.replace(before, after))
    out = " ".join(newer("lint").out.split())
    if rule:
        assert rule in out
        assert says in out
    else:
        assert "inline-image" not in out


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ("{}", "`contactPolicyGroup`"),
        ("{contactPolicyGroup: g1}", "`channelCheckConsent: true` or `channelApplyFrequencyCap: true`"),
        ("{contactPolicyGroup: '', channelCheckConsent: true}", "must not be empty"),
        ("{contactPolicyGroup: g1, channelCheckConsent: yes}", "must be true or false"),
        ("{contactPolicyGroup: g1, checkConsent: true}", "channelCheckConsent"),
    ],
)
def test_a_contact_policy_that_checks_nothing_is_an_error(newer: Any, policy: str, says: str) -> None:
    newer.write(
        sms=SMS.replace("{contactPolicyGroup: g1, channelCheckConsent: true}", policy),
    )
    result = newer("lint")
    assert result.code == 1
    assert says in result.out
    assert newer("apply", "--only", "sms").code == 1


def test_the_name_that_the_table_of_the_documentation_has_leads_to_the_keys(newer: Any) -> None:
    newer.write(sms=SMS.replace("tag1: december, tag2: outage", "tags: december"))
    assert "the keys are `tag1` and `tag2`" in newer("lint").out
