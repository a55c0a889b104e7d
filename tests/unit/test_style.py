"""The words that people read: none that docs/english.yaml has retired, in messages, help, pages and docs.

A line can keep one with `# style: ignore[id] reason`, in Markdown `<!-- style: ignore[id] reason -->`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for path in (ROOT / "notifyctl").rglob("*.py") if "testing" not in path.parts)
PAGES = sorted((ROOT / "notifyctl").rglob("*.html.j2")) + sorted((ROOT / "notifyctl").rglob("*.html"))
DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
SQL = re.compile(r"\b(SELECT|CREATE|INSERT|UPDATE|CASE|PRAGMA|DROP|WHERE)\b")
QUOTED = (r"(?s)```.*?```", r"`[^`]*`", r"(?s)<!--.*?-->", r'"[^"\n]*"', r"(?<=\])\([^)]*\)")
"""Code, comments and quoted speech: what stands there is not ours to choose."""
IGNORED = re.compile(r"style: ignore\[([\w, -]+)\] \S")


class Retired(NamedTuple):
    id: str
    match: re.Pattern[str]
    allow: tuple[re.Pattern[str], ...]
    use: str


def compiled(rule: dict[str, Any]) -> Retired:
    allow = tuple(re.compile(each, re.IGNORECASE) for each in rule.get("allow", ()))
    return Retired(rule["id"], re.compile(rule["match"], re.IGNORECASE), allow, rule["use"])


ENGLISH = yaml.safe_load((ROOT / "docs" / "english.yaml").read_text(encoding="utf-8"))
RETIRED = [compiled(rule) for rule in ENGLISH["retired"] if rule.get("level") != "warn"]


def retired(text: str) -> list[tuple[str, int, str]]:
    """(rule, line, words) of what the text should not say."""
    for pattern in QUOTED:
        text = re.sub(pattern, lambda found: "\n" * found[0].count("\n") or " ", text)
    return [
        (rule.id, text.count("\n", 0, found.start()), text[max(0, found.start() - 30) : found.end() + 30])
        for rule in RETIRED
        for found in rule.match.finditer(text)
        if not any(
            kept.start() < found.end() and found.start() < kept.end()
            for each in rule.allow
            for kept in each.finditer(text)
        )
    ]


def shown_texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, text) of every string with a blank that is not a docstring, and of the docstrings of commands."""
    skipped: set[int] = set()
    shown: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(id(node.value))
        if isinstance(node, ast.FunctionDef) and any(
            re.search("command|group", ast.unparse(each)) for each in node.decorator_list
        ):
            shown.add(id(getattr(node.body[0], "value", None)))
        if isinstance(node, ast.JoinedStr):
            skipped.update(map(id, node.values))
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (str(each.value) if isinstance(each, ast.Constant) else "X" for each in node.values)
            yield node.lineno, "".join(parts)
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and (id(node) not in skipped or id(node) in shown)
        ):
            yield node.lineno, node.value


def is_ignored(line: str, rule: str) -> bool:
    found = IGNORED.search(line)
    return found is not None and rule in [each.strip() for each in found[1].split(",")]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_messages_use_no_retired_words(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines()
    found = [
        f"{path.name}:{number + line}: [{rule}] …{words}…"
        for number, text in shown_texts(ast.parse(source))
        if " " in text.strip() and not SQL.search(text)
        for rule, line, words in retired(text)
        if not any(is_ignored(each, rule) for each in lines[number - 1 : number + text.count("\n") + 3])
    ]
    assert found == []


@pytest.mark.parametrize("path", [*DOCS, *PAGES], ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_use_no_retired_words(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    found = [
        f"{path.name}:{line + 1}: [{rule}] …{words}…"
        for rule, line, words in retired(text)
        if not is_ignored(lines[line], rule)
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "a stand-alone program",
        "RCS stands for …",
        "a provider that lies about a request",
        'the reviewer wrote "nobody told me"',
        "customers are told about the outage",
        "screen readers",
        "there is no limit",
        "is no longer used",
        "a zero-width joiner",
        "a fenced code block",
        "call us back",
        "grave accent",
        "in other words",
        "21 batches",
    ],
)
def test_good_english_passes(text: str) -> None:
    assert retired(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "the file lies in the folder",
        "the key stands twice",
        "it is told with its line",
        "`x` is no date",
        "3 people uncertain",
    ],
)
def test_retired_words_are_found(text: str) -> None:
    assert retired(text) != []


def test_each_term_is_defined_once() -> None:
    terms = [each["term"] for each in ENGLISH["terms"]]
    assert terms == sorted(set(terms), key=str.lower)
