"""Compares two versions of a notification: a category and the differences in texts, audience and settings. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from notifyctl.channels.channel import collect_texts
from notifyctl.message import texts_hash
from notifyctl.model.message import Message
from notifyctl.model.project import Notification
from notifyctl.plan.model import PlannedNotification


class Category(StrEnum):
    """The most severe effect of a change; declared from the most severe."""

    RESEND = "resend"  # a higher edition: sent to all recipients again
    CORRECTION = (
        "correction"  # another text in the same edition: not sent to recipients who were sent the old one
    )
    WITHDRAW = "withdraw"  # withdrawn, or definition removed
    FIRST_SEND = "first-send"
    JOINERS = "joiners"  # the same text, another audience
    FORWARD_ONLY = "forward-only"  # another text, acknowledged
    COSMETIC = "cosmetic"  # only settings changed


class Side(Struct, frozen=True):
    """One version of a notification. `people` are the recipient ids (same key on both sides) that it would be sent to with an
    empty ledger.
    """

    notification: Notification
    messages: Mapping[str | None, Message]
    people: Collection[bytes] = ()
    planned: Sequence[PlannedNotification] = ()
    """One per occurrence, planned with an empty ledger."""
    withdrawn: bool = False


class TextChange(Struct, frozen=True):
    """One changed text. `where` is its path in the message, such as `content.subject`. `before` or `after` is None if it was
    added or removed.
    """

    locale: str | None
    where: str
    before: str | None
    after: str | None


class Change(Struct, frozen=True):
    """A changed notification. `before` or `after` is None if it was added or removed."""

    name: str
    category: Category
    before: Side | None
    after: Side | None
    joined: int = 0
    left: int = 0
    texts: tuple[TextChange, ...] = ()
    envelope: tuple[tuple[str, str | None, str | None], ...] = ()
    """Changed settings: (name, before, after)."""

    @property
    def recipients(self) -> int:
        return len(self.after.people) if self.after else 0

    @property
    def blast(self) -> int:
        """Recipients that the change affects."""
        sides = [len(side.people) for side in (self.before, self.after) if side]
        return self.joined + self.left if self.category is Category.JOINERS else max(sides, default=0)


class Review(Struct, frozen=True):
    """All changes since the commit `base`. `problem`: why it could not be read; every notification then counts as new."""

    base: str
    changes: tuple[Change, ...] = ()
    unchanged: int = 0
    problem: str | None = None
    unknown: tuple[str, ...] = field(default_factory=tuple)
    """What could not be compared, as sentences."""


def compare(before: Side | None, after: Side | None, *, name: str) -> Change | None:
    """Returns the change of one notification, or None if nothing changed."""
    if after is None or (after.withdrawn and not (before and before.withdrawn)):
        return Change(name, Category.WITHDRAW, before, after) if before or after else None
    if before is None:
        return Change(name, Category.FIRST_SEND, None, after, joined=len(after.people))
    joined = len(set(after.people) - set(before.people))
    left = len(set(before.people) - set(after.people))
    texts = tuple(text_changes(before.messages, after.messages))
    settings = tuple(envelope_changes(before.notification, after.notification))
    category = category_of(
        before, after, texts=bool(texts), recipients=bool(joined or left), settings=bool(settings)
    )
    if category is None:
        return None
    return Change(name, category, before, after, joined, left, texts, settings)


def category_of(
    before: Side, after: Side, *, texts: bool, recipients: bool, settings: bool
) -> Category | None:
    """`texts`, `recipients`, `settings`: whether these differ. None: nothing differs."""
    if after.notification.edition > before.notification.edition:
        return Category.RESEND
    if texts:
        prefix = after.notification.acknowledge
        acknowledged = prefix is not None and texts_hash(after.messages).startswith(prefix)
        return Category.FORWARD_ONLY if acknowledged else Category.CORRECTION
    if recipients:
        return Category.JOINERS
    return Category.COSMETIC if settings else None


def text_changes(
    before: Mapping[str | None, Message], after: Mapping[str | None, Message]
) -> Iterator[TextChange]:
    for locale in sorted({*before, *after}, key=lambda name: name or ""):
        old, new = flatten(before.get(locale)), flatten(after.get(locale))
        for where in [*old, *(path for path in new if path not in old)]:
            if old.get(where) != new.get(where):
                yield TextChange(locale, where, old.get(where), new.get(where))


def flatten(message: Message | None) -> dict[str, str]:
    """Path → text for every text of a message, with its sender, options and shared values."""
    if message is None:
        return {}
    content: Any = (
        {"content": message.content} if message.content is not None else {"template": message.template_id}
    )
    texts = {
        ".".join(map(str, path)): text for path, text in collect_texts({**content, "from": message.sender})
    }
    texts |= {f"options.{key}": str(value) for key, value in sorted(message.options.items())}
    texts |= {f"$({name})": value for name, value in message.shared.items()}
    return texts


def envelope_changes(
    before: Notification, after: Notification
) -> Iterator[tuple[str, str | None, str | None]]:
    for what, of in ENVELOPE.items():
        old, new = describe_value(of(before)), describe_value(of(after))
        if old != new:
            yield what, old, new


def describe_value(value: object) -> str | None:
    if value is None or value == ():
        return None
    if isinstance(value, tuple):
        return ", ".join(str(each) for each in value)
    return str(value)


def describe_field(notification: Notification, name: str) -> str | None:
    """None for an inline definition: it has the notification's own name."""
    return None if name == notification.name else name


def describe_schedule(notification: Notification) -> str | None:
    schedule = notification.schedule
    if schedule is None:
        return None
    facts = {
        "at": schedule.at,
        "cron": schedule.cron,
        "from": schedule.starts,
        "until": schedule.ends,
        "timezone": schedule.timezone,
        "window": describe_window(schedule.window),
        "holidays": ", ".join(map(str, schedule.holidays)) or None,
        "grace": schedule.grace,
        "expireAfter": schedule.expire_after,
        "expireAt": schedule.expire_at,
        "handOff": schedule.hand_off.value,
    }
    return ", ".join(f"{name} {value}" for name, value in facts.items() if value is not None)


def describe_window(window: Any) -> str | None:
    if window is None:
        return None
    days = "".join("MTWTFSS"[day] for day in window.days)
    return f"{days} {window.start:%H:%M}-{window.until:%H:%M}"


def describe_policy(notification: Notification) -> str | None:
    policy = notification.policy
    if policy is None:
        return None
    return (
        f"maxRecipients {policy.max_recipients}, maxGrowthPercent {policy.max_growth_percent},"
        f" maxSegments {policy.max_segments}, maxRejectedPercent {policy.max_rejected_percent}"
    )


ENVELOPE: Mapping[str, Any] = {
    "edition": lambda n: n.edition,
    "schedule": describe_schedule,
    "priority": lambda n: n.priority,
    "callbackData": lambda n: n.callback_data,
    "notifyUrl": lambda n: n.notify_url,
    "requestedReceipts": lambda n: n.requested_receipts,
    "cc": lambda n: n.cc,
    "bcc": lambda n: n.bcc,
    "smartlinks": lambda n: n.smartlinks,
    "joiners": lambda n: n.joiners.value,
    "onUnknown": lambda n: n.on_unknown.value,
    "acknowledge": lambda n: n.acknowledge,
    "limits": describe_policy,
    "template": lambda n: describe_field(n, n.template.name),
    "audience": lambda n: describe_field(n, n.audience.name),
    "category": lambda n: n.template.category.value,
}
