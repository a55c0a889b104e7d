"""`notifyctl run`: the rounds of a runner by a clock of the test, through the sandbox or a server over HTTP; and its command line."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import urllib.request
from contextlib import closing
from datetime import timedelta
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from notifyctl.app.ledger import ledger_store
from notifyctl.app.monitoring.health_server import serve_health, split_address
from notifyctl.app.runner.events import EventKind
from notifyctl.app.runner.lock import hold_runner_lock
from notifyctl.app.runner.runner import LONGEST_SLEEP
from notifyctl.clock import SystemClock
from notifyctl.command_line import command_line
from notifyctl.errors import LedgerLockedError, UsageError
from notifyctl.model.batch import Accepted
from tests.functional.rounds import START, Rounds

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NINE = START + timedelta(minutes=10)
"""When the daily series is due first."""
PRODUCTION = """\
apiVersion: notifyctl/v1
kind: Project
name: acme
defaultEnvironment: production
{alerts}
environments:
  production:
    provider: webexconnect
    endpoint: {url}
    auth: {{serviceKeyEnv: SERVICE_KEY}}
    senders: {{sms: CNNECT}}
    limits: {{tps: 100000}}
"""


@pytest.fixture
def rounds(tmp_path: Path) -> Rounds:
    """A daily series at nine that is accepted."""
    made = Rounds(tmp_path / "project")
    made.series()
    made.accept()
    return made


@pytest.fixture
def production(tmp_path: Path, foreign: Any) -> Rounds:
    """The same through a server that is not ours."""
    made = Rounds(tmp_path / "project", environment="production")
    made.environ.update(SERVICE_KEY="made-up", XDG_STATE_HOME=str(tmp_path / "state"))
    made.write("notifyctl.yaml", PRODUCTION.format(url=foreign.url, alerts=""))
    workspace = made.workspace()
    ledger_store(workspace, workspace.environment(None)).create()
    made.series()
    made.accept()
    return made


def kinds(said: list[tuple[EventKind, str]]) -> list[str]:
    return [kind.value for kind, _ in said]


def test_each_occurrence_is_sent_when_it_is_due_and_nothing_else_is_said(rounds: Rounds) -> None:
    assert rounds.run_until(NINE - timedelta(minutes=1)) == []
    said = rounds.run_until(NINE + timedelta(minutes=1))
    assert said == [(EventKind.SENT, "daily, occurrence 2027-03-01T09:00: sent to 3 recipients")]
    event = next(each for each in rounds.said if each.kind is EventKind.SENT)
    assert event.at == NINE
    assert max(rounds.clock.sleeps) <= LONGEST_SLEEP
    assert rounds.runner is not None
    assert rounds.runner.health.ok
    assert rounds.runner.health.next_due == NINE + DAY
    # Its only memory is the ledger: another process goes on.
    rounds.start()
    rounds.clock.set(NINE + DAY - timedelta(minutes=1))
    assert kinds(rounds.run_until(NINE + DAY + timedelta(minutes=2))) == ["sent"]
    assert rounds.sent() == {"daily 2027-03-01T09:00": 3, "daily 2027-03-02T09:00": 3}


def test_what_is_not_accepted_waits_and_goes_once_it_is(rounds: Rounds) -> None:
    rounds.series(text="Changed")
    said = rounds.run_until(START + timedelta(minutes=2))
    assert kinds(said) == ["waiting"]
    # Today's and tomorrow's, while there is time.
    assert "daily, 2 occurrences from 2027-03-01T09:00 to 2027-03-02T09:00 wait: changed" in said[0][1]
    assert "notifyctl -e sandbox accept s1:" in said[0][1]
    assert rounds.runner is not None
    assert not rounds.runner.health.ok
    assert rounds.run_until(NINE + timedelta(minutes=10)) == []  # told once
    rounds.start()
    assert rounds.run_until(NINE + timedelta(minutes=12)) == []  # by another process, too
    assert not rounds.runner.health.ok
    rounds.accept()
    assert kinds(rounds.run_until(NINE + timedelta(minutes=14))) == ["sent"]
    assert rounds.runner.health.ok


def test_an_audience_above_the_limit_waits(rounds: Rounds) -> None:
    rounds.accept(most=3)
    rounds.people(4)
    said = rounds.run_until(NINE + timedelta(minutes=1))
    assert kinds(said) == ["waiting"]
    assert "4" in said[0][1]
    assert "3" in said[0][1]
    rounds.people(5)  # another number is no other report
    assert rounds.run_until(NINE + timedelta(minutes=3)) == []
    rounds.people(3)
    assert kinds(rounds.run_until(NINE + timedelta(minutes=5))) == ["sent"]


def test_what_does_not_recur_is_left_to_apply(rounds: Rounds) -> None:
    rounds.write("once.yaml", "apiVersion: notifyctl/v1\nkind: Notification\nname: once\naudience: {source: {file: people.csv}}\n"
                 "template: {channel: sms, content: {type: text, text: Once}}\n")  # fmt: skip
    said = rounds.run_until(NINE + timedelta(minutes=1))
    assert kinds(said) == ["blocked", "sent"]
    assert said[0][1] == f"once: does not recur; to send it, run: {command_line('apply')}"
    assert rounds.sent() == {"daily 2027-03-01T09:00": 3}
    assert rounds.runner is not None
    assert rounds.runner.health.ok


def test_after_a_late_wake_nothing_is_sent_and_it_is_told_once(rounds: Rounds) -> None:
    rounds.run_until(START + timedelta(minutes=1))
    rounds.clock.set(NINE + 5 * HOUR)  # suspended: no time passed for the process
    said = rounds.run_until(NINE + 5 * HOUR + timedelta(minutes=1))
    assert kinds(said) == ["clock", "expired"]
    assert said[1][1] == "daily, occurrence 2027-03-01T09:00 expired before it was sent to 3 recipients"
    assert rounds.sent() == {}
    assert rounds.notices() == [
        "expired|daily|1|2027-03-01T09:00|sms",
        "missed|daily|1|2027-03-01T09:00|sms|3",
    ]
    # It stands until the next one is sent, also for another process.
    rounds.start()
    assert rounds.run_until(NINE + 6 * HOUR) == []
    assert rounds.runner is not None
    assert [kind for kind, _ in rounds.runner.health.reasons] == ["expired"]
    rounds.clock.set(NINE + DAY - timedelta(minutes=1))
    assert kinds(rounds.run_until(NINE + DAY + timedelta(minutes=1))) == ["clock", "sent"]
    assert rounds.runner.health.ok


def test_a_clock_that_jumps_sends_nothing_twice_and_counts_what_lapsed(rounds: Rounds) -> None:
    rounds.run_until(NINE + timedelta(minutes=1))
    rounds.clock.set(rounds.clock.now() + 3 * DAY)
    said = rounds.run_until(NINE + 3 * DAY + timedelta(minutes=3))
    # The third day is within grace; the two before it are one line.
    assert kinds(said) == ["clock", "sent", "expired"]
    assert "2 occurrences from 2027-03-02T09:00 to 2027-03-03T09:00" in said[2][1]
    rounds.clock.set(NINE - timedelta(minutes=3))
    said = rounds.run_until(NINE + timedelta(minutes=3))
    assert kinds(said) == ["clock"]
    assert rounds.sent() == {"daily 2027-03-01T09:00": 3, "daily 2027-03-04T09:00": 3}


def test_only_what_was_due_since_the_acceptance_and_to_be_sent_counts_as_expired(tmp_path: Path) -> None:
    rounds = Rounds(tmp_path / "project")
    rounds.series(cron="0 */4 * * *", more='window: {from: "08:00", to: "18:00"}\nholidays: [2027-03-02]')
    rounds.clock.set(START + 2 * HOUR)
    rounds.accept()  # after the one at 08:00
    rounds.clock.set(START + 2 * DAY + 3 * HOUR)
    said = rounds.run_until(START + 2 * DAY + 3 * HOUR + timedelta(minutes=1))
    texts = [text for kind, text in said if kind is EventKind.EXPIRED]
    # At 12:00 and 16:00 of the first day, and what the opening at 08:00 of the third one takes over from the night.
    assert texts == [
        "daily, 3 occurrences from 2027-03-01T12:00 to 2027-03-03T08:00 expired before they were sent"
    ]


def test_a_time_zone_that_was_slept_through_is_told_before_the_others_are_due(tmp_path: Path) -> None:
    rounds = Rounds(tmp_path / "project")
    rounds.series(more="timezone: recipient")
    zones = ("Asia/Tokyo", "Europe/London", "America/New_York")
    rows = [f"+447700900{at:03},{zone}" for at, zone in enumerate(zones)]
    rounds.write("people.csv", "\n".join(["msisdn,timezone", *rows]) + "\n")
    rounds.clock.set(NINE - 12 * HOUR)
    rounds.accept()
    rounds.clock.set(NINE - 7 * HOUR)  # nine in Tokyo was two hours ago
    said = rounds.run_until(NINE - 7 * HOUR + timedelta(minutes=1))
    assert said == [
        (EventKind.EXPIRED, "daily, occurrence 2027-03-01T09:00 expired before it was sent to 1 recipient")
    ]
    rounds.clock.set(NINE - timedelta(minutes=1))
    assert kinds(rounds.run_until(NINE + timedelta(minutes=1))) == ["clock", "sent"]
    assert rounds.sent() == {"daily 2027-03-01T09:00": 1}
    rounds.clock.set(NINE + 5 * HOUR - timedelta(minutes=1))
    assert kinds(rounds.run_until(NINE + 5 * HOUR + timedelta(minutes=1))) == ["clock", "sent"]
    assert rounds.sent()["daily 2027-03-01T09:00"] == 2


def test_the_ledger_is_locked_for_an_apply_only(rounds: Rounds) -> None:
    rounds.run_until(NINE - timedelta(minutes=1))
    workspace = rounds.workspace()
    store = ledger_store(workspace, workspace.environment(None))
    with store.writer("grace by hand"):  # between two rounds an apply by hand can have it
        said = rounds.run_until(NINE + timedelta(minutes=2))
    assert kinds(said) == ["locked"]
    assert "grace by hand" in said[0][1]
    assert kinds(rounds.run_until(NINE + timedelta(minutes=3))) == ["sent", "recovered"]


@pytest.mark.parametrize(
    "broken", ["<<<<<<< HEAD\nname: x\n=======\nname: y\n>>>>>>> theirs\n", "kind: [", "kind: Nonsense\n"]
)
def test_a_broken_project_is_told_once_and_tried_again(rounds: Rounds, broken: str) -> None:
    rounds.run_until(NINE - timedelta(minutes=2))
    rounds.write("broken.yaml", broken)
    said = rounds.run_until(NINE + timedelta(minutes=4))
    assert kinds(said) == ["failed"]
    assert "broken.yaml" in said[0][1]
    assert rounds.runner is not None
    assert not rounds.runner.health.ok
    (rounds.root / "broken.yaml").unlink()
    assert kinds(rounds.run_until(NINE + timedelta(minutes=5))) == ["sent", "recovered"]
    assert rounds.runner.health.ok


def test_a_provider_that_refuses_is_asked_less_and_less(production: Rounds, foreign: Any) -> None:
    foreign.answers = [(401, b"{}")] * 100
    said = production.run_until(NINE + timedelta(minutes=30))
    assert kinds(said).count("failed") == 1
    assert "refused the account" in dict(said)[EventKind.FAILED]
    assert 3 < len(foreign.requests) < 10
    foreign.answers = []
    assert production.runner is not None
    assert not production.runner.health.ok


def test_mondays_unknown_outcomes_do_not_stop_tuesday(production: Rounds, foreign: Any) -> None:
    foreign.answers = [(500, b"")]
    said = production.run_until(NINE + timedelta(minutes=1))
    assert kinds(said) == ["sent", "uncertain"]
    assert "outcome unknown for 3 recipients" in said[1][1]
    assert "notifyctl -e production resolve daily" in said[1][1]
    assert production.runner is not None
    assert not production.runner.health.ok
    production.clock.set(NINE + DAY - timedelta(minutes=1))
    said = production.run_until(NINE + DAY + timedelta(minutes=2))
    # Tuesday goes, and the count is repeated.
    assert kinds(said) == ["clock", "sent", "uncertain"]
    assert production.sent() == {"daily 2027-03-01T09:00": 0, "daily 2027-03-02T09:00": 3}
    assert len(foreign.requests) == 2
    assert not production.runner.health.ok
    # Until somebody settles it.
    workspace = production.workspace()
    with ledger_store(workspace, workspace.environment(None)).writer("ada") as writer:
        writer.settle(1, 1, Accepted("id-1", 201), at=production.clock.now())
    assert production.run_until(NINE + DAY + timedelta(minutes=4)) == []
    assert production.runner.health.ok


def test_each_is_alerted_once_and_a_failing_alert_is_tried_again(production: Rounds, foreign: Any) -> None:
    hook = foreign.url.replace("/v2/messages", "/hooks/T0/made-up-secret")
    production.environ["ALERTS_URL"] = hook
    production.write(
        "notifyctl.yaml", PRODUCTION.format(url=foreign.url, alerts="alerts: {urlEnv: ALERTS_URL}")
    )
    production.people(2)
    production.accept(most=1)
    foreign.answers = [*[(503, b"")] * 3, *[(200, b"ok")] * 20]
    said = production.run_until(START + timedelta(minutes=12))
    assert kinds(said) == ["waiting", "alert"]
    production.run_until(START + timedelta(minutes=30))
    posted = [each.body["text"] for each in foreign.requests if each.path.startswith("/hooks")]
    assert len(production.notices()) == 2
    assert len(posted) == len(set(posted)) + 3
    assert all(
        text.startswith("notifyctl acme/production: daily, 2 occurrences from 2027-03-01") for text in posted
    )
    assert all("+44" not in text for text in posted)
    production.start()
    production.run_until(START + timedelta(minutes=40))
    assert len([each for each in foreign.requests if each.path.startswith("/hooks")]) == len(posted)
    # The address is a secret, and what a wrong one holds as well.
    production.environ["ALERTS_URL"] = "not-an-address-but-secret"
    production.accept(most=0)
    production.series(text="Changed")
    production.run_until(START + timedelta(minutes=42))
    assert any(each.kind is EventKind.ALERT and "ALERTS_URL" in each.text for each in production.said)
    assert not any("secret" in each.text for each in production.said)


def get(url: str, method: str = "GET") -> tuple[int, Any]:
    request = urllib.request.Request(url, method=method)
    try:
        answer: HTTPResponse = urllib.request.urlopen(request, timeout=10)
    except HTTPError as error:
        return error.code, json.loads(error.read() or b"null")
    with answer:
        return answer.status, json.loads(answer.read() or b"null")


def test_healthz(rounds: Rounds) -> None:
    runner = rounds.start()
    with serve_health("[::1]:0", lambda: runner.health) as url:
        assert get(url)[0] == 503
    with serve_health("127.0.0.1:0", lambda: runner.health) as url:
        assert get(url) == (503, {"status": "starting", "environment": "sandbox", "reasons": [], "next_due": None, "checked": None})  # fmt: skip
        rounds.run_until(START + timedelta(minutes=1))
        status, found = get(url)
        assert (status, found["status"], found["next_due"]) == (200, "ok", "2027-03-01T09:00:00+00:00")
        rounds.series(text="Changed")
        rounds.run_until(START + timedelta(minutes=2))
        status, found = get(url)
        assert (status, found["status"]) == (503, "failing")
        assert {each["kind"] for each in found["reasons"]} == {"waiting"}
        assert get(url, "HEAD") == (503, None)
        assert get(url.replace("healthz", "other"))[0] == 404
    for address in ("127.0.0.1", ":80", "host:port", "127.0.0.1:99999"):
        with pytest.raises(UsageError):
            split_address(address)


def git(folder: Path, *arguments: str) -> str:
    named = ["-c", "user.name=ada", "-c", "user.email=ada@acme.example", "-c", "commit.gpgsign=false"]
    return subprocess.check_output(["git", "-C", str(folder), *named, *arguments], text=True).strip()


@pytest.fixture
def committed(tmp_path: Path) -> Rounds:
    """A clone whose working tree is broken, with the series on the branch `main` of its remote repository."""
    remote = tmp_path / "remote"
    git(tmp_path, "init", "-q", "-b", "main", str(remote))
    made = Rounds(remote)
    made.series()
    made.write(".gitignore", ".notifyctl/\n")
    git(remote, "add", "-A")
    git(remote, "commit", "-qm", "Daily")
    git(tmp_path, "clone", "-q", str(remote), "clone")
    made.root = tmp_path / "clone"
    made.accept()
    made.write("daily.yaml", "half written")
    return made


def commit(rounds: Rounds, text: str) -> str:
    """Another text, on the branch of the remote repository."""
    here, rounds.root = rounds.root, rounds.root.with_name("remote")
    rounds.series(text=text)
    git(rounds.root, "commit", "-qam", text)
    head = git(rounds.root, "rev-parse", "HEAD")
    rounds.root = here
    return head


def test_the_project_is_read_at_a_commit_and_never_half(committed: Rounds) -> None:
    rounds = committed
    rounds.environ["PATH"] = "/usr/bin:/bin"
    rounds.start(ref="main", pull=True)
    before = git(rounds.root, "rev-parse", "main")
    assert kinds(rounds.run_until(NINE + timedelta(minutes=1))) == ["sent"]
    # A commit that arrives is read whole, and waits: another text is another series.
    head = commit(rounds, "Second")
    said = rounds.run_until(NINE + timedelta(minutes=4))
    assert kinds(said) == ["waiting"]
    assert (rounds.root / "daily.yaml").read_text() == "half written"
    assert git(rounds.root, "rev-parse", "main") == before
    assert git(rounds.root, "status", "--porcelain") == "M daily.yaml"
    exported = [each.name for each in (rounds.root / ".notifyctl" / "sandbox.commits").iterdir()]
    assert exported == [head]
    git(rounds.root, "checkout", "-q", ".")
    workspace = rounds.workspace()
    with closing(ledger_store(workspace, workspace.environment("sandbox")).reader()) as reader:
        assert {run.revision for run in reader.runs() if run.revision} == {before[:12], head[:12]}

    # While the remote repository is out of reach, the last commit counts; after a while it is told.
    remote = rounds.root.with_name("remote")
    remote.rename(remote.with_name("away"))
    said = rounds.run_until(NINE + timedelta(minutes=10))
    assert kinds(said) == ["failed"]
    assert "the last commit is used" in said[0][1]
    assert rounds.runner is not None
    assert [kind for kind, _ in rounds.runner.health.reasons] == ["failed", "waiting"]
    remote.with_name("away").rename(remote)
    assert kinds(rounds.run_until(NINE + timedelta(minutes=12))) == ["recovered"]

    # A branch that somebody took away is no reason to go on with it.
    git(remote, "checkout", "-q", "--detach")
    git(remote, "branch", "-q", "-D", "main")
    said = rounds.run_until(NINE + timedelta(minutes=14))
    assert kinds(said) == ["failed"]
    assert "there is no branch or commit `main`" in said[0][1]
    git(remote, "branch", "main", before)
    assert kinds(rounds.run_until(NINE + timedelta(minutes=16))) == ["recovered"]


def test_a_ref_without_pull_is_the_local_one(committed: Rounds) -> None:
    rounds = committed
    rounds.start(ref="main")
    # What only a library can open is a file, too.
    with closing(sqlite3.connect(rounds.root / "people.db")) as database:
        database.executescript("create table p(msisdn text); insert into p values('+447700900009')")
    git(rounds.root, "checkout", "-q", ".")
    daily = (rounds.root / "daily.yaml").read_text()
    rounds.write("daily.yaml", daily.replace("{file: people.csv}", "{file: people.db, table: p}"))
    git(rounds.root, "add", "-A")
    git(rounds.root, "commit", "-qm", "People in a database")
    rounds.accept()
    (rounds.root / "people.db").unlink()
    commit(rounds, "Second")
    assert kinds(rounds.run_until(NINE + timedelta(minutes=1))) == ["sent"]
    assert rounds.sent() == {"daily 2027-03-01T09:00": 1}
    git(rounds.root, "checkout", "-q", "--detach", "-f")
    git(rounds.root, "branch", "-q", "-D", "main")
    assert kinds(rounds.run_until(NINE + timedelta(minutes=3))) == ["failed"]


def test_another_run_of_the_environment_is_refused(rounds: Rounds, capsys: Any) -> None:
    from notifyctl.cli.main import run

    with hold_runner_lock(rounds.root, "sandbox", SystemClock()):
        with pytest.raises(LedgerLockedError), hold_runner_lock(rounds.root, "sandbox", SystemClock()):
            pass
        assert run(["run", "-C", str(rounds.root), "--once"]) == 5
        assert "`notifyctl run` is already active for environment `sandbox`: " in capsys.readouterr().err
        assert run(["run", "-C", str(rounds.root), "-e", "nowhere", "--once"]) == 64
        # An apply by hand goes on beside it.
        assert run(["apply", "-C", str(rounds.root)]) in {0, 3}
    workspace = rounds.workspace()
    rounds.series(cron="0 * * * *", more="grace: 3h")
    rounds.clock.set(SystemClock().now())
    rounds.accept()
    with ledger_store(workspace, workspace.environment(None)).writer("ada"):
        assert run(["run", "-C", str(rounds.root), "--once"]) == 5
    assert run(["run", "-C", str(rounds.root), "--once", "--listen", "127.0.0.1:0"]) == 64
    assert run(["run", "-C", str(rounds.root), "--pull"]) == 64


def test_once_exits_like_apply(cli: Any, foreign: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the real clock: a series that is due every minute."""
    monkeypatch.setenv("SERVICE_KEY", "made-up")
    rounds = Rounds(cli.root, environment="production", now=SystemClock().now())
    rounds.write("notifyctl.yaml", PRODUCTION.format(url=foreign.url, alerts=""))
    assert cli("ledger", "init").code == 0
    rounds.environ.update(**os.environ)
    rounds.series(cron="0 * * * *", more="grace: 3h")
    assert cli("run", "--once").code == 3  # waits for acceptance
    rounds.clock.set(SystemClock().now() - timedelta(minutes=2))
    rounds.accept()
    foreign.answers = [(400, b"{}"), (500, b"")]
    assert cli("run", "--once").code == 6
    result = cli("run", "--once", "--format", "json")
    assert result.code == 7, result.err
    assert {"sent", "uncertain"} <= {line["event"] for line in result.lines}


def test_once_ends_with_3_when_an_occurrence_expired(rounds: Rounds) -> None:
    rounds.clock.set(NINE + 5 * HOUR)
    runner = rounds.start(once=True)
    applied = runner.look()
    assert applied is not None
    assert runner.newly_expired == 1
    again = rounds.start(once=True)
    again.look()
    assert again.newly_expired == 0
