from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

from notifyctl.apply.correlation import (
    SEAL_BYTES,
    callback_data,
    correlation_id,
    parse_correlation_id,
    seal,
    verify,
)
from notifyctl.channels.limits import MAX_CORRELATION_BYTES

NUMBERS = st.integers(0, 2**48 - 1)
INDICES = st.integers(0, 2**24 - 1)
SEALS = st.binary(min_size=SEAL_BYTES, max_size=SEAL_BYTES)
SEAL = seal(b"", ledger="acme/production", number=7, material=b"batch")


@given(NUMBERS, INDICES, SEALS)
def test_an_id_gives_back_its_place_and_fits_the_api(number: int, index: int, key: bytes) -> None:
    made = correlation_id(number, index, key)
    parsed = parse_correlation_id(made)
    assert parsed is not None
    assert parsed[:2] == (number, index)
    assert verify(made, key)
    assert len(made.encode()) <= MAX_CORRELATION_BYTES
    assert set(made) <= set(string.ascii_letters + string.digits + "-_")


@given(st.integers(0, 24), st.sampled_from(string.ascii_letters + string.digits + "-_="))
def test_any_other_character_breaks_it(place: int, character: str) -> None:
    made = correlation_id(7, 3, SEAL)
    other = made[:place] + character + made[place + 1 :]
    assert verify(other, SEAL) == (other == made)


@given(st.text())
def test_what_is_not_ours_is_told_apart(text: str) -> None:
    assert not verify(text, SEAL)
    assert parse_correlation_id(f"night-shift {text}") is None


def test_another_seal_does_not_open_it() -> None:
    made = correlation_id(7, 3, SEAL)
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
