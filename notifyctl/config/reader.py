"""Reads YAML bytes into nodes with positions, from the events of libyaml's parser. The only module that imports yaml.

YAML constructors never run, so a file cannot create objects or run code. Size is limited by MAX_BYTES, MAX_DEPTH,
MAX_VALUES and MAX_DOCUMENTS. Which keys are allowed is checked elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
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

from notifyctl import merge_conflicts
from notifyctl.config.nodes import (
    MAX_DEPTH,
    MappingNode,
    Node,
    Scalar,
    SequenceNode,
    resolve_scalar,
)
from notifyctl.config.paths import MAX_READ
from notifyctl.diagnostics import Diagnostic, Location, Severity
from notifyctl.merge_conflicts import find_conflict
from notifyctl.text_encoding import NotUtf8Error, decode_utf8

MAX_BYTES = MAX_READ
MAX_VALUES = 100_000
"""Maximum number of values in a document. An alias counts as many values as its anchor."""
MAX_DOCUMENTS = 10_000
"""Maximum number of documents in a file, including empty ones."""

CORE = "tag:yaml.org,2002:"
FORBIDDEN_CHARACTERS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]"
)
"""Characters that YAML forbids, and line separators of YAML 1.1 that YAML 1.2 does not know."""

LIBRARY_DEPTH = "exceeded maximum nesting depth"
"""libyaml's own message (from 0.2.6) for too many open brackets; it comes before our depth check can apply."""
TOO_DEEP, FLATTEN = f"lists and mappings can be nested {MAX_DEPTH} deep; this is deeper", "flatten this part"
COMMENT = re.compile(r"[ \t]+#[^\r\n]*")
TAB = "use spaces for indentation; a tab is not allowed here"
JINJA = "text that starts with {{ must be in quotes"
BARE_JINJA = re.compile(r"(?:: |- )\s*\{\{")
HINTS = (
    ("tab character", TAB),
    ("alias", 'text that starts with * must be in quotes, for example "*/5 * * * *"'),
    ("anchor", "text that starts with & must be in quotes"),
    ("cannot start any token", "text that starts with a special character must be in quotes"),
    (
        "mapping values are not allowed",
        "text that contains `: ` must be in quotes; or check the indentation",
    ),
    ("expected ':'", "add a colon and a space after the key"),
    (
        "expected ',' or",
        "in { } and [ ], text that contains , { } [ ] must be in quotes; or close the bracket",
    ),
    ("expected key", "indent this line like those above it, or close an open quote or bracket"),
    ("expected '-' indicator", "indent this line like the list above it"),
    ("expected node content", "add the missing value, or close an open quote or bracket"),
    ("end of stream", "close an open quote or bracket"),
    (
        "invalid Unicode character escape",
        "JSON writes an emoji as two escapes; in YAML write the character, or one escape, for example \\U0001F600",
    ),
    ("escape", "in double quotes a backslash starts an escape; double it, or use single quotes"),
    ("incompatible YAML document", "remove the %YAML line"),
)


