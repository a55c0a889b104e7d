"""Each promise of the README stands in a table of the docs, with tests that hold it; those tests exist."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "ledger-and-promises.md"
ROW = re.compile(r"^\| (P\d) \|.*\| ([^|]+) \|$", re.MULTILINE)


def rows() -> dict[str, list[str]]:
    """Promise → `file::test`, as the page names them."""
    return {name: re.findall(r"`([^`]+)`", tests) for name, tests in ROW.findall(PAGE.read_text("utf-8"))}


def names(path: Path) -> Iterator[str]:
    """Tests in a file: functions, and assigned test cases."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id


def test_every_promise_of_the_readme_is_held_by_tests() -> None:
    promised = set(re.findall(r"\*\*(P\d)\*\*", (ROOT / "README.md").read_text("utf-8")))
    held = rows()
    assert promised
    assert promised == held.keys()
    assert all(held.values())


@pytest.mark.parametrize("named", sorted({test for tests in rows().values() for test in tests}))
def test_a_test_that_holds_a_promise_exists(named: str) -> None:
    file, _, test = named.partition("::")
    assert test in set(names(ROOT / file))
