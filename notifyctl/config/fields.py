"""Defines the shapes with which documents and API objects are declared.

Shapes are data: `check.py` validates YAML nodes and JSON values with them, `jsonschema.py` generates schemas, and
the payload builder looks up the API's keys. `rule` is the API rule that a value violates if it does not match the
shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from notifyctl.rulebook import Rule

OLDER, NEWER = "2021", "6.20"
"""The profiles of the API: the edition of its documentation that an environment's account follows."""


class Shape(Struct, frozen=True, kw_only=True):
    """Base of all shapes: a description and examples for editors, and the API rule behind the shape."""

    description: str = ""
    examples: tuple[Any, ...] = ()
    rule: Rule | None = None


class Spelling(Struct, frozen=True):
    """Prefers one of several accepted spellings. `find_preferred` returns the preferred spelling, or None if the text is
    already preferred or invalid.
    """

    rule: Rule
    find_preferred: Callable[[str], str | None]


class Text(Shape, frozen=True, kw_only=True):
    """A string. In YAML, the characters of the file count, so +447700900123 and 007 keep their form.

    `composed`: the length limits apply to the text after Jinja2 and `$(name)` substitution; schemas and the loader
    ignore them. `pattern` must match the whole text; `pattern_description` completes the message "must be …".
    `parse` converts the text to a value and raises ValueError with a message for users.
    """

    min_length: int = 0
    max_length: int | None = None
    max_bytes: int | None = None
    composed: bool = False
    pattern: str | None = None
    pattern_description: str | None = None
    private: bool = False
    """Never quote the text in messages, because it may contain a secret."""
    parse: Callable[[str], Any] | None = None
    spelling: Spelling | None = None


class Choice(Shape, frozen=True, kw_only=True):
    """One of a closed set of strings. `fold`: compare without case and keep the text as written."""

    values: tuple[str, ...]
    fold: bool = False


LARGEST = 2**53 - 1
"""The largest integer that every reader of JSON keeps; no field takes a larger one."""


class Integer(Shape, frozen=True, kw_only=True):
    """An integer, of at most `LARGEST`. `strings`: also accept digits in quotes."""

    minimum: int | None = None
    maximum: int | None = None
    strings: bool = False


class Number(Shape, frozen=True, kw_only=True):
    minimum: float | None = None
    maximum: float | None = None


class Boolean(Shape, frozen=True, kw_only=True):
    """A boolean. `strings`: also accept "true" and "false" in quotes, with a warning (rule 56)."""

    strings: bool = False


class Items(Shape, frozen=True, kw_only=True):
    """A list. `single`: also accept one item without a list."""

    item: Shape
    min_items: int = 0
    max_items: int | None = None
    unique: bool = False
    single: bool = False


class Table(Shape, frozen=True, kw_only=True):
    """A mapping with arbitrary keys and values of one shape. `keys`: a pattern that matches each whole key."""

    value: Shape
    keys: str | None = None


class Field(Struct, frozen=True, kw_only=True):
    """One key of a record. `aliases` are alternative spellings in the API or its samples; they are converted to
    `name`.
    """

    name: str
    shape: Shape
    required: bool = False
    default: Any = None
    """For schemas and documentation only; the model defines the effective default."""
    aliases: tuple[str, ...] = ()
    profile: str | None = None
    """The only profile of the API that has the key; None: all have it."""

    @property
    def description(self) -> str:
        """The shape's description, with the profile if only one has the key."""
        about = self.shape.description
        return f"{about} Profile {self.profile} only.".strip() if self.profile else about


class Record(Shape, frozen=True, kw_only=True):
    """A mapping with known keys. Any other key is an error that suggests the nearest known key.

    `partial`: no key is required (locale variants). `title` names the record in schemas and messages, for example
    "SMS content".
    """

    title: str
    fields: tuple[Field, ...]
    exactly_one: tuple[tuple[str, ...], ...] = ()
    """Groups of keys; exactly one key of each group is required."""
    at_least_one: tuple[tuple[str, ...], ...] = ()
    at_most_one: tuple[tuple[str, ...], ...] = ()
    needs: tuple[tuple[str, str | tuple[str, ...]], ...] = ()
    """Pairs of keys; the first is valid only together with the second, or with one of several."""
    partial: bool = False
    unknown_key_rules: Mapping[str, Rule] = field(default_factory=dict)
    """Unknown key → the rule that it violates; "*" matches any other key."""
    unknown_key_hints: Mapping[str, str] = field(default_factory=dict)
    """Unknown key that is known elsewhere → the hint that says so, instead of the nearest known key."""
    exclusive_rules: Mapping[tuple[str, ...], Rule] = field(default_factory=dict)
    """Group of `exactly_one` or `at_most_one` → the API rule that it stands for."""

    def find_field(self, name: str) -> Field | None:
        """Returns the field with this name or alias, or None."""
        return next((each for each in self.fields if name == each.name or name in each.aliases), None)


def only_in(profile: str, *fields: Field) -> tuple[Field, ...]:
    """Returns the fields marked as keys of one profile of the API."""
    return tuple(replace(each, profile=profile) for each in fields)


class Cases(Shape, frozen=True, kw_only=True):
    """A mapping whose key `by` selects a record, for example content or suggestions by `type`."""

    by: str
    cases: Mapping[str, Record]
    title: str
    other_case_rule: Rule | None = None
    """The rule that a key of another case violates."""


class Either(Shape, frozen=True, kw_only=True):
    """A text or a mapping: a reference by name, or an inline object. `text_name`: what the text is, for messages."""

    text: Text
    mapping: Record | Cases
    text_name: str = "a name"


class Free(Shape, frozen=True, kw_only=True):
    """Any YAML value, resolved by the YAML 1.2 core schema: what another check looks at later."""


class Written(Shape, frozen=True, kw_only=True):
    """Any YAML value but null. Its numbers and booleans keep the characters in the file: `vars`."""


class ChannelShape(Struct, frozen=True, kw_only=True):
    """The parts of a channel that `config` needs to check templates and notifications. Each channel declares one."""

    name: str
    content: Cases
    options: Record
    receipts: tuple[str, ...]
    """Lower-case names valid in `requestedReceipts`, including aliases (rules 48 to 51)."""
