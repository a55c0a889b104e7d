"""Logs and `/metrics` of services: JSON lines, no personal data, closed sets of labels, and a bounded cost for the database."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from prometheus_client.parser import text_string_to_metric_families

from notifyctl.app.monitoring.measurements import Measurements, measure
from notifyctl.app.monitoring.metrics import SHARE, SHORTEST, metrics_page
from notifyctl.app.runner.events import Health
from notifyctl.app.workspace import open_workspace
from notifyctl.errors import LedgerError
from notifyctl.model.log import Level, LogEntry
from notifyctl.testing.fakes import ManualClock
from notifyctl.views.log import as_json, as_text, mask

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
CANARIES = ("447700900471", "canary@customer.example", "Canaria Birdwell", "canary-text")
"""Number, address, name and text of a recipient."""
NOTIFICATION = """\
apiVersion: notifyctl/v1
kind: Notification
name: outage
template: {channel: sms, content: {type: text, text: "canary-text $(name)"}}
audience: {recipients: [{msisdn: "+447700900471", substitutions: {name: Canaria Birdwell}}]}
"""
PATIENCE = 30.0


def test_whatever_looks_like_an_address_is_masked_at_the_end() -> None:
    text = "rejected: canary@customer.example, +44 7700 900471 and 447700900471"
    assert mask(text) == "rejected: •, • and •"
    entry = LogEntry(
        NOW, "receipt", text, Level.ERROR, {"who": "+447700900471", "more": ["a@customer.example"]}
    )
    for line in (as_text(entry), as_json(entry)):
        assert not any(part in line for part in ("7700", "@"))
    ours = "2026-12-01 09:00 UTC, http://127.0.0.1:8473/healthz, 1,000,000 recipients, batch 1234567, d1:0a1b 1764493200"
    assert mask(ours).startswith(ours.rpartition(" ")[0])


@contextmanager
def service(root: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[Any]]]:
    """A command that runs until the block ends, and its lines of JSON up to the one that says where `/healthz` is."""
    command = [sys.executable, "-m", "notifyctl", *arguments]
    with subprocess.Popen(
        command,
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    ) as process:
        lines: list[Any] = []
        assert process.stderr is not None
        try:
            for line in process.stderr:
                lines.append(json.loads(line))
                if lines[-1]["event"] == "listening":
                    break
            yield process, lines
        finally:
            process.terminate()
            lines += [json.loads(line) for line in process.stderr]
            assert process.stdout is not None
            assert process.stdout.read() == "", "all of it is in the log"


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            assert isinstance(answer, HTTPResponse)
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def values(page: str) -> dict[str, float]:
    """`name{label="value"}` → value."""
    found = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            labels = ",".join(f'{key}="{value}"' for key, value in sorted(sample.labels.items()))
            found[sample.name + (f"{{{labels}}}" if labels else "")] = sample.value
    return found


def test_run_logs_json_and_serves_metrics_without_personal_data(production: Any) -> None:
    production.write(outage=NOTIFICATION)
    assert production.apply().code == 0
    with service(production.root, "run", "--listen", "127.0.0.1:0", "--log-format", "json") as (
        process,
        lines,
    ):
        url = lines[-1]["url"]
        until = time.monotonic() + PATIENCE
        page = ""
        while "notifyctl_ledger_up 1.0" not in page and time.monotonic() < until:
            status, page = get(url.replace("/healthz", "/metrics"))
            assert status == 200
        health = get(url)[1]
    assert process.wait(PATIENCE) == 0
    assert [line["event"] for line in lines][:2] == ["started", "listening"]
    assert lines[-1]["event"] == "stopped"
    assert all({"at", "level", "event", "text"} <= line.keys() for line in lines)
    found = values(page)
    assert found["notifyctl_requests_total"] == 1
    assert found["notifyctl_recipients_accepted_total"] == 1
    assert found['notifyctl_run_recipients{state="accepted"}'] == 1
    assert found["notifyctl_requests_in_flight"] == 0
    everything = json.dumps(lines) + page + health
    assert not [canary for canary in CANARIES if canary in everything]


def test_receipts_serve_logs_json_without_personal_data(production: Any, monkeypatch: Any) -> None:
    production.write(outage=NOTIFICATION)
    assert production.apply().code == 0
    arguments = (
        "receipts",
        "serve",
        "--port",
        "0",
        "--insecure",
        "--log-format",
        "json",
        "--listen",
        "127.0.0.1:0",
    )
    with service(production.root, *arguments) as (process, lines):
        assert process.stderr is not None
        lines.append(json.loads(process.stderr.readline()))
        place = re.search(r"http://\S+/receipts", lines[-1]["text"])
        assert place is not None
        info = {"deliveryStatus": "canary@customer.example", "destination": "+447700900471"}
        body = {"deliveryInfoNotification": {"deliveryInfo": info}}
        for data in (json.dumps(body).encode(), b"canary-text"):
            request = urllib.request.Request(place[0], data)
            try:
                urllib.request.urlopen(request, timeout=PATIENCE).close()
            except HTTPError as error:
                error.close()
        assert get(lines[0]["url"])[0] == 200
    receipts = [line for line in lines if line["event"] == "receipt"]
    assert [line["status"] for line in receipts] == [200, 400]
    assert not [canary for canary in CANARIES if canary in json.dumps(lines)]


def test_an_error_that_ends_a_service_is_a_line_of_its_log(production: Any) -> None:
    (production.root / ".notifyctl" / "production.db").rename(production.root / "elsewhere.db")
    found = production("run", "--once", "--log-format", "json")
    last = json.loads(found.err.splitlines()[-1])
    assert (found.code, found.out) == (1, "")
    assert (last["level"], last["event"], last["exit_code"]) == ("error", "error", 1)
    assert last["hint"]


def test_the_database_is_asked_at_most_once_in_some_seconds(production: Any) -> None:
    workspace = open_workspace(production.root)
    clock, asked = ManualClock(NOW), []

    def read() -> Measurements | None:
        asked.append(clock.monotonic())
        clock.advance(2.0 if len(asked) > 1 else 0.0)
        if len(asked) == 3:
            raise LedgerError("gone")
        return measure(workspace, workspace.environment(None))

    page = metrics_page(read, lambda: Health("production", checked=NOW), clock)
    assert asked == [], "nothing is read until somebody asks"
    assert values(page().body.decode())["notifyctl_ledger_up"] == 1
    for _ in range(5):
        clock.advance(SHORTEST / 10)
        page()
    assert len(asked) == 1
    clock.advance(SHORTEST)
    assert values(page().body.decode())["notifyctl_ledger_read_seconds"] == 2.0
    clock.advance(SHARE * 2.0 - 3.0)
    page()
    assert len(asked) == 2, "what takes long is asked less often"
    clock.advance(2.0)
    gone = values(page().body.decode())
    assert len(asked) == 3
    assert gone["notifyctl_ledger_up"] == 0
    assert "notifyctl_requests_total" not in gone, "a number that is not known is not 0"
    assert gone["notifyctl_healthy"] == 1
    clock.advance(SHORTEST)
    assert values(page().body.decode())["notifyctl_ledger_up"] == 1, "a failure is over soon"
