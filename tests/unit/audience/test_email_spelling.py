"""Spellings of one e-mail address, and patterns of a fence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyctl.audience.addresses import email
from notifyctl.audience.email_spelling import pattern_to_ascii


@given(
    st.lists(
        st.sampled_from("\u00ad\u200b\u200c\u200d\u200e\u202a\u202c\u2060\u2066\u3164\ufeff\ufe0f"),
        max_size=4,
    )
)
def test_what_nobody_sees_makes_no_other_address(unseen: list[str]) -> None:
    text = "ada@acme.example"
    for place, character in enumerate(unseen):
        text = text[: 4 * place] + character + text[4 * place :]
    assert email(text) == ("ada@acme.example", "ada@acme.example")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a\u00a0da@acme.example", "U+00A0 NO-BREAK SPACE"),
        ("a\u0085da@acme.example", "U+0085"),
        ("ada\ue000@acme.example", "U+E000"),
        ("ada\ud800@acme.example", "U+D800"),
        ("\u0646\u200c\u0645@acme.example", "U+200C ZERO WIDTH NON-JOINER"),
    ],
)
def test_what_may_be_another_address_is_refused_by_name(text: str, named: str) -> None:
    with pytest.raises(ValueError, match=named.replace("+", r"\+")):
        email(text)


@pytest.mark.parametrize(
    "text", ["a@x.example;b@y.example", "a@x.example, b@y.example", "a@x.example ::: b@y.example"]
)
def test_two_addresses_in_a_cell_are_said_to_be_two(text: str) -> None:
    with pytest.raises(ValueError, match="more than one address"):
        email(text)


def test_letters_that_look_alike_stay_apart() -> None:
    assert (
        len(
            {email(f"{local}@acme.example").key for local in ("fi", "\ufb01", "a2", "a\u00b2", "\u0430", "a")}
        )
        == 6
    )


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*@b\u00fccher.example", "*@xn--bcher-kva.example"),
        ("*@*.b\u00fccher.example", "*@*.xn--bcher-kva.example"),
        ("*@acme.example", "*@acme.example"),
        ("+4477009*", "+4477009*"),
    ],
)
def test_a_fence_compares_domains_in_ascii(pattern: str, expected: str) -> None:
    assert pattern_to_ascii(pattern) == expected
