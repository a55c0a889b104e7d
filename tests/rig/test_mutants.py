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
SAMPLE = TABLE.with_name("mutants.md")


def loaded(name: str, file: str) -> ModuleType:
    """A script of this folder as a module. A dataclass looks its module up while it is made."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(file))
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def mutants() -> Iterator[ModuleType]:
    yield loaded("mutants", "mutants.py")
    del sys.modules["mutants"]


@pytest.fixture(scope="module")
def changes(mutants: ModuleType) -> Iterator[ModuleType]:
    """The changes by operators; the script imports the other one."""
    assert mutants is sys.modules["mutants"]
    yield loaded("mutant_operators", "operators.py")
    del sys.modules["mutant_operators"]


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


def test_the_sample_is_large_and_the_same_each_time(changes: ModuleType) -> None:
    chosen = changes.sample(sorted(changes.TESTS), 60, 16)
    assert len(chosen) == len({(each.file, each.start, each.operator) for each in chosen}) == 60
    assert {each.operator for each in chosen} == {"negate", "drop a call", "swap outcomes", "off by one"}
    assert chosen == changes.sample(sorted(changes.TESTS, reverse=True), 60, 16)
    assert chosen != changes.sample(sorted(changes.TESTS), 60, 17)


def test_what_a_change_makes_of_a_file_still_compiles(changes: ModuleType) -> None:
    for each in changes.sample(sorted(changes.TESTS), 60, 16):
        [(file, old, new)] = each.mutant.edits
        assert new != old
        compile(new, file, "exec")


def test_what_nobody_can_observe_is_still_in_the_code(changes: ModuleType) -> None:
    places = {
        (each.file, each.operator, each.line) for file in changes.TESTS for each in changes.find_changes(file)
    }
    assert [place for place in changes.EQUIVALENT if place not in places] == []
    assert all(reason for reason in changes.EQUIVALENT.values())


def test_the_files_and_tests_of_the_changes_exist(changes: ModuleType) -> None:
    named = [*changes.TESTS, *(test for tests in changes.TESTS.values() for test in tests)]
    assert [name for name in named if not (ROOT / name.partition("::")[0]).exists()] == []


def test_the_page_gives_the_reason_of_each_change_that_nobody_can_observe(changes: ModuleType) -> None:
    page = SAMPLE.read_text(encoding="utf-8")
    assert [reason for reason in changes.EQUIVALENT.values() if f"| {reason} |" not in page] == []
    assert page.count("| killed by ") >= 60
