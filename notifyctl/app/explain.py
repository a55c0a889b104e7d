"""The use case of `explain --recipient`: how one recipient stands to each notification, and what they were sent."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from zoneinfo import ZoneInfoNotFoundError

from msgspec import Struct
from msgspec.structs import replace

from notifyctl.app.ledger import Facts, facts_of
from notifyctl.app.plan import Past, derive, refuse_unknown, schedule_zone, suppressions_of
from notifyctl.app.workspace import Workspace
from notifyctl.audience import SuppressionLists, open_audience
from notifyctl.audience.addresses import parse_listed
from notifyctl.audience.destination_rules import rules_of
from notifyctl.audience.former_addresses import known_keys
from notifyctl.audience.row_trace import RowOutcome, Trace, TracedRow, trace_address
from notifyctl.audience.suppression_trace import find_listings
from notifyctl.audience.suppressions import applicable_lists
from notifyctl.errors import ProjectError, UsageError
from notifyctl.lint.project import Checked, check_project
from notifyctl.model.events import Delivery, served_reason
from notifyctl.model.project import RECIPIENT_ZONE, ChannelName, Environment, Notification
from notifyctl.model.recipients import MEMBER_BYTES, Suppression
from notifyctl.plan.actions import AUTHORISED, Action
from notifyctl.plan.history import DeliveryRecord, Explained, Explanation, ServedRecord, Standing
from notifyctl.plan.model import Plan, Probed
from notifyctl.plan.statuses import MEMBER
from notifyctl.ports import LedgerReader
from notifyctl.recipients.zones import RecipientZones
from notifyctl.schedule.upcoming import Slot, slots_to_come

SKIPPED = 3
"""Slots without a send that are named before the next one."""


def explain(
    workspace: Workspace, environment: Environment, notification: str | None, address: str
) -> Explanation:
    """How a recipient stands to a notification, or to all of the project. Raises UsageError for an unknown name, and for an address
    that is not valid and in no audience.
    """
    project, text = workspace.sound, address.strip()
    refuse_unknown([notification] if notification is not None else [], project)
    wanted = [n for n in project.notifications.values() if notification in {None, n.name}]
    with facts_of(workspace, environment) as facts:
        search = Search.of(workspace, environment, facts, text)
        plan = search.plan(wanted)
        explained = [search.explain(each, plan) for each in wanted]
        search.refuse_nonsense(explained)
        elsewhere: tuple[str, ...] = ()
        if notification is not None and not explained[0].in_audience:
            others = [n for n in project.notifications.values() if n.name != notification]
            elsewhere = tuple(n.name for n in others if search.trace(n).recipient is not None)
        explained.sort(key=lambda each: (list(Standing).index(each.standing), each.notification))
        found = Explanation(plan, tuple(explained), elsewhere=elsewhere, has_ledger=facts.complete)
        return found if facts.reader is None else add_past(found, search, facts, facts.reader, notification)


def add_past(
    found: Explanation, search: Search, facts: Facts, reader: LedgerReader, notification: str | None
) -> Explanation:
    """The same with what the ledger has of the recipient: of one notification under all its names, or of everything."""
    past = Past(search.workspace.sound, facts)
    keys = search.ledger_keys(found.explained)
    names = (
        {scope.notification for scope in reader.scopes()}
        | {each.message.notification for each in reader.tests()}
        if notification is None
        else past.names(notification)
    )
    got = tuple(find_received(reader, names, keys))
    served = tuple(find_served(reader, names, keys))
    about = {each.scope.notification for each in got} | {each.scope.notification for each in served}
    for each in found.explained:
        if notification is not None or (each.trace is not None and each.trace.rows):
            about |= past.names(each.notification)
    decisions = tuple(each for each in reader.statements() if each.notification in about)
    recipients = set(reader.recipient_ids(sorted(keys)))
    tests = tuple(
        (each, each.message.values_of in recipients, each.message.sent_to in recipients)
        for each in reader.tests()
        if {each.message.values_of, each.message.sent_to} & recipients and each.message.notification in names
    )
    return replace(found, got=got, served=served, statements=decisions, tests=tests)


class Search(Struct, frozen=True):
    """What every notification is searched with. `text`: the address as it was typed."""

    workspace: Workspace
    environment: Environment
    facts: Facts
    text: str
    lists: SuppressionLists
    now: datetime
    checked: dict[str, Checked] = {}

    @classmethod
    def of(cls, workspace: Workspace, environment: Environment, facts: Facts, text: str) -> Search:
        # As in a plan without the ledger, which needs no secret.
        environ = None if facts.missing and not facts.complete else workspace.environ
        lists = suppressions_of(workspace, facts, environ=environ)
        return cls(workspace, environment, facts, text, lists, workspace.clock.now(), {})

    @property
    def is_email(self) -> bool:
        return "@" in self.text

    def concerns(self, notification: Notification) -> bool:
        """Whether the address is of the kind that the notification sends to."""
        return (notification.channel is ChannelName.EMAIL) is self.is_email

    def key(self, notification: Notification) -> str | None:
        """What the address is known by in the notification's audience; None if it is not valid there."""
        try:
            return parse_listed(self.text, notification.audience.region or self.workspace.sound.region).key
        except ValueError:
            return None

    def keys(self) -> frozenset[str]:
        found = (self.key(each) for each in self.workspace.sound.notifications.values())
        return frozenset(filter(None, found))

    def ledger_keys(self, explained: Sequence[Explained]) -> set[str]:
        """What a ledger may know the recipient by: also by keys that former versions made of the cells of their rows."""
        keys = {known for key in self.keys() for known in known_keys(self.text, key)}
        rows = [row for each in explained if each.trace is not None for row in each.trace.rows]
        return keys | {former for row in rows for former in row.former_keys}

    def plan(self, wanted: Sequence[Notification]) -> Plan:
        """The whole plan: what it decides of one recipient depends on others too, for example on limits."""
        synthetic = self.facts.missing and not self.facts.complete
        names = tuple(each.name for each in wanted)
        checked = check_project(
            self.workspace.sound,
            environment=self.environment,
            files=self.workspace.files,
            only=names,
            synthetic=synthetic,
            environ=self.lists.environ,
            suppressions=self.lists,
            now=self.now,
        )
        self.checked.update(dict.fromkeys(names, checked))
        return derive(
            self.workspace,
            self.environment,
            self.facts,
            only=names,
            as_of=self.now,
            probe=self.keys(),
            checked=checked,
            suppressions=self.lists,
        )

    def trace(self, notification: Notification) -> Trace:
        """The rows of the notification's audience that hold the address. Raises ProjectError if it is not available."""
        if not self.concerns(notification):
            return Trace()
        rules = rules_of(self.lists, self.workspace.sound, self.environment, notification, self.now)
        files, audience = self.workspace.files, notification.audience
        checked = self.checked.get(notification.name)
        messages = checked.messages[notification.name].values() if checked is not None else ()
        whole, counted = (
            open_audience(
                each,
                files,
                suppressed=rules.suppressed,
                fence=rules.fence,
                fallback=rules.fallback,
                environ=self.lists.environ,
            )
            for each in (replace(audience, where=None), audience)
        )
        return trace_address(
            whole,
            counted,
            files,
            notification.channel,
            text=self.text,
            key=self.key(notification),
            names={name for message in messages for name in message.names},
        )

    def explain(self, notification: Notification, plan: Plan) -> Explained:
        source = notification.audience.source
        found = Explained(
            notification=notification.name,
            channel=notification.channel,
            edition=notification.edition,
            audience=notification.audience.name,
            source=source.file if source is not None else notification.audience.positions.file,
            standing=Standing.OTHER_CHANNEL,
            where=notification.audience.where,
        )
        if not self.concerns(notification):
            return found
        try:
            trace = self.trace(notification)
        except ProjectError as error:
            return replace(found, standing=Standing.UNKNOWN, problem=error.message)
        found = replace(found, trace=trace)
        row = trace.recipient
        if row is None:
            return replace(found, standing=standing_without(trace))
        probed = tuple(each for each in plan.probed if each.scope.notification == notification.name)
        found = self.add_slots(found, notification, row)
        found = self.add_suppressions(found, notification)
        withdrawn = Past(self.workspace.sound, self.facts).withdrawal(notification)
        found = replace(found, withdrawn=withdrawn)
        if found.next is not None and {each.action for each in probed} == {Action.EXPIRED}:
            found, probed = replace(found, missed=probed[-1]), ()
        if probed:
            found = replace(found, waits=why_waiting(plan, notification, probed))
            return replace(found, standing=Standing.PLANNED, probed=probed)
        if withdrawn is not None:
            return replace(found, standing=Standing.WITHDRAWN)
        waiting = row.suppression is None
        if waiting:
            found = replace(found, waits=why_waiting(plan, notification, None))
        about = (each for each in plan.foreseen if each.scope.notification == notification.name)
        found = replace(found, foreseen=next(about, None))
        return replace(found, standing=Standing.WAITING if waiting else Standing.SUPPRESSED)

    def add_slots(self, found: Explained, notification: Notification, row: TracedRow) -> Explained:
        """The next slot of the schedule for the recipient, in their time zone if the schedule follows it."""
        schedule = notification.schedule
        if schedule is None:
            return found
        zone, source = schedule_zone(self.workspace.sound, notification), None
        if schedule.timezone == RECIPIENT_ZONE:
            own = RecipientZones(notification, self.workspace.sound.timezone).find(row.timezone, row.key)
            zone, source = own.name, own.source
        with suppress(ZoneInfoNotFoundError, ValueError):
            next_slot, skipped = first_slot(slots_to_come(schedule, zone, now=self.now))
            return replace(
                found, zone=zone, zone_source=source, next=next_slot, skipped=tuple(skipped[:SKIPPED])
            )
        return found

    def add_suppressions(self, found: Explained, notification: Notification) -> Explained:
        """Where it is said that the recipient is not sent to."""
        row = found.trace.recipient if found.trace is not None else None
        if row is None or (row.suppression is None and row.fallback is None):
            return found
        if row.suppression == Suppression.FENCED:
            return replace(found, fence=self.environment.positions.location("fence"))
        keys = self.ledger_keys([found])
        channel = notification.channel if row.suppression is not None else ChannelName.SMS
        listings = find_listings(
            self.lists,
            applicable_lists(self.workspace.sound, self.environment, notification),
            channel,
            notification.template.category,
            self.now,
            keys=keys,
        )
        return replace(
            found,
            listings=tuple(each for each in listings if each.applies),
            opt_outs=tuple(self.find_opt_outs(channel, keys)),
        )

    def find_opt_outs(self, channel: ChannelName, keys: Collection[str]) -> Iterator[tuple[str, datetime]]:
        """What receipts reported of the recipient."""
        reader = self.facts.reader
        if reader is None:
            return
        recipients, reasons = set(reader.recipient_ids(sorted(keys))), self.workspace.sound.opt_out_on
        for recipient, where, reason, at in reader.opt_outs():
            if recipient in recipients and where == channel.value and reason in reasons:
                yield str(reason), at

    def refuse_nonsense(self, explained: Sequence[Explained]) -> None:
        """Raises UsageError for an address that is not valid, unless some row has it as it was typed."""
        if self.keys() or any(each.trace is not None and each.trace.rows for each in explained):
            return
        try:
            parse_listed(self.text, self.workspace.sound.region)
        except ValueError as error:
            raise UsageError(
                f"not a valid address, and no audience has it as it was typed: {error}",
                hint="write a phone number with + and its country code, or an email address",
            ) from error


