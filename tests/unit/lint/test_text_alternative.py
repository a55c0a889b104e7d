"""A text alternative that says something else than the HTML."""

from __future__ import annotations

import pytest

from notifyctl.lint.text_alternative import RULE, check_alternative
from notifyctl.model.message import Message
from notifyctl.model.project import ChannelName

LETTER = "Dear $(name), your power is off from 9 to 12 on Monday. We are sorry."


def check(markup: str, text: str | None) -> list[str]:
    content = {"type": "html", "html": markup} | ({} if text is None else {"text": text})
    message = Message(ChannelName.EMAIL, "a@acme.example", content)
    return [problem.rule for problem in check_alternative(message)]


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        (f"<p>{LETTER}</p>", LETTER),
        (f"<h1>Power cut</h1><p>{LETTER}</p><p>Unsubscribe</p>", LETTER.upper()),
        (f"<p>{LETTER}</p>", f"{LETTER}\n\nhttps://acme.example/a/very/long/link?with=many&words=in-it"),
        (f'<p>{LETTER}</p><a href="https://acme.example/a/long/link">More</a>', f"{LETTER} More"),
        ("<p>Don\u2019t forget</p>", "Don't forget"),
        (f"<p>{LETTER}</p>", None),
        (f"<p>{LETTER}</p>", ""),
        ('<img src="https://acme.example/poster.png">', LETTER),
        (f'<img src="https://acme.example/poster.png" alt="{LETTER}">', LETTER),
    ],
)
def test_the_same_words_are_no_finding(markup: str, text: str | None) -> None:
    assert check(markup, text) == []


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>Pay today or be cut off</p>", "Your new bill is ready"),
        (f"<p>{LETTER}</p>", "View this message in your browser: https://acme.example/1"),
        ("<p>Hello</p>", LETTER),
        (f"<p>Hello</p><!-- {LETTER} -->", LETTER),
        (f'<div style="display:none">{LETTER}</div>', "Good morning"),
        ('<img src="https://acme.example/poster.png" alt="Last chance: half price">', LETTER),
        (f"<p>{LETTER}</p>" * 3, LETTER),
    ],
)
def test_other_words_are_found(markup: str, text: str) -> None:
    assert check(markup, text) == [RULE]