class UnreadableFileError(Exception):
    """The rest of a file cannot be read."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


def read_documents(data: bytes, file: str) -> tuple[list[Node], list[Diagnostic]]:
    """Returns the documents of a YAML file and its YAML problems, including documents before a syntax error."""
    nodes: list[Node] = []
    problems: list[Diagnostic] = []
    for node, document_problems in iterate_documents(data, file):
        problems.extend(document_problems)
        if node is not None:
            nodes.append(node)
    return nodes, problems


def iterate_documents(data: bytes, file: str) -> Iterator[tuple[Node | None, list[Diagnostic]]]:
    """Yields each document with its problems; None instead of the document if the rest of the file cannot be read.

    Empty documents are skipped.
    """
    builder: NodeBuilder | None = None
    try:
        builder = NodeBuilder(decode(data, file), file)
        while builder.advance():
            node = builder.document()
            if not (isinstance(node, Scalar) and node.plain and node.text == "") or builder.problems:
                yield node, builder.problems
    except UnreadableFileError as error:
        yield None, [error.diagnostic]
    except yaml.YAMLError as error:
        assert builder is not None
        yield None, [builder.syntax_error(error)]


def decode(data: bytes, file: str) -> str:
    """Decodes UTF-8, with or without a byte order mark. Raises UnreadableFileError for other encodings and forbidden
    characters.
    """
    if len(data) > MAX_BYTES:
        raise UnreadableFileError(
            make_error(
                "yaml-limits",
                f"the file is too large; the limit for YAML is {MAX_BYTES:,} bytes",
                Location(file),
            )
        )
    try:
        text = decode_utf8(data)
    except NotUtf8Error as error:
        where = Location(file, error.line, error.column)
        raise UnreadableFileError(make_error("yaml-syntax", str(error), where, error.hint)) from None
    if (conflict := find_conflict(text)) is not None:
        where = locate_after(text[:conflict], file)
        raise UnreadableFileError(
            make_error(merge_conflicts.RULE, merge_conflicts.MESSAGE, where, merge_conflicts.HINT)
        )
    if forbidden := FORBIDDEN_CHARACTERS.search(text):
        message = f"the character U+{ord(forbidden[0]):04X} is not allowed in a YAML file"
        hint = f'remove it, or write it in double quotes as "\\u{ord(forbidden[0]):04x}"'
        raise UnreadableFileError(
            make_error("yaml-syntax", message, locate_after(text[: forbidden.start()], file), hint)
        )
    return text


def locate_after(before: str, file: str) -> Location:
    """Returns the location directly after the text `before`."""
    lines = re.split(r"\r\n|\r|\n", before)
    return Location(file, len(lines), len(lines[-1].removeprefix("\ufeff")) + 1)


def make_error(rule: str, message: str, location: Location, hint: str | None = None) -> Diagnostic:
    return Diagnostic(rule, Severity.ERROR, message, location, hint)


class NodeBuilder:
    """Builds nodes from parser events. `problems` are those of the current document that do not stop the reading."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.text = text
        self.problems: list[Diagnostic] = []
        self.anchors: dict[str, tuple[Node, int, int]] = {}
        """Anchor → its node, the number of values in it, and its height."""
        self.open_anchors: set[str] = set()
        self.values = 0
        self.deepest = 0
        self.documents = 0
        self.comments = {found.start(): found[0] for found in COMMENT.finditer(text)}
        """Places in the text at which blanks and a `#` begin."""
        self.next_event = create_parser(text).get_event
        """Returns the next parser event."""

    def advance(self) -> bool:
        """Advances to the next document; false at the end of the stream."""
        while True:
            event = self.next_event()
            if isinstance(event, DocumentStartEvent):
                self.documents += 1
                if self.documents > MAX_DOCUMENTS:
                    message = f"the file has too many documents; the limit is {MAX_DOCUMENTS:,}"
                    raise UnreadableFileError(
                        make_error(
                            "yaml-limits", message, self.location(event), "split them into several files"
                        )
                    )
                return True
            if isinstance(event, StreamEndEvent):
                return False

    def document(self) -> Node:
        self.problems = []
        self.anchors = {}
        self.open_anchors = set()
        self.values = self.deepest = 0
        return self.node(self.next_event(), 0)

    def syntax_error(self, error: yaml.YAMLError) -> Diagnostic:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        parts = [str(part) for name in ("problem", "context") if (part := getattr(error, name, None))]
        message = f"this is not YAML: {parts[0] if parts else 'it cannot be parsed'}"
        if mark is None:
            return make_error("yaml-syntax", message, Location(self.file))
        where = Location(self.file, mark.line + 1, mark.column + 1)
        if LIBRARY_DEPTH in parts:
            return make_error("yaml-limits", TOO_DEEP, where, FLATTEN)
        line = "".join(re.split(r"\r\n|\r|\n", self.text)[mark.line : mark.line + 1])
        hint = next((hint for part, hint in HINTS if part in " ".join(parts)), None)
        if line[mark.column : mark.column + 1] == "\t":
            hint = TAB
        elif BARE_JINJA.search(line):
            hint = JINJA
        return make_error("yaml-syntax", message, where, hint)

    def node(self, event: Any, depth: int) -> Node:
        anchor = event.anchor
        if isinstance(event, AliasEvent):
            return self.alias(event, depth)
        self.values += 1
        self.deepest = max(self.deepest, depth)
        if depth > MAX_DEPTH or self.values > MAX_VALUES:
            self.refuse(event, depth)
        if anchor is None:
            return self.scalar_or_collection(event, depth)
        self.open_anchors.add(anchor)
        values, deepest, self.deepest = self.values, self.deepest, depth
        node = self.scalar_or_collection(event, depth)
        self.anchors[anchor] = (node, self.values - values + 1, self.deepest - depth)
        self.deepest = max(deepest, self.deepest)
        self.open_anchors.discard(anchor)
        return node

    def scalar_or_collection(self, event: Any, depth: int) -> Node:
        return self.scalar(event) if isinstance(event, ScalarEvent) else self.collection(event, depth)

    def refuse(self, event: Any, depth: int) -> NoReturn:
        if depth > MAX_DEPTH:
            message, hint = TOO_DEEP, FLATTEN
        else:
            message = f"the document has too many values; the limit is {MAX_VALUES:,}, with aliases expanded"
            hint = "move long lists of recipients to a CSV file: `source: {file: …}`"
        raise UnreadableFileError(make_error("yaml-limits", message, self.location(event), hint))

    def alias(self, event: Any, depth: int) -> Node:
        if event.anchor in self.open_anchors or event.anchor not in self.anchors:
            own = event.anchor in self.open_anchors
            problem = (
                "is inside the value that it refers to"
                if own
                else f"refers to &{event.anchor}, which is not defined above it"
            )
            raise UnreadableFileError(
                make_error(
                    "yaml-syntax", f"the alias *{event.anchor} {problem}", self.location(event), HINTS[1][1]
                )
            )
        node, values, height = self.anchors[event.anchor]
        self.values += values
        self.deepest = max(self.deepest, depth + height)
        if self.deepest > MAX_DEPTH or self.values > MAX_VALUES:
            self.refuse(event, self.deepest)
        return node

    def collection(self, event: Any, depth: int) -> MappingNode | SequenceNode:
        mark, mapping = event.start_mark, isinstance(event, MappingStartEvent)
        if event.tag is not None and event.tag not in ("!", CORE + ("map" if mapping else "seq")):
            self.report_tag(event)
        if mapping:
            return MappingNode(tuple(self.pairs(depth + 1)), mark.line + 1, mark.column + 1)
        return SequenceNode(tuple(self.items(depth + 1)), mark.line + 1, mark.column + 1)

    def items(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := self.next_event(), SequenceEndEvent):
            yield self.node(event, depth)

    def pairs(self, depth: int) -> Iterable[tuple[Scalar, Node]]:
        pairs: dict[str, tuple[Scalar, Node]] = {}
        while not isinstance(event := self.next_event(), MappingEndEvent):
            key = self.key(event, depth)
            value = self.node(self.next_event(), depth)
            if key is None:
                continue
            pair = (key, value)
            first = pairs.setdefault(key.text, pair)
            if first is not pair:
                self.problems.append(self.duplicate_key(event, key.text, first[0].line))
        return pairs.values()

    def key(self, event: Any, depth: int) -> Scalar | None:
        key = self.node(event, depth)
        self.values -= 1  # keys are not counted
        if isinstance(key, Scalar) and not (key.plain and key.text in ("", "<<")):
            if isinstance(event, AliasEvent):
                mark: Any = event.start_mark
                return key._replace(line=mark.line + 1, column=mark.column + 1)
            return key
        self.problems.append(self.invalid_key(event, key))
        return None

    def duplicate_key(self, event: Any, key: str, line: int) -> Diagnostic:
        message = f"duplicate key `{key}`, first used on line {line}"
        return make_error("duplicate-key", message, self.location(event), "remove one of them")

    def invalid_key(self, event: Any, key: Node) -> Diagnostic:
        if isinstance(key, Scalar) and key.text == "<<":
            hint = "repeat the keys, or use an anchor and an alias for the whole value"
            return make_error(
                "yaml-syntax",
                "merge keys (`<<`) are YAML 1.1; notifyctl reads YAML 1.2",
                self.location(event),
                hint,
            )
        hint = (
            "text that starts with {{ must be in quotes"
            if isinstance(key, MappingNode)
            else "put it in quotes"
        )
        return make_error("yaml-syntax", "a key must be text", self.location(event), hint)

    def scalar(self, event: Any) -> Scalar:
        mark, tag, text, plain = event.start_mark, event.tag, event.value, not event.style
        if tag is None:
            value = resolve_scalar(text) if plain else text
        elif tag in ("!", CORE + "str"):
            value, plain = text, False
        else:
            value = resolve_scalar(text)
            if tag != CORE + core_tag(value):
                self.report_tag(event)
        comment = self.comments.get(event.end_mark.index, "") if plain and self.comments else ""
        return Scalar(text, value, plain, mark.line + 1, mark.column + 1, comment)

    def report_tag(self, event: Any) -> None:
        tag = event.tag.replace(CORE, "!!")
        message = f"unknown tag {tag}, or a tag that does not fit this value"
        self.problems.append(
            make_error("yaml-syntax", message, self.location(event), "remove it; for text, use quotes")
        )

    def location(self, event: Any) -> Location:
        return Location(self.file, event.start_mark.line + 1, event.start_mark.column + 1)


def core_tag(value: object) -> str:
    names: dict[type, str] = {str: "str", bool: "bool", int: "int", float: "float"}
    return names.get(type(value), "null")


def create_parser(text: str) -> Any:
    """Creates a parser whose `get_event` returns the next event: libyaml, or PyYAML's own parser if libyaml is
    missing.
    """
    return yaml.CSafeLoader(text) if yaml.__with_libyaml__ else yaml.SafeLoader(text)


def parse_events(text: str) -> Iterator[Any]:
    """Yields all parser events of a text."""
    parser = create_parser(text)
    while (event := parser.get_event()) is not None:
        yield event
