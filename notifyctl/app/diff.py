"""The use case of `plan --base`: compares the project at a commit with the files here, and what changes for
recipients.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from notifyctl.app.ledger import no_facts
from notifyctl.app.plan import derive
from notifyctl.app.workspace import Workspace, find_environment
from notifyctl.audience.suppressions import applicable_lists
from notifyctl.channels import CHANNELS
from notifyctl.config.load import load_project
from notifyctl.diagnostics import Location, Positions, has_errors, sort_diagnostics
from notifyctl.errors import NotifyctlError, ProjectError
from notifyctl.git import CommittedTree
from notifyctl.lint.project import Checked, check_project
from notifyctl.model.message import Message
from notifyctl.model.project import Audience, Environment, Notification, Project, SuppressionList
from notifyctl.plan.diff import Category, Change, Review, Side, compare
from notifyctl.plan.model import Plan, PlannedNotification
from notifyctl.ports import FileTree

NOWHERE = Location("", 0, 0)
NO_POSITIONS = Positions("")


def review(
    workspace: Workspace,
    environment: Environment,
    revision: str,
    plan: Plan,
    *,
    only: tuple[str, ...] = (),
    as_of: datetime | None = None,
) -> Review:
    """Compares everything at `revision` with the files here. Raises UsageError for an unknown commit."""
    tree = CommittedTree(workspace.root, revision)
    unknown = [] if plan.complete else ["who already has what: there is no ledger here"]
    before: Sides | None = None
    problem: str | None = None
    try:
        base = workspace_of(workspace, tree)
        named = environment.name if environment.name in base.sound.environments else None
        before = Sides.of(base, find_environment(base.sound, named))
    except NotifyctlError as error:
        problem = error.message
    after = Sides.of(workspace, environment)
    changed = changed_names(before, after, only)
    now = as_of or workspace.clock.now()
    old = before.sides(changed, now) if before else {}
    # A plan made without the ledger already describes this side.
    new = after.sides(changed, now, known=None if plan.complete else plan)
    moves = {move.target: move.source for move in workspace.sound.moved}
    changes = []
    for name in changed:
        was = old.get(name) or old.get(moves.get(name, ""))
        if name not in new and name in moves.values():
            continue  # renamed: compared under its new name
        found = compare(was, new.get(name), name=name)
        if found is not None:
            changes.append(found)
    total = len(after.project.notifications)
    touched = sum(1 for change in changes if change.after is not None)
    return Review(
        base=tree.commit[:12],
        changes=tuple(sorted(changes, key=severity_key)),
        unchanged=total - touched,
        problem=problem,
        unknown=tuple(unknown),
    )


def severity_key(change: Change) -> tuple[int, int, str]:
    """Most serious first, then largest."""
    return list(Category).index(change.category), -change.blast, change.name


def workspace_of(workspace: Workspace, tree: CommittedTree) -> Workspace:
    """The project at a commit. Raises ProjectError if it has errors."""
    if "notifyctl.yaml" not in tree.paths():
        raise ProjectError("the commit has no notifyctl.yaml here")
    loaded = load_project(tree, [channel.shape for channel in CHANNELS.values()])
    found = replace(
        workspace, files=tree, project=loaded.project, diagnostics=tuple(sort_diagnostics(loaded.diagnostics))
    )
    if loaded.project is None or has_errors(loaded.diagnostics):
        raise ProjectError("the project has errors at that commit")
    return found


class Sides(Struct, frozen=True):
    """One side of the comparison: composed notifications, and who would be sent them if nothing had been sent."""

    workspace: Workspace
    environment: Environment
    project: Project
    checked: Checked

    @classmethod
    def of(cls, workspace: Workspace, environment: Environment) -> Sides:
        project = workspace.sound
        checked = check_project(project, environment=environment, files=workspace.files, synthetic=True)
        return cls(workspace, environment, project, checked)

    @property
    def messages(self) -> Mapping[str, Mapping[str | None, Message]]:
        return self.checked.messages

    def sides(self, wanted: Iterable[str], now: datetime, known: Plan | None = None) -> dict[str, Side]:
        """`known`: a plan of this side without the ledger, if there is one."""
        names = tuple(name for name in wanted if name in self.messages)
        if not names:
            return {}
        plan = known or self.planned(names, now)
        withdrawn = {(each.notification, each.edition) for each in self.project.withdrawals}
        planned: dict[str, list[PlannedNotification]] = {}
        people: dict[str, set[bytes]] = {}
        for each in plan.notifications if plan else ():
            planned.setdefault(each.name, []).append(each)
        for effects in plan.effects if plan else ():
            reached = people.setdefault(effects.scope.notification, set())
            reached.update(effects.ids())
        return {
            name: Side(
                notification=(notification := self.project.notifications[name]),
                messages=self.messages[name],
                people=frozenset(people.get(name, ())),
                planned=planned.get(name, ()),
                withdrawn=(name, notification.edition) in withdrawn,
            )
            for name in names
        }

    def planned(self, names: tuple[str, ...], now: datetime) -> Plan | None:
        facts = no_facts(self.workspace, self.environment, offline=True)
        try:
            return derive(
                self.workspace, self.environment, facts, only=names, as_of=now, checked=self.checked
            )
        except NotifyctlError:
            return None


def changed_names(before: Sides | None, after: Sides, only: tuple[str, ...]) -> list[str]:
    """Notifications that may differ: their definition, texts or audience is not identical."""
    known = {*after.project.notifications, *(before.project.notifications if before else ())}
    return sorted(
        name for name in known if (not only or name in only) and not (before and is_same(before, after, name))
    )


def is_same(before: Sides, after: Sides, name: str) -> bool:
    one, other = before.project.notifications.get(name), after.project.notifications.get(name)
    if one is None or other is None:
        return False
    statements = [statements_about(side, name) for side in (before, after)]
    return (
        statements[0] == statements[1]
        and before.messages.get(name) == after.messages.get(name)
        and strip_positions(one) == strip_positions(other)
        and same_people(before, after, one.audience, other.audience)
    )


def statements_about(side: Sides, name: str) -> set[tuple[str, int]]:
    """Withdraw and Baseline documents about a notification: kind and edition."""
    withdrawals, baselines = side.project.withdrawals, side.project.baselines
    found = {("Withdraw", each.edition) for each in withdrawals if each.notification == name}
    return found | {("Baseline", each.edition) for each in baselines if each.notification == name}


def strip_positions(notification: Notification) -> Notification:
    """A notification without positions in files, and without the texts and recipients that are compared separately."""
    schedule = notification.schedule
    return replace(
        notification,
        template=replace(notification.template, positions=NO_POSITIONS, content=None, locales={}),
        audience=replace(notification.audience, positions=NO_POSITIONS, recipients=None),
        schedule=replace(schedule, positions=NO_POSITIONS) if schedule else None,
        positions=NO_POSITIONS,
    )


def same_people(before: Sides, after: Sides, one: Audience, other: Audience) -> bool:
    lists = [compare_suppressions(side) for side in (before, after)]
    if lists[0] != lists[1]:
        return False
    if one.recipients is not None or other.recipients is not None:
        return [without_location(each) for each in one.recipients or ()] == [
            without_location(each) for each in other.recipients or ()
        ]
    return source_bytes(before.workspace.files, one) == source_bytes(after.workspace.files, other)


def without_location(recipient: object) -> object:
    return replace(recipient, location=NOWHERE)  # type: ignore[type-var]


def compare_suppressions(side: Sides) -> list[tuple[SuppressionList, bytes]]:
    """All suppression lists of one side with their contents."""
    project = side.project
    every = applicable_lists(project, side.environment, *project.notifications.values())
    lists = dict.fromkeys(replace(each, location=NOWHERE) for each in every)
    return [(each, read(side.workspace.files, each.file)) for each in lists]


def source_bytes(files: FileTree, audience: Audience) -> bytes:
    from posixpath import dirname, join, normpath

    named = (audience.source.file if audience.source else None) or ""
    beside = normpath(join(dirname(audience.positions.file), named))
    return read(files, beside) or read(files, normpath(named))


def read(files: FileTree, path: str) -> bytes:
    try:
        return files.read(path)
    except OSError:
        return b""
