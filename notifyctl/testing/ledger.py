"""A ledger in memory: every verb and refusal of the one on disk, without a disk."""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import NamedTuple

from notifyctl import __version__
from notifyctl.errors import LedgerError, LedgerLockedError
from notifyctl.model.batch import Accepted, AttemptResult, AttemptStart, Outcome, Refused, Rejected, Unknown
from notifyctl.model.events import (
    OPT_OUT_CODES,
    AttemptRecord,
    Deliveries,
    Receipt,
    RunRecord,
    Statement,
    Verdict,
    VerdictSource,
    fold_receipts,
    fold_verdicts,
    member_verdicts,
)
from notifyctl.model.ledger import BatchRecord, BatchState, LedgerSummary, OpeningRecord
from notifyctl.model.recipients import ID_BYTES, MEMBER_BYTES, Scope
from notifyctl.ports import Clock, LedgerReader, LedgerWriter, ReceiptInbox

SCHEMA_VERSION = 2


class Said(NamedTuple):
    """A word on one attempt of a batch."""

    attempt: int
    state: BatchState
    reason: str | None
    at: datetime
    status: int | None = None
    provider_id: str | None = None


@dataclass(slots=True)
class LedgerRecord:
    """What a MemoryLedger holds. Facts are only added, so a reader's moment is a copy of the containers."""

    facts: int = 0
    epochs: list[str] = field(default_factory=list)
    scopes: set[Scope] = field(default_factory=set)
    openings: dict[Scope, tuple[int, bytes, datetime]] = field(default_factory=dict)
    batches: dict[int, tuple[Scope, int, bytes, datetime]] = field(default_factory=dict)
    attempts: dict[int, list[tuple[datetime, bytes]]] = field(default_factory=dict)
    outcomes: dict[int, list[Said]] = field(default_factory=dict)
    words: dict[int, list[Verdict]] = field(default_factory=dict)
    receipts: dict[bytes, Receipt] = field(default_factory=dict)
    statements: list[Statement] = field(default_factory=list)
    served: dict[Scope, list[bytes]] = field(default_factory=dict)
    runs: list[RunRecord] = field(default_factory=list)
    plans: set[str] = field(default_factory=set)

    def copy(self) -> LedgerRecord:
        return LedgerRecord(
            self.facts,
            list(self.epochs),
            set(self.scopes),
            dict(self.openings),
            dict(self.batches),
            {number: list(begun) for number, begun in self.attempts.items()},
            {number: list(said) for number, said in self.outcomes.items()},
            {number: list(said) for number, said in self.words.items()},
            dict(self.receipts),
            list(self.statements),
            {scope: list(parts) for scope, parts in self.served.items()},
            list(self.runs),
            set(self.plans),
        )

    def become(self, other: LedgerRecord) -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(other, each.name))

    def state(self, number: int) -> tuple[BatchState, int, datetime, str | None]:
        """State, last attempt, since when, and why: an acceptance if there is one, else the last word on the last attempt."""
        begun = self.attempts.get(number, [])
        if not begun:
            return BatchState.PLANNED, 0, self.batches[number][3], None
        said = self.outcomes.get(number, [])
        accepted = [word for word in said if word.state is BatchState.ACCEPTED]
        last = accepted or [word for word in said if word.attempt == len(begun)]
        if not last:
            return BatchState.ARMED, len(begun), begun[-1][0], None
        return last[-1].state, len(begun), last[-1].at, last[-1].reason


