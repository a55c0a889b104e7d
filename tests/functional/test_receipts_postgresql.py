"""Servers of receipts before one ledger in PostgreSQL: what was answered with 200 is there, whatever happens to the database."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from notifyctl.app.receipts.intake import RETRY_AWAY
from notifyctl.app.receipts.shared import open_receiver
from notifyctl.app.workspace import open_workspace
from notifyctl.errors import OverloadedError
from notifyctl.ledger.postgresql.database import connect
from notifyctl.providers.webexconnect.receipt_connections import Limits
from notifyctl.providers.webexconnect.receipt_server import Deferred
from notifyctl.providers.webexconnect.receipts import read_receipt
from tests.contract_ledgers import migrate
from tests.postgres import Cutter, OwnServer, copied_database, database_url, drop_database
from tests.receipt_door import PATIENCE, Door, ask, door, receipt

PROJECT = """\
apiVersion: notifyctl/v1
kind: Project
name: acme
environments:
  production:
    provider: sandbox
    ledger: {urlEnv: LEDGER_URL}
"""
HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
notifyUrl: %s
template: {channel: sms, content: {type: text, text: Hello $(name)}}
audience: {source: {file: people.csv}}
"""


class Provider:
    """Posts each receipt until it is answered with 200, now here and now there."""

    def __init__(self, doors: Sequence[Door]) -> None:
        self.doors = doors
        self.statuses: Counter[int] = Counter()
        self.stored: set[int] = set()
        self.crashed = threading.Event()
        """The database was down; the last two thirds are posted from then on."""
        self._turn = threading.Lock()

    def post(self, first: int) -> None:
        for number in range(first, first + 60):
            if number == first + 20:
                assert self.crashed.wait(PATIENCE)
            for attempt in range(PATIENCE * 20):
                status = self.doors[(number + attempt) % 2].post(receipt(code=str(number)))
                with self._turn:
                    self.statuses[status] += 1
                if status == 200:
                    self.stored.add(number)
                    break
                time.sleep(0.05)


def wait_until(happened: Callable[[], bool]) -> None:
    for _ in range(PATIENCE * 100):
        if happened():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen")


