"""SMS segments: borders, extension characters and surrogate pairs, and an independent oracle."""

from __future__ import annotations

import pytest
import smsutil
from hypothesis import given
from hypothesis import strategies as st

from notifyctl.channels.segments import BASIC, EXTENSION, first_non_gsm7, is_gsm7, segment, segment_starts

gsm = st.text(st.sampled_from(BASIC + EXTENSION), max_size=400)
any_text = st.one_of(gsm, st.text(max_size=200), st.text(st.sampled_from("aé€😀中"), max_size=400))


def test_the_alphabet_has_128_places_one_of_them_the_escape() -> None:
    assert len(BASIC) == len(set(BASIC)) == 127
    assert len(set(EXTENSION)) == 10


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("GSM-7", 0, 0)),
        ("a", ("GSM-7", 1, 1)),
        ("a" * 160, ("GSM-7", 160, 1)),
        ("a" * 161, ("GSM-7", 161, 2)),
        ("a" * 306, ("GSM-7", 306, 2)),
        ("a" * 307, ("GSM-7", 307, 3)),
        ("€" * 80, ("GSM-7", 160, 1)),
        ("€" * 81, ("GSM-7", 162, 2)),
        ("a" * 152 + "€" + "a" * 10, ("GSM-7", 164, 2)),
        ("a" * 152 + "€" + "a" * 151, ("GSM-7", 305, 2)),
        (
            "a" * 152 + "€" + "a" * 152,
            ("GSM-7", 306, 3),
        ),  # the euro does not fit into the first: one septet is lost
        ("ç", ("UCS-2", 1, 1)),
        ("ç" * 70, ("UCS-2", 70, 1)),
        ("ç" * 71, ("UCS-2", 71, 2)),
        ("ç" * 134, ("UCS-2", 134, 2)),
        ("ç" * 135, ("UCS-2", 135, 3)),
        ("😀" * 35, ("UCS-2", 70, 1)),
        ("😀" * 36, ("UCS-2", 72, 2)),
        ("a" * 66 + "😀" + "a" * 66, ("UCS-2", 134, 3)),  # the pair does not fit into the first
    ],
)
def test_known_texts(text: str, expected: tuple[str, int, int]) -> None:
    assert segment(text) == expected


def slow(text: str) -> tuple[str, int, int]:
    """The same by cutting the text up, character by character."""
    narrow = all(character in BASIC + EXTENSION for character in text)
    cost = [(2 if c in EXTENSION else 1) if narrow else len(c.encode("utf-16-be")) // 2 for c in text]
    single, multi = (160, 153) if narrow else (70, 67)
    if sum(cost) <= single:
        return ("GSM-7" if narrow else "UCS-2", sum(cost), 1 if text else 0)
    parts = [0]
    for width in cost:
        if parts[-1] + width > multi:
            parts.append(0)
        parts[-1] += width
    return ("GSM-7" if narrow else "UCS-2", sum(cost), len(parts))


@given(any_text)
def test_the_fast_way_equals_the_slow_one(text: str) -> None:
    assert segment(text) == slow(text)


@given(any_text.filter(lambda text: text and "\x1b" not in text))
def test_an_independent_oracle_agrees(text: str) -> None:
    """Without the escape, which the library counts as a character of its own; to us it only introduces an extension."""
    theirs, ours = smsutil.split(text), segment(text)
    assert ({"gsm0338": "GSM-7", "utf_16_be": "UCS-2"}[theirs.encoding], len(theirs.parts)) == (
        ours.encoding,
        ours.segments,
    )


@given(any_text, any_text)
def test_a_longer_text_never_costs_less(one: str, other: str) -> None:
    if is_gsm7(one + other) == is_gsm7(one):
        assert segment(one + other).segments >= segment(one).segments


@given(any_text)
def test_the_offender_is_what_makes_a_text_unicode(text: str) -> None:
    found = first_non_gsm7(text)
    assert (found is None) == is_gsm7(text)
    assert found is None or found in text


@pytest.mark.parametrize(("length", "segments"), [(0, 0), (70, 1), (71, 2), (134, 2), (135, 3), (160, 3)])
def test_a_text_of_type_unicode_is_ucs2_even_if_gsm7_would_do(length: int, segments: int) -> None:
    assert segment("€" * length, unicode=True) == ("UCS-2", length, segments)
    assert len(segment_starts("€" * length, unicode=True)) == max(segments - 1, 0)
