from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from notifyctl.config.nodes import MappingNode, Node, Scalar, plain_value, value_positions
from notifyctl.config.reader import (
    FORBIDDEN_CHARACTERS,
    MAX_BYTES,
    UnreadableFileError,
    decode,
    read_documents,
)
from notifyctl.diagnostics import Diagnostic


def read(text: str | bytes) -> tuple[list[object], list[Diagnostic]]:
    data = text.encode() if isinstance(text, str) else text
    nodes, problems = read_documents(data, "f.yaml")
    return [plain_value(node) for node in nodes], problems


def one(text: str | bytes) -> Diagnostic:
    _, problems = read(text)
    assert len(problems) == 1, problems
    return problems[0]


def bomb() -> str:
    lines = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    lines += [
        f"{this}: &{this} [{','.join([f'*{last}'] * 9)}]"
        for last, this in zip("abcdef", "bcdefg", strict=True)
    ]
    return "\n".join(lines)


def test_documents_are_divided_and_empty_ones_left_out() -> None:
    assert read("a: 1\n---\n# nothing\n---\nb: [x, 'y']\n---\n") == ([{"a": 1}, {"b": ["x", "y"]}], [])
    assert read("") == ([], [])
    assert read("# a comment\n") == ([], [])


def test_scalars_keep_their_characters_and_say_whether_they_were_quoted() -> None:
    nodes, _ = read_documents(b"a: +447700900123\nb: '007'\nc: |-\n  x\n  y\n", "f.yaml")
    assert isinstance(nodes[0], MappingNode)
    a, b, c = (node for _, node in nodes[0].items)
    assert isinstance(a, Scalar)
    assert isinstance(b, Scalar)
    assert isinstance(c, Scalar)
    assert (a.text, a.plain) == ("+447700900123", True)
    assert (b.text, b.value, b.plain) == ("007", "007", False)
    assert (c.text, c.plain) == ("x\ny", False)


def test_lines_and_columns_count_characters_from_one() -> None:
    nodes, _ = read_documents("é: {ü: x, b: y}\nc:\n  - 'z'\n".encode(), "f.yaml")
    assert value_positions(nodes[0]) == {
        (): (1, 1),
        ("é",): (1, 4),
        ("é", "ü"): (1, 8),
        ("é", "b"): (1, 14),
        ("c",): (3, 3),
        ("c", 0): (3, 5),
    }


def test_a_byte_order_mark_and_windows_line_ends_change_nothing() -> None:
    plain, windows = b"a: b\nc: |-\n  d\n  e\n", b"\xef\xbb\xbfa: b\r\nc: |-\r\n  d\r\n  e\r\n"
    assert read_documents(plain, "f.yaml") == read_documents(windows, "f.yaml")


def test_aliases_stand_for_their_anchors() -> None:
    assert read("a: &x {b: [1]}\nc: *x\n") == ([{"a": {"b": [1]}, "c": {"b": [1]}}], [])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!!str 12", "12"),
        ("! 12", "12"),
        ("!!int '12'", 12),
        ("!!seq [a]", ["a"]),
        ("!!map {a: b}", {"a": "b"}),
    ],
)
def test_core_tags_are_known(text: str, value: object) -> None:
    assert read(text) == ([value], [])


@pytest.mark.parametrize(
    ("text", "line", "column", "part"),
    [
        ("a: 'x", 1, 6, "stream"),
        ("a: b: c", 1, 5, "mapping values"),
        ("a: b\n\tc: d", 2, 1, "tab"),
        ("a: [1, 2", 2, 1, "expected"),
        ("a: @x", 1, 4, "cannot start"),
        ("cron: */5 * * * *", 1, 8, "expected"),
        ("a: *x", 1, 4, "*x refers to &x, which is not defined"),
        ("a: &x [*x]", 1, 8, "inside the value"),
        ("a: !python/object:os.system x", 1, 4, "!python/object:os.system"),
        ("a: !!python/name:os.system x", 1, 4, "!!python/name:os.system"),
        ("a: !!binary aGk=", 1, 4, "!!binary"),
        ("a: !!int x", 1, 4, "!!int"),
        ("? [a]\n: b", 1, 3, "a key must be text"),
        ("? \n: b", 1, 2, "a key must be text"),
        ("a: {{ brand }}", 1, 5, "a key must be text"),
        ("<<: {a: b}", 1, 1, "YAML 1.1"),
        ("a: b\nc: \0", 2, 4, "U+0000"),
        ("a: \u2028", 1, 4, "U+2028"),
        ("a: b\ufeff", 1, 5, "U+FEFF"),
        (b"a: b\r\nc: \xff", 2, 4, "0xff"),
        ("a: b\n".encode("utf-16"), 1, 1, "UTF-16"),
        ("%YAML 2.0\n---\na: b", 1, 1, "incompatible"),
    ],
)
def test_what_is_not_yaml_is_pointed_out_with_the_way_to_mend_it(
    text: str | bytes, line: int, column: int, part: str
) -> None:
    problem = one(text)
    assert problem.rule == "yaml-syntax"
    assert (problem.location.line, problem.location.column) == (line, column)
    assert part in problem.message
    assert problem.hint


