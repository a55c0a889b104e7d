"""`.ci/audit.py` fails for a known vulnerability, and says so where it could not look."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "audit.py"
SOUND = {"name": "h11", "version": "0.16.0", "vulns": []}
HOLED = {"name": "pyjwt", "version": "2.9", "vulns": [{"id": "CVE-2026-48524", "fix_versions": ["2.13"]}]}
SKIPPED = {"name": "rich", "skip_reason": "Dependency not found on PyPI"}


def run(folder: Path, *answers: str) -> tuple[int, str]:
    """The script with a pip-audit that prints one answer after the other."""
    program = folder / "pip-audit"
    program.write_text(
        f"#!{sys.executable} -I\nimport pathlib\nleft = pathlib.Path({str(folder / 'answers')!r})\n"
        "first, _, rest = left.read_text().partition('\\n')\nleft.write_text(rest)\nprint(first)\n"
    )
    program.chmod(0o755)
    (folder / "answers").write_text("\n".join(answers))
    done = subprocess.run(
        [sys.executable, SCRIPT, str(program), "lowest.txt"], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


def dependencies(*packages: object) -> str:
    return json.dumps({"dependencies": packages})


def test_a_known_vulnerability_fails(tmp_path: Path) -> None:
    code, said = run(tmp_path, dependencies(SOUND, HOLED))
    assert code == 1
    assert "pyjwt 2.9: CVE-2026-48524, fixed in 2.13" in said


def test_sound_packages_pass(tmp_path: Path) -> None:
    code, said = run(tmp_path, dependencies(SOUND, SKIPPED))
    assert (code, said) == (0, "audited: lowest.txt: 1 of its packages\n")


@pytest.mark.parametrize("first", ["", "Traceback: no such host", dependencies(SKIPPED)])
def test_the_second_service_is_asked_where_the_first_does_not_know(tmp_path: Path, first: str) -> None:
    assert run(tmp_path, first, dependencies(HOLED))[0] == 1


def test_a_machine_without_a_service_says_so(tmp_path: Path) -> None:
    code, said = run(tmp_path, "", dependencies(SKIPPED))
    assert code == 0
    assert "NOT AUDITED: lowest.txt" in said
