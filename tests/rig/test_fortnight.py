"""`notifyctl run` over two weeks that pass in seconds: real processes, ledger and HTTP, by a clock in a file, killed again and again.

The oracle reads the sink's own log, with the text and the virtual time of each message; the ledger is only asked who is uncertain.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from zoneinfo import ZoneInfo

import pytest

from notifyctl.app.ledger import ledger_store
from notifyctl.app.workspace import open_workspace
from notifyctl.fault_injection import FAULT
from notifyctl.plan.statuses import recipient_statuses
from tests.rig.projects import SECRETS, Talk, person
from tests.rig.virtual_time import SharedTime

SEEDS = tuple(map(int, os.environ.get("RIG_FORTNIGHTS", "1").split(",")))
KILLS = int(os.environ.get("RIG_FORTNIGHT_KILLS", "10"))
LONDON = ZoneInfo("Europe/London")
PEOPLE, CONCURRENCY, SIZE = 12, 2, 4
SLEEPS = (5400.0, 7200.0)
"""Seconds that a process sleeps at a time."""
WHILE = timedelta(hours=2, minutes=30)
"""After an occurrence is due: the longest sleep is over then, and its grace is not."""
PROJECT = """\
apiVersion: notifyctl/v1
kind: Project
name: acme
defaults: {{timezone: Europe/London}}
defaultEnvironment: production
alerts: {{urlEnv: ALERTS_URL}}
environments:
  production:
    provider: webexconnect
    endpoint: http://127.0.0.1:{port}/v2/messages
    auth: {{jwt: {{serviceIdEnv: SERVICE_ID, secretEnv: SERVICE_SECRET}}}}
    senders: {{sms: CNNECT}}
    limits: {{tps: 100000, tpsCounts: calls, concurrency: {concurrency}, destinationsPerRequest: {size}}}
