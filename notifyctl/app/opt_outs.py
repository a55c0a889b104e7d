"""Opt-outs after the plan: lists that changed while an apply is under way, and those that receipts taught the ledger."""

from __future__ import annotations

import csv
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from io import StringIO

from notifyctl.app.ledgers import Facts, ledger_store
from notifyctl.app.plan import suppressions_of
from notifyctl.app.workspace import Workspace
from notifyctl.audience.addresses import email, msisdn
from notifyctl.audience.suppressions import SuppressionIndex
from notifyctl.errors import ProjectError
from notifyctl.lint.project import opt_outs
from notifyctl.model.project import Environment
from notifyctl.model.recipients import Scope

COLUMNS = ("hash", "channel", "reason", "since")


class Watch:
    """Asked before each batch is begun: who has opted out by now? The lists are read again only when a file of theirs has
    changed, so that it costs a look at their times.
    """

    def __init__(self, workspace: Workspace, environment: Environment, facts: Facts) -> None:
        self._workspace = workspace
        self._environment = environment
        self._facts = facts
        project = workspace.sound
        levels = [project.suppressions, environment.suppressions]
        levels += [each.suppressions for each in project.notifications.values()]
        self._lists = [each for level in levels for each in level]
        self._paths = sorted({each.file for each in self._lists})
        self._seen = self._stamps()
        self._changed: dict[str, SuppressionIndex] | None = None

    def __call__(self, scope: Scope, destinations: Sequence[str]) -> Collection[int]:
        """Positions. Raises ProjectError when a list has changed and cannot be read: then nobody knows, and nothing more is
        begun.
        """
        stamps = self._stamps()
        if stamps != self._seen:
            self._seen, self._changed = stamps, {}
        if self._changed is None:
            return ()
        if scope.notification not in self._changed:
            self._changed[scope.notification] = self._read(scope.notification)
        out = self._changed[scope.notification]
        return (
            [at for at, text in enumerate(destinations) if out.reason(normalised(text)) is not None]
            if out
            else ()
        )

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
        return opt_outs(lists, project, self._environment, project.notifications[name], now)

    def _stamps(self) -> list[tuple[int, ...]]:
        return [self._stamp(path) for path in self._paths]

    def _stamp(self, path: str) -> tuple[int, ...]:
        try:
            real = self._workspace.files.on_disk(path)
            found = os.stat(real) if real is not None else None  # noqa: PTH116 - of a path that is checked
        except OSError:
            return ()
        return (found.st_ino, found.st_size, found.st_mtime_ns) if found is not None else (0,)


def normalised(destination: str) -> str:
    return (email(destination) if "@" in destination else msisdn(destination)).key


def exported(workspace: Workspace, environment: Environment, *, since: datetime | None) -> tuple[str, int]:
    """Who complained or unsubscribed, by receipts, as a suppression list with the ledger's hashes; and how many. It holds
    no address.
    """
    with closing(ledger_store(workspace, environment).reader()) as reader:
        rows = list(unique(reader.opt_outs(since)))
    written = StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(COLUMNS)
    for recipient, channel, reason, at in rows:
        writer.writerow([recipient.hex(), channel, reason, at.date().isoformat()])
    return written.getvalue(), len(rows)


def unique(
    found: Iterator[tuple[bytes, str, str, datetime]],
) -> Iterator[tuple[bytes, str, str, datetime]]:
    """Each person once a channel, by the first word of theirs; sorted, so that a list grows without moving."""
    first: dict[tuple[bytes, str], tuple[bytes, str, str, datetime]] = {}
    for each in found:
        first.setdefault((each[0], each[1]), each)
    yield from sorted(first.values(), key=lambda each: (each[3], each[0], each[1]))
