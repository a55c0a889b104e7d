"""The use case of `plan --base`: compares the project at a commit with the files here, and what changes for
recipients.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec.structs import replace

from notifyctl.app.diff_sides import Sides, hash_file, same_audience
from notifyctl.app.lint import find_ignore_comments, lines_of
from notifyctl.app.names import is_chosen
from notifyctl.app.same_requests import find_equal
from notifyctl.app.workspace import Workspace, find_environment
from notifyctl.channels import CHANNELS
from notifyctl.config.load import load_project
from notifyctl.diagnostics import has_errors, sort_diagnostics
from notifyctl.errors import NotifyctlError, ProjectError
from notifyctl.git import CommittedTree
from notifyctl.lint.ignore_comments import read_ignore_comments
from notifyctl.model.project import ChannelName, Environment
from notifyctl.plan.diff import Change, Review, compare, unproven
from notifyctl.plan.effects import Effect, SettingChange
from notifyctl.plan.model import Plan
from notifyctl.plan.opt_out_diff import ListChange, compare_lists, merge, read_lists
from notifyctl.plan.series import UNKNOWN, SeriesChange
from notifyctl.plan.setting_rules import (
    ENVIRONMENT,
    NOT_OF_NOTIFICATIONS,
    PROJECT,
    SEEN_IN_NOTIFICATIONS,
    matches,
)
from notifyctl.plan.settings import differences, list_settings

IGNORED = "ignore comments for"
SAME_REQUESTS_UNKNOWN = "nothing proves that both versions would post the same requests"


def review(
    workspace: Workspace,
    environment: Environment,
    revision: str,
    plan: Plan,
    *,
    only: tuple[str, ...] = (),
) -> Review:
    """Compares everything at `revision` with the files here. Raises UsageError for an unknown commit."""
    tree = CommittedTree(workspace.root, revision)
    unknown = [] if plan.complete else ["who was already sent what, because there is no ledger here"]
    before: Sides | None = None
    problem: str | None = None
    try:
        base = workspace_of(workspace, tree)
        named = environment.name if environment.name in base.sound.environments else None
        before = Sides.of(base, find_environment(base.sound, named))
    except NotifyctlError as error:
        problem = error.message
    after = Sides.of(workspace, environment)
    now = workspace.clock.now()
    known = {*after.project.notifications, *(before.project.notifications if before else ())}
    wanted = sorted(name for name in known if is_chosen(name, only))
    if before is None:
        new = after.sides(wanted, now)
        changes = [found for name in wanted if (found := compare(None, new.get(name), name=name))]
        shared: list[SettingChange] = []
    else:
        shared = list(project_changes(before, after))
        changes = list(Comparison(before, after, shared, now).changes(wanted))
        shared = [give_seen_effect(each, changes, environment) for each in shared]
    total = len(after.project.notifications)
    touched = sum(1 for change in changes if change.after is not None)
    return Review(
        base=tree.commit[:12],
        changes=tuple(sorted(changes, key=severity_key)),
        unchanged=total - touched,
        problem=problem,
        unknown=tuple(unknown),
        settings=tuple(shared),
        series=tuple(broken_acceptances(before, after, plan, wanted)) if before is not None else (),
    )


def broken_acceptances(
    before: Sides, after: Sides, plan: Plan, wanted: Iterable[str]
) -> Iterator[SeriesChange]:
    """Series that differ from the base, where the one of the base is accepted or nobody knows."""
    current = {each.name: each for each in plan.series}
    for name in wanted:
        now, then = current.get(name), before.series(name)
        if now is None or then is None or now.acceptance is not None or then == now.fingerprint:
            continue
        former = now.former
        if now.missing == UNKNOWN or (former is not None and former.fingerprint == then):
            yield SeriesChange(name, then, now.fingerprint, former, after.project.timezone)


def severity_key(change: Change) -> tuple[bool, int, int, str]:
    """What needs attention first, then the gravest, then the largest."""
    return not change.warnings, list(Effect).index(change.effects[0]), -change.blast, change.name


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


class Comparison:
    """The notifications of both sides. Only those that may differ are planned."""

    def __init__(self, before: Sides, after: Sides, shared: list[SettingChange], now: datetime) -> None:
        self.before, self.after, self.now = before, after, now
        own = f"environments.{after.environment.name}."
        self.shared = [each for each in shared if holds_for_notifications(each, own)]
        self.policy = {
            (each.key.removeprefix("policy."), each.before, each.after)
            for each in shared
            if each.key.startswith("policy.")
        }
        self.moves = {move.target: move.source for move in after.project.moved}

    def changes(self, wanted: Iterable[str]) -> Iterator[Change]:
        """Of the notifications that are wanted, by their present names. Without a known effect, the requests decide."""
        pairs = {name: self.former_name(name) for name in wanted}
        taken = {old for name, old in pairs.items() if old is not None and name in self.after.messages}
        names = [name for name in pairs if name in self.after.messages or name not in taken]
        lists = {name: list(self.lists(pairs[name], name)) for name in names}
        names = [name for name in names if lists[name] or self.may_differ(pairs[name], name)]
        old = self.before.sides({pairs[name] for name in names} - {None}, self.now)  # type: ignore[arg-type]
        new = self.after.sides(names, self.now)
        found = {}
        for name in names:
            former = pairs[name]
            change = compare(
                old.get(former or ""),
                new.get(name),
                name=name,
                shared=[*self.shared, *lists[name]],
                same_audience=former is not None and name in new and self.same_people(former, name),
            )
            if change is not None:
                found[name] = self.mark_shared(change)
        doubtful = {
            name: change.before.notification.name
            for name, change in found.items()
            if change.effects == (Effect.NONE,) and change.before is not None
        }
        equal = find_equal(self.before, self.after, doubtful, self.now)
        for name, change in found.items():
            yield (
                unproven(change, SAME_REQUESTS_UNKNOWN) if name in doubtful and name not in equal else change
            )

    def former_name(self, name: str) -> str | None:
        """The name that a notification has in the base; None if it is not there."""
        seen: set[str] = set()
        while name not in self.before.project.notifications:
            if name in seen or name not in self.moves:
                return None
            seen.add(name)
            name = self.moves[name]
        return name

    def may_differ(self, former: str | None, name: str) -> bool:
        if former is None or former != name or name not in self.after.project.notifications or self.shared:
            return True
        return (
            self.before.messages.get(name) != self.after.messages.get(name)
            or self.before.settings(name) != self.after.settings(name)
            or repr(self.before.settings(name)) != repr(self.after.settings(name))
            or not self.same_people(name, name)
        )

    def same_people(self, former: str, name: str) -> bool:
        one, other = self.before.project.notifications[former], self.after.project.notifications[name]
        settings = [
            {key: value for key, value in side.settings(each).items() if key.startswith("audience.")}
            for side, each in ((self.before, former), (self.after, name))
        ]
        return settings[0] == settings[1] and same_audience(
            self.before, self.after, one.audience, other.audience
        )

    def lists(self, former: str | None, name: str) -> Iterator[SettingChange]:
        """The changes of suppression lists that concern a notification."""
        if former is None or name not in self.after.project.notifications:
            return
        sides = ((self.before, former), (self.after, name))
        named = [side.suppressions(each) for side, each in sides]
        same_region = self.before.project.region == self.after.project.region
        if (
            same_region
            and named[0] == named[1]
            and all(
                hash_file(self.before.workspace.files, each.file)
                == hash_file(self.after.workspace.files, each.file)
                for each in named[0]
            )
        ):
            return
        templates = [side.project.notifications[each].template for side, each in sides]
        channels = {each.channel for each in templates}
        if ChannelName.RCS in channels:
            channels.add(ChannelName.SMS)  # its fallback
        own = {given.file for side, each in sides for given in side.project.notifications[each].suppressions}
        for change in compare_lists(
            *(read_lists(side.lists, each) for (side, _), each in zip(sides, named, strict=True))
        ):
            if change.effects != (Effect.NONE,) and change.concerns(
                channels, {each.category for each in templates}
            ):
                yield change.as_setting(shared=change.file not in own)

    def mark_shared(self, change: Change) -> Change:
        """Thresholds that follow the project's `policy` are told there."""
        settings = [
            replace(each, shared=True)
            if each.key == "defaults.locale"
            or (each.key.removeprefix("limits."), each.before, each.after) in self.policy
            else each
            for each in change.settings
        ]
        return replace(change, settings=tuple(settings))


