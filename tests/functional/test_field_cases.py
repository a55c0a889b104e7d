"""Inputs that failed in the field: each folder of tests/cases/field is a project, and its expect.yaml says what commands print.

expect.yaml is a list of steps, run in order on a copy of the folder:

    - copy: {one/n.yaml: n.yaml}   # files to copy before the command, from: to
      run: plan --as-of 2027-01-07T08:30Z
      exit: 0                      # without it, any exit code but 70
      shows: [1 send]              # each stands in the output; runs of blanks count as one
      hides: [Traceback]           # none of them does
"""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from notifyctl.exit_codes import ExitCode

CASES = Path(__file__).parents[1] / "cases" / "field"


def blanks_folded(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(
    "case", sorted(path.parent for path in CASES.glob("*/expect.yaml")), ids=lambda case: case.name
)
def test_a_case_of_the_field_ends_as_it_should(case: Path, cli: Any) -> None:
    shutil.copytree(
        case, cli.root, dirs_exist_ok=True, ignore=shutil.ignore_patterns("expect.yaml", "README.md")
    )
    for step in yaml.safe_load((case / "expect.yaml").read_text(encoding="utf-8")):
        for source, target in step.get("copy", {}).items():
            shutil.copyfile(case / source, cli.root / target)
        result = cli(*shlex.split(step["run"]))
        output = blanks_folded(result.out + result.err)
        assert result.code == step.get("exit", result.code), output
        assert result.code != ExitCode.DEFECT, output
        for text in step.get("shows", ()):
            assert blanks_folded(text) in output
        for text in step.get("hides", ()):
            assert blanks_folded(text) not in output
