"""The words themselves: each thing a reader would trip over is found, and ordinary words are left alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyctl.lint.content_checks import check_words
from notifyctl.model.message import Message
from notifyctl.model.project import ChannelName


def rules(text: str, *, html: bool = False) -> list[tuple[str, str]]:
    content: dict[str, Any] = {"type": "html", "html": text} if html else {"type": "text", "text": text}
    message = Message(ChannelName.EMAIL if html else ChannelName.SMS, "CNNECT", content)
    return [(problem.rule, problem.severity.value) for problem in check_words(message)]


@pytest.mark.parametrize(
    ("text", "rule", "severity"),
    [
        ("Pay\u200b now", "invisible-character", "warning"),
        ("\u202egnp.exe", "invisible-character", "warning"),
        ("Pay\u2060\u2060\u200b now", "invisible-character", "warning"),
        ("bell \x07", "invisible-character", "warning"),
        ("see http://acme.example/x", "insecure-link", "warning"),
        ("-----BEGIN RSA PRIVATE KEY-----", "secret-in-text", "error"),
        (
            "token eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJtYWRlIHVwIn0.c2lnbmF0dXJlLW1hZGUtdXAtaGVyZQ",
            "secret-in-text",
            "error",
        ),
        ("AKIA" + "A1B2C3D4" * 2, "secret-in-text", "error"),
    ],
)
def test_what_is_found_in_any_text(text: str, rule: str, severity: str) -> None:
    assert rules(text) == [(rule, severity)]


@pytest.mark.parametrize(
    ("text", "rule", "severity"),
    [
        ("<script>x</script>", "active-markup", "error"),
        ("<form><input></form>", "active-markup", "error"),
        ("<p onclick='x()'>y</p>", "active-markup", "error"),
        ("<a href='javascript:x()'>y</a>", "active-markup", "error"),
        ("<img src='https://acme.example/x.png'>", "image-without-alt", "warning"),
        ("<a href='/outages'>y</a>", "relative-link", "warning"),
        ("<a href='www.acme.example'>y</a>", "relative-link", "warning"),
        ("<a href='http://acme.example'>y</a>", "insecure-link", "warning"),
    ],
)
def test_what_is_found_in_html(text: str, rule: str, severity: str) -> None:
    assert rules(text, html=True) == [(rule, severity)]


@pytest.mark.parametrize(
    "text",
    [
        "Hi $(name), see https://acme.example/x?a=b#c",
        "👩\u200d👩\u200d👧 नमस्ते \u200f\u05e9\u05dc\u05d5\u05dd",
        "line\nline\ttab",
        "try http://localhost:8000 and http://127.0.0.1/x",
        "AKIA is a name",
    ],
)
def test_ordinary_words_are_left_alone(text: str) -> None:
    assert rules(text) == []


def test_ordinary_html_is_left_alone() -> None:
    sound = "<a href='$(unsubscribe)'>x</a><a href='#top'>y</a><a href='mailto:a@acme.example'>z</a><img alt='' src='https://a.example/x'>"
    assert rules(sound, html=True) == []


@given(st.text(max_size=200))
def test_any_markup_can_be_looked_at(text: str) -> None:
    rules(text, html=True)
    rules("<a " + text + "<img", html=True)


def test_a_secret_is_not_repeated() -> None:
    message = Message(ChannelName.SMS, "CNNECT", {"type": "text", "text": "AKIA" + "A1B2C3D4" * 2})
    (problem,) = check_words(message)
    assert "AKIA" not in problem.message
