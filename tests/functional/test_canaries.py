"""Nothing that a message carries is hidden from its reviewer: a word of its own in every field of the format is found in every view.

The fields come from the shapes that loader and schemas read, so that a new field of a channel or notification is tried by itself. It
fails here until views show it, or until somebody says in `NOT_SENT` why it is not sent.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from notifyctl.app.inbox import show_inbox
from notifyctl.app.workspace import open_workspace
from notifyctl.channels import CHANNELS
from notifyctl.config.fields import (
    Boolean,
    Cases,
    Choice,
    Field,
    Integer,
    Items,
    Record,
    Shape,
    Table,
    Text,
)
from notifyctl.config.kinds.notification import notification
from notifyctl.model.project import ChannelName

NOT_SENT = {
    "apiVersion": "of the file",
    "kind": "of the file",
    "name": "of the file; heads each notification of a plan",
    "edition": "heads each notification of a plan",
    "template": "its content and options are tried",
    "audience": "who it is sent to",
    "schedule": "when it is sent",
    "substitutions": "tried as values in the text",
    "options": "tried with the channel's own shape",
    "joiners": "who it is sent to",
    "onUnknown": "who it is sent to",
    "limits": "who it is sent to",
    "suppressions": "who it is sent to",
    "acknowledge": "who it is sent to",
}
"""Keys of a Notification that go into no request as they are."""
OF_CHANNEL = {
    "cc": ChannelName.EMAIL,
    "bcc": ChannelName.EMAIL,
    "multipleToRecipients": ChannelName.EMAIL,
    "smartlinks": ChannelName.SMS,
    "batchId": ChannelName.SMS,
}
"""Keys of a Notification that only one channel has."""
SENDERS = {ChannelName.SMS: "{}", ChannelName.EMAIL: "{}@acme.example", ChannelName.RCS: "a_{}"}
MARKUP = """<!doctype html><html><head><title>{0}</title><style>p:after {{content: "{1}"}} .pre {{display: none}}</style>
<script type="application/ld+json">{{"name": "{2}"}}</script></head><body>
<div class="pre">{3}</div><p title="{4}">{5} <b>{6}</b></p><div style="display:none">{7}</div>
<a href="https://acme.example/{8}" title="{9}"><img src="https://acme.example/{10}.png" alt="{11}"></a>
<img src="https://acme.example/{12}.png" alt=""><table summary="{13}"><tr><td aria-label="{14}">$(value)</td></tr></table>
<!--[if mso]><p>{15}</p><v:rect href="https://acme.example/{16}"></v:rect><![endif]--></body></html>"""
SEEN_IN_MARKUP = (*range(10), *range(11, 17))
"""Words of MARKUP by number, but for the address of a picture that has a text of its own."""


class Writer:
    """Fills shapes with values, each with a word of its own. `words` are what views must show."""

    def __init__(self, profile: str) -> None:
        self.profile = profile
        self.words: list[str] = []
        self.number = 0
        self.turn = 0
        """Of the cases of a list, such as the kinds of suggestions: each list begins where the last one ended."""

    def word(self, form: str = "{}", *, digits: bool = False) -> str:
        self.number += 1
        word = f"77009{self.number:05}" if digits else f"kw{self.number:04}x"
        self.words.append(word)
        return form.format(word)

    def markup(self) -> str:
        words = [self.word() for _ in range(17)]
        self.words = [word for word in self.words if word not in words or words.index(word) in SEEN_IN_MARKUP]
        return MARKUP.format(*words)

    def record(self, record: Record, **given: Any) -> dict[str, Any]:
        made = dict(given)
        left_out = {name for group in (*record.exactly_one, *record.at_most_one) for name in group[1:]}
        for field in record.fields:
            if field.name not in made and field.name not in left_out and self.has(field):
                made[field.name] = self.value(field.name, field.shape)
        return made

    def has(self, field: Field) -> bool:
        return getattr(field, "profile", None) in {None, self.profile}

    def value(self, name: str, shape: Shape) -> Any:
        if name in SPECIAL:
            return SPECIAL[name](self)
        match shape:
            case Text():
                assert (shape.pattern or shape.parse) is None, f"add a value for {name} to SPECIAL"
                return self.word()
            case Choice():
                self.words.append(shape.values[0])
                return shape.values[0]
            case Integer():
                value = min(4000 + self.number, shape.maximum or 9999)
                self.number += 1
                self.words.append(str(value))
                return value
            case Boolean():
                self.words.append(name)
                return True
            case Table():
                return {self.word(): self.word()}
            case Items():
                return self.items(name, shape)
            case Record():
                return self.record(shape)
        raise AssertionError(f"add a value for {name} to SPECIAL")

    def items(self, name: str, shape: Items) -> list[Any]:
        count = max(shape.min_items, min(shape.max_items or 2, 6 if name == "suggestions" else 2))
        if not isinstance(shape.item, Cases):
            return [self.value(name, shape.item) for _ in range(count)]
        kinds = list(shape.item.cases.items())
        chosen = [kinds[(self.turn + each) % len(kinds)] for each in range(count)]
        self.turn += count
        return [self.record(record, type=kind) for kind, record in chosen]


def place(writer: Writer) -> float:
    writer.number += 1
    writer.words.append(f"51.{writer.number:04}1")
    return float(writer.words[-1])


def number(writer: Writer) -> str:
    writer.number += 1
    writer.words.append(f"+447700900{writer.number % 1000:03}")
    return writer.words[-1]


def fixed(value: Any, shown: str) -> Any:
    def make(writer: Writer) -> Any:
        writer.words.append(shown)
        return value

    return make


def page(writer: Writer) -> str:
    return writer.word("https://acme.example/{}.png")


def address(writer: Writer) -> str:
    return writer.word("{}@acme.example")


SPECIAL: Mapping[str, Any] = {
    "html": Writer.markup,
    "latitude": place,
    "longitude": place,
    "startTime": fixed("2031-03-17T09:00:00Z", "2031-03-17 09:00 UTC"),
    "endTime": fixed("2031-03-18T10:30:00Z", "2031-03-18 10:30 UTC"),
    "phone": number,
    "url": page,
    "mediaUrl": page,
    "mediaContentUrl": page,
    "thumbnailUrl": page,
    "domain": page,
    "notifyUrl": page,
    "listUnsubscribeUrl": page,
    "unsubscribeEmailAddress": address,
    "replyTo": address,
    "cc": lambda writer: [address(writer), address(writer)],
    "bcc": lambda writer: [address(writer)],
    "mimeType": fixed("image/png", "image/png"),
    "contentType": fixed("image/png", "image/png"),
    "carrierId": lambda writer: writer.word(digits=True),
    "priority": fixed(3, "priority 3"),
    "requestedReceipts": fixed(["delivered", "failed"], "delivered, failed"),
    "size": fixed(12_345, "12.3 kB"),
    "height": fixed("MEDIUM", "MEDIUM"),
    "multipleToRecipients": fixed(False, "multipleToRecipients false"),
    "channelCheckConsent": fixed(True, "checks consent"),
    "channelApplyFrequencyCap": fixed(True, "frequency cap"),
    "event": fixed("READ", "READ"),
    "type": fixed("text", ""),
}
"""Fields that take no word as it is → what they are given, and what views show of it."""
COMPLETE = {"text": "{} at https://acme.example/ $(value)"}
"""Texts of a message, which have a link to shorten and a value."""


def messages() -> Iterator[tuple[ChannelName, str]]:
    for channel, each in CHANNELS.items():
        for kind in each.shape.content.cases:
            yield channel, kind


def project_of(channel: ChannelName, kind: str, profile: str) -> tuple[dict[str, str], list[str]]:
    """(files, words that each view shows)."""
    shape, writer = CHANNELS[channel].shape, Writer(profile)
    own = {"text": writer.word(COMPLETE["text"])} if "text" in names(shape.content.cases[kind]) else {}
    content = writer.record(shape.content.cases[kind], type=kind, **own)
    event = kind == "agentEvent"
    fallback = {} if "smsFallback" not in names(shape.options) or event else {"smsFallback": True}
    options = {} if event else writer.record(shape.options, **fallback)
    around = {
        field.name: writer.value(field.name, field.shape)
        for field in notification([each.shape for each in CHANNELS.values()]).fields
        if field.name not in {*NOT_SENT, "from"}
        and writer.has(field)
        and OF_CHANNEL.get(field.name, channel) is channel
    }
    sender = writer.word(SENDERS[channel], digits=channel is ChannelName.RCS)
    document = {
        "apiVersion": "notifyctl/v1",
        "kind": "Notification",
        "name": "n",
        "template": {"channel": channel.value, "content": content, "options": options},
        "audience": {"recipients": [{channel.address_field: to(channel)}]},
        "from": sender,
        "substitutions": {"value": writer.word()} if "$(value)" in json.dumps(content) else {},
        **around,
    }
    environment = {"provider": "sandbox", "profile": profile}
    lint = {"rcs-placeholder-outside-text": "off", "short-link-domain-missing": "off"}
    head = {"apiVersion": "notifyctl/v1", "kind": "Project", "name": "acme", "lint": lint}
    files = {
        "notifyctl": yaml.safe_dump({**head, "environments": {"sandbox": environment}}),
        "n": yaml.safe_dump(document),
    }
    return files, [word for word in writer.words if word]


def names(record: Record) -> set[str]:
    return {field.name for field in record.fields}


def to(channel: ChannelName) -> str:
    return "ada@acme.example" if channel is ChannelName.EMAIL else "+447700900123"


def folded(text: str) -> str:
    return " ".join(text.split())


COMMANDS = {
    "plan": ("plan",),
    "markdown": ("plan", "--format", "markdown"),
    "json": ("plan", "--format", "json"),
    "render": ("render", "n", "--reveal"),
    "preview": ("preview", "--out", "-"),
}


@pytest.mark.parametrize("profile", ["2021", "6.20"])
@pytest.mark.parametrize(("channel", "kind"), list(messages()))
def test_every_field_is_found_in_every_view(cli: Any, channel: ChannelName, kind: str, profile: str) -> None:
    files, words = project_of(channel, kind, profile)
    cli.write(**files)
    assert hidden_words(cli, words) == {view: [] for view in COMMANDS}
    assert cli.apply().code == 0
    inbox = folded(cli("sandbox", "inbox", "--reveal").out)
    page = folded(seen_in(show_inbox(open_workspace(cli.root))))
    # The size of an attachment is never sent, and a batch id only with what the provider holds until it is due.
    unsent = {"12.3 kB", yaml.safe_load(files["n"]).get("batchId")}
    assert [word for word in words if not (word in inbox and word in page) and word not in unsent] == []


@pytest.mark.parametrize("channel", list(CHANNELS))
def test_what_fills_a_template_of_the_provider_is_found(cli: Any, channel: ChannelName) -> None:
    writer = Writer("2021")
    document = {
        "apiVersion": "notifyctl/v1",
        "kind": "Notification",
        "name": "n",
        "template": {"channel": channel.value, "id": writer.word()},
        "audience": {
            "recipients": [
                {channel.address_field: to(channel), "substitutions": {writer.word(): writer.word()}}
            ]
        },
        "substitutions": {"all": writer.word()},
    }
    cli.write(notifyctl=yaml.safe_dump({"apiVersion": "notifyctl/v1", "kind": "Project", "name": "acme"}))
    cli.write(n=yaml.safe_dump(document))
    assert hidden_words(cli, writer.words) == {view: [] for view in COMMANDS}


def hidden_words(
    cli: Any, words: list[str], views: Mapping[str, tuple[str, ...]] | None = None
) -> dict[str, list[str]]:
    """View → the words that it does not show."""
    hidden = {}
    for view, command in (views or COMMANDS).items():
        result = cli(*command)
        assert result.code in {0, 2}, result.err
        shown = folded(parts_in(result.json) if view == "json" else seen_in(result.out))
        hidden[view] = [word for word in words if word not in shown]
    return hidden


def seen_in(text: str) -> str:
    """The text of a page, without its styles, scripts and attributes; of anything else all of it."""
    if not text.startswith("<!doctype html>"):
        return html.unescape(text)
    page = re.sub(r"(?s)<(style|script|head)\b.*?</\1>", "", text)
    return html.unescape(re.sub(r"<[^<>]*>", "", page))


def parts_in(plan: Any) -> str:
    """The parts and settings in a plan's JSON, without the content from which they are made."""
    return "\n".join(
        f"{planned['from']} {json.dumps(planned['request'])} {list(texts_of(planned))}"
        for planned in plan["notifications"]
    )


