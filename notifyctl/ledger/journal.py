"""Keeps results that could not be committed, so that a full disk does not lose what the provider answered.

The journal lies beside the ledger: one line of JSON per result. The next writer commits its entries and removes it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from notifyctl import strict_json
from notifyctl.errors import LedgerError
from notifyctl.fault_injection import Point, point
from notifyctl.model.batch import Accepted, Outcome, Refused, Rejected, Unknown
from notifyctl.model.events import Verdict, VerdictSource, member_verdicts
from notifyctl.model.ledger import BatchState
from notifyctl.ports import LedgerWriter

LOST_ATTEMPT = "known from this machine's journal; the ledger has lost the attempt"


class Result(msgspec.Struct, frozen=True):
    """How an attempt of a batch ended, and when."""

    batch: int
    attempt: int
    outcome: Outcome
    at: datetime


class Entry(msgspec.Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True):
    """A line of the journal. `lineage` is that of its ledger; `at` is ISO 8601."""

    lineage: str
    batch: int
    attempt: int
    at: str


class AcceptedEntry(Entry, frozen=True, tag="Accepted"):
    """`refused` and `unheard` are positions of members, counted from 0."""

    status: int
    provider_id: str
    refused: dict[int, str] = {}
    unheard: list[int] = []

    @property
    def outcome(self) -> Outcome:
        return Accepted(self.provider_id, self.status, refused=self.refused, unheard=frozenset(self.unheard))


class RejectedEntry(Entry, frozen=True, tag="Rejected"):
    status: int | None
    reason: str

    @property
    def outcome(self) -> Outcome:
        return Rejected(self.reason, self.status)


class RefusedEntry(Entry, frozen=True, tag="Refused"):
    status: int | None
    reason: str

    @property
    def outcome(self) -> Outcome:
        return Refused(self.reason, self.status)


class UnknownEntry(Entry, frozen=True, tag="Unknown"):
    status: int | None
    reason: str

    @property
    def outcome(self) -> Outcome:
        return Unknown(self.reason, self.status)


AnyEntry = AcceptedEntry | RejectedEntry | RefusedEntry | UnknownEntry


def journal_path(ledger: Path) -> Path:
    return ledger.with_name(f"{ledger.name}.results")


def append_result(ledger: Path, lineage: str, result: Result) -> None:
    """Append a result, durably. Raises OSError if even that fails."""
    line = msgspec.json.encode(entry_of(lineage, result)) + b"\n"
    descriptor = os.open(journal_path(ledger), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        # A single write: a crash leaves the line whole or cut off, and a line that is cut off is skipped.
        os.write(descriptor, line)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_results(ledger: Path, lineage: str) -> list[Result]:
    """The results of this ledger in order. Skips other ledgers' lines, and lines that a crash cut off.

    Raises LedgerError if the journal exists and cannot be read.
    """
    try:
        text = journal_path(ledger).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise LedgerError(f"{journal_path(ledger)} cannot be read: {error.strerror}") from error
    return list(parse_results(text, lineage))


def parse_results(text: str, lineage: str) -> Iterator[Result]:
    for line in text.splitlines():
        try:
            document = strict_json.parse(line)
            entry: AnyEntry = msgspec.convert(document, AnyEntry, str_keys=True)
            moment = datetime.fromisoformat(entry.at)
        except (ValueError, msgspec.MsgspecError, RecursionError):  # no ValueError in msgspec 0.19
            continue
        if entry.lineage == lineage:
            yield Result(entry.batch, entry.attempt, entry.outcome, moment)


def replay_results(writer: LedgerWriter, ledger: Path, lineage: str) -> None:
    """Commits the results of the journal and removes it.

    The ledger may have been restored from a backup, or its server replaced by a replica, and may lack the attempt: what the answer
    says of the people is recorded then, so that they are not sent it again. A number that was given to another batch since is not
    meant. Raises LedgerError if a result still cannot be committed; the journal then stays as it is.
    """
    results = read_results(ledger, lineage)
    began = {run.epoch: run.started for run in writer.runs()} if results else {}
    for result in results:
        batch = writer.find(result.batch)
        if batch is None or batch.state is BatchState.ACCEPTED or began[batch.epoch] > result.at:
            continue
        if result.attempt <= batch.attempt:
            writer.settle(result.batch, result.attempt, result.outcome, at=result.at)
        elif verdicts := verdicts_without_attempt(result.outcome):
            writer.resolve(result.batch, verdicts, at=result.at)
    point(Point.REPLAYED)
    remove_journal(ledger)


def verdicts_without_attempt(outcome: Outcome) -> list[Verdict]:
    """What an answer says of the members of a batch; nothing if they were certainly not accepted."""
    if isinstance(outcome, Accepted):
        accepted = Verdict(None, BatchState.ACCEPTED, VerdictSource.ANSWER, LOST_ATTEMPT)
        return [accepted, *member_verdicts(outcome)]
    if isinstance(outcome, Unknown):
        return [Verdict(None, BatchState.UNKNOWN, VerdictSource.ANSWER, LOST_ATTEMPT)]
    return []


def remove_journal(ledger: Path) -> None:
    journal_path(ledger).unlink(missing_ok=True)


def entry_of(lineage: str, result: Result) -> AnyEntry:
    outcome, at = result.outcome, result.at.isoformat()
    where = (lineage, result.batch, result.attempt, at)
    if isinstance(outcome, Accepted):
        members = (dict(outcome.refused), sorted(outcome.unheard))
        return AcceptedEntry(*where, outcome.status, outcome.provider_id, *members)
    if isinstance(outcome, Rejected):
        return RejectedEntry(*where, outcome.status, outcome.reason)
    if isinstance(outcome, Refused):
        return RefusedEntry(*where, outcome.status, outcome.reason)
    return UnknownEntry(*where, outcome.status, outcome.reason)
