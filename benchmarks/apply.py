"""Apply to a fast local server, beside the plain loop that people write instead: httpx, `json.dumps`, and no ledger.

Two comparisons. The sending: people made by arithmetic, sent by both; ours with a durable ledger. The whole run: one command
over one CSV file, our re-plan included, beside a script that reads the file and posts. The server is a process of its own that
answers as soon as it has read a request.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from figures import Figure, arguments, grows, interleaved, judged, process, report, said
from plan import NOTIFICATION, PROJECT, write_people
from sink import sink

HERE = Path(__file__).parent
FLAT = 1.1
"""A sending of ten times as many may hold so much of the memory: what an allocator does by itself is less."""


def main() -> None:
    parser = arguments(__doc__ or "", rounds=3)
    parser.add_argument("--rows", type=int, help="people in one run")
    given = parser.parse_args()
    rows = given.rows or (1_000_000 if given.size == "full" else 5_000)
    with sink() as port, tempfile.TemporaryDirectory(prefix="notifyctl-apply-") as folder:
        os.environ["XDG_STATE_HOME"] = f"{folder}/state"
        os.environ["SERVICE_KEY"] = "benchmark"
        figures = list(sending(rows, port, given.rounds, growth=grows(given)))
        figures += whole(Path(folder), rows, port, given.rounds)
        report(figures, given.json)


def sending(rows: int, port: int, rounds: int, *, growth: bool) -> Iterator[Figure]:
    ours, loop = sender("ours", rows, port), sender("loop", rows, port)
    spent: dict[str, list[float]] = {"ours": [], "loop": []}

    def timed(name: str, command: list[str]) -> None:
        spent[name].append(float(said(command).split()[0]))

    interleaved(
        rounds, {"ours": lambda: timed("ours", ours), "loop": lambda: timed("loop", loop)}, warm=False
    )
    mine, theirs = (sorted(spent[name])[rounds // 2] for name in ("ours", "loop"))
    detail = f"loop {theirs:.2f} s, notifyctl {mine:.2f} s, {rows / mine:,.0f} people/s"
    yield judged(f"sending {rows:,}, ledger durable", theirs / mine, ">= 1", detail=detail)
    if growth:
        yield growing(rows, port)


def growing(rows: int, port: int) -> Figure:
    """From a hundredth of the rows to ten times as many, each once, ours and the loop in turn."""
    sizes = (rows // 100, rows // 10, rows, 10 * rows)
    ours = {size: [float(part) for part in said(sender("ours", size, port)).split()] for size in sizes}
    theirs = {size: float(said(sender("loop", size, port)).split()[0]) for size in sizes}
    small, large = ours[rows][2], ours[10 * rows][2]
    return judged(
        f"memory of sending {10 * rows:,} by {rows:,}",
        large / small,
        f"<= {FLAT}",
        detail=f"{large:.0f} MiB by {small:.0f} MiB",
        lines={
            "notifyctl, sending": [(size, each[0]) for size, each in ours.items()],
            "httpx + json.dumps, sending": list(theirs.items()),
        },
    )


def whole(folder: Path, rows: int, port: int, rounds: int) -> Iterator[Figure]:
    root = folder / "whole"
    root.mkdir()
    (root / "notifyctl.yaml").write_text(
        PROJECT.replace("http://127.0.0.1:9/", f"http://127.0.0.1:{port}/")
        + "    limits: {tps: 10000000, concurrency: 4}\n"
    )
    (root / "outage.yaml").write_text(NOTIFICATION)
    write_people(root / "people.csv", rows)
    command = [sys.executable, "-m", "notifyctl", "-C", str(root)]
    subprocess.run([*command, "ledger", "init"], check=True, capture_output=True)
    digest = json.loads(said([*command, "plan", "--format", "json"]))["digest"]
    kept = (root / ".notifyctl").rename(folder / "empty")
    marks = (folder / "state").rename(folder / "marks")

    def afresh() -> None:
        """The ledger as it was before anything was sent: made anew, because copies of a ledger are refused."""
        for source, target in ((kept, root / ".notifyctl"), (marks, folder / "state")):
            subprocess.run(["rm", "-rf", str(target)], check=True)
            subprocess.run(["cp", "-a", str(source), str(target)], check=True)

    runs = {
        "notifyctl": process(*command, "apply", "--expect", digest),
        "loop": process(sys.executable, HERE / "apply_by_loop.py", str(port), root / "people.csv"),
    }
    times = interleaved(rounds, runs, before={"notifyctl": afresh}, warm=rows < 10**6)
    detail = f"loop {times['loop']:.2f} s, notifyctl {times['notifyctl']:.2f} s"
    yield judged(
        f"the whole apply of {rows:,}, re-plan included",
        times["loop"] / times["notifyctl"],
        ">= 0.8",
        detail=detail,
    )


def sender(kind: str, rows: int, port: int) -> list[str]:
    return [sys.executable, str(HERE / "apply_phase.py"), kind, str(rows), str(port)]


if __name__ == "__main__":
    main()
