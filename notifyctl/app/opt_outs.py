"""Opt-outs after the plan: suppression lists that change during an apply, and opt-outs that receipts reported."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from io import StringIO
from pathlib import Path

from notifyctl.app.ledger import Facts, ledger_store
from notifyctl.app.plan import suppressions_of
from notifyctl.app.workspace import Workspace
from notifyctl.apply.job import OptedOut
from notifyctl.audience.addresses import parse_address
from notifyctl.audience.destination_rules import JudgedCopies, judge_copies, rules_of
from notifyctl.audience.recipients import Rules
from notifyctl.audience.suppressions import SuppressionLists, applicable_lists
from notifyctl.errors import ProjectError
from notifyctl.model.events import OptOutReason
from notifyctl.model.project import Environment
from notifyctl.model.recipients import Scope

LISTED = (OptOutReason.COMPLAINT, OptOutReason.UNSUBSCRIBED)
"""What a list of opt-outs always has; a bounce only where the project's `optOutOn` says so."""
COLUMNS = ("hash", "channel", "reason", "since")
HASH = re.compile(r"[0-9a-f]{32}")
"""A recipient id of the ledger."""
TICK = 2.0
"""Seconds that the clock of a file system may stand still: FAT counts by two."""

Stamp = tuple[float, ...]


class OptOutWatcher:
    """Finds, before each attempt, recipients who opted out since the plan. Rereads the lists only if a file has changed.

    `lists` are what the plan is to be derived from: their files are stamped when the watcher is made, before anything can read
    them, so that no change between the first read and the last request goes unseen.
    """

    def __init__(
        self, workspace: Workspace, environment: Environment, facts: Facts, *, stale: bool = False
    ) -> None:
        """`stale`: the plan was derived before, on another machine, so that each destination is judged from the first on."""
        self._workspace = workspace
        self._environment = environment
        self._facts = facts
        project = workspace.sound
        self._applicable = applicable_lists(project, environment, *project.notifications.values())
        self._paths = sorted({each.file for each in self._applicable})
        self._known_stamps = self._stamps()
        self.lists = self._unread_lists()
        self._judged_at = workspace.clock.now()
        self._stale = stale
        """Whether something counts that the plan did not know."""
        self._judged: dict[str, tuple[Rules, JudgedCopies]] = {}

    def __call__(self, scope: Scope, destinations: Sequence[str]) -> OptedOut:
        """Which of the destinations have opted out, and which copies.

        Raises ProjectError if a list has changed and cannot be read: no further attempt may then start.
        """
        self._look()
        if not self._stale:
            return OptedOut()
        rules, copies = self._rules(scope.notification)
        keys = [parse_address(destination, scope.channel).key for destination in destinations]
        return OptedOut(
            recipients=[at for at, reason in enumerate(rules.suppressed.column(keys)) if reason is not None],
            fallback={
                at: reason for at, reason in enumerate(rules.fallback.column(keys)) if reason is not None
            },
            copies=copies.left_out,
        )

    def renew(self) -> None:
        """Read the lists, and what receipts report, again before the next attempt."""
        self._judged_at, self._stale = self._workspace.clock.now(), True
        self.lists, self._judged = self._unread_lists(), {}

    def _look(self) -> None:
        """Forget what no longer holds: lists whose file has changed, and entries that have begun to count since."""
        now = self._workspace.clock.now()
        stamps = self._stamps()
        if stamps != self._known_stamps:
            self._known_stamps, self._judged_at, self._stale = stamps, now, True
            self.lists, self._judged = self._unread_lists(), {}
        elif self.lists.begin_between(self._judged_at, now):
            self._judged_at, self._stale, self._judged = now, True, {}

    def _rules(self, name: str) -> tuple[Rules, JudgedCopies]:
        """What holds for a notification now. The fence is part of the project, which is not read again."""
        if name not in self._judged:
            problems = list(self.lists.problems(self._applicable))
            if problems:
                raise ProjectError(
                    "a suppression list changed during the run and can no longer be read",
                    diagnostics=problems,
                )
            project = self._workspace.sound
            notification = project.notifications[name]
            rules = rules_of(self.lists, project, self._environment, notification, self._judged_at)
            self._judged[name] = rules, judge_copies(notification, rules)
        return self._judged[name]

    def _unread_lists(self) -> SuppressionLists:
        return suppressions_of(self._workspace, self._facts, environ=self._workspace.environ)

    def _stamps(self) -> list[Stamp]:
        now = self._workspace.clock.now().timestamp()
        return [self._stamp(path, now) for path in self._paths]

    def _stamp(self, path: str, now: float) -> Stamp:
        """Size, times and inode of a file. Within TICK of a change another one can leave no trace, so `now` is in it too."""
        try:
            real = self._workspace.files.on_disk(path)
            status = os.stat(real) if real is not None else None  # noqa: PTH116 - a path that is checked
        except OSError:
            return ()
        if status is None:
            return (0,)
        fresh = now if abs(now - max(status.st_mtime, status.st_ctime)) < TICK else 0
        return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, fresh)


def export_opt_outs(
    workspace: Workspace, environment: Environment, *, since: datetime | None
) -> tuple[str, int]:
    """A suppression list of those who complained or unsubscribed by receipt, and their number.

    It is CSV with the columns COLUMNS; `hash` is the ledger's recipient id. It contains no address.
    """
    with closing(ledger_store(workspace, environment).reader()) as reader:
        reasons = {*LISTED, *workspace.sound.opt_out_on}
        rows = list(first_per_person(each for each in reader.opt_outs(since) if each[2] in reasons))
    output = StringIO()
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(COLUMNS)
    for recipient, channel, reason, at in rows:
        writer.writerow([recipient.hex(), channel, reason, at.date().isoformat()])
    return output.getvalue(), len(rows)


def is_replaceable(file: Path) -> bool:
    """Whether there is no file, or an earlier export: a project names it among its suppression lists, and git tracks it."""
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            return all(
                row == list(COLUMNS) if at == 0 else len(row) == len(COLUMNS) and HASH.fullmatch(row[0])
                for at, row in enumerate(csv.reader(stream))
            )
    except FileNotFoundError:
        return True
    except (OSError, ValueError, csv.Error):
        return False


def first_per_person(
    opt_outs_found: Iterator[tuple[bytes, str, str, datetime]],
) -> Iterator[tuple[bytes, str, str, datetime]]:
    """The first opt-out of each recipient and channel, sorted by time, so that lines only move to the end of the list."""
    first: dict[tuple[bytes, str], tuple[bytes, str, str, datetime]] = {}
    for each in opt_outs_found:
        first.setdefault((each[0], each[1]), each)
    yield from sorted(first.values(), key=lambda each: (each[3], each[0], each[1]))
