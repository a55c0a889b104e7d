"""The rename guard: who has the text that they would get now under a name that is not defined any more."""

from __future__ import annotations

import numpy as np

from notifyctl.plan.combinations import Renames
from notifyctl.plan.inputs import ScopeInput
from notifyctl.plan.ledger_join import BATCH_BITS, LedgerJoin
from notifyctl.plan.legacy_hashes import match
from notifyctl.plan.recipient_table import Mask, RecipientTable
from notifyctl.plan.statuses import RANK

BATCH_NUMBER = np.uint64((1 << BATCH_BITS) - 1)


def find_renames(table: RecipientTable, join: LedgerJoin, scope_input: ScopeInput, eligible: Mask) -> Renames:
    """Of those who may be sent to. A text counts as theirs also in the form that an earlier version composed it in."""
    records = scope_input.records
    found = join.find_renames(records, eligible)
    # Usually no text has another form than before, and nobody's last text under those names need be looked at.
    if not records.vanished or not eligible.any() or not scope_input.former_messages():
        return found
    last, names_by_batch = join.last_texts(records.vanished)
    doubtful = eligible & (found.places == 0) & (last.ranks >> np.uint64(BATCH_BITS) > RANK["rejected"])
    same = match(table, doubtful, last.fingerprints, scope_input.messages, scope_input.former_messages)
    same &= ~join.find_text(records.own)
    batches = last.ranks & BATCH_NUMBER
    names = [*found.names]
    for name in sorted({names_by_batch[number] for number in batches[same].tolist()}):
        of_name = [number for number, each in names_by_batch.items() if each == name]
        names.append(name)
        found.places[same & np.isin(batches, np.array(of_name, np.uint64))] = len(names)
    return Renames(tuple(names), found.places)
