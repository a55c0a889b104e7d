"""Values looked at by columns break the rules that the finished message breaks when it is looked at whole."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from notifyctl.channels import CHANNELS
from notifyctl.diagnostics import Severity
from notifyctl.lint.markup import check_markup
from notifyctl.lint.substituted_messages import SubstitutedMessages
from notifyctl.model.message import Message
from notifyctl.model.project import ChannelName
from notifyctl.recipients.values import ValueTable

PROFILES = ("2021", "6.20")
PIECES = (
    "", " ", "\n", "\r", "\u2028", "Ada", "a b", "é", "<", ">", '"', "'", "&", "&amp;", "%", "%20", "+", "#", "?", "=", ":", "/",
    "javascript:", "JaVaScRiPt:", "&#106;", "data:", "http://", "https://", "acme.example", "ada@acme.example", "<script>", "</a>",
    "<b onclick=x>", "onload=", "+447700900123", "yesterday", "2027-12-01T10:00:00Z", ".png", "L" * 30, "L" * 2100, "{{x}}", "\x00",
)  # fmt: skip
VALUES = st.lists(st.sampled_from(PIECES), max_size=4).map("".join)


def rcs(**content: Any) -> tuple[ChannelName, Any, Any]:
    return ChannelName.RCS, content, {}


def mail(options: Any = None, **content: Any) -> tuple[ChannelName, Any, Any]:
    plain = {"type": "html" if "html" in content else "text", "subject": "Hello", "text": "Hello"}
    return ChannelName.EMAIL, {**plain, **content}, options or {}


def chip(**given: Any) -> tuple[ChannelName, Any, Any]:
    suggestion = {"displayText": "Go", "postbackData": "go", **given}
    return rcs(type="text", text="Hello", suggestions=[suggestion])


MESSAGES = (
    mail(subject="Hi $(value)"),
    mail(subject="$(value)"),
    mail(replyTo="$(value)"),
    mail({"fromName": "$(value)"}),
    mail(text="$(value)"),
    mail(attachments=[{"mimeType": "text/plain", "name": "$(value)", "mediaUrl": "https://acme.example/$(value)"}]),
    mail(html='<p class="$(value)">$(value)</p><!-- $(value) -->'),
    mail(html='<a href="$(value)">x</a> <a href="$(value)/x">y</a><img src="$(value)" alt="">'),
    mail(html="<a href='https://acme.example/$(value)?q=$(value)'>x</a>"),
    mail(html="<a href=$(value)>x</a><td background=$(value)>"),
    mail(html='<a href="$(value):x">x</a><style>p { color: $(value) }</style>'),
    rcs(type="text", text="$(value)"),
    rcs(type="media", mediaContentUrl="$(value)"),
    rcs(type="media", mediaContentUrl="https://acme.example/$(value).png"),
    rcs(type="standalone", richCard={"title": "$(value)", "media": {"height": "TALL", "url": "https://a.example/$(value)"}}),
    chip(type="openUrl", url="$(value)"),
    chip(type="openUrl", url="https://acme.example/$(value)"),
    chip(type="dialPhone", phone="$(value)"),
    chip(type="reply", displayText="$(value)"),
    chip(type="calendarEvent", startTime="$(value)", endTime="2027-12-01T10:00:00Z", meetingTitle="$(value)"),
    (ChannelName.RCS, {"type": "text", "text": "Hi"}, {"smsFallback": True, "smsSenderId": "$(value)", "text": "$(value)"}),
)  # fmt: skip


def errors_of(content: Any, options: Any, channel: ChannelName, profile: str) -> set[str]:
    """By the functions that look at a message that is written out."""
    found = CHANNELS[channel].check(content, options, profile=profile)
    found += CHANNELS[channel].advise(content, options, profile=profile)
    if "html" in content:
        found += check_markup(("content", "html"), content["html"])
    return {problem.rule for problem in found if problem.severity is Severity.ERROR}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("number", range(len(MESSAGES)))
@given(value=VALUES)
def test_a_value_breaks_what_the_finished_message_breaks(number: int, profile: str, value: str) -> None:
    channel, content, options = MESSAGES[number]
    written = json.dumps([content, options])
    filled = json.loads(written.replace("$(value)", json.dumps(value)[1:-1]))
    wanted = errors_of(filled[0], filled[1], channel, profile) - errors_of(content, options, channel, profile)
    message = Message(channel, "A", content, options, names=("value",))
    found = SubstitutedMessages(message, profile=profile).find(ValueTable([["Ada", value]], 2))
    told = {problem.rule for at, problem in found if at == 1 and problem.severity is Severity.ERROR}
    assert wanted <= told | {"rcs-text-length"}, (
        "the words' own length is measured by columns, as of any text"
    )


def test_one_instance_gives_the_same_for_one_person_whoever_else_is_there() -> None:
    channel, content, options = MESSAGES[7]
    message = Message(channel, "A", content, options, names=("other", "value"))
    filled = SubstitutedMessages(replace(message, content=content), profile="2021")
    values = ["https://acme.example", "javascript:x", "https://acme.example", "javascript:x"]
    found = list(filled.find(ValueTable([[None] * 4, values], 4)))
    assert [(at, problem.rule) for at, problem in found if problem.severity is Severity.ERROR] == [
        (1, "active-markup"),
        (3, "active-markup"),
    ]


def test_who_lacks_a_value_is_left_to_the_rule_about_that() -> None:
    channel, content, options = MESSAGES[15]
    message = Message(channel, "A", content, options, names=("value",))
    assert list(SubstitutedMessages(message, profile="2021").find(ValueTable([[None]], 1))) == []
