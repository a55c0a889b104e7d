"""The embedded API as a server that stays up, and its inbox."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from notifyctl.app.providers import inbox_path
from notifyctl.app.workspace import Workspace
from notifyctl.audience.addresses import email, msisdn
from notifyctl.errors import UsageError
from notifyctl.model.project import Environment

SHOWN = 200
"""Messages on the page of the inbox, the latest."""


def serve(
    workspace: Workspace,
    environment: Environment,
    *,
    port: int,
    service_key: str,
    modes: Sequence[str] = (),
    hub_secret: str | None = None,
    said: Callable[[str], None],
) -> None:
    """Serve until interrupted. `said` gets a line when it is up and one for each accepted request."""
    from notifyctl.providers.sandbox.app import SandboxSettings
    from notifyctl.providers.sandbox.inbox import Inbox
    from notifyctl.providers.sandbox.postman import Habits
    from notifyctl.providers.sandbox.server import serve_forever

    settings = SandboxSettings(
        service_key=service_key,
        service_id=None,
        secret=None,
        tps=environment.limits.tps,
        tps_counts=environment.limits.tps_counts,
        profile=environment.profile,
    )
    habits = Habits(
        late="late" in modes,
        doubled="doubled" in modes,
        shuffled="shuffled" in modes,
        secret=hub_secret.encode() if hub_secret else None,
    )
    inbox = Inbox(inbox_path(workspace))

    def shown() -> str:
        from notifyctl.views.html.inbox_page import inbox_page

        return inbox_page(read_inbox(workspace, channel=None, recipient=None, last=SHOWN))

    serve_forever(settings, inbox, workspace.clock, port=port, habits=habits, shown=shown, said=said)


def read_inbox(
    workspace: Workspace, *, channel: str | None, recipient: str | None, last: int | None
) -> Iterable[dict[str, Any]]:
    """The accepted messages in the order they came, one for each destination."""
    wanted = key_of(recipient) if recipient else None
    found = (
        entry
        for entry in entries(workspace)
        if (channel is None or entry.get("channel") == channel)
        and (wanted is None or wanted == key_of(str(entry.get("to", ""))))
    )
    return deque(found, maxlen=last) if last else found


def entries(workspace: Workspace) -> Iterator[dict[str, Any]]:
    from notifyctl.providers.sandbox.inbox import read

    path = inbox_path(workspace)
    return iter(read(path)) if path.exists() else iter(())


def clear_inbox(workspace: Workspace) -> None:
    inbox_path(workspace).unlink(missing_ok=True)


def key_of(address: str) -> str:
    try:
        return email(address).key if "@" in address else msisdn(address).key
    except ValueError as error:
        raise UsageError(f"--to: {error}") from error
