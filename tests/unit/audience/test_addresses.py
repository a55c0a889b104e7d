"""Addresses: many spellings, one person; what is no address is told without repeating it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyctl.audience.addresses import Address, email, mask, parse_address
from notifyctl.audience.numbering import find_numbers_outside_plans
from notifyctl.model.project import Numbers

numbers = st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "key", "sent"),
    [
        (" Ada.Lovelace@Acme.Example ", "ada.lovelace@acme.example", "Ada.Lovelace@Acme.Example"),
        ("ada+tag@acme.example", "ada+tag@acme.example", "ada+tag@acme.example"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
        ("ada@BÜCHER。example", "ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
        ("ada@bu\u0308cher.example", "ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
        ("hal@faß.example", "hal@xn--fa-hia.example", "hal@xn--fa-hia.example"),
        ("cle\u0301o@acme.example", "cl\u00e9o@acme.example", "cl\u00e9o@acme.example"),
        ("\uff41da\uff20acme\uff0eexample", "ada@acme.example", "ada@acme.example"),
        ("\ufeff \u202aada\u202c@acme.example\u200e ", "ada@acme.example", "ada@acme.example"),
        *(
            (f"a{unseen}da@acme.example", "ada@acme.example", "ada@acme.example")
            for unseen in "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u2060\u2066\u3164\ufe0f\U000e0041"
        ),
    ],
)
def test_spellings_of_an_e_mail_address(text: str, key: str, sent: str) -> None:
    assert email(text) == Address(key, sent)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "@acme.example",
        "ada@",
        "ada@acme",
        "ada@acme..example",
        "ada@-acme.example",
        "a da@acme.example",
        "ada@ac me.example",
        ".ada@acme.example",
        "ada..l@acme.example",
        "ada\n@acme.example",
        "ada,grace@acme.example",
        "a" * 65 + "@acme.example",
        "ada@" + "a" * 64 + ".example",
        "ada@" + "a." * 130 + "example",
        "ada@\u2024.example",
    ],
)
def test_what_is_no_e_mail_address(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as told:
        email(text)
    assert len(text) < 8 or text not in str(told.value)


@given(st.one_of(numbers.map("+{}".format), st.emails()))
def test_a_masked_address_is_not_the_address(text: str) -> None:
    masked = mask(text)
    assert masked != text
    assert "•••" in masked
    if "@" in text:
        local, shown = text.rpartition("@")[0], masked.rpartition("@")[0]
        assert local not in shown or len(local) == 1
    else:
        assert sum(character.isdigit() for character in masked) <= 6


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_told_to_be_none(text: str) -> None:
    for parse in (parse_address, email):
        try:
            found = parse(text)
        except ValueError:
            continue
        else:
            assert parse(found.sent).key == parse(found.key).key == found.key


@pytest.mark.parametrize(
    ("number", "kind", "good"),
    [
        ("+442079460000", Numbers.POSSIBLE, True),
        ("+447700900123", Numbers.POSSIBLE, True),
        ("+44770090012345", Numbers.POSSIBLE, False),
        ("+999123456789", Numbers.VALID, False),
        ("+999123456789", Numbers.FORM, True),
    ],
)
def test_numbering_plans_are_asked_only_where_wanted(number: str, kind: Numbers, *, good: bool) -> None:
    assert [position for position, _ in find_numbers_outside_plans([number], kind)] == ([] if good else [0])
