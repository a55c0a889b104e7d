"""A plan saved to a file, with every authorised delivery, so that apply sends a subset of what was reviewed. Pure.

Deliveries are keyed hashes without addresses. Reading recomputes the digest, so the digest that was reviewed covers the
whole file.
"""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from operator import itemgetter
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from notifyctl.errors import PlanRefusedError
from notifyctl.model.project import Category, ChannelName, Policy
from notifyctl.model.recipients import ID_BYTES, Scope
from notifyctl.plan.digest import ENTRY_BYTES, ScopeEffects, SortedEntries, digest
from notifyctl.plan.model import FORMAT_VERSION, Plan

MOST_BYTES = 1 << 30
"""Limit on the uncompressed entries of one scope: ten million recipients."""


class SavedPlan(Struct, frozen=True):
    """`document` is the parsed file."""

    id: str
    environment: str
    provider: str
    lineage: str | None
    digest: str
    valid_until: datetime
    effects: tuple[ScopeEffects, ...]
    document: Mapping[str, Any]


def authorised_units(plan: Plan, plan_id: str) -> dict[str, Any]:
    """Returns what a plan file adds to the public plan."""
    scopes = sorted((each for each in plan.effects if len(each)), key=lambda each: each.scope)
    return {"plan_id": plan_id, "authorised": [scope_object(each) for each in scopes]}


def scope_object(effects: ScopeEffects) -> dict[str, Any]:
    return {
        "scope": asdict(effects.scope),
        "policy": asdict(effects.policy),
        "count": len(effects),
        "units": [
            {"shared": name, "count": group.count, "packed": compress(group.pieces())}
            for name, group in sorted(effects.groups.items(), key=itemgetter(0))
        ],
    }


def compress(pieces: Iterable[bytes]) -> str:
    packing = zlib.compressobj()
    packed = b"".join([*map(packing.compress, pieces), packing.flush()])
    return b64encode(packed).decode()


def read_saved(document: object) -> SavedPlan:
    """Raises PlanRefusedError if the document is not a plan file, is damaged or was changed."""
    if not isinstance(document, dict) or "plan_id" not in document:
        raise PlanRefusedError(
            "this is not a saved plan",
            hint="`notifyctl plan --out FILE` writes one; plan.json from --format json is none",
        )
    major = str(document.get("format_version", "")).partition(".")[0]
    if major != FORMAT_VERSION.partition(".")[0]:
        raise PlanRefusedError(
            f"the plan is of format {document.get('format_version')}; this notifyctl reads {FORMAT_VERSION}",
            hint="plan again with this version",
        )
    try:
        effects = tuple(scope_effects(entry) for entry in document["authorised"])
        saved = SavedPlan(
            id=str(document["plan_id"]),
            environment=str(document["environment"]),
            provider=str(document["provider"]),
            lineage=document["ledger"],
            digest=str(document["digest"]),
            valid_until=datetime.fromisoformat(document["valid_until"]),
            effects=effects,
            document=document,
        )
    except (KeyError, TypeError, ValueError, AttributeError, zlib.error) as error:
        raise PlanRefusedError("the plan file is damaged; nothing was sent", hint="plan again") from error
    recomputed = digest(
        environment=saved.environment, provider=saved.provider, lineage=saved.lineage, effects=saved.effects
    )
    if recomputed != saved.digest:
        raise PlanRefusedError(
            f"the plan file was changed: it says {saved.digest}, and holds {recomputed}; nothing was sent",
            hint="plan again",
        )
    return saved


def scope_effects(entry: Mapping[str, Any]) -> ScopeEffects:
    scope, policy = dict(entry["scope"]), dict(entry["policy"])
    scope["channel"] = ChannelName(scope["channel"])
    policy["require_unsubscribe"] = tuple(Category(each) for each in policy["require_unsubscribe"])
    groups = {str(each["shared"]): decompress(each["packed"]) for each in entry["units"]}
    return ScopeEffects(Scope(**scope), Policy(**policy), groups)


def decompress(text: str) -> SortedEntries:
    unpacking = zlib.decompressobj()
    packed = unpacking.decompress(b64decode(text, validate=True), MOST_BYTES)
    if unpacking.unconsumed_tail or not unpacking.eof or len(packed) % ENTRY_BYTES:
        raise ValueError("too long, or cut off")
    return SortedEntries(len(packed) // ENTRY_BYTES, lambda: iter((packed,)))


def find_excess(saved: SavedPlan, now: Iterable[ScopeEffects]) -> list[str]:
    """Describes sends that the saved plan does not authorise; empty if all are authorised."""
    reviewed = {each.scope: each for each in saved.effects}
    return [
        difference for each in now if len(each) for difference in differences(reviewed.get(each.scope), each)
    ]


def differences(reviewed: ScopeEffects | None, now: ScopeEffects) -> Iterator[str]:
    name = (
        f"{now.scope.notification} (edition {now.scope.edition}, {now.scope.occurrence}, {now.scope.channel})"
    )
    if reviewed is None:
        yield f"{name}: {count_recipients(len(now))}, and the plan has none there"
        return
    if reviewed.policy != now.policy:
        yield f"{name}: the limits are others than those that were reviewed"
    joined, changed = compare_scope(reviewed.entries(), now.entries())
    if joined:
        yield f"{name}: {count_recipients(joined)} who are not in the plan"
    if changed:
        yield f"{name}: {count_recipients(changed)} would get another text, or at another time"


def compare_scope(reviewed: Iterator[tuple[bytes, str]], now: Iterator[tuple[bytes, str]]) -> tuple[int, int]:
    """Returns how many entries of `now` are not in the plan, and how many differ. Both inputs are sorted by recipient."""
    joined = changed = 0
    known = next(reviewed, None)
    for unit in now:
        recipient = unit[0][:ID_BYTES]
        while known is not None and known[0][:ID_BYTES] < recipient:
            known = next(reviewed, None)
        if known is None or known[0][:ID_BYTES] != recipient:
            joined += 1
        elif known != unit:
            changed += 1
    return joined, changed


def count_recipients(count: int) -> str:
    return f"{count:,} {'person' if count == 1 else 'people'}"
