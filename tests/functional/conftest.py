"""A real project in a folder, the command line on it, and an HTTP server that is not ours."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from notifyctl.cli.main import run

SERVICE_ID = "made-up-service-id"
SERVICE_SECRET = "bWFkZS11cC1zZWNyZXQtb2YtdGhpcnR5LXR3by1ieXRlcyE="  # made up, 32 bytes when decoded


@dataclass(slots=True)
class Received:
    path: str
    headers: dict[str, str]
    body: Any


@dataclass(slots=True)
class ForeignApi:
    """Records every request before it answers; `answers` are (status, body) for the next requests, then 201."""

    url: str = ""
    requests: list[Received] = field(default_factory=list)
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    delay: float = 0.0
    """Seconds between the record of a request and its answer."""
    on_request: Callable[[], object] | None = None
    """Called before a request is answered."""

    @property
    def addresses(self) -> list[str]:
        """Every destination of every request, repeats included."""
        return [
            address
            for request in self.requests
            for entry in request.body["to"]
            for address in entry.get("msisdn", entry.get("email"))
        ]


def handler_for(api: ForeignApi, lock: threading.Lock) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                api.requests.append(Received(self.path, dict(self.headers), body))
                status, answer = api.answers.pop(0) if api.answers else (201, accepted(body))
            if api.on_request is not None:
                api.on_request()
            time.sleep(api.delay)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: object) -> None:
            """Quiet."""

    return Handler


def accepted(body: Any) -> bytes:
    return json.dumps(
        {
            "requestTimestamp": "2026-11-23T09:00:00.000Z",
            "messageId": str(uuid.uuid4()),
            "correlationId": body["to"][0].get("correlationId"),
            "status": "queued",
        }
    ).encode()


@pytest.fixture
def foreign() -> Iterator[ForeignApi]:
    api = ForeignApi()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(api, threading.Lock()))
    server.daemon_threads = True
    api.url = f"http://127.0.0.1:{server.server_port}/v2/messages"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield api
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass(frozen=True, slots=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(slots=True)
class Cli:
    """Runs commands on one project. `said` keeps all that was ever printed."""

    root: Path
    capture: pytest.CaptureFixture[str]
    said: list[str] = field(default_factory=list)

    def __call__(self, *arguments: str) -> Result:
        self.capture.readouterr()
        code = run([arguments[0], "-C", str(self.root), *arguments[1:]])
        out, err = self.capture.readouterr()
        self.said += [out, err]
        return Result(int(code), out, err)

    def write(self, **files: str) -> None:
        """Write files; `__` in a name stands for `/`, and YAML for files without a suffix."""
        for name, text in files.items():
            path = self.root / name.replace("__", "/")
            path = path if path.suffix else path.with_suffix(".yaml")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def plan(self, *arguments: str) -> Any:
        result = self("plan", "--format", "json", *arguments)
        assert result.code == 0, result.err
        return result.json

    def apply(self, *arguments: str) -> Result:
        """Apply what the plan shows, as CI does: with its digest."""
        return self("apply", "--format", "json", "--expect", self.plan()["digest"], *arguments)

    def forget_marks(self) -> None:
        """As on a machine that never wrote a ledger."""
        shutil.rmtree(Path(os.environ["XDG_STATE_HOME"]) / "notifyctl", ignore_errors=True)

    def files(self) -> dict[str, tuple[int, int]]:
        """Every file below the project with its size and time of change."""
        return {
            str(path.relative_to(self.root)): (path.stat().st_size, path.stat().st_mtime_ns)
            for path in sorted(self.root.rglob("*"))
        }


PROJECT = """\
apiVersion: notifyctl/v1
kind: Project
name: acme
vars: {{brand: Acme Power}}
defaultEnvironment: production
environments:
  production:
    provider: webexconnect
    endpoint: {url}
    auth: {{jwt: {{serviceIdEnv: SERVICE_ID, secretEnv: SERVICE_SECRET}}}}
    senders: {{sms: CNNECT, email: alerts@acme.example, rcs: a_156887855308557980}}
    limits: {{tps: 100000, concurrency: 4}}
"""


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    root = tmp_path / "project"
    root.mkdir()
    return Cli(root, capsys)


@pytest.fixture
def production(cli: Cli, foreign: ForeignApi, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """A project whose only environment sends to the foreign server, with a ledger."""
    monkeypatch.setenv("SERVICE_ID", SERVICE_ID)
    monkeypatch.setenv("SERVICE_SECRET", SERVICE_SECRET)
    cli.write(notifyctl=PROJECT.format(url=foreign.url))
    assert cli("ledger", "init").code == 0
    return cli


Make = Callable[..., str]
