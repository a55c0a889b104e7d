"""How each scope stands, counted in people: what `status` and `ledger show` draw. Reads any ledger through its port."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from notifyctl.delivery import Scope
from notifyctl.plan.standing import recorded_ids, standings
from notifyctl.ports import LedgerReader


@dataclass(frozen=True, slots=True)
class ScopeStatus:
    """Each person who belongs to a scope counts once. `total` is the sum of the four others."""

    scope: Scope
    accepted: int
    rejected: int
    uncertain: int
    not_begun: int
    """In the recorded audience, and nothing was ever begun for them."""
    last_batch: int | None
    """The highest batch that was begun; `None`: nothing was begun."""

    @property
    def total(self) -> int:
        return self.accepted + self.rejected + self.uncertain + self.not_begun


def scope_statuses(reader: LedgerReader, notification: str | None = None) -> list[ScopeStatus]:
    """Every scope of the ledger, or of one notification, in order."""
    return [
        status_of(reader, scope)
        for scope in reader.scopes()
        if notification is None or scope.notification == notification
    ]


def status_of(reader: LedgerReader, scope: Scope) -> ScopeStatus:
    known = standings(reader.facts(scope))
    kinds = Counter(standing.kind for standing in known.values())
    return ScopeStatus(
        scope,
        accepted=kinds["accepted"],
        rejected=kinds["rejected"],
        uncertain=kinds["uncertain"],
        not_begun=len(recorded_ids(reader.recorded(scope) or b"") - known.keys()),
        last_batch=max((standing.batch for standing in known.values()), default=None),
    )
