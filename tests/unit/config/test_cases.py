"""Every folder of tests/cases is a small project. `invalid` ones say in expected.txt what must be found, and nothing else may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from notifyctl.channels import CHANNELS
from notifyctl.config.load import LoadResult, load_project
from notifyctl.files import WorkingTree

CASES = Path(__file__).parents[2] / "cases"
SHAPES = [channel.shape for channel in CHANNELS.values()]
VALID = sorted((CASES / "valid").iterdir())
INVALID = sorted((CASES / "invalid").iterdir())


def found(loaded: LoadResult) -> list[str]:
    return [f"{problem.location} {problem.rule} {problem.message}" for problem in loaded.diagnostics]


@pytest.mark.parametrize("case", VALID, ids=lambda case: case.name)
def test_a_valid_project_loads_whole(case: Path) -> None:
    loaded = load_project(WorkingTree(case), SHAPES)
    assert found(loaded) == []
    assert loaded.project is not None


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case.name)
def test_an_invalid_project_has_just_the_expected_problems(case: Path) -> None:
    expected = (case / "expected.txt").read_text(encoding="utf-8").splitlines()
    assert found(load_project(WorkingTree(case), SHAPES)) == expected


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case.name)
def test_every_error_in_the_files_comes_with_a_message_worth_reading(case: Path) -> None:
    for problem in load_project(WorkingTree(case), SHAPES).diagnostics:
        assert len(problem.message) > 15
        assert not problem.message.endswith(".")
        assert problem.location.line or problem.rule in ("unreadable-file", "project-document", "yaml-limits")


def test_a_misspelt_key_that_decides_the_shape_is_reported_with_the_key_that_was_meant() -> None:
    loaded = load_project(WorkingTree(CASES / "invalid" / "deciding-key"), SHAPES)
    hints = {
        (d.location.file, d.location.line, d.location.column): d.hint
        for d in loaded.diagnostics
        if d.message.startswith("unknown key")
    }
    expected = {
        ("n.yaml", 2, 1): "kind",
        ("n.yaml", 9, 1): "channel",
        ("n.yaml", 10, 11): "type",
        ("n.yaml", 17, 3): "type",
        ("n.yaml", 24, 11): "type",
        ("n.yaml", 30, 51): "type",
        ("n.yaml", 35, 12): "channel",
        ("notifyctl.yaml", 6, 5): "provider",
        ("notifyctl.yaml", 8, 5): "provider",
        ("notifyctl.yaml", 9, 11): "provider",
    }
    assert {place: hints[place] for place in expected} == {
        place: f"did you mean `{key}`?" for place, key in expected.items()
    }
