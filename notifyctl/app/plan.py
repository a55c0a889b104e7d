"""`plan` as a use case: read the facts, compose the messages, open the audiences, and hand all of it to the planner."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256

from msgspec import Struct
from msgspec.structs import replace

from notifyctl.app.ineffective_statements import find_without_effect
from notifyctl.app.ledger import Facts, facts_of, no_ledger
from notifyctl.app.lint import apply_severities, find_advice
from notifyctl.app.names import expand_names, refuse_unknown_name
from notifyctl.app.workspace import Workspace, errors_in_project
from notifyctl.audience import SuppressionLists
from notifyctl.audience.destination_rules import JudgedCopies
from notifyctl.diagnostics import Diagnostic, Severity, has_errors, sort_diagnostics
from notifyctl.hashing import RecipientHasher
from notifyctl.lint.project import Checked, check_project, compose_former
from notifyctl.lint.secrets_mask import mask_diagnostics
from notifyctl.lint.substituted_messages import SubstitutedMessages, find_blocked
from notifyctl.model.events import Statement, StatementKind
from notifyctl.model.ledger import BatchRecord
from notifyctl.model.message import Message
from notifyctl.model.project import RECIPIENT_ZONE, ChannelName, Environment, Notification, Project
from notifyctl.model.recipients import Scope
from notifyctl.plan.inputs import (
    FindBlocked,
    FollowUp,
    LedgerRecords,
    PlanContext,
    RecordedAudience,
    RemovedScope,
    ScopeInput,
    ScopeRecords,
)
from notifyctl.plan.ledger_join import count_unsettled
from notifyctl.plan.model import Plan
from notifyctl.plan.planner import build_plan
from notifyctl.plan.prices import PriceList, read_prices
from notifyctl.plan.sending_hours import hours_of
from notifyctl.plan.series import Series, judge_series, make_series
from notifyctl.ports import Environ
from notifyctl.rulebook.envelope import PLUS
from notifyctl.rulebook.sms import NEEDS_UNICODE
from notifyctl.schedule.data_versions import data_versions
from notifyctl.schedule.horizon import Span, authorised_span
from notifyctl.schedule.slots import EAST, ONCE, Occurrence
from notifyctl.schedule.timing import local_time, occurrences
from notifyctl.schedule.zones import Readings, to_local

LISTED_AHEAD = timedelta(days=7)
"""How far after the horizon the next occurrences are listed."""


def make_plan(
    workspace: Workspace,
    environment: Environment,
    *,
    only: tuple[str, ...] = (),
    offline: bool = False,
) -> Plan:
    """Plan against the ledger; `offline` without it. Raises ProjectError, UsageError or LedgerError."""
    with facts_of(workspace, environment, offline=offline) as facts:
        if facts.missing and not offline and not environment.is_sandbox:
            raise no_ledger(environment, planning=True)
        before = facts.serial
        plan = derive(workspace, environment, facts, only=only)
        return replace(plan, records_added=facts.serial - before)


def derive(
    workspace: Workspace,
    environment: Environment,
    facts: Facts,
    *,
    only: tuple[str, ...] = (),
    as_of: datetime | None = None,
    fresh_only: bool = False,
    probe: frozenset[str] = frozenset(),
    checked: Checked | None = None,
    suppressions: SuppressionLists | None = None,
    accepted_only: bool = False,
) -> Plan:
    """The plan from the files and the ledger as they are now.

    `probe`: normalised addresses of which the plan is to say what it decides. `checked`: the result of `check_project`, if there is one already.
    `suppressions`: the lists, where somebody watches them. `accepted_only`: what is not accepted is blocked.
    """
    project = workspace.sound
    only = expand_names(only, project.notifications)
    now = as_of or workspace.clock.now()
    if checked is None:
        # A plan without the ledger is only read, so it shows texts even if an audience is absent.
        synthetic = facts.missing and not facts.complete
        checked = check_project(
            project,
            environment=environment,
            files=workspace.files,
            only=only,
            synthetic=synthetic,
            environ=None if synthetic else workspace.environ,
            suppressions=suppressions
            or suppressions_of(workspace, facts, environ=None if synthetic else workspace.environ),
            now=now,
        )
    prices, unpriced = prices_of(workspace, environment)
    past = Past(project, facts)
    found = [*workspace.diagnostics, *checked.diagnostics, *unpriced]
    if facts.complete:
        found += find_without_effect(project, facts.scopes, facts.statements, earlier_names=past.names)
    further = apply_severities(workspace, project.lint, find_advice(workspace, environment, checked))
    problems = mask_diagnostics(
        sort_diagnostics(
            [
                *apply_severities(workspace, project.lint, found),
                *(each for each in further if each.severity is Severity.ERROR),
            ]
        )
    )
    if has_errors(problems):
        raise errors_in_project(problems)
    wanted = {name: n for name, n in project.notifications.items() if not only or name in only}
    span = authorised_span(now, project.timezone)
    likenesses = facts.likenesses()

    factories = {
        name: scope_factory(
            project,
            notification,
            checked,
            past,
            former_messages=partial(
                compose_former,
                project,
                notification,
                checked.messages[notification.name],
                environment=environment,
                files=workspace.files,
                columns=tuple(checked.audiences[notification.name].variables),
            ),
            profile=environment.profile,
            require_plus=environment.limits.require_plus,
            fresh_only=fresh_only,
            likenesses=likenesses,
        )
        for name, notification in wanted.items()
    }
    inputs = [
        factories[name](occurrence)
        for name, notification in wanted.items()
        for occurrence in occurrences_of(project, notification, span)
    ]
    context = PlanContext(
        project=project.name,
        environment=environment,
        provider=provider_identity(environment),
        lineage=facts.lineage,
        as_of=now,
        made_at=workspace.made_at,
        complete=facts.complete,
        probe=probe,
        timezone=project.timezone,
        knows_former_keys=facts.knows_former_keys,
        versions=data_versions(each.schedule for each in wanted.values()),
        prices=prices,
        needs_gsm7=project.lint.get(NEEDS_UNICODE.id, Severity.ERROR) == Severity.ERROR,
        show_progress=workspace.show_progress,
        span=span if any(is_recurring(each) for each in wanted.values()) else None,
        later=sorted(later_occurrences(project, wanted.values(), span), key=order_of_later),
        series={
            name: judge_series(
                series_of(workspace, environment, notification, checked.messages[name]),
                facts.acceptances,
                now=now,
            )
            for name, notification in wanted.items()
            if is_recurring(notification)
        },
        accepted_only=accepted_only,
    )
    removed = [] if only else list(past.find_removed({each.scope for each in inputs}))
    plan = build_plan(
        context,
        inputs,
        identify=facts.identify,
        removed=removed,
        follow_ups=[
            FollowUp(notification, project.timezone, factories[name])
            for name, notification in wanted.items()
            if has_time(notification)
        ],
        diagnostics=problems,
    )
    hours = (
        hours_of(project, each, now=now, zone=schedule_zone(project, each))
        for _, each in sorted(wanted.items())
    )
    return replace(plan, hours=tuple(each for each in hours if each is not None))


def suppressions_of(workspace: Workspace, facts: Facts, *, environ: Environ | None) -> SuppressionLists:
    """The project's lists, and whom receipts opted out; those with the ledger's own hashes need the ledger."""
    hasher = facts.identify if facts.complete and isinstance(facts.identify, RecipientHasher) else None
    return SuppressionLists(
        workspace.files, environ, hasher, facts.opt_outs(workspace.sound.opt_out_on), workspace.sound.region
    )


def prices_of(workspace: Workspace, environment: Environment) -> tuple[PriceList | None, list[Diagnostic]]:
    """The environment's price list; None where it names none."""
    if environment.pricing is None:
        return None, []
    return read_prices(workspace.files, environment.pricing, environment.positions)


