"""Recognises texts that an earlier version of notifyctl sent and hashed in another way: they have not changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from notifyctl.message import DeliveryHash
from notifyctl.model.message import Message
from notifyctl.model.recipients import FINGERPRINT_BYTES
from notifyctl.plan.recipient_table import Mask, RecipientTable
from notifyctl.recipients.hashes import delivery_hashes, legacy_delivery_hashes
from notifyctl.recipients.values import ValueTable, resolve_columns


def match(
    table: RecipientTable,
    doubtful: Mask,
    fingerprints: NDArray[np.uint8],
    messages: Mapping[str | None, Message],
    former_messages: Callable[[], Mapping[str | None, Message]] = dict,
) -> Mask:
    """Of the doubtful recipients those whose recorded fingerprint a former version made of the text they would get now.

    `former_messages`: the variants that former versions composed in another way, asked for only if somebody is doubtful.
    """
    matches = np.zeros(len(table), bool)
    if not doubtful.any():
        return matches
    former = former_messages()
    hashers = {variant: DeliveryHash(message) for variant, message in messages.items()}
    former_hashers = {variant: DeliveryHash(message) for variant, message in former.items()}
    variants = [profile.variant for profile in table.profile_list]
    for number, start, end in table.chunks():
        positions = np.flatnonzero(doubtful[start:end])
        if not len(positions):
            continue
        values = dict(zip(table.names, table.spool.read(number).own, strict=True))
        readers = [variants[profile] for profile in table.profiles[start:end][positions].tolist()]
        for variant in set(readers):
            some = [at for at, reads in zip(positions.tolist(), readers, strict=True) if reads == variant]
            columns = resolve_columns(messages[variant], values, some)
            rows = start + np.array(some)
            known = legacy_delivery_hashes(hashers[variant], columns, len(some))
            if variant in former:
                columns = resolve_columns(former[variant], values, some)
                known += legacy_delivery_hashes(former_hashers[variant], columns, len(some))
                known.append(delivery_hashes(former_hashers[variant], ValueTable(columns, len(some))))
            for hashes in known:
                packed = np.frombuffer(
                    b"".join([bytes(each[:FINGERPRINT_BYTES]) for each in hashes]), np.uint8
                )
                same = packed.reshape(-1, FINGERPRINT_BYTES) == fingerprints[rows]
                matches[rows[same.all(axis=1)]] = True
    return matches
