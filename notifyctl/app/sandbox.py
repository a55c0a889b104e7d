"""Use cases of `sandbox`: runs the simulator as a server, and reads and clears its inbox."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from notifyctl.app.providers import inbox_path
from notifyctl.app.workspace import Workspace
from notifyctl.audience.addresses import parse_address
from notifyctl.errors import UsageError
from notifyctl.model.project import Environment


def serve(
    workspace: Workspace,
    environment: Environment,
    *,
    port: int,
    service_key: str,
    modes: Sequence[str] = (),
    hub_secret: str | None = None,
    on_request: Callable[[str], None],
) -> None:
    """Serves until interrupted. `on_request` receives a line when it listens, and one for each request.

    `modes`: faults of its receipts (late, doubled, shuffled).
    """
    from notifyctl.providers.sandbox.app import SandboxSettings
    from notifyctl.providers.sandbox.inbox import Inbox
    from notifyctl.providers.sandbox.receipt_sender import FaultProfile
    from notifyctl.providers.sandbox.server import serve_forever

    settings = SandboxSettings(
        service_key=service_key,
        service_id=None,
        secret=None,
        tps=environment.limits.tps,
        tps_counts=environment.limits.tps_counts,
        profile=environment.profile,
    )
    faults = FaultProfile(
        late="late" in modes,
        doubled="doubled" in modes,
        shuffled="shuffled" in modes,
        secret=hub_secret.encode() if hub_secret else None,
    )
    inbox = Inbox(inbox_path(workspace))

    def render_inbox() -> str:
        from notifyctl.app.inbox import show_inbox

        return show_inbox(workspace)

    serve_forever(
        settings,
        inbox,
        workspace.clock,
        port=port,
        faults=faults,
        render_inbox=render_inbox,
        on_request=on_request,
    )


def read_inbox(
    workspace: Workspace, *, channel: str | None, recipient: str | None, last: int | None
) -> Iterable[dict[str, Any]]:
    """The accepted messages in order of arrival, one per destination. Raises UsageError for an invalid `recipient`."""
    wanted = normalise(recipient) if recipient else None
    messages = (
        entry
        for entry in stored_entries(workspace)
        if (channel is None or entry.get("channel") == channel)
        and (wanted is None or wanted == normalise(str(entry.get("to", ""))))
    )
    return deque(messages, maxlen=last) if last else messages


def stored_entries(workspace: Workspace) -> Iterator[dict[str, Any]]:
    from notifyctl.providers.sandbox.inbox import read_entries

    path = inbox_path(workspace)
    return iter(read_entries(path)) if path.exists() else iter(())


def clear_inbox(workspace: Workspace) -> None:
    inbox_path(workspace).unlink(missing_ok=True)


def normalise(address: str) -> str:
    try:
        return parse_address(address).key
    except ValueError as error:
        raise UsageError(f"--to: {error}") from error
