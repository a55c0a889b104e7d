"""Whether a finished value surely has its shape: the quick look before `check`, compiled once for each shape.

A `False` says nothing: `check` then looks closely, and is the only one to speak of problems. A `True` is a promise that
`check(shape, node_of(value), composed=True)` finds none.
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
    Field,
    Free,
    Integer,
    Items,
    Number,
    Record,
    Shape,
    Table,
    Text,
)
from notifyctl.patterns import pattern

Fits = Callable[[Any], bool]

MOST_REMEMBERED = 1000
"""How many sets of keys a record remembers its verdict for: a request may have any."""

COMPILED: dict[int, tuple[Shape, Fits]] = {}
"""By the identity of the shape, which is kept beside its function so that the identity stays its own."""


def fits(shape: Shape, value: object) -> bool:
    """Whether a plain value (as `json.loads` gives it, Jinja2 done) surely has the shape."""
    known = COMPILED.get(id(shape))
    if known is None:
        known = COMPILED[id(shape)] = (shape, compiled(shape))
    return known[1](value)


def compiled(shape: Shape) -> Fits:
    return MAKERS[type(shape)](shape)


# -- scalars ----------------------------------------------------------------------------------------------------------


def text(shape: Text) -> Fits:
    least, most, most_bytes, parse = shape.min_length, shape.max_length, shape.max_bytes, shape.parse
    form = pattern(shape.pattern) if shape.pattern is not None else None

    def fitting(value: Any) -> bool:
        if type(value) is not str or len(value) < least or (most is not None and len(value) > most):
            return False
        if most_bytes is not None and len(value.encode("utf-8", "surrogatepass")) > most_bytes:
            return False
        if form is not None and form.fullmatch(value) is None:
            return False
        return parse is None or parses(parse, value)

    return fitting


def parses(parse: Callable[[str], Any], value: str) -> bool:
    try:
        parse(value)
    except ValueError:
        return False
    return True


def choice(shape: Choice) -> Fits:
    known = frozenset(shape.values)
    if shape.fold:
        known = frozenset(each.casefold() for each in known)
        return lambda value: type(value) is str and value.casefold() in known
    return lambda value: type(value) is str and value in known


def number(shape: Integer | Number) -> Fits:
    kinds = (int,) if isinstance(shape, Integer) else (int, float)
    least = -math.inf if shape.minimum is None else shape.minimum
    most = math.inf if shape.maximum is None else shape.maximum
    return lambda value: type(value) in kinds and math.isfinite(value) and least <= value <= most


def boolean(_: Boolean) -> Fits:
    return lambda value: type(value) is bool


def free(_: Free) -> Fits:
    """Scalars only; what nests is left to the close look."""
    return lambda value: value is None or type(value) in (str, bool, int)


# -- lists and mappings -----------------------------------------------------------------------------------------------


def items(shape: Items) -> Fits:
    item, least, most = compiled(shape.item), shape.min_items, shape.max_items
    most = 1 if shape.unique and most != 0 else most  # whether two are alike is seen by the close look

    def fitting(value: Any) -> bool:
        return (
            type(value) in (list, tuple)
            and least <= len(value)
            and (most is None or len(value) <= most)
            and all(map(item, value))
        )

    return fitting


def table(shape: Table) -> Fits:
    inner = compiled(shape.value)
    form = pattern(shape.keys) if shape.keys is not None else None

    def fitting(value: Any) -> bool:
        return (
            type(value) is dict
            and all(type(key) is str and (form is None or form.fullmatch(key) is not None) for key in value)
            and all(map(inner, value.values()))
        )

    return fitting


def record(shape: Record) -> Fits:
    """Which keys may stand together is worked out once for each set of keys in their order."""
    inner = {field.name: compiled(field.shape) for field in shape.fields}
    names = by_spelling(shape)
    verdicts: dict[tuple[Any, ...], tuple[Fits, ...] | None] = {}

    def fitting(value: Any) -> bool:
        if type(value) is not dict:
            return False
        keys = tuple(value)
        if keys in verdicts:
            looks = verdicts[keys]
        else:
            written = [names[key].name for key in keys if key in names]
            sound = len(written) == len(keys) and complete(shape, written)
            looks = tuple(inner[name] for name in written) if sound else None
            if len(verdicts) < MOST_REMEMBERED:
                verdicts[keys] = looks
        if looks is None:
            return False
        for look, each in zip(looks, value.values(), strict=True):  # noqa: SIM110 - for every text of every variant
            if not look(each):
                return False
        return True

    return fitting


def by_spelling(shape: Record) -> Mapping[str, Field]:
    """Names and aliases; the first field of a spelling has it, as in `Record.named`."""
    names: dict[str, Field] = {}
    for field in shape.fields:
        for spelling in (field.name, *field.aliases):
            names.setdefault(spelling, field)
    return names


def complete(shape: Record, written: list[str]) -> bool:
    """Whether these fields, by their canonical names, may and must stand together."""
    present = set(written)
    if len(present) < len(written):
        return False
    if any(len(present.intersection(group)) > 1 for group in (*shape.exactly_one, *shape.at_most_one)):
        return False
    if shape.partial:
        return True
    return (
        all(other in present for name, other in shape.needs if name in present)
        and all(field.name in present for field in shape.fields if field.required)
        and all(present.intersection(group) for group in (*shape.exactly_one, *shape.at_least_one))
    )


def cases(shape: Cases) -> Fits:
    """A case is compiled when it is first met: most projects use few."""
    by, met = shape.by, dict[str, Fits]()

    def fitting(value: Any) -> bool:
        chosen = value.get(by) if type(value) is dict else None
        if type(chosen) is not str:
            return False
        look = met.get(chosen)
        if look is None:
            record = shape.cases.get(chosen)
            if record is None:
                return False
            look = met[chosen] = compiled(record)
        return look(value)

    return fitting


def either(shape: Either) -> Fits:
    plain, mapping = compiled(shape.text), compiled(shape.mapping)
    return lambda value: mapping(value) if type(value) is dict else plain(value)


MAKERS: Mapping[type[Shape], Callable[[Any], Fits]] = {
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
