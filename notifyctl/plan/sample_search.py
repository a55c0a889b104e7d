"""Finds the recipients whose texts a plan shows: the first reader of each text that is worth a look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from notifyctl.model.recipients import ID_BYTES
from notifyctl.plan.actions import Action
from notifyctl.plan.digest import ENTRY_BYTES
from notifyctl.plan.recipient_table import Mask, RecipientTable
from notifyctl.plan.samples import HELD, RTL, Samples
from notifyctl.recipients.values import ValueTable, find_non_gsm7, resolve_columns

NOT_GSM7, RIGHT_TO_LEFT, LACKS_OPTIONAL = 1, 2, 4
"""Bits of a mark: what a recipient's values are an example of."""


def measure_values(values: ValueTable, optional: Sequence[int]) -> tuple[list[int], list[int]]:
    """(characters of all values, marks) of each recipient. `optional`: the columns whose values may be empty."""
    lengths, marks = [0] * values.count, [0] * values.count
    for sizes in values.lengths:
        lengths = list(map(add, lengths, sizes))
    for column in values.columns:
        for at in find_non_gsm7(column):
            marks[at] |= NOT_GSM7
            marks[at] |= RIGHT_TO_LEFT if RTL.search(column[at] or "") else 0
    for column in (values.columns[at] for at in optional):
        if not all(column):
            marks = [
                mark if value else mark | LACKS_OPTIONAL for mark, value in zip(marks, column, strict=True)
            ]
    return lengths, marks


def find_samples(
    table: RecipientTable,
    shown: Mask,
    actions: Mapping[int, Action],
    keys: NDArray[np.uint32],
    samples: Samples,
) -> None:
    """Give `samples` what it needs of the recipients where `shown` holds. `actions`: combination key → action."""
    places = np.flatnonzero(shown)
    # Texts are told apart by 64 bits of their hashes: this is for showing, and not for deciding.
    texts = table.entries["text"][places].astype(np.uint64)
    firsts = places[is_first(texts)]
    samples.texts = len(firsts)
    variants = [profile.variant for profile in table.profile_list]
    profiles = table.profiles[firsts]
    wanted: set[int] = set()
    for variant in samples.messages:
        of_variant = np.isin(profiles, [at for at, reads in enumerate(variants) if reads == variant])
        wanted.update(select_shown(table, firsts, np.flatnonzero(of_variant)))
    positions = firsts[sorted(wanted)].tolist()
    for position, (destination, own) in zip(positions, table.spooled_rows(positions), strict=True):
        variant = variants[table.profiles[position]]
        message = samples.messages[variant]
        columns = {name: [value] for name, value in zip(table.names, own, strict=True)}
        delivery_hash = table.packed_entry(position)[ID_BYTES:ENTRY_BYTES]
        samples.counts[delivery_hash] = int((texts == table.entries["text"][position]).sum())
        resolved = tuple(column[0] for column in resolve_columns(message, columns, [0]))
        samples.show(delivery_hash, (variant, actions[int(keys[position])], destination, resolved))


def is_first(values: NDArray[Any]) -> Mask:
    """Where a value stands for the first time."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    begins = np.ones(len(values), bool)
    begins[1:] = ordered[1:] != ordered[:-1]
    first = np.zeros(len(values), bool)
    first[order[begins]] = True
    return first


def select_shown(table: RecipientTable, firsts: NDArray[np.intp], some: NDArray[np.intp]) -> Iterator[int]:
    """Of the first readers (`some` are places among them, in the order of the rows): those that a plan may show."""
    if not len(some):
        return
    yield from some[:HELD].tolist()
    lengths, marks = table.lengths[firsts[some]], table.marks[firsts[some]]
    yield int(some[np.argmax(lengths)])
    yield int(some[np.argmin(lengths)])
    for mark in (NOT_GSM7, RIGHT_TO_LEFT, LACKS_OPTIONAL):
        yield from some[np.flatnonzero(marks & mark)[:1]].tolist()