def series_of(
    workspace: Workspace,
    environment: Environment,
    notification: Notification,
    messages: Mapping[str | None, Message],
) -> Series:
    """The series of a recurring notification, without its acceptance."""
    trusted = None
    if environment.ca_file is not None:
        with suppress(OSError):
            trusted = sha256(workspace.files.read(environment.ca_file)).hexdigest()
    return make_series(
        workspace.sound,
        environment,
        notification,
        messages,
        provider=provider_identity(environment),
        trusted=trusted,
    )


def provider_identity(environment: Environment) -> str:
    """What a reviewed plan is bound to. The embedded sandbox's port changes with each run and is no part of it."""
    return " ".join(filter(None, (environment.provider, environment.endpoint)))


def refuse_unknown(only: Sequence[str], project: Project) -> None:
    for name in only:
        refuse_unknown_name(name, project.notifications)


class Past(Struct, frozen=True):
    """The ledger's records by notification. After a `Moved` document a new name has the records of the old ones."""

    project: Project
    facts: Facts

    def names(self, notification: str) -> set[str]:
        """A notification's name and its earlier ones, by `Moved` documents and by moves that the ledger recorded."""
        moves = [(move.source, move.target) for move in self.project.moved]
        moves += [(s.detail, s.notification) for s in self.facts.statements if s.kind is StatementKind.MOVED]
        known = {notification}
        while found := {source for source, target in moves if target in known} - known:
            known |= found
        return known

    def list_statements(self, kind: StatementKind, notification: Notification) -> list[Statement]:
        names = self.names(notification.name)
        return [
            each
            for each in self.facts.statements
            if each.kind is kind and each.notification in names and each.edition == notification.edition
        ]

    def withdrawal(self, notification: Notification) -> str | None:
        """Why an edition is withdrawn: the reason in a document, else in the ledger."""
        names = self.names(notification.name)
        documents = [
            each.reason
            for each in self.project.withdrawals
            if each.notification in names and each.edition == notification.edition
        ]
        in_ledger = [each.detail for each in self.list_statements(StatementKind.WITHDRAW, notification)]
        return next(iter([*documents, *in_ledger]), None)

    def pending_baseline(self, notification: Notification) -> str | None:
        """The reason of a baseline that no apply has recorded yet."""
        if self.recorded_baseline(notification) is not None:
            return None
        names = self.names(notification.name)
        for each in self.project.baselines:
            if each.notification in names and each.edition == notification.edition:
                return each.reason
        return None

    def recorded_baseline(self, notification: Notification) -> str | None:
        """The reason of the baseline that an apply has recorded."""
        recorded = [each.detail for each in self.list_statements(StatementKind.BASELINE, notification)]
        return next(iter(recorded), None)

    def higher_edition(self, notification: Notification) -> int | None:
        """The highest edition that was opened on any channel, where it is above the notification's."""
        higher = (
            scope.edition
            for scope in self.scopes(notification.name)
            if scope.edition > notification.edition and self.facts.opening(scope) is not None
        )
        return max(higher, default=None)

    def find_vanished(self, channel: ChannelName) -> dict[str, list[ScopeRecords]]:
        """The records of names that are no longer defined."""
        defined = {name for each in self.project.notifications for name in self.names(each)}
        gone: dict[str, list[ScopeRecords]] = {}
        for scope in self.facts.scopes:
            if scope.notification not in defined and scope.channel is channel:
                gone.setdefault(scope.notification, []).append(self.scope_records(scope))
        return gone

    def find_alike(
        self, notification: Notification, likenesses: Mapping[Scope, Sequence[int]]
    ) -> list[tuple[ScopeRecords, Sequence[int]]]:
        """The scopes to compare the texts of a new name or edition with; none if an occurrence of it was opened."""
        names = self.names(notification.name)
        own = (scope for scope in self.scopes(notification.name) if scope.edition == notification.edition)
        if any(self.facts.opening(scope) is not None for scope in own):
            return []
        return [
            (self.scope_records(scope), likeness)
            for scope, likeness in likenesses.items()
            if scope.channel is notification.channel
            and not (scope.notification in names and scope.edition >= notification.edition)
        ]

    def scope_records(self, scope: Scope) -> ScopeRecords:
        return ScopeRecords(scope, partial(self.facts.batches, scope), partial(self.facts.served, scope))

    def scopes(self, notification: str) -> Iterator[Scope]:
        names = self.names(notification)
        return (scope for scope in self.facts.scopes if scope.notification in names)

    def records(
        self,
        scope: Scope,
        vanished: Mapping[str, Sequence[ScopeRecords]],
        alike: Sequence[tuple[ScopeRecords, Sequence[int]]],
        known: Sequence[Scope],
        is_same: Callable[[str], bool],
    ) -> LedgerRecords:
        """The ledger's records of one scope, read on demand. `known`: the notification's scopes. `is_same`: whether the id of an
        occurrence stands for this one.
        """
        edition = [past for past in known if same_edition(past, scope)]
        same = [past for past in edition if is_same(past.occurrence)]
        beside = [
            past for past in edition if past not in same and are_near(past.occurrence, scope.occurrence)
        ]
        lower = [past for past in known if past.edition < scope.edition and past.channel is scope.channel]
        return LedgerRecords(
            batches=partial(self._batches, same),
            served=lambda: (members for past in same for members in self.facts.served(past)),
            recorded=self._recorded(same),
            earlier=partial(self._batches, lower),
            own=[self.scope_records(past) for past in known if past.channel is scope.channel],
            vanished=vanished,
            alike=alike,
            beside=[self.scope_records(past) for past in beside],
            begins=self.facts.begins,
        )

    def _batches(self, scopes: Sequence[Scope]) -> Iterator[BatchRecord]:
        for scope in scopes:
            yield from self.facts.batches(scope)

    def _recorded(self, scopes: Sequence[Scope]) -> RecordedAudience | None:
        openings = {past: opening for past in scopes if (opening := self.facts.opening(past)) is not None}
        if not openings:
            return None
        return RecordedAudience(
            held=[opening.held for opening in openings.values()],
            epochs={past: opening.epoch for past, opening in openings.items()},
        )

    def find_removed(self, planned: set[Scope]) -> Iterator[RemovedScope]:
        """Recorded scopes outside the plan, such as those of a removed notification, with unresolved recipients."""
        defined = {name for n in self.project.notifications for name in self.names(n)}
        for scope in self.facts.scopes:
            if scope in planned:
                continue
            recorded = b"" if scope.notification in defined else self.facts.recorded(scope) or b""
            found = count_unsettled(partial(self.facts.batches, scope), recorded)
            if found.uncertain or found.never_begun:
                yield RemovedScope(scope, found.uncertain, found.withdrawn)


