"""Reads the audience of one scope and evaluates it batch by batch into a table of packed columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from notifyctl.audience.addresses import find_without_plus
from notifyctl.audience.rejects import Rejects
from notifyctl.message import DeliveryHash
from notifyctl.model.left_out import has_fallback
from notifyctl.model.recipients import ID_BYTES, RecipientBatch
from notifyctl.plan.digest import ENTRY_BYTES
from notifyctl.plan.inputs import ScopeInput
from notifyctl.plan.recipient_table import RecipientTable, TableChunk
from notifyctl.plan.sample_search import measure_values
from notifyctl.plan.spool import SpooledColumns
from notifyctl.recipients.evaluate import MessageEvaluator
from notifyctl.recipients.gaps import GapFinder
from notifyctl.recipients.hashes import Identify, delivery_hashes
from notifyctl.recipients.values import ValueTable, VariantIndex, resolve_columns
from notifyctl.rulebook.envelope import PLUS


class ScopeReader:
    """Whatever is the same for all readers of a variant is worked out once."""

    def __init__(
        self,
        scope_input: ScopeInput,
        *,
        profile: str,
        prefix_length: int,
        optional: dict[str | None, list[int]],
        needs_gsm7: bool = False,
        former_ids: bool = False,
    ) -> None:
        """`profile`: of the API's limits. `needs_gsm7` as in MessageEvaluator. `prefix_length`: characters of an address that its price depends on. `optional`: of each
        variant the names (by place) whose values may be empty. `former_ids`: whether the ledger may know people by former keys.
        """
        policy = scope_input.notification.policy
        assert policy is not None, "resolving references fills the policy in"
        template = scope_input.notification.template
        self.input = scope_input
        self.former_ids = former_ids
        self.prefix_length = prefix_length
        self.optional = optional
        self.variants = VariantIndex(template, scope_input.locale)
        self.hashers = {variant: DeliveryHash(message) for variant, message in scope_input.messages.items()}
        self.evaluators = {
            variant: MessageEvaluator(
                message,
                template.variables or (),
                profile=profile,
                max_segments=policy.max_segments,
                needs_gsm7=needs_gsm7,
            )
            for variant, message in scope_input.messages.items()
        }
        self.with_fallback = {
            variant for variant, message in scope_input.messages.items() if has_fallback(message)
        }
        names = {name for message in scope_input.messages.values() for name in message.names}
        self.gaps = GapFinder(scope_input.notification, scope_input.locale, timezone=scope_input.zone)
        self.table = RecipientTable(sorted(names))
        self.excluded = Rejects()
        self.readings: Counter[str] = Counter()
        """How phone numbers were read, as in RecipientBatch."""

    def read(self, identify: Identify, on_rows: Callable[[int], None]) -> RecipientTable:
        """`on_rows` is told how many rows were read so far."""
        for batch in self.input.audience.batches(self.input.scope.channel, self.table.names):
            self.readings.update(batch.readings)
            for row in batch.excluded:
                self.excluded.add(row)
            if len(batch):
                self.table.append(self._evaluate(batch, identify(batch.addresses), self.gaps.add(batch)))
            if self.former_ids and batch.former_keys:
                pairs = zip(*map(identify, zip(*batch.former_keys, strict=True)), strict=True)
                self.table.former_ids += b"".join([now + then for now, then in pairs])
            on_rows(len(self.table) + self.excluded.counts.total())
        return self.table

    def _evaluate(self, batch: RecipientBatch, ids: Sequence[bytes], zones: Sequence[str]) -> TableChunk:
        count = len(batch)
        entries = np.empty((count, ENTRY_BYTES), np.uint8)
        entries[:, :ID_BYTES] = np.frombuffer(b"".join(ids), np.uint8).reshape(count, ID_BYTES)
        facts = np.zeros((3, count), np.uint32)
        variants: list[str | None] = [None] * count
        problems: list[str | None] = [None] * count
        for variant, positions in self.variants.group(batch.locales).items():
            at: Any = slice(None) if len(positions) == count else positions
            columns = resolve_columns(self.input.messages[variant], batch.values, positions)
            values = ValueTable(columns, len(positions))
            entries[at, ID_BYTES:] = delivery_hashes(self.hashers[variant], values)
            found, facts[:, at] = self._measure(variant, values)
            for place, problem in found.items():
                problems[positions[place]] = problem
            if variant is not None:
                for position in positions:
                    variants[position] = variant
        for position in find_without_plus(batch.destinations) if self.input.require_plus else ():
            problems[position] = problems[position] or PLUS.id
        segments, lengths, marks = facts
        return TableChunk(
            entries=entries.tobytes(),
            profiles=self._profiles(batch, variants, zones, problems),
            prefixes=[address[: self.prefix_length] for address in batch.addresses],
            segments=segments.astype(np.uint16),
            lengths=lengths,
            marks=marks.astype(np.uint8),
            spooled=self._spooled(batch),
        )

    def _profiles(
        self,
        batch: RecipientBatch,
        variants: Sequence[str | None],
        zones: Sequence[str],
        problems: Sequence[str | None],
    ) -> Iterator[tuple[str | None, ...]]:
        """As Profile has them."""
        if not batch.fallbacks or not self.with_fallback:
            return zip(variants, zones, problems, batch.suppressions, strict=True)
        fallbacks = [
            reason if variant in self.with_fallback else None
            for variant, reason in zip(variants, batch.fallbacks, strict=True)
        ]
        return zip(variants, zones, problems, batch.suppressions, fallbacks, strict=True)

    def _measure(self, variant: str | None, values: ValueTable) -> tuple[dict[int, str], NDArray[np.uint32]]:
        """Problems by position; and segments, lengths and marks as rows of an array."""
        evaluation = self.evaluators[variant].evaluate(values)
        lengths, marks = measure_values(values, self.optional[variant])
        counted = evaluation.sms or evaluation.fallback
        segments = counted.segments if counted is not None else [0] * values.count
        problems = dict(evaluation.problems)
        find_blocked = self.input.find_blocked.get(variant)
        for position, rule in find_blocked(values) if find_blocked is not None else ():
            problems.setdefault(position, rule)
        return problems, np.array([segments, lengths, marks], np.uint32)

    def _spooled(self, batch: RecipientBatch) -> SpooledColumns:
        own = (batch.values.get(name) for name in self.table.names)
        correlations = batch.correlations
        return SpooledColumns(
            list(batch.destinations),
            None if list(correlations).count(None) == len(batch) else list(correlations),
            [list(column) if column else None for column in own],
        )