class MemoryReader:
    """ports.LedgerReader over a record."""

    def __init__(self, ledger: MemoryLedger, record: LedgerRecord) -> None:
        self._ledger = ledger
        self._record = record

    @property
    def lineage(self) -> str:
        return self._ledger.lineage

    def summary(self) -> LedgerSummary:
        batches, recipients = Counter[BatchState](), Counter[BatchState]()
        for number, (_, _, members, _) in self._record.batches.items():
            state = self._record.state(number)[0]
            batches[state] += 1
            recipients[state] += len(members) // MEMBER_BYTES
            others = self.others(number)
            recipients[state] -= len(others)
            recipients.update(others.values())
        return LedgerSummary(
            lineage=self._ledger.lineage,
            location="memory",
            schema_version=SCHEMA_VERSION,
            serial=self._record.facts,
            created_at=self._ledger.created_at,
            batches={state: batches[state] for state in BatchState},
            recipients={state: recipients[state] for state in BatchState},
            scopes=len(self._record.scopes),
            receipts=len(self._record.receipts),
        )

    def recipient_ids(self, addresses: Sequence[str]) -> list[bytes]:
        key = self._ledger.key
        return [hmac.digest(key, address.encode(), "sha256")[:ID_BYTES] for address in addresses]

    def scopes(self) -> Sequence[Scope]:
        return sorted(self._record.scopes)

    def facts(self, scope: Scope) -> Iterator[BatchRecord]:
        for number, (its_scope, _, _, _) in self._record.batches.items():
            found = self.find(number) if its_scope == scope else None
            if found is not None:
                yield found

    def recorded(self, scope: Scope) -> bytes | None:
        if scope not in self._record.openings:
            return None
        epoch, held, _ = self._record.openings[scope]
        planned = (m for s, e, m, _ in self._record.batches.values() if (s, e) == (scope, epoch))
        starts = (packed[i : i + ID_BYTES] for packed in planned for i in range(0, len(packed), MEMBER_BYTES))
        return held + b"".join(starts)

    def opening(self, scope: Scope) -> OpeningRecord | None:
        if scope not in self._record.openings:
            return None
        epoch, held, _ = self._record.openings[scope]
        return OpeningRecord(epoch, held)

    def opening_size(self, scope: Scope) -> int:
        return len(self.recorded(scope) or b"") // ID_BYTES

    def next_batch(self) -> int:
        return len(self._record.batches) + 1

    def others(self, number: int) -> dict[int, BatchState]:
        size = len(self._record.batches[number][2]) // MEMBER_BYTES
        return fold_verdicts(self._record.state(number)[0], size, self._record.words.get(number, ()))

    def find(self, number: int) -> BatchRecord | None:
        if number not in self._record.batches:
            return None
        scope, epoch, members, _ = self._record.batches[number]
        state, attempt, at, reason = self._record.state(number)
        return BatchRecord(number, scope, state, attempt, members, at, reason, self.others(number), epoch)

    def seals(self, number: int) -> Sequence[bytes]:
        return [seal for _, seal in self._record.attempts.get(number, [])]

    def by_provider_id(self, provider_id: str) -> int | None:
        found = [
            n for n, said in self._record.outcomes.items() if any(w.provider_id == provider_id for w in said)
        ]
        return found[-1] if found else None

    def attempts(self, scope: Scope) -> Iterator[AttemptRecord]:
        for number, (its_scope, epoch, _, _) in self._record.batches.items():
            if its_scope != scope:
                continue
            for attempt, (at, seal) in enumerate(self._record.attempts.get(number, []), start=1):
                said = [word for word in self._record.outcomes.get(number, []) if word.attempt == attempt]
                last = said[-1] if said else Said(attempt, BatchState.ARMED, None, at)
                yield AttemptRecord(
                    number,
                    attempt,
                    scope,
                    epoch,
                    at,
                    seal,
                    last.state,
                    last.status,
                    last.provider_id,
                    last.reason,
                )

    def deliveries(self, number: int) -> Deliveries:
        said: dict[int, list[str]] = {}
        for receipt in self._record.receipts.values():
            if receipt.batch == number and receipt.position is not None:
                said.setdefault(receipt.position, []).append(receipt.status)
        return {position: fold_receipts(statuses) for position, statuses in sorted(said.items())}

    def opt_outs(self, since: datetime | None = None) -> Iterator[tuple[bytes, str, str, datetime]]:
        for receipt in self._record.receipts.values():
            reason = OPT_OUT_CODES.get(receipt.code or "")
            if (
                reason
                and receipt.batch is not None
                and receipt.position is not None
                and (since is None or receipt.at >= since)
            ):
                batch = self.find(receipt.batch)
                assert batch is not None
                start = receipt.position * MEMBER_BYTES
                yield batch.members[start : start + ID_BYTES], batch.scope.channel.value, reason, receipt.at

    def statements(self) -> Sequence[Statement]:
        return list(self._record.statements)

    def served(self, scope: Scope) -> Iterator[bytes]:
        return iter(self._record.served.get(scope, []))

    def runs(self) -> Sequence[RunRecord]:
        return list(self._record.runs)

    def plan_used(self, plan: str) -> bool:
        return plan in self._record.plans

    def close(self) -> None:
        pass


