"""A written value prints as the file says, and is else the value that YAML gives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyctl.config.nodes import resolve_scalar
from notifyctl.message.fast_render import render_fast
from notifyctl.message.jinja import make_renderer
from notifyctl.model.written_values import as_written, plain
from notifyctl.testing import MemoryFiles

NUMBERS = st.from_regex(
    r"[-+]?[0-9]{1,12}(\.[0-9]{0,4})?([eE][-+]?[0-9])?|0x[0-9a-f]{1,6}|0o[0-7]{1,6}", fullmatch=True
)
BOOLEANS = st.sampled_from(["true", "True", "TRUE", "false", "False", "FALSE"])


@given(st.one_of(NUMBERS, BOOLEANS), st.sampled_from(["a.txt", "a.html"]))
def test_it_prints_as_written(text: str, name: str) -> None:
    value = resolve_scalar(text)
    assert isinstance(value, (int, float))
    written = as_written(value, text)
    assert (str(written), plain(written), type(plain(written))) == (text, value, type(value))
    assert written == value
    assert bool(written) is bool(value)
    render = make_renderer(MemoryFiles({}))
    assert render("{{ x }}", name, {"x": written}) == text
    assert render_fast("{{ x }}", "a.txt", {"x": written}) == text
    assert render("{% if x %}yes{% endif %}", name, {"x": written}) == ("yes" if value else "")


@pytest.mark.parametrize(
    "expression",
    ["x + 1", "x * 2", "x == 9.5", "x > 9", "x | round | int", "x | float * 2", "[x, 1] | max == x", "-x", "x is number",
     "x is float", "x is integer", "x is boolean", "x is string", "'%.2f' is string", "{9.5: 'a'}[x]"],
)  # fmt: skip
def test_it_calculates_and_compares_as_the_value(expression: str) -> None:
    render = make_renderer(MemoryFiles({}))
    source = f"{{{{ {expression} }}}}"
    assert render(source, "a", {"x": as_written(9.5, "9.50")}) == render(source, "a", {"x": 9.5})


@pytest.mark.parametrize("value", [True, False])
@pytest.mark.parametrize(
    "test",
    [
        "true",
        "false",
        "boolean",
        "integer",
        "number",
        "string",
        "sameas(true)",
        "sameas(false)",
        "none",
        "float",
    ],
)
def test_tests_of_a_boolean_hold(value: bool, test: str) -> None:  # noqa: FBT001 - the value itself
    render = make_renderer(MemoryFiles({}))
    source = f"{{{{ x is {test} }}}} {{{{ x == true }}}} {{{{ not x }}}} {{{{ x | tojson }}}}"
    assert render(source, "a", {"x": as_written(value, "TRUE")}) == render(source, "a", {"x": value})
