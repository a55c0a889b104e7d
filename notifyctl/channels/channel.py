"""A channel: its shape, the rules across its fields, and its texts. Checks composed content from YAML or from a
request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from notifyctl.channels.limits import LIMITS
from notifyctl.config.check import check as check_shape
from notifyctl.config.fields import ChannelShape, Shape
from notifyctl.config.nodes import node_from_json
from notifyctl.diagnostics import Path, Problem
from notifyctl.model.project import ApiObject, ChannelName


class Message(Struct, frozen=True):
    """The input of a rule: composed content and options as plain values with the API's keys."""

    content: ApiObject
    options: ApiObject
    profile: str

    @property
    def type(self) -> str:
        return str(self.content.get("type"))


Check = Callable[[Message], Iterator[Problem]]


class Channel(Struct, frozen=True):
    """One channel. `check` reports errors, `advise` reports advice."""

    name: ChannelName
    shape: ChannelShape
    rules: Sequence[Check]
    """One function per rule or family of rules, defined in the channel's module."""
    advice: Sequence[Check] = ()
    """Rules that the sandbox does not know: the API may accept the message, but recipients or the bill are worse off. A plan
    refuses for those that are errors, as for any error of lint.
    """

    def check(self, content: ApiObject, options: ApiObject, *, profile: str) -> list[Problem]:
        """Every problem of a composed message: shapes and limits first, then rules across fields once the shapes are
        right.
        """
        found = [
            *shape_problems(self.shape.content, content, ("content",), profile=profile),
            *shape_problems(self.shape.options, options, ("options",), profile=profile),
            *self._too_long(content, profile),
        ]
        return found or run_rules(self.rules, Message(content, options, profile))

    def advise(self, content: ApiObject, options: ApiObject, *, profile: str) -> list[Problem]:
        """What could be better in a message that passes `check`."""
        return run_rules(self.advice, Message(content, options, profile))

    def _too_long(self, content: ApiObject, profile: str) -> Iterator[Problem]:
        for key, limit in LIMITS[self.name].items():
            text = content.get(key)
            if not isinstance(text, str):
                continue
            if self.name is ChannelName.RCS and content.get("type") != "text":
                continue
            size = len(text.encode()) if limit.unit == "bytes" else len(text)
            most = limit.by_profile[profile]
            if size > most:
                message = f"`{key}` has {size:,} {limit.unit}; the limit is {most:,} (profile {profile})"
                yield limit.rule.broken(("content", key), message, "shorten it")


def run_rules(rules: Sequence[Check], message: Message) -> list[Problem]:
    found: list[Problem] = []
    for rule in rules:
        found += rule(message)
    return found


def shape_problems(shape: Shape, value: ApiObject, prefix: Path, *, profile: str) -> list[Problem]:
    _, problems = check_shape(shape, node_from_json(value), composed=True, profile=profile)
    return [replace(problem, path=prefix + problem.path) for problem in problems]


def collect_texts(value: Any) -> list[tuple[Path, str]]:
    """Every string in a nested value, with its path."""
    found: list[tuple[Path, str]] = []
    walk_texts(value, (), found)
    return found


def walk_texts(value: Any, path: Path, found: list[tuple[Path, str]]) -> None:
    kind = type(value)
    if kind is dict:
        for key, item in value.items():
            if type(item) is str:  # the usual leaf, without a call of its own
                found.append(((*path, key), item))
            elif type(item) is not bool:
                walk_texts(item, (*path, key), found)
    elif isinstance(value, str):
        found.append((path, value))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            walk_texts(item, (*path, key), found)
    elif isinstance(value, (list, tuple)):
        for number, item in enumerate(value):
            walk_texts(item, (*path, number), found)


def is_final(text: str) -> bool:
    """Whether a text is final. One that contains `$(name)` can only be checked per recipient."""
    return "$(" not in text
