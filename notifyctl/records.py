"""The frozen, slotted dataclasses of this package, made in a tenth of the time that `dataclasses` takes.

`notifyctl lint` is a pre-commit hook and passes some ninety dataclasses on its way to one file. The standard decorator compiles
six methods for each and imports `inspect`, which is a third of such a run. Here methods that can be written once are,
and only `__init__` is compiled, once a class has made some objects. Type checkers see the standard library's own.

`dataclasses.fields`, `asdict`, `replace` and `is_dataclass` work on what is made here, and the standard decorator may be used
beside it. What this package does not use (`InitVar`, `init=False`, `__post_init__`, classes without slots) is not offered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass", "field", "replace"]

MISSING: Any = type("Missing", (), {"__repr__": lambda _: "<missing>"})()
"""Stands where no value was given."""


NOT_COMPILED = 30
"""How many objects of a class are made before its `__init__` is compiled: that takes as long as making forty."""


class Spec:
    """What is known of one field. The type stays a string: nothing here reads it."""

    __slots__ = ("annotation", "compare", "default", "factory", "kw_only", "shown")

    def __init__(self, *, default: Any, factory: Any, shown: bool, compare: bool) -> None:
        self.default, self.factory, self.shown, self.compare = default, factory, shown, compare
        self.annotation: Any = None
        self.kw_only = False


def _field(
    *,
    default: Any = MISSING,
    default_factory: Any = MISSING,
    repr: bool = True,  # noqa: A002 - the standard library's name
    compare: bool = True,
) -> Spec:
    return Spec(default=default, factory=default_factory, shown=repr, compare=compare)


def _dataclass(
    *, slots: bool, frozen: bool = False, eq: bool = True, order: bool = False, kw_only: bool = False
) -> Callable[[type], type]:
    assert slots, "a dataclass without slots is the standard library's to make"
    return lambda cls: made(cls, frozen=frozen, eq=eq, order=order, kw_only=kw_only)


def _replace(record: Any, /, **changes: Any) -> Any:
    specs = getattr(type(record), "__specs__", None)
    if specs is None:
        import dataclasses

        return dataclasses.replace(record, **changes)
    for name in specs:
        if name not in changes:
            changes[name] = getattr(record, name)
    return type(record)(**changes)


if TYPE_CHECKING:
    from dataclasses import dataclass, field, replace
else:
    dataclass, field, replace = _dataclass, _field, _replace


def made(cls: type, *, frozen: bool, eq: bool, order: bool, kw_only: bool) -> type:
    """The class again, with slots in place of its fields' defaults, and the methods of a dataclass."""
    inherited: dict[str, Spec] = {}
    for base in reversed(cls.__mro__[1:]):
        inherited |= base.__dict__.get("__specs__", {})
    namespace = {key: value for key, value in cls.__dict__.items() if key not in {"__dict__", "__weakref__"}}
    own: dict[str, Spec] = {}
    for name, annotation in namespace.get("__annotations__", {}).items():
        default = namespace.pop(name, MISSING)
        own[name] = spec = default if isinstance(default, Spec) else _field(default=default)
        spec.annotation, spec.kw_only = annotation, kw_only
    specs = inherited | own
    namespace |= {
        "__qualname__": cls.__qualname__,
        "__specs__": specs,
        "__slots__": tuple(name for name in own if name not in inherited),
        "__match_args__": tuple(name for name, spec in specs.items() if not spec.kw_only),
        "__key__": key_of([name for name, spec in specs.items() if spec.compare]),
        "__dataclass_fields__": StandardFields(),
        "__getstate__": state,
        "__setstate__": restore,
    }
    namespace.setdefault("__repr__", shown)
    if frozen:
        namespace["__setattr__"] = namespace["__delattr__"] = refuse
    if eq:
        namespace.setdefault("__eq__", equal)
        namespace["__hash__"] = hashed if frozen else None
    namespace |= ORDER if order else {}
    new: Any = type(cls)(cls.__name__, cls.__bases__, namespace)
    new.__init__ = first_init(new)
    return new  # type: ignore[no-any-return]  # a class that is made at run time


def key_of(names: Sequence[str]) -> Any:
    """What two objects are compared by: always a tuple."""
    if len(names) > 1:
        return attrgetter(*names)
    return staticmethod(lambda record: tuple([getattr(record, name) for name in names]))


# -- __init__ ---------------------------------------------------------------------------------------------------------


