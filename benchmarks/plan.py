"""Plan of a large audience against a large ledger, beside a tuned script of the standard library that finds out the same.

Makes an audience of dirty rows and a ledger of ten times as many keys, half of the audience among them, with the product's
own writer. Needs some gigabytes of disk at the full size; everything is made in a temporary folder.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from figures import Figure, arguments, grows, interleaved, judged, peak_memory, process, report, said

from notifyctl.clock import SystemClock
from notifyctl.ledger.high_water import Marks
from notifyctl.ledger.store import SqliteStore
from notifyctl.message import DeliveryHash
from notifyctl.model.batch import Accepted
from notifyctl.model.message import Message
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import Scope

TEXT = "Hi $(name), there is an outage in your area $(area) for the next $(value)."
PROJECT = """\
apiVersion: notifyctl/v1
kind: Project
name: big
defaultEnvironment: production
policy: {maxRecipients: 100000000, maxGrowthPercent: 1000000}
environments:
  production:
    provider: webexconnect
    endpoint: http://127.0.0.1:9/v2/messages
    auth: {serviceKeyEnv: SERVICE_KEY}
    senders: {sms: CNNECT}
"""
NOTIFICATION = f"""\
apiVersion: notifyctl/v1
kind: Notification
name: outage
template: {{channel: sms, content: {{type: text, text: "{TEXT}"}}}}
joiners: send
audience: {{source: {{file: people.csv}}, columns: {{msisdn: phone}}, substitutions: {{name: name, area: area, value: value}}}}
"""
SCOPE = Scope("outage", 1, "once", ChannelName.SMS)
FIRST_NAMES = (
    "Ada",
    "Grace",
    "Edsger",
    "Barbara",
    "Alan",
    "Katherine",
    "Linus",
    "Margaret",
    "Donald",
    "Radia",
)
PER_BATCH = 1000
ACTIONS = ("send-new", "unchanged", "changed-after-send", "suppressed")


def number(person: int) -> str:
    """Spread over the list, as real numbers are. The calling code is given to no country."""
    return f"+990{person * 7919 % 1_000_000_007:010}"


def values(person: int) -> tuple[str, str, str]:
    return (
        f"{FIRST_NAMES[person % 10]}{person % 9973}",
        f"EC{person % 97}M {person % 9}AB",
        f"{person % 24} hours",
    )


def write_people(path: Path, rows: int) -> None:
    """One row in a hundred is a duplicate, one in two hundred has no sound number."""
    with path.open("w", encoding="utf-8") as file:
        file.write("phone,name,area,value,mail,remark\n")
        for row in range(rows):
            person = row - 1 if row % 100 == 99 else row
            phone = "unknown" if row % 200 == 50 else number(person)
            name, area, value = values(person)
            file.write(f"{phone},{name},{area},{value},reader{person}@reader.example,\n")


def write_ledger(root: Path, keys: int, rows: int) -> None:
    """`keys` accepted people, among them the first half of the audience, with the texts they would get now."""
    message = Message(
        ChannelName.SMS,
        "CNNECT",
        content={"type": "text", "text": TEXT},
        names=("area", "name", "value"),
    )
    hashes = DeliveryHash(message)
    store = SqliteStore(
        root / ".notifyctl" / "production.db", clock=SystemClock(), marks=Marks(root / "marks")
    )
    store.create()
    now = datetime(2026, 11, 1, tzinfo=UTC)
    with store.writer("benchmark") as writer:
        for start in range(0, keys, PER_BATCH):
            # Everybody else has a number that no row of the audience has.
            known = (
                range(start, start + PER_BATCH)
                if start < rows // 2
                else range(start + rows, start + rows + PER_BATCH)
            )
            ids = writer.recipient_ids([number(person) for person in known])
            members = b"".join(
                recipient + hashes.of((area, name, value))[:12]
                for recipient, (name, area, value) in zip(ids, map(values, known), strict=True)
            )
            [batch] = writer.plan_batches(SCOPE, [members], at=now)
            writer.arm(batch, 1, seal=bytes(16), at=now)
            writer.settle(batch, 1, Accepted(f"m{batch}", 202), at=now)
        writer.open_scope(SCOPE, b"", at=now)


def project(folder: Path, rows: int, keys: int) -> Path:
    root = folder / str(rows)
    root.mkdir()
    (root / "notifyctl.yaml").write_text(PROJECT)
    (root / "outage.yaml").write_text(NOTIFICATION)
    write_people(root / "people.csv", rows)
    write_ledger(root, keys, rows)
    os.sync()  # else the disk still writes a gigabyte while the first run is measured
    return root


def command(root: Path) -> list[str]:
    return [sys.executable, "-m", "notifyctl", "-C", str(root), "plan", "--format", "json"]


def script(root: Path) -> list[str]:
    return [sys.executable, str(Path(__file__).with_name("plan_by_script.py")), str(root)]


def limits(root: Path) -> float:
    """Seconds that the steps of a plan take one by one, each in the fastest way that is known."""
    steps = [sys.executable, str(Path(__file__).with_name("plan_by_steps.py")), str(root)]
    return sum(json.loads(said(steps)).values())


GROWTH = (10_000, 100_000, 10_000_000)
"""Rows of further audiences, beside the million."""
MOST_KEYS = 10_000_000
"""Of a ledger, which otherwise has ten times as many as the audience has rows."""


def main() -> None:
    parser = arguments(__doc__ or "", rounds=3)
    parser.add_argument("--rows", type=int, help="of the audience; the ledger has ten times as many keys")
    given = parser.parse_args()
    rows = given.rows or (1_000_000 if given.size == "full" else 20_000)
    folder = Path(tempfile.mkdtemp(prefix="notifyctl-plan-"))
    os.environ["XDG_STATE_HOME"] = str(folder / "state")
    try:
        figures = list(measured(folder, rows, given.rounds))
        if grows(given):
            figures += growth(folder, rows)
        report(figures, given.json)
    finally:
        shutil.rmtree(folder)


def measured(folder: Path, rows: int, rounds: int) -> Iterator[Figure]:
    keys = 10 * rows
    root = project(folder, rows, keys)
    agree(root)
    sums: list[float] = []
    runs = {
        "notifyctl": process(*command(root)),
        "script": process(*script(root)),
        "steps": lambda: sums.append(limits(root)),
    }
    times = interleaved(rounds, runs, warm=rows < 10**6)
    ratio = times["script"] / times["notifyctl"]
    detail = f"script {times['script']:.2f} s, notifyctl {times['notifyctl']:.2f} s"
    yield judged(f"plan of {rows:,} against {keys:,} sent keys", ratio, ">= 3", detail=detail)
    steps = statistics.median(sums)
    yield judged(
        f"plan of {rows:,} by the sum of its steps' limits",
        times["notifyctl"] / steps,
        "<= 1.5",
        detail=f"steps {steps:.2f} s, notifyctl {times['notifyctl']:.2f} s",
    )


def growth(folder: Path, rows: int) -> Iterator[Figure]:
    """From ten thousand rows to ten million, each size once and once before, ours and the script in turn. Memory that a machine
    has not had in use for a while is slower for the first who gets it.
    """
    ours: dict[int, float] = {}
    theirs: dict[int, float] = {}
    memory = 0
    for size in sorted({*GROWTH, rows}):
        root = folder / str(size)
        if not root.exists():
            project(folder, size, min(10 * size, MOST_KEYS))
        peak_memory(command(root))
        ours[size], memory = peak_memory(command(root))
        theirs[size], _ = peak_memory(script(root))
        if size != rows:
            shutil.rmtree(root)
    most = max(ours)
    yield judged(
        f"plan of {most:,} by the time of {rows:,}",
        ours[most] / ours[rows],
        "<= 10",
        detail=f"{ours[most]:.1f} s by {ours[rows]:.2f} s",
        lines={"notifyctl plan": list(ours.items()), "the script of plan": list(theirs.items())},
    )
    yield judged(f"peak memory of a plan of {most:,}", memory / 2**20, "<= 1536", unit="MiB")


def agree(root: Path) -> None:
    """Both find the same, or the comparison says nothing."""
    plan = json.loads(said(command(root)))["notifications"][0]
    mine = {
        "rejected": plan["audience"]["rejected_rows"],
        "segments": plan["segments"],
        "texts": plan["texts"],
        **{name: plan["actions"].get(name, 0) for name in ACTIONS},
    }
    theirs = json.loads(said(script(root)))
    if mine != theirs:
        sys.exit(f"they do not agree: {mine} and {theirs}")


if __name__ == "__main__":
    main()