def holds_for_notifications(change: SettingChange, own: str) -> bool:
    """Whether a changed setting of project or environment has its effect on every notification. `own`: the prefix of the
    environment at hand.
    """
    if change.key.startswith("environments.") and not change.key.startswith(own):
        return False
    key = change.key.removeprefix(own)
    return (
        change.effects != (Effect.NONE,)
        and not change.key.startswith(("suppressions ", IGNORED))
        and not matches(key, (*SEEN_IN_NOTIFICATIONS, *NOT_OF_NOTIFICATIONS))
    )


def project_changes(before: Sides, after: Sides) -> Iterator[SettingChange]:
    """Settings of the project, of each environment, and their suppression lists."""
    yield from differences(PROJECT, list_settings(before.project), list_settings(after.project), shared=True)
    if before.environment.name != after.environment.name:
        yield SettingChange(
            "environment", before.environment.name, after.environment.name, (Effect.ROUTE,), True, True
        )
    for name in {**before.project.environments, **after.project.environments}:
        yield from environment_changes(before, after, name)
    yield from (change.as_setting(shared=True) for change in list_changes(before, after))
    yield from ignore_comment_changes(before, after)


def environment_changes(before: Sides, after: Sides, name: str) -> Iterator[SettingChange]:
    """Of an environment by its name; the base's default one stands in for one that the base does not have, if it is at hand."""
    old, new = before.project.environments.get(name), after.project.environments.get(name)
    if name == after.environment.name:
        old = before.environment
    elif old is None or new is None:
        # Nobody is sent anything through it by this plan; one line tells of it.
        yield SettingChange(
            f"environments.{name}", destination(old), destination(new), (Effect.ROUTE,), new is not None, True
        )
        return
    prefix = f"environments.{name}."
    yield from differences(
        ENVIRONMENT,
        list_settings(old),
        list_settings(new) if new is not None else {},
        prefix=prefix,
        shared=True,
    )
    one, other = (side.ca_file if side is not None else None for side in (old, new))
    if one is not None and one == other:
        contents = [hash_file(side.workspace.files, one) for side in (before, after)]
        if contents[0] != contents[1]:
            yield SettingChange(
                f"{prefix}caFile", one, f"{one} (other certificates)", (Effect.ROUTE,), True, True
            )


