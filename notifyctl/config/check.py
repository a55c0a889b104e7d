"""Validates a node against a shape: returns the plain value and all problems, each with its path.

YAML and JSON share this code. Files and kinds of documents are unknown here. A shape with a `rule` of the API
reports problems under the id of that rule.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from notifyctl.config.fields import (
    LARGEST,
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
    Spelling,
    Table,
    Text,
    Written,
)
from notifyctl.config.messages import (
    describe_node,
    describe_path,
    describe_range,
    example_hint,
    find_nearest,
    list_choices,
    shorten,
    suggest_name,
)
from notifyctl.config.nodes import (
    MappingNode,
    Node,
    Scalar,
    SequenceNode,
    key_positions,
    plain_value,
    walk,
    written_value,
)
from notifyctl.config.truncated_texts import HINT, is_cut
from notifyctl.diagnostics import Diagnostic, Fix, Path, Positions, Problem
from notifyctl.rulebook import Rule, envelope, rcs, sms

KEY_RULES = frozenset({"unknown-key", "exclusive-keys"})
"""Rules whose problems are located at the key instead of the value."""

FORM_RULES = frozenset(
    {"missing-key", "wrong-type", "invalid-value", "too-long", "too-short", "too-many", "too-few"}
)
"""General rules that are reported under the API rule of the shape, if it has one."""

MAX_PROBLEMS = 1000
"""Most problems reported per file."""

YAML11_BOOLEANS = frozenset({"yes", "no", "on", "off", "y", "n"})
"""Booleans of YAML 1.1 that are plain text in YAML 1.2."""


def check(
    shape: Shape, node: Node, *, composed: bool = False, profile: str | None = None
) -> tuple[Any, list[Problem]]:
    """Validates `node` and returns its plain value with all problems.

    The value consists of str, int, float, bool, list, dict and results of `Text.parse`; it is meaningful only if
    there are no problems. Aliases of keys become canonical names. Set `composed` for a finished value, to which the
    limits of `Text(composed=True)` apply. `profile`: that of the environment, which decides which keys exist; None: unknown.
    """
    checker = ShapeChecker(composed=composed, profile=profile)
    return checker.check_value(shape, node, ()), checker.problems


def check_and_advise(shape: Shape, node: Node) -> tuple[Any, list[Problem], list[Problem]]:
    """Validates like `check`, and also returns warnings about accepted values that should be written differently. Each
    warning has a fix.
    """
    checker = ShapeChecker(composed=False)
    return checker.check_value(shape, node, ()), checker.problems, checker.advice


def locate_problems(problems: Iterable[Problem], node: Node, positions: Positions) -> list[Diagnostic]:
    """Converts the problems of a document to diagnostics with lines and columns."""
    problems = list(problems)
    keys = (
        Positions(positions.file, key_positions(node)) if any(each.at_key for each in problems) else positions
    )
    return [each.at(keys if each.at_key else positions) for each in problems]


class ShapeChecker:
    """Walks one value and collects its problems and advice."""

    def __init__(self, *, composed: bool, profile: str | None = None) -> None:
        self.composed = composed
        self.profile = profile
        self.problems: list[Problem] = []
        self.advice: list[Problem] = []

    def check_value(self, shape: Shape, node: Node, path: Path) -> Any:
        return CHECKS[type(shape)](self, shape, node, path)

    def report(self, rule: str, message: str, path: Path, *, shape: Shape, hint: str | None = None) -> None:
        api = shape.rule
        reported = api.id if api is not None and rule in FORM_RULES else rule
        number = api.number if api is not None else None
        self.problems.append(
            Problem(path, reported, message, hint, number=number, at_key=rule in KEY_RULES, form=rule)
        )

    def report_rule(
        self, rule: Rule, message: str, path: Path, hint: str | None, *, at_key: bool = True
    ) -> None:
        """Reports a violation of a rule of the API."""
        self.problems.append(replace(rule.broken(path, message, hint), at_key=at_key))

    def report_wrong_type(
        self, shape: Shape, expected: str, node: Node, path: Path, hint: str | None = None
    ) -> None:
        if isinstance(node, Scalar) and node.value is None and hint is None:
            hint = HINT if is_cut(node) else "add a value, or remove the key"
        message = f"{describe_path(path)} must be {expected}, not {describe_node(node)}"
        self.report("wrong-type", message, path, shape=shape, hint=hint)

    def advise(self, spelling: Spelling | None, text: str, path: Path) -> None:
        preferred = spelling.find_preferred(text) if spelling is not None else None
        if spelling is not None and preferred is not None:
            message = f'{describe_path(path)} is "{shorten(text)}"; the standard form is {preferred}'
            problem = spelling.rule.broken(path, message, f"write {preferred}")
            self.advice.append(replace(problem, fix=Fix(text, preferred)))

    # -- scalars ------------------------------------------------------------------------------------------------

    def read_text(self, shape: Shape, node: Node, path: Path) -> str | None:
        """Returns the text of a text scalar or of any unquoted YAML scalar; reports anything else."""
        if (
            isinstance(node, Scalar)
            and node.value is not None
            and (node.plain or isinstance(node.value, str))
        ):
            return node.text
        null = isinstance(node, Scalar) and node.value is None and node.text != ""
        self.report_wrong_type(
            shape, "text", node, path, 'for the word itself, use quotes: "null"' if null else None
        )
        return None

    def check_text(self, shape: Text, node: Node, path: Path) -> Any:
        known = len(self.problems)
        value = self.check_plain_text(shape, node, path)
        if shape.private:
            self.keep_secret(node, known)
        return value

    def keep_secret(self, node: Node, known: int) -> None:
        """Marks the value behind all problems but the first `known` as one that no view shows."""
        secrets = tuple(each.text for _, _, each in walk(node) if isinstance(each, Scalar))
        self.problems[known:] = [replace(problem, secrets=secrets) for problem in self.problems[known:]]

    def check_plain_text(self, shape: Text, node: Node, path: Path) -> Any:
        text = self.read_text(shape, node, path)
        if text is None or (shape.composed and not self.composed):
            return text
        self.check_length(shape, text, path)
        if shape.pattern is not None and not re.fullmatch(shape.pattern, text):
            requirement = (
                f"be {shape.pattern_description}" if shape.pattern_description else f"match {shape.pattern}"
            )
            quoted = "" if shape.private else f', not "{shorten(text)}"'
            message = f"{describe_path(path)} must {requirement}{quoted}"
            self.report("invalid-value", message, path, shape=shape, hint=example_hint(shape))
        elif shape.parse is not None:
            try:
                value = shape.parse(text)
            except ValueError as error:
                self.report("invalid-value", f"{describe_path(path)}: {error}", path, shape=shape)
            else:
                self.advise(shape.spelling, text, path)
                return value
        return text

    def check_length(self, shape: Text, text: str, path: Path) -> None:
        if len(text) < shape.min_length:
            message = f"{describe_path(path)} must not be empty"
            if shape.min_length > 1:
                message = (
                    f"{describe_path(path)} has {len(text):,} characters; the minimum is {shape.min_length:,}"
                )
            self.report("too-short", message, path, shape=shape)
        if shape.max_length is not None and len(text) > shape.max_length:
            message = f"{describe_path(path)} has {len(text):,} characters; the limit is {shape.max_length:,}"
            self.report("too-long", message, path, shape=shape)
        if (
            shape.max_bytes is not None
            and (size := len(text.encode("utf-8", "surrogatepass"))) > shape.max_bytes
        ):
            message = f"{describe_path(path)} has {size:,} bytes in UTF-8; the limit is {shape.max_bytes:,}"
            self.report("too-long", message, path, shape=shape)

    def check_choice(self, shape: Choice, node: Node, path: Path) -> str | None:
        text = self.read_text(shape, node, path)
        if text is None:
            return None
        allowed = {value.casefold() for value in shape.values} if shape.fold else shape.values
        if (text.casefold() if shape.fold else text) not in allowed:
            if "/" in text and set(text.split("/")) <= set(shape.values):
                message = (
                    f'"{shorten(text)}" is the list of choices of {describe_path(path)} in the API\'s samples'
                )
                self.report_rule(
                    rcs.SAMPLE, message, path, f"write {list_choices(shape.values)}", at_key=False
                )
                return text
            message = f'{describe_path(path)} must be {list_choices(shape.values)}, not "{shorten(text)}"'
            nearest = find_nearest(text, shape.values)
            hint = f"did you mean `{nearest}`?" if nearest else None
            self.report("invalid-value", message, path, shape=shape, hint=hint)
        return text

    def check_integer(self, shape: Integer, node: Node, path: Path) -> int | None:
        value = node.value if isinstance(node, Scalar) else None
        if shape.strings and isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            self.report_wrong_type(shape, f"a whole number{describe_range(shape)}", node, path)
            return None
        if abs(value) > LARGEST:
            message = (
                f"{describe_path(path)} must be a number{describe_range(shape)}, and at most {LARGEST:,}"
            )
            self.report("invalid-value", message, path, shape=shape)
        else:
            self.check_range(shape, value, path)
        return value

    def check_number(self, shape: Number, node: Node, path: Path) -> float | None:
        value = node.value if isinstance(node, Scalar) else None
        if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
            self.report_wrong_type(shape, f"a number{describe_range(shape)}", node, path)
            return None
        self.check_range(shape, value, path)
        return value

    def check_range(self, shape: Integer | Number, value: float, path: Path) -> None:
        too_small = shape.minimum is not None and value < shape.minimum
        too_large = shape.maximum is not None and value > shape.maximum
        if too_small or too_large:
            message = f"{describe_path(path)} must be a number{describe_range(shape)}, not {value}"
            self.report("invalid-value", message, path, shape=shape)

    def check_boolean(self, shape: Boolean, node: Node, path: Path) -> bool | None:
        value = node.value if isinstance(node, Scalar) else None
        if shape.strings and isinstance(value, str) and value.casefold() in ("true", "false"):
            text = value.casefold()
            message = f'{describe_path(path)} is text "{value}" instead of a boolean'
            problem = sms.STRING_BOOLEAN.broken(path, message, f"write {text} without quotes")
            self.advice.append(replace(problem, fix=Fix(value, text, bare=True)))
            return text == "true"
        if isinstance(value, bool):
            return value
        yaml11 = isinstance(value, str) and value.casefold() in YAML11_BOOLEANS
        hint = "use true or false; in YAML 1.2 yes, no, on and off are text" if yaml11 else None
        self.report_wrong_type(shape, "true or false", node, path, hint)
        return None

    def check_free(self, shape: Free, node: Node, path: Path) -> Any:
        for inner, _, value in walk(node):
            if (
                isinstance(value, Scalar)
                and isinstance(value.value, float)
                and not math.isfinite(value.value)
            ):
                message = f"{describe_path(path + inner)} must be a finite number or text, not {value.text}"
                self.report("invalid-value", message, path + inner, shape=shape, hint="put text in quotes")
        return plain_value(node)

    def check_written(self, shape: Written, node: Node, path: Path) -> Any:
        for inner, _, value in walk(node):
            if isinstance(value, Scalar) and value.value is None:
                message = f"{describe_path(path + inner)} has no value"
                hint = HINT if is_cut(value) else 'write "" for an empty text, or remove the key'
                self.report("invalid-value", message, path + inner, shape=shape, hint=hint)
        self.check_free(Free(rule=shape.rule), node, path)
        return written_value(node)

    # -- lists and mappings -------------------------------------------------------------------------------------

    def check_items(self, shape: Items, node: Node, path: Path) -> list[Any] | None:
        nodes: Sequence[Node] = node.items if isinstance(node, SequenceNode) else (node,)
        if not isinstance(node, SequenceNode) and not shape.single:
            self.report_wrong_type(
                shape, "a list", node, path, "write one item per line, each starting with `- `"
            )
            return None
        if isinstance(node, SequenceNode):
            values = [self.check_value(shape.item, item, (*path, index)) for index, item in enumerate(nodes)]
        else:
            values = [self.check_value(shape.item, node, path)]
        if len(nodes) < shape.min_items:
            message = f"{describe_path(path)} has {len(nodes):,} items; the minimum is {shape.min_items:,}"
            self.report("too-few", message, path, shape=shape)
        if shape.max_items is not None and len(nodes) > shape.max_items:
            message = f"{describe_path(path)} has {len(nodes):,} items; the limit is {shape.max_items:,}"
            self.report("too-many", message, path, shape=shape)
        if shape.unique:
            self.check_unique(shape, values, path)
        return values

    def check_unique(self, shape: Items, values: Sequence[Any], path: Path) -> None:
        fold = isinstance(shape.item, Choice) and shape.item.fold
        first_index: dict[str, int] = {}
        for index, value in enumerate(values):
            key = repr(value.casefold() if fold and isinstance(value, str) else value)
            if key in first_index and value is not None:
                message = (
                    f"{describe_path((*path, index))} repeats {describe_path((*path, first_index[key]))}"
                )
                self.report("invalid-value", message, (*path, index), shape=shape, hint="remove one of them")
            first_index.setdefault(key, index)

    def check_table(self, shape: Table, node: Node, path: Path) -> dict[str, Any] | None:
        if not isinstance(node, MappingNode):
            self.report_wrong_type(shape, "a mapping", node, path)
            return None
        for key, _ in node.items:
            if shape.keys is not None and not re.fullmatch(shape.keys, key.text):
                message = f'"{shorten(key.text)}" is not a valid key of {describe_path(path)}'
                hint = f"a key here must match {shape.keys}"
                self.report("unknown-key", message, (*path, key.text), shape=shape, hint=hint)
        return {
            key.text: self.check_value(shape.value, value, (*path, key.text)) for key, value in node.items
        }

    def check_record(
        self, shape: Record, node: Node, path: Path, among: Cases | None = None
    ) -> dict[str, Any] | None:
        if not isinstance(node, MappingNode):
            self.report_wrong_type(shape, f"a mapping ({shape.title})", node, path)
            return None
        values: dict[str, Any] = {}
        spellings: dict[str, str] = {}
        misspelt_keys: set[str | None] = set()
        for key, value in node.items:
            field = shape.find_field(key.text)
            if field is None:
                known = len(self.problems)
                misspelt_keys.add(self.report_unknown_key(shape, key.text, path, among))
                if any(isinstance(each.shape, Text) and each.shape.private for each in shape.fields):
                    self.keep_secret(value, known)
            elif field.name in spellings:
                self.report_exclusive(shape, [spellings[field.name], key.text], path)
            else:
                spellings[field.name] = key.text
                if self.profile is not None and field.profile not in {None, self.profile}:
                    self.problems.append(wrong_profile(field, (*path, key.text), self.profile))
                values[field.name] = self.check_value(field.shape, value, (*path, key.text))
        self.check_presence(shape, spellings, path, misspelt_keys=misspelt_keys)
        return values

    def report_unknown_key(self, shape: Record, name: str, path: Path, among: Cases | None) -> str | None:
        """Reports an unknown key and returns the known key that was most likely meant. `among`: the cases that contain
        `shape`.
        """
        if len(self.problems) > MAX_PROBLEMS:
            return None  # will not be shown, so skip the slow search for a similar key
        known = [field.name for field in shape.fields]
        others = [case for case, record in among.cases.items() if record.find_field(name)] if among else []
        elsewhere = shape.unknown_key_hints.get(name)
        hint = elsewhere or suggest_name(name, known, "its keys")
        if among and others:
            hint = f"`{name}` is a key of `{among.by}: {list_choices(others)}`"
        message = f"unknown key `{name}` in {shape.title}"
        rule = shape.unknown_key_rules.get(name)
        if rule is None and any(name.casefold() == each.casefold() for each in known):
            rule = envelope.KEY_CASE
        elif rule is None and among and others:
            rule = among.other_case_rule
        rule = rule or shape.unknown_key_rules.get("*")
        if rule is not None:
            self.report_rule(rule, message, (*path, name), hint)
        else:
            self.report("unknown-key", message, (*path, name), shape=shape, hint=hint)
        return None if others or elsewhere else find_nearest(name, known)

    def check_presence(
        self, shape: Record, spellings: dict[str, str], path: Path, *, misspelt_keys: set[str | None]
    ) -> None:
        """Checks required, dependent and mutually exclusive keys. A misspelt key does not count as missing too."""
        for group in (*shape.exactly_one, *shape.at_most_one):
            present = [spellings[name] for name in group if name in spellings]
            if len(present) > 1:
                self.report_exclusive(shape, present, path, shape.exclusive_rules.get(group))
        for name, others in shape.needs:
            one_of = (others,) if isinstance(others, str) else others
            if name in spellings and not spellings.keys() & set(one_of) and not shape.partial:
                message = f"`{name}` also needs {list_choices(one_of, '`')}"
                self.report_missing(shape, message, (*path, spellings[name]))
        if shape.partial:
            return
        for field in shape.fields:
            if field.required and field.name not in spellings and field.name not in misspelt_keys:
                message = f"{shape.title} needs the key `{field.name}`"
                self.report_missing(field.shape, message, path, example_hint(field.shape))
        for group in (*shape.exactly_one, *shape.at_least_one):
            if not any(name in spellings or name in misspelt_keys for name in group):
                self.report_none_of(shape, group, path)

    def report_missing(self, shape: Shape, message: str, path: Path, hint: str | None = None) -> None:
        self.report("missing-key", message, path, shape=shape, hint=hint)

    def report_none_of(self, shape: Record, group: tuple[str, ...], path: Path) -> None:
        message = f"{shape.title} needs {list_choices(group, '`')}"
        first = shape.find_field(group[0])
        if group in shape.exclusive_rules:
            self.report_rule(shape.exclusive_rules[group], message, path, None, at_key=False)
        else:
            self.report_missing(first.shape if first else shape, message, path)

    def report_exclusive(
        self, shape: Record, names: Sequence[str], path: Path, rule: Rule | None = None
    ) -> None:
        message = f"use only one of {' and '.join(f'`{name}`' for name in names)} in {shape.title}"
        hint = "remove one of them"
        if rule is not None:
            self.report_rule(rule, message, (*path, names[1]), hint)
        else:
            self.report("exclusive-keys", message, (*path, names[1]), shape=shape, hint=hint)

    def check_cases(self, shape: Cases, node: Node, path: Path) -> dict[str, Any] | None:
        if not isinstance(node, MappingNode):
            self.report_wrong_type(shape, f"a mapping ({shape.title})", node, path)
            return None
        chooser = node.get(shape.by)
        misspelt = find_misspelt(shape.by, node, shape.cases.values()) if chooser is None else None
        if misspelt is not None:
            return self.check_misspelt_case(shape, misspelt, node, path)
        if chooser is None:
            message = f"{shape.title} needs the key `{shape.by}`: {list_choices(tuple(shape.cases))}"
            self.report("missing-key", message, path, shape=shape)
            return None
        chosen = self.check_choice(
            Choice(values=tuple(shape.cases), rule=shape.rule), chooser, (*path, shape.by)
        )
        record = shape.cases.get(chosen or "")
        return self.check_record(record, node, path, among=shape) if record is not None else None

    def check_misspelt_case(
        self, shape: Cases, misspelt: str, node: MappingNode, path: Path
    ) -> dict[str, Any] | None:
        """Checks the case that the value of the misspelt key chooses; its other problems show at once too."""
        chooser = node.get(misspelt)
        record = shape.cases.get(chooser.text) if isinstance(chooser, Scalar) else None
        if record is not None:
            return self.check_record(record, node, path, among=shape)
        problem = misspelt_key(misspelt, shape.by, shape.title)
        self.problems.append(replace(problem, path=(*path, misspelt)))
        return None

    def check_either(self, shape: Either, node: Node, path: Path) -> Any:
        if isinstance(node, MappingNode):
            return self.check_value(shape.mapping, node, path)
        if isinstance(node, Scalar) and node.value is not None:
            return self.check_text(shape.text, node, path)
        self.report_wrong_type(shape, f"{shape.text_name} or a mapping", node, path)
        return None


def find_misspelt(name: str, node: MappingNode, records: Iterable[Shape]) -> str | None:
    """Finds the key of `node` that was most likely meant as the absent `name`: one that none of `records` has."""
    known = [each for each in records if isinstance(each, Record)]
    unknown = (key.text for key, _ in node.items if not any(each.find_field(key.text) for each in known))
    names = {name, *(field.name for each in known for field in each.fields)}
    return next((key for key in unknown if find_nearest(key, sorted(names)) == name), None)


def misspelt_key(key: str, name: str, title: str) -> Problem:
    """The problem of a key that was most likely meant as `name`, on which the rest of the mapping depends."""
    message = f"unknown key `{key}` in {title}"
    return Problem((key,), "unknown-key", message, f"did you mean `{name}`?", at_key=True, form="unknown-key")


def wrong_profile(field: Field, path: Path, profile: str) -> Problem:
    """The problem of a key that the environment's profile does not have."""
    message = f"{describe_path(path)} is a key of profile {field.profile}, but the environment has profile {profile}"
    hint = f'set `profile: "{field.profile}"` in the environment, or remove the key'
    return replace(envelope.PROFILE_KEY.broken(path, message, hint), at_key=True)


CHECKS: dict[type[Shape], Callable[[ShapeChecker, Any, Node, Path], Any]] = {
    Text: ShapeChecker.check_text,
    Choice: ShapeChecker.check_choice,
    Integer: ShapeChecker.check_integer,
    Number: ShapeChecker.check_number,
    Boolean: ShapeChecker.check_boolean,
    Free: ShapeChecker.check_free,
    Written: ShapeChecker.check_written,
    Items: ShapeChecker.check_items,
    Table: ShapeChecker.check_table,
    Record: ShapeChecker.check_record,
    Cases: ShapeChecker.check_cases,
    Either: ShapeChecker.check_either,
}
