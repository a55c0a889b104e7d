"""Fakes of the ports, public, so that projects which embed notifyctl can test with them too. No I/O, no real time.

Each passes the contract test of its port in `tests/contracts/`, the same one as the adapter it stands for.
"""

from __future__ import annotations

import hmac
import io
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

from notifyctl.config.paths import IGNORE_FILE, hidden, ignored, inside
from notifyctl.delivery import (
    ID_BYTES,
    MEMBER_BYTES,
    Accepted,
    Batch,
    BatchFacts,
    BatchState,
    LedgerSummary,
    Outcome,
    PreparedRequest,
    Refused,
    Rejected,
    Scope,
    Unknown,
)
from notifyctl.errors import LedgerError, LedgerLockedError
from notifyctl.ports import Clock, LedgerReader, LedgerWriter


class ManualClock:
    """ports.Clock that stands still: only `sleep` and `advance` move it, and nobody waits."""

    def __init__(self, start: datetime) -> None:
        self._start = start.astimezone(UTC)
        self._passed = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return self._passed

    def sleep(self, seconds: float) -> None:
        self.advance(max(seconds, 0))

    def advance(self, seconds: float) -> None:
        self._passed += seconds


@dataclass(slots=True)
class LedgerRecord:
    """What a MemoryLedger holds. Facts are only added, so a reader's moment is a copy of the containers."""

    facts: int = 0
    epochs: list[str] = field(default_factory=list)
    scopes: set[Scope] = field(default_factory=set)
    openings: dict[Scope, tuple[int, bytes, datetime]] = field(default_factory=dict)
    batches: dict[int, tuple[Scope, int, bytes, datetime]] = field(default_factory=dict)
    attempts: dict[int, list[tuple[datetime, bytes]]] = field(default_factory=dict)
    outcomes: dict[int, list[tuple[int, BatchState, str | None, datetime]]] = field(default_factory=dict)

    def copy(self) -> LedgerRecord:
        return LedgerRecord(
            self.facts,
            list(self.epochs),
            set(self.scopes),
            dict(self.openings),
            dict(self.batches),
            {number: list(begun) for number, begun in self.attempts.items()},
            {number: list(said) for number, said in self.outcomes.items()},
        )

    def state(self, number: int) -> tuple[BatchState, int, datetime, str | None]:
        """State, last attempt, since when, and why: an acceptance if there is one, else the last word on the last attempt."""
        begun = self.attempts.get(number, [])
        if not begun:
            return BatchState.PLANNED, 0, self.batches[number][3], None
        said = self.outcomes.get(number, [])
        accepted = [word for word in said if word[1] is BatchState.ACCEPTED]
        last = accepted or [word for word in said if word[0] == len(begun)]
        if not last:
            return BatchState.ARMED, len(begun), begun[-1][0], None
        _, state, reason, at = last[-1]
        return state, len(begun), at, reason


class MemoryReader:
    """ports.LedgerReader over a record."""

    def __init__(self, ledger: MemoryLedger, record: LedgerRecord) -> None:
        self._ledger = ledger
        self._record = record

    def summary(self) -> LedgerSummary:
        batches, recipients = Counter[BatchState](), Counter[BatchState]()
        for number, (_, _, members, _) in self._record.batches.items():
            state = self._record.state(number)[0]
            batches[state] += 1
            recipients[state] += len(members) // MEMBER_BYTES
        return LedgerSummary(
            lineage=self._ledger.lineage,
            location="memory",
            schema_version=1,
            serial=self._record.facts,
            created_at=self._ledger.created_at,
            batches={state: batches[state] for state in BatchState},
            recipients={state: recipients[state] for state in BatchState},
            scopes=len(self._record.scopes),
        )

    def recipient_ids(self, addresses: Sequence[str]) -> list[bytes]:
        key = self._ledger.key
        return [hmac.digest(key, address.encode(), "sha256")[:ID_BYTES] for address in addresses]

    def scopes(self) -> Sequence[Scope]:
        return sorted(self._record.scopes)

    def facts(self, scope: Scope) -> Iterator[BatchFacts]:
        for number, (its_scope, _, members, _) in self._record.batches.items():
            if its_scope == scope:
                state, attempt, at, reason = self._record.state(number)
                yield BatchFacts(number, scope, state, attempt, members, at, reason)

    def recorded(self, scope: Scope) -> bytes | None:
        if scope not in self._record.openings:
            return None
        epoch, held, _ = self._record.openings[scope]
        planned = (m for s, e, m, _ in self._record.batches.values() if (s, e) == (scope, epoch))
        starts = (packed[i : i + ID_BYTES] for packed in planned for i in range(0, len(packed), MEMBER_BYTES))
        return held + b"".join(starts)

    def next_batch(self) -> int:
        return len(self._record.batches) + 1

    def close(self) -> None:
        pass