def why_waiting(plan: Plan, notification: Notification, probed: Sequence[Probed] | None) -> str | None:
    """What a recurring notification lacks to be sent to a recipient without confirmation. `probed`: what is decided of them; None: no
    occurrence is due.
    """
    series = next((each for each in plan.series if each.name == notification.name), None)
    if series is None or (probed is not None and not any(each.action in AUTHORISED for each in probed)):
        return None
    concerned = {each.scope.occurrence for each in probed or ()}
    of_occurrence = (
        each.waits
        for each in plan.notifications
        if each.name == notification.name and each.occurrence in concerned and each.waits
    )
    return series.missing or next(of_occurrence, None)


def standing_without(trace: Trace) -> Standing:
    """Of an address without a row that counts."""
    outcomes = {row.outcome for row in trace.rows}
    if RowOutcome.REJECTED in outcomes:
        return Standing.REJECTED
    return Standing.FILTERED if RowOutcome.FILTERED in outcomes else Standing.ABSENT


def first_slot(slots: Iterator[Slot]) -> tuple[Slot | None, list[Slot]]:
    """The first slot at which something is sent, and those before it at which nothing is."""
    skipped: list[Slot] = []
    for slot in slots:
        if slot.skipped is None:
            return slot, skipped
        skipped.append(slot)
    return None, skipped


