"""The rig: a project with a real ledger, real processes that can be killed, and an oracle.

The oracle reads the sink's own log. The ledger is only asked, through its port, what it believes; so any other ledger can
be put under the same tests.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from notifyctl.app.ledger import ledger_store
from notifyctl.app.plan import make_plan
from notifyctl.app.workspace import Workspace, open_workspace
from notifyctl.fault_injection import FAULT, FAULT_LOG
from notifyctl.plan.model import Plan
from notifyctl.plan.statuses import recipient_statuses
from tests.rig.ledgers import RigLedger, SqliteLedger

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SECRETS = {
    "SERVICE_ID": "made-up-service-id",
    "SERVICE_SECRET": "bWFkZS11cC1zZWNyZXQtb2YtdGhpcnR5LXR3by1ieXRlcyE=",
}

PROJECT = """\
apiVersion: notifyctl/v1
kind: Project
name: acme
defaultEnvironment: production
environments:
  production:
    provider: webexconnect
    endpoint: http://127.0.0.1:{port}/v2/messages
    auth: {{jwt: {{serviceIdEnv: SERVICE_ID, secretEnv: SERVICE_SECRET}}}}
    senders: {{sms: CNNECT}}
    limits: {{tps: {tps}, tpsCounts: calls, concurrency: {concurrency}, destinationsPerRequest: {size}}}
{ledger}"""
HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: Hello $(name)}}
audience: {source: {file: people.csv}}
"""


def person(number: int) -> str:
    """The first thousand are numbers that Ofcom keeps for fiction; the others have a calling code that no country has."""
    return f"+447700900{number:03d}" if number < 1000 else f"+446{number:09d}"