class MemoryWriter(MemoryReader):
    """ports.LedgerWriter: the same verbs and refusals as a ledger on disk."""

    def __init__(self, ledger: MemoryLedger, record: LedgerRecord, holder: str, now: datetime) -> None:
        super().__init__(ledger, record)
        record.epochs.append(holder)
        record.facts += 1
        self._epoch = len(record.epochs)
        for number, begun in record.attempts.items():
            for attempt in range(1, len(begun) + 1):
                if all(word[0] != attempt for word in record.outcomes.get(number, [])):
                    reason = "the run ended before the answer was recorded"
                    record.outcomes.setdefault(number, []).append((attempt, BatchState.UNKNOWN, reason, now))
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
        self._fence()
        if number not in self._record.batches or self._record.batches[number][1] != self._epoch:
            raise LedgerError(f"batch {number} was not planned by this run")
        state, last, _, _ = self._record.state(number)
        if state not in {BatchState.PLANNED, BatchState.REJECTED} or attempt != last + 1:
            raise LedgerError(f"batch {number} is {state}, its last attempt {last}")
        self._record.attempts.setdefault(number, []).append((at.astimezone(UTC), seal))
        self._record.facts += 1

    def settle(self, number: int, attempt: int, outcome: Outcome, *, at: datetime) -> None:
        self._fence()
        if not 1 <= attempt <= len(self._record.attempts.get(number, [])):
            raise LedgerError(f"attempt {attempt} of batch {number} was never begun")
        said = self._record.outcomes.setdefault(number, [])
        accepted = next((word[0] for word in said if word[1] is BatchState.ACCEPTED), None)
        if accepted is not None and (accepted == attempt or isinstance(outcome, Accepted)):
            if accepted == attempt and isinstance(outcome, Accepted):
                return
            raise LedgerError(f"attempt {accepted} of batch {number} was accepted")
        reason = None if isinstance(outcome, Accepted) else outcome.reason
        said.append((attempt, KINDS[type(outcome)], reason, at.astimezone(UTC)))
        self._record.facts += 1

    def end(self) -> None:
        self._fence()
        self._record.facts += 1

    def _know(self, scope: Scope) -> None:
        self._record.facts += scope not in self._record.scopes
        self._record.scopes.add(scope)

    def _fence(self) -> None:
        if len(self._record.epochs) != self._epoch:
            raise LedgerLockedError(f"another run took over: {self._record.epochs[-1]}")


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

    def reader(self) -> LedgerReader:
        return MemoryReader(self, self._there().copy())

    @contextmanager
    def writer(self, holder: str) -> Iterator[LedgerWriter]:
        record = self._there()
        if self._holder is not None:
            raise LedgerLockedError(f"the ledger is held by {self._holder}")
        self._holder = holder
        writer = MemoryWriter(self, record, holder, self.clock.now())
        try:
            yield writer
        except BaseException:
            with suppress(LedgerLockedError):
                writer.end()
            raise
        else:
            writer.end()
        finally:
            self._holder = None

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


class MemoryFiles:
    """ports.FileTree without a disk: path → text or bytes."""

    def __init__(self, files: Mapping[str, bytes | str]) -> None:
        self._files = {path: data.encode() if isinstance(data, str) else data for path, data in files.items()}

    def paths(self) -> Sequence[str]:
        leave_out = ignored(self._files.get(IGNORE_FILE))
        return sorted(path for path in self._files if not hidden(path) and not leave_out(path))

    def read(self, path: str) -> bytes:
        data = self._files.get(inside(path))
        if data is None:
            raise FileNotFoundError(2, "No such file or directory", path)
        return data

    def open(self, path: str) -> BinaryIO:
        return io.BytesIO(self.read(path))


class RecordingProvider:
    """ports.Provider that reaches nobody. `sent` are the requests in the order they came; they end as `script` says, and
    are accepted when it is at its end.
    """

    identity = "recording"

    def __init__(self, script: Iterable[Outcome] = ()) -> None:
        self.sent: list[PreparedRequest] = []
        self._script = iter(script)
        self._lock = threading.Lock()

    def prepare(self, batch: Batch) -> PreparedRequest:
        field = batch.message.channel.address_field
        body = {
            "channel": batch.message.channel.value,
            "to": [
                {
                    field: list(entry.addresses),
                    "correlationId": entry.correlation_id,
                    "substitutions": dict(entry.substitutions),
                }
                for entry in batch.to
            ],
            "callbackData": batch.envelope.callback_data,
        }
        return PreparedRequest("POST", "https://api.example/v2/messages", {"key": "<redacted>"}, body)

    def send(self, request: PreparedRequest) -> Outcome:
        with self._lock:
            self.sent.append(request)
            return next(self._script, Accepted(f"message-{len(self.sent)}", 201))

    def close(self) -> None:
        pass
