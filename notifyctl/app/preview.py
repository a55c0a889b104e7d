"""The use case of `preview`: every notification in every locale as recipients see it, next to the version of a commit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from notifyctl.app.diff import review
from notifyctl.app.plan import make_plan
from notifyctl.app.workspace import Workspace, open_workspace
from notifyctl.errors import NotifyctlError, ProviderError
from notifyctl.model.project import ApiObject, ChannelName, Environment
from notifyctl.plan.diff import Change
from notifyctl.plan.model import PlannedNotification, Sample
from notifyctl.views.diagnostics import pluralise
from notifyctl.views.html.preview_page import PreviewEntry, page

LOOPBACK = "127.0.0.1"
PAGE_HEAD = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    '<meta http-equiv="Content-Security-Policy" content="default-src &#x27;none&#x27;; style-src'
)
"""How each page begins, so that an earlier one is recognised."""
MOST = {ChannelName.SMS: 6}
"""Samples per notification."""


def gallery(
    workspace: Workspace,
    environment: Environment,
    *,
    only: tuple[str, ...] = (),
    base: str | None = None,
    reload: bool = False,
) -> str:
    """The page. Raises ProjectError if the project has errors, UsageError for an unknown name or commit."""
    plan = make_plan(workspace, environment, only=only, offline=True)
    changes: Mapping[str, Change] = {}
    about = f"{plan.project} · {environment.name} · {pluralise(len(plan.notifications), 'notification')}"
    if base is not None:
        compared = review(workspace, environment, base, plan, only=only)
        changes = {change.name: change for change in compared.changes}
        about += f" · compared with {compared.base}: {len(changes)} changed"
    shown = [
        each for planned in plan.notifications for each in build_entries(planned, changes.get(planned.name))
    ]
    return page(f"{plan.project}: messages", about, shown, reload=reload)


def is_page(file: Path) -> bool:
    """Whether a file is an earlier page: its head is written by nobody else."""
    try:
        with file.open(encoding="utf-8") as stream:
            return stream.read(len(PAGE_HEAD)) == PAGE_HEAD
    except (OSError, UnicodeError):
        return False


def build_entries(planned: PlannedNotification, change: Change | None) -> Iterator[PreviewEntry]:
    before: dict[str | None, ApiObject | None] = {}
    for old in change.before.planned if change is not None and change.before is not None else ():
        for sample in old.samples:
            before.setdefault(sample.locale, sample.content)
    for sample in by_locale(planned):
        facts = [pluralise(sample.count, "reader"), f"for {sample.recipient}", *sample.why]
        yield PreviewEntry(
            name=planned.name,
            channel=planned.channel,
            sender=planned.sender,
            locale=sample.locale or "default",
            category=change.category.value if change is not None else planned.category,
            facts=facts,
            content=sample.content,
            before=before.pop(sample.locale, None),
            compared=change is not None,
        )


def by_locale(planned: PlannedNotification) -> list[Sample]:
    """The most frequent text of each locale, then texts chosen for a reason; fewer for long messages."""
    leaders = {sample.locale: sample for sample in reversed(planned.samples)}
    rest = [sample for sample in planned.samples if sample.why and sample not in leaders.values()]
    most = MOST.get(planned.channel, len(leaders) + 1)
    kept = [*leaders.values(), *rest][: max(most, len(leaders))]
    return [sample for sample in planned.samples if sample in kept]


def serve(
    workspace: Workspace,
    environment_name: str | None,
    *,
    only: tuple[str, ...],
    base: str | None,
    port: int,
    report: Callable[[str], None],
) -> None:
    """Serves the page until Ctrl-C and rebuilds it when a file changes; errors in the project are shown instead of it."""
    root = workspace.root

    def render_page() -> str:
        try:
            fresh = open_workspace(root)
            return gallery(fresh, fresh.environment(environment_name), only=only, base=base, reload=True)
        except NotifyctlError as error:
            return page("The project has errors", f"{error.message}. {error.hint or ''}", [], reload=True)

    try:
        server = ThreadingHTTPServer((LOOPBACK, port), handler(root, render_page))
    except OSError as error:
        raise ProviderError(
            f"the preview cannot listen on {LOOPBACK}:{port}: {error.strerror}",
            hint="--port 0 takes a free one",
        ) from error
    server.daemon_threads = True
    report(f"The preview is at http://{LOOPBACK}:{server.server_port}/; Ctrl-C ends it.")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(1.0)
    except KeyboardInterrupt:
        report("Ended.")
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
