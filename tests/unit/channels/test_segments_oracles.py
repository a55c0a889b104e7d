"""SMS segments against the npm package sms-segments-calculator, run by node. Skipped, loudly, where there is no npm."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyctl.channels.segments import BASIC, EXTENSION, segment
from tests import requirements

Count = Callable[[str], tuple[str, int]]

texts = st.one_of(
    st.text(st.sampled_from(BASIC + EXTENSION), max_size=400),
    st.text(st.sampled_from("aé€{}|\f"), min_size=140, max_size=330),
    st.text(st.sampled_from("aç😀中𝄞"), min_size=50, max_size=220),
)
"""Characters that stand alone. The package keeps what a reader sees as one sign (a flag, a family) in one segment,
which phones do not; 3GPP TS 23.040 knows only 16-bit units.
"""


@pytest.fixture(scope="module")
def count(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Count]:
    node = requirements.program("node")
    place = tmp_path_factory.mktemp("oracles")
    requirements.npm_packages(place, "segments.js")
    with subprocess.Popen(
        [node, "segments.js"],
        cwd=place,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        ask, answer = process.stdin, process.stdout

        def counted(text: str) -> tuple[str, int]:
            ask.write(json.dumps(text) + "\n")
            ask.flush()
            encoding, segments = json.loads(answer.readline())
            return encoding, segments

        yield counted
        ask.close()
        process.wait(timeout=10)


@given(text=texts.filter(bool))
def test_the_npm_oracle_agrees(count: Count, text: str) -> None:
    ours = segment(text)
    assert count(text) == (ours.encoding, ours.segments)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a" * 152 + "€" + "a" * 152, ("GSM-7", 3)),
        ("a" * 66 + "😀" + "a" * 66, ("UCS-2", 3)),
        ("€" * 77, ("GSM-7", 1)),
        ("€" * 81, ("GSM-7", 2)),
    ],
)
def test_what_is_not_split_by_either(count: Count, text: str, expected: tuple[str, int]) -> None:
    ours = segment(text)
    assert count(text) == (ours.encoding, ours.segments) == expected