def same_edition(one: Scope, other: Scope) -> bool:
    return (one.edition, one.channel) == (other.edition, other.channel)


def are_near(one: str, other: str) -> bool:
    """Whether two ids are of the same day or of days that follow each other."""
    if ONCE in {one, other}:
        return False
    return abs(local_time(one).date() - local_time(other).date()) <= timedelta(days=1)


def scope_factory(
    project: Project,
    notification: Notification,
    checked: Checked,
    past: Past,
    *,
    former_messages: Callable[[], Mapping[str | None, Message]],
    profile: str,
    require_plus: bool,
    fresh_only: bool = False,
    likenesses: Mapping[Scope, Sequence[int]],
) -> Callable[[Occurrence], ScopeInput]:
    """Makes the input for an occurrence; what all occurrences share is looked up once."""
    pending = past.pending_baseline(notification)
    withdrawn = past.withdrawal(notification)
    recorded = past.recorded_baseline(notification)
    higher = past.higher_edition(notification)
    alike = past.find_alike(notification, likenesses)
    vanished = past.find_vanished(notification.channel)
    blocked = checks_of(project, notification, checked, profile=profile)
    known = list(past.scopes(notification.name))
    own = Scope(notification.name, notification.edition, ONCE, notification.channel)
    opened = {each.occurrence for each in known if same_edition(each, own)}

    def scope_input(occurrence: Occurrence) -> ScopeInput:
        scope = replace(own, occurrence=occurrence.id)
        return ScopeInput(
            notification=notification,
            scope=scope,
            occurrence=occurrence,
            messages=checked.messages[notification.name],
            audience=checked.audiences[notification.name],
            locale=project.locale,
            zone=project.timezone,
            records=past.records(
                scope, vanished, alike, known, readings_of(project, notification, occurrence)
            ),
            former_messages=former_messages,
            withdrawn=withdrawn,
            baseline=pending,
            find_blocked=blocked,
            require_plus=require_plus and project.lint.get(PLUS.id, Severity.ERROR) == Severity.ERROR,
            copies=checked.copies.get(notification.name, JudgedCopies()),
            recorded_baseline=recorded,
            higher_edition=higher,
            fresh_only=fresh_only,
            opened=opened,
        )

    return scope_input


