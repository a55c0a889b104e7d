"""Takes the pictures of the preview page and the inbox in docs/images, before and after their redesign, and of the calendar. Needs
chromium, node and npm.

Run it in a clone with history: `python docs/screenshots.py`, or with `calendar` for that alone. The project is the worked example with
the files of docs/preview-example; of the calendar it is docs/calendar-example.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs/images"
BEFORE = "67ad00c"
"""The last commit with the page as it was."""
MOST_BYTES = 150_000
GIT = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@acme.example"]
MONTH = ("--offline", "--as-of", "2026-12-01T07:30:00Z", "--days", "31")
FEW = """\
apiVersion: notifyctl/v1
kind: Audience
name: {name}
recipients:
  - {{{address}, locale: en, substitutions: {{name: Ada, area: EC1M 4BH}}}}
  - {{{second}, locale: fr, substitutions: {{name: François, area: EC1M 3DX}}}}
"""
"""In place of the audiences of the example, for an inbox that fits a picture."""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        month = place / "calendar.html"
        run(ROOT, ROOT / "docs/calendar-example", "calendar", *MONTH, "--format", "html", "--out", str(month))
        if sys.argv[1:] == ["calendar"]:
            take([f"calendar={month.as_uri()}"], place)
            return
        old = place / "old"
        unpack(BEFORE, old)
        project = place / "project"
        make_project(project)
        pages = []
        for name, code in (("before", old), ("after", ROOT)):
            page = place / f"{name}.html"
            run(code, project, "preview", "--base", "HEAD", "--out", str(page))
            pages.append(f"preview-{name}={page.as_uri()}")
        with inbox(old, place / "inbox-old") as one, inbox(ROOT, place / "inbox-new") as other:
            pages.append(f"calendar={month.as_uri()}")
            take([*pages, f"inbox-before={one}", f"inbox-after={other}"], place)
    for image in sorted(IMAGES.glob("*.webp")):
        size = image.stat().st_size
        print(f"{size:7,} {image.name}{'  too large' if size > MOST_BYTES else ''}")


def unpack(commit: str, target: Path) -> None:
    archive = subprocess.run([*GIT, "archive", commit], cwd=ROOT, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=BytesIO(archive)) as files:
        files.extractall(target, filter="data")


def make_project(project: Path) -> None:
    """The example at a commit, and a change of it in the files."""
    ignored = shutil.ignore_patterns(".notifyctl")
    for folder in ("notifications", "docs/preview-example/before"):
        shutil.copytree(ROOT / folder, project, dirs_exist_ok=True, ignore=ignored)
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "before"]):
        subprocess.run([*GIT, *arguments], cwd=project, check=True)
    shutil.copytree(ROOT / "docs/preview-example/after", project, dirs_exist_ok=True)


@contextmanager
def inbox(code: Path, project: Path) -> Iterator[str]:
    """The address of an inbox with some messages, while it is served."""
    make_project(project)
    numbers = ('msisdn: "+447700900123"', 'msisdn: "+33639980000"')
    mails = ("email: ada@mail.example", "email: francois@mail.example")
    for name, (first, second) in (("ec1m-customers", numbers), ("ec1m-by-mail", mails)):
        text = FEW.format(name=name, address=first, second=second)
        (project / f"audiences/{name}.yaml").write_text(text, encoding="utf-8")
    run(code, project, "apply")
    command = [sys.executable, "-m", "notifyctl", "-C", str(project), "sandbox", "serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=code, env=environ(code)) as server:
        try:
            assert server.stderr is not None
            found = re.search(r"http://127\.0\.0\.1:\d+", server.stderr.readline())
            assert found is not None, "the sandbox names its address first"
            yield f"{found[0]}/inbox"
        finally:
            server.terminate()


def run(code: Path, project: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "notifyctl", "-C", str(project), *arguments]
    subprocess.run(command, cwd=code, env=environ(code), check=True, capture_output=True)


def environ(code: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(code)}


def take(pages: list[str], place: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / "tests/oracles" / name, place)
    shutil.copy(ROOT / "docs/screenshots.js", place)
    subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=place, check=True)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or "chromium"
    subprocess.run(["node", "screenshots.js", chromium, str(IMAGES), *pages], cwd=place, check=True)


if __name__ == "__main__":
    main()
