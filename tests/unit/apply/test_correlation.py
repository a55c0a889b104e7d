from __future__ import annotations

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from notifyctl.apply.correlation import (
    SEAL_BYTES,
    callback_data,
    correlation_ids,
    parse_correlation_id,
    seal,
    verify,
)
from notifyctl.channels.limits import MAX_CORRELATION_BYTES, MAX_DESTINATIONS

NUMBERS = st.integers(0, 2**48 - 1)
PLACES = st.sets(st.integers(0, MAX_DESTINATIONS - 1)).map(sorted)
SEALS = st.binary(min_size=SEAL_BYTES, max_size=SEAL_BYTES)
SEAL = seal(b"", ledger="acme/production", number=7, material=b"batch")
IN_LEDGERS = {
    (7, 0): "n1AAAAAAAHAAAAwTqYS3xm3lg",
    (7, 3): "n1AAAAAAAHAAADyYasyaxYEJ0",
    (7, 999): "n1AAAAAAAHAAPnIyujDupiQyk",
    (2**48 - 1, 2**24 - 1): "n1____________VtKfXcHDN7s",
}
"""Ids of the first form, as they were made for SEAL: they stand in receipts that are on their way."""
MADE = [*correlation_ids(7, [3], SEAL), IN_LEDGERS[7, 3]]


@given(NUMBERS, PLACES, SEALS)
@example(7, list(range(MAX_DESTINATIONS)), SEAL)
def test_ids_give_back_their_places_and_fit_the_api(number: int, places: list[int], key: bytes) -> None:
    made = correlation_ids(number, places, key)
    assert len(set(made)) == len(made) == len(places)
    for place, text in list(zip(places, made, strict=True))[:50]:
        parsed = parse_correlation_id(text)
        assert parsed is not None
        assert parsed[:2] == (number, place)
        assert verify(text, key)
        assert len(text.encode()) <= MAX_CORRELATION_BYTES
        assert set(text) <= set(string.ascii_letters + string.digits + "-_")


@given(PLACES)
def test_an_id_does_not_depend_on_those_beside_it(places: list[int]) -> None:
    all_of_them = correlation_ids(7, range(MAX_DESTINATIONS), SEAL)
    assert correlation_ids(7, places, SEAL) == [all_of_them[place] for place in places]


@pytest.mark.parametrize(("place", "made"), IN_LEDGERS.items())
def test_ids_of_the_first_form_are_still_known(place: tuple[int, int], made: str) -> None:
    parsed = parse_correlation_id(made)
    assert parsed is not None
    assert parsed[:2] == place
    assert verify(made, SEAL)


@given(
    st.sampled_from(MADE), st.integers(0, 24), st.sampled_from(string.ascii_letters + string.digits + "-_=")
)
def test_any_other_character_breaks_it(made: str, place: int, character: str) -> None:
    other = made[:place] + character + made[place + 1 :]
    assert verify(other, SEAL) == (other == made)


@given(st.text())
@example(f"{MADE[0]}\n")
@example(f"{MADE[1]}\n")
@example(f" {MADE[0]}")
@example("n2B" + "A" * 21)
def test_what_is_not_ours_is_told_apart(text: str) -> None:
    assert not verify(text, SEAL)
    assert parse_correlation_id(f"night-shift {text}") is None


def test_a_position_that_no_batch_has_is_not_looked_up() -> None:
    """Else a receipt that is made up could ask for half a megabyte of tags."""
    (beyond,) = correlation_ids(7, [MAX_DESTINATIONS], SEAL)
    assert parse_correlation_id(beyond) is not None
    assert not verify(beyond, SEAL)


@pytest.mark.parametrize("made", MADE)
def test_another_seal_does_not_open_it(made: str) -> None:
    assert verify(made, SEAL)
    for other in (
        seal(b"key", ledger="acme/production", number=7, material=b"batch"),
        seal(b"", ledger="acme/staging", number=7, material=b"batch"),
        seal(b"", ledger="acme/production", number=8, material=b"batch"),
        seal(b"", ledger="acme/production", number=7, material=b"other"),
    ):
        assert not verify(made, other)
        assert len(other) == SEAL_BYTES


def test_callback_data_names_the_attempt() -> None:
    assert callback_data("acme/production", 12, 2) == "notifyctl:acme/production:12:2"
