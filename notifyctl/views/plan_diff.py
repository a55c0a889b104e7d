"""What a change of the files does, compared with a commit: text and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from notifyctl.plan.diff import Change, Review, Side, TextChange
from notifyctl.views.colours import Paint, strip_controls
from notifyctl.views.diagnostics import pluralise
from notifyctl.views.markdown import MEANT, total, word_diff


def as_text(review: Review, *, colour: bool) -> str:
    return "\n".join(_lines(review, Paint(colour)))


def _lines(review: Review, paint: Paint) -> Iterator[str]:
    yield ""
    yield f"{paint.bold('Compared with')} {review.base}: {pluralise(len(review.changes), 'notification')} changed, {review.unchanged:,} not"
    if review.problem:
        yield paint.yellow(
            f"The base cannot be read: {strip_controls(review.problem)}. Everything counts as new."
        )
    for change in review.changes:
        yield from _change(change, paint)


def _change(change: Change, paint: Paint) -> Iterator[str]:
    yield f"{paint.bold(strip_controls(change.name))}  {paint.yellow(change.category.value)}: {MEANT[change.category]}"
    people = [f"{len(side.people) if side else 0:,}" for side in (change.before, change.after)]
    moved = [
        f"{count:,} {word}" for count, word in ((change.joined, "joined"), (change.left, "left")) if count
    ]
    yield f"  audience {' → '.join(people)}{' (' + ', '.join(moved) + ')' if moved else ''}"
    old, new = _total(change.before), _total(change.after)
    if old != new:
        yield f"  {old} → {new}"
    for what, was, now in change.envelope:
        yield f"  {what}: {strip_controls(was or 'none')} → {strip_controls(now or 'none')}"
    for each in change.texts:
        yield from _text(each, paint)


def _total(side: Side | None) -> str:
    return total(side.planned) if side else "nobody"


def _text(change: TextChange, paint: Paint) -> Iterator[str]:
    yield paint.dim(f"  {change.where}{f' ({change.locale})' if change.locale else ''}")
    for line in word_diff(change.before, change.after).splitlines():
        yield f"  {paint.dim('│')} {strip_controls(line)}"


def as_object(review: Review) -> dict[str, Any]:
    return {
        "base": review.base,
        "problem": review.problem,
        "unchanged": review.unchanged,
        "unknown": list(review.unknown),
        "changes": [_object(change) for change in review.changes],
    }


def _object(change: Change) -> dict[str, Any]:
    return {
        "name": change.name,
        "category": change.category.value,
        "before": _side(change.before),
        "after": _side(change.after),
        "joined": change.joined,
        "left": change.left,
        "texts": [
            {"locale": each.locale, "where": each.where, "before": each.before, "after": each.after}
            for each in change.texts
        ],
        "envelope": [{"what": what, "before": was, "after": now} for what, was, now in change.envelope],
    }


def _side(side: Side | None) -> dict[str, Any] | None:
    if side is None:
        return None
    segments = [each.segments for each in side.planned if each.segments is not None]
    return {
        "edition": side.notification.edition,
        "recipients": len(side.people),
        "segments": sum(segments) if segments else None,
        "costs": [
            {"amount": cost.amount, "currency": cost.currency, "unpriced": cost.unpriced}
            for each in side.planned
            for cost in each.costs
        ],
    }
