"""Where a look at all texts together finds nothing, no check of any of them does."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyctl.channels.channel import collect_texts
from notifyctl.lint.content_checks import (
    CONTROL,
    HIDDEN,
    TURNED,
    check_text,
    check_words,
    is_clean,
    is_harmless,
    is_visible,
)
from notifyctl.lint.foreign_placeholders import KnownNames
from notifyctl.lint.secrets_scan import MARKS, has_known_prefix, looks_random
from notifyctl.model.message import Message
from notifyctl.model.project import ChannelName

PIECES = st.one_of(
    st.sampled_from(
        [
            "$(", "$(name)", "$", "(", "a b)", ")", "{", "{{", "${name}", "}}", "%", "%NAME%", "http", "://", "http://a.example",
            "*|FNAME|*", "[[", "]]", "[name]", "<name>", "<%", "%>", "-name-", "$name", ":name", "@name", "#name#", "«name»", "((name))",
            "__", "|", "~", "##", "@@", "!", "^", "name", "unsubscribe", "[unsubscribe]", "&lt;", "&gt;", "#if(", "#recipient:", "@Model.x", "~A.b~",
            "PRIVATE", "-----BEGIN", "KEY-----", "-----BEGIN PRIVATE KEY-----", "AKIA", "ghp_", "_", "eyJ", "0123456789ABCDEF", "xoxb-",
            "\n", "\r", "\t", " ", "\u00a0", "\u200b", "\u200d", "\u202e", "\u00ad", "\u180e", "\ufeff", "\x85", "\x1c", "ł", "€", "👍",
        ]
    ),
    st.text(max_size=3),
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=6).map("".join)
VALUES = st.recursive(
    st.one_of(TEXTS, st.booleans(), st.integers()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(st.sampled_from(["a", "text", "html"]), inner, max_size=2),
    ),
    max_leaves=5,
)
KNOWN = KnownNames(["name", "first_name"])
CONTENTS = st.dictionaries(st.sampled_from(["type", "text", "html", "cards"]), VALUES, max_size=3)


def message(content: dict[str, Any], options: dict[str, Any]) -> Message:
    return Message(ChannelName.SMS, "ACME", content, options)


@given(st.lists(st.builds(message, CONTENTS, CONTENTS), max_size=3))
def test_quiet_messages_have_no_problem(messages: list[Message]) -> None:
    if not is_clean(messages, KNOWN):
        return
    for each in messages:
        assert list(check_words(each, KNOWN)) == []
        for path, text in collect_texts({"content": each.content, "options": each.options}):
            assert path[-1] != "html"
            assert list(check_text(path, text, KNOWN)) == []


@given(TEXTS)
def test_a_harmless_text_has_no_problem(text: str) -> None:
    for known in (KnownNames(), KNOWN):
        if is_harmless(text, known):
            assert list(check_text(("text",), text, known)) == []


def test_nothing_that_is_invisible_counts_as_visible() -> None:
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    found = {each for form in (CONTROL, TURNED, HIDDEN) for each in form.findall(every)}
    assert len(found) > 70
    assert not any(map(is_visible, found))


@given(TEXTS)
def test_a_file_is_marked_just_when_its_text_is(text: str) -> None:
    assert has_known_prefix(text.encode()) == looks_random(text)


@pytest.mark.parametrize("mark", MARKS)
def test_every_mark_is_seen_in_a_file(mark: str) -> None:
    assert has_known_prefix(f"text: {mark}".encode())


def test_usual_messages_are_quiet() -> None:
    usual = [
        message({"type": "text", "text": text}, {})
        for text in ("Hello $(name)", "Cześć $(name),\nco słychać?")
    ]
    assert is_clean(usual)
    assert not is_clean([*usual, message({"type": "text", "text": "See http://shop.example"}, {})])
    assert not is_clean([*usual, message({"type": "html", "html": "<p>"}, {})])