"""
SERIES = """\
apiVersion: notifyctl/v1
kind: Schedule
name: {name}
cron: {cron}
holidays: [2027-03-26]
grace: 3h
---
apiVersion: notifyctl/v1
kind: Notification
name: {name}
schedule: {name}
template: {{channel: sms, content: {{type: text, text: {text}}}}}
audience: {{source: {{file: people.csv}}}}
"""
START = datetime(2027, 3, 22, tzinfo=UTC)
"""A Monday. Clocks change on Sunday the 28th, from 01:00 to 02:00: the daily 01:30 is then at 02:00."""
DAILY = [f"2027-03-{day}" for day in (22, 23, 24, 25, 27, 28, 29, 30, 31)] + [
    f"2027-04-{day}" for day in ("01", "03", "04")
]
"""Days on which the daily one is sent: not on the holiday, nor on the day on which the audience is too large."""
WEEKLY = ["2027-03-22", "2027-03-29"]
SECOND = "2027-03-31"
"""From this day on, the second text is sent."""


def due(series: str, day: str) -> datetime:
    if (series, day) == ("daily", "2027-03-28"):
        return datetime(2027, 3, 28, 1, tzinfo=UTC)  # the first instant after the change
    clock = "09:00" if series == "weekly" else "01:30"
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=LONDON).astimezone(UTC)


class Hook(BaseHTTPRequestHandler):
    """Takes alerts."""

    texts: list[str]

    def do_POST(self) -> None:
        self.texts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"])
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def alerts() -> Iterator[tuple[str, list[str]]]:
    texts: list[str] = []
    server = HTTPServer(("127.0.0.1", 0), type("OwnHook", (Hook,), {"texts": texts}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hooks/made-up", texts
    server.shutdown()
    thread.join()
    server.server_close()


class Fortnight:
    """One project in which time passes only as far as the test lets it. `killed`: the occurrences during which a process was killed."""

    def __init__(self, folder: Path, runner: Talk, sink: Talk, port: int, hook: str, seed: int) -> None:
        self.folder, self.root = folder, folder / "project"
        self.talk = runner
        self.chance = random.Random(seed)
        self.time = SharedTime.create(folder / "clock", START)
        self.log = folder / "accepted.jsonl"
        self.hook = hook
        self.pid: int | None = None
        self.runs = 0
        self.kills = 0
        self.root.mkdir()
        self.write("notifyctl.yaml", PROJECT.format(port=port, concurrency=CONCURRENCY, size=SIZE))
        self.series("daily", "30 1 * * *", "First")
        self.series("weekly", "0 9 * * MON", "Weekly")
        self.people(PEOPLE)
        workspace = open_workspace(self.root)
        ledger_store(workspace, workspace.environment(None)).create()
        assert sink.ask({"log": str(self.log), "clock": str(folder / "clock")}) == "heard"

    def write(self, name: str, text: str) -> None:
        """Whole, as an editor does it: the runner reads the files meanwhile."""
        fresh = self.folder / "fresh"
        fresh.write_text(text)
        fresh.replace(self.root / name)

    def series(self, name: str, cron: str, text: str) -> None:
        self.write(f"{name}.yaml", SERIES.format(name=name, cron=cron, text=text))

    def people(self, count: int) -> None:
        self.write("people.csv", "msisdn\n" + "".join(f"{person(at)}\n" for at in range(count)))

    def begin(self, *argv: str, fault: str | None = None) -> int:
        self.runs += 1
        order = {
            "argv": [argv[0], "-C", str(self.root), *argv[1:]],
            "environ": {
                **SECRETS,
                "ALERTS_URL": self.hook,
                "XDG_STATE_HOME": os.environ["XDG_STATE_HOME"],
                "NOTIFYCTL_ACTOR": "grace",
            },
            "fault": {FAULT: fault} if fault else {},
            "clock": str(self.folder / "clock"),
            "slowest": self.chance.choice(SLEEPS),
            "out": str(self.folder / f"out-{self.runs}"),
            "err": str(self.folder / f"err-{self.runs}"),
        }
        return int(self.talk.ask(order))

    def command(self, *argv: str) -> str:
        """A command that ends by itself; returns what it printed."""
        how = json.loads(self.talk.ask({"wait": self.begin(*argv)}))
        assert how == "exit 0", (self.folder / f"err-{self.runs}").read_text()
        return (self.folder / f"out-{self.runs}").read_text()

    def accept(self, name: str, *, most: int) -> None:
        plan = json.loads(self.command("plan", "--format", "json"))
        fingerprint = next(each["fingerprint"] for each in plan["series"] if each["name"] == name)
        self.command("accept", fingerprint, "--until", "2027-06-30", "--max-recipients", str(most))

    def start(self, *, fault: str | None = None) -> None:
        self.pid = self.begin("run", "--listen", "127.0.0.1:0", "--format", "json", fault=fault)

    def stop(self) -> None:
        """As systemd does."""
        assert self.pid is not None
        os.kill(self.pid, signal.SIGTERM)
        assert json.loads(self.talk.ask({"wait": self.pid})) == "exit 0", self.errors()
        self.pid = None

    def errors(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("err-*")))

    def is_dead(self) -> bool:
        """Whether the process was killed; it is forgotten then."""
        assert self.pid is not None
        try:
            state = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            state = "X"
        if state not in "ZX":
            return False
        how = json.loads(self.talk.ask({"wait": self.pid}))
        assert how == f"signal {signal.SIGKILL}", f"{how}\n{self.errors()}"
        self.pid = None
        self.kills += 1
        return True

    def until(self, moment: datetime) -> None:
        """Let time pass. A process that was killed is started again at once."""
        self.time.run_until(moment)
        while not self.time.at_limit:
            if self.pid is None or self.is_dead():
                self.start()
            time.sleep(0.001)

    def kill_during(self, moment: datetime) -> None:
        """Kill a process that begins an occurrence: at one of its fault points, or from outside."""
        self.until(moment - timedelta(minutes=10))
        before = self.kills
        if self.chance.random() < 0.5:
            self.stop()
            self.start(fault=f"kill:#{self.chance.randint(1, 40)}")
            self.until(moment + WHILE)
            assert self.kills == before + 1, "the fault point was not passed"
        else:
            size = self.log.stat().st_size
            self.time.run_until(moment + WHILE)
            deadline = time.monotonic() + 0.3
            while self.log.stat().st_size == size and time.monotonic() < deadline:
                time.sleep(0.001)
            time.sleep(self.chance.random() * 0.02)
            assert self.pid is not None
            os.kill(self.pid, signal.SIGKILL)
            while not self.is_dead():
                time.sleep(0.001)
            self.until(moment + WHILE)

    def events(self) -> list[dict[str, Any]]:
        lines = [
            line
            for path in sorted(self.folder.glob("out-*"), key=lambda each: int(each.name.partition("-")[2]))
            for line in path.read_text().splitlines()
            if line.startswith('{"at"')
        ]
        return [json.loads(line) for line in lines]

    def health(self) -> tuple[int, dict[str, Any]]:
        """What `/healthz` of the present process answers."""
        err = self.folder / f"err-{self.runs}"
        while "Health: " not in err.read_text():
            time.sleep(0.001)
        url = err.read_text().partition("Health: ")[2].split()[0]
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.status, json.loads(answer.read())
        except HTTPError as error:
            return error.code, json.loads(error.read())

    def uncertain(self) -> Counter[tuple[str, str, str]]:
        """Series, day and address of those of whom the ledger does not know whether they were sent it."""
        workspace = open_workspace(self.root)
        found: Counter[tuple[str, str, str]] = Counter()
        with closing(ledger_store(workspace, workspace.environment(None)).reader()) as reader:
            addresses = [person(at) for at in range(PEOPLE)]
            ids = dict(zip(reader.recipient_ids(addresses), addresses, strict=True))
            for scope in reader.scopes():
                for key, status in recipient_statuses(reader.facts(scope)).items():
                    if status.kind == "uncertain":
                        found[scope.notification, scope.occurrence[:10], ids[key]] += 1
        return found

    def taken(self) -> list[tuple[str, str, str, str]]:
        """Series, London's day, address and text of all that the sink took."""
        entries = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [
            (
                "weekly" if entry["text"] == "Weekly" else "daily",
                datetime.fromtimestamp(entry["at"], LONDON).date().isoformat(),
                entry["to"],
                entry["text"],
            )
            for entry in entries
        ]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_fortnight(
    seed: int, runner: Talk, sink_process: tuple[Talk, int], alerts: tuple[str, list[str]], tmp_path: Path
) -> None:
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory)) if os.access(memory, os.W_OK) else tmp_path
    hook, posted = alerts
    made = Fortnight(folder, runner, *sink_process, hook, seed)
    try:
        two_weeks(made, posted)
        check(made, sink_process[1])
        sys.stdout.write(f"seed {seed}: {made.kills} kills, {len(made.uncertain())} uncertain\n")
    finally:
        if made.pid is not None:
            os.kill(made.pid, signal.SIGKILL)
            made.talk.ask({"wait": made.pid})
        shutil.rmtree(folder)


