"""Does the suite notice a small change anywhere? Changes code by fixed operators, sampled by a seed, and runs the tests.

    python tests/rig/operators.py [--count 60] [--seed 16] [--part 1/1] [--list] [FILE…]

Prints the table of docs/explanation/mutants.md; exits 1 when a change is not noticed. What changes nothing that anybody can observe stands in EQUIVALENT, with
the reason. The hand-made mutants of the send protocol are in mutants.py.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from mutants import ROOT, Mutant, say, tried  # type: ignore[import-not-found]  # beside this file

TESTS: dict[str, tuple[str, ...]] = {
    "notifyctl/apply/run.py": ("tests/unit/apply/test_run.py", "tests/unit/apply", "tests/functional/test_suppressions.py", "tests/rig/test_protocol_machine.py"),
    "notifyctl/apply/batches.py": ("tests/unit/apply/test_batches.py", "tests/unit/apply", "tests/functional/test_seed_samples.py"),
    "notifyctl/apply/outcomes.py": ("tests/unit/apply/test_run.py", "tests/unit/apply", "tests/contracts/test_provider.py"),
    "notifyctl/apply/retries.py": ("tests/unit/apply/test_run.py", "tests/unit/apply", "tests/rig/test_protocol_machine.py"),
    "notifyctl/ledger/writer.py": ("tests/unit/ledger/test_store.py", "tests/contracts/test_ledger.py", "tests/contracts/test_ledger_events.py", "tests/contracts", "tests/unit/ledger"),
    "notifyctl/ledger/sqlite/high_water.py": ("tests/unit/ledger/test_high_water.py", "tests/unit/ledger", "tests/functional/test_ledger_safety.py"),
    "notifyctl/ledger/journal.py": ("tests/unit/ledger/test_store.py", "tests/unit/ledger", "tests/rig/test_protocol_machine.py", "tests/contracts"),
    "notifyctl/ledger/reader.py": ("tests/unit/ledger/test_store.py", "tests/contracts/test_ledger.py", "tests/contracts", "tests/unit/ledger", "tests/unit/plan"),
    "notifyctl/plan/actions.py": ("tests/unit/plan/test_actions.py", "tests/unit/plan", "tests/functional/test_editions.py"),
    "notifyctl/plan/statuses.py": ("tests/unit/plan/test_statuses.py", "tests/unit/plan", "tests/contracts", "tests/functional/test_settling.py"),
    "notifyctl/plan/thresholds.py": ("tests/unit/plan", "tests/functional/test_rejected_rows.py", "tests/functional/test_editions.py"),
    "notifyctl/plan/saved.py": ("tests/functional/test_saved_plan.py", "tests/unit/plan"),
    "notifyctl/app/apply.py": ("tests/functional/test_confirmation.py", "tests/functional/test_saved_plan.py", "tests/unit/app"),
    "notifyctl/app/opt_outs.py": ("tests/functional/test_suppressions.py", "tests/functional/test_outputs.py", "tests/unit/app", "tests/unit/apply"),
    "notifyctl/audience/suppressions.py": ("tests/unit/audience/test_suppressions.py", "tests/unit/audience", "tests/functional/test_suppressions.py"),
    "notifyctl/app/receipts/recorder.py": ("tests/functional/test_settling.py", "tests/functional/test_receipt_server.py", "tests/functional/test_receipt_loop.py"),
    "notifyctl/providers/webexconnect/receipts.py": ("tests/functional/test_settling.py", "tests/functional/test_receipt_server.py", "tests/functional/test_receipt_loop.py"),
    "notifyctl/providers/webexconnect/responses.py": ("tests/unit/providers/webexconnect/test_responses.py", "tests/unit/providers", "tests/contracts/test_provider.py"),
    "notifyctl/schedule/timing.py": ("tests/unit/schedule/test_timing.py", "tests/unit/schedule", "tests/unit/plan"),
    "notifyctl/schedule/zones.py": ("tests/unit/schedule/test_timing.py", "tests/unit/schedule"),
}  # fmt: skip
"""File of apply, ledger, plan, suppressions, receipts or schedule → the tests that must notice a change, likeliest first."""

EQUIVALENT: dict[tuple[str, str, str], str] = {
    ("notifyctl/app/opt_outs.py", "off by one", "fresh = now if abs(now - max(status.st_mtime, status.st_ctime)) < TICK else 0"): (
        "it only makes a list be read once more, when a change is exactly TICK old"
    ),
    ("notifyctl/audience/suppressions.py", "negate", "if TYPE_CHECKING:"): "only type checkers read it",
    ("notifyctl/schedule/zones.py", "off by one", "if change <= timedelta():"): (
        "without a change the times that it skips are none: from a reading until the same one"
    ),
}  # fmt: skip
"""(file, operator, source line) of changes that nobody can observe → why."""

BOUNDS = {ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">"}
OUTCOMES = {"ACCEPTED": "REJECTED", "REJECTED": "UNKNOWN", "UNKNOWN": "ACCEPTED"}


@dataclass(frozen=True, slots=True)
class Change:
    """One change: in `file`, `line` as it stands, and where in the text `old` becomes `new`."""

    file: str
    operator: str
    number: int
    line: str
    start: int
    old: str
    new: str

    @property
    def mutant(self) -> Mutant:
        """As a mutant whose edit is the whole file, because a line may stand in it twice."""
        source = (ROOT / self.file).read_text(encoding="utf-8")
        return Mutant(
            f"{self.file}:{self.number}",
            self.operator,
            ((self.file, source, source[: self.start] + self.new + source[self.start + len(self.old) :]),),
            TESTS[self.file],
        )


def find_changes(file: str) -> Iterator[Change]:
    """Every place of a file to which an operator applies, in its order."""
    source = (ROOT / file).read_text(encoding="utf-8")
    lines = source.splitlines(keepends=True)

    def change(operator: str, node: ast.expr | ast.stmt, new: str) -> Change:
        old = ast.get_source_segment(source, node)
        assert old is not None
        before = lines[node.lineno - 1].encode()[: node.col_offset].decode()
        start = sum(map(len, lines[: node.lineno - 1])) + len(before)
        return Change(file, operator, node.lineno, lines[node.lineno - 1].strip(), start, old, new)

    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.If, ast.IfExp, ast.While)):
            yield change("negate", node.test, f"(not ({ast.unparse(node.test)}))")
        elif isinstance(node, ast.comprehension):
            for test in node.ifs:
                yield change("negate", test, f"(not ({ast.unparse(test)}))")
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield change("drop a call", node, "None")
        elif (
            isinstance(node, ast.Attribute)
            and node.attr in OUTCOMES
            and ast.unparse(node.value).endswith("Outcome")
        ):
            yield change("swap outcomes", node, f"{ast.unparse(node.value)}.{OUTCOMES[node.attr]}")
        elif (
            isinstance(node, ast.Return)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, bool)
        ):
            yield change("swap outcomes", node.value, str(not node.value.value))
        elif isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in BOUNDS:
            left, right = ast.unparse(node.left), ast.unparse(node.comparators[0])
            yield change("off by one", node, f"({left} {BOUNDS[type(node.ops[0])]} {right})")


def sample(files: list[str], count: int, seed: int) -> list[Change]:
    """`count` changes, as evenly over files and operators as they have places.

    Drawn by a hash of what changes, so that an edit elsewhere leaves the others in the sample.
    """

    def lot(*words: str) -> bytes:
        return sha256("\0".join([str(seed), *words]).encode()).digest()

    places: dict[tuple[str, str], list[Change]] = {}
    for file in files:
        for each in find_changes(file):
            if (file, each.operator, each.line) not in EQUIVALENT:
                places.setdefault((file, each.operator), []).append(each)
    for stack in places.values():
        stack.sort(key=lambda each: lot(each.file, each.operator, each.line, each.old))
    stacks = [stack for place, stack in sorted(places.items(), key=lambda item: lot(*item[0]))]
    chosen: list[Change] = []
    while len(chosen) < count and any(stacks):
        chosen += [stack.pop() for stack in stacks if stack]
    return sorted(chosen[:count], key=lambda each: (each.file, each.number, each.operator))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=16)
    parser.add_argument(
        "--part", default="1/1", metavar="N/OF", help="try every OF-th of them, from the N-th on"
    )
    parser.add_argument("--list", action="store_true", help="list the changes, and try none")
    parser.add_argument("files", nargs="*", default=sorted(TESTS), metavar="FILE")
    asked = parser.parse_args()
    survivors = 0
    part, parts = map(int, asked.part.split("/"))
    changes = sample(asked.files, asked.count, asked.seed)[part - 1 :: parts]
    everything = tuple(dict.fromkeys(test for each in changes for test in TESTS[each.file]))
    if not asked.list and (red := tried(None, everything)) is not None:
        say("nothing", "", "", f"RED: {red}")
        return 1
    for each in changes:
        why = None if asked.list else tried(each.mutant, each.mutant.tests)
        survivors += why is None
        survived = f"SURVIVED: {each.file}:{each.number}, {each.new}"
        verdict = "" if asked.list else survived if why is None else f"killed by `{why.split(' - ')[0]}`"
        source = each.line.partition("  # ")[0].replace("|", "\\|")
        say(f"`{each.file.removeprefix('notifyctl/')}`", each.operator, f"`{source}`", verdict)
    if asked.list:
        return 0
    sys.stdout.write(f"{len(changes) - survivors} of {len(changes)} killed\n")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
