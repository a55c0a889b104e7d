"""The digest that a review is bound to: over effects, never over the clock, the commit, the version or the batches."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from notifyctl.delivery import Scope
from notifyctl.model import Policy
from notifyctl.plan.actions import Intent

PREFIX = "sha256:"


@dataclass(slots=True)
class ScopeEffects:
    """What a plan authorises in one scope. Entries may come in any order: they are sorted before they are hashed."""

    scope: Scope
    policy: Policy
    entries: list[bytes] = field(default_factory=list)

    def add(
        self,
        recipient: bytes,
        intent: Intent,
        delivery_hash: bytes,
        not_before: datetime | None,
        expires: datetime | None,
    ) -> None:
        moments = f"{intent}|{moment(not_before)}|{moment(expires)}".encode()
        self.entries.append(recipient + delivery_hash + moments)


def moment(value: datetime | None) -> str:
    return value.isoformat() if value else ""


def digest(*, environment: str, provider: str, lineage: str | None, effects: Iterable[ScopeEffects]) -> str:
    """`sha256:` and 64 hex digits. Scopes without an authorised unit leave no trace in it."""
    state = hashlib.sha256()
    head = {"digest": 1, "environment": environment, "provider": provider, "lineage": lineage}
    state.update(line(head))
    for part in sorted((e for e in effects if e.entries), key=lambda e: e.scope):
        state.update(
            line({"scope": asdict(part.scope), "policy": asdict(part.policy), "units": len(part.entries)})
        )
        for entry in sorted(part.entries):
            state.update(len(entry).to_bytes(2, "big") + entry)
    return PREFIX + state.hexdigest()


def line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
