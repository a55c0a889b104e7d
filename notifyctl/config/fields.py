"""The vocabulary in which every document and every API object is declared, once.

A shape is data. `check.py` reads it to check a YAML node or a JSON value, `jsonschema.py` to write the schema, the
payload builder to know the API's keys. `rule` is the rule of the API that a shape stands for: what breaks the shape breaks it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct, field

from notifyctl.rulebook import Rule


class Shape(Struct, frozen=True, kw_only=True):
    """What every shape may say of itself: a sentence for editors, examples, and the API rule behind it."""

    description: str = ""
    examples: tuple[Any, ...] = ()
    rule: Rule | None = None


class Spelling(Struct, frozen=True):
    """A value may be written in other ways, which are told: `better` gives the way to write it, or None for a text that is
    in order or wrong altogether.
    """

    rule: Rule
    better: Callable[[str], str | None]


class Text(Shape, frozen=True, kw_only=True):
    """A string; in YAML the characters of the file, so that +447700900123 and 007 stay what they are.

    `composed`: the length limits hold for the text after Jinja2 and `$(name)`, so neither the schema nor the loader
    applies them to what stands in the file. `parse` turns the text into a value and raises ValueError with a sentence.
    `pattern` must match whole; `says` ends "must be …" for people when it does not.
    """

    min_length: int = 0
    max_length: int | None = None
    max_bytes: int | None = None
    composed: bool = False
    pattern: str | None = None
    pattern_description: str | None = None
    private: bool = False
    """No message repeats the text: somebody may have put a secret here."""
    parse: Callable[[str], Any] | None = None
    spelling: Spelling | None = None


class Choice(Shape, frozen=True, kw_only=True):
    """One of a closed set of strings. `fold`: compared without regard to case, kept as written."""

    values: tuple[str, ...]
    fold: bool = False
    spelling: Spelling | None = None


class Integer(Shape, frozen=True, kw_only=True):
    """A whole number. `strings`: digits in quotes are accepted too and made a number."""

    minimum: int | None = None
    maximum: int | None = None
    strings: bool = False


class Number(Shape, frozen=True, kw_only=True):
    minimum: float | None = None
    maximum: float | None = None


class Boolean(Shape, frozen=True, kw_only=True):
    """true or false. `strings`: "true" and "false" in quotes are taken too, made booleans and told (rule 56)."""

    strings: bool = False


class Items(Shape, frozen=True, kw_only=True):
    """A list. `single`: one item may stand in place of a list of one."""

    item: Shape
    min_items: int = 0
    max_items: int | None = None
    unique: bool = False
    single: bool = False


class Table(Shape, frozen=True, kw_only=True):
    """A mapping with free keys and values of one shape. `keys` is a pattern that each key matches whole."""

    value: Shape
    keys: str | None = None


class Field(Struct, frozen=True, kw_only=True):
    """One key of a record. `aliases` are other spellings that the API or its samples use; they become `name`."""

    name: str
    shape: Shape
    required: bool = False
    default: Any = None
    """Only for the schema and the docs; the model's own default decides."""
    aliases: tuple[str, ...] = ()


class Record(Shape, frozen=True, kw_only=True):
    """A mapping with known keys; any other key is an error that names the nearest one. `partial`: nothing is required
    (a locale variant). `title` names it in schemas and messages, for example "SMS content".
    """

    title: str
    fields: tuple[Field, ...]
    exactly_one: tuple[tuple[str, ...], ...] = ()
    """Groups of keys of which exactly one must stand."""
    at_least_one: tuple[tuple[str, ...], ...] = ()
    at_most_one: tuple[tuple[str, ...], ...] = ()
    needs: tuple[tuple[str, str], ...] = ()
    """Pairs of keys: the first makes sense only where the second stands too."""
    partial: bool = False
    unknown_key_rules: Mapping[str, Rule] = field(default_factory=dict)
    """Keys that do not belong here, each with the rule it breaks; "*" stands for any other."""
    exclusive_rules: Mapping[tuple[str, ...], Rule] = field(default_factory=dict)
    """Groups of `exactly_one` and `at_most_one` that are a rule of the API."""

    def find_field(self, name: str) -> Field | None:
        for each in self.fields:  # a loop, because this runs for every key of every file
            if name == each.name or name in each.aliases:
                return each
        return None


class Cases(Shape, frozen=True, kw_only=True):
    """A mapping whose key `by` says which record it is: content by `type`, suggestion by `type`."""

    by: str
    cases: Mapping[str, Record]
    title: str
    other_case_rule: Rule | None = None
    """The rule that a key of another case breaks."""


class Either(Shape, frozen=True, kw_only=True):
    """A plain text or a mapping: a reference by name or the object inline. The node's own kind decides."""

    text: Text
    mapping: Record | Cases


class Free(Shape, frozen=True, kw_only=True):
    """Any YAML value, resolved by the 1.2 core schema: `vars`, and `$(name)` values before they become text."""


class ChannelShape(Struct, frozen=True, kw_only=True):
    """What `config` must know of a channel to check a template and a notification. `channels` declares one for each."""

    name: str
    content: Cases
    options: Record
    receipts: tuple[str, ...]
    """Lower-case names that `requestedReceipts` takes, aliases included (rules 48 to 51)."""
