"""Recipients with an unknown outcome by batch, as text. Counts only, no address."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from notifyctl.model.events import NO_ANSWER, UnresolvedBatch
from notifyctl.plurals import pluralise
from notifyctl.schedule.moments import format_occurrence, format_time
from notifyctl.views.colours import Paint, strip_controls


def as_text(found: Sequence[UnresolvedBatch], *, colour: bool) -> str:
    if not found:
        return "No unknown outcomes."
    return "\n".join(_lines(found, Paint(colour)))


def _lines(found: Sequence[UnresolvedBatch], paint: Paint) -> Iterator[str]:
    recipients = sum(len(each.positions) for each in found)
    yield (
        f"{pluralise(recipients, 'recipient')}: outcome unknown. The provider may or may not have accepted the message."
    )
    for each in found:
        scope = each.scope
        slot = "" if scope.occurrence == "once" else f" {format_occurrence(scope.occurrence)}"
        where = f"{scope.notification} · {scope.channel} · edition {scope.edition}{slot}"
        yield f"  batch {each.batch}  {paint.bold(pluralise(len(each.positions), 'recipient'))}  {where}"
        reason = strip_controls(each.reason or NO_ANSWER)
        yield paint.dim(f"    attempted {format_time(each.since)}: {reason}")
