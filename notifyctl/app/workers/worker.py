"""`worker`: sends the batches of campaigns, on any machine that has the project and reaches the database. It can be killed at any moment.

The main thread looks every second: for a campaign, whether it is halted, and what must be reconciled. Another thread serves the queue,
and has a thread for each request in flight. The ledger decides everything; the queue only wakes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from notifyctl.app.ledger import holder, ledger_name, ledger_store
from notifyctl.app.runner.events import EventKind, Health, RunnerEvent
from notifyctl.app.runner.runner import describe_error
from notifyctl.app.workers.held_campaign import WorkerCampaign
from notifyctl.app.workers.life import WorkerLife, postgres_store_of
from notifyctl.app.workers.reconciler import Reconciler
from notifyctl.app.workers.waiting_receipts import WorkerReceipts
from notifyctl.app.workspace import Workspace, revision_of
from notifyctl.apply.job import Stop
from notifyctl.apply.report import Event, Settled
from notifyctl.engine.queue import Queue, Waking
from notifyctl.errors import LedgerError, NotifyctlError
from notifyctl.model.batch import Accepted, Unknown
from notifyctl.model.project import Environment
from notifyctl.plurals import pluralise

if TYPE_CHECKING:
    from notifyctl.ledger.postgresql.database import PostgresDatabase
    from notifyctl.ledger.postgresql.store import PostgresStore

LOOK = 1.0
"""Seconds between two looks."""
LONGEST_AWAY = 10.0
"""Seconds between two attempts to reach the database."""
REFUSAL_RETRY = 30.0
"""Seconds until a campaign that this machine renders otherwise is rendered again: its files may be brought up to date."""

Read = Callable[[], tuple[Workspace, Environment]]
"""Reads the project, anew for each campaign."""


class WorkerSettings(Struct, frozen=True):
    """`concurrency`: requests at a time; None: as many as the environment allows. `once`: the worker ends with the campaign."""

    concurrency: int | None = None
    waking: Waking = Waking()
    once: bool = False
    look: float = LOOK


class Worker:
    """One worker. `report` is told what happens, and is called on several threads."""

    def __init__(
        self,
        read: Read,
        make_queue: Callable[[str], Queue],
        *,
        settings: WorkerSettings,
        report: Callable[[RunnerEvent], None],
        stop: Stop,
    ) -> None:
        self._read = read
        self._settings = settings
        self._report = report
        self._stop = stop
        workspace, environment = self.place = read()
        self._clock = workspace.clock
        self._store: PostgresStore = postgres_store_of(ledger_store(workspace, environment), environment.name)
        self._queue = make_queue(self._store.url)
        self._life = WorkerLife(self._store, holder(), self._clock, revision=revision_of(workspace))
        self._reconciler = Reconciler(self._queue, self._clock)
        self._receipts = WorkerReceipts(ledger_name(workspace.sound, environment))
        self._behind = False
        """Whether more receipts wait than one look records."""
        self._held: WorkerCampaign | None = None
        self._counts: Counter[str] = Counter()
        self._halted: str | None = None
        self._refused: tuple[int, float, str] | None = None
        """A campaign that this machine renders otherwise: its epoch, when to try again, and why."""
        self._checked: datetime | None = None
        self._away: str | None = None
        self._away_for = 0.0
        self.error: NotifyctlError | None = None
        """With `once`: why nothing could be sent."""

    @property
    def health(self) -> Health:
        environment = self.place[1].name
        reasons = [("away", self._away)] if self._away else []
        reasons += [("halted", self._halted)] if self._halted else []
        reasons += [("refused", self._refused[2])] if self._refused else []
        return Health(environment, reasons=tuple(reasons), checked=self._checked)

    def run(self) -> None:
        """Until a stop is requested, or with `once` until no campaign is open. Finishes the requests in flight.

        Raises SettingsError and LedgerError if it cannot begin, with `once` also HaltedError and whatever keeps it from sending, and
        a defect at once.
        """
        how = "stopped"
        try:
            self._life.database  # noqa: B018 - what is wrong with the server from the beginning ends the command
            self._say(
                EventKind.STARTED,
                f"worker {self._life.number} started for environment `{self.place[1].name}`",
            )
            while not self._stop.requested:
                pause = self._look_safely()
                if pause is None:
                    break
                self._sleep(pause)
        except BaseException as error:
            how = type(error).__name__
            raise
        finally:
            self._let_go()
            self._life.end(how)
        self._say(EventKind.STOPPED, f"worker {self._life.number} stopped")

    def _look_safely(self) -> float | None:
        """One look. Returns the seconds until the next; None: there is none."""
        try:
            goes_on = self._look(self._life.database)
        except LedgerError as error:
            return self._note_away(error)
        if self._away is not None:
            self._away, self._away_for = None, 0.0
            self._say(EventKind.RECOVERED, "the ledger's database can be reached again")
            if self._held is not None:
                self._held.replay()
        self._checked = self._clock.now()
        if not goes_on:
            return None
        return 0.0 if self._behind else self._settings.look

    def _look(self, database: PostgresDatabase) -> bool:
        """Whether there is to be another look."""
        from notifyctl.ledger.postgresql import campaigns

        self._behind = self._receipts.fold(database)
        news = self._receipts.find_opt_outs(database)
        campaign = campaigns.find_open(database)
        if self._held is not None and (campaign is None or campaign.epoch != self._held.campaign.epoch):
            self._finish(campaigns.how_ended(database, self._held.campaign.epoch))
        if campaign is None:
            self._refused = None
            return not self._settings.once
        self._judge_halt(database)
        if self._held is None and not self._take_up(database):
            self._reconciler.look(database, campaign)
            return True
        if self._held is not None and self._halted is None:
            if news:
                self._held.renew_opt_outs()
            environment = self._held.environment
            concurrency = self._settings.concurrency or environment.limits.concurrency
            self._held.sender.release_doubts()
            self._held.serve(
                concurrency=min(concurrency, environment.limits.concurrency), waking=self._settings.waking
            )
        self._reconciler.look(database, campaign)
        return True

    def _judge_halt(self, database: PostgresDatabase) -> None:
        """Notices a halt and its end. Raises HaltedError with `once`."""
        from notifyctl.ledger.postgresql import halting

        with database.session() as connection:
            found = halting.halted(connection)
        if found is not None:
            error = halting.halted_error(found)
            if self._settings.once:
                raise error
            if self._halted is None:
                self._say(EventKind.HALTED, f"{error.message}; {self._done()}")
            self._halted = error.message
        elif self._halted is not None:
            self._halted = None
            self._say(EventKind.RESUMED, "sending was resumed")
        if self._held is not None and self._halted is None and not self._held.is_serving:
            self._held.sender.halted = None

    def _take_up(self, database: PostgresDatabase) -> bool:
        """Renders the open campaign. False if this machine cannot, or renders another one; with `once`, that is raised."""
        from notifyctl.ledger.postgresql import campaigns

        campaign = campaigns.find_open(database)
        now = self._clock.monotonic()
        if campaign is None or self._halted is not None:
            return False
        if self._refused is not None and self._refused[0] == campaign.epoch and now < self._refused[1]:
            return False
        try:
            workspace, environment = self.place = self._read()
            self._held = WorkerCampaign(
                workspace,
                environment,
                self._store,
                campaign,
                number=lambda: self._life.number,
                queue=self._queue,
                on_event=self._note,
                stop=self._stop,
            )
            self._held.replay()
        except LedgerError:
            raise
        except NotifyctlError as error:
            if self._settings.once:
                raise
            text = describe_error(error)
            if self._refused is None or self._refused[2] != text:
                hint = f" ({error.hint})" if error.hint else ""
                self._say(EventKind.REFUSED, f"{text}{hint}")
            self._refused = campaign.epoch, self._clock.monotonic() + REFUSAL_RETRY, text
            return False
        self._refused = None
        self._counts.clear()
        people = pluralise(campaign.recipients, "recipient")
        self._say(
            EventKind.CAMPAIGN,
            f"sending run {campaign.epoch}: {people} in {pluralise(campaign.batches, 'batch', 'batches')}",
        )
        return True

    def _finish(self, how: str | None) -> None:
        """Lets a campaign go that has ended."""
        assert self._held is not None
        epoch = self._held.campaign.epoch
        self._let_go()
        self._say(
            EventKind.CAMPAIGN, f"run {epoch} has ended ({how or 'unknown'}); {self._done()}", run=epoch
        )

    def _let_go(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.close()

    def _note(self, event: Event) -> None:
        """Counts what a batch came to, and reports what was not accepted."""
        if not isinstance(event, Settled):
            return
        kind = "accepted" if isinstance(event.outcome, Accepted) else "not accepted"
        kind = "with an unknown outcome" if isinstance(event.outcome, Unknown) else kind
        self._counts["requests"] += event.outcome.posted
        if event.again:
            return
        self._counts[kind] += event.recipients
        if not isinstance(event.outcome, Accepted):
            what = {"batch": event.number, "outcome": kind, "recipients_in_batch": event.recipients}
            self._say(EventKind.FAILED, f"batch {event.number}: {kind}: {event.outcome.reason}", **what)

    def _done(self) -> str:
        """What this worker did of the campaign."""
        counts = self._counts
        words = [
            f"{counts[kind]:,} {kind}"
            for kind in ("accepted", "not accepted", "with an unknown outcome")
            if counts[kind]
        ]
        return f"this worker: {pluralise(counts['requests'], 'request')}, recipients: {', '.join(words) or 'none'}"

    def _note_away(self, error: LedgerError) -> float:
        """Reports once that the database is away. Raises what no waiting helps against."""
        self._life.drop()
        if self._away is None:
            self._say(EventKind.FAILED, error.message)
        self._away = error.message
        self._away_for = min(max(self._settings.look, self._away_for * 2), LONGEST_AWAY)
        return self._away_for

    def _sleep(self, seconds: float) -> None:
        until = self._clock.monotonic() + seconds
        while not self._stop.requested and (left := until - self._clock.monotonic()) > 0:
            self._clock.sleep(min(left, 0.2))

    def _say(self, kind: EventKind, text: str, **fields: object) -> None:
        known = {
            "worker": self._life.number or None,
            "run": self._held.campaign.epoch if self._held else None,
        }
        self._report(RunnerEvent(self._clock.now(), kind, text, fields={**known, **fields}))
