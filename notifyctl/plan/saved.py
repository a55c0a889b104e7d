"""A plan saved to a file, with every authorised delivery, so that apply sends a subset of what was reviewed. Pure.

Deliveries are keyed hashes without addresses. They are unpacked only once the file's seal was checked.
"""

from __future__ import annotations

import hmac
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from operator import itemgetter
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from notifyctl.command_line import command_line
from notifyctl.errors import PlanRefusedError
from notifyctl.model.ledger import Purpose
from notifyctl.model.recipients import ID_BYTES
from notifyctl.plan.digest import ENTRY_BYTES, ScopeEffects, SortedEntries, digest, limits_object
from notifyctl.plan.model import Plan
from notifyctl.plan.plan_document import (
    FILE_FORMAT,
    SEAL,
    AuthorisedScope,
    PackedUnits,
    PlanDocument,
    decode,
    sealed_digest,
)

MOST_BYTES = 1 << 30
"""Limit on the uncompressed entries of one scope: ten million recipients."""

Code = Callable[[Purpose, bytes], bytes]
"""`LedgerReader.code` of the ledger that a plan is made against."""


class SavedPlan(Struct, frozen=True):
    """`document` is the parsed file, `typed` the same by its types."""

    document: Mapping[str, Any]
    typed: PlanDocument

    @property
    def id(self) -> str:
        return self.typed.plan_id

    @property
    def environment(self) -> str:
        return self.typed.environment

    @property
    def provider(self) -> str:
        return self.typed.provider

    @property
    def lineage(self) -> str | None:
        return self.typed.ledger

    @property
    def digest(self) -> str:
        return self.typed.digest

    @property
    def valid_until(self) -> datetime:
        return self.typed.valid_until

    @property
    def effects(self) -> tuple[ScopeEffects, ...]:
        """What is authorised, unpacked. Only of a file whose seal was checked. Raises PlanRefusedError."""
        try:
            return tuple(scope_effects(entry) for entry in self.typed.authorised)
        except (ValueError, zlib.error) as error:
            raise damaged() from error

    def is_sealed_by(self, code: Code) -> bool:
        """Whether the file is, to the last value, what was written under this ledger's key."""
        try:
            expected = code(Purpose.PLAN_FILE, sealed_digest(self.document)).hex()
        except ValueError:
            return False
        return hmac.compare_digest(expected.encode(), (self.typed.mac or "").encode(errors="replace"))


def damaged() -> PlanRefusedError:
    return PlanRefusedError(
        "the plan file is damaged; nothing was sent",
        hint=f"to make a new plan, run: {command_line('plan', '--out', 'FILE')}",
    )


def build_document(
    public: Mapping[str, Any], plan: Plan, *, plan_id: str, account: str | None, code: Code | None
) -> dict[str, Any]:
    """The document of a plan file. `public`: the public plan; without `code` it is not sealed, and apply refuses it."""
    scopes = sorted((each for each in plan.effects if len(each)), key=lambda each: each.scope)
    document = {
        **public,
        "format_version": FILE_FORMAT,
        "plan_id": plan_id,
        "account": account,
        "authorised": [scope_object(each) for each in scopes],
    }
    document[SEAL] = code(Purpose.PLAN_FILE, sealed_digest(document)).hex() if code is not None else None
    return document


def scope_object(effects: ScopeEffects) -> dict[str, Any]:
    return {
        "scope": asdict(effects.scope),
        "policy": limits_object(effects.policy),
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
    """Raises PlanRefusedError if the document is not a plan file of this format, or is damaged. Its seal is not checked."""
    typed = decode(document)
    assert isinstance(document, dict)
    return SavedPlan(document, typed)


def refuse_unsealed(saved: SavedPlan, code: Code) -> None:
    """Raises PlanRefusedError unless the file is what was written under this ledger's key, and adds up."""
    if saved.typed.mac is None:
        raise PlanRefusedError(
            "the plan file was made without the ledger; nothing was sent",
            hint="make the plan on a machine that can read the ledger, without --offline",
        )
    if not saved.is_sealed_by(code):
        raise PlanRefusedError(
            "the plan file was changed after it was written, or made with another ledger's key; nothing was sent",
            hint=f"to make a new plan, run: {command_line('plan', '--out', 'FILE')}",
        )
    recomputed = digest(
        environment=saved.environment, provider=saved.provider, lineage=saved.lineage, effects=saved.effects
    )
    if recomputed != saved.digest:
        raise damaged()


def scope_effects(entry: AuthorisedScope) -> ScopeEffects:
    return ScopeEffects(entry.scope, entry.policy, {units.shared: decompress(units) for units in entry.units})


def decompress(units: PackedUnits) -> SortedEntries:
    unpacking = zlib.decompressobj()
    most = units.count * ENTRY_BYTES
    if most > MOST_BYTES:
        raise ValueError("too long")
    packed = unpacking.decompress(b64decode(units.packed, validate=True), most)
    if unpacking.unconsumed_tail or not unpacking.eof or len(packed) != most:
        raise ValueError("too long, or cut off")
    return SortedEntries(units.count, lambda: iter((packed,)))


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
        yield f"{name}: {count_recipients(changed)} would be sent another text, at another time, or with other checks by the provider"


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