def checks_of(
    project: Project, notification: Notification, checked: Checked, *, profile: str
) -> dict[str | None, FindBlocked]:
    """The rules over finished texts, as lint has them."""
    most = notification.policy.max_segments if notification.policy is not None else None
    return {
        variant: partial(
            find_blocked, SubstitutedMessages(message, profile=profile, max_segments=most), project.lint
        )
        for variant, message in checked.messages[notification.name].items()
    }


def readings_of(
    project: Project, notification: Notification, occurrence: Occurrence
) -> Callable[[str], bool]:
    """Whether an id in the ledger stands for an occurrence; with `timezone: recipient` other ids do for some recipients only."""
    if occurrence.id == ONCE or occurrence.due is None:
        return occurrence.id.__eq__
    return Readings.of(occurrence.due, schedule_zone(project, notification)).include


def schedule_zone(project: Project, notification: Notification) -> str:
    """The zone of a notification's schedule; the project's for `timezone: recipient`."""
    zone = notification.schedule.timezone if notification.schedule else None
    return project.timezone if zone is None or zone == RECIPIENT_ZONE else zone


def occurrences_of(project: Project, notification: Notification, span: Span) -> list[Occurrence]:
    return occurrences(notification.schedule, zone=schedule_zone(project, notification), span=span)


def is_recurring(notification: Notification) -> bool:
    return notification.schedule is not None and notification.schedule.recurs


def has_time(notification: Notification) -> bool:
    schedule = notification.schedule
    return schedule is not None and schedule.has_time


def later_occurrences(
    project: Project, notifications: Iterable[Notification], span: Span
) -> Iterator[tuple[str, str, datetime | None]]:
    """Slots of recurring schedules after the horizon. Those of each recipient's zone have no moment."""
    later = Span(span.end, span.end + LISTED_AHEAD)
    for notification in filter(is_recurring, notifications):
        zone = schedule_zone(project, notification)
        for slot in occurrences_of(project, notification, later):
            if slot.due is None and local_time(slot.id) >= to_local(later.start, zone) + EAST:
                yield notification.name, slot.id, None
            elif slot.due is not None and slot.due >= later.start:
                yield notification.name, slot.id, slot.due


def order_of_later(entry: tuple[str, str, datetime | None]) -> tuple[str, str]:
    return entry[1], entry[0]
