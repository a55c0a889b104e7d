"""One side of `plan --base`: a project at a commit or here, composed, and who would be sent what if nothing had been sent.

So that what is compared does not depend on the clock, everything is planned as if it were due, without thresholds; what the
schedules and thresholds are is compared as settings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from hashlib import sha256
from posixpath import dirname, join, normpath

from msgspec import Struct
from msgspec.structs import replace

from notifyctl.app.ledger import no_facts
from notifyctl.app.plan import derive, is_recurring, series_of
from notifyctl.app.workspace import Workspace
from notifyctl.audience import SuppressionLists
from notifyctl.audience.suppressions import applicable_lists
from notifyctl.diagnostics import Location
from notifyctl.errors import NotifyctlError
from notifyctl.lint.project import Checked, check_project
from notifyctl.model.message import Message
from notifyctl.model.project import (
    RECIPIENT_ZONE,
    Audience,
    Environment,
    Notification,
    Policy,
    Project,
    Schedule,
    SuppressionList,
)
from notifyctl.plan.diff import Side
from notifyctl.plan.digest import BASELINE
from notifyctl.plan.model import Plan, PlannedNotification
from notifyctl.plan.settings import Settings, notification_settings
from notifyctl.ports import FileTree

CHUNK = 1 << 20
NO_LOCATION = Location("", 0, 0)
UNBOUNDED = Policy(None, None, None, None)
AHEAD = timedelta(days=2)
"""How far ahead everybody is due where it depends on their own time zone, so that the plan shows who has which."""


class Sides(Struct, frozen=True):
    """A project and its environment on one side of the comparison."""

    workspace: Workspace
    environment: Environment
    project: Project
    checked: Checked
    lists: SuppressionLists

    @classmethod
    def of(cls, workspace: Workspace, environment: Environment) -> Sides:
        project = workspace.sound
        lists = SuppressionLists(workspace.files, region=project.region)
        checked = check_project(
            project, environment=environment, files=workspace.files, synthetic=True, suppressions=lists
        )
        return cls(workspace, environment, project, checked, lists)

    @property
    def messages(self) -> Mapping[str, Mapping[str | None, Message]]:
        return self.checked.messages

    def series(self, name: str) -> str | None:
        """The fingerprint of a recurring notification; None for any other."""
        notification, messages = self.project.notifications.get(name), self.messages.get(name)
        if notification is None or messages is None or not is_recurring(notification):
            return None
        return series_of(self.workspace, self.environment, notification, messages).fingerprint

    def settings(self, name: str) -> Settings:
        return notification_settings(self.project, self.project.notifications[name])

    def suppressions(self, name: str) -> list[SuppressionList]:
        """The lists that apply to a notification, wherever they are named."""
        found = applicable_lists(self.project, self.environment, self.project.notifications[name])
        return list(dict.fromkeys(replace(each, location=NO_LOCATION) for each in found))

    def sides(self, wanted: Iterable[str], now: datetime) -> dict[str, Side]:
        names = tuple(name for name in wanted if name in self.messages)
        if not names:
            return {}
        plan = self.plan(names, now)
        withdrawn = {(each.notification, each.edition) for each in self.project.withdrawals}
        planned: dict[str, list[PlannedNotification]] = {}
        for each in plan.notifications if plan else ():
            planned.setdefault(each.name, []).append(each)
        people = dict(self._people(plan))
        return {
            name: Side(
                notification=(notification := self.project.notifications[name]),
                messages=self.messages[name],
                settings=self.settings(name),
                people=people.get(name, {}) if plan and name not in self.checked.stand_ins else None,
                planned=planned.get(name, ()),
                withdrawn=(name, notification.edition) in withdrawn,
            )
            for name in names
        }

    def _people(self, plan: Plan | None) -> Iterator[tuple[str, dict[str, bytes]]]:
        for effects in plan.effects if plan else ():
            groups = {key: b"".join(group.pieces()) for key, group in effects.groups.items()}
            yield (
                effects.scope.notification,
                {key: packed for key, packed in groups.items() if not key.startswith(BASELINE)},
            )

    def plan(self, names: tuple[str, ...], now: datetime, *, at_once: bool = False) -> Plan | None:
        """Without a ledger, as if everything were due; None if it cannot be made. `at_once`: also what depends on time zones."""
        zones_at = None if at_once else (now + AHEAD).replace(hour=12, minute=0, second=0, tzinfo=None)
        notifications = {
            name: as_due(each, zones_at) if name in names else each
            for name, each in self.project.notifications.items()
        }
        project = replace(self.project, notifications=notifications, schedules={})
        workspace = replace(self.workspace, project=project)
        facts = no_facts(workspace, self.environment, offline=True)
        try:
            return derive(workspace, self.environment, facts, only=names, as_of=now, checked=self.checked)
        except NotifyctlError:
            return None


def as_due(notification: Notification, zones_at: datetime | None) -> Notification:
    """A notification without a schedule or thresholds. `zones_at`: keeps recipients' time zones apart, by a local time."""
    schedule = notification.schedule
    if schedule is not None:
        by_zone = zones_at is not None and schedule.timezone == RECIPIENT_ZONE
        schedule = (
            Schedule(schedule.name, schedule.positions, timezone=RECIPIENT_ZONE, at=zones_at)
            if by_zone
            else None
        )
    return replace(notification, schedule=schedule, policy=UNBOUNDED)


def same_audience(before: Sides, after: Sides, one: Audience, other: Audience) -> bool:
    """Whether both name the same people, or the same bytes of the same source; a database is the same if it is named so."""
    if one.recipients is not None or other.recipients is not None:
        return [without_location(each) for each in one.recipients or ()] == [
            without_location(each) for each in other.recipients or ()
        ]
    if one.source != other.source:
        return False
    return source_files(before.workspace.files, one) == source_files(after.workspace.files, other)


def without_location(recipient: object) -> object:
    return replace(recipient, location=NO_LOCATION)  # type: ignore[type-var]


def source_files(files: FileTree, audience: Audience) -> dict[str, bytes]:
    """The files of a source, each with the hash of its bytes; none where it is not here, or a database elsewhere."""
    named = (audience.source.file if audience.source else None) or ""
    for pattern in (normpath(join(dirname(audience.positions.file), named)), normpath(named)):
        paths = (
            [path for path in files.paths() if fnmatchcase(path, pattern)] if "*" in pattern else [pattern]
        )
        found = {path: digest for path in paths if (digest := hash_file(files, path)) is not None}
        if found:
            return found
    return {}


def hash_file(files: FileTree, path: str) -> bytes | None:
    """None if there is no such file. Large files are read as a stream."""
    try:
        with files.open(path) as stream:
            state = sha256()
            while chunk := stream.read(CHUNK):
                state.update(chunk)
            return state.digest()
    except OSError:
        return None
