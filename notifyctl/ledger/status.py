"""How each scope stands, counted in people: what `status` draws. Reads any ledger through its port."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from notifyctl.model.ledger import BatchRecord, ScopeStatus
from notifyctl.model.recipients import Scope
from notifyctl.plan.standing import recorded_ids, standings
from notifyctl.ports import LedgerReader

NO_ANSWER = "no answer recorded yet"


def scope_statuses(reader: LedgerReader, notification: str | None = None) -> list[ScopeStatus]:
    """Every scope of the ledger, or of one notification, in order."""
    return [
        status_of(reader, scope)
        for scope in reader.scopes()
        if notification is None or scope.notification == notification
    ]


def status_of(reader: LedgerReader, scope: Scope) -> ScopeStatus:
    said: dict[int, str] = {}
    known = standings(noting(reader.facts(scope), said))
    kinds = Counter(standing.kind for standing in known.values())
    reasons = Counter(said[standing.batch] for standing in known.values() if standing.kind != "accepted")
    return ScopeStatus(
        scope,
        accepted=kinds["accepted"],
        rejected=kinds["rejected"],
        uncertain=kinds["uncertain"],
        not_begun=len(recorded_ids(reader.recorded(scope) or b"") - known.keys()),
        reasons=dict(reasons.most_common()),
        receipts=receipts_of(reader, scope, kinds["accepted"]),
    )


def receipts_of(reader: LedgerReader, scope: Scope, accepted: int) -> dict[str, int]:
    """Those of everybody in the scope. The statuses and `none` add up to who accepted."""
    counts: Counter[str] = Counter()
    clicked = 0
    for batch in reader.facts(scope):
        for delivery in reader.deliveries(batch.number).values():
            clicked += delivery.clicked
            counts[delivery.status.value if delivery.status else "none"] += 1
    counts["none"] += accepted - counts.total()
    found = {status: count for status, count in counts.items() if count}
    if set(found) == {"none"}:
        return {}
    return {**dict(sorted(found.items())), **({"clicked": clicked} if clicked else {})}


def noting(facts: Iterable[BatchRecord], said: dict[int, str]) -> Iterator[BatchRecord]:
    """The facts unchanged; `said` gets the reason of each batch as it passes, so that they are read only once."""
    for batch in facts:
        said[batch.number] = batch.reason or NO_ANSWER
        yield batch