class Talk:
    """A process that answers each line of JSON with a line."""

    def __init__(self, *command: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def ask(self, order: object) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self.line()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The process does nothing until the block ends."""
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@dataclass(frozen=True, slots=True)
class Ended:
    """How an apply ended: `exit N` or `signal N`, and what it said."""

    how: str
    out: str
    err: str

    @property
    def code(self) -> int:
        word, _, number = self.how.partition(" ")
        assert word == "exit", f"{self.how}\n{self.err}"
        return int(number)

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(slots=True)
class Rig:
    """One project after another, each with a new ledger and a new log."""

    folder: Path
    runner: Talk
    sink: Talk
    port: int
    ledger: RigLedger = field(default_factory=SqliteLedger)
    rounds: int = 0
    runs: int = 0
    people: list[str] = field(default_factory=list)
    alive: set[int] = field(default_factory=set)
    started: dict[int, int] = field(default_factory=dict)
    """Process → which start it was."""
    concurrency: int = 2
    size: int = 4

    @property
    def root(self) -> Path:
        return self.folder / f"project-{self.rounds}"

    @property
    def log(self) -> Path:
        return self.folder / f"accepted-{self.rounds}.jsonl"

    def fresh(self, count: int = 12, *, concurrency: int = 2, size: int = 4, tps: int = 100_000) -> None:
        """A new project with so many people, an empty ledger, an empty log, an honest sink. `tps`: requests a second."""
        self.rounds += 1
        self.concurrency, self.size = concurrency, size
        self.people = [person(n) for n in range(count)]
        files = {
            "notifyctl.yaml": PROJECT.format(
                port=self.port, concurrency=concurrency, size=size, tps=tps, ledger=self.ledger.lines
            ),
            "hello.yaml": HELLO,
            "people.csv": "msisdn,name\n" + "".join(f"{p},P{p[-3:]}\n" for p in self.people),
        }
        self.root.mkdir()
        for name, text in files.items():
            (self.root / name).write_text(text)
        self.ledger.begin(self.workspace)
        assert self.sink.ask({"log": str(self.log)}) == "heard"

    def script(self, *behaviours: dict[str, Any]) -> None:
        """What the sink does with the next requests."""
        assert self.sink.ask(list(behaviours)) == "heard"

    def start(
        self,
        *command: str,
        fault: str | None = None,
        points: Path | None = None,
        modules: Path | None = None,
        digest: str | None = None,
    ) -> int:
        """Begin a command, by default an apply, of what a plan made just before shows, or of the plan with that digest.

        Returns its pid.
        """
        self.runs += 1
        asked = {FAULT: fault, FAULT_LOG: str(points) if points else None}
        name, *options = command or ("apply", "--format", "json")
        expected = ["--expect", digest] if digest else []
        order = {
            "argv": [name, "-C", str(self.root), *options, *expected],
            "expect": name == "apply" and digest is None,
            "environ": {**self.secrets, "XDG_STATE_HOME": os.environ["XDG_STATE_HOME"]},
            "fault": {name: value for name, value in asked.items() if value is not None},
            "out": str(self.folder / f"out-{self.runs}"),
            "err": str(self.folder / f"err-{self.runs}"),
            **({"modules": str(modules)} if modules else {}),
        }
        pid = int(self.runner.ask(order))
        self.alive.add(pid)
        self.started[pid] = self.runs
        return pid

    def wait(self, pid: int, run: int | None = None) -> Ended:
        """Until it ends or is stopped. `run`: which start it was."""
        ended = self.look({"wait": pid}, pid, run)
        assert ended is not None
        return ended

    def poll(self, pid: int) -> Ended | None:
        """How it ended; None while it runs."""
        return self.look({"poll": pid}, pid)

    def look(self, order: dict[str, int], pid: int, run: int | None = None) -> Ended | None:
        run = run or self.started[pid]
        how = json.loads(self.runner.ask(order))
        if how == "running":
            return None
        if not how.startswith("stop"):
            self.alive.discard(pid)
        out, err = (self.folder / f"{name}-{run}" for name in ("out", "err"))
        # One that was killed at once has said nothing.
        return Ended(how, *(each.read_text() if each.exists() else "" for each in (out, err)))

    def apply(self, *, fault: str | None = None, points: Path | None = None) -> Ended:
        return self.wait(self.start(fault=fault, points=points))

    @property
    def secrets(self) -> dict[str, str]:
        """What a command needs in its environment."""
        return {**SECRETS, **self.ledger.environ}

    def workspace(self) -> Workspace:
        """The project as this process sees it, whatever is in the way of others."""
        return open_workspace(self.root, environ={**os.environ, **SECRETS, **self.ledger.direct})

    def plan(self) -> Plan:
        """What an apply would do now."""
        workspace = self.workspace()
        return make_plan(workspace, workspace.environment(None))

    def says(self, *argv: str) -> str:
        """What a command prints that only reads."""
        command = [sys.executable, "-m", "notifyctl", "-C", str(self.root), *argv]
        environ = {**os.environ, **SECRETS, **self.ledger.direct}
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environ).stdout

    def taken(self, *, quiet: bool = True) -> list[str]:
        """Every address that the sink has accepted, repeats included, once it has heard all that was ever sent to it.
        Not `quiet`: as far as it has heard by now, because somebody who is paused still holds a connection.
        """
        if quiet:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/quiet", timeout=20) as answer:
                answer.read()
        return [json.loads(line)["to"] for line in self.log.read_text().splitlines()]

    def answered(self) -> set[str]:
        """Every address whose answer the sink has written by now."""
        file = Path(f"{self.log}.answered")
        return set(file.read_text().split()) if file.exists() else set()

    def believed(self) -> dict[str, set[str]]:
        """What the ledger believes: who is accepted, uncertain, rejected. Who is in none of them was never begun."""
        workspace = self.workspace()
        with closing(ledger_store(workspace, workspace.environment(None)).reader()) as reader:
            known = recipient_statuses(fact for scope in reader.scopes() for fact in reader.facts(scope))
            ids = reader.recipient_ids(self.people)
        found: dict[str, set[str]] = {"accepted": set(), "uncertain": set(), "rejected": set()}
        for address, key in zip(self.people, ids, strict=True):
            if key in known:
                found[known[key].kind].add(address)
        return found

    def check(self, *, crashes: int, done: bool = False, quiet: bool = True) -> dict[str, set[str]]:
        """The oracle. `done`: nothing is left to be sent, so that nobody may be without a word."""
        taken = self.taken(quiet=quiet)
        twice = [address for address, times in Counter(taken).items() if times > 1]
        assert not twice, f"sent to twice: {twice}"
        believed, log = self.believed(), set(taken)
        assert log <= set(self.people), "somebody was sent to who is not in the audience"
        assert believed["accepted"] <= log, "the ledger says accepted, and the sink never had it"
        assert log <= believed["accepted"] | believed["uncertain"], (
            "the sink has it, and the ledger would send again"
        )
        bound = crashes * self.concurrency * self.size
        assert len(believed["uncertain"]) <= bound, f"{len(believed['uncertain'])} uncertain, at most {bound}"
        if done:
            lost = set(self.people) - believed["accepted"] - believed["uncertain"]
            assert not lost, f"lost in silence: {sorted(lost)}"
        return believed

    def finish(self, *, crashes: int) -> dict[str, set[str]]:
        """Apply what is left; then nothing is."""
        ended = self.apply()
        assert ended.code in {0, 7}, ended.err
        believed = self.check(crashes=crashes, done=True)
        assert self.plan().sends == 0
        return believed

    def settled(self, *, crashes: int) -> dict[str, set[str]]:
        """Nothing is left, and another apply finds that."""
        believed = self.check(crashes=crashes, done=True)
        before = self.log.read_bytes()
        again = self.apply()
        assert again.json["requests"] == 0
        assert again.code == (7 if believed["uncertain"] else 0)
        self.taken()
        assert self.log.read_bytes() == before, "a run with nothing to do sent something"
        return believed
