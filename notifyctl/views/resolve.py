"""Uncertain recipients by batch, as text. Counts only, no address."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from notifyctl.model.events import UnresolvedBatch
from notifyctl.schedule.moments import format_time
from notifyctl.views.colours import Paint, strip_controls
from notifyctl.views.diagnostics import pluralise


def as_text(found: Sequence[UnresolvedBatch], *, colour: bool) -> str:
    if not found:
        return "Nobody is uncertain."
    return "\n".join(_lines(found, Paint(colour)))


def _lines(found: Sequence[UnresolvedBatch], paint: Paint) -> Iterator[str]:
    people = sum(len(each.positions) for each in found)
    yield f"{pluralise(people, 'person', 'people')} uncertain: nobody knows whether the provider had their message."
    for each in found:
        scope = each.scope
        slot = "" if scope.occurrence == "once" else f" {scope.occurrence}"
        where = f"{scope.notification} · {scope.channel} · edition {scope.edition}{slot}"
        yield f"  batch {each.batch}  {paint.bold(f'{len(each.positions):,}')}  {where}"
        yield paint.dim(
            f"    since {format_time(each.since)}: {strip_controls(each.reason or 'no answer recorded yet')}"
        )
