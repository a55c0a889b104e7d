"""YAML bytes to nodes with places, by the events of libyaml's parser. The only module that imports yaml.

No YAML constructor runs, so nothing in a file can make an object or code. What a file may cost is bounded (MAX_BYTES,
MAX_DEPTH, MAX_VALUES, MAX_DOCUMENTS). Which keys are allowed is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from sys import intern
from typing import Any, NoReturn

import yaml
from yaml import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from notifyctl.config.nodes import (
    CONSTANTS,
    MAX_DEPTH,
    MappingNode,
    Node,
    Scalar,
    SequenceNode,
    resolve_scalar,
)
from notifyctl.config.paths import MAX_READ
from notifyctl.diagnostics import Diagnostic, Location, Severity

MAX_BYTES = MAX_READ
MAX_VALUES = 100_000
"""How many values a document may hold, each alias counted as often as what it stands for."""
MAX_DOCUMENTS = 10_000
"""How many documents a file may hold, empty ones too."""

CORE = "tag:yaml.org,2002:"
FORBIDDEN_CHARACTERS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]"
)
"""Characters that YAML forbids, and those that end a line for a YAML 1.1 parser but not for a 1.2 one."""
READABLE = bytes([*b"\t\n\r", *range(0x20, 0x7F)])
"""The ASCII of it: to take that away takes a tenth of the time of a search, and leaves next to nothing."""

new = tuple.__new__
"""For nodes, of which each file has dozens: half of the time that a call of their class takes."""

LIBRARY_DEPTH = "exceeded maximum nesting depth"
"""What libyaml says from 0.2.6 on, before it gives the events of a thousand open brackets, by which we would see 65 of them."""
TOO_DEEP, FLATTEN = f"lists and mappings may nest {MAX_DEPTH} deep", "flatten this part"
TAB = "indent with spaces: a tab cannot stand here"
JINJA = "a text that begins with {{ must be in quotes"
BARE_JINJA = re.compile(r"(?:: |- )\s*\{\{")
HINTS = (
    ("tab character", TAB),
    ("alias", 'a text that begins with * must be in quotes, for example "*/5 * * * *"'),
    ("anchor", "a text that begins with & must be in quotes"),
    ("cannot start any token", "a text that begins with a special character must be in quotes"),
    (
        "mapping values are not allowed",
        "a text that contains `: ` must be in quotes; or the indentation is off",
    ),
    ("expected ':'", "a key is followed by a colon and a space"),
    (
        "expected ',' or",
        "in { } and [ ], a text that contains , { } [ ] must be in quotes; or a bracket is not closed",
    ),
    ("expected key", "this line is indented unlike those above it, or a quote or bracket was left open"),
    ("expected '-' indicator", "this line is indented unlike the list above it"),
    ("expected node content", "a value is missing, or a quote or bracket that was opened is not closed"),
    ("end of stream", "a quote or bracket that was opened is not closed"),
    ("escape", "in double quotes a backslash begins an escape: double it, or use single quotes"),
    ("incompatible YAML document", "leave the %YAML line out"),
)


class UnreadableFileError(Exception):
    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


def read_documents(data: bytes, file: str) -> tuple[list[Node], list[Diagnostic]]:
    """The documents of a YAML file, and what is wrong with it as YAML. Documents before a syntax error are there."""
    nodes: list[Node] = []
    problems: list[Diagnostic] = []
    for node, found in iterate_documents(data, file):
        problems.extend(found)
        if node is not None:
            nodes.append(node)
    return nodes, problems


def iterate_documents(data: bytes, file: str) -> Iterator[tuple[Node | None, list[Diagnostic]]]:
    """One document after the other with its own problems; `None` where the file cannot be read further.
    Empty documents are left out.
    """
    composer: Composer | None = None
    try:
        composer = Composer(decode(data, file), file)
        while composer.another():
            node = composer.document()
            if not (isinstance(node, Scalar) and node.plain and node.text == "") or composer.problems:
                yield node, composer.problems
    except UnreadableFileError as end:
        yield None, [end.diagnostic]
    except yaml.YAMLError as wrong:
        assert composer is not None
        yield None, [composer.syntax_error(wrong)]


def decode(data: bytes, file: str) -> str:
    """UTF-8, with or without a byte order mark, of characters that YAML allows. Raises Unreadable."""
    if len(data) > MAX_BYTES:
        raise UnreadableFileError(
            make_error(
                "yaml-limits", f"a YAML file may have {MAX_BYTES:,} bytes; this one has more", Location(file)
            )
        )
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as wrong:
        wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
        found = "this file is UTF-16" if wide else f"the byte 0x{data[wrong.start]:02x} is not UTF-8"
        where = Location(file, 1, 1) if wide else locate_after(data[: wrong.start].decode("utf-8"), file)
        raise UnreadableFileError(make_error("yaml-syntax", found, where, "save the file as UTF-8")) from None
    odd = data.translate(None, READABLE)  # of what is left, all that is no ASCII is whole
    forbidden = (
        FORBIDDEN_CHARACTERS.search(text)
        if odd and FORBIDDEN_CHARACTERS.search(odd.decode("utf-8"))
        else None
    )
    if forbidden:
        message = f"the character U+{ord(forbidden[0]):04X} cannot stand in a YAML file"
        hint = f'remove it, or write it in double quotes as "\\u{ord(forbidden[0]):04x}"'
        raise UnreadableFileError(
            make_error("yaml-syntax", message, locate_after(text[: forbidden.start()], file), hint)
        )
    return text


def locate_after(before: str, file: str) -> Location:
    """The location of what follows the text `before`."""
    lines = re.split(r"\r\n|\r|\n", before)
    return Location(file, len(lines), len(lines[-1].removeprefix("\ufeff")) + 1)


def make_error(rule: str, message: str, location: Location, hint: str | None = None) -> Diagnostic:
    return Diagnostic(rule, Severity.ERROR, message, location, hint)


class Composer:
    """Nodes from parser events. `problems` are those of the document in hand that do not end the reading."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.text = text
        self.problems: list[Diagnostic] = []
        self.anchors: dict[
            str, tuple[Node, int, int]
        ] = {}  # a node, how many values it holds, how deep it is
        self.open_anchors: set[str] = set()
        self.values = 0
        self.deepest = 0
        self.documents = 0
        self.next = create_parser(text).get_event
        """The next event, of which there is always one more until the stream ends."""

    def another(self) -> bool:
        """Whether a further document follows; its start is consumed."""
        while True:
            event = self.next()
            if isinstance(event, DocumentStartEvent):
                self.documents += 1
                if self.documents > MAX_DOCUMENTS:
                    message = f"a file may hold {MAX_DOCUMENTS:,} documents"
                    raise UnreadableFileError(
                        make_error("yaml-limits", message, self.at(event), "put them into several files")
                    )
                return True
            if isinstance(event, StreamEndEvent):
                return False

    def document(self) -> Node:
        self.problems = []
        self.anchors = {}
        self.open_anchors = set()
        self.values = self.deepest = 0
        return self.node(self.next(), 0)

    def syntax_error(self, wrong: yaml.YAMLError) -> Diagnostic:
        mark = getattr(wrong, "problem_mark", None) or getattr(wrong, "context_mark", None)
        said = [str(part) for name in ("problem", "context") if (part := getattr(wrong, name, None))]
        message = f"this is not YAML: {said[0] if said else 'it cannot be parsed'}"
        if mark is None:
            return make_error("yaml-syntax", message, Location(self.file))
        where = Location(self.file, mark.line + 1, mark.column + 1)
        if LIBRARY_DEPTH in said:
            return make_error("yaml-limits", TOO_DEEP, where, FLATTEN)
        line = "".join(re.split(r"\r\n|\r|\n", self.text)[mark.line : mark.line + 1])
        hint = next((hint for part, hint in HINTS if part in " ".join(said)), None)
        if line[mark.column : mark.column + 1] == "\t":
            hint = TAB
        elif BARE_JINJA.search(line):
            hint = JINJA
        return make_error("yaml-syntax", message, where, hint)

    def node(self, event: Any, depth: int) -> Node:
        kind, anchor = type(event), event.anchor
        if kind is AliasEvent:
            return self.alias(event, depth)
        self.values += 1
        if depth > self.deepest:  # noqa: PLR1730 - a call of max for every value of every file
            self.deepest = depth
        if depth > MAX_DEPTH or self.values > MAX_VALUES:
            self.refuse(event, depth)
        if anchor is None:
            return self.scalar(event) if kind is ScalarEvent else self.nested(event, depth)
        self.open_anchors.add(anchor)
        values, deepest, self.deepest = self.values, self.deepest, depth
        node = self.scalar(event) if kind is ScalarEvent else self.nested(event, depth)
        self.anchors[anchor] = (node, self.values - values + 1, self.deepest - depth)
        self.deepest = max(deepest, self.deepest)
        self.open_anchors.discard(anchor)
        return node

    def refuse(self, event: Any, depth: int) -> NoReturn:
        if depth > MAX_DEPTH:
            message, hint = TOO_DEEP, FLATTEN
        else:
            message = f"a document may hold {MAX_VALUES:,} values, aliases counted as what they stand for"
            hint = "put long lists of recipients into a CSV file: `source: {file: …}`"
        raise UnreadableFileError(make_error("yaml-limits", message, self.at(event), hint))

    def alias(self, event: Any, depth: int) -> Node:
        if event.anchor in self.open_anchors or event.anchor not in self.anchors:
            own = event.anchor in self.open_anchors
            problem = (
                "stands inside the value it names" if own else f"names no anchor &{event.anchor} above it"
            )
            raise UnreadableFileError(
                make_error("yaml-syntax", f"the alias *{event.anchor} {problem}", self.at(event), HINTS[1][1])
            )
        node, values, height = self.anchors[event.anchor]
        self.values += values
        self.deepest = max(self.deepest, depth + height)
        if self.deepest > MAX_DEPTH or self.values > MAX_VALUES:
            self.refuse(event, self.deepest)
        return node

    def nested(self, event: Any, depth: int) -> MappingNode | SequenceNode:
        mark, mapping = event.start_mark, type(event) is MappingStartEvent
        if event.tag is not None and event.tag not in ("!", CORE + ("map" if mapping else "seq")):
            self.unknown_tag(event)
        if mapping:
            return new(MappingNode, (tuple(self.pairs(depth + 1)), mark.line + 1, mark.column + 1))
        return new(SequenceNode, (tuple(self.items(depth + 1)), mark.line + 1, mark.column + 1))

    def items(self, depth: int) -> Iterator[Node]:
        while type(event := self.next()) is not SequenceEndEvent:
            yield self.node(event, depth)

    def pairs(self, depth: int) -> Iterable[tuple[Scalar, Node]]:
        found: dict[str, tuple[Scalar, Node]] = {}
        get, node = self.next, self.node
        while type(event := get()) is not MappingEndEvent:
            key = (word(event) if type(event) is ScalarEvent else None) or self.key(event, depth)
            value = node(get(), depth)
            if key is None:
                continue
            pair = (key, value)
            first = found.setdefault(key.text, pair)
            if first is not pair:
                self.problems.append(self.repeated(event, key.text, first[0].line))
        return found.values()

    def key(self, event: Any, depth: int) -> Scalar | None:
        key = self.node(event, depth)
        self.values -= 1  # a key is no value
        if isinstance(key, Scalar) and not (key.plain and key.text in ("", "<<")):
            place = event.start_mark  # an alias stands elsewhere than its anchor
            return key._replace(line=place.line + 1, column=place.column + 1)
        self.problems.append(self.no_key(event, key))
        return None

    def repeated(self, event: Any, key: str, line: int) -> Diagnostic:
        message = f"the key `{key}` stands twice in this mapping: here and on line {line}"
        return make_error("duplicate-key", message, self.at(event), "keep one of them")

    def no_key(self, event: Any, key: Node) -> Diagnostic:
        if isinstance(key, Scalar) and key.text == "<<":
            hint = "repeat the keys, or use an anchor and an alias for the whole value"
            return make_error(
                "yaml-syntax",
                "merge keys (`<<`) are YAML 1.1; this is read as YAML 1.2",
                self.at(event),
                hint,
            )
        hint = (
            "a text that begins with {{ must be in quotes"
            if isinstance(key, MappingNode)
            else "put it in quotes"
        )
        return make_error("yaml-syntax", "a key must be text", self.at(event), hint)

    def scalar(self, event: Any) -> Scalar:
        mark, tag, text, plain = event.start_mark, event.tag, event.value, not event.style
        if tag is None:
            value = resolve_scalar(text) if plain else text
        elif tag in ("!", CORE + "str"):
            value, plain = text, False
        else:
            value = resolve_scalar(text)
            if tag != CORE + core_tag(value):
                self.unknown_tag(event)
        return new(Scalar, (text, value, plain, mark.line + 1, mark.column + 1))

    def unknown_tag(self, event: Any) -> None:
        tag = event.tag.replace(CORE, "!!")
        message = f"the tag {tag} is not known here, or does not fit this value"
        self.problems.append(
            make_error("yaml-syntax", message, self.at(event), "leave it out; use quotes where text is meant")
        )

    def at(self, event: Any) -> Location:
        return Location(self.file, event.start_mark.line + 1, event.start_mark.column + 1)


def word(event: Any) -> Scalar | None:
    """A key that is a word without quotes, tag and anchor, as nearly all are; None for any other. What bounds values
    and depth is left to the value beside it. Files have few different keys, so each is one string for all.
    """
    text = event.value
    if event.style or event.tag is not None or event.anchor is not None or not text.isalpha():
        return None
    mark = event.start_mark
    return new(Scalar, (intern(text), CONSTANTS.get(text, text), True, mark.line + 1, mark.column + 1))


def core_tag(value: object) -> str:
    names: dict[type, str] = {str: "str", bool: "bool", int: "int", float: "float"}
    return names.get(type(value), "null")


def create_parser(text: str) -> Any:
    """Its `get_event` gives one event after the other, by libyaml or, where PyYAML was built without, by PyYAML itself."""
    return yaml.CSafeLoader(text) if yaml.__with_libyaml__ else yaml.SafeLoader(text)


def parse_events(text: str) -> Iterator[Any]:
    """All events of a text."""
    get = create_parser(text).get_event
    while (event := get()) is not None:
        yield event