class MemoryWriter(MemoryReader):
    """ports.LedgerWriter: the same verbs and refusals as a ledger on disk."""

    def __init__(
        self, ledger: MemoryLedger, record: LedgerRecord, holder: str, now: datetime, revision: str | None
    ) -> None:
        super().__init__(ledger, record)
        record.epochs.append(holder)
        record.runs.append(RunRecord(len(record.epochs), now, holder, __version__, revision, None, None))
        record.facts += 1 if revision is None else 2
        self._epoch = len(record.epochs)
        for number, begun in record.attempts.items():
            for attempt in range(1, len(begun) + 1):
                if all(word.attempt != attempt for word in record.outcomes.get(number, [])):
                    reason = "the run ended before the answer was recorded"
                    record.outcomes.setdefault(number, []).append(
                        Said(attempt, BatchState.UNKNOWN, reason, now)
                    )
                    record.facts += 1

    def open_scope(self, scope: Scope, held: bytes, *, at: datetime) -> None:
        self._fence()
        if scope in self._record.openings:
            raise LedgerError(f"{scope} was opened before")
        self._know(scope)
        self._record.openings[scope] = (self._epoch, held, at.astimezone(UTC))
        self._record.facts += 1

    def plan_batches(self, scope: Scope, members: Sequence[bytes], *, at: datetime) -> Sequence[int]:
        self._fence()
        self._know(scope)
        numbers = range(self.next_batch(), self.next_batch() + len(members))
        for number, packed in zip(numbers, members, strict=True):
            self._record.batches[number] = (scope, self._epoch, packed, at.astimezone(UTC))
        self._record.facts += len(members)
        return numbers

    def arm(self, number: int, attempt: int, *, seal: bytes, at: datetime) -> None:
        self.arm_all([AttemptStart(number, attempt, seal)], at=at)

    def arm_all(self, beginnings: Sequence[AttemptStart], *, at: datetime) -> None:
        with self._all_or_nothing() as record:
            for each in beginnings:
                self._arm(record, each, at)

    def _arm(self, record: LedgerRecord, beginning: AttemptStart, at: datetime) -> None:
        number = beginning.number
        if number not in record.batches or record.batches[number][1] != self._epoch:
            raise LedgerError(f"batch {number} was not planned by this run")
        state, last, _, _ = record.state(number)
        had = any(word.kind is BatchState.ACCEPTED for word in record.words.get(number, []))
        if had or state not in {BatchState.PLANNED, BatchState.REJECTED} or beginning.attempt != last + 1:
            raise LedgerError(f"batch {number} is {state}, its last attempt {last}")
        record.attempts.setdefault(number, []).append((at.astimezone(UTC), beginning.seal))
        record.facts += 1

    def settle(self, number: int, attempt: int, outcome: Outcome, *, at: datetime) -> None:
        self.settle_all([AttemptResult(number, attempt, outcome)], at=at)

    def settle_all(self, endings: Sequence[AttemptResult], *, at: datetime) -> None:
        with self._all_or_nothing() as record:
            for each in endings:
                self._settle(record, each, at)

    def _settle(self, record: LedgerRecord, ending: AttemptResult, at: datetime) -> None:
        number, attempt, outcome = ending.number, ending.attempt, ending.outcome
        if not 1 <= attempt <= len(record.attempts.get(number, [])):
            raise LedgerError(f"attempt {attempt} of batch {number} was never begun")
        said = record.outcomes.setdefault(number, [])
        accepted = next((word.attempt for word in said if word.state is BatchState.ACCEPTED), None)
        if accepted is not None and (accepted == attempt or isinstance(outcome, Accepted)):
            if accepted == attempt and isinstance(outcome, Accepted):
                return
            raise LedgerError(f"attempt {accepted} of batch {number} was accepted")
        reason = None if isinstance(outcome, Accepted) else outcome.reason
        provider_id = outcome.provider_id if isinstance(outcome, Accepted) else None
        moment = at.astimezone(UTC)
        said.append(Said(attempt, KINDS[type(outcome)], reason, moment, outcome.status, provider_id))
        record.facts += 1
        if isinstance(outcome, Accepted):
            self._say(number, member_verdicts(outcome))

    @contextmanager
    def _all_or_nothing(self) -> Iterator[LedgerRecord]:
        """What one commit is: when the block raises, nothing of it was done."""
        self._fence()
        before = self._record.copy()
        try:
            yield self._record
        except LedgerError:
            self._record.become(before)
            raise

    def resolve(self, number: int, words: Sequence[Verdict], *, at: datetime) -> None:
        self._fence()
        if number not in self._record.batches:
            raise LedgerError(f"there is no batch {number}")
        self._say(number, words)

    def declare(
        self, statement: Statement, *, at: datetime, served: Mapping[Scope, bytes] = MappingProxyType({})
    ) -> None:
        self._fence()
        self._record.statements.append(replace(statement, at=at.astimezone(UTC)))
        self._record.facts += 1 + len(served)
        for scope, members in served.items():
            self._know(scope)
            self._record.served.setdefault(scope, []).append(members)

    def use_plan(self, plan: str, *, at: datetime) -> None:
        self._fence()
        self._record.facts += plan not in self._record.plans
        self._record.plans.add(plan)

    def _say(self, number: int, words: Sequence[Verdict]) -> None:
        self._record.words.setdefault(number, []).extend(words)
        self._record.facts += len(words)

    def end(self, how: str, at: datetime) -> None:
        self._fence()
        self._record.runs[-1] = replace(self._record.runs[-1], ended=at, how=how)
        self._record.facts += 1

    def _know(self, scope: Scope) -> None:
        self._record.facts += scope not in self._record.scopes
        self._record.scopes.add(scope)

    def _fence(self) -> None:
        if len(self._record.epochs) != self._epoch:
            raise LedgerLockedError(f"another run took over: {self._record.epochs[-1]}")


