"""The digest that a review is bound to: over effects, never over the clock, the commit, the version or the batches."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from heapq import merge
from typing import Any

from msgspec import Struct, field
from msgspec.structs import asdict

from notifyctl.model.project import Policy
from notifyctl.model.recipients import ID_BYTES, Scope
from notifyctl.plan.actions import Intent

PREFIX = "sha256:"
HASH_BYTES = 32
ENTRY_BYTES = ID_BYTES + HASH_BYTES
"""A recipient id, then the delivery hash."""
PACKED_AT_ONCE = 65_536
"""Entries in one piece of a stream."""


class Sorted(Struct, frozen=True):
    """Entries that lie elsewhere: `pieces` gives them sorted, packed, in pieces of whole entries, each time it is called."""

    count: int
    pieces: Callable[[], Iterator[bytes]]


class ScopeEffects(Struct):
    """What a plan authorises in one scope. Entries may come in any order. They lie by what their units share: why and when."""

    scope: Scope
    policy: Policy
    rows: dict[str, list[bytes]] = field(default_factory=dict)
    elsewhere: dict[str, Sorted] = field(default_factory=dict)

    def add(
        self,
        recipient: bytes,
        intent: Intent,
        delivery_hash: bytes,
        not_before: datetime | None,
        expires: datetime | None,
    ) -> None:
        self.rows.setdefault(shared(intent, not_before, expires), []).append(recipient + delivery_hash)

    def clear(self) -> None:
        self.rows.clear()
        self.elsewhere.clear()

    def __len__(self) -> int:
        return sum(map(len, self.rows.values())) + sum(each.count for each in self.elsewhere.values())

    def groups(self) -> Iterator[tuple[str, int, Iterator[bytes]]]:
        """(what they share, how many, their entries sorted and packed in pieces), in the order of what they share."""
        for name in sorted({*self.rows, *self.elsewhere}):
            found = self.elsewhere.get(name)
            if found is not None:
                yield name, found.count, found.pieces()
            else:
                yield name, len(self.rows[name]), packed(sorted(self.rows[name]))

    def entries(self) -> Iterator[tuple[bytes, str]]:
        """Each entry and what it shares with others, sorted by recipient."""
        return merge(*(singly(name, pieces) for name, _, pieces in self.groups()))

    def ids(self) -> Iterator[bytes]:
        return (entry[:ID_BYTES] for entry, _ in self.entries())


def shared(intent: Intent, not_before: datetime | None, expires: datetime | None) -> str:
    return f"{intent}|{moment(not_before)}|{moment(expires)}"


def moment(value: datetime | None) -> str:
    return value.isoformat() if value else ""


def packed(entries: list[bytes]) -> Iterator[bytes]:
    for start in range(0, len(entries), PACKED_AT_ONCE):
        yield b"".join(entries[start : start + PACKED_AT_ONCE])


def singly(name: str, pieces: Iterable[bytes]) -> Iterator[tuple[bytes, str]]:
    for piece in pieces:
        for at in range(0, len(piece), ENTRY_BYTES):
            yield piece[at : at + ENTRY_BYTES], name


def digest(*, environment: str, provider: str, lineage: str | None, effects: Iterable[ScopeEffects]) -> str:
    """`sha256:` and 64 hex digits. Scopes without an authorised unit leave no trace in it."""
    state = hashlib.sha256()
    head = {"digest": 2, "environment": environment, "provider": provider, "lineage": lineage}
    state.update(line(head))
    for part in sorted((e for e in effects if len(e)), key=lambda e: e.scope):
        state.update(line({"scope": asdict(part.scope), "policy": asdict(part.policy), "units": len(part)}))
        for name, count, pieces in part.groups():
            state.update(line({"shared": name, "units": count}))
            for piece in pieces:
                state.update(piece)
    return PREFIX + state.hexdigest()


def line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
