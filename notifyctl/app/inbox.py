"""The use case of the inbox's page: accepted messages with their receipts, and what ledgers on this machine know of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime

from notifyctl.app.ledger import ledger_store
from notifyctl.app.providers import inbox_path
from notifyctl.app.workspace import Workspace
from notifyctl.errors import NotifyctlError
from notifyctl.providers.sandbox.inbox import read_entries, read_receipts
from notifyctl.schedule.zones import load_zone
from notifyctl.views.html.inbox_page import Inbox, InboxMessage, Origin, PostedReceipt, inbox_page

MOST_ON_PAGE = 200
"""The newest messages of the inbox that its page shows."""


def show_inbox(workspace: Workspace) -> str:
    """The page, also of an empty inbox."""
    project = workspace.sound
    zone = load_zone(project.timezone)
    messages, total = newest_messages(workspace)
    return inbox_page(Inbox(project.name, zone, project.timezone, messages, total))


def newest_messages(workspace: Workspace) -> tuple[list[InboxMessage], int]:
    """The newest messages in order of arrival, and how many there are."""
    path = inbox_path(workspace)
    if not path.exists():
        return [], 0
    newest: deque[tuple[int, dict[str, object]]] = deque(maxlen=MOST_ON_PAGE)
    total = 0
    for total, entry in enumerate(read_entries(path), start=1):
        newest.append((total, entry))
    posted: dict[str, list[PostedReceipt]] = {}
    for receipt in read_receipts(path):
        at = read_time(receipt.get("at"))
        one = PostedReceipt(str(receipt.get("status", "")), at, taken=receipt.get("taken") is True)
        posted.setdefault(str(receipt.get("transid", "")), []).append(one)
    origins = find_origins(workspace, {str(entry.get("messageId", "")) for _, entry in newest})
    messages = [
        InboxMessage(
            number,
            entry,
            read_time(entry.get("at")),
            origins.get(str(entry.get("messageId", ""))),
            tuple(posted.get(str(entry.get("transid", "")), ())),
        )
        for number, entry in newest
    ]
    return messages, total


def read_time(text: object) -> datetime:
    """A time of the inbox; the epoch for one that cannot be read, so that a damaged line does not hide the rest."""
    with suppress(ValueError):
        found = datetime.fromisoformat(str(text))
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return datetime.fromtimestamp(0, UTC)


def find_origins(workspace: Workspace, ids: Iterable[str]) -> Mapping[str, Origin]:
    """Message id → what a ledger on this machine recorded for it. A ledger that cannot be read is left out."""
    found: dict[str, Origin] = {}
    wanted = set(ids) - {""}
    for environment in workspace.sound.environments:
        if wanted <= found.keys():
            break
        with suppress(NotifyctlError):
            found.update(origins_in(workspace, environment, wanted - found.keys()))
    return found


def origins_in(
    workspace: Workspace, environment_name: str, ids: Iterable[str]
) -> Iterator[tuple[str, Origin]]:
    environment = workspace.environment(environment_name)
    if environment.ledger.url is not None:
        return  # a server elsewhere: a page must not wait for it
    store = ledger_store(workspace, environment)
    if not store.exists():
        return
    reader = store.reader()
    try:
        for message_id in ids:
            number = reader.by_provider_id(message_id)
            batch = reader.find(number) if number is not None else None
            if batch is not None:
                yield message_id, Origin(batch.scope.notification, batch.epoch)
    finally:
        reader.close()
