"""Which words of two texts are marked: whole ones, and never a character too many or too few."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyctl.views.html.bubble import SmsText, bubble, inline_diff, size_list
from notifyctl.views.html.changed_words import MOST_PAIRS, Run, compare_words
from notifyctl.views.html.mail import excerpt
from notifyctl.views.html.markup import join

WORDS = st.text(st.sampled_from("ab .\n\u2019中$(x)😀"), max_size=60)


def changed(runs: list[Run]) -> list[str]:
    return [run.text.strip() for run in runs if run.changed]


@pytest.mark.parametrize(
    ("before", "after", "removed", "added"),
    [
        ("gusts to 70 mph", "gusts to 80 mph", ["70"], ["80"]),
        ("Don't park", "Don\u2019t park", ["Don't"], ["Don\u2019t"]),
        ("at 09:00", "at 09:30", ["09:00"], ["09:30"]),
        (
            "see https://a.example/b",
            "see https://a.example/c",
            ["https://a.example/b"],
            ["https://a.example/c"],
        ),
        ("to $(name)", "to $(full)", ["name"], ["full"]),
        ("under trees.", "under trees, and more.", [], [", and more"]),
        ("one two three", "1 2 three", ["one two"], ["1 2"]),
        ("停电通知", "停水通知", ["电"], ["水"]),
        ("hours, Ada. Bye", "hours, Ada. Keep calm. Bye", [], ["Keep calm."]),
        ("hours, Ada. Keep calm. Bye", "hours, Ada. Bye", ["Keep calm."], []),
        ("dials +442079460000;", "dials +442079460001;", ["+442079460000"], ["+442079460001"]),
        ("same", "same", [], []),
        ("", "new", [], ["new"]),
    ],
)
def test_whole_words_are_marked(before: str, after: str, removed: list[str], added: list[str]) -> None:
    old, new = compare_words(before, after)
    assert (changed(old), changed(new)) == (removed, added)


@given(WORDS, WORDS)
def test_the_runs_are_the_texts_and_what_is_not_marked_is_the_same(before: str, after: str) -> None:
    old, new = compare_words(before, after)
    assert ("".join(run.text for run in old), "".join(run.text for run in new)) == (before, after)
    unmarked = ["".join(run.text for run in runs if not run.changed) for runs in (old, new)]
    assert unmarked[0] == unmarked[1]
    assert any(run.changed for run in [*old, *new]) == (before != after)


def test_long_texts_are_compared_by_line_first() -> None:
    lines = [f"line {number} of a long text" for number in range(3000)]
    assert (len(lines) * 9) ** 2 > MOST_PAIRS
    old, new = compare_words(
        "\n".join(lines), "\n".join([*lines[:1000], "line new of a long text", *lines[1001:-1], "end"])
    )
    assert (changed(old), changed(new)) == (["1000", "line 2999 of a long text"], ["new", "end"])


def test_blanks_around_a_change_are_not_marked() -> None:
    assert str(join(*inline_diff("in town", "in town on Sunday"))) == "in town <ins>on Sunday</ins>"


def test_segments_and_changes_overlap() -> None:
    runs = [Run("a" * 150, changed=False), Run(" " + "b" * 20, changed=True)]
    shown = str(bubble(SmsText(runs)))
    assert "<ins>bb</ins>" in shown
    assert f'<mark class="seg2"><ins>{"b" * 18}</ins></mark>' in shown
    assert "Segment </span>2" in str(size_list(SmsText(runs)))


def test_characters_outside_gsm_7_are_named_with_what_plain_ones_would_save() -> None:
    text = SmsText([Run("Don\u2019t " + "x" * 100, changed=False)])
    assert '<mark class="odd">\u2019</mark>' in str(bubble(text))
    said = str(size_list(text))
    assert "right single quotation mark, U+2019" in said
    assert "With plain punctuation the text has 1 segment." in said
    emoji = SmsText([Run("👍🏽 ok", changed=False)])
    assert '<mark class="odd">👍🏽</mark>' in str(bubble(emoji))
    assert "U+1F3FD" not in str(size_list(emoji))
    cyrillic = SmsText([Run("Завтра не будет электричества", changed=False)])
    assert "odd" not in str(bubble(cyrillic))
    assert "Written with characters outside GSM-7." in str(size_list(cyrillic))


def test_an_excerpt_of_one_long_line_is_short() -> None:
    line = "<td>same</td>" * 4000
    before, after = excerpt(f"{line}<b>old</b>{line}", f"{line}<b>new</b>{line}")
    assert "<del>old</del>" in str(join(*before))
    assert "<ins>new</ins>" in str(join(*after))
    assert len(join(*before, *after)) < 2000
    (whole,) = excerpt("x", "y" * 10_000)[1]
    assert "(6,000 more characters)" in whole
