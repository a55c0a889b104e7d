"""What is filled in without Jinja2 is what Jinja2 makes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyctl.message.fast_render import RESERVED_WORDS, render_fast
from notifyctl.message.jinja import make_renderer
from notifyctl.testing import MemoryFiles

NAMES = (
    "brand",
    "a",
    "_b9",
    "n",
    "range",
    "smartlink",
    *sorted(RESERVED_WORDS),
    "endif",
    "block",
    "recursive",
)
pieces = st.one_of(
    st.sampled_from([f"{{{{ {name} }}}}" for name in NAMES]),
    st.sampled_from(
        [
            "{{brand}}",
            "{{\nbrand\t}}",
            "{{- brand }}",
            "{{ brand|upper }}",
            "{{ a.b }}",
            "{{ 1 }}",
            "{{ \u00e7 }}",
        ]
    ),
    st.sampled_from(
        ["{", "}", "{{", "}}", "%}", "{%", "{#", "#}", "\n", "\r\n", "\r", " ", "$(name)", "%", "#", "\ufeff"]
    ),
    st.text(max_size=5),
)
values = st.one_of(st.text(max_size=8), st.integers(), st.sampled_from(["<b>", "{{ a }}", "{% x %}"]))


@given(
    name=st.sampled_from(["a.yaml#text", "a.yaml#html", "a.txt", "a.html"]),
    source=st.lists(pieces, max_size=8).map("".join),
    given_values=st.dictionaries(st.sampled_from(NAMES), values),
)
def test_plain_is_what_jinja_makes(source: str, name: str, given_values: dict[str, str | int]) -> None:
    made = render_fast(source, name, given_values)
    if made is not None:
        assert made == make_renderer(MemoryFiles({}))(source, name, given_values)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Hello $(name), {{ brand }} {", "Hello $(name), Acme & Co {"),
        ("{{brand}}{{ n }}", "Acme & Co7"),
        ("{{ nobody }}", None),
        ("{{ true }}", None),
        ("{{ items }}", None),
        ("{% if n %}{% endif %}", None),
        ("{{ brand|upper }}", None),
    ],
)
def test_what_is_plain(source: str, text: str | None) -> None:
    assert render_fast(source, "a.yaml#text", {"brand": "Acme & Co", "n": 7, "items": [1]}) == text
