"""The alphabet of an SMS: `type: text` is sent in GSM-7, where any other character arrives as another one, or not at all (rule 64)."""

from __future__ import annotations

from collections.abc import Iterator

from notifyctl.channels.segments import first_non_gsm7, is_unicode
from notifyctl.diagnostics import Problem
from notifyctl.model.message import PLACEHOLDER, Message
from notifyctl.model.project import ChannelName
from notifyctl.rulebook.sms import NEEDS_UNICODE


def check_alphabet(message: Message) -> Iterator[Problem]:
    """The template's own words, as composed. Values are checked for each reader, by the same rule."""
    content = message.content or {}
    text = content.get("text")
    if message.channel is not ChannelName.SMS or is_unicode(content) or not isinstance(text, str):
        return
    character = first_non_gsm7(text) and first_non_gsm7(PLACEHOLDER.sub("", text))
    if character is not None:
        yield NEEDS_UNICODE.broken(("content", "text"), *describe_non_gsm7(character, ""))


def describe_non_gsm7(character: str, where: str) -> tuple[str, str]:
    """(message, hint). `where` names the variable that the character comes from, with a blank before it."""
    return (
        f"{character!r} (U+{ord(character):04X}){where} is not in GSM-7, and the content is `type: text`",
        "write `type: unicode`, or another character",
    )
