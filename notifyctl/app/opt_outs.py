"""Opt-outs after the plan: suppression lists that change during an apply, and opt-outs that receipts reported."""

from __future__ import annotations

import csv
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from io import StringIO

from notifyctl.app.ledger import Facts, ledger_store
from notifyctl.app.plan import suppressions_of
from notifyctl.app.workspace import Workspace
from notifyctl.audience.addresses import parse_address
from notifyctl.audience.suppressions import SuppressionIndex, applicable_lists, index_opt_outs
from notifyctl.errors import ProjectError
from notifyctl.model.project import Environment
from notifyctl.model.recipients import Scope

COLUMNS = ("hash", "channel", "reason", "since")


class OptOutWatcher:
    """Finds, before each attempt, recipients who opted out since the plan. Rereads the lists only if a file has changed."""

    def __init__(self, workspace: Workspace, environment: Environment, facts: Facts) -> None:
        self._workspace = workspace
        self._environment = environment
        self._facts = facts
        project = workspace.sound
        self._lists = applicable_lists(project, environment, *project.notifications.values())
        self._paths = sorted({each.file for each in self._lists})
        self._known_stamps = self._stamps()
        self._reread: dict[str, SuppressionIndex] | None = None

    def __call__(self, scope: Scope, destinations: Sequence[str]) -> Collection[int]:
        """Positions of the destinations that have opted out.

        Raises ProjectError if a list has changed and cannot be read: no further attempt may then start.
        """
        stamps = self._stamps()
        if stamps != self._known_stamps:
            self._known_stamps, self._reread = stamps, {}
        if self._reread is None:
            return ()
        if scope.notification not in self._reread:
            self._reread[scope.notification] = self._read(scope.notification)
        suppressed = self._reread[scope.notification]
        if not suppressed:
            return ()
        return [
            position
            for position, destination in enumerate(destinations)
            if suppressed.reason(parse_address(destination).key) is not None
        ]

    def _read(self, name: str) -> SuppressionIndex:
        workspace = self._workspace
        lists = suppressions_of(workspace, self._facts, environ=workspace.environ)
        problems = list(lists.problems(self._lists))
        if problems:
            raise ProjectError(
                "a suppression list was changed while it was in use, and cannot be read now",
                diagnostics=problems,
            )
        project, now = workspace.sound, workspace.clock.now()
        return index_opt_outs(lists, project, self._environment, project.notifications[name], now)

    def _stamps(self) -> list[tuple[int, ...]]:
        return [self._stamp(path) for path in self._paths]

    def _stamp(self, path: str) -> tuple[int, ...]:
        try:
            real = self._workspace.files.on_disk(path)
            status = os.stat(real) if real is not None else None  # noqa: PTH116 - a path that is checked
        except OSError:
            return ()
        return (status.st_ino, status.st_size, status.st_mtime_ns) if status is not None else (0,)


def export_opt_outs(
    workspace: Workspace, environment: Environment, *, since: datetime | None
) -> tuple[str, int]:
    """A suppression list of those who complained or unsubscribed by receipt, and their number.

    It is CSV with the columns COLUMNS; `hash` is the ledger's recipient id. It contains no address.
    """
    with closing(ledger_store(workspace, environment).reader()) as reader:
        rows = list(first_per_person(reader.opt_outs(since)))
    output = StringIO()
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(COLUMNS)
    for recipient, channel, reason, at in rows:
        writer.writerow([recipient.hex(), channel, reason, at.date().isoformat()])
    return output.getvalue(), len(rows)


def first_per_person(
    opt_outs_found: Iterator[tuple[bytes, str, str, datetime]],
) -> Iterator[tuple[bytes, str, str, datetime]]:
    """The first opt-out of each recipient and channel, sorted by time, so that lines only move to the end of the list."""
    first: dict[tuple[bytes, str], tuple[bytes, str, str, datetime]] = {}
    for each in opt_outs_found:
        first.setdefault((each[0], each[1]), each)
    yield from sorted(first.values(), key=lambda each: (each[3], each[0], each[1]))