def first_init(cls: Any) -> Callable[..., None]:
    """Sets the slots of a few objects one by one, then compiles the real `__init__` and gives way to it.

    Most classes make a handful of objects in a run, for which compiling is not worth its time. What is called wrongly is
    left to the compiled one, which says what is wrong.
    """
    left = NOT_COMPILED
    setters: list[tuple[str, Spec, Callable[..., None]]] = []

    def __init__(self: Any, /, *values: Any, **named: Any) -> None:  # noqa: N807
        nonlocal left
        left -= 1
        if not setters:
            setters.extend((name, spec, getattr(cls, name).__set__) for name, spec in cls.__specs__.items())
        if left > 0 and assigned(
            self, setters, dict(zip(cls.__match_args__, values, strict=False)), named, len(values)
        ):
            return
        real = init(cls)
        cls.__init__ = real
        real(self, *values, **named)

    return __init__


def assigned(
    self: Any,
    setters: Sequence[tuple[str, Spec, Callable[..., None]]],
    given: dict[str, Any],
    named: Mapping[str, Any],
    values: int,
) -> bool:
    """Whether the arguments are right; then they and the defaults are set. `given`: the `values` in places, by name."""
    if len(given) != values or not given.keys().isdisjoint(named):
        return False
    given.update(named)
    for name, spec, put in setters:
        if name in given:
            put(self, given.pop(name))
        elif spec.factory is not MISSING:
            put(self, spec.factory())
        elif spec.default is not MISSING:
            put(self, spec.default)
        else:
            return False
    return not given


def init(cls: Any) -> Callable[..., None]:
    """Slots are set by their own descriptors: faster than `object.__setattr__`, and frozen all the same."""
    names: dict[str, Any] = {"missing": MISSING}
    plain, keywords, body = ["self"], ["*"], []
    for name, spec in cls.__specs__.items():
        names[f"set_{name}"] = getattr(cls, name).__set__
        given = parameter = name
        if spec.factory is not MISSING:
            names[f"new_{name}"] = spec.factory
            parameter, given = f"{name}=missing", f"new_{name}() if {name} is missing else {name}"
        elif spec.default is not MISSING:
            names[f"default_{name}"] = spec.default
            parameter = f"{name}=default_{name}"
        (keywords if spec.kw_only else plain).append(parameter)
        body.append(f" set_{name}(self, {given})")
    parameters = plain + (keywords if len(keywords) > 1 else [])
    exec(f"def __init__({', '.join(parameters)}):\n" + "\n".join(body or [" pass"]), names)  # noqa: S102 - the names of fields
    made_init: Callable[..., None] = names["__init__"]
    made_init.__qualname__ = f"{cls.__qualname__}.__init__"
    return made_init


# -- Methods that every class shares ----------------------------------------------------------------------------------


def shown(self: Any) -> str:
    fields = (f"{name}={getattr(self, name)!r}" for name, spec in self.__specs__.items() if spec.shown)
    return f"{type(self).__qualname__}({', '.join(fields)})"


def equal(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    key = self.__key__
    return key(self) == key(other)


def hashed(self: Any) -> int:
    return hash(self.__key__(self))


def refuse(self: Any, name: str, *_: object) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot change field {name!r} of a {type(self).__name__}")


def state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self.__specs__]


def restore(self: Any, values: Sequence[Any]) -> None:
    """For `copy` and `pickle`, which set no attribute of a frozen object otherwise."""
    for name, value in zip(self.__specs__, values, strict=True):
        object.__setattr__(self, name, value)


def ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], Any]:
    def method(self: Any, other: Any) -> Any:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return compare(self.__key__(self), self.__key__(other))

    return method


ORDER: Mapping[str, Any] = {
    "__lt__": ordered(lambda one, other: one < other),
    "__le__": ordered(lambda one, other: one <= other),
    "__gt__": ordered(lambda one, other: one > other),
    "__ge__": ordered(lambda one, other: one >= other),
}


class StandardFields:
    """What `dataclasses.fields` reads, made by `dataclasses` itself when it is first asked for."""

    def __get__(self, instance: object, owner: Any) -> Mapping[str, Any]:
        import dataclasses

        cls = next(each for each in owner.__mro__ if each.__dict__.get("__dataclass_fields__") is self)
        fields = []
        for name, spec in cls.__specs__.items():
            said = {"repr": spec.shown, "compare": spec.compare, "kw_only": spec.kw_only}
            if spec.default is not MISSING:
                said["default"] = spec.default
            if spec.factory is not MISSING:
                said["default_factory"] = spec.factory
            fields.append((name, spec.annotation, dataclasses.field(**said)))
        standard: Any = dataclasses.make_dataclass(cls.__name__, fields)
        cls.__dataclass_fields__ = standard.__dataclass_fields__
        known: Mapping[str, Any] = cls.__dataclass_fields__
        return known