def ignore_comment_changes(before: Sides, after: Sides) -> Iterator[SettingChange]:
    """Comments by which lint and plan do not report a rule on a line, counted by file and rule."""
    old, new = (
        Counter(
            (comment.place.file, rule)
            for comment in read_ignore_comments(
                find_ignore_comments(side.workspace.files), lines_of(side.workspace)
            )
            for rule in comment.rules
        )
        for side in (before, after)
    )
    for file, rule in sorted({*old, *new}):
        was, now = old[file, rule], new[file, rule]
        if was != now:
            effect = Effect.LOOSENED if now > was else Effect.TIGHTENED
            key = f"{IGNORED} {rule} in {file}"
            yield SettingChange(key, f"{was:,}", f"{now:,}", (effect,), warns=now > was, shared=True)


def destination(environment: Environment | None) -> str | None:
    return " ".join(filter(None, (environment.provider, environment.endpoint))) if environment else None


def list_changes(before: Sides, after: Sides) -> list[ListChange]:
    """Of the lists that the project or an environment names, as they protect recipients in each environment."""
    environments = {**before.project.environments, **after.project.environments}
    found = []
    for name in environments:
        entries = []
        for side in (before, after):
            own = side.project.environments.get(name)
            given = [*side.project.suppressions, *(own.suppressions if own is not None else ())]
            entries.append(read_lists(side.lists, given))
        found += compare_lists(*entries)
    return merge(found)


def give_seen_effect(
    change: SettingChange, changes: Iterable[Change], environment: Environment
) -> SettingChange:
    """Settings that act through messages have no effect where no notification shows one."""
    own = f"environments.{environment.name}."
    if change.key.startswith("environments.") and not change.key.startswith(own):
        return change  # its messages are not composed here
    if not matches(change.key.removeprefix(own), ("vars.*", "senders.*", "defaults.*")):
        return change
    seen = {effect for each in changes for effect in each.effects}
    return change if seen & set(change.effects) else replace(change, effects=(Effect.NONE,))
