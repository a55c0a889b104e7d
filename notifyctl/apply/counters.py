"""Counts the outcomes of batches during a run. Keeps sums only, so that memory does not grow with the audience."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from notifyctl.apply.report import Counts, Report
from notifyctl.model.batch import Accepted, Outcome, Rejected, Unknown
from notifyctl.model.recipients import Scope

REASONS_KEPT = 20
OPTED_OUT = "opted out since the plan"
UNNAMED = "the answer lists its recipients and does not name them, or contradicts itself"


class Counters:
    """A batch can end several times, each time but the last by a rejection that is retried: the last one counts."""

    def __init__(self) -> None:
        self._people: Counter[Scope] = Counter()
        self._scopes: defaultdict[Scope, Counts] = defaultdict(Counts)
        self._accepted_in: Counter[Scope] = Counter()
        self._ended = Counts()
        self._reasons: Counter[str] = Counter()
        self._retryable: dict[int, tuple[Scope, int, Outcome]] = {}
        self._batches_accepted = 0
        self.batches = 0
        self.requests = 0

    @property
    def recipients(self) -> int:
        return self._people.total()

    def planned(self, scope: Scope, batches: int, people: int) -> None:
        self.batches += batches
        self._people[scope] += people

    def replanned(self, number: int, left: int, *, batches: int) -> None:
        """Recipients of a batch were planned again in others; `left` were not, and keep the outcome of this batch, if any."""
        self.batches += batches
        if number in self._retryable:
            scope, _, outcome = self._retryable[number]
            self._retryable[number] = scope, left, outcome

    def held_back(self, people: int, why: str) -> None:
        """Count recipients that are not attempted, and why."""
        if people:
            self._reasons[why] += people

    def ended(self, number: int, scope: Scope, size: int, outcome: Outcome) -> None:
        self._retryable.pop(number, None)
        if isinstance(outcome, Accepted) and not (outcome.refused or outcome.unheard):
            self._accepted_in[scope] += size
            self._batches_accepted += 1
        elif isinstance(outcome, Rejected) and outcome.retryable:
            self._retryable[number] = scope, size, outcome
        else:
            self._count(scope, size, outcome)

    def report(self, *, refused: str | None, interrupted: bool) -> Report:
        """The report at the end of a run: batches that still wait for a retry count as rejected."""
        for scope, size, outcome in self._retryable.values():
            self._count(scope, size, outcome)
        self._retryable.clear()
        scopes = {
            scope: with_not_begun(self._scopes[scope] + Counts(accepted=self._accepted_in[scope]), people)
            for scope, people in self._people.items()
        }
        return Report(
            recipients=sum(scopes.values(), Counts()),
            batches=with_not_begun(self._ended + Counts(accepted=self._batches_accepted), self.batches),
            scopes=scopes,
            requests=self.requests,
            reasons=dict(self._reasons.most_common(REASONS_KEPT)),
            refused=refused,
            interrupted=interrupted,
        )

    def _count(self, scope: Scope, size: int, outcome: Outcome) -> None:
        self._scopes[scope] += count_recipients(outcome, size)
        self._ended += Counts(accepted=1) if isinstance(outcome, Accepted) else count_recipients(outcome, 1)
        self._reasons.update(reasons(outcome, size))


def count_recipients(outcome: Outcome, size: int) -> Counts:
    if isinstance(outcome, Accepted):
        rejected, unknown = len(outcome.refused), len(outcome.unheard)
        return Counts(accepted=size - rejected - unknown, rejected=rejected, unknown=unknown)
    return Counts(unknown=size) if isinstance(outcome, Unknown) else Counts(rejected=size)


def reasons(outcome: Outcome, size: int) -> Mapping[str, int]:
    """Reason → recipients that were not accepted for it. The refusal of the whole account is reported on its own."""
    if isinstance(outcome, Accepted):
        return Counter(outcome.refused.values()) + Counter({UNNAMED: len(outcome.unheard)})
    return {outcome.reason: size} if isinstance(outcome, Rejected | Unknown) else {}


def with_not_begun(ended: Counts, total: int) -> Counts:
    """The counts, with the remainder of `total` as not attempted."""
    return ended + Counts(not_begun=total - ended.accepted - ended.rejected - ended.unknown)