def texts_of(planned: Any) -> Iterator[str]:
    for sample in planned["samples"]:
        yield from walk(sample["parts"])
    yield from walk(planned["settings"])


def walk(parts: Any) -> Iterator[str]:
    for part in parts:
        yield f"{part.get('label', '')} {part.get('text', '')}"
        yield from walk(part.get("parts", ()))


def test_every_locale_is_found_however_many_there_are(cli: Any) -> None:
    writer = Writer("2021")
    locales = ["bg", "cs", "da", "de", "el", "es", "et", "fi", "fr", "hr", "hu", "it", "lt", "lv"]
    texts = {locale: {"content": {"text": writer.word()}} for locale in locales}
    recipients = [
        {"msisdn": f"+4477009001{number:02}", "locale": locale} for number, locale in enumerate(locales)
    ]
    document = {
        "apiVersion": "notifyctl/v1",
        "kind": "Notification",
        "name": "n",
        "template": {"channel": "sms", "content": {"type": "text", "text": writer.word()}, "locales": texts},
        "audience": {"recipients": [{"msisdn": "+447700900199"}, *recipients]},
    }
    cli.write(notifyctl=yaml.safe_dump({"apiVersion": "notifyctl/v1", "kind": "Project", "name": "acme"}))
    cli.write(n=yaml.safe_dump(document))
    views = {view: command for view, command in COMMANDS.items() if view != "render"}
    assert hidden_words(cli, writer.words, views) == {view: [] for view in views}


CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
STEERING = "&#27;[2J&#x202e;``` </details> <script>alert(1)</script>"
"""What steers a terminal, turns the direction of text, ends a block of Markdown or runs in a page."""


def test_parts_steer_no_terminal_no_comment_and_no_page(cli: Any) -> None:
    said = html.unescape(STEERING)
    attribute = STEERING.replace("<", "&lt;").replace(">", "&gt;")
    markup = f'<title>{attribute}</title><p title="{attribute}">{attribute}</p><a href="https://a.example/{attribute}">x</a>'
    document = {
        "apiVersion": "notifyctl/v1",
        "kind": "Notification",
        "name": "n",
        "callbackData": said,
        "template": {
            "channel": "email",
            "content": {
                "type": "html",
                "subject": said,
                "html": markup,
                "text": said,
                "attachments": [
                    {"name": said, "mimeType": "application/pdf", "mediaUrl": "https://a.example/a.pdf"}
                ],
            },
            "options": {"fromName": said},
        },
        "audience": {"recipients": [{"email": "ada@acme.example"}]},
    }
    cli.write(notifyctl=yaml.safe_dump({"apiVersion": "notifyctl/v1", "kind": "Project", "name": "acme"}))
    cli.write(n=yaml.safe_dump(document))
    for view, command in COMMANDS.items():
        result = cli(*command)
        assert result.code in {0, 2}, result.err
        if view != "json":
            assert not CONTROLS.search(result.out), view
    comment = cli(*COMMANDS["markdown"]).out
    outside = re.sub(r"(?ms)^(`{3,})text\n.*?^\1$", "", comment)
    assert "alert(1)" in comment
    assert "alert(1)" not in outside
    page = cli(*COMMANDS["preview"]).out
    assert "<script>alert" not in page