def two_weeks(made: Fortnight, posted: list[str]) -> None:
    made.accept("daily", most=PEOPLE + 1)
    made.accept("weekly", most=PEOPLE + 1)
    made.start()
    occurrences = sorted(
        [due("daily", day) for day in DAILY if day != SECOND] + [due("weekly", day) for day in WEEKLY]
    )
    plan = Counter(made.chance.choices(occurrences, k=KILLS))

    def pass_until(moment: datetime) -> None:
        for each in [each for each in occurrences if made.time.now < each < moment]:
            for _ in range(plan[each]):
                if made.time.now < each:
                    made.kill_during(each)
                else:
                    kill_again(made)
        made.until(moment)

    # The text is changed: it waits, says so, and goes once it is accepted.
    pass_until(datetime(2027, 3, 30, 12, tzinfo=UTC))
    made.series("daily", "30 1 * * *", "Second")
    made.until(due("daily", SECOND) + timedelta(minutes=30))
    status, found = made.health()
    assert status == 503
    assert "waiting" in {each["kind"] for each in found["reasons"]}
    assert any(f"{SECOND}T01:30 waits: changed since" in text for text in posted)
    made.accept("daily", most=PEOPLE + 1)
    # The audience grows beyond the limit: it waits until it expires.
    pass_until(datetime(2027, 4, 1, 12, tzinfo=UTC))
    made.people(PEOPLE + 4)
    pass_until(datetime(2027, 4, 2, 12, tzinfo=UTC))
    assert any("2027-04-02T01:30 wait" in text for text in posted)
    assert any("occurrence 2027-04-02T01:30 expired before it was sent" in text for text in posted)
    made.people(PEOPLE)
    pass_until(datetime(2027, 4, 4, 22, tzinfo=UTC))
    made.stop()
    assert made.kills == KILLS
    assert len(posted) == len(set(posted)), "an alert was posted twice"


