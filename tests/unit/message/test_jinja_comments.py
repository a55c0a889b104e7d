"""A comment has blanks inside its marks; a style sheet is text; whatever else Jinja2 took for a comment is an error."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyctl.message.jinja import make_renderer
from notifyctl.message.jinja_comments import CommentError, mask_text
from notifyctl.testing import MemoryFiles

SECRET = "internal"


def render(source: str) -> str:
    return make_renderer(MemoryFiles({}))(source, "a.txt", {})


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a{# x #}b", "ab"),
        ("a {#- x -#} b", "ab"),
        ("a{#\nx\n#}b", "ab"),
        ("a{#\tx {#id{ {{ y }} #}b", "ab"),
        ("@media print{#nav{display:none}}", "@media print{#nav{display:none}}"),
        ("@media{#a,#b > p{margin:0}}{# x #}", "@media{#a,#b > p{margin:0}}"),
        ("@media{#outlook a{padding:0}#c{}}", "@media{#outlook a{padding:0}#c{}}"),
        ("@media{#a{--x:1}}@media{#b{_top:0}}", "@media{#a{--x:1}}@media{#b{_top:0}}"),
        ("/* {#} */", "/* {#} */"),
        ("{% raw %}{#var#}{% endraw %}", "{#var#}"),
        ("{%- raw -%} {# x {%- endraw -%} y", "{# xy"),
        ("{{ '{#' }}1", "{#1"),
        ('{{ "{# }}" }}', "{# }}"),
        ("{% set x = '{#' %}{{ x }}", "{#"),
    ],
)
def test_what_is_a_comment_and_what_is_text(source: str, text: str) -> None:
    assert render(source) == text


@pytest.mark.parametrize(
    "source",
    [
        "Dear {#var#}",
        "Dear {#first name#}",
        "{#-x-#}",
        "{# x#}",
        "{#x #}",
        "{##}",
        "{# x",
        "{#x",
        "{#1}",
        "{#note for {us} #}",
        "{#note for {us} {# x #}",
        "{# a {# b #} c #}",
        "{# a#} b #}",
        "{#nav{{ x }}",
        "{#nav{% x %}",
        "{#a{b:c}} #}",
    ],
)
def test_the_rest_is_an_error_with_a_hint(source: str) -> None:
    with pytest.raises(CommentError) as caught:
        render(f"one\n{source}")
    assert caught.value.lineno == 2
    assert "{#" in str(caught.value)
    assert caught.value.hint


PIECES = st.sampled_from(
    [
        "{#",
        "#}",
        "{#-",
        "-#}",
        " ",
        "\n",
        "a",
        "{",
        "}",
        "{{ 1 }}",
        "{% raw %}",
        "{% endraw %}",
        "x:1",
        '"',
        "#",
    ]
)


@given(st.lists(PIECES, max_size=6), st.lists(PIECES, max_size=4), st.lists(PIECES, max_size=6))
def test_what_stands_in_a_comment_of_jinja_is_never_sent_as_words(
    before: list[str], around: list[str], after: list[str]
) -> None:
    """But for style rules, which nobody writes as a note."""
    source = "".join([*before, "{#", *around, SECRET, "#}", *after])
    try:
        masked = mask_text(source, None)
    except CommentError:
        return
    if masked != source and "x:1" in source:
        return
    if re.search(r"\{% raw %\}((?!\{% endraw %\}).)*" + SECRET, source, re.DOTALL):
        return  # in a raw block it is text, although Jinja2 cannot read a {#} behind it
    if SECRET not in jinja(source):
        assert SECRET not in jinja(masked)


def jinja(source: str) -> str:
    from jinja2 import Environment, TemplateSyntaxError

    try:
        return Environment(autoescape=True).from_string(source).render()
    except TemplateSyntaxError:
        return ""
