"""The document of a mail's frame: pictures as boxes, styles allowed by their hash, nothing that reaches out."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyctl.views.html.mail_frame import neutral, remote_pictures, style_hash, style_hashes


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ('<img src="https://a.example/hero.png?x=1" alt="A &lt;b&gt; hero">', ">A &lt;b&gt; hero<"),
        ("<IMG width=600 SRC='https://a.example/hero.png'>", ">hero.png<"),
        ("<img src=cid:logo alt=Logo>", ">Logo<"),
        ('<img alt="x > y" src="//a.example/p.png" srcset="//a.example/p2.png 2x">', ">x &gt; y<"),
    ],
)
def test_a_picture_that_is_not_loaded_is_a_box_with_its_text(tag: str, words: str) -> None:
    made = neutral(tag)
    assert "a.example" not in made
    assert "srcset" not in made
    assert words in unquote(made)
    assert remote_pictures(made) == 0


def test_a_picture_inside_the_mail_stays() -> None:
    tag = '<img src="data:image/png;base64,AAAA" alt="">'
    assert neutral(tag) == tag


@given(st.text(st.sampled_from("<img src=alt'\"> \n&x/"), max_size=60))
def test_any_text_is_survived(text: str) -> None:
    neutral(f"<img {text}")


def test_each_style_of_a_mail_is_allowed_as_a_browser_reads_it() -> None:
    markup = "<STYLE TYPE=text/css>\r\np { color: red }\r\n</STYLE ><style>a &amp; b</style>"
    assert style_hash("\np { color: red }\n") in style_hashes(markup)
    assert style_hash("a &amp; b") in style_hashes(markup)
