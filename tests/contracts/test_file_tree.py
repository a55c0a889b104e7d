"""What every FileTree promises, on disk and in memory alike."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from notifyctl.config.paths import MAX_READ
from notifyctl.errors import ProjectError
from notifyctl.files import WorkingTree
from notifyctl.git import CommittedTree
from notifyctl.ports import FileTree
from notifyctl.testing import MemoryFiles

Make = Callable[[Mapping[str, bytes]], FileTree]

FILES = {
    "notifyctl.yaml": b"kind: Project\n",
    "a.yaml": b"\x00\xff not text",
    "templates/outage.yaml": b"one",
    "templates/.hidden.yaml": b"secret",
    ".git/config": b"secret",
    ".env": b"secret",
    "data/people.csv": b"phone\n",
    "data/raw/people.csv": b"phone\n",
    "vendor/chart.yaml": b"not ours",
    "vendor/keep.yaml": b"ours",
    "notes.tmp": b"",
    ".notifyctlignore": b"# comment\n/vendor/*\n!/vendor/keep.yaml\n*.tmp\nraw/\n",
}


@pytest.fixture(params=["disk", "memory", "git"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    def on_disk(files: Mapping[str, bytes]) -> FileTree:
        for path, data in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(data)
        return WorkingTree(tmp_path)

    def in_git(files: Mapping[str, bytes]) -> FileTree:
        on_disk({path: data for path, data in files.items() if not path.startswith(".git/")})
        git = ["git", "-C", str(tmp_path), "-c", "user.name=ada", "-c", "user.email=ada@acme.example"]
        for arguments in (["init", "-q"], ["add", "-f", "."], ["commit", "-q", "--allow-empty", "-m", "x"]):
            subprocess.run([*git, *arguments], check=True)
        return CommittedTree(tmp_path, "HEAD")

    return {"disk": on_disk, "memory": MemoryFiles, "git": in_git}[request.param]


def test_paths_are_sorted_without_what_is_hidden_or_ignored(make: Make) -> None:
    assert list(make(FILES).paths()) == [
        "a.yaml",
        "data/people.csv",
        "notifyctl.yaml",
        "templates/outage.yaml",
        "vendor/keep.yaml",
    ]


def test_without_an_ignore_file_only_what_is_hidden_is_left_out(make: Make) -> None:
    files = {path: data for path, data in FILES.items() if path != ".notifyctlignore"}
    assert "vendor/chart.yaml" in make(files).paths()


def test_reads_bytes_as_they_are_whole_or_as_a_stream(make: Make) -> None:
    tree = make(FILES)
    assert tree.read("a.yaml") == FILES["a.yaml"]
    with tree.open("templates/outage.yaml") as stream:
        assert stream.read(2) == b"on"


def test_a_path_may_wander_inside_of_the_root(make: Make) -> None:
    assert make(FILES).read("./templates/../data//people.csv") == b"phone\n"


def test_what_is_ignored_can_be_read_because_it_may_hold_data(make: Make) -> None:
    assert make(FILES).read("data/raw/people.csv") == b"phone\n"


@pytest.mark.parametrize(
    "path",
    [
        "missing.yaml",
        "../outside.yaml",
        "templates/../../outside.yaml",
        "/etc/hostname",
        "",
        ".",
        "a.yaml\0",
        "templates\\outage.yaml",
        ".env",
        ".git/config",
        "templates/.hidden.yaml",
    ],
)
def test_nothing_outside_and_nothing_hidden_can_be_reached(make: Make, path: str) -> None:
    tree = make(FILES)
    with pytest.raises(FileNotFoundError):
        tree.read(path)
    with pytest.raises(FileNotFoundError):
        tree.open(path)


def test_what_is_read_whole_is_bounded_and_a_stream_is_not(make: Make) -> None:
    tree = make({**FILES, "large.csv": b"x" * (MAX_READ + 1), "full.csv": b"x" * MAX_READ})
    assert len(tree.read("full.csv")) == MAX_READ
    with pytest.raises(OSError, match="more than 10 MiB"):
        tree.read("large.csv")
    with tree.open("large.csv") as stream:
        assert len(stream.read()) == MAX_READ + 1


def test_an_ignore_file_that_cannot_be_read_is_an_error_with_a_hint(make: Make) -> None:
    with pytest.raises(ProjectError, match=r"\.notifyctlignore") as caught:
        make({"a.yaml": b"", ".notifyctlignore": b"!\n"}).paths()
    assert caught.value.hint is not None


def test_what_takes_the_place_of_a_file_is_looked_at_anew(tmp_path: Path) -> None:
    inside, outside = tmp_path / "project", tmp_path / "secret.yaml"
    inside.mkdir()
    outside.write_text("secret")
    for name in ("a.yaml", "b.yaml", "c.yaml"):
        (inside / name).write_text(name)
    tree = WorkingTree(inside)
    assert list(tree.paths()) == ["a.yaml", "b.yaml", "c.yaml"]
    for name in ("a.yaml", "b.yaml", "c.yaml"):
        (inside / name).unlink()
    (inside / "a.yaml").symlink_to(outside)
    (inside / "b.yaml").symlink_to(inside / "d.yaml")
    (inside / "d.yaml").write_text("within")
    with pytest.raises(FileNotFoundError):
        tree.read("a.yaml")
    assert tree.read("b.yaml") == b"within"
    with pytest.raises(FileNotFoundError):
        tree.read("c.yaml")
