"""The wheel of this checkout, installed with the peers into a virtual environment of its own: what every benchmark measures.

A user runs what pip installed, not a checkout: byte code is compiled, entry points are scripts, nothing is editable.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "schemas" / "notifyctl.json"


class Installation:
    """A virtual environment that holds notifyctl and the peers."""

    def __init__(self, folder: Path) -> None:
        # Absolute, but the link of a virtual environment's Python is not followed: it would lead out of it.
        self.folder = folder.absolute()
        self.python = str(self.folder / "bin" / "python")

    def command(self, name: str) -> str:
        """The path of an installed program. Ends the benchmark where it is missing."""
        path = self.folder / "bin" / name
        if not path.is_file():
            sys.exit(f"{name} is not in {self.folder}; without --installation a complete one is made")
        return str(path)


@contextmanager
def installation(folder: Path | None) -> Iterator[Installation]:
    """The environment in `folder`, or a new one that lives as long as the block."""
    if folder is not None:
        yield Installation(folder)
        return
    with tempfile.TemporaryDirectory(prefix="notifyctl-installed-") as name:
        yield install(Path(name))


def install(folder: Path) -> Installation:
    """Build the wheel and install it with the extra `bench` into a virtual environment below `folder`."""
    made = folder / "wheel"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(made), str(ROOT)], check=True)
    [wheel] = made.glob("*.whl")
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    target = ["--python", str(environment / "bin" / "python")]
    subprocess.run([*pip, *target, "install", f"{wheel}[bench]"], check=True)
    return Installation(environment)
