"""The quick look promises nothing that the close look would deny, over the shapes that there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyctl.channels import CHANNELS
from notifyctl.config.check import check
from notifyctl.config.fields import Cases, Choice, Either, Items, Record, Shape, Table
from notifyctl.config.fits import fits
from notifyctl.config.nodes import node_of
from notifyctl.model.project import ChannelName

SHAPES: dict[str, Shape] = {
    f"{name} {part}": shape
    for name, channel in CHANNELS.items()
    for part, shape in (("content", channel.shape.content), ("options", channel.shape.options))
}
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just([]), st.just({}),
    st.sampled_from(["https://www.example/a.png", "+447700900123", "ada@mail.example", "true", "PT5M", "0"]),
)  # fmt: skip


def values(shape: Shape) -> st.SearchStrategy[Any]:
    """Mostly of the shape, now and then odd: so that both verdicts are met, at every depth."""
    return st.one_of(likely(shape), likely(shape), ODD)


def likely(shape: Shape) -> st.SearchStrategy[Any]:
    if isinstance(shape, Record):
        return of_record(shape)
    if isinstance(shape, Cases):
        return st.one_of([of_case(record, shape.by, name) for name, record in shape.cases.items()])
    if isinstance(shape, Items):
        return st.lists(values(shape.item), max_size=3)
    if isinstance(shape, Table):
        return st.dictionaries(st.sampled_from(["a", "b", "-", ""]), values(shape.value), max_size=2)
    if isinstance(shape, Either):
        return st.one_of(values(shape.text), values(shape.mapping))
    return st.sampled_from(
        [*shape.examples, *(shape.values if isinstance(shape, Choice) else ()), True, 3, "a"]
    )


def of_case(record: Record, by: str, name: str) -> st.SearchStrategy[dict[str, Any]]:
    return of_record(record).map(lambda value: {**value, by: name})


def of_record(shape: Record) -> st.SearchStrategy[dict[str, Any]]:
    required = {each.name: values(each.shape) for each in shape.fields if each.required}
    others = {
        spelling: values(each.shape)
        for each in shape.fields
        for spelling in (each.name, *each.aliases)
        if spelling not in required
    }
    return st.fixed_dictionaries(required, optional={**others, "stranger": ODD})


@pytest.mark.parametrize("name", SHAPES)
@given(data=st.data())
def test_what_fits_has_no_problems(name: str, data: st.DataObject) -> None:
    value = data.draw(values(SHAPES[name]))
    if fits(SHAPES[name], value):
        assert problems(SHAPES[name], value) == []


@pytest.mark.parametrize("shape", list(SHAPES.values()), ids=list(SHAPES))
def test_examples_fit_just_when_they_have_no_problems(shape: Shape) -> None:
    for example in (each for inner in below(shape) for each in inner.examples):
        for inner in below(shape):
            if fits(inner, example):
                assert problems(inner, example) == []


def test_a_usual_message_fits() -> None:
    content = {"type": "text", "text": "Hello $(name)"}
    assert fits(CHANNELS[ChannelName.SMS].shape.content, content)
    assert fits(CHANNELS[ChannelName.SMS].shape.options, {"shortenLinks": False})
    assert not fits(CHANNELS[ChannelName.SMS].shape.content, {"type": "text"})


def problems(shape: Shape, value: object) -> list[Any]:
    return check(shape, node_of(value), composed=True)[1]


def below(shape: Shape) -> Iterator[Shape]:
    yield shape
    if isinstance(shape, Record):
        for field in shape.fields:
            yield from below(field.shape)
    elif isinstance(shape, Cases):
        for record in shape.cases.values():
            yield from below(record)
    elif isinstance(shape, Items):
        yield from below(shape.item)
    elif isinstance(shape, Table):
        yield from below(shape.value)
    elif isinstance(shape, Either):
        yield from below(shape.text)
        yield from below(shape.mapping)
