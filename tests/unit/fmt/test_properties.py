"""Any layout: the form is reached in one step, nothing that is read changes, and no comment, quote or number is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.tokens import CommentToken

from notifyctl.channels import CHANNELS
from notifyctl.config.documents import document_shapes
from notifyctl.config.nodes import MappingNode, Node, Scalar
from notifyctl.config.reader import read_documents
from notifyctl.diagnostics import Diagnostic
from notifyctl.fmt.formatter import format_bytes

ROOT = Path(__file__).parents[3]
KINDS = document_shapes([channel.shape for channel in CHANNELS.values()])
FOLDERS = (ROOT / "notifications", ROOT / "tests" / "cases")
OURS = sorted(path for folder in FOLDERS for path in folder.rglob("*.y*ml") if path.is_file())

LEAVES = st.sampled_from(
    ["no", "+447700900123", "0o7", "1e3", "007", "~", "''", '"a\\u00e9 \\"b"', "'it''s'", "{a: 1,  b: [x,y]}", "[]", "a  b#c", "&x v", "!!str 1", "*x"]
)  # fmt: skip
KEYS = ["name", "template", "audience", "edition", "options", "limits", "content", "é", '"q"']
COMMENTS = st.sampled_from(["# one", "#two", "#  - three: 3", "# ---"])


class Writer:
    """Draws a YAML text line by line, in any layout that the language allows."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self.draw = draw
        self.lines: list[str] = []

    def chance(self, one_in: int) -> bool:
        return bool(self.draw(st.integers(1, one_in)) == one_in)

    def between(self, column: int) -> None:
        """Comments and empty lines; a comment at any column up to that of what comes next."""
        while self.chance(5):
            blank = self.draw(st.sampled_from(["", "", "  "]))
            at = self.draw(st.integers(0, column))
            self.lines.append(blank if self.chance(2) else " " * at + self.draw(COMMENTS))

    def tail(self) -> str:
        return str(self.draw(st.sampled_from(["", "", "", "  ", "   # beside"])))

    def block(self, column: int, depth: int, prefix: str = "") -> None:
        if self.chance(3):
            self.sequence(column, depth, prefix)
        else:
            self.mapping(column, depth, prefix)

    def mapping(self, column: int, depth: int, prefix: str = "") -> None:
        for key in self.draw(st.lists(st.sampled_from(KEYS), unique=True, min_size=1, max_size=4)):
            if not prefix:
                self.between(column)
            lead, prefix = prefix or " " * column, ""
            if depth and self.chance(3):
                named = self.draw(st.sampled_from(["", "", "", " &m", " !!map", " !!seq &s"]))
                self.lines.append(f"{lead}{key}:{named}{self.tail()}")
                same = self.chance(3)
                deeper = column + (0 if same else self.draw(st.integers(1, 5)))
                self.between(deeper)
                self.sequence(deeper, depth - 1) if same else self.block(deeper, depth - 1)
            else:
                self.leaf(f"{lead}{key}: ", column)

    def sequence(self, column: int, depth: int, prefix: str = "") -> None:
        for _ in range(self.draw(st.integers(1, 3))):
            if not prefix:
                self.between(column)
            lead = (prefix or " " * column) + "-" + " " * self.draw(st.integers(1, 4))
            prefix = ""
            if depth and self.chance(3):
                self.block(len(lead), depth - 1, lead)
            elif depth and self.chance(6):
                self.lines.append(
                    " " * column + "-" if not lead.strip(" -") and lead.count("-") == 1 else lead
                )
                deeper = column + 1 + lead.count("-") * 4
                self.block(deeper, depth - 1)
            else:
                self.leaf(lead, column)

    def leaf(self, lead: str, column: int) -> None:
        form = self.draw(st.integers(1, 12))
        inner = " " * (column + self.draw(st.integers(1, 4)))
        if form == 1:
            head = self.draw(st.sampled_from(["|", "|-", ">", ">-", "|+", ">+  # folded"]))
            self.lines.append(lead + head)
            body = [
                inner + "first  ",
                "",
                inner + "  deeper # not a comment",
                inner + "   ",
                "  "[:column],
                "",
            ]
            self.lines += body[: self.draw(st.integers(1, 6))]
        elif form == 2:
            explicit = self.draw(st.integers(1, 3))
            self.lines += [f"{lead}|{explicit}", " " * (column + explicit) + "  led by blanks"]
        elif form == 3:
            self.lines += [f"{lead}a long text", "", f"{inner}that goes  on  ", f"{inner}and on{self.tail()}"]
        elif form == 4:
            self.lines += [f'{lead}"quoted  ', "  ", f"{inner}text \\", f'{inner}\\  on"{self.tail()}']
        elif form == 5:
            self.lines += [
                f"{lead}[a,   # first",
                "",
                f"{inner}b,",
                f"{inner}{{c: d}}",
                f"{inner}]{self.tail()}",
            ]
        else:
            self.lines.append(lead + self.draw(LEAVES) + self.tail())


@st.composite
def documents(draw: Callable[[Any], Any]) -> bytes:
    writer = Writer(draw)
    column = draw(st.sampled_from([0, 0, 0, 2]))
    writer.lines += draw(
        st.sampled_from([[], ["---"], ["# head", ""], ["%YAML 1.2", "---"], ["", "---", "", "---"]])
    )
    for number in range(draw(st.integers(1, 2))):
        if number:
            writer.lines += draw(st.sampled_from([["---"], ["...", "---"], ["# end", "---  # next"]]))
        head = [
            f"kind: {draw(st.sampled_from(['Notification', 'Template', 'Schedule']))}",
            "apiVersion: notifyctl/v1",
        ]
        writer.between(column)
        writer.lines += [" " * column + line for line in draw(st.permutations(head))]
        writer.mapping(column, 3)
    text = "\n".join(writer.lines) + draw(st.sampled_from(["\n", "\n", "\n\n\n", ""]))
    mark: str = draw(st.sampled_from(["", "", "\ufeff"]))
    ending: str = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    data: bytes = (mark + text.replace("\n", ending)).encode()
    return data


def values(data: bytes) -> list[Any]:
    nodes, problems = read_documents(data, "x.yaml")
    assert not problems
    return [value(node) for node in nodes]


def value(node: Node) -> Any:
    if isinstance(node, Scalar):
        return node.text, repr(node.value), node.plain
    if isinstance(node, MappingNode):
        return {key.text: value(each) for key, each in node.items}
    return [value(each) for each in node.items]


def comments(data: bytes) -> list[str]:
    """Every comment, found by a scanner that is not ours."""
    found: list[str] = []
    for token in YAML().scan(data.decode("utf-8-sig")):
        for group in getattr(token, "_comment", None) or ():
            each = group if isinstance(group, list) else [group]
            found += [
                line.strip()
                for one in each
                if isinstance(one, CommentToken)
                for line in one.value.split("\n")
            ]
    return sorted(line for line in found if line)


def holds(data: bytes) -> None:
    _, problems = read_documents(data, "x.yaml")
    once = format_bytes(data, "x.yaml", KINDS)
    if problems:
        assert isinstance(once, Diagnostic)
        return
    assert isinstance(once, bytes), once
    assert values(once) == values(data)
    assert format_bytes(once, "x.yaml", KINDS) == once
    assert comments(once) == comments(data)


@settings(max_examples=300)
@given(documents())
def test_any_layout(data: bytes) -> None:
    holds(data)


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_of_the_examples_and_cases(path: Path) -> None:
    holds(path.read_bytes())
