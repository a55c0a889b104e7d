"""Tools that people use today for the same job: mailmerge for a dry run of e-mails, Apprise for sending.

    python benchmarks/peers.py [--rounds 3] [--size small|full] [--installation DIR] [--json FILE]

Whole processes over the same people. mailmerge prints each message; `notifyctl plan` composes and checks each one, hashes what
its reader notices and counts them. Apprise posts one message a request to a server on this machine; `notifyctl plan` and
`apply` post up to a thousand in one, to the same server, and write a durable ledger, from making the ledger to the end.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

from figures import Figure, arguments, interleaved, process, report, unjudged
from installation import Installation, installation

SIZES = {"small": 50, "full": 5_000}
"""People."""
PROJECT = """\
apiVersion: notifyctl/v1
kind: Project
name: peers
defaultEnvironment: local
environments:
  local:
    provider: webexconnect
    endpoint: http://127.0.0.1:{port}/v2/messages
    auth: {{serviceKeyEnv: PEERS_KEY}}
    senders: {{email: alerts@acme.example}}
    limits: {{tps: 100000}}
"""
NOTIFICATION = """\
apiVersion: notifyctl/v1
kind: Notification
name: outage
template:
  channel: email
  content:
    type: text
    subject: The supply in $(area)
    text: Hello $(name), the supply in $(area) is interrupted. We are sorry.
audience: {source: {file: people.csv}, columns: {email: email}}
"""
MAILMERGE = """\
TO: {{email}}
SUBJECT: The supply in {{area}}
FROM: alerts@acme.example

Hello {{name}}, the supply in {{area}} is interrupted. We are sorry.
"""
APPRISE = """\
import csv, sys, apprise
sender = apprise.Apprise()
sender.add(f"json://127.0.0.1:{sys.argv[2]}/")
with open(sys.argv[1], newline="") as stream:
    for row in csv.DictReader(stream):
        text = "Hello {name}, the supply in {area} is interrupted. We are sorry.".format_map(row)
        if not sender.notify(title="The supply in " + row["area"], body=text):
            sys.exit("not sent")
"""


def main() -> None:
    given = arguments(__doc__.splitlines()[0], rounds=3).parse_args()
    people = SIZES[given.size]
    with installation(given.installation) as tools, tempfile.TemporaryDirectory() as name, server() as port:
        folder = Path(name)
        os.environ["XDG_STATE_HOME"] = str(folder / "state")
        write(folder, people, port)
        medians = interleaved(given.rounds, runs(folder, tools, port))
    for what, seconds in medians.items():
        print(f"{what:<28}{seconds:>8.2f} s {people / seconds:>10.0f} people/s")
    report([figure(medians, *pair, people=people) for pair in PAIRS], given.json)


PAIRS = (
    ("Plan of {people:,} e-mails, against mailmerge --dry-run", "mailmerge --dry-run", "notifyctl plan"),
    ("Plan and apply of {people:,} e-mails, against Apprise", "Apprise", "notifyctl plan, apply"),
)


def figure(medians: dict[str, float], goal: str, peer: str, ours: str, *, people: int) -> Figure:
    """How many times as fast as the peer; nobody set a goal."""
    detail = f"{peer} {medians[peer]:.2f} s, {ours} {medians[ours]:.2f} s, whole processes"
    return unjudged(goal.format(people=people), medians[peer] / medians[ours], detail=detail)


def write(folder: Path, people: int, port: int) -> None:
    (folder / "notifyctl.yaml").write_text(PROJECT.format(port=port), encoding="utf-8")
    (folder / "outage.yaml").write_text(NOTIFICATION, encoding="utf-8")
    (folder / "template.txt").write_text(MAILMERGE, encoding="utf-8")
    (folder / "server.conf").write_text("[smtp_server]\nhost = 127.0.0.1\nport = 25\n", encoding="utf-8")
    rows = (f"person{number}@acme.example,Person {number},Area {number % 100}\n" for number in range(people))
    (folder / "people.csv").write_text("email,name,area\n" + "".join(rows), encoding="utf-8")


def runs(folder: Path, tools: Installation, port: int) -> dict[str, Callable[[], object]]:
    os.environ["PEERS_KEY"] = "of-no-account"
    ours = [tools.command("notifyctl"), "-C", str(folder)]
    mailmerge = [tools.command("mailmerge"), "--no-limit", "--dry-run", "--output-format", "raw"]
    for option, file in (("template", "template.txt"), ("database", "people.csv"), ("config", "server.conf")):
        mailmerge += [f"--{option}", str(folder / file)]

    def plan_and_apply() -> None:
        rmtree(folder / ".notifyctl", ignore_errors=True)
        rmtree(folder / "state", ignore_errors=True)  # or the ledger of before would be missed
        process(*ours, "ledger", "init")()
        done = subprocess.run([*ours, "plan", "--format", "json"], check=True, capture_output=True)
        process(*ours, "apply", "--expect", json.loads(done.stdout)["digest"])()

    return {
        "mailmerge --dry-run": process(*mailmerge),
        "notifyctl plan": process(*ours, "plan", "--offline"),
        "Apprise": process(tools.python, "-c", APPRISE, folder / "people.csv", str(port)),
        "notifyctl plan, apply": plan_and_apply,
    }


# -- The server -----------------------------------------------------------------------------------------------------


@contextmanager
def server() -> Iterator[int]:
    """A process of its own that takes whatever is posted; its port."""
    started = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    try:
        yield int(started.stdout.readline())
    finally:
        started.terminate()
        started.wait()
        started.stdout.close()


async def serve() -> None:
    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(listening.sockets[0].getsockname()[1], flush=True)
    async with listening:
        await listening.serve_forever()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    body = b'{"messageId": "m-1", "status": "queued"}'
    head = f"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    try:
        while True:
            asked = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = asked.partition(b"content-length:")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length or b"0"))
            writer.write(head.encode() + body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        asyncio.run(serve())
    else:
        main()
