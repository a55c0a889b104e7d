"""How long a command takes that does almost nothing: what a pre-commit hook costs on one small file.

    python benchmarks/startup.py [--rounds 9]

Measures wall time of whole processes and prints ratios; see README.md beside this file for how to read them.
It owns no thresholds and judges nothing.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "schemas" / "notifyctl.json"
MOST_ROUNDS = 99

BARE = "python -c pass"
PEER = "check-jsonschema FILE"

PROJECT = """\
apiVersion: notifyctl/v1
kind: Project
name: startup
environments:
  sandbox: {provider: sandbox, senders: {sms: ACME}}
"""
NOTIFICATION = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: Hello $(name)}}
audience: {recipients: [{msisdn: "+447700900123", substitutions: {name: Ada}}]}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the start-up of notifyctl against its peers.")
    parser.add_argument("--rounds", type=int, default=9, help=f"1 to {MOST_ROUNDS}; 9 unless told")
    rounds = parser.parse_args().rounds
    if not 1 <= rounds <= MOST_ROUNDS:
        parser.error(f"--rounds is 1 to {MOST_ROUNDS}")
    with tempfile.TemporaryDirectory() as folder:
        file = write_project(Path(folder))
        times = measure(commands(file), rounds)
    print(table(times, rounds))


def write_project(folder: Path) -> Path:
    """The smallest project there is; returns the one file that every linter gets."""
    (folder / "notifyctl.yaml").write_text(PROJECT, encoding="utf-8")
    file = folder / "hello.yaml"
    file.write_text(NOTIFICATION, encoding="utf-8")
    return file


def commands(file: Path) -> dict[str, list[str]]:
    return {
        BARE: [sys.executable, "-c", "pass"],
        "notifyctl --version": [executable("notifyctl"), "--version"],
        "notifyctl lint FILE": [executable("notifyctl"), "lint", str(file)],
        PEER: [executable("check-jsonschema"), "--schemafile", str(SCHEMA), str(file)],
    }


def executable(name: str) -> str:
    """The command beside this Python, so that all are measured in the same environment; else the one on the PATH."""
    found = shutil.which(name, path=Path(sys.executable).parent) or shutil.which(name)
    if found is None:
        sys.exit(
            f"{name} is not installed; `pip install -e '.[dev]'` in {ROOT} installs all that is measured"
        )
    return found


def measure(runs: Mapping[str, Sequence[str]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each run. Rounds are interleaved, so that whatever else the machine does falls on all alike."""
    for command in runs.values():
        refuse_failing(command)  # also the warm-up: byte code is compiled and files are in the cache after it
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, command in runs.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            times[name].append(time.perf_counter() - start)
    return times


def refuse_failing(command: Sequence[str]) -> None:
    """A command that fails early would look fast."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{(done.stdout + done.stderr)[:2000]}")


def table(times: Mapping[str, Sequence[float]], rounds: int) -> str:
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    lines = [
        f"Medians of {rounds} interleaved rounds, wall time of the whole process, Python {sys.version.split()[0]}",
        "",
        f"{'command':<24}{'ms':>8}{'fastest':>9}{'x python':>10}{'x check-jsonschema':>20}",
    ]
    for name, median in medians.items():
        fastest = min(times[name]) * 1000
        to_bare, to_peer = median / medians[BARE], median / medians[PEER]
        lines.append(f"{name:<24}{median * 1000:>8.1f}{fastest:>9.1f}{to_bare:>10.2f}{to_peer:>20.2f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
