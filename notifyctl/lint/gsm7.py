"""The alphabet of an SMS: `type: text` is sent in GSM-7, where any other character arrives as another one, or not at all (rule 64)."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from notifyctl.channels.segments import first_non_gsm7, is_unicode
from notifyctl.diagnostics import Problem
from notifyctl.message.source_map import position_of
from notifyctl.model.message import PLACEHOLDER, Message
from notifyctl.model.project import ChannelName
from notifyctl.rulebook.sms import NEEDS_UNICODE


def check_alphabet(message: Message) -> Iterator[Problem]:
    """The template's own words, as composed. Values are checked for each reader, by the same rule."""
    content = message.content or {}
    text = content.get("text")
    if message.channel is not ChannelName.SMS or is_unicode(content) or not isinstance(text, str):
        return
    own = PLACEHOLDER.sub(lambda found: " " * len(found[0]), text)
    character = first_non_gsm7(own)
    if character is not None:
        line, column = position_of(text, own.index(character))
        problem = NEEDS_UNICODE.broken(("content", "text"), *describe_non_gsm7(character, ""))
        yield replace(problem, line=line, column=column)


def describe_non_gsm7(character: str, where: str) -> tuple[str, str]:
    """(message, hint). `where` names the variable that the character comes from, with a blank before it."""
    return (
        f"{character!r} (U+{ord(character):04X}){where} is not in GSM-7, but the content is `type: text`",
        "use `type: unicode`, or another character",
    )
