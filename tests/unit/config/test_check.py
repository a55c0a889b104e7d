from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyctl.config.check import check
from notifyctl.config.fields import (
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
    Table,
    Text,
)
from notifyctl.config.nodes import node_from_json
from notifyctl.config.reader import read_documents
from notifyctl.config.scalar_types import parse_duration
from notifyctl.diagnostics import Path, Problem
from notifyctl.rulebook import receipts

CARD = Record(
    title="card",
    fields=(
        Field(name="title", shape=Text(max_length=5), required=True),
        Field(name="mimeType", shape=Text(), aliases=("mimetype",)),
        Field(name="width", shape=Choice(values=("SMALL", "MEDIUM"))),
        Field(name="height", shape=Integer()),
    ),
    at_most_one=(("width", "height"),),
    needs=(("height", "mimeType"),),
)
SOURCE = Record(
    title="source",
    fields=(
        Field(name="file", shape=Text()),
        Field(name="sql", shape=Text()),
        Field(name="url", shape=Text()),
    ),
    exactly_one=(("file", "sql"),),
)
CONTENT = Cases(
    title="content",
    by="type",
    cases={
        "text": Record(
            title="text content",
            fields=(Field(name="type", shape=Choice(values=("text",))), Field(name="text", shape=Text())),
        ),
        "card": Record(
            title="card content",
            fields=(
                Field(name="type", shape=Choice(values=("card",))),
                Field(name="card", shape=CARD, required=True),
            ),
        ),
    },
)


def checked(shape: Shape, text: str, *, composed: bool = False) -> tuple[Any, list[Problem]]:
    """The shape against the value of the key `a` in YAML."""
    record = Record(title="test", fields=(Field(name="a", shape=shape),))
    nodes, problems = read_documents(f"a: {text}".encode(), "f.yaml")
    assert problems == []
    value, found = check(record, nodes[0], composed=composed)
    return value["a"], found


def found(shape: Shape, text: str, *, composed: bool = False) -> list[tuple[str, Path]]:
    return [(problem.rule, problem.path[1:]) for problem in checked(shape, text, composed=composed)[1]]


@pytest.mark.parametrize(
    ("shape", "text", "value"),
    [
        (Text(), "+447700900123", "+447700900123"),
        (Text(), "007", "007"),
        (Text(), "true", "true"),
        (Text(), "2026-12-01", "2026-12-01"),
        (Text(), "'null'", "null"),
        (Text(parse=parse_duration), "90s", parse_duration("90s")),
        (Choice(values=("2021", "6.20")), "6.20", "6.20"),
        (Choice(values=("delivered",), fold=True), "DELIVERED", "DELIVERED"),
        (Integer(strings=True), '"3"', 3),
        (Integer(), "0x10", 16),
        (Number(), "-79.378423", -79.378423),
        (Number(), "3", 3),
        (Boolean(), "true", True),
        (Boolean(strings=True), '"True"', True),
        (Boolean(strings=True), '"false"', False),
        (Items(item=Text()), "[a, 1]", ["a", "1"]),
        (Items(item=Text(), single=True), "a", ["a"]),
        (Table(value=Text()), "{x: 1, y: b}", {"x": "1", "y": "b"}),
        (CARD, "{title: x, mimetype: y}", {"title": "x", "mimeType": "y"}),
        (CONTENT, "{type: text, text: hi}", {"type": "text", "text": "hi"}),
        (Either(text=Text(), mapping=CARD), "x", "x"),
        (Either(text=Text(), mapping=CARD), "{title: x}", {"title": "x"}),
        (Free(), "{a: [1, no, ~, 1.5]}", {"a": [1, "no", None, 1.5]}),
    ],
)
def test_a_value_that_fits_comes_out_plain(shape: Shape, text: str, value: object) -> None:
    assert checked(shape, text) == (value, [])


