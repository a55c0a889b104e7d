"""`run`: applies what is accepted and due, round after round. Its only memory is the ledger, so it can be killed at any moment.

A round reads the project and plans. Only if there is something to send, it takes the ledger's lock and applies. Between rounds it
sleeps until something is due, but wakes often: suspends and set clocks are noticed, and each decision is made by the wall clock of
that moment. After a jump back nothing is sent again, because the ledger has it; after a jump forward, what is too late expires.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from traceback import extract_tb

from msgspec import Struct

from notifyctl.app.apply import Applied, apply, find_store
from notifyctl.app.ledger import facts_of, ledger_store
from notifyctl.app.plan import derive
from notifyctl.app.receipts.folding import fold_waiting
from notifyctl.app.runner.concerns import find_concerns
from notifyctl.app.runner.events import EventKind, Health, RunnerEvent
from notifyctl.app.runner.findings import Finding, Reporter, describe, name_of, reasons
from notifyctl.app.runner.project_sources import ProjectSource
from notifyctl.app.workers.campaign import workers_live
from notifyctl.app.workspace import Workspace
from notifyctl.apply.run import Event, Report, Stop
from notifyctl.diagnostics import Severity
from notifyctl.errors import LedgerLockedError, NotifyctlError, ProjectError, UsageError
from notifyctl.model.project import Environment
from notifyctl.plan.model import Plan
from notifyctl.plan.upcoming import next_due
from notifyctl.plurals import pluralise
from notifyctl.ports import Clock
from notifyctl.schedule.moments import format_time

FOLDED_AT_ONCE = 50
"""Pages of receipts that are recorded between two rounds. Before a plan, all are."""
LONGEST_SLEEP = 30.0
"""Seconds between two looks at the clock, the project and the ledger."""
REFRESH = timedelta(minutes=10)
"""How long a plan holds if nothing seems to have changed: rows of a database and receipts change without a sign."""
REFRESH_FACTOR = 20
"""A plan that takes long is made less often: a twentieth of the time is spent on it."""
FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=30), timedelta(minutes=10)
LOCK_RETRY = timedelta(seconds=5)
ALERT_RETRY = timedelta(minutes=1)
SHORTEST_SLEEP = 0.05
JUMP = timedelta(seconds=5)
"""By how much the wall clock must differ from the time that passed for it to be reported."""
FETCH_PATIENCE = timedelta(minutes=15)
"""How long a remote repository can be out of reach before an alert."""


class Retry(Struct):
    """When to try again what failed, later each time."""

    failures: int = 0
    at: datetime | None = None

    def put_off(self, now: datetime) -> None:
        self.at = now + min(FIRST_RETRY * 2 ** min(self.failures, 10), LONGEST_RETRY)
        self.failures += 1

    def reset(self) -> None:
        self.failures, self.at = 0, None


class Runner:
    """The rounds of one `run`. `environment`: its name. `once`: there is one round, and its errors are raised. `busy`: told when
    sending begins, and when it has ended.
    """

    def __init__(
        self,
        source: ProjectSource,
        environment: str,
        *,
        clock: Clock,
        report: Callable[[RunnerEvent], None],
        stop: Stop,
        busy: Callable[[bool], None],
        once: bool = False,
    ) -> None:
        self._source = source
        self._environment = environment
        self._clock = clock
        self._report = report
        self._stop = stop
        self._busy = busy
        self._once = once
        self._reporter = Reporter(clock, report)
        self._retry = Retry()
        self._seen: tuple[object, ...] | None = None
        """What the last plan was made of, as far as it can be told at a glance."""
        self._due: datetime | None = None
        self._refresh_at: datetime | None = None
        self._clocks: tuple[datetime, float] | None = None
        self._place: tuple[Workspace, Environment] | None = None
        """Of the last project that could be read: where alerts go while it cannot."""
        self._revision: str | None = None
        """The commit that was read last, where it is not the working tree."""
        self._failure: Finding | None = None
        """Why the last round failed."""
        self._unfetched: Finding | None = None
        """Why the remote repository cannot be reached."""
        self._findings: list[Finding] = []
        self._locked = False
        self.newly_expired = 0
        """Occurrences, or series with several, that were found to have expired unsent for the first time."""
        self.health = Health(environment)

    @property
    def place(self) -> tuple[Workspace, Environment] | None:
        """The project and environment of the last round; None before the first one."""
        return self._place

    def run(self) -> None:
        """Rounds until a stop is requested. Raises KeyboardInterrupt if a signal comes while nothing is being sent."""
        while not self._stop.requested:
            self.look()
            if not self._stop.requested:
                self._clock.sleep(self._pause())

    def look(self) -> Applied | None:
        """A round, if there is a reason for one. Raises only with `once`, or for a wrong command line."""
        now = self._clock.now()
        jumped = self._notice_jump(now)
        try:
            if self._place is not None:
                fold_waiting(*self._place, pages=FOLDED_AT_ONCE)
            seen = self._glance()
            if not (jumped or seen != self._seen or self._is_time(now)):
                return None
            self._take_up(seen, now)
            applied = self._round()
            self._seen = self._glance()
        except LedgerLockedError as error:
            if self._once:
                raise
            self._wait_for_lock(error)
            return None
        except Exception as error:  # a defect must not end a service without a word
            self._fail(error)
            if self._once or (isinstance(error, UsageError) and self._place is None):
                raise
            return None
        finally:
            self._update_health()
        return applied

    # When

    def _pause(self) -> float:
        now = self._clock.now()
        moments = filter(None, (self._due, self._retry.at, self._refresh_at))
        return max(min([LONGEST_SLEEP, *((each - now).total_seconds() for each in moments)]), SHORTEST_SLEEP)

    def _is_time(self, now: datetime) -> bool:
        return any(each is not None and each <= now for each in (self._due, self._retry.at, self._refresh_at))

    def _take_up(self, seen: tuple[object, ...], now: datetime) -> None:
        """The reasons for this round are none for the next one; if it fails, there is a retry for that."""
        self._seen = seen
        self._due = self._due if self._due is not None and self._due > now else None
        self._refresh_at = None

    def _notice_jump(self, now: datetime) -> bool:
        """Whether the wall clock was set, or the machine slept, since the last look."""
        before, self._clocks = self._clocks, (now, self._clock.monotonic())
        if before is None:
            return False
        jump = (now - before[0]) - timedelta(seconds=self._clocks[1] - before[1])
        if abs(jump) < JUMP:
            return False
        way = "forward" if jump > timedelta() else "back"
        seconds = f"{abs(jump).total_seconds():,.0f} s"
        self._say(
            EventKind.CLOCK, f"the clock moved {way} by {seconds}, or the machine slept; planning again"
        )
        return True

    def _glance(self) -> tuple[object, ...]:
        """Differs from the last time if files, acceptances or decisions may have changed. Raises NotifyctlError."""
        version = self._source.version()
        self._judge_fetching()
        if self._place is None:
            return (version,)
        store = ledger_store(*self._place)
        if not store.exists():
            return version, None
        reader = store.reader()
        try:
            return version, len(reader.runs())
        finally:
            reader.close()

    # A round

    def _round(self) -> Applied:
        """Plans, applies what is due, and plans again to see what is left. Raises NotifyctlError."""
        started = self._clock.monotonic()
        workspace = self._source.read()
        environment = workspace.environment(self._environment)
        if workspace.revision is not None and workspace.revision != self._revision:
            self._revision = workspace.revision
            self._say(EventKind.PROJECT, f"reading the project at commit {workspace.revision}")
        self._place = workspace, environment
        fold_waiting(workspace, environment)
        plan = plan_accepted(workspace, environment)
        report = None
        if plan.has_effect:
            applied = self._apply(workspace, environment)
            plan, report = applied.plan, applied.report
            if not self._stop.requested:
                plan = plan_accepted(workspace, environment)
        if not self._stop.requested:
            self._look_after(workspace, environment, plan)
        self._settle(plan, report)
        self._schedule(plan, taken=self._clock.monotonic() - started)
        return Applied(plan, report)

    def _apply(self, workspace: Workspace, environment: Environment) -> Applied:
        def begun(_: Event) -> None:
            self._busy(True)

        try:
            applied = apply(
                workspace,
                environment,
                accepted_only=True,
                on_plan=lambda _: None,
                on_event=begun,
                stop=self._stop,
                by_workers=workers_live(ledger_store(workspace, environment)),
            )
        finally:
            self._busy(False)
        for event in sent_events(applied.report, self._clock.now()):
            self._report(event)
        return applied

    def _look_after(self, workspace: Workspace, environment: Environment, plan: Plan) -> None:
        """Reports what needs attention, once."""
        with facts_of(workspace, environment) as facts:
            self._findings = describe(find_concerns(workspace, plan, facts), environment.name)
            notices = facts.reader.notices() if facts.reader is not None else {}
        new = self._reporter.review(workspace, environment, self._findings, notices)
        self.newly_expired += sum(each.kind is EventKind.EXPIRED for each in new)

    def _settle(self, plan: Plan, report: Report | None) -> None:
        """Judges the round, and sets when to try again what was not accepted, or not reached."""
        why = failure_of(report)
        if why is not None:
            self._note_failure(why)
        elif self._failure is not None:
            self._failure = None
            self._say(EventKind.RECOVERED, "the last round succeeded")
        if why is None and not plan.has_effect:
            self._retry.reset()
        elif why is None:
            self._retry.put_off(self._clock.now())
        if self._locked:
            self._locked = False
            self._say(EventKind.RECOVERED, "the ledger is no longer locked")

    def _schedule(self, plan: Plan, *, taken: float) -> None:
        now, due = self._clock.now(), next_due(plan)
        wait = ALERT_RETRY if self._reporter.is_pending else REFRESH
        self._refresh_at = now + max(wait, timedelta(seconds=taken * REFRESH_FACTOR))
        if due != self._due and due is not None:
            self._say(EventKind.NEXT, f"next due at {format_time(due, 'UTC')}")
        self._due = due if due is not None and due > now else None

    # What goes wrong

    def _wait_for_lock(self, error: LedgerLockedError) -> None:
        self._retry.at = self._clock.now() + LOCK_RETRY
        if not self._locked:
            self._locked = True
            self._say(EventKind.LOCKED, f"{error.message}; waiting for it")

    def _fail(self, error: Exception) -> None:
        self._note_failure(describe_error(error))

    def _note_failure(self, text: str) -> None:
        now = self._clock.now()
        self._retry.put_off(now)
        key = f"failed|{now:%Y-%m-%d}|{sha256(text.encode()).hexdigest()[:16]}"
        before, self._failure = self._failure, Finding(EventKind.FAILED, (key,), text)
        if before is None or before.text != text:
            self._say(EventKind.FAILED, text)
        self._tell(self._failure)

    def _judge_fetching(self) -> None:
        since, now = self._source.failing_since, self._clock.now()
        if since is None:
            if self._unfetched is not None:
                self._unfetched = None
                self._say(EventKind.RECOVERED, "the remote repository can be reached again")
            return
        text = f"the branch was not fetched, so the last commit is used: {self._source.problem}"
        if self._unfetched is None:
            self._say(EventKind.FAILED, text)
        self._unfetched = Finding(EventKind.FAILED, (f"fetch|{since:%Y-%m-%d}",), text)
        if self._once or now - since >= FETCH_PATIENCE:
            self._tell(self._unfetched)

    def _tell(self, finding: Finding) -> None:
        """Posts an alert about the runner itself, once a day for the same reason."""
        if self._place is None:
            return
        try:
            with facts_of(*self._place) as facts:
                notices: Mapping[str, datetime] = facts.reader.notices() if facts.reader else {}
        except NotifyctlError:
            notices = {}
        self._reporter.tell(*self._place, finding, notices)

    def _update_health(self) -> None:
        troubles = [each for each in (self._failure, self._unfetched) if each is not None]
        self.health = Health(
            self._environment,
            reasons=tuple(reasons([*troubles, *self._findings])),
            next_due=self._due,
            checked=self._clock.now() if self._place is not None or troubles else None,
        )

    def _say(self, kind: EventKind, text: str) -> None:
        self._report(RunnerEvent(self._clock.now(), kind, text))


def plan_accepted(workspace: Workspace, environment: Environment) -> Plan:
    """What an apply of what is accepted would do now. Raises as `apply` does."""
    find_store(workspace, environment)
    with facts_of(workspace, environment) as facts:
        return derive(workspace, environment, facts, accepted_only=True)


def sent_events(report: Report | None, now: datetime) -> Iterator[RunnerEvent]:
    """A line for each occurrence of which something was sent, or tried."""
    for scope, counts in report.scopes.items() if report is not None else ():
        found = {
            "accepted": counts.accepted,
            "rejected": counts.rejected,
            "uncertain": counts.unknown,
            "not_begun": counts.not_begun,
        }
        words = [f"sent to {pluralise(counts.accepted, 'recipient')}"] if counts.accepted else []
        words += [f"{counts.rejected:,} not accepted"] if counts.rejected else []
        words += [f"{counts.unknown:,} with an unknown outcome"] if counts.unknown else []
        words += [f"{counts.not_begun:,} not attempted"] if counts.not_begun else []
        if words:
            yield RunnerEvent(now, EventKind.SENT, f"{name_of(scope)}: {', '.join(words)}", scope, found)


def failure_of(report: Report | None) -> str | None:
    """Why a round failed as a whole: the provider refused the account, or nothing was accepted."""
    if report is None:
        return None
    if report.refused:
        return f"the provider refused the account: {report.refused}"
    if report.rejected and not (report.accepted or report.unknown):
        why = next(iter(report.reasons), "no reason given")
        return f"nothing was accepted of {pluralise(report.rejected, 'recipient')}: {why}"
    return None


def describe_error(error: Exception) -> str:
    """Without the text of an error that is a defect: it may quote data."""
    if isinstance(error, ProjectError) and error.diagnostics:
        errors = [each for each in error.diagnostics if each.severity is Severity.ERROR] or error.diagnostics
        first = errors[0]
        count = pluralise(len(errors), "problem")
        return f"{error.message}: {count}, the first in {first.location} ({first.rule})"
    if isinstance(error, NotifyctlError):
        return error.message
    if isinstance(error, OSError):
        return f"the system refused: {error.strerror or type(error).__name__}"
    place = next(
        (f"{frame.name} line {frame.lineno}" for frame in reversed(extract_tb(error.__traceback__))), ""
    )
    return f"notifyctl failed unexpectedly: {type(error).__name__} in {place}; this is a bug in notifyctl"
