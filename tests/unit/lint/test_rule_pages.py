"""Every rule has a page, and every page a rule: read off the code itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import notifyctl
from notifyctl.cli.main import run
from notifyctl.lint.rule_pages import PAGES
from notifyctl.model.recipients import RowRejection

PACKAGE = Path(notifyctl.__file__).parent
KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")
MAKERS = {
    "Diagnostic",
    "Problem",
    "Finding",
    "Rule",
    "report",
    "problem",
    "tell",
    "unreadable",
    "refuse",
    "error",
    "fault",
}
REQUEST = PACKAGE / "channels" / "request.py"
"""Rules about a whole request are the sandbox's, not lint's."""


def told() -> Iterator[str]:
    """Kebab-case words that are handed to whatever makes a problem, and those a function returns as a rule. What `fmt` tells
    of a file that it leaves alone is no rule of lint.
    """
    for path in sorted(PACKAGE.rglob("*.py")):
        if (
            path == REQUEST
            or path.name == "pages.py"
            or {"cli", "fmt", "views"} & set(path.relative_to(PACKAGE).parts)
        ):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func).rpartition(".")[2]
                given = (
                    [argument for argument in node.args if isinstance(argument, ast.Constant)]
                    if name in MAKERS
                    else []
                )
                yield from (str(constant.value) for constant in given if KEBAB.fullmatch(str(constant.value)))


def test_every_rule_has_a_page() -> None:
    known = set(PAGES) | {"utf-8"}
    assert sorted(set(told()) - known) == []
    assert {exclusion.value for exclusion in RowRejection} <= known


def test_every_page_belongs_to_a_rule() -> None:
    code = "".join(
        path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py") if path.name != "pages.py"
    )
    assert [rule for rule in PAGES if f'"{rule}"' not in code] == []


@pytest.mark.parametrize("rule", sorted(PAGES))
def test_a_page_says_something(rule: str) -> None:
    page = PAGES[rule]
    assert page.severity in {"error", "warning", "info"}
    assert len(page.text.split()) > 4
    assert page.text.endswith(".")


def test_explain(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "needs-unicode"]) == 0
    assert "GSM-7" in capsys.readouterr().out
    assert run(["explain", "needs-unicod"]) == 64
    assert "needs-unicode" in capsys.readouterr().err
    assert run(["explain"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(PAGES)
