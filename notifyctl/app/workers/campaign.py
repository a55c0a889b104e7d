"""`apply --workers`: hands what was planned over to workers in one commit, follows them, and reports what became of it.

Who follows decides nothing: if this process is interrupted or dies, workers go on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

from notifyctl.app.ledger import ledger_name
from notifyctl.app.workers.life import postgres_store_of
from notifyctl.app.workspace import Workspace, revision_of
from notifyctl.apply.attempts import TOO_LATE
from notifyctl.apply.batches import batch_size
from notifyctl.apply.counters import OPTED_OUT, REASONS_KEPT, Counters
from notifyctl.apply.job import Job, Stop
from notifyctl.apply.report import Counts, Event, Followed, Planned, Report
from notifyctl.apply.write_ahead import WriteAhead
from notifyctl.command_line import command_line
from notifyctl.errors import HaltedError, InterruptedRunError, LedgerError
from notifyctl.model.batch import SendGroup
from notifyctl.model.campaign import Campaign, CampaignOptions, Progress, content_check
from notifyctl.model.ledger import BatchRecord, BatchState
from notifyctl.model.project import Environment
from notifyctl.model.recipients import MEMBER_BYTES, Scope
from notifyctl.plan.model import Plan
from notifyctl.ports import LedgerReader, LedgerStore, LedgerWriter

if TYPE_CHECKING:
    from notifyctl.ledger.postgresql.database import PostgresDatabase
    from notifyctl.ledger.postgresql.store import PostgresStore

T = TypeVar("T")
LOOK = 0.5
"""Seconds between two looks at a campaign."""
LOOK_FACTOR = 10
"""What takes long to count is counted less often: a tenth of the time is spent on it."""
PATIENCE = 120.0
"""Seconds for which the database may be out of reach while a campaign is followed."""
REFUSED = "refused: "
"""How the end of a campaign begins that the provider refused."""


def workers_live(store: LedgerStore) -> bool:
    """Whether a worker of this ledger is running."""
    from notifyctl.ledger.sqlite.store import SqliteStore

    if isinstance(store, SqliteStore):
        return False
    from notifyctl.ledger.postgresql import locks

    with closing(postgres_store_of(store, "").connect()) as database, database.session() as connection:
        return bool(locks.living_workers(connection))


def workers_ledger(store: LedgerStore, environment: Environment) -> PostgresStore:
    """The ledger, for workers to send from. Raises SettingsError for one in SQLite, and HaltedError while sending is halted: what is
    handed over then would be sent as soon as it is resumed.
    """
    shared = postgres_store_of(store, environment.name)
    if shared.exists():
        from notifyctl.ledger.postgresql import halting, migrations
        from notifyctl.ledger.postgresql.campaigns import SCHEMA

        with closing(shared.connect()) as database, database.session() as connection:
            migrations.refuse_version(connection, needs=SCHEMA)
            halting.refuse_halted(connection)
    return shared


def hand_over(
    workspace: Workspace,
    environment: Environment,
    store: PostgresStore,
    writer: LedgerWriter,
    job: Job,
    plan: Plan,
    options: CampaignOptions,
    *,
    on_event: Callable[[Event], None],
) -> Campaign:
    """Records every batch, then opens the scopes and adds the first jobs in one commit: from then on, workers send."""
    from notifyctl.engine.procrastinate_queue import ProcrastinateQueue
    from notifyctl.ledger.postgresql.writer import PostgresWriter

    assert isinstance(writer, PostgresWriter)
    assert options.extent is not None
    counters = Counters()
    ahead = WriteAhead(job, writer, workspace.clock, counters)
    ahead.record()
    first, now = ahead.first_number, workspace.clock.now()
    campaign = Campaign(
        epoch=options.extent.epoch,
        digest=plan.digest,
        project=ledger_name(workspace.sound, environment),
        revision=revision_of(workspace),
        as_of=plan.as_of,
        options=options,
        first_batch=first,
        batches=counters.batches,
        recipients=counters.recipients,
        content_check=content_check(job.members()),
        at=now,
    )
    writer.begin_campaign(campaign, job.openings, defer=ProcrastinateQueue(store.url).defer, at=now)
    on_event(Planned(campaign.batches, campaign.recipients))
    return campaign


def follow(
    workspace: Workspace,
    store: PostgresStore,
    campaign: Campaign,
    job: Job,
    *,
    on_event: Callable[[Event], None],
    stop: Stop,
) -> Report:
    """Waits for the end of a campaign, and reports it. Raises HaltedError, InterruptedRunError if `stop` is requested, and LedgerError."""
    follower = Follower(workspace, store, campaign, on_event=on_event, stop=stop)
    return follower.report(job, follower.wait())


class Follower:
    """Looks at a campaign until it has ended."""

    def __init__(
        self,
        workspace: Workspace,
        store: PostgresStore,
        campaign: Campaign,
        *,
        on_event: Callable[[Event], None],
        stop: Stop,
    ) -> None:
        self._clock = workspace.clock
        self._store = store
        self._campaign = campaign
        self._on_event = on_event
        self._stop = stop

    def wait(self) -> Progress:
        """How it was when it had ended."""

        def look(database: PostgresDatabase) -> Progress | None:
            found = self._look(database)
            return found if found.ended is not None else None

        return self._patiently(look)

    def report(self, job: Job, found: Progress) -> Report:
        """What became of a campaign that has ended."""

        def read(database: PostgresDatabase) -> Report:
            with closing(self._store.reader()) as reader:
                return report_campaign(reader, database, self._campaign, job, found)

        return self._patiently(read)

    def _patiently(self, look: Callable[[PostgresDatabase], T | None]) -> T:
        """What `look` finds, again and again until it is something; meanwhile the database may be away for a while."""
        since: float | None = None
        while True:
            began = self._clock.monotonic()
            try:
                with closing(self._store.connect()) as database:
                    while True:
                        began = self._clock.monotonic()
                        found = look(database)
                        since = None
                        if found is not None:
                            return found
                        self._pause(max(LOOK, (self._clock.monotonic() - began) * LOOK_FACTOR))
            except LedgerError:
                since = since if since is not None else began
                if self._clock.monotonic() - since > PATIENCE:
                    raise
                self._pause(LOOK)

    def _look(self, database: PostgresDatabase) -> Progress:
        from notifyctl.ledger.postgresql import campaigns, halting, locks

        with database.session() as connection:
            halt, workers = halting.halted(connection), len(locks.living_workers(connection))
        found = campaigns.progress(database, self._campaign)
        self._on_event(Followed(found, workers))
        if halt is not None and found.ended is None and not found.in_flight:
            error = halting.halted_error(halt)
            raise HaltedError(f"{error.message}; {describe(self._campaign, found)}", hint=error.hint)
        return found

    def _pause(self, seconds: float) -> None:
        until = self._clock.monotonic() + seconds
        while (left := until - self._clock.monotonic()) > 0:
            if self._stop.requested:
                raise InterruptedRunError(
                    f"this command has ended; workers go on sending run {self._campaign.epoch}",
                    hint=f"to follow them, run: {command_line('status', '--watch')}\nto halt them, run: {command_line('halt')}",
                )
            self._clock.sleep(min(left, 0.1))


def describe(campaign: Campaign, found: Progress) -> str:
    return f"run {campaign.epoch}: {found.done:,} of {found.batches:,} batches are done"


def report_campaign(
    reader: LedgerReader, database: PostgresDatabase, campaign: Campaign, job: Job, found: Progress
) -> Report:
    """What became of a campaign, as the ledger has it."""
    planned = Counter(people_by_scope(job))
    ends = {
        number: str(reason)
        for number, reason in database.rows(
            "SELECT batch, reason FROM batch_end WHERE epoch = ?", campaign.epoch
        )
    }
    scopes: dict[Scope, Counts] = {}
    batches, reasons, requests, expired = Counts(), Counter[str](), 0, 0
    groups = groups_by_number(job, campaign)
    for scope, people in planned.items():
        counts = Counts()
        for record in reader.facts(scope):
            if record.epoch != campaign.epoch:
                continue
            counts += count_members(record, reasons)
            batches += count_batch(record)
            requests += record.attempt
            if not record.attempt and ends.get(record.number) == TOO_LATE:
                size = len(record.members) // MEMBER_BYTES
                reasons[TOO_LATE] += size
                expired += size if is_final(groups.get(record.number)) else 0
        left = people - counts.accepted - counts.rejected - counts.unknown
        scopes[scope] = counts + Counts(not_begun=left)
    total = sum(scopes.values(), Counts())
    gone = total.not_begun - reasons[TOO_LATE] if found.ended == "finished" else 0
    if gone > 0:
        reasons[OPTED_OUT] += gone
    ended = found.ended or ""
    return Report(
        recipients=total,
        batches=batches,
        scopes=scopes,
        requests=requests,
        reasons=dict((+reasons).most_common(REASONS_KEPT)),
        refused=ended.removeprefix(REFUSED) if ended != "finished" else None,
        expired=expired,
    )


def people_by_scope(job: Job) -> Mapping[Scope, int]:
    found: Counter[Scope] = Counter()
    for group in job.groups:
        found[group.scope] += len(group.units)
    return found


def groups_by_number(job: Job, campaign: Campaign) -> Mapping[int, SendGroup]:
    """The group of each batch that was planned with the campaign."""

    def each() -> Iterator[SendGroup]:
        size = batch_size(job.limits)
        for group in job.groups:
            yield from [group] * -(-len(group.units) // size)

    return dict(enumerate(each(), campaign.first_batch))


def is_final(group: SendGroup | None) -> bool:
    """Whether no later apply goes on with what is too late."""
    return group is not None and (group.final or group.begin_by is not None)


def count_members(record: BatchRecord, reasons: Counter[str]) -> Counts:
    size = len(record.members) // MEMBER_BYTES
    states = Counter(record.others.values())
    states[record.state] += size - len(record.others)
    rejected = states[BatchState.REJECTED]
    unknown = states[BatchState.UNKNOWN] + states[BatchState.ARMED]
    if record.reason is not None and record.state in {BatchState.REJECTED, BatchState.UNKNOWN}:
        reasons[record.reason] += states[record.state]
    return Counts(accepted=states[BatchState.ACCEPTED], rejected=rejected, unknown=unknown)


def count_batch(record: BatchRecord) -> Counts:
    match record.state:
        case BatchState.ACCEPTED:
            return Counts(accepted=1)
        case BatchState.REJECTED:
            return Counts(rejected=1)
        case BatchState.PLANNED:
            return Counts(not_begun=1)
    return Counts(unknown=1)
