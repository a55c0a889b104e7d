"""Does the suite go red when the protocol is broken? Breaks it in one way after the other, in a copy, and runs the rig.

    python tests/rig/mutants.py [--all] [NAME…]

Prints a table; exits 1 when a mutant survives, or when the copy that nothing was done to is not green. Without --all only
the quick ones are tried.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOOP = "tests/rig/test_crash_loop.py"
LIES = "tests/rig/test_lying_providers.py"
KILLED, OVERTAKEN = f"{LOOP}::test_killed_at_every_point", f"{LOOP}::test_paused_at_a_point_and_overtaken"
FULL, RECOVERING = (
    f"{LOOP}::test_without_room_on_the_disk_at_a_point",
    f"{LOOP}::test_killed_and_killed_again_while_recovering",
)
LIE, REFUSAL = (
    f"{LIES}::test_a_lie_is_seen_through",
    f"{LIES}::test_a_refusal_of_the_credentials_stops_within_the_requests_in_flight",
)
TESTS = (KILLED, OVERTAKEN, FULL, RECOVERING, LIE, REFUSAL)
"""What the unbroken copy must pass, and each mutant some of."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """`old` stands exactly once in `file` and becomes `new`. `breaks`: the promise. `tests` are those that must go red."""

    name: str
    breaks: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    quick: bool = False


RUN, WRITER = "notifyctl/apply/run.py", "notifyctl/ledger/writer.py"
DATABASE = "notifyctl/ledger/database.py"
ANSWERS, CLIENT = "notifyctl/providers/webexconnect/answers.py", "notifyctl/providers/webexconnect/client.py"
STANDING = "notifyctl/plan/standing.py"
ARM = "            self._writer.arm(attempt.number, attempt.attempt, seal=seal, at=self._clock.now())\n"
ARM_ROW = '"INSERT INTO attempt VALUES (?, ?, ?, ?, ?)", number, attempt, self._epoch, stamp(at), seal\n            )\n'

MUTANTS = (
    Mutant(
        "ARM after POST",
        "P2",
        RUN,
        ARM,
        "            self._provider.send(self._provider.prepare(self._job.batch(attempt.part, attempt.number,"
        " attempt.attempt, seal=seal)))\n" + ARM,
        (KILLED,),
    ),
    Mutant(
        "ARM recorded together with RESULT",
        "P2",
        RUN,
        "                self._answers.put((attempt, self._provider.send(request)))\n",
        "                outcome = self._provider.send(request)\n"
        "                self._writer.arm(attempt.number, attempt.attempt, seal=b'', at=self._clock.now())\n"
        "                self._answers.put((attempt, outcome))\n",
        (KILLED,),
    ),
    Mutant(
        "ARM's commit dropped",
        "P2",
        WRITER,
        ARM_ROW,
        ARM_ROW
        + "            self._database.run('ROLLBACK')\n            self._database.run('BEGIN IMMEDIATE')\n",
        (KILLED,),
        quick=True,
    ),
    Mutant(
        "a failed ARM is sent all the same",
        "P2",
        RUN,
        "            self._error = self._error or error\n            return False\n",
        "            self._error = self._error or error\n",
        (FULL,),
        quick=True,
    ),
    Mutant(
        "unknown is tried again by the same run",
        "P1",
        RUN,
        "        elif isinstance(outcome, Rejected) and outcome.retryable:\n",
        "        elif isinstance(outcome, Unknown) or (isinstance(outcome, Rejected) and outcome.retryable):\n",
        (LIE,),
        quick=True,
    ),
    Mutant(
        "unknown is sent again by the next run",
        "P1",
        STANDING,
        '    BatchState.UNKNOWN: "uncertain",\n',
        '    BatchState.UNKNOWN: "rejected",\n',
        (KILLED,),
    ),
    Mutant(
        "an armed batch of a predecessor is taken for never begun",
        "P4",
        WRITER,
        "\" SELECT batch, attempt, 'unknown', ?, ?, ? FROM attempt\"",
        "\" SELECT batch, attempt, 'rejected', ?, ?, ? FROM attempt\"",
        (KILLED,),
    ),
    Mutant(
        "predecessors are not swept, and armed says nothing",
        "P4",
        STANDING,
        '    BatchState.ARMED: "uncertain",\n',
        "",
        (OVERTAKEN,),
    ),
    Mutant(
        "the epoch is not compared",
        "P5",
        WRITER,
        "            if row is None or row[0] != self._epoch:\n",
        "            if row is None:\n",
        (OVERTAKEN,),
    ),
    Mutant(
        "500 is taken for a rejection",
        "P1",
        ANSWERS,
        "        case 4, _ if status not in AMBIGUOUS:\n",
        "        case (4 | 5), _ if status not in AMBIGUOUS:\n",
        (LIE,),
    ),
    Mutant(
        "a reset is taken for a rejection",
        "P1",
        CLIENT,
        "                return Unknown(deadline.reason or broken(error))\n",
        "                return Rejected(deadline.reason or broken(error))\n",
        (LIE,),
    ),
    Mutant(
        "an answer that cannot be read is taken for an acceptance",
        "P4",
        ANSWERS,
        '        return Unknown(f"the answer to the request cannot be read ({status})", status)\n',
        '        return Accepted("unread", status)\n',
        (LIE,),
    ),
    Mutant(
        "401 does not end the run",
        "P4",
        RUN,
        "            self._refused = self._refused or outcome.reason\n",
        "            pass\n",
        (REFUSAL,),
    ),
    Mutant(
        "a commit is not waited for",
        "P2",
        DATABASE,
        '                self.run("COMMIT")\n',
        '                self.run("COMMIT" if self.number("SELECT count(*) FROM attempt") % 2 else "ROLLBACK")\n',
        (KILLED,),
    ),
)


def tried(mutant: Mutant | None) -> tuple[bool, str]:
    """Whether the suite is green, and the first test that is not."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in ("notifyctl", "tests/rig"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "tests/conftest.py"):
            shutil.copy(ROOT / name, copy / name)
        if mutant is not None:
            broken = copy / mutant.file
            broken.write_text(mutated(broken.read_text(encoding="utf-8"), mutant), encoding="utf-8")
        tests = TESTS if mutant is None else mutant.tests
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "--no-header",
            "-p",
            "no:cacheprovider",
            *tests,
        ]
        environ = {**os.environ, "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        ended = subprocess.run(command, cwd=copy, env=environ, capture_output=True, text=True, check=False)
    failed = re.search(r"^(?:FAILED|ERROR) \S+::(\S+)(?: - (.*))?", ended.stdout, re.MULTILINE)
    assert ended.returncode in {0, 1}, ended.stdout + ended.stderr
    return ended.returncode == 0, f"{failed[1]}: {failed[2]}" if failed else ""


def mutated(source: str, mutant: Mutant) -> str:
    assert source.count(mutant.old) == 1, f"{mutant.name}: its line is not in {mutant.file} any more"
    return source.replace(mutant.old, mutant.new)


def main(arguments: list[str]) -> int:
    names = [argument for argument in arguments if argument != "--all"]
    chosen = [m for m in MUTANTS if (m.name in names if names else m.quick or "--all" in arguments)]
    green, why = tried(None)
    rows = [("nothing", "", "green" if green else f"RED: {why}")]
    for mutant in chosen:
        survived, why = tried(mutant)
        rows.append((mutant.name, mutant.breaks, "SURVIVED" if survived else f"killed by {why}"))
    for row in rows:
        sys.stdout.write(" | ".join(("", *row, "")).strip() + "\n")
    killed = sum(row[2].startswith("killed") for row in rows)
    sys.stdout.write(f"{killed} of {len(chosen)} killed\n")
    return 0 if green and killed == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
