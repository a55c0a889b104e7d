"""The suite goes red when the protocol is broken. CI breaks it in the quick ways; `python tests/rig/mutants.py --all` in all."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "explanation" / "crashes-and-lies.md"


@pytest.fixture(scope="module")
def mutants() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("mutants", Path(__file__).with_name("mutants.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # A dataclass looks its module up while it is made.
    sys.modules["mutants"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["mutants"]


def test_what_each_mutant_breaks_is_still_in_the_code(mutants: ModuleType) -> None:
    gone = [
        (mutant.name, file)
        for mutant in mutants.MUTANTS
        for file, old, _ in mutant.edits
        if (ROOT / file).read_text(encoding="utf-8").count(old) != 1
    ]
    assert gone == []


def test_the_page_lists_each_mutant(mutants: ModuleType) -> None:
    page = TABLE.read_text(encoding="utf-8")
    assert [mutant.name for mutant in mutants.MUTANTS if f"| {mutant.name} |" not in page] == []


def test_quick_mutants_are_killed(mutants: ModuleType) -> None:
    verdicts = {
        mutant.name: mutants.verdict(mutant, ordinary=False) for mutant in mutants.MUTANTS if mutant.quick
    }
    assert len(verdicts) >= 3
    assert [said for said in verdicts.values() if not said.startswith("killed by")] == []
