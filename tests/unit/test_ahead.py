"""The next item is made while the last is used; order, errors and ends are those of the iterator itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyctl.prefetch import Prefetcher, run_in_background


@given(st.lists(st.integers()), st.integers(1, 4))
def test_gives_what_the_iterator_gives(items: list[int], most: int) -> None:
    assert list(Prefetcher(iter(items), most=most)) == items


def test_begins_before_it_is_asked() -> None:
    begun = threading.Event()

    def items() -> Iterator[int]:
        begun.set()
        yield 1

    made = Prefetcher(items())
    assert begun.wait(10)
    assert list(made) == [1]


def test_makes_the_next_while_the_last_is_used() -> None:
    second = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        second.set()
        yield 2

    made = iter(Prefetcher(items()))
    assert next(made) == 1
    assert second.wait(10)
    assert list(made) == [2]


def test_an_error_comes_where_the_item_would_have_come() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("the second")

    made = iter(Prefetcher(items()))
    assert next(made) == 1
    with pytest.raises(ValueError, match="the second"):
        next(made)


def test_whoever_stops_early_waits_for_no_more_than_what_is_being_made() -> None:
    made = []

    def items() -> Iterator[int]:
        for number in range(1000):
            made.append(number)
            yield number

    for item in Prefetcher(items(), most=2):
        if item == 3:
            break
    assert len(made) <= 8


def test_both_are_done_when_the_block_ends() -> None:
    begun, met = threading.Event(), []
    with run_in_background(lambda: met.append(begun.wait(10))):
        begun.set()
    assert met == [True]


def test_an_error_of_the_work_beside_is_told() -> None:
    with pytest.raises(ModuleNotFoundError), run_in_background(__import__, "no_such_module"):
        pass
