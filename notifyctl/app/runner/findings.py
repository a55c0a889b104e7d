"""What needs attention, in sentences, and its reports: each once in the log and by an alert, as the ledger's notices know.

A notice is written after its alert was accepted, so that a crash in between repeats an alert and never loses one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from notifyctl.app.ledger import actor_of, holder, ledger_store
from notifyctl.app.runner.alerts import post_alert
from notifyctl.app.runner.concerns import Concern, Concerns
from notifyctl.app.runner.events import EventKind, RunnerEvent
from notifyctl.app.workspace import Workspace, revision_of
from notifyctl.command_line import command_line
from notifyctl.errors import LedgerError, LedgerLockedError, NotifyctlError
from notifyctl.model.project import Environment
from notifyctl.model.recipients import Scope
from notifyctl.plan.missed import missed_notice
from notifyctl.plan.series import NOT_RECURRING, waits_for_acceptance
from notifyctl.plurals import pluralise
from notifyctl.ports import Clock
from notifyctl.views.reasons import spell_out

REPEATED = timedelta(days=1)
"""How often the count of unknown outcomes is repeated until they are resolved."""


class Finding(Struct, frozen=True):
    """`keys`: by which the ledger knows that it was reported. `text`: a sentence without a full stop. `repeats`: its line is
    repeated every day.
    """

    kind: EventKind
    keys: tuple[str, ...]
    text: str
    scope: Scope | None = None
    recipients: int = 0
    repeats: bool = False
    notes: tuple[str, ...] = ()
    """Further notices for the ledger."""

    @property
    def is_alert(self) -> bool:
        """Whether somebody must look; the others are only printed, once in each process."""
        return self.kind is not EventKind.BLOCKED


def describe(concerns: Concerns, environment: str) -> list[Finding]:
    """A finding for each occurrence, but one for all of a series that expired, or that wait for the same reason."""
    found = [describe_uncertain(each, environment) for each in concerns.uncertain]
    expired = (*concerns.expired, *concerns.standing)
    found += [describe_expired(group) for group in group_by_series(expired)]
    found += [describe_waiting(group, environment) for group in group_by_series(concerns.waiting)]
    found += [describe_blocked(group, environment) for group in group_by_series(concerns.blocked)]
    return found


def group_by_series(concerns: Iterable[Concern]) -> Iterator[list[Concern]]:
    """Those with the same reason together, by occurrence."""
    groups: dict[tuple[str, ...], list[Concern]] = {}
    for each in sorted(concerns, key=lambda each: each.scope):
        key = (each.scope.notification, each.scope.channel, each.why.partition(" ")[0], each.series)
        groups.setdefault(key, []).append(each)
    yield from groups.values()


def describe_uncertain(concern: Concern, environment: str) -> Finding:
    scope, who = concern.scope, pluralise(concern.recipients, "recipient")
    todo = command_line("resolve", scope.notification, env=environment, elsewhere=True)
    text = f"{name_of(scope)}: outcome unknown for {who}; to resolve, run: {todo}"
    return Finding(EventKind.UNCERTAIN, (concern.key,), text, scope, concern.recipients, repeats=True)


def describe_waiting(waiting: Sequence[Concern], environment: str) -> Finding:
    first = waiting[0]
    waits = "waits" if len(waiting) == 1 else "wait"
    text = f"{name_all(waiting)} {waits}: {spell_out(first.why)}"
    if waits_for_acceptance(first.why):
        text += (
            f"; to accept it, run: {command_line('accept', first.series, env=environment, elsewhere=True)}"
        )
    return finding_of(EventKind.WAITING, waiting, text)


def describe_blocked(blocked: Sequence[Concern], environment: str) -> Finding:
    first, who = blocked[0], pluralise(max(each.recipients for each in blocked), "recipient")
    text = f"{name_all(blocked)}: {who} blocked; to see why, run: {command_line('plan', env=environment, elsewhere=True)}"
    if first.why == NOT_RECURRING:
        text = f"{first.scope.notification}: {spell_out(first.why)}"
    return finding_of(EventKind.BLOCKED, blocked, text)


def describe_expired(lapsed: Sequence[Concern]) -> Finding:
    notes = tuple(missed_notice(each.scope, each.recipients) for each in lapsed if each.recipients)
    if len(lapsed) == 1:
        count = lapsed[0].recipients
        to = f" to {pluralise(count, 'recipient')}" if count else ""
        text = f"{name_all(lapsed)} expired before it was sent{to}"
    else:
        text = f"{name_all(lapsed)} expired before they were sent"
    return replace(finding_of(EventKind.EXPIRED, lapsed, text), notes=notes)


def finding_of(kind: EventKind, concerns: Sequence[Concern], text: str) -> Finding:
    keys = tuple(each.key for each in concerns)
    if len(concerns) == 1:
        return Finding(kind, keys, text, concerns[0].scope, concerns[0].recipients)
    return Finding(kind, keys, text)


def name_all(concerns: Sequence[Concern]) -> str:
    """One occurrence, or the first and the last of several of the same notification."""
    first, last = concerns[0].scope, concerns[-1].scope
    if len(concerns) == 1:
        return name_of(first)
    return f"{first.notification}, {len(concerns):,} occurrences from {first.occurrence} to {last.occurrence}"


def name_of(scope: Scope) -> str:
    return f"{scope.notification}, occurrence {scope.occurrence}"


class Reporter:
    """Reports findings once. Never raises for an alert that fails, or for a ledger that cannot be written."""

    def __init__(self, clock: Clock, report: Callable[[RunnerEvent], None]) -> None:
        self._clock = clock
        self._report = report
        self._said: dict[str, datetime] = {}
        """Key → when this process last printed it."""
        self._posted: set[str] = set()
        """Keys whose alert was accepted, and which are not in the ledger yet."""
        self._alert_problem: str | None = None
        """Why the last alert was not posted."""

    @property
    def is_pending(self) -> bool:
        """Whether there is an alert to post again, or to note."""
        return bool(self._alert_problem or self._posted)

    def review(
        self,
        workspace: Workspace,
        environment: Environment,
        findings: Iterable[Finding],
        notices: Mapping[str, datetime],
    ) -> list[Finding]:
        """Prints and posts what is new, and notes it in the ledger. Returns the findings that nobody was told of before."""
        new = []
        for finding in findings:
            unknown = [key for key in finding.keys if key not in notices]
            self._print(finding, known=not unknown)
            if unknown and finding.is_alert:
                new.append(finding)
                self._post(workspace, environment, finding, unknown)
        self._note(workspace, environment, notices)
        return new

    def tell(
        self,
        workspace: Workspace,
        environment: Environment,
        finding: Finding,
        notices: Mapping[str, datetime],
    ) -> None:
        """Posts an alert that was printed already, unless it is noted in the ledger."""
        if unknown := [key for key in finding.keys if key not in notices]:
            self._post(workspace, environment, finding, unknown)
            self._note(workspace, environment, notices)

    def _post(
        self, workspace: Workspace, environment: Environment, finding: Finding, unknown: Sequence[str]
    ) -> None:
        if not self._posted.issuperset(unknown) and self._alert(workspace, environment, finding.text):
            self._posted.update(unknown, finding.notes)

    def _print(self, finding: Finding, *, known: bool) -> None:
        now = self._clock.now()
        told = [self._said.get(key) for key in finding.keys]
        again = finding.repeats and any(each is None or abs(now - each) >= REPEATED for each in told)
        if again or (not known and None in told):
            counts = {"recipients": finding.recipients} if finding.recipients else {}
            self._report(RunnerEvent(now, finding.kind, finding.text, finding.scope, counts))
            self._said.update(dict.fromkeys(finding.keys, now))

    def _alert(self, workspace: Workspace, environment: Environment, text: str) -> bool:
        """Posts a line. Returns whether nobody need be told of it again: it was accepted, or there is no address."""
        where = f"{workspace.project.name}/{environment.name}" if workspace.project else environment.name
        try:
            post_alert(workspace, environment, f"notifyctl {where}: {text}")
        except NotifyctlError as error:
            if error.message != self._alert_problem:
                self._alert_problem = error.message
                self._report(RunnerEvent(self._clock.now(), EventKind.ALERT, error.message))
            return False
        self._alert_problem = None
        return True

    def _note(self, workspace: Workspace, environment: Environment, notices: Mapping[str, datetime]) -> None:
        """What cannot be noted now, because an apply by hand holds the lock, is noted after the next round."""
        self._posted -= notices.keys()
        if not self._posted:
            return
        store = ledger_store(workspace, environment)
        with suppress(LedgerError, LedgerLockedError):
            if not store.exists():
                if not environment.is_sandbox:
                    return  # only `ledger init` makes one
                store.create()
            revision, actor = revision_of(workspace), actor_of(workspace)
            with store.writer(holder(), revision=revision, actor=actor) as writer:
                for key in sorted(self._posted):
                    writer.note(key, at=self._clock.now())
            self._posted.clear()


def reasons(findings: Iterable[Finding]) -> Iterator[tuple[str, str]]:
    """For `/healthz`."""
    return ((each.kind.value, each.text) for each in findings if each.is_alert)
