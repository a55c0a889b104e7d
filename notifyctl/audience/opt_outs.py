"""Who is not written to by one notification now."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from msgspec import Struct

from notifyctl.model.recipients import Suppression

if TYPE_CHECKING:
    from notifyctl.hashing import RecipientHasher


class OptOuts(Struct, frozen=True):
    """Reason → normalised addresses, and reason → ids by a hasher. Of several
    reasons the first counts.
    """

    plain: Sequence[tuple[str, AbstractSet[str]]] = ()
    hashed: Sequence[tuple[str, RecipientHasher, AbstractSet[bytes]]] = ()

    def __bool__(self) -> bool:
        return bool(self.plain or self.hashed)

    def reason(self, key: str) -> str | None:
        """`key`: a normalised address."""
        for told, addresses in self.plain:
            if key in addresses:
                return told
        for told, hasher, ids in self.hashed:
            if hasher([key])[0] in ids:
                return told
        return None


def opted_out(addresses: frozenset[str]) -> OptOuts:
    """Plain addresses as opt-outs without a reason."""
    return OptOuts([(Suppression.OPTED_OUT.value, addresses)] if addresses else [])
