"""The plain value of a node that surely has its shape: the quick look before `check`, compiled once for each shape.

It speaks of nothing: at the first doubt it raises Doubt, and `check` looks closely. What it does give is what `check` would
have given, without a problem or advice. It knows no paths, which is most of what it saves.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from notifyctl.config.fields import (
    Boolean,
    Cases,
    Choice,
    Either,
    Free,
    Integer,
    Items,
    Number,
    Record,
    Shape,
    Spelling,
    Table,
    Text,
)
from notifyctl.config.fits import by_spelling, complete
from notifyctl.config.nodes import MappingNode, Node, Scalar, SequenceNode
from notifyctl.patterns import pattern

Take = Callable[[Node], Any]

MOST_REMEMBERED = 1000
"""How many sets of keys a record remembers its verdict for: a stranger's files may have any."""


class Doubt(Exception):  # noqa: N818 - no error: the close look will say whether there is one
    """The quick look cannot tell."""


def take(shape: Shape) -> Take:
    """A function from a node of a file to its plain value. Raises Doubt."""
    return MAKERS[type(shape)](shape)


# -- scalars ----------------------------------------------------------------------------------------------------------


def characters(node: Node) -> str:
    if type(node) is not Scalar:
        raise Doubt
    text, value, plain, _, _ = node
    if value is None or not (plain or type(value) is str):
        raise Doubt
    return text


def text(shape: Text) -> Take:
    if shape.composed:
        return characters
    least, most, most_bytes, parse = shape.min_length, shape.max_length, shape.max_bytes, shape.parse
    form = pattern(shape.pattern) if shape.pattern is not None else None

    def taking(node: Node) -> Any:
        value = characters(node)
        if len(value) < least or (most is not None and len(value) > most):
            raise Doubt
        if most_bytes is not None and len(value.encode("utf-8", "surrogatepass")) > most_bytes:
            raise Doubt
        if form is not None and form.fullmatch(value) is None:
            raise Doubt
        return value if parse is None else parsed(parse, shape.spelling, value)

    return taking


def parsed(parse: Callable[[str], Any], spelling: Spelling | None, text: str) -> Any:
    if spelling is not None and spelling.better(text) is not None:
        raise Doubt
    try:
        return parse(text)
    except ValueError:
        raise Doubt from None


def choice(shape: Choice) -> Take:
    spelling = shape.spelling
    known = frozenset(each.casefold() if shape.fold else each for each in shape.values)

    fold = shape.fold

    def taking(node: Node) -> str:
        value = characters(node)
        if (value.casefold() if fold else value) not in known:
            raise Doubt
        if spelling is not None and spelling.better(value) is not None:
            raise Doubt
        return value

    return taking


def number(shape: Integer | Number) -> Take:
    kinds = (int,) if isinstance(shape, Integer) else (int, float)
    least = -math.inf if shape.minimum is None else shape.minimum
    most = math.inf if shape.maximum is None else shape.maximum

    def taking(node: Node) -> Any:
        value: Any = node.value if type(node) is Scalar else None
        if type(value) not in kinds or not math.isfinite(value) or not least <= value <= most:
            raise Doubt
        return value

    return taking


def boolean(_: Boolean) -> Take:
    def taking(node: Node) -> bool:
        if type(node) is Scalar and type(node.value) is bool:
            return node.value
        raise Doubt

    return taking


def free(_: Free) -> Take:
    """Scalars only; what nests is left to the close look."""

    def taking(node: Node) -> Any:
        if type(node) is not Scalar or (type(node.value) is float and not math.isfinite(node.value)):
            raise Doubt
        return node.value

    return taking


# -- lists and mappings -----------------------------------------------------------------------------------------------


def items(shape: Items) -> Take:
    item, least, most = take(shape.item), shape.min_items, shape.max_items
    most = 1 if shape.unique and most != 0 else most  # whether two are alike is seen by the close look

    def taking(node: Node) -> list[Any]:
        if type(node) is SequenceNode:
            values = list(map(item, node.items))
        elif shape.single:
            values = [item(node)]
        else:
            raise Doubt
        if len(values) < least or (most is not None and len(values) > most):
            raise Doubt
        return values

    return taking


def table(shape: Table) -> Take:
    inner = take(shape.value)
    form = pattern(shape.keys) if shape.keys is not None else None

    def taking(node: Node) -> dict[str, Any]:
        if type(node) is not MappingNode:
            raise Doubt
        if form is not None and not all(form.fullmatch(key.text) for key, _ in node.items):
            raise Doubt
        return {key.text: inner(value) for key, value in node.items}

    return taking


def record(shape: Record) -> Take:
    """Which keys may stand together is worked out once for each set of keys in their order."""
    spelled = by_spelling(shape)
    known: dict[str, tuple[str, Take]] = {}
    verdicts: dict[tuple[str, ...], bool] = {}

    def taking(node: Node) -> dict[str, Any]:
        if type(node) is not MappingNode:
            raise Doubt
        values: dict[str, Any] = {}
        for key, value in node.items:
            text = key.text
            if text not in known:
                if text not in spelled:
                    raise Doubt
                known[text] = (spelled[text].name, take(spelled[text].shape))
            name, each = known[text]
            values[name] = each(value)
        written = tuple(values)
        sound = verdicts.get(written)
        if sound is None:
            sound = complete(shape, list(written))
            if len(verdicts) < MOST_REMEMBERED:
                verdicts[written] = sound
        if not sound or len(written) < len(node.items):
            raise Doubt
        return values

    return taking


def cases(shape: Cases) -> Take:
    """A case is compiled when it is first met: most projects use few."""
    takes: dict[str, Take] = {}

    def taking(node: Node) -> dict[str, Any]:
        chooser = node.get(shape.by) if type(node) is MappingNode else None
        chosen = characters(chooser) if chooser is not None else ""
        if chosen not in takes:
            if chosen not in shape.cases:
                raise Doubt
            takes[chosen] = take(shape.cases[chosen])
        value: dict[str, Any] = takes[chosen](node)
        return value

    return taking


def either(shape: Either) -> Take:
    plain, mapping = take(shape.text), take(shape.mapping)
    return lambda node: mapping(node) if type(node) is MappingNode else plain(node)


MAKERS: Mapping[type[Shape], Callable[[Any], Take]] = {
    Text: text,
    Choice: choice,
    Integer: number,
    Number: number,
    Boolean: boolean,
    Free: free,
    Items: items,
    Table: table,
    Record: record,
    Cases: cases,
    Either: either,
}
