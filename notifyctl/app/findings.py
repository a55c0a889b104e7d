"""What needs attention, in sentences, and its reports: each once in the log and by an alert, as the ledger's notices know.

A notice is written after its alert was accepted, so that a crash in between repeats an alert and never loses one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import groupby

from msgspec import Struct

from notifyctl.app.alerts import post_alert
from notifyctl.app.concerns import Concern, ConcernKind, Concerns
from notifyctl.app.ledger import actor_of, holder, ledger_store
from notifyctl.app.runner_events import EventKind, RunnerEvent
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
    """A finding for each occurrence, but one for all that expired of a series."""
    single = (*concerns.uncertain, *concerns.waiting, *concerns.blocked)
    found = [describe_one(each, environment) for each in single]
    expired = sorted((*concerns.expired, *concerns.standing), key=lambda each: each.scope)
    for _, group in groupby(expired, key=lambda each: (each.scope.notification, each.scope.channel)):
        found.append(describe_expired(list(group)))
    return found


def describe_one(concern: Concern, environment: str) -> Finding:
    scope, who = concern.scope, pluralise(concern.recipients, "recipient")
    if concern.kind is ConcernKind.UNCERTAIN:
        todo = command_line("resolve", scope.notification, env=environment, elsewhere=True)
        text = f"{name_of(scope)}: outcome unknown for {who}; to resolve, run: {todo}"
        return Finding(EventKind.UNCERTAIN, (concern.key,), text, scope, concern.recipients, repeats=True)
    if concern.kind is ConcernKind.BLOCKED:
        text = f"{name_of(scope)}: {who} blocked; to see why, run: {command_line('plan', env=environment, elsewhere=True)}"
        if concern.why == NOT_RECURRING:
            text = f"{scope.notification}: {spell_out(concern.why)}"
        return Finding(EventKind.BLOCKED, (concern.key,), text, scope, concern.recipients)
    text = f"{name_of(scope)} waits: {spell_out(concern.why)}"
    if waits_for_acceptance(concern.why):
        text += (
            f"; to accept it, run: {command_line('accept', concern.series, env=environment, elsewhere=True)}"
        )
    return Finding(EventKind.WAITING, (concern.key,), text, scope, concern.recipients)


def describe_expired(lapsed: Sequence[Concern]) -> Finding:
    first, last = lapsed[0], lapsed[-1]
    keys = tuple(each.key for each in lapsed)
    notes = tuple(missed_notice(each.scope, each.recipients) for each in lapsed if each.recipients)
    if first is last:
        to = f" to {pluralise(first.recipients, 'recipient')}" if first.recipients else ""
        text = f"{name_of(first.scope)} expired before it was sent{to}"
        return Finding(EventKind.EXPIRED, keys, text, first.scope, first.recipients, notes=notes)
    many = f"{len(lapsed):,} occurrences from {first.scope.occurrence} to {last.scope.occurrence}"
    text = f"{first.scope.notification}: {many} expired before they were sent"
    return Finding(EventKind.EXPIRED, keys, text, notes=notes)


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
