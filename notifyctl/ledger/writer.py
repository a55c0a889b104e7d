"""Writes a ledger: each method is one durable commit, refused unless this writer's epoch is still the highest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from types import MappingProxyType

from notifyctl import __version__
from notifyctl.command_line import command_line
from notifyctl.errors import LedgerError, LedgerLockedError
from notifyctl.fault_injection import Point, point
from notifyctl.ledger.database import Database, Row
from notifyctl.ledger.events import columns
from notifyctl.ledger.facts import NORMALISER_VERSION
from notifyctl.ledger.reader import Identity, Reader, latest_rules
from notifyctl.model.acceptance import Acceptance
from notifyctl.model.batch import Accepted, Outcome, Rejected, Unknown
from notifyctl.model.events import Statement, Verdict, member_verdicts
from notifyctl.model.ledger import BatchState, Extent
from notifyctl.model.recipients import ID_BYTES, MEMBER_BYTES, Scope
from notifyctl.model.test_messages import TestMessage

SERVED_PART = 65_536 * MEMBER_BYTES
FINGERPRINT_BYTES = 8
"""Of the likeness of a text."""
HELD_PART = 65_536 * ID_BYTES
"""Bytes in one row: a million held ids are sixteen rows of 1 MB."""

ARMING = (
    "SELECT epoch, EXISTS (SELECT 1 FROM word WHERE word.batch = number AND kind = 'accepted'), state, attempt"
    " FROM batch JOIN batch_state USING (number) WHERE number = ?"
)
"""The run that planned a batch, whether any of its members is known to be accepted, its state and its last attempt."""
SETTLING = (
    "SELECT (SELECT outcome.attempt FROM outcome WHERE outcome.batch = attempt.batch AND kind = 'accepted')"
    " FROM attempt WHERE batch = ? AND attempt = ?"
)
"""Of an attempt that was recorded: which attempt of its batch was accepted, if any."""
NOT_MARKED = "the ledger's mark could not be written after it was recorded, and it never left"
Mark = Callable[[int], None]
"""Raises the ledger's high-water mark to this number of facts. Raises LedgerError."""
FINISHED, INTERRUPTED = "finished", "interrupted"
"""How a run ended that no error ended."""
BROKE_OFF = "the run ended before the answer was recorded"


