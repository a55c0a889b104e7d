"""What the quick look takes is what the close look gives: over every document of the cases, whole and with a value changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyctl.channels import CHANNELS
from notifyctl.config.check import check_and_advise
from notifyctl.config.documents import shapes
from notifyctl.config.fields import Choice, Integer, Items, Number, Record, Shape, Spelling, Text
from notifyctl.config.nodes import MappingNode, Node, Scalar, SequenceNode, resolve
from notifyctl.config.reader import read_documents
from notifyctl.config.takes import Doubt, take
from notifyctl.rulebook import receipts

ROOT = Path(__file__).parents[3]
SHAPES = shapes([channel.shape for channel in CHANNELS.values()])


def documents() -> list[tuple[str, MappingNode]]:
    found = []
    for path in sorted([*ROOT.glob("tests/cases/**/*.yaml"), *ROOT.glob("notifications/**/*.yaml")]):
        if not path.is_file():
            continue  # a case of links that lead nowhere
        for node in read_documents(path.read_bytes(), path.name)[0]:
            kind = node.get("kind") if isinstance(node, MappingNode) else None
            if isinstance(node, MappingNode) and isinstance(kind, Scalar) and kind.text in SHAPES:
                found.append((kind.text, node))
    return found


DOCUMENTS = documents()
ODD = st.sampled_from(
    ["", "~", "true", "yes", "3", "-1", "1.5", ".inf", "sent", "a b", "2026-12-01T09:00", "1767225600", "30m", "x" * 300]
)  # fmt: skip
SCALARS = st.builds(
    lambda text, plain: Scalar(text, resolve(text) if plain else text, plain), ODD, st.booleans()
)
NODES = st.one_of(
    SCALARS,
    st.just(SequenceNode(())),
    st.just(MappingNode(())),
    st.builds(lambda x: SequenceNode((x, x)), SCALARS),
)


def taken(shape: Shape, node: Node) -> bool:
    """Whether the quick look takes it, and then just as the close one."""
    try:
        value = take(shape)(node)
    except Doubt:
        return False
    assert check_and_advise(shape, node) == (value, [], [])
    return True


def changed(draw: Any, node: Node) -> Node:
    """One value below `node` is another one, is missing, or stands under another key."""
    if isinstance(node, Scalar) or not node.items or draw(st.integers(0, 4)) == 0:
        return draw(NODES)  # type: ignore[no-any-return]
    at = draw(st.integers(0, len(node.items) - 1))
    if draw(st.integers(0, 9)) == 0:
        return node._replace(items=(*node.items[:at], *node.items[at + 1 :]))
    if isinstance(node, SequenceNode):
        return node._replace(items=(*node.items[:at], changed(draw, node.items[at]), *node.items[at + 1 :]))
    key, value = node.items[at]
    names = [each.text for each, _ in node.items]
    if draw(st.integers(0, 9)) == 0 and "stranger" not in names:
        key = key._replace(text="stranger")
    return node._replace(items=(*node.items[:at], (key, changed(draw, value)), *node.items[at + 1 :]))


def test_every_document_of_the_cases() -> None:
    kinds = {kind for kind, node in DOCUMENTS if taken(SHAPES[kind], node)}
    assert kinds == set(SHAPES)


@given(data=st.data())
def test_documents_with_a_change(data: st.DataObject) -> None:
    kind, node = data.draw(st.sampled_from(DOCUMENTS))
    taken(SHAPES[kind], changed(data.draw, node))


@pytest.mark.parametrize(
    ("shape", "text", "value"),
    [
        (Text(parse=int), "12", 12),
        (Text(parse=int), "no", Doubt),
        (Text(pattern="[0-9]+", parse=int), "12", 12),
        (Text(pattern="[0-9]+", parse=int), "a", Doubt),
        (Text(min_length=2), "a", Doubt),
        (Text(max_bytes=2), "łł", Doubt),
        (Text(composed=True, min_length=9), "a", "a"),
        (Choice(values=("Ab",), fold=True), "aB", "aB"),
        (Choice(values=("a", "b"), spelling=Spelling(receipts.SPELLING, {"b": "a"}.get)), "b", Doubt),
        (Integer(minimum=1), "0", Doubt),
        (Integer(), "true", Doubt),
        (Number(), ".nan", Doubt),
        (Number(), "1.5", 1.5),
        (Items(item=Text(), single=True), "a", ["a"]),
        (Items(item=Text()), "a", Doubt),
        (Record(title="r", fields=()), "a", Doubt),
    ],
)
def test_scalars(shape: Shape, text: str, value: object) -> None:
    node = Scalar(text, resolve(text), plain=True)
    assert taken(shape, node) == (value is not Doubt)
    if value is not Doubt:
        assert take(shape)(node) == value
