from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyctl.config.nodes import (
    MAX_DEPTH,
    MappingNode,
    Scalar,
    SequenceNode,
    key_positions,
    node_from_json,
    plain_value,
    resolve_scalar,
    value_positions,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("FALSE", False),
        ("tRUE", "tRUE"),
        ("null", None),
        ("~", None),
        ("", None),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("12", 12),
        ("-7", -7),
        ("012", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("+447700900123", 447700900123),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        (".", "."),
        ("21:00", "21:00"),
        ("2026-12-01", "2026-12-01"),
        ("1.2.3", "1.2.3"),
        ("٣", "٣"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_plain_scalars_mean_what_the_core_schema_says(text: str, value: object) -> None:
    resolved = resolve_scalar(text)
    assert resolved == value
    assert type(resolved) is type(value)


def test_not_a_number_is_a_number_of_the_core_schema() -> None:
    value = resolve_scalar(".nan")
    assert isinstance(value, float)
    assert math.isnan(value)


@given(st.text())
def test_resolving_never_fails(text: str) -> None:
    resolve_scalar(text)


@given(JSON)
def test_a_json_value_survives_the_way_through_nodes(value: object) -> None:
    assert plain_value(node_from_json(value)) == value
    assert plain_value(node_from_json(json.loads(json.dumps(value)))) == value


def test_a_json_number_is_not_text() -> None:
    node = node_from_json(447700900123)
    assert isinstance(node, Scalar)
    assert not node.plain


def test_a_json_value_that_nests_too_deep_is_refused_not_a_recursion_error() -> None:
    deep: object = "x"
    for _ in range(MAX_DEPTH):
        deep = [deep]
    node_from_json(deep)
    with pytest.raises(ValueError, match="64"):
        node_from_json([deep])


def test_places_are_those_of_values_and_key_places_those_of_keys() -> None:
    key, value = (
        Scalar("a", "a", plain=True, line=1, column=1),
        Scalar("x", "x", plain=True, line=2, column=5),
    )
    node = MappingNode(((key, SequenceNode((value,), 2, 3)),), 1, 1)
    assert value_positions(node) == {(): (1, 1), ("a",): (2, 3), ("a", 0): (2, 5)}
    assert key_positions(node) == {(): (1, 1), ("a",): (1, 1), ("a", 0): (2, 5)}
