"""How long a command takes that does almost nothing: what a pre-commit hook costs on one small file.

    python benchmarks/startup.py [--rounds 9] [--size small|full] [--json FILE]

Measures wall time of whole processes and prints ratios; see README.md beside this file for how to read them.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from figures import Figure, arguments, interleaved, judged, process, report

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "schemas" / "notifyctl.json"

BARE = "python -c pass"
HELP, LINT = "notifyctl --help", "notifyctl lint FILE"
YAMLLINT, SCHEMATIC = "yamllint FILE", "check-jsonschema FILE"

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
    given = arguments(__doc__.splitlines()[0], rounds=9).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runs = commands(write_project(Path(folder)))
        medians = interleaved(given.rounds, {name: process(*words) for name, words in runs.items()})
    print(table(medians, given.rounds))
    report(figures(medians), given.json)


def write_project(folder: Path) -> Path:
    """The smallest project there is; returns the one file that every linter gets."""
    (folder / "notifyctl.yaml").write_text(PROJECT, encoding="utf-8")
    file = folder / "hello.yaml"
    file.write_text(NOTIFICATION, encoding="utf-8")
    return file


def commands(file: Path) -> dict[str, Sequence[str]]:
    return {
        BARE: [sys.executable, "-c", "pass"],
        "notifyctl --version": [executable("notifyctl"), "--version"],
        HELP: [executable("notifyctl"), "--help"],
        LINT: [executable("notifyctl"), "lint", str(file)],
        YAMLLINT: [executable("yamllint"), "-d", "relaxed", str(file)],
        SCHEMATIC: [executable("check-jsonschema"), "--schemafile", str(SCHEMA), str(file)],
    }


def executable(name: str) -> str:
    """The command beside this Python, so that all are measured in the same environment; else the one on the PATH."""
    found = shutil.which(name, path=Path(sys.executable).parent) or shutil.which(name)
    if found is None:
        sys.exit(
            f"{name} is not installed; `pip install -e '.[dev,bench]'` in {ROOT} installs all that is measured"
        )
    return found


def figures(medians: Mapping[str, float]) -> list[Figure]:
    def against(goal: str, one: str, other: str, wanted: str) -> Figure:
        detail = f"{one} {medians[one] * 1000:.0f} ms, {other} {medians[other] * 1000:.0f} ms"
        return judged(goal, medians[one] / medians[other], wanted, detail=detail)

    return [
        against("Start: --help, of python -c pass", HELP, BARE, "<= 4.5"),
        against("Lint of one file, of yamllint", LINT, YAMLLINT, "<= 1.0"),
        against("Lint of one file, of check-jsonschema", LINT, SCHEMATIC, "<= 0.4"),
    ]


def table(medians: Mapping[str, float], rounds: int) -> str:
    lines = [
        f"Medians of {rounds} interleaved rounds, wall time of the whole process, Python {sys.version.split()[0]}",
        "",
        f"{'command':<26}{'ms':>8}{'x python':>10}{'x check-jsonschema':>20}",
    ]
    for name, median in medians.items():
        to_bare, to_peer = median / medians[BARE], median / medians[SCHEMATIC]
        lines.append(f"{name:<26}{median * 1000:>8.1f}{to_bare:>10.2f}{to_peer:>20.2f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
