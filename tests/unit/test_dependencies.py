"""Each runtime dependency has a reason, in the table that contributors read."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| ([a-z][a-z0-9-]*) \| (.+?) \|", re.MULTILINE)
NAME = re.compile(r"[a-z0-9-]+")


def table() -> dict[str, str]:
    """Package → what it does here."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    _, _, section = page.partition("## Runtime dependencies and why each\n")
    rows = ROW.findall(section.partition("\n## ")[0])
    return {name: purpose for name, purpose in rows if name != "package"}


def declared() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    matches = [NAME.match(each) for each in project["dependencies"]]
    return [match[0] for match in matches if match is not None]


def test_the_table_has_each_runtime_dependency_and_no_other() -> None:
    assert list(table()) == declared()


def test_each_runtime_dependency_has_a_floor() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [each for each in project["dependencies"] if ">=" not in each] == []


def test_each_runtime_dependency_has_a_reason() -> None:
    assert [name for name, purpose in table().items() if len(purpose) < 20] == []