def find_served(
    reader: LedgerReader, names: Collection[str], keys: Collection[str]
) -> Iterator[ServedRecord]:
    """The scopes in which a baseline counts the recipient, under any of their keys, as served."""
    recipients = set(reader.recipient_ids(sorted(keys)))
    for scope in reader.scopes():
        if scope.notification in names and any(
            member in recipients
            for packed in reader.served(scope)
            for member, _ in MEMBER.iter_unpack(packed)
        ):
            yield ServedRecord(scope, served_reason(reader.statements(), scope))


def find_received(
    reader: LedgerReader, names: Collection[str], keys: Collection[str]
) -> Iterator[DeliveryRecord]:
    recipients = set(reader.recipient_ids(sorted(keys)))
    revisions = {run.epoch: run.revision for run in reader.runs()}
    for scope in reader.scopes():
        if scope.notification not in names:
            continue
        for batch in reader.facts(scope):
            verdicts = reader.verdicts(batch.number) if batch.others else {}
            for position in range(len(batch.members) // MEMBER_BYTES):
                member, fingerprint = MEMBER.unpack_from(batch.members, position * MEMBER_BYTES)
                if member in recipients:
                    yield DeliveryRecord(
                        scope=scope,
                        batch=batch.number,
                        attempt=batch.attempt,
                        state=batch.others.get(position, batch.state),
                        at=batch.at,
                        reason=batch.reason,
                        fingerprint=fingerprint.hex(),
                        revision=revisions.get(batch.epoch),
                        delivery=reader.deliveries(batch.number).get(position, Delivery()),
                        verdict=verdicts.get(position),
                    )