class MemoryInbox(MemoryReader):
    """ports.ReceiptInbox."""

    def add(self, receipts: Sequence[Receipt]) -> int:
        new = [each for each in receipts if each.digest not in self._record.receipts]
        for receipt in new:
            if receipt.digest in self._record.receipts:
                continue
            self._record.receipts[receipt.digest] = receipt
            self._record.facts += 1
            if receipt.batch is None or receipt.position is None:
                continue
            found = self.find(receipt.batch)
            assert found is not None
            if found.others.get(receipt.position, found.state) is not BatchState.ACCEPTED:
                reason = f"a receipt says {receipt.status}"
                word = Verdict(receipt.position, BatchState.ACCEPTED, VerdictSource.RECEIPT, reason)
                self._record.words.setdefault(receipt.batch, []).append(word)
                self._record.facts += 1
        return len({each.digest for each in new})


class MemoryLedger:
    """ports.LedgerStore without a disk. What it forgets when the process ends, it keeps between readers and writers."""

    def __init__(self, *, clock: Clock, key: bytes = b"a key for tests", lineage: str = "memory") -> None:
        self.clock = clock
        self.key = key
        self.lineage = lineage
        self.created_at = datetime.min.replace(tzinfo=UTC)
        self._record: LedgerRecord | None = None
        self._holder: str | None = None

    def exists(self) -> bool:
        return self._record is not None

    def create(self) -> None:
        if self._record is not None:
            raise LedgerError("there is a ledger already")
        self.created_at = self.clock.now()
        self._record = LedgerRecord(facts=1)

    def reader(self, *, strict: bool = False) -> LedgerReader:
        return MemoryReader(self, self._there().copy())

    @contextmanager
    def writer(self, holder: str, *, revision: str | None = None) -> Iterator[LedgerWriter]:
        record = self._there()
        if self._holder is not None:
            raise LedgerLockedError(f"the ledger is held by {self._holder}")
        self._holder = holder
        writer = MemoryWriter(self, record, holder, self.clock.now(), revision)
        try:
            yield writer
        except BaseException as error:
            with suppress(LedgerLockedError):
                writer.end(type(error).__name__, self.clock.now())
            raise
        else:
            writer.end("finished", self.clock.now())
        finally:
            self._holder = None

    @contextmanager
    def inbox(self) -> Iterator[ReceiptInbox]:
        yield MemoryInbox(self, self._there())

    def lose_lock(self) -> None:
        """What a file system without locks does: another writer can begin although this one has not ended."""
        self._holder = None

    def _there(self) -> LedgerRecord:
        if self._record is None:
            raise LedgerError("there is no ledger", hint="`notifyctl ledger init` makes one, once")
        return self._record


KINDS: dict[type[Outcome], BatchState] = {
    Accepted: BatchState.ACCEPTED,
    Rejected: BatchState.REJECTED,
    Refused: BatchState.REJECTED,
    Unknown: BatchState.UNKNOWN,
}
