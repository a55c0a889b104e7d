from __future__ import annotations

import os
from pathlib import Path

import pytest

from notifyctl.errors import ProjectError
from notifyctl.files import WorkingTree, find_project


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "sub").mkdir(parents=True)
    (folder / "notifyctl.yaml").write_text("kind: Project\n")
    (folder / "sub" / "a.yaml").write_text("inside")
    (tmp_path / "outside.yaml").write_text("outside")
    return folder


def test_a_link_to_a_file_inside_is_followed(root: Path) -> None:
    (root / "link.yaml").symlink_to(root / "sub" / "a.yaml")
    assert "link.yaml" in WorkingTree(root).paths()
    assert WorkingTree(root).read("link.yaml") == b"inside"


def test_a_root_that_is_a_link_is_the_folder_behind_it(root: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(root)
    assert WorkingTree(tmp_path / "alias").read("sub/a.yaml") == b"inside"


@pytest.mark.parametrize("target", ["../outside.yaml", "/etc/hostname", "link.yaml", "nowhere.yaml"])
def test_a_link_that_leaves_the_root_or_leads_nowhere_is_listed_and_refused(root: Path, target: str) -> None:
    (root / "link.yaml").symlink_to(target)
    assert "link.yaml" in WorkingTree(root).paths()
    with pytest.raises(OSError, match=r".") as caught:
        WorkingTree(root).read("link.yaml")
    assert target == "link.yaml" or isinstance(caught.value, FileNotFoundError)


def test_a_link_to_a_hidden_file_is_refused(root: Path) -> None:
    (root / ".env").write_text("secret")
    (root / "link.yaml").symlink_to(".env")
    with pytest.raises(FileNotFoundError):
        WorkingTree(root).read("link.yaml")


def test_a_folder_reached_by_a_link_is_not_walked(root: Path) -> None:
    (root / "loop").symlink_to(root)
    (root / "up").symlink_to("..")
    assert list(WorkingTree(root).paths()) == ["notifyctl.yaml", "sub/a.yaml"]
    with pytest.raises(FileNotFoundError):
        WorkingTree(root).read("up/outside.yaml")


def test_a_fifo_is_listed_and_refused_without_waiting_for_a_writer(root: Path) -> None:
    os.mkfifo(root / "pipe.yaml")
    assert "pipe.yaml" in WorkingTree(root).paths()
    with pytest.raises(OSError, match="not a regular file"):
        WorkingTree(root).open("pipe.yaml")


def test_a_folder_is_no_file(root: Path) -> None:
    with pytest.raises(OSError, match="not a regular file"):
        WorkingTree(root).read("sub")


def test_a_folder_that_is_gone_is_an_expected_failure(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="cannot be read"):
        WorkingTree(tmp_path / "gone").paths()


def test_the_nearest_project_upwards_is_found(root: Path) -> None:
    (root / "sub" / "deep").mkdir()
    assert find_project(root / "sub" / "deep") == root
    (root / "sub" / "notifyctl.yaml").write_text("")
    assert find_project(root / "sub" / "deep") == root / "sub"


def test_else_the_folder_notifications_below(root: Path) -> None:
    project = root.parent / "notifications"
    project.mkdir()
    assert find_project(root.parent) is None
    (project / "notifyctl.yaml").write_text("")
    assert find_project(root.parent) == project
