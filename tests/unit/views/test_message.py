"""HTML as lines at a terminal."""

from __future__ import annotations

import pytest

from notifyctl.views.message import text_of


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>Hello <b>Ada</b></p><p>Bye</p>", "Hello Ada\nBye"),
        ("<style>p {}</style>a<SCRIPT x>b</Script >c<!-- d -->e<title>f</title>", "ace"),
        ("a<style>b", "ab"),
        ("<!-- <style> -->a<style>b</style>c", "ac"),
        ("<style>a<style>b</style>c<!-- d", "c<!-- d"),
        ('<a href="https://a.example/x?y=1">See</a> it', "See <https://a.example/x?y=1> it"),
        ("<A class=b HREF = 'https://a.example' id=c><b>See</b></A>", "See <https://a.example>"),
        ('<a data-href="no" href="$(link)">See</a>', "See <$(link)>"),
        (
            '<a href="https://a.example">one <a href="https://b.example">two</a>',
            "one two <https://b.example>",
        ),
        ("<a name=x>here</a> &amp; there", "here & there"),
        ("<abbr title=x href='y'>a</abbr>", "a"),
    ],
)
def test_what_is_read(markup: str, text: str) -> None:
    assert text_of(markup) == text