def kill_again(made: Fortnight) -> None:
    """Right after it was started again, whatever it is at."""
    if made.pid is None or made.is_dead():
        made.start()
    time.sleep(made.chance.random() * 0.1)
    assert made.pid is not None
    os.kill(made.pid, signal.SIGKILL)
    while not made.is_dead():
        time.sleep(0.001)
    made.start()


def check(made: Fortnight, port: int) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/quiet", timeout=20) as answer:
        answer.read()
    taken = made.taken()
    sent = Counter((series, day, to) for series, day, to, _ in taken)
    assert [each for each, times in sent.items() if times > 1] == [], "sent twice"
    uncertain = made.uncertain()
    expected = {
        (series, day, person(at))
        for series, days in (("daily", DAILY), ("weekly", WEEKLY))
        for day in days
        for at in range(PEOPLE)
    }
    assert set(sent) <= expected, "sent what was not accepted, or on a day without"
    assert set(uncertain) <= expected
    assert expected - set(sent) <= set(uncertain), "neither sent nor uncertain"
    # Only who was in flight at a kill.
    assert len(uncertain) <= made.kills * CONCURRENCY * SIZE
    for series, day, _, text in taken:
        accepted = "Weekly" if series == "weekly" else "First" if day < SECOND else "Second"
        assert text == accepted, f"{series} {day}: {text}"
    kinds = Counter(each["event"] for each in made.events())
    assert kinds["sent"] >= len(DAILY) + len(WEEKLY) - made.kills
    assert {"waiting", "expired"} <= set(kinds)


@pytest.mark.parametrize(("number", "ends"), [(signal.SIGINT, "exit 130"), (signal.SIGTERM, "exit 0")])
def test_a_signal_while_sending_finishes_what_is_in_flight(
    number: int, ends: str, runner: Talk, sink_process: tuple[Talk, int], tmp_path: Path
) -> None:
    made = Fortnight(tmp_path, runner, *sink_process, "http://127.0.0.1:9/unused", 1)
    assert sink_process[0].ask([{"do": "honest", "delay": 0.1}] * 3) == "heard"
    made.accept("daily", most=PEOPLE)
    made.start()
    made.time.run_until(due("daily", "2027-03-22") + WHILE)
    while len(made.taken()) < CONCURRENCY * SIZE:
        time.sleep(0.001)
    assert made.pid is not None
    os.kill(made.pid, number)
    assert json.loads(made.talk.ask({"wait": made.pid})) == ends, made.errors()
    # Two requests of four were in flight; their answers are recorded, and the third was not begun.
    assert len(made.taken()) == CONCURRENCY * SIZE
    assert not made.uncertain()
    made.start()
    made.until(due("daily", "2027-03-22") + WHILE)
    made.stop()
    assert Counter(to for _, _, to, _ in made.taken()) == Counter(person(at) for at in range(PEOPLE))