def test_what_was_answered_with_200_survives_a_crash_of_the_database(
    cli: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.write(notifyctl=PROJECT)
    with OwnServer() as database, ExitStack() as open_ones:
        monkeypatch.setenv("LEDGER_URL", database.url)
        assert cli("ledger", "init", "-e", "production").code == 0
        workspace = open_workspace(cli.root)
        doors: list[Door] = []
        for _ in range(2):  # behind a balancer
            receiver = open_ones.enter_context(open_receiver(workspace, workspace.environment("production")))
            take = Deferred(receiver.offer, receiver.intake.is_ready)
            doors.append(open_ones.enter_context(door(Limits(), take)))
        provider = Provider(doors)
        clients = [threading.Thread(target=provider.post, args=(60 * each,)) for each in range(4)]
        for client in clients:
            client.start()
        wait_until(lambda: len(provider.stored) >= 80)
        database.stop("immediate")
        provider.crashed.set()
        for each in doors:
            assert ask(each.port, "POST", "/receipts") == (503, "5")
            assert ask(each.port, "GET", "/ready")[0] == 503
        database.start()
        wait_until(lambda: all(ask(each.port, "GET", "/ready")[0] == 200 for each in doors))
        for client in clients:
            client.join(PATIENCE)
        assert provider.statuses[200] == len(provider.stored) == 240
        assert set(provider.statuses) == {200, 503}
        with connect(database.url) as connection:
            [(rows, addresses)] = connection.execute(
                "SELECT count(DISTINCT code) FILTER (WHERE code IS NOT NULL), count(*) FILTER (WHERE code IS NULL)"
                " FROM receipt_inbox"
            ).fetchall()
        assert (rows, addresses) == (240, 0)
        assert cli("receipts", "ingest", os.devnull, "-e", "production").code == 0
        assert cli("ledger", "show", "-e", "production", "--format", "json").json["receipts"] == 240


def test_receipts_wait_in_the_inbox_until_they_are_folded(
    cli: Any, postgres_server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = copied_database(postgres_server, "migrated", migrate)
    monkeypatch.setenv("LEDGER_URL", url)
    cli.write(notifyctl=PROJECT)
    rows = [f"+4477009000{n:02},P" for n in range(30)]
    cli.write(**{"people.csv": "\n".join(["msisdn,name", *rows]) + "\n"})
    assert cli("ledger", "init", "-e", "production").code == 0
    command = [
        sys.executable,
        "-m",
        "notifyctl",
        "-C",
        str(cli.root),
        "-e",
        "production",
        "receipts",
        "serve",
    ]
    with subprocess.Popen(
        [*command, "--port", "0", "--insecure"], stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as server:
        try:
            assert server.stderr is not None
            line = server.stderr.readline()
            where = re.search(r"http://127\.0\.0\.1:\d+", line)
            assert where is not None, line
            cli.write(hello=HELLO % f"{where[0]}/receipts")
            assert cli("apply", "-e", "production").code == 0
            with connect(url) as connection:
                for _ in range(PATIENCE * 20):
                    [(waiting,)] = connection.execute("SELECT count(*) FROM receipt_inbox").fetchall()
                    if waiting == 60:
                        break
                    time.sleep(0.05)
                assert waiting == 60
                shown = connection.execute("SELECT receipt_inbox::text FROM receipt_inbox").fetchall()
            assert not any("7700900" in text for (text,) in shown), "an address is in the database"
        finally:
            server.terminate()
            said = server.communicate(timeout=PATIENCE)[1]
    assert re.fullmatch(r"(200 (submitted|delivered): stored( \(\d+ more in \d+ s\))?\n)+", said), said
    # A receipt that comes again, in a file, is known; what waits is recorded first.
    again = tmp_path / "again.jsonl"
    again.write_text('{"deliveryInfoNotification": {"deliveryInfo": {"deliveryStatus": "Read"}}}\nnone\n')
    ingested = cli("receipts", "ingest", str(again), "-e", "production")
    assert ingested.code == 1
    assert "Receipts: 1 recorded without a matching recipient." in ingested.out
    [row] = cli("status", "-e", "production", "--format", "json").json["notifications"]
    assert row["receipts"] == {"delivered": 30}
    assert "1 already recorded" in cli("receipts", "ingest", str(again), "-e", "production").out
    # `run` records what waits, with or without something to send.
    workspace = open_workspace(cli.root)
    environment = workspace.environment("production")
    with open_receiver(workspace, environment) as receiver:
        late = read_receipt(json.dumps(receipt(code="late")).encode())
        assert receiver.offer(late).exception(PATIENCE) is None
    assert cli("run", "--once", "-e", "production").code == 0
    with connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM receipt_inbox").fetchall() == [(0,)]
        assert connection.execute("SELECT batch FROM receipt WHERE code = 'late'").fetchall() == [(None,)]
    assert cli("ledger", "verify", "-e", "production").code == 0


def test_a_receipt_is_there_if_it_was_answered_so_whichever_message_is_lost(
    cli: Any, postgres_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first, the second, … message between the server of receipts and the database, until none is lost."""
    url = copied_database(postgres_server, "migrated", migrate)
    cli.write(notifyctl=PROJECT)
    with Cutter(url) as proxy:
        monkeypatch.setenv("LEDGER_URL", proxy.url())
        assert cli("ledger", "init", "-e", "production").code == 0
        workspace = open_workspace(cli.root)
        taken: list[str] = []
        refused: list[int] = []
        for lost in range(1, 500):
            with open_receiver(workspace, workspace.environment("production")) as receiver:
                proxy.cut_at(lost)
                for half in ("a", "b"):
                    late = read_receipt(json.dumps(receipt(code=f"{lost} {half}")).encode())
                    try:
                        receiver.offer(late).result(PATIENCE)
                    except OverloadedError as error:
                        refused.append(error.retry_after)
                    else:
                        taken.append(f"{lost} {half}")
                cuts = proxy.cuts
                proxy.cut_at(None)
            if cuts < lost:
                break
        else:
            raise AssertionError("there is no end of messages")
        assert lost > 10, "it was cut too seldom"
        with connect(url) as connection:
            rows = connection.execute("SELECT code FROM receipt_inbox").fetchall()
        there = [code for (code,) in rows]
    assert set(taken) <= set(there)
    assert len(there) == len(set(there)), "a repeat is there twice"
    assert len(taken) >= 2 * (lost - 1), "a connection that was cut is not replaced at once"
    assert set(refused) <= {RETRY_AWAY}
    assert len(refused) + len(taken) == 2 * lost


def test_a_database_that_cannot_keep_every_text_is_refused(
    cli: Any, postgres_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One text that it cannot keep would fail the commit of all that came with it."""
    with connect(postgres_server) as connection:
        connection.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    url = database_url(postgres_server, "latin")
    monkeypatch.setenv("LEDGER_URL", url)
    cli.write(notifyctl=PROJECT)
    try:
        refused = cli("ledger", "init", "-e", "production")
        assert refused.code == 1
        assert "the ledger's database has the encoding LATIN1" in refused.err
    finally:
        drop_database(url, postgres_server)
