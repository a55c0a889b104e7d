"""The words for what a change of the files does, for text and Markdown: labels, sentences and word diffs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from msgspec import Struct

from notifyctl.plan.actions import Action
from notifyctl.plan.diff import Category, Change, Review, Side, TextChange
from notifyctl.plan.effects import Effect, Effects, SettingChange
from notifyctl.plan.model import PlannedNotification
from notifyctl.plurals import pluralise
from notifyctl.views.plan import describe_cost

WORD = re.compile(r"\s+|[^\s]+")
SIGN = "⚠"
NAMED = 3
"""Notifications named with one warning; the others are counted."""


def label(effects: Effects) -> str:
    """The effects by name: `text changed, safety loosened`."""
    return ", ".join(effect.value.replace("-", " ") for effect in effects)


def title(change: Change) -> str:
    """The effects of a change, with a sign where one needs attention, and what follows for recipients."""
    sign = f"{SIGN} " if change.warnings else ""
    follows = consequence(change)
    return f"{sign}{label(change.effects)}{': ' + follows if follows else ''}"


def consequence(change: Change) -> str | None:
    if change.unknown is not None:
        return f"{change.unknown}"
    if Effect.RESEND in change.effects:
        return "sent again to all recipients"
    if Effect.WITHDRAWN in change.effects:
        return "not sent to anyone else"
    if change.effects == (Effect.NONE,):
        return "both versions would post the same requests"
    if change.before is None or not {Effect.TEXT, Effect.SENDER, Effect.COPIES}.intersection(change.effects):
        return None
    acknowledged = "acknowledged; " if change.category is Category.FORWARD_ONLY else ""
    return f"{acknowledged}recipients already sent the old message are not sent the new one"


def summary(review: Review) -> str:
    """How many notifications changed, each counted under its gravest effect."""
    counts = {effect: sum(each.effects[0] is effect for each in review.changes) for effect in Effect}
    found = [f"{label((effect,))} {count:,}" for effect, count in counts.items() if count]
    number = pluralise(len(review.changes), "notification") if found else "no notification"
    return f"{number} changed{' (' + ', '.join(found) + ')' if found else ''}, {review.unchanged:,} unchanged"


def recipients_line(change: Change) -> str | None:
    """How many recipients before and after, and for how many something of their own differs."""
    before, after = change.before, change.after
    known = [side.people is not None for side in (before, after) if side is not None]
    if not all(known):
        return "recipients: not known here"
    if before is None or after is None:
        side = after or before
        assert side is not None, "a change has a side"
        return f"recipients: {side.recipients:,}{'' if after else ' in the base'}"
    if before.withdrawn or after.withdrawn:
        return None
    parts = [
        f"{count:,} {word}" for count, word in ((change.joined, "added"), (change.left, "removed")) if count
    ]
    numbers = f"{before.recipients:,} → {after.recipients:,}" if parts else f"the same {after.recipients:,}"
    parts += [f"{change.revalued:,} with other values or another locale"] if change.revalued else []
    parts += [f"{change.rezoned:,} in another time zone"] if change.rezoned else []
    return f"recipients: {numbers}{' (' + ', '.join(parts) + ')' if parts else ''}"


def total(planned: Sequence[PlannedNotification]) -> str:
    segments = [each.segments for each in planned if each.segments is not None]
    costs = [cost for each in planned for cost in describe_cost(each)]
    people = sum(each.sends + each.actions.get(Action.DEFERRED, 0) for each in planned)
    parts = [pluralise(people, "recipient")]
    if segments:
        parts.append(pluralise(sum(segments), "SMS segment"))
    return ", ".join([*parts, *costs])


def total_line(before: Side | None, after: Side | None) -> str | None:
    """What a full send takes, where both are known and differ."""
    if before is None or after is None or before.people is None or after.people is None:
        return None
    old, new = total(before.planned), total(after.planned)
    return f"full send, ignoring earlier sends: {old} → {new}" if old != new else None


def own_settings(change: Change) -> list[SettingChange]:
    """Settings that are not shown once for the project or the environment; parts of a message other than its text among them."""
    return [*change.parts, *(each for each in change.settings if not each.shared)]


def own_texts(change: Change) -> list[TextChange]:
    return [each for each in change.texts if not each.is_setting]


def is_only_shared(change: Change) -> bool:
    """Whether nothing differs but settings of the project or environment, which are shown once."""
    counts = (change.joined, change.left, change.revalued, change.rezoned)
    return (
        change.before is not None
        and change.after is not None
        and change.before.notification.name == change.name
        and not any(counts)
        and not change.unknown
        and not own_settings(change)
        and not own_texts(change)
    )


class Warned(Struct, frozen=True):
    """A setting that needs attention, and the notifications whose own it is; none where it is the project's or environment's."""

    change: SettingChange
    names: tuple[str, ...]

    @property
    def where(self) -> str:
        if not self.names:
            return ""
        more = len(self.names) - NAMED
        named = ", ".join(self.names[:NAMED])
        return f"{named} and {more:,} more" if more > 0 else named


def warnings(review: Review) -> Iterator[Warned]:
    """What loosens a safeguard, sends copies to somebody new or sends data another way; each once."""
    yield from (Warned(each, ()) for each in review.settings if each.warns)
    found: dict[SettingChange, list[str]] = {}
    for change in review.changes:
        for each in change.warnings:
            if not each.shared:
                found.setdefault(each, []).append(change.name)
    yield from (Warned(each, tuple(names)) for each, names in found.items())


def word_diff(before: str | None, after: str | None) -> str:
    """A word diff, as `git diff --word-diff` writes it."""
    if before is None:
        return f"{{+{after}+}}"
    if after is None:
        return f"[-{before}-]"
    old, new = WORD.findall(before), WORD.findall(after)
    words = []
    for kind, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        was, now = "".join(old[i:j]), "".join(new[k:m])
        if kind == "equal":
            words.append(was)
        else:
            words += [f"[-{was}-]"] if was else []
            words += [f"{{+{now}+}}"] if now else []
    return "".join(words)
