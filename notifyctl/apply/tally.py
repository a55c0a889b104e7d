"""Counts what becomes of batches while a run goes on. Holds sums, so that ten million people take no more room than ten."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from notifyctl.apply.report import Counts, Report
from notifyctl.model.batch import Accepted, Outcome, Rejected, Unknown
from notifyctl.model.recipients import Scope

REASONS_KEPT = 20
OPTED_OUT = "opted out since the plan"
UNNAMED = "the answer lists its recipients and does not name them"


class Tally:
    """A batch may end several times, each time but the last by a rejection that is tried again: the last one counts."""

    def __init__(self) -> None:
        self._people: Counter[Scope] = Counter()
        self._scopes: defaultdict[Scope, Counts] = defaultdict(Counts)
        self._taken: Counter[Scope] = Counter()
        self._ended = Counts()
        self._reasons: Counter[str] = Counter()
        self._retryable: dict[int, tuple[Scope, int, Outcome]] = {}
        self._batches_taken = 0
        self.batches = 0
        self.requests = 0

    @property
    def recipients(self) -> int:
        return self._people.total()

    def planned(self, scope: Scope, batches: int, people: int) -> None:
        self.batches += batches
        self._people[scope] += people

    def replanned(self, number: int, left: int) -> None:
        """People of a batch were recorded again, in another batch; `left` were not, and end as the batch ended, if it did."""
        self.batches += 1
        if number in self._retryable:
            scope, _, outcome = self._retryable[number]
            self._retryable[number] = scope, left, outcome

    def held_back(self, people: int, why: str) -> None:
        """So many are not begun."""
        self._reasons[why] += people

    def ended(self, number: int, scope: Scope, size: int, outcome: Outcome) -> None:
        self._retryable.pop(number, None)
        if isinstance(outcome, Accepted) and not (outcome.refused or outcome.unheard):
            self._taken[scope] += size  # as almost all do
            self._batches_taken += 1
        elif isinstance(outcome, Rejected) and outcome.retryable:
            self._retryable[number] = scope, size, outcome
        else:
            self._count(scope, size, outcome)

    def report(self, *, refused: str | None, interrupted: bool) -> Report:
        """At the end of a run: what waited to be tried again is not any more."""
        for scope, size, outcome in self._retryable.values():
            self._count(scope, size, outcome)
        self._retryable.clear()
        scopes = {
            scope: rest(self._scopes[scope] + Counts(accepted=self._taken[scope]), people)
            for scope, people in self._people.items()
        }
        return Report(
            recipients=sum(scopes.values(), Counts()),
            batches=rest(self._ended + Counts(accepted=self._batches_taken), self.batches),
            scopes=scopes,
            requests=self.requests,
            reasons=dict(self._reasons.most_common(REASONS_KEPT)),
            refused=refused,
            interrupted=interrupted,
        )

    def _count(self, scope: Scope, size: int, outcome: Outcome) -> None:
        self._scopes[scope] += counted(outcome, size)
        self._ended += Counts(accepted=1) if isinstance(outcome, Accepted) else counted(outcome, 1)
        self._reasons.update(reasons(outcome, size))


def counted(outcome: Outcome, size: int) -> Counts:
    if isinstance(outcome, Accepted):
        rejected, unknown = len(outcome.refused), len(outcome.unheard)
        return Counts(accepted=size - rejected - unknown, rejected=rejected, unknown=unknown)
    return Counts(unknown=size) if isinstance(outcome, Unknown) else Counts(rejected=size)


def reasons(outcome: Outcome, size: int) -> Mapping[str, int]:
    """Why people are not accepted → how many. A refusal of the whole account is told by itself."""
    if isinstance(outcome, Accepted):
        return Counter(outcome.refused.values()) + Counter({UNNAMED: len(outcome.unheard)})
    return {outcome.reason: size} if isinstance(outcome, Rejected | Unknown) else {}


def rest(ended: Counts, total: int) -> Counts:
    """The same, with whoever is missing in it as not begun."""
    return ended + Counts(not_begun=total - ended.accepted - ended.rejected - ended.unknown)