@pytest.mark.parametrize(
    ("shape", "text", "problems"),
    [
        (Text(), "", [("wrong-type", ())]),
        (Text(), "null", [("wrong-type", ())]),
        (Text(), "[a]", [("wrong-type", ())]),
        (Text(min_length=1), '""', [("too-short", ())]),
        (Text(max_length=2), "abc", [("too-long", ())]),
        (Text(max_bytes=2), "é€", [("too-long", ())]),
        (Text(pattern="[a-z]+"), "abc1", [("invalid-value", ())]),
        (Text(parse=parse_duration), "soon", [("invalid-value", ())]),
        (Choice(values=("hold", "send")), "holt", [("invalid-value", ())]),
        (Integer(minimum=1, maximum=3), "4", [("invalid-value", ())]),
        (Integer(), '"3"', [("wrong-type", ())]),
        (Integer(), "true", [("wrong-type", ())]),
        (Integer(), "1.5", [("wrong-type", ())]),
        (Number(maximum=90), "90.5", [("invalid-value", ())]),
        (Number(), ".nan", [("wrong-type", ())]),
        (Boolean(), "no", [("wrong-type", ())]),
        (Boolean(), '"true"', [("wrong-type", ())]),
        (Items(item=Integer()), "[1, x, 2, y]", [("wrong-type", (1,)), ("wrong-type", (3,))]),
        (Items(item=Text()), "a", [("wrong-type", ())]),
        (Items(item=Text(), min_items=1), "[]", [("too-few", ())]),
        (Items(item=Text(), max_items=1), "[a, b]", [("too-many", ())]),
        (Items(item=Text(), unique=True), "[a, b, a]", [("invalid-value", (2,))]),
        (Items(item=Choice(values=("x",), fold=True), unique=True), "[x, X]", [("invalid-value", (1,))]),
        (
            Table(value=Integer(), keys="[a-z]+"),
            "{A: 1, b: x}",
            [("unknown-key", ("A",)), ("wrong-type", ("b",))],
        ),
        (CARD, "{title: x, widht: SMALL}", [("unknown-key", ("widht",))]),
        (CARD, "{mimeType: x}", [("missing-key", ())]),
        (CARD, "{titel: x}", [("unknown-key", ("titel",))]),
        (CARD, "{title: x, mimeType: y, mimetype: z}", [("exclusive-keys", ("mimetype",))]),
        (CARD, "{title: x, mimeType: y, width: SMALL, height: 1}", [("exclusive-keys", ("height",))]),
        (CARD, "{title: x, height: 1}", [("missing-key", ("height",))]),
        (SOURCE, "{}", [("missing-key", ())]),
        (SOURCE, "{file: a, sql: b}", [("exclusive-keys", ("sql",))]),
        (CONTENT, "{text: hi}", [("missing-key", ())]),
        (CONTENT, "{type: cart}", [("invalid-value", ("type",))]),
        (
            CONTENT,
            "{type: card, card: {title: too long}, text: x}",
            [("too-long", ("card", "title")), ("unknown-key", ("text",))],
        ),
        (CONTENT, "text", [("wrong-type", ())]),
        (Either(text=Text(), mapping=CARD), "[x]", [("wrong-type", ())]),
        (Free(), "{a: [1, .inf]}", [("invalid-value", ("a", 1))]),
    ],
)
def test_every_problem_is_found_at_its_path(
    shape: Shape, text: str, problems: list[tuple[str, Path]]
) -> None:
    assert found(shape, text) == problems


def test_a_problem_says_what_is_allowed_and_what_was_meant() -> None:
    _, (problem,) = checked(Choice(values=("hold", "send"), rule=receipts.RECEIPTS), "holt")
    assert problem.message == '`a` must be hold or send, not "holt"'
    assert problem.hint == "did you mean `hold`?"
    assert (problem.rule, problem.number, problem.form) == ("requested-receipts", 47, "invalid-value")


def test_an_unknown_key_without_a_near_one_lists_those_there_are() -> None:
    _, (problem,) = checked(CARD, "{title: x, zzz: 1}")
    assert problem.hint == "its keys: title, mimeType, width, height"


def test_a_key_in_other_case_is_the_nearest() -> None:
    _, problems = checked(CARD, "{TITLE: x}")
    assert [problem.hint for problem in problems] == ["did you mean `title`?"]


def test_an_old_boolean_is_explained() -> None:
    _, (problem,) = checked(Boolean(), "yes")
    assert problem.hint == "use true or false; in YAML 1.2 yes, no, on and off are text"


def test_a_partial_record_may_lack_anything_but_not_take_too_much() -> None:
    partial = Record(title="card", fields=CARD.fields, exactly_one=(("width", "height"),), partial=True)
    assert found(partial, "{}") == []
    assert found(partial, "{width: SMALL, height: 1}") == [("exclusive-keys", ("height",))]


def test_limits_of_composed_text_hold_only_for_finished_content() -> None:
    shape = Text(composed=True, max_length=3, pattern="[a-z]*")
    assert found(shape, "Hi $(name), {{ brand }}") == []
    assert found(shape, "ABCD", composed=True) == [("too-long", ()), ("invalid-value", ())]


def test_a_json_number_is_not_text() -> None:
    _, (problem,) = check(Text(), node_from_json(447700900123))
    assert problem.rule == "wrong-type"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "text", "card", "title", "file", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(
    JSON,
    st.sampled_from([CONTENT, CARD, SOURCE, Free(), Table(value=CARD), Items(item=CONTENT, unique=True)]),
)
def test_whatever_stands_there_problems_are_returned_with_paths_that_exist(
    value: object, shape: Shape
) -> None:
    _, problems = check(shape, node_from_json(value))
    for problem in problems:
        inner: Any = value
        for step in problem.path:
            inner = inner[step]
