"""The use case of `preview`: every notification in every locale as recipients see it, next to the version of a commit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from notifyctl.app.as_of import as_of
from notifyctl.app.calendar import next_weeks
from notifyctl.app.diff import review
from notifyctl.app.plan import make_plan
from notifyctl.app.workspace import Workspace, open_workspace
from notifyctl.errors import NotifyctlError, ProviderError
from notifyctl.model.project import Environment
from notifyctl.views.html.preview_page import error_page, preview_page
from notifyctl.views.html.preview_sections import Source
from notifyctl.views.html.preview_summary import build_page

LOOPBACK = "127.0.0.1"
PAGE_HEAD = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    '<meta http-equiv="Content-Security-Policy" content="default-src &#x27;none&#x27;; style-src'
)
"""How each page begins, so that an earlier one is recognised."""


def gallery(
    workspace: Workspace,
    environment: Environment,
    *,
    only: tuple[str, ...] = (),
    base: str | None = None,
    reload: bool = False,
) -> str:
    """The page. Raises ProjectError if the project has errors, UsageError for an unknown name or commit."""
    project = workspace.sound
    plan = make_plan(workspace, environment, only=only, offline=True)
    compared = review(workspace, environment, base, plan, only=only) if base is not None else None

    source = Source(plan, project.notifications.get, compared, next_weeks(workspace, plan, only=only))
    return preview_page(build_page(source), default_locale=project.locale, reload=reload)


def is_page(file: Path) -> bool:
    """Whether a file is an earlier page: its head is written by nobody else."""
    try:
        with file.open(encoding="utf-8") as stream:
            return stream.read(len(PAGE_HEAD)) == PAGE_HEAD
    except (OSError, UnicodeError):
        return False


def serve(
    workspace: Workspace,
    environment_name: str | None,
    *,
    only: tuple[str, ...],
    base: str | None,
    port: int,
    as_of_time: datetime | None,
    report: Callable[[str], None],
) -> None:
    """Serves the page until Ctrl-C and rebuilds it when a file changes; errors in the project are shown instead of it."""
    root = workspace.root

    def render_page() -> str:
        try:
            fresh = as_of(open_workspace(root), as_of_time)
            return gallery(fresh, fresh.environment(environment_name), only=only, base=base, reload=True)
        except NotifyctlError as error:
            return error_page("The project has errors", f"{error.message}. {error.hint or ''}")

    try:
        server = ThreadingHTTPServer((LOOPBACK, port), handler(root, render_page))
    except OSError as error:
        raise ProviderError(
            f"the preview cannot listen on {LOOPBACK}:{port}: {error.strerror}",
            hint="to use a free port, add `--port 0`",
        ) from error
    server.daemon_threads = True
    report(f"Preview at http://{LOOPBACK}:{server.server_port}/. Press Ctrl-C to stop.")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(1.0)
    except KeyboardInterrupt:
        report("Stopped.")
    finally:
        server.shutdown()
        server.server_close()


def version(root: Path) -> str:
    """A value that changes whenever a file of the project does."""
    newest, count = 0, 0
    for path in root.rglob("*"):
        if not any(part.startswith(".") for part in path.relative_to(root).parts):
            try:
                newest, count = max(newest, path.stat().st_mtime_ns), count + 1
            except OSError:
                continue
    return f"{newest}-{count}"


def handler(root: Path, render_page: Callable[[], str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("Host", "").partition(":")[0] not in {LOOPBACK, "localhost"}:
                return self._answer(403, "", "text/plain")  # another host name that resolves to this machine
            if self.path == "/version":
                return self._answer(200, version(root), "text/plain")
            if self.path == "/":
                return self._answer(200, render_page(), "text/html")
            return self._answer(404, "", "text/plain")

        def _answer(self, status: int, text: str, kind: str) -> None:
            data = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            """Silent: the page polls once a second."""

    return Handler
