"""The real `pre-commit` in a repository that uses our hooks from a clone: one stops a bad message, one forms the files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = """\
repos:
  - repo: {repo}
    rev: {rev}
    hooks: [{{id: notifyctl-{hook}}}]
"""
HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: Hello $(name)}}
audience: {recipients: [{msisdn: "+447700900123", substitutions: {name: Ada}}]}
"""


def git(folder: Path, *arguments: str) -> str:
    author = ["-c", "user.name=Tester", "-c", "user.email=tester@acme.example", "-c", "commit.gpgsign=false"]
    command = ["git", *author, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pre-commit keeps what it installed: once for all hooks."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A repository of what stands in this checkout, committed or not."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("needs git and a checkout: pre-commit installs hooks from a repository")
    clone = tmp_path_factory.mktemp("hooks")
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    for name in listed:
        if (
            name.startswith(("notifyctl/", "pyproject", "README", "LICENSE", ".pre-commit-hooks"))
            and (ROOT / name).is_file()
        ):
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, clone / name)
    git(clone, "init", "-q")
    git(clone, "add", "-A")
    git(clone, "commit", "-q", "-m", "Hooks")
    return clone, git(clone, "rev-parse", "HEAD")


def pre_commit(folder: Path, home: Path, *files: str, **environ: str) -> subprocess.CompletedProcess[str]:
    which = ["--files", *files] if files else ["--all-files"]
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", "run", *which, "--color", "never"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        # `0` is how this switch is turned on: what is imported is compiled then.
        env={**os.environ, "PIP_NO_COMPILE": "0", "PRE_COMMIT_HOME": str(home), **environ},
    )


# Installed once, a hook needs no network: a proxy that is not there would stop whoever asked it.
NOWHERE = {"https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9", "PIP_NO_INDEX": "1"}


def test_a_bad_message_does_not_pass_and_a_good_one_does(
    tmp_path: Path, hooks: tuple[Path, str], home: Path
) -> None:
    repo, rev = hooks
    project = tmp_path / "project"
    (project / "notifications").mkdir(parents=True)
    (project / ".pre-commit-config.yaml").write_text(CONFIG.format(repo=repo, rev=rev, hook="lint"))
    (project / "notifications" / "notifyctl.yaml").write_text(
        "apiVersion: notifyctl/v1\nkind: Project\nname: acme\n"
    )
    hello = project / "notifications" / "hello.yaml"
    hello.write_text(HELLO)
    git(project, "init", "-q")
    git(project, "add", "-A")
    good = pre_commit(project, home)
    assert good.returncode == 0, good.stdout + good.stderr
    hello.write_text(HELLO.replace("text: Hello", "txt: Hello"))
    git(project, "add", "-A")
    bad = pre_commit(project, home, **NOWHERE)
    assert bad.returncode == 1
    assert "hello.yaml" in bad.stdout
    assert "4:" in bad.stdout
    assert "unknown-key" in bad.stdout
    hello.write_text(HELLO)
    git(project, "add", "-A")
    assert pre_commit(project, home, **NOWHERE).returncode == 0


def test_files_are_formed_and_those_of_others_are_left_alone(
    tmp_path: Path, hooks: tuple[Path, str], home: Path
) -> None:
    repo, rev = hooks
    loose = HELLO.replace("kind: Notification\n", "") + "kind: Notification   \n\n"
    project = tmp_path / "project"
    (project / "notifications" / "deep").mkdir(parents=True)
    config = CONFIG.format(repo=repo, rev=rev, hook="fmt")
    theirs = "on:\n- push   \n"
    files = {
        ".pre-commit-config.yaml": config,
        "workflow.yaml": theirs,
        "notifications/notifyctl.yaml": "apiVersion: notifyctl/v1\nkind: Project\nname: acme\n",
        "notifications/values.yml": theirs,
        "notifications/deep/hello.yaml": loose,
    }
    for name, text in files.items():
        (project / name).write_text(text)
    git(project, "init", "-q")
    git(project, "add", "-A")
    assert "Passed" in pre_commit(project, home, "workflow.yaml").stdout  # installs the hook
    formed = pre_commit(project, home, **NOWHERE)
    assert formed.returncode == 1, formed.stdout + formed.stderr
    assert "files were modified by this hook" in formed.stdout
    assert "formatted notifications/deep/hello.yaml" in formed.stdout
    assert (project / "notifications/deep/hello.yaml").read_text() == HELLO
    assert {name: (project / name).read_text() for name in files} == {
        **files,
        "notifications/deep/hello.yaml": HELLO,
    }
    git(project, "add", "-A")
    again = pre_commit(project, home, **NOWHERE)
    assert again.returncode == 0, again.stdout + again.stderr
