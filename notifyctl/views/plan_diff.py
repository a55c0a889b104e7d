"""What a change of the files does, compared with a commit: text and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from notifyctl.plan.diff import Change, Review, Side, TextChange
from notifyctl.plan.effects import SettingChange
from notifyctl.plurals import pluralise
from notifyctl.views.changes import (
    SIGN,
    is_only_shared,
    label,
    own_settings,
    own_texts,
    recipients_line,
    summary,
    title,
    total_line,
    warnings,
    word_diff,
)
from notifyctl.views.colours import Paint, strip_controls
from notifyctl.views.series import broken_object, describe_broken


def as_text(review: Review, *, colour: bool) -> str:
    return "\n".join(_lines(review, Paint(colour)))


def _lines(review: Review, paint: Paint) -> Iterator[str]:
    yield ""
    yield f"{paint.bold('Compared with')} {review.base}: {summary(review)}"
    if review.problem:
        yield paint.yellow(
            f"Cannot compare with {review.base}: {strip_controls(review.problem)}. Every notification is shown as new."
        )
    for warned in warnings(review):
        where = f"  in {strip_controls(warned.where)}" if warned.names else ""
        yield paint.yellow(f"{SIGN} {label(warned.change.effects)}: {_setting(warned.change)}{where}")
    for broken in review.series:
        yield paint.yellow(f"{SIGN} {strip_controls(broken.name)}: {describe_broken(broken)}")
    others = [each for each in review.settings if not each.warns]
    if others:
        yield paint.bold("Project and environments")
        yield from (f"  {_setting(each)}  {paint.dim(label(each.effects))}" for each in others)
    shown = [change for change in review.changes if not is_only_shared(change)]
    for change in shown:
        yield from _change(change, paint)
    rest = len(review.changes) - len(shown)
    if rest:
        yield f"{pluralise(rest, 'more notification')} changed by settings of the project or environment alone"


def _setting(change: SettingChange) -> str:
    before, after = (strip_controls(value or "none") for value in (change.before, change.after))
    return f"{strip_controls(change.key)}: {before} → {after}"


def _change(change: Change, paint: Paint) -> Iterator[str]:
    yield f"{paint.bold(strip_controls(change.name))}  {paint.yellow(title(change))}"
    for line in (recipients_line(change), total_line(change.before, change.after)):
        if line is not None:
            yield f"  {line}"
    for each in own_settings(change):
        sign = f"{SIGN} " if each.warns else ""
        yield f"  {sign}{_setting(each)}  {paint.dim(label(each.effects))}"
    for part in own_texts(change):
        yield from _text(part, paint)


def _text(change: TextChange, paint: Paint) -> Iterator[str]:
    yield paint.dim(f"  {strip_controls(change.where)}{f' ({change.locale})' if change.locale else ''}")
    for line in word_diff(change.before, change.after).splitlines():
        yield f"  {paint.dim('│')} {strip_controls(line)}"


def as_object(review: Review) -> dict[str, Any]:
    return {
        "base": review.base,
        "problem": review.problem,
        "effects": [effect.value for effect in review.effects],
        "unchanged": review.unchanged,
        "unknown": list(review.unknown),
        "settings": [_setting_object(each) for each in review.settings],
        "series": [broken_object(each) for each in review.series],
        "changes": [_object(change) for change in review.changes],
    }


def _object(change: Change) -> dict[str, Any]:
    return {
        "name": change.name,
        "category": change.category.value,
        "effects": [effect.value for effect in change.effects],
        "before": _side(change.before),
        "after": _side(change.after),
        "joined": change.joined,
        "left": change.left,
        "revalued": change.revalued,
        "rezoned": change.rezoned,
        "unknown": change.unknown,
        "texts": [
            {
                "locale": each.locale,
                "where": each.where,
                "before": each.before,
                "after": each.after,
                "effects": [effect.value for effect in each.effects],
            }
            for each in change.texts
        ],
        "envelope": [_setting_object(each) for each in change.settings],
    }


def _setting_object(change: SettingChange) -> dict[str, Any]:
    return {
        "what": change.key,
        "before": change.before,
        "after": change.after,
        "effects": [effect.value for effect in change.effects],
        "warning": change.warns,
        "shared": change.shared,
    }


def _side(side: Side | None) -> dict[str, Any] | None:
    if side is None:
        return None
    segments = [each.segments for each in side.planned if each.segments is not None]
    return {
        "edition": side.notification.edition,
        "recipients": side.recipients,
        "segments": sum(segments) if segments else None,
        "costs": [
            {"amount": cost.amount, "currency": cost.currency, "unpriced": cost.unpriced}
            for each in side.planned
            for cost in each.costs
        ],
    }