def test_a_duplicate_key_names_both_lines_and_keeps_the_first() -> None:
    documents, problems = read("a: 1\nb: 2\na: 3\n---\nc: 4\n")
    assert documents == [{"a": 1, "b": 2}, {"c": 4}]
    assert [(p.rule, p.location.line) for p in problems] == [("duplicate-key", 3)]
    assert "line 1" in problems[0].message


def test_documents_before_a_broken_one_are_read() -> None:
    documents, problems = read("a: 1\n---\nb: [\n---\nc: 1\n")
    assert documents == [{"a": 1}]
    assert [p.rule for p in problems] == ["yaml-syntax"]


@pytest.mark.parametrize(
    "text",
    [
        bomb(),
        "[" * 20_000,
        "{a: " * 20_000,
        "- " * 20_000,
        "a: &a " + "[" * 60 + "]" * 60 + "\nb: [[[[[[[[*a]]]]]]]]",
        "[" + "x," * 100_001 + "]",
        b"#" * (MAX_BYTES + 1),
    ],
    ids=["alias bomb", "brackets", "braces", "dashes", "depth by alias", "values", "bytes"],
)
def test_what_a_file_may_cost_is_bounded(text: str | bytes) -> None:
    assert one(text).rule == "yaml-limits"


def test_documents_are_counted_and_those_before_the_last_one_allowed_are_read() -> None:
    documents, problems = read("--- a\n" * 10_000)
    assert (len(documents), problems) == (10_000, [])
    documents, (problem,) = read("--- a\n" * 10_001)
    assert (len(documents), problem.rule, problem.location.line) == (10_000, "yaml-limits", 10_001)


def test_just_as_much_as_is_allowed_is_read() -> None:
    documents, problems = read("[" + "x," * 99_999 + "]")
    assert problems == []
    assert documents == [["x"] * 99_999]
    assert read("[" * 64 + "]" * 64)[1] == []


@given(st.text(alphabet=st.sampled_from("ab01:-{}[],'\"#&*!|>%@`? \n\t\r\0~<=."), max_size=60))
def test_no_text_whatever_ends_in_an_exception(text: str) -> None:
    read(text)


@given(st.binary(max_size=60))
def test_no_bytes_whatever_end_in_an_exception(data: bytes) -> None:
    read(data)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(VALUES)
def test_reads_what_a_yaml_library_writes(value: object) -> None:
    text = yaml.safe_dump(value, default_style='"')
    assert read(text) == ([value], [])


def test_nodes_of_an_alias_are_shared_not_copied() -> None:
    nodes: list[Node] = read_documents(b"a: &x [1]\nb: *x\n", "f.yaml")[0]
    root = nodes[0]
    assert isinstance(root, MappingNode)
    assert root.get("a") is root.get("b")


@given(
    st.lists(
        st.one_of(
            st.text(max_size=3), st.sampled_from(["\0", "\x7f", "\x85", "\u2028", "\ufeff", "\ufffe", "ł\n"])
        )
    )
)
def test_a_character_that_yaml_forbids_is_never_passed_over(parts: list[str]) -> None:
    text = "".join(parts)
    try:
        assert decode(text.encode(), "a.yaml") == text.removeprefix("\ufeff")
    except UnreadableFileError:
        assert FORBIDDEN_CHARACTERS.search(text.removeprefix("\ufeff"))
    else:
        assert not FORBIDDEN_CHARACTERS.search(text.removeprefix("\ufeff"))


def test_a_key_that_is_an_alias_stands_where_it_is_written() -> None:
    data = b"a: &x b\n*x : 1\nb: 2\n"
    (node,), (problem,) = read_documents(data, "f.yaml")
    assert isinstance(node, MappingNode)
    assert [(key.text, key.line, key.column) for key, _ in node.items] == [("a", 1, 1), ("b", 2, 1)]
    assert (problem.rule, problem.location.line) == ("duplicate-key", 3)
    assert "line 2" in problem.message
