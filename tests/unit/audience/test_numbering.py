"""The compiled numbering plans say what libphonenumber says: on its own example numbers, on their neighbours, on any digits."""

from __future__ import annotations

from collections.abc import Iterator

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneNumberFormat, PhoneNumberType

from notifyctl.audience.numbering import country_of, decide, find_numbers_outside_plans, is_fiction
from notifyctl.model.project import Numbers

KINDS = [Numbers.POSSIBLE, Numbers.VALID]


def asked(number: str, numbers: Numbers) -> bool:
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return False
    if numbers is Numbers.VALID:
        return phonenumbers.is_valid_number(parsed)
    # A number that can be dialled within a town only is none that a message can reach.
    return phonenumbers.is_possible_number_with_reason(parsed) == phonenumbers.ValidationResult.IS_POSSIBLE


def examples() -> Iterator[str]:
    """Every example number of every region and kind."""
    types = PhoneNumberType.values()
    for region in phonenumbers.SUPPORTED_REGIONS:
        found = [phonenumbers.example_number_for_type(region, each) for each in types]
        found.append(phonenumbers.invalid_example_number(region))
        for each in found:
            if each is not None:
                yield phonenumbers.format_number(each, phonenumbers.PhoneNumberFormat.E164)
    for code, regions in COUNTRY_CODE_TO_REGION_CODE.items():
        if regions == ("001",):
            other = phonenumbers.example_number_for_non_geo_entity(code)
            assert other is not None
            yield phonenumbers.format_number(other, phonenumbers.PhoneNumberFormat.E164)


def neighbours(number: str) -> Iterator[str]:
    """A digit more, one less, a national prefix in between, and each digit another."""
    yield number
    yield number + "0"
    yield number[:-1]
    for at in range(2, 5):
        yield f"{number[:at]}0{number[at:]}"
        yield f"{number[:at]}1{number[at:]}"
    for at in range(1, len(number)):
        yield f"{number[:at]}{(int(number[at]) + 1) % 10}{number[at + 1 :]}"


EVERY = sorted({near for number in examples() for near in neighbours(number)})


def test_there_are_examples_of_every_country() -> None:
    assert len(set(examples())) > 1000
    assert set(COUNTRY_CODE_TO_REGION_CODE) <= {
        phonenumbers.parse(number).country_code for number in examples()
    }


@pytest.mark.parametrize("numbers", KINDS)
def test_the_compiled_plans_say_what_the_library_says(numbers: Numbers) -> None:
    undecided = 0
    wanted = {number: asked(number, numbers) for number in EVERY}
    for number, sound in wanted.items():
        found = decide(number, numbers)
        undecided += found is None
        assert found in {None, sound}, number
    assert undecided < len(EVERY) / 100


@pytest.mark.parametrize("numbers", KINDS)
def test_what_is_not_decided_is_asked(numbers: Numbers) -> None:
    for number in EVERY[::7]:
        if decide(number, numbers) is None:
            assert taken(number, numbers) == asked(number, numbers), number


def taken(number: str, numbers: Numbers) -> bool:
    return not list(find_numbers_outside_plans([number], numbers))


digits = st.text("0123456789", min_size=1, max_size=14)


@given(digits, st.sampled_from(KINDS))
@example("4407700900123", Numbers.VALID)
@example("390612345678", Numbers.VALID)
@example("5491123456789", Numbers.VALID)
@example("1", Numbers.POSSIBLE)
@example("0", Numbers.POSSIBLE)
def test_any_digits_are_judged_alike(given: str, numbers: Numbers) -> None:
    number = f"+{given}"
    assert taken(number, numbers) == asked(number, numbers)


AT_HOME = {
    PhoneNumberType.FIXED_LINE,
    PhoneNumberType.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE,
    PhoneNumberType.UNKNOWN,
}
"""Kinds whose holders are in the country, as far as the plan tells."""


def test_the_country_of_a_number_is_the_library_s_where_it_is_certain() -> None:
    for number in (each for each in EVERY[::5] if asked(each, Numbers.POSSIBLE)):
        parsed = phonenumbers.parse(number)
        region = phonenumbers.region_code_for_number(parsed)
        certain = phonenumbers.number_type(parsed) in AT_HOME and region != "001"
        expected = "GB" if is_fiction(number) and parsed.country_code == 44 else region if certain else None
        assert country_of(phonenumbers.format_number(parsed, PhoneNumberFormat.E164)) == expected, number


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("+447700900123", "GB"),
        ("+447781900123", "GG"),
        ("+441000000000", None),
        ("+12025550123", "US"),
        ("+18765550123", "JM"),
        ("+18005550123", None),
        ("+77011234567", "KZ"),
        ("+70000000000", None),
        ("+883510012345", None),
        ("+979123456789", None),
        ("+499001234567", None),
        ("+999123456789", None),
    ],
)
def test_the_country_of_shared_codes_and_of_no_country(number: str, country: str | None) -> None:
    assert country_of(number) == country