class Writer(Reader):
    """Implements ports.LedgerWriter. Calls from several threads are serialised."""

    def __init__(
        self,
        database: Database,
        identity: Identity,
        *,
        holder: str,
        now: datetime,
        revision: str | None,
        actor: str | None = None,
        mark: Mark | None = None,
    ) -> None:
        """Begins an epoch; the same commit marks as unknown what earlier epochs left armed. Upgrades an earlier version."""
        self._mark = mark
        self.ending = FINISHED
        database.upgrade()
        super().__init__(database, identity)
        with database.alone():
            self._refuse_to_begin(now)
            self._epoch = database.number("SELECT coalesce(max(epoch), 0) + 1 FROM run")
            database.run(
                "INSERT INTO run (epoch, started_at, holder, tool) VALUES (?, ?, ?, ?)",
                self._epoch,
                stamp(now),
                holder,
                __version__,
            )
            database.run(
                "INSERT INTO outcome (batch, attempt, kind, reason, epoch, at)"
                " SELECT batch, attempt, 'unknown', ?, ?, ? FROM attempt"
                " WHERE NOT EXISTS (SELECT 1 FROM outcome WHERE outcome.batch = attempt.batch"
                " AND outcome.attempt = attempt.attempt) ORDER BY batch, attempt",
                BROKE_OFF,
                self._epoch,
                stamp(now),
            )
            if latest_rules(database) < NORMALISER_VERSION:
                database.run(
                    "INSERT INTO identity_rules (version, epoch, at) VALUES (?, ?, ?)",
                    NORMALISER_VERSION,
                    self._epoch,
                    stamp(now),
                )
            if revision is not None:
                database.run("INSERT INTO origin (epoch, revision) VALUES (?, ?)", self._epoch, revision)
            if actor is not None:
                database.run("INSERT INTO actor (epoch, name) VALUES (?, ?)", self._epoch, actor)
            point(Point.EPOCH_COMMIT)
        point(Point.EPOCH_COMMITTED)

    @property
    def epoch(self) -> int:
        """The number of this run."""
        return self._epoch

    def _refuse_to_begin(self, now: datetime) -> None:
        """Raises LedgerLockedError while another run keeps its epoch though it does not hold the lock. In SQLite none does."""

    def extent(self) -> Extent:
        with self._database.alone():
            scopes, words, receipts = (
                self._database.number(f"SELECT coalesce(max(id), 0) FROM {table}")  # noqa: S608 - our own table names
                for table in ("scope", "word", "receipt")
            )
        return Extent(self._epoch, scopes, words, receipts)

    def open_scope(self, scope: Scope, held: bytes, *, at: datetime, likeness: Sequence[int] = ()) -> None:
        assert len(held) % ID_BYTES == 0
        with self._writing():
            key = self._find_or_add_scope(scope)
            if self._database.row("SELECT 1 FROM opening WHERE scope = ?", key):
                raise LedgerError(
                    f"{describe_scope(scope)} has already started; its recorded audience cannot be changed"
                )
            parts = [held[start : start + HELD_PART] for start in range(0, len(held), HELD_PART)] or [b""]
            self._database.run_many(
                "INSERT INTO opening (scope, part, epoch, at, held) VALUES (?, ?, ?, ?, ?)",
                [(key, number, self._epoch, stamp(at), part) for number, part in enumerate(parts)],
            )
            self._database.run_many(
                "INSERT INTO likeness (scope, fingerprint) VALUES (?, ?)",
                [(key, each.to_bytes(FINGERPRINT_BYTES)) for each in likeness],
            )
            point(Point.OPEN_COMMIT)

    def plan_batches(self, scope: Scope, members: Sequence[bytes], *, at: datetime) -> Sequence[int]:
        assert all(packed and len(packed) % MEMBER_BYTES == 0 for packed in members)
        with self._writing():
            key = self._find_or_add_scope(scope)
            first = self._first_number()
            numbers = range(first, first + len(members))
            rows = [
                (number, key, self._epoch, stamp(at), packed)
                for number, packed in zip(numbers, members, strict=True)
            ]
            self._database.run_many(
                "INSERT INTO batch (number, scope, epoch, at, members) VALUES (?, ?, ?, ?, ?)", rows
            )
            point(Point.PLAN_COMMIT)
        return numbers

    def arm(self, number: int, attempt: int, *, seal: bytes, at: datetime) -> None:
        with self._writing():
            self._refuse_to_arm(number, attempt)
            self._claim(number)
            self._database.run(
                "INSERT INTO attempt (batch, attempt, epoch, at, seal) VALUES (?, ?, ?, ?, ?)",
                *(number, attempt, self._epoch, stamp(at), seal),
            )
            point(Point.ARM_COMMIT)
        point(Point.ARM_COMMITTED)
        self._raise_mark(number, attempt, at)

    def _first_number(self) -> int:
        """The number of the next batch, which nobody else gives one until this commit."""
        return self.next_batch()

    def _claim(self, number: int) -> None:
        """Raises LedgerError if a member of the batch is in another request. Here the one writer's plan has seen to that."""

    def _raise_mark(self, number: int, attempt: int, at: datetime) -> None:
        """After an ARM and before its request: from here on a ledger without this ARM is noticed."""
        if self._mark is None:
            return
        try:
            self._mark(self.serial)
        except LedgerError:
            with suppress(LedgerError, LedgerLockedError):
                self.settle(number, attempt, Rejected(NOT_MARKED, posted=False), at=at)
            raise
        point(Point.ARM_MARKED)

    def _refuse_to_arm(self, number: int, attempt: int) -> None:
        """Raises LedgerError unless the attempt can start."""
        self._refuse_planned(number, attempt, self._database.row(ARMING, number))

    def _refuse_planned(self, number: int, attempt: int, planned: Row | None) -> None:
        """`planned`: what ARMING says of the batch."""
        if planned is None:
            raise LedgerError(f"there is no batch {number}")
        epoch, accepted_in_part, state, last = planned
        if epoch != self._epoch:
            raise LedgerError(f"batch {number} was planned by another run, and only that one could begin it")
        if state not in {BatchState.PLANNED, BatchState.REJECTED}:
            raise LedgerError(f"batch {number} is {state} and cannot be attempted again")
        if accepted_in_part:
            raise LedgerError(
                f"a receipt shows that recipients of batch {number} were sent it; it cannot be attempted again"
            )
        if attempt != last + 1:
            raise LedgerError(f"the next attempt of batch {number} is {last + 1}, not {attempt}")

    def settle(self, number: int, attempt: int, outcome: Outcome, *, at: datetime) -> None:
        with self._writing():
            row = self._database.row(SETTLING, number, attempt)
            if row is None:
                raise LedgerError(f"attempt {attempt} of batch {number} was not recorded")
            if not is_recorded(number, attempt, outcome, accepted_attempt=row[0]):
                self._database.run(
                    "INSERT INTO outcome (batch, attempt, kind, status, provider_id, reason, epoch, at)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    *(number, attempt, *outcome_columns(outcome), self._epoch, stamp(at)),
                )
                if isinstance(outcome, Accepted) and (outcome.refused or outcome.unheard):
                    self._say(number, member_verdicts(outcome), at=at)
            point(Point.RESULT_COMMIT)

    def resolve(self, number: int, words: Sequence[Verdict], *, at: datetime) -> None:
        with self._writing():
            if self.find(number) is None:
                raise LedgerError(f"there is no batch {number}")
            self._say(number, words, at=at)

    def declare(
        self, statement: Statement, *, at: datetime, served: Mapping[Scope, bytes] = MappingProxyType({})
    ) -> None:
        with self._writing():
            self._database.run(
                "INSERT INTO statement (kind, notification, edition, detail, who, epoch, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
                statement.kind.value,
                statement.notification,
                statement.edition,
                statement.detail,
                statement.who,
                self._epoch,
                stamp(at),
            )
            statement_id = self._database.number("SELECT max(id) FROM statement")
            for scope, members in served.items():
                scope_id = self._find_or_add_scope(scope)
                for part, start in enumerate(range(0, len(members), SERVED_PART)):
                    row = (statement_id, part, scope_id, members[start : start + SERVED_PART])
                    self._database.run(
                        "INSERT INTO served (statement, part, scope, members) VALUES (?, ?, ?, ?)", *row
                    )

    def use_plan(self, plan: str, *, at: datetime) -> None:
        with self._writing():
            if not self.plan_used(plan):
                self._database.run(
                    "INSERT INTO plan_use (plan, epoch, at) VALUES (?, ?, ?)", plan, self._epoch, stamp(at)
                )

    def use_account(self, account: bytes | None, *, at: datetime) -> None:
        if account is None:
            return
        with self._writing():
            if self.account() != account:
                self._database.run(
                    "INSERT INTO account (hash, epoch, at) VALUES (?, ?, ?)", account, self._epoch, stamp(at)
                )

    def begin_test(self, message: TestMessage, *, at: datetime) -> int:
        with self._writing():
            number = self.next_test()
            self._database.run(
                "INSERT INTO test (number, notification, edition, channel, locale, values_of, sent_to, fingerprint, epoch, at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                number,
                message.notification,
                message.edition,
                message.channel.value,
                message.locale,
                message.values_of,
                message.sent_to,
                message.fingerprint,
                self._epoch,
                stamp(at),
            )
        if self._mark is not None:
            try:
                self._mark(self.serial)
            except LedgerError:
                with suppress(LedgerError, LedgerLockedError):
                    self.end_test(number, Rejected(NOT_MARKED, posted=False), at=at)
                raise
        return number

    def end_test(self, number: int, outcome: Outcome, *, at: datetime) -> None:
        with self._writing():
            row = (number, *outcome_columns(outcome), stamp(at))
            self._database.run(
                "INSERT INTO test_result (test, kind, status, provider_id, reason, at) VALUES (?, ?, ?, ?, ?, ?)",
                *row,
            )

    def record_acceptance(self, acceptance: Acceptance) -> None:
        who, rule = acceptance.who, acceptance.rule
        with self._writing():
            self._database.run(
                "INSERT INTO acceptance (fingerprint, notification, edition, channel, until, max_recipients,"
                " who, proof, detail, evidence, rule_by, rule_above, rule_proven, revision, revoked, epoch, at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                *(acceptance.fingerprint, acceptance.notification, acceptance.edition),
                *(acceptance.channel.value, stamp(acceptance.until), acceptance.max_recipients),
                *(who.name, who.proof.value, who.detail, who.evidence),
                *(rule.by.value, rule.above, int(rule.proven)),
                *(acceptance.revision, int(acceptance.revoked), self._epoch, stamp(acceptance.at)),
            )

    def note(self, key: str, *, at: datetime) -> None:
        with self._writing():
            if not self._database.row("SELECT 1 FROM notice WHERE key = ?", key):
                self._database.run(
                    "INSERT INTO notice (key, epoch, at) VALUES (?, ?, ?)", key, self._epoch, stamp(at)
                )

    def note_interrupted(self) -> None:
        self.ending = INTERRUPTED

    def _say(self, number: int, words: Sequence[Verdict], *, at: datetime) -> None:
        self._database.run_many(
            "INSERT INTO word (batch, position, kind, source, reason, who, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (number, word.position, word.kind.value, word.source.value, word.reason, word.who, stamp(at))
                for word in words
            ],
        )

    def end(self, how: str, *, at: datetime) -> None:
        """Records the end of the run: `finished`, `interrupted`, or the name of the error that ended it."""
        with self._writing():
            self._database.run(
                "INSERT INTO run_end (epoch, ended_at, how) VALUES (?, ?, ?)", self._epoch, stamp(at), how
            )
            point(Point.END_COMMIT)
        point(Point.END_COMMITTED)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One commit, fenced: a writer that another run has overtaken cannot make it."""
        with self._database.writing() as row:
            if row is None or row[0] != self._epoch:
                raise LedgerLockedError(
                    f"another run took over the ledger {self._database.name}: {row[1] if row else 'unknown'}",
                    hint=f"this run records and sends nothing more. To see the outcomes, run: {command_line('status')}",
                )
            yield

    def _find_or_add_scope(self, scope: Scope) -> int:
        key = self._scope_id(scope)
        if key is None:
            self._database.run(
                "INSERT INTO scope (notification, edition, occurrence, channel) VALUES (?, ?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                *columns(scope),
            )
            key = self._scope_id(scope)
        assert key is not None
        return key


def is_recorded(number: int, attempt: int, outcome: Outcome, *, accepted_attempt: int | None) -> bool:
    """Whether the ledger holds this already. Raises LedgerError for what would take an acceptance back."""
    accepted = isinstance(outcome, Accepted)
    if accepted_attempt is None or (accepted_attempt != attempt and not accepted):
        return False
    if accepted_attempt == attempt and accepted:
        return True
    raise LedgerError(f"attempt {accepted_attempt} of batch {number} was accepted; that is never taken back")


def outcome_columns(outcome: Outcome) -> tuple[str, int | None, str | None, str | None]:
    """The columns kind, status, provider id and reason. Refused is not accepted either, so it is recorded as a rejection."""
    if isinstance(outcome, Accepted):
        return BatchState.ACCEPTED.value, outcome.status, outcome.provider_id, outcome.note
    kind = BatchState.UNKNOWN if isinstance(outcome, Unknown) else BatchState.REJECTED
    return kind.value, outcome.status, None, outcome.reason


def stamp(moment: datetime) -> str:
    assert moment.tzinfo is not None
    return moment.astimezone(UTC).isoformat()


def describe_scope(scope: Scope) -> str:
    return f"{scope.notification} edition {scope.edition}, {scope.occurrence}, {scope.channel}"
