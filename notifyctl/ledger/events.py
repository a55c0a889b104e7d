"""Reads the events of a ledger: verdicts on single members, receipts, statements, runs and used plans.

A ledger of version 1 lacks most of these tables; they read as empty.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from notifyctl.ledger.damage import reads_checked
from notifyctl.ledger.database import Database, Row
from notifyctl.ledger.facts import ACCEPTANCES_SINCE, ACTOR_SINCE, EVENTS_SINCE, LIKENESS_SINCE, TESTS_SINCE
from notifyctl.model.acceptance import Acceptance, AcceptBy, AcceptRule, Identity, Proof
from notifyctl.model.events import (
    NO_ANSWER,
    OPT_OUT_CODES,
    AttemptRecord,
    Deliveries,
    Resolution,
    RunRecord,
    Statement,
    StatementKind,
    Verdict,
    VerdictSource,
    decisive_verdicts,
    fold_receipts,
    fold_verdicts,
)
from notifyctl.model.ledger import EVERYTHING, BatchRecord, BatchState
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import ID_BYTES, MEMBER_BYTES, Scope
from notifyctl.model.test_messages import TestMessage, TestRecord

BATCHES = (
    "SELECT number, state, attempt, members, batch_state.at, reason, batch.epoch, notification, edition, occurrence,"
    " channel FROM batch_state JOIN batch USING (number, scope) JOIN scope ON scope.id = batch.scope"
)

Words = Mapping[int, Sequence[Verdict]]
"""Batch number → verdicts on its members, in order."""


@reads_checked
class Events:
    """The part of ports.LedgerReader that is about single members and runs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._version = database.facts_version()
        self._extent = EVERYTHING

    def _events(self, sql: str, *values: object) -> list[Row]:
        return self._database.rows(sql, *values) if self._version >= EVENTS_SINCE else []

    def words(self, first: int, last: int) -> Words:
        rows = self._events(
            "SELECT batch, position, kind, source, reason, who, at FROM word WHERE batch BETWEEN ? AND ? AND id <= ?"
            " ORDER BY batch, id",
            first,
            last,
            self._extent.words,
        )
        words: defaultdict[int, list[Verdict]] = defaultdict(list)
        for batch, position, kind, source, reason, who, at in rows:
            moment = datetime.fromisoformat(at)
            words[batch].append(
                Verdict(position, BatchState(kind), VerdictSource(source), reason, who, moment)
            )
        return words

    def verdicts(self, number: int) -> Mapping[int, Verdict]:
        row = self._database.row("SELECT state, recipients FROM batch_state WHERE number = ?", number)
        words = self.words(number, number).get(number, ())
        return decisive_verdicts(BatchState(row[0]), row[1], words) if row else {}

    def resolutions(self) -> Sequence[Resolution]:
        rows = self._events(
            "SELECT notification, edition, occurrence, channel, kind, reason, who, word.at, batch, count(*)"
            " FROM word JOIN batch ON batch.number = word.batch JOIN scope ON scope.id = batch.scope"
            " WHERE source = 'resolve' GROUP BY notification, edition, occurrence, channel, batch, kind, reason, who, word.at ORDER BY min(word.id)"
        )
        found: dict[tuple[object, ...], Resolution] = {}
        for *scope, kind, reason, who, at, batch, count in rows:
            key = (*scope, kind, reason, who, at)
            before = found.get(key)
            found[key] = Resolution(
                scope=scope_of(scope),
                kind=BatchState(kind),
                recipients=count + (before.recipients if before else 0),
                batches=(*(before.batches if before else ()), batch),
                reason=reason,
                who=who,
                at=datetime.fromisoformat(at),
            )
        return list(found.values())

    def batch_facts(self, row: Row, words: Words) -> BatchRecord:
        """`row`: of the query BATCHES."""
        number, state, attempt, members, at, reason, epoch, *scope = row
        assert isinstance(members, bytes)
        assert len(members) % MEMBER_BYTES == 0
        assert reason is None or isinstance(reason, str)
        others = fold_verdicts(BatchState(state), len(members) // MEMBER_BYTES, words.get(number, ()))
        return BatchRecord(
            number=number,
            scope=scope_of(scope),
            state=BatchState(state),
            attempt=attempt,
            members=members,
            at=datetime.fromisoformat(at),
            reason=reason,
            others=others,
            epoch=epoch,
        )

    def batches_with_words(self) -> Iterator[BatchRecord]:
        for (number,) in self._events("SELECT DISTINCT batch FROM word ORDER BY batch"):
            batch = self.find(number)
            assert batch is not None
            yield batch

    def find(self, number: int) -> BatchRecord | None:
        row = self._database.row(f"{BATCHES} WHERE number = ?", number)
        return self.batch_facts(row, self.words(number, number)) if row else None

    def seals(self, number: int) -> Sequence[bytes]:
        rows = self._database.rows("SELECT seal FROM attempt WHERE batch = ? ORDER BY attempt", number)
        return [seal for (seal,) in rows]

    def by_provider_id(self, provider_id: str) -> int | None:
        row = self._database.row(
            "SELECT batch FROM outcome WHERE provider_id = ? ORDER BY id DESC LIMIT 1", provider_id
        )
        return row[0] if row else None

    def attempts(self, scope: Scope) -> Iterator[AttemptRecord]:
        rows = self._database.rows(
            "SELECT attempt.batch, attempt.attempt, attempt.epoch, attempt.at, seal, kind, status, provider_id, reason"
            " FROM attempt JOIN batch ON batch.number = attempt.batch"
            " LEFT JOIN outcome ON outcome.id = (SELECT max(id) FROM outcome AS o WHERE o.batch = attempt.batch"
            " AND o.attempt = attempt.attempt) WHERE batch.scope = ? ORDER BY attempt.batch, attempt.attempt",
            self._scope_id(scope),
        )
        for batch, attempt, epoch, at, seal, kind, status, provider_id, reason in rows:
            yield AttemptRecord(
                batch=batch,
                attempt=attempt,
                scope=scope,
                epoch=epoch,
                at=datetime.fromisoformat(at),
                seal=seal,
                kind=BatchState(kind or BatchState.ARMED),
                status=status,
                provider_id=provider_id,
                reason=reason,
            )

    def begins(self) -> Mapping[int, datetime]:
        rows = self._database.rows(
            "SELECT epoch, min(at) FROM attempt WHERE epoch < ? GROUP BY epoch", self._extent.epoch
        )
        return {epoch: datetime.fromisoformat(at) for epoch, at in rows}

    def deliveries(self, number: int) -> Deliveries:
        rows = self._events(
            "SELECT position, status, code FROM receipt WHERE batch = ? AND position IS NOT NULL ORDER BY position, id",
            number,
        )
        by_position: defaultdict[int, list[tuple[str, str | None]]] = defaultdict(list)
        for position, status, code in rows:
            by_position[position].append((status, code))
        return {
            position: fold_receipts(*zip(*receipts, strict=True))
            for position, receipts in by_position.items()
        }

    def opt_outs(self, since: datetime | None = None) -> Iterator[tuple[bytes, str, str, datetime]]:
        """(recipient id, channel, reason, time) of each OptOutReason in a receipt, in the order of the receipts."""
        query = (
            "SELECT code, receipt.at, position, members, channel FROM receipt JOIN batch ON batch.number = receipt.batch"  # noqa: S608
            " JOIN scope ON scope.id = batch.scope WHERE position IS NOT NULL AND receipt.id <= ?"
            f" AND code IN ({', '.join('?' * len(OPT_OUT_CODES))}) ORDER BY receipt.id"
        )
        rows = self._events(query, self._extent.receipts, *sorted(OPT_OUT_CODES))
        for code, at, position, members, channel in rows:
            moment = datetime.fromisoformat(at)
            if since is None or moment >= since:
                start = position * MEMBER_BYTES
                yield members[start : start + ID_BYTES], channel, OPT_OUT_CODES[code], moment

    def receipt_count(self) -> int:
        return sum(count for (count,) in self._events("SELECT count(*) FROM receipt"))

    def tests(self) -> Sequence[TestRecord]:
        if self._version < TESTS_SINCE:
            return []
        rows = self._database.rows(
            "SELECT number, test.epoch, test.at, kind, status, provider_id, reason, name, notification, edition, channel,"
            " locale, values_of, sent_to, fingerprint FROM test LEFT JOIN test_result ON test_result.test = test.number"
            " LEFT JOIN actor ON actor.epoch = test.epoch ORDER BY number"
        )
        return [
            TestRecord(
                number=number,
                message=TestMessage(notification, edition, ChannelName(channel), *rest),
                epoch=epoch,
                at=datetime.fromisoformat(at),
                kind=BatchState(kind or BatchState.UNKNOWN),
                status=status,
                provider_id=provider_id,
                reason=reason if kind else NO_ANSWER,
                who=who,
            )
            for number, epoch, at, kind, status, provider_id, reason, who, notification, edition, channel, *rest in rows
        ]

    def next_test(self) -> int:
        if self._version < TESTS_SINCE:
            return 1
        return self._database.number("SELECT coalesce(max(number), 0) + 1 FROM test")

    def acceptances(self) -> Sequence[Acceptance]:
        if self._version < ACCEPTANCES_SINCE:
            return []
        rows = self._database.rows(
            "SELECT who, proof, detail, evidence, rule_by, rule_above, rule_proven, channel, until, at, revoked,"
            " fingerprint, notification, edition, max_recipients, revision FROM acceptance WHERE epoch < ? ORDER BY id",
            self._extent.epoch,
        )
        return [
            Acceptance(
                fingerprint=fingerprint,
                notification=notification,
                edition=edition,
                channel=ChannelName(channel),
                until=datetime.fromisoformat(until),
                max_recipients=max_recipients,
                who=Identity(who, Proof(proof), detail, evidence),
                rule=AcceptRule(AcceptBy(by), above, bool(proven)),
                revision=revision,
                at=datetime.fromisoformat(at),
                revoked=bool(revoked),
            )
            for who, proof, detail, evidence, by, above, proven, channel, until, at, revoked, *rest in rows
            for fingerprint, notification, edition, max_recipients, revision in [rest]
        ]

    def notices(self) -> Mapping[str, datetime]:
        if self._version < ACCEPTANCES_SINCE:
            return {}
        rows = self._database.rows("SELECT key, at FROM notice ORDER BY id")
        return {key: datetime.fromisoformat(at) for key, at in rows}

    def statements(self) -> Sequence[Statement]:
        rows = self._events(
            "SELECT kind, notification, edition, detail, who, at FROM statement WHERE epoch < ? ORDER BY id",
            self._extent.epoch,
        )
        return [
            Statement(StatementKind(kind), notification, edition, detail, who, datetime.fromisoformat(at))
            for kind, notification, edition, detail, who, at in rows
        ]

    def served(self, scope: Scope) -> Iterator[bytes]:
        rows = self._events(
            "SELECT members FROM served WHERE scope = ? AND statement IN (SELECT id FROM statement WHERE epoch < ?)"
            " ORDER BY statement, part",
            self._scope_id(scope),
            self._extent.epoch,
        )
        for (members,) in rows:
            assert len(members) % MEMBER_BYTES == 0
            yield members

    def likenesses(self) -> Mapping[Scope, Sequence[int]]:
        if self._version < LIKENESS_SINCE:
            return {}
        found: defaultdict[Scope, list[int]] = defaultdict(list)
        for fingerprint, *scope in self._database.rows(
            "SELECT fingerprint, notification, edition, occurrence, channel FROM likeness"
            " JOIN scope ON scope.id = likeness.scope"
            " WHERE likeness.scope IN (SELECT scope FROM opening WHERE epoch < ?) ORDER BY likeness.id",
            self._extent.epoch,
        ):
            found[scope_of(scope)].append(int.from_bytes(fingerprint))
        return found

    def runs(self) -> Sequence[RunRecord]:
        revisions: dict[int, str] = dict(self._events("SELECT epoch, revision FROM origin"))
        actors: dict[int, str] = {}
        if self._version >= ACTOR_SINCE:
            actors = dict(self._database.rows("SELECT epoch, name FROM actor"))
        rows = self._database.rows(
            "SELECT epoch, started_at, holder, tool, ended_at, how FROM run LEFT JOIN run_end USING (epoch) ORDER BY epoch"
        )
        return [
            RunRecord(
                epoch=epoch,
                started=datetime.fromisoformat(started),
                holder=holder,
                tool=tool,
                revision=revisions.get(epoch),
                ended=datetime.fromisoformat(ended) if ended else None,
                how=how,
                actor=actors.get(epoch),
            )
            for epoch, started, holder, tool, ended, how in rows
        ]

    def plan_used(self, plan: str) -> bool:
        return bool(self._events("SELECT 1 FROM plan_use WHERE plan = ?", plan))

    def _scope_id(self, scope: Scope) -> int | None:
        row = self._database.row(
            "SELECT id FROM scope WHERE notification = ? AND edition = ? AND occurrence = ? AND channel = ?",
            *columns(scope),
        )
        return row[0] if row else None


def columns(scope: Scope) -> tuple[str, int, str, str]:
    return scope.notification, scope.edition, scope.occurrence, scope.channel.value


def scope_of(row: Sequence[object]) -> Scope:
    notification, edition, occurrence, channel = row
    return Scope(str(notification), int(str(edition)), str(occurrence), ChannelName(str(channel)))
