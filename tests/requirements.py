"""What tests need of the machine beyond Python packages. Where it is missing a test skips, and in CI it fails: a check that CI
leaves out is one that nobody makes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import pytest

ORACLES = Path(__file__).parent / "oracles"
IN_CI = ("CI", "NOTIFYCTL_CI")
"""Variables of which one says that this is CI, unless it is empty, `0` or `false`."""
MISSING = "NOT TESTED: "
"""How the reason of such a skip begins; the summary of the run finds it by this."""
PROGRAMS = {
    "chromium": ("chromium", "chromium-browser"),
    "gcc": ("gcc",),
    "node": ("node",),
    "npm": ("npm",),
    "pgbouncer": ("pgbouncer",),
    "spin": ("spin",),
    "ssh-keygen": ("ssh-keygen",),
}
"""Each program, and the names by which systems have it."""
PACKAGES = {"node": "nodejs", "ssh-keygen": "openssh-client"}
"""Debian's package of a program, where it has another name."""


def in_ci() -> bool:
    return any(os.environ.get(name, "").lower() not in {"", "0", "false"} for name in IN_CI)


def program(name: str) -> str:
    """The path of a program of PROGRAMS. Skips the test, or fails it in CI, where it is not installed."""
    paths = (shutil.which(each) for each in PROGRAMS[name])
    found = next((path for path in paths if path is not None), None)
    return found or missing(f"{name} (apt-get install {PACKAGES.get(name, name)})")


def npm_packages(folder: Path, script: str) -> None:
    """Install the pinned packages of tests/oracles into a folder, beside a copy of the script that uses them."""
    npm = program("npm")
    for name in ("package.json", "package-lock.json", script):
        shutil.copy(ORACLES / name, folder / name)
    # npm keeps what it fetched in its own cache; the lock file pins version and integrity.
    command = [npm, "ci", "--silent", "--no-audit", "--no-fund", "--prefer-offline"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=180, check=False)
    if done.returncode:
        missing(f"packages of tests/oracles (`npm ci` must reach its registry: {done.stderr.strip()[-200:]})")


def missing(what: str) -> NoReturn:
    """Skip the test, or fail it in CI. `what`: what is not there, and in brackets how to get it."""
    if in_ci():
        pytest.fail(f"CI must have {what}", pytrace=False)
    pytest.skip(MISSING + what)


def summary(reasons: Iterable[str]) -> str | None:
    """One line that names what skipped tests did not find, and how to get it; None where nothing was missing."""
    found = sorted({reason.partition(MISSING)[2] for reason in reasons if MISSING in reason})
    return f"{MISSING}{'; '.join(found)}" if found else None
