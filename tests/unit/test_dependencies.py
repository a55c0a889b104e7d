"""Each runtime dependency has a reason, in the table that contributors read."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

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


CLOSED = {
    "certifi": ("2024.7.4", "CVE-2024-39689"),
    "h11": ("0.16", "CVE-2025-43859"),
    "jinja2": ("3.1.6", "CVE-2025-27516"),
    "pyjwt": ("2.13", "CVE-2026-48524"),
    "pyyaml": ("5.4", "CVE-2020-14343"),
    "starlette": ("1.0.1", "CVE-2026-48710"),
    "uvicorn": ("0.11.7", "CVE-2020-7694"),
}
"""The version of a dependency that closed the last advisory about it that we know of. pip-audit in CI knows the later ones."""


@pytest.mark.parametrize(("name", "closed"), [(name, closed) for name, (closed, _) in CLOSED.items()])
def test_no_floor_admits_a_known_vulnerability(name: str, closed: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    [floor] = [each.partition(">=")[2] for each in project["dependencies"] if each.startswith(f"{name}>=")]
    assert version(floor) >= version(closed)


def version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def test_each_runtime_dependency_has_a_reason() -> None:
    assert [name for name, purpose in table().items() if len(purpose) < 20] == []
