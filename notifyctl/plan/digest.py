"""The digest that a review is bound to: over effects, never over the clock, the commit, the version or the batches."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from heapq import merge
from operator import itemgetter
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from notifyctl.model.project import Policy
from notifyctl.model.recipients import ID_BYTES, Scope
from notifyctl.plan.actions import Intent

PREFIX = "sha256:"
BASELINE = "baseline|"
"""How the key of a group that a baseline counts as served begins; its reason follows."""
HASH_BYTES = 32
ENTRY_BYTES = ID_BYTES + HASH_BYTES
"""A recipient id, then the delivery hash."""


class SortedEntries(Struct, frozen=True):
    """`pieces` gives the entries packed, in the order of their ids, in pieces of whole entries, each time it is called."""

    count: int
    pieces: Callable[[], Iterator[bytes]]


class ScopeEffects(Struct):
    """What a plan authorises in one scope. `groups`: what entries share (why, and when) → the entries.

    A pending baseline is a group of its own: its recipients are sent nothing.
    """

    scope: Scope
    policy: Policy
    groups: dict[str, SortedEntries] = {}

    def __len__(self) -> int:
        return sum(each.count for each in self.groups.values())

    def entries(self) -> Iterator[tuple[bytes, str]]:
        """Each entry and what it shares with others, sorted by recipient."""
        return merge(*(unpack(name, group.pieces()) for name, group in self.groups.items()))

    def ids(self) -> Iterator[bytes]:
        """Of those who may be sent to."""
        return (entry[:ID_BYTES] for entry, name in self.entries() if not name.startswith(BASELINE))


def shared_key(
    intent: Intent,
    not_before: datetime | None,
    expires: datetime | None,
    *,
    contact_policy: Mapping[str, Any] | None = None,
) -> str:
    """`contact_policy`: the provider's checks, without which more people would be sent to than a review saw."""
    key = f"{intent}|{moment(not_before)}|{moment(expires)}"
    return key if contact_policy is None else f"{key}|{json.dumps(dict(contact_policy), sort_keys=True)}"


def due_key(shared: str) -> str:
    """What of a shared key says when something is due, and why it is sent."""
    return shared if shared.startswith(BASELINE) else "|".join(shared.split("|", 3)[:3])


def baseline_key(reason: str | None) -> str:
    return f"{BASELINE}{reason}"


def moment(value: datetime | None) -> str:
    return value.isoformat() if value else ""


def unpack(name: str, pieces: Iterable[bytes]) -> Iterator[tuple[bytes, str]]:
    for piece in pieces:
        for at in range(0, len(piece), ENTRY_BYTES):
            yield piece[at : at + ENTRY_BYTES], name


def digest(*, environment: str, provider: str, lineage: str | None, effects: Iterable[ScopeEffects]) -> str:
    """`sha256:` and 64 hex digits. Scopes without an authorised unit leave no trace in it."""
    state = hashlib.sha256()
    head = {"digest": 2, "environment": environment, "provider": provider, "lineage": lineage}
    state.update(line(head))
    for part in sorted((e for e in effects if len(e)), key=lambda e: e.scope):
        state.update(
            line({"scope": asdict(part.scope), "policy": limits_object(part.policy), "units": len(part)})
        )
        for name, group in sorted(part.groups.items(), key=itemgetter(0)):
            state.update(line({"shared": name, "units": group.count}))
            for piece in group.pieces():
                state.update(piece)
    return PREFIX + state.hexdigest()


def limits_object(policy: Policy) -> dict[str, Any]:
    """A notification's limits. Who can accept a series is no limit of what is sent, so that digests made before it hold."""
    return {key: value for key, value in asdict(policy).items() if key != "accept"}


def line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
