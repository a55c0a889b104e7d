"""The reference is what the program is: a field or an option that changes, changes it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from notifyctl.cli.main import COMMANDS
from notifyctl.exit_codes import ExitCode

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["effects", "files", "commands", "glossary", "rules"])
def test_the_reference_is_fresh(generate: ModuleType, name: str) -> None:
    page = (DOCS / "reference" / f"{name}.md").read_text(encoding="utf-8")
    assert page == getattr(generate, name)(), "run: python docs/generate.py"


def test_every_command_is_in_it(generate: ModuleType) -> None:
    page = generate.commands()
    assert all(f"## notifyctl {name}\n" in page for name in COMMANDS)


def test_every_exit_code_is_explained() -> None:
    page = (DOCS / "reference" / "exit-codes.md").read_text(encoding="utf-8")
    assert all(f"| {code.value} |" in page for code in ExitCode)


def test_the_example_audience_is_what_its_script_makes(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("make", DOCS / "make_example_audience.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = tmp_path / "made.csv"
    module.write(made)
    assert made.read_text(encoding="utf-8") == module.OUT.read_text(encoding="utf-8")
