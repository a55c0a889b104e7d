"""A record behaves as the standard library's dataclass of the same declaration does."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from notifyctl import records

PACKAGE = Path(records.__file__).parent


def declared(module: Any) -> tuple[Any, Any, Any]:
    """The same classes, made by `module`."""

    @module.dataclass(frozen=True, slots=True, order=True)
    class Place:
        file: str
        line: int = 0
        seen: list[int] = module.field(default_factory=list, compare=False)
        secret: str = module.field(default="s", repr=False)

    @module.dataclass(frozen=True, slots=True, kw_only=True)
    class Shape:
        title: str
        rule: int | None = None

    @module.dataclass(frozen=True, slots=True, kw_only=True)
    class Text(Shape):
        longest: int
        rule: int | None = 7

    return Place, Shape, Text


STANDARD, OURS, COMPILED = declared(dataclasses), declared(records), declared(records)
for make in COMPILED:
    for _ in range(records.NOT_COMPILED + 1):
        make(**dict.fromkeys([each.name for each in dataclasses.fields(make)]))


def facts(classes: tuple[Any, Any, Any]) -> Iterator[object]:
    place, shape, text = classes
    one, other, nine = place("a"), place("a", seen=[1]), place("a", 9)
    yield repr(one)
    yield repr(text(title="t", longest=3))
    yield [one == other, one == nine, one == "a", hash(one) == hash(other), one < nine, one >= nine]
    yield shape(title="t") == text(title="t", longest=1)
    yield [one.seen is place("a").seen, place.__match_args__, text.__match_args__, place.__slots__]
    yield [records.replace(one, line=3), dataclasses.replace(one, line=3)] == [place("a", 3)] * 2
    yield [(f.name, f.default is None, f.kw_only, f.repr, f.compare) for f in dataclasses.fields(text)]
    yield dataclasses.asdict(text(title="t", longest=1))
    yield dataclasses.is_dataclass(place)
    yield [hasattr(one, "__dict__"), copy.copy(nine) == nine, copy.deepcopy(one).seen is one.seen]


@pytest.mark.parametrize("ours", [OURS, COMPILED])
@pytest.mark.parametrize("number", range(len(list(facts(STANDARD)))))
def test_a_record_is_what_the_standard_library_makes(ours: tuple[Any, Any, Any], number: int) -> None:
    assert list(facts(ours))[number] == list(facts(STANDARD))[number]


@pytest.mark.parametrize("classes", [STANDARD, OURS, COMPILED])
def test_wrong_use_is_refused_alike(classes: tuple[Any, Any, Any]) -> None:
    place, _, text = classes
    with pytest.raises(dataclasses.FrozenInstanceError):
        place("a").line = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        del place("a").line
    with pytest.raises(TypeError, match="missing 1 required"):
        place()
    with pytest.raises(TypeError, match="unexpected keyword"):
        place("a", colour=1)
    with pytest.raises(TypeError, match="multiple values"):
        place("a", 1, line=2)
    with pytest.raises(TypeError, match="takes 1 positional"):
        text("t", 1)
    with pytest.raises(TypeError, match="not supported"):
        place("a") < "a"  # noqa: B015 - that it raises is what is tried


def test_a_record_can_be_pickled() -> None:
    from notifyctl.diagnostics import Location

    place = Location("a.yaml", 1, 2)
    assert pickle.loads(pickle.dumps(place)) == place


def modules() -> Iterator[str]:
    for path in sorted(PACKAGE.rglob("*.py")):
        if "from notifyctl.records import" in path.read_text(encoding="utf-8"):
            yield ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)


@pytest.mark.parametrize("name", list(modules()))
def test_the_standard_library_would_take_each_record(name: str) -> None:
    """Its rules hold: no default before a field without one, none that can be changed; and its order of parameters is ours."""
    module = importlib.import_module(name.removesuffix(".__init__"))
    classes: list[Any] = [each for each in vars(module).values() if isinstance(each, type)]
    for cls in classes:
        if cls.__module__ == module.__name__ and "__specs__" in vars(cls):
            positional = [each.name for each in dataclasses.fields(cls) if not each.kw_only]
            assert tuple(positional) == cls.__match_args__
            assert not hasattr(cls, "__post_init__")
