"""`notifyctl fmt` on real files: what it writes, what it says, how it ends, and what it leaves alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from notifyctl.cli.main import run

PROJECT = "apiVersion: notifyctl/v1\nkind: Project\nname: acme\n"
LOOSE = "kind: Schedule\napiVersion: notifyctl/v1   \nname: s\nholidays:\n- 2026-12-25\n\n\n"
FORMED = "apiVersion: notifyctl/v1\nkind: Schedule\nname: s\nholidays:\n  - 2026-12-25\n"


@pytest.fixture
def project(cli: Any) -> Any:
    cli.write(notifyctl=PROJECT, schedules__s=LOOSE)
    return cli


def read(cli: Any, name: str) -> bytes:
    data: bytes = (cli.root / name).read_bytes()
    return data


def test_files_are_rewritten_once_and_keep_their_mode(project: Any) -> None:
    file = project.root / "schedules/s.yaml"
    file.chmod(0o640)
    first = project("fmt")
    assert (first.code, first.out) == (0, "")
    assert first.err.splitlines() == [f"formatted {file}", "1 file reformatted, 1 unchanged"]
    assert file.read_text() == FORMED
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in project.root.rglob("*") if path.is_file()) == [
        "notifyctl.yaml",
        "s.yaml",
    ]
    before = project.files()
    assert project("fmt").err == "0 files reformatted, 2 unchanged\n"
    assert project.files() == before


def test_check_names_what_would_change_and_writes_nothing(project: Any) -> None:
    before = project.files()
    checked = project("fmt", "--check")
    assert checked.code == 1
    assert checked.err.splitlines() == [
        f"would reformat {project.root}/schedules/s.yaml",
        "1 file would be reformatted, 1 unchanged",
    ]
    assert project.files() == before
    assert project("fmt").code == 0
    assert project("fmt", "--check").code == 0


def test_diff_shows_what_would_change_and_writes_nothing(project: Any) -> None:
    before = project.files()
    shown = project("fmt", "--diff")
    assert shown.code == 1
    assert "-apiVersion: notifyctl/v1   " in shown.out.splitlines()
    assert "+  - 2026-12-25" in shown.out.splitlines()
    assert "\x1b" not in shown.out
    assert "\x1b[32m+  - 2026-12-25\x1b[0m" in project("fmt", "--diff", "--color", "always").out
    assert project.files() == before
    project("fmt")
    assert project("fmt", "--diff").out == ""


def test_a_diff_shows_hostile_characters_and_does_not_obey_them(project: Any) -> None:
    project.write(schedules__s="\ufeff" + LOOSE.replace("\n", "\r\n") + "# \u202egnp.exe")
    shown = project("fmt", "--diff").out
    assert "\u202e" not in shown
    assert "\\u202egnp.exe" in shown
    assert "\r" not in shown
    assert "-\\ufeffkind: Schedule\\r" in shown.splitlines()
    assert "\\ No newline at end of file" in shown.splitlines()


def test_a_file_that_cannot_be_read_is_left_alone_and_the_others_are_formatted(project: Any) -> None:
    broken = f"{PROJECT}vars: [\n"
    project.write(broken=broken)
    result = project("fmt")
    assert result.code == 1
    assert "broken.yaml:5:1: error [yaml-syntax]" in result.err
    assert result.err.splitlines()[-1] == "1 file reformatted, 1 unchanged, 1 skipped"
    assert read(project, "broken.yaml").decode() == broken
    assert read(project, "schedules/s.yaml").decode() == FORMED


def test_ignored_hidden_and_foreign_files_are_no_matter_of_ours(project: Any) -> None:
    project.write(values="a:\n- b\n", **{".hidden": LOOSE, "vendor__s": LOOSE})
    (project.root / ".notifyctlignore").write_text("vendor/\n")
    assert project("fmt").err.splitlines()[-1] == "1 file reformatted, 2 unchanged"
    vendored = project("fmt", str(project.root / "vendor/s.yaml"))
    assert (vendored.code, vendored.err) == (0, "0 files reformatted, 0 unchanged\n")
    assert read(project, "vendor/s.yaml").decode() == LOOSE
    assert read(project, "values.yaml") == b"a:\n- b\n"


def test_paths_narrow_what_is_formatted(project: Any) -> None:
    project.write(other=LOOSE.replace("name: s", "name: other"))
    assert project("fmt", "schedules").err.splitlines()[-1] == "1 file reformatted, 0 unchanged"
    assert read(project, "other.yaml").decode().startswith("kind")
    assert project("fmt", "nowhere.yaml").code == 64


def test_each_path_counts_in_its_own_project_and_what_is_in_none_is_passed_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "notifyctl.yaml").write_text(PROJECT)
        (tmp_path / name / "s.yaml").write_text(LOOSE)
    (tmp_path / "s.yaml").write_text(LOOSE)
    assert run(["fmt", *(str(tmp_path / name) for name in ("a/s.yaml", "b/s.yaml", "s.yaml"))]) == 0
    assert capsys.readouterr().err.splitlines()[-1] == "2 files reformatted, 0 unchanged"
    assert (tmp_path / "s.yaml").read_text() == LOOSE
    assert (tmp_path / "b/s.yaml").read_text() == FORMED


def test_a_file_that_cannot_be_written_stays_whole(project: Any) -> None:
    limited = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10)); "
        "from notifyctl.cli.main import run; sys.exit(run(sys.argv[1:]))"
    )
    command = [sys.executable, "-B", "-c", limited, "-C", str(project.root), "fmt"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "s.yaml cannot be written: File too large" in result.stderr
    assert sorted(path.name for path in (project.root / "schedules").iterdir()) == ["s.yaml"]
    assert read(project, "schedules/s.yaml").decode() == LOOSE


def test_a_project_begun_by_init_is_in_form_and_tells_editors_of_its_schema(cli: Any) -> None:
    assert cli("init").code == 0
    assert cli("fmt", "--check").code == 0
    files = sorted(cli.root.rglob("*.yaml"))
    assert len(files) == 4
    for file in files:
        first, _, _ = file.read_text().partition("\n")
        schema = file.parent / first.removeprefix("# yaml-language-server: $schema=")
        assert "properties" in json.loads(schema.read_text())
