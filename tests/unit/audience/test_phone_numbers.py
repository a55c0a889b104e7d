"""Phone numbers: many spellings, one number; what is not certain is refused, and never becomes another number."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyctl.audience.phone_numbers import parse_international, parse_number

ADA = "+447700900123"


@pytest.mark.parametrize(
    "text",
    [
        ADA,
        "+44 7700 900123",
        "+44 7700.900123",
        "+44-7700-900-123",
        "+44 (0)7700 900123",
        "+44 (0) 7700-900.123",
        "+44 (07700) 900123",
        "+44 07700 900123",
        "+4407700900123",
        "0044 7700 900123",
        "00 44 (0) 7700 900123",
        "(+44) 7700 900123",
        "\u202a+447700900123\u202c",
        "\u200e+44\u00a07700\u2011900123\ufeff",
        "+44\u200b7700\u00ad900123",
        "+\uff14\uff14\uff17\uff17\uff10\uff10\uff19\uff10\uff10\uff11\uff12\uff13",
        "\uff0b447700900123",
        "+\u0664\u0664\u0667\u0667\u0660\u0660\u0669\u0660\u0660\u0661\u0662\u0663",
        "+44\u31647700\ufe0f900123",  # a filler and a variation selector: e-mail addresses are read without them too
        "447700900123",
        "44 7700 900123",
        "447700900123.0",
        "+447700900123.0",
        "447700900123.00",
        "4.47700900123E+11",
        "4.47700900123e11",
    ],
)
def test_spellings_of_one_number(text: str) -> None:
    assert parse_number(text).key == ADA


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("447700900123/5", "note"),
        ("447700900123-3", "note"),
        ("447700900123 (2)", "note"),
        ("+44 7700 900123 (2)", "note"),
        ("+447700900123 45", "note"),
        ("+44 7700 900123/4", "note"),
        ("+44 7700 900123 4", "note"),
        ("+447700900123 x45", "note"),
        ("447700900123.50", "decimal"),
        ("447700900123.000", "decimal"),
        ("4.477E+11", "lost digits"),
        ("+447700900123 ::: +447700900124", "more than one number"),
        ("+447700900123;+447700900124", "more than one number"),
        ("07700900123,07700900124", "more than one number"),
        ("+447700900123\n+447700900124", "more than one number"),
        ("07700900123", "country code, not with 0"),
        ("7700900123", "not a valid international number"),
        ("2125550123", "not a valid international number"),
        ("(212) 555-0123", "not a valid international number"),
        ("(44) 7700 900123", "not a valid international number"),
        ("tel:+447700900123", "not 't'"),
        ("+44770090012\u00b3", "U+00B3 SUPERSCRIPT THREE"),
        ("+4477009001\x0023", "U+0000"),
        ("+447700900123\u0301", "U+0301 COMBINING ACUTE ACCENT"),
        ("+", "7 to 15 digits"),
        ("", "7 to 15 digits"),
        ("1" * 16, "7 to 15 digits"),
    ],
)
def test_what_is_not_certain_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=r"number|digits|note") as told:
        parse_number(text)
    assert why in str(told.value)
    assert len(text) < 7 or text not in str(told.value)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("+390612345678", "+390612345678"),  # in Italy the zero is a digit of the number
        ("+39 06 1234 5678", "+390612345678"),
        ("+55 011 91234 5678", "+5511912345678"),  # a country that rewrites national prefixes
        ("+1 (212) 555-0123", "+12125550123"),
        ("+33 1 23 45 67 89", "+33123456789"),
        ("+49 (0)30 123456", "+4930123456"),
        ("+49 30/123456", "+4930123456"),
    ],
)
def test_numbers_of_other_countries(text: str, key: str) -> None:
    assert parse_number(text).key == key


@pytest.mark.parametrize(
    ("text", "region", "key"),
    [
        ("07700 900123", "GB", ADA),
        ("7700900123", "GB", ADA),
        ("(0)7700 900123", "GB", ADA),
        ("(07700) 900123", "GB", ADA),
        ("447700900123", "GB", ADA),
        ("07700900123.0", "GB", ADA),
        ("+33 1 23 45 67 89", "GB", "+33123456789"),
        ("2125550123", "US", "+12125550123"),
        ("(212) 555-0123", "US", "+12125550123"),
        ("12125550123", "US", "+12125550123"),
        ("06 1234 5678", "IT", "+390612345678"),
        ("442079460123", "FR", "+442079460123"),
    ],
)
def test_a_region_says_what_a_national_number_means(text: str, region: str, key: str) -> None:
    assert parse_number(text, region).key == key


def test_a_number_that_a_town_alone_can_dial_is_refused() -> None:
    with pytest.raises(ValueError, match="a number of US"):
        parse_number("5550123", "US")


AREA_CODES = [
    code
    for code in range(200, 1000)
    if phonenumbers.is_valid_number(phonenumbers.parse(f"+1{code}2345678"))
    and phonenumbers.region_code_for_number(phonenumbers.parse(f"+1{code}2345678")) == "US"
]


def test_ten_digits_of_every_area_code_of_the_us() -> None:
    assert len(AREA_CODES) > 300
    for code in AREA_CODES:
        for text in (f"{code}2345678", f"({code}) 234-5678", f"{code}-234-5678"):
            assert parse_number(text, "US").key == f"+1{code}2345678"
        with pytest.raises(ValueError, match="region"):
            parse_number(f"({code}) 234-5678")
        try:
            reading = parse_number(f"{code}2345678").reading
        except ValueError:
            continue
        assert reading == "international"  # counted in the plan, and lint warns of a list of such numbers


@given(st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True))
def test_what_comes_back_from_the_provider_is_known_with_and_without_plus(digits: str) -> None:
    assert parse_international(digits).key == parse_international("+" + digits).key


@given(
    st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True),
    st.lists(st.tuples(st.integers(1, 12), st.sampled_from(" .-/()")), max_size=4),
)
def test_separators_make_nobody_another_person(number: str, cuts: list[tuple[int, str]]) -> None:
    text = number
    for at, separator in cuts:
        text = text[:at] + separator + text[at:]
    try:
        found = parse_number(text)
    except ValueError:
        return
    assert found.key == parse_number(number).key or "(0)" in text
    assert parse_number(found.sent).key == found.key


@given(
    st.text("0123456789+.()-/ eE\u200b\uff11,;", max_size=24), st.sampled_from([None, "US", "GB", "IT", "DE"])
)
def test_any_text_is_a_number_or_refused_with_a_sentence(text: str, region: str | None) -> None:
    try:
        found = parse_number(text, region)
    except ValueError:
        return
    assert found.key.startswith("+")
    assert parse_number(found.key).key == found.key
