"""What a change of the files does to people: one word for each notification, and what differs. Pure: two sides in, changes out."""

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
    """The gravest thing that a change does; declared from the gravest."""

    RESEND = "resend"  # a higher edition: everybody again
    CORRECTION = "correction"  # other words under the same edition: those who have it keep the old ones
    WITHDRAW = "withdraw"  # withdrawn, or its definition is gone
    FIRST_SEND = "first-send"
    JOINERS = "joiners"  # the same words, to other people
    FORWARD_ONLY = "forward-only"  # other words, acknowledged: whoever has it need not get them
    COSMETIC = "cosmetic"  # nothing that a reader could notice


class Side(Struct, frozen=True):
    """A notification as one side of the comparison has it. `people` are recipient ids, made in the same way on
    both sides, of all who would get it if nobody had anything yet.
    """

    notification: Notification
    messages: Mapping[str | None, Message]
    people: Collection[bytes] = ()
    planned: Sequence[PlannedNotification] = ()
    """Without the ledger: as if nobody had anything yet; one for each occurrence."""
    withdrawn: bool = False


class TextChange(Struct, frozen=True):
    """One text that is not what it was. `where` is its path in the message, such as `content.subject`; None: it was not there,
    or is there no more.
    """

    locale: str | None
    where: str
    before: str | None
    after: str | None


class Change(Struct, frozen=True):
    """`before` and `after` are None where the notification is not on that side."""

    name: str
    category: Category
    before: Side | None
    after: Side | None
    joined: int = 0
    left: int = 0
    texts: tuple[TextChange, ...] = ()
    envelope: tuple[tuple[str, str | None, str | None], ...] = ()
    """What goes beside the words: (what, before, after)."""

    @property
    def recipients(self) -> int:
        return len(self.after.people) if self.after else 0

    @property
    def blast(self) -> int:
        """How many people the change is about."""
        sides = [len(side.people) for side in (self.before, self.after) if side]
        return self.joined + self.left if self.category is Category.JOINERS else max(sides, default=0)


class Review(Struct, frozen=True):
    """`base` is the commit compared with; `problem` says why it could not be read, and then everything counts as new."""

    base: str
    changes: tuple[Change, ...] = ()
    unchanged: int = 0
    problem: str | None = None
    unknown: tuple[str, ...] = field(default_factory=tuple)
    """What cannot be known here, as sentences."""


def compare(before: Side | None, after: Side | None, *, name: str) -> Change | None:
    """What changed of one notification; None: nothing at all."""
    if after is None or (after.withdrawn and not (before and before.withdrawn)):
        return Change(name, Category.WITHDRAW, before, after) if before or after else None
    if before is None:
        return Change(name, Category.FIRST_SEND, None, after, joined=len(after.people))
    joined = len(set(after.people) - set(before.people))
    left = len(set(before.people) - set(after.people))
    words = tuple(text_changes(before.messages, after.messages))
    beside = tuple(envelope_changes(before.notification, after.notification))
    category = category_of(before, after, words=bool(words), people=bool(joined or left), beside=bool(beside))
    if category is None:
        return None
    return Change(name, category, before, after, joined, left, words, beside)


def category_of(before: Side, after: Side, *, words: bool, people: bool, beside: bool) -> Category | None:
    if after.notification.edition > before.notification.edition:
        return Category.RESEND
    if words:
        given = after.notification.acknowledge
        acknowledged = given is not None and texts_hash(after.messages).startswith(given)
        return Category.FORWARD_ONLY if acknowledged else Category.CORRECTION
    if people:
        return Category.JOINERS
    return Category.COSMETIC if beside else None


def text_changes(
    before: Mapping[str | None, Message], after: Mapping[str | None, Message]
) -> Iterator[TextChange]:
    for locale in sorted({*before, *after}, key=lambda name: name or ""):
        old, new = flatten(before.get(locale)), flatten(after.get(locale))
        for where in [*old, *(path for path in new if path not in old)]:
            if old.get(where) != new.get(where):
                yield TextChange(locale, where, old.get(where), new.get(where))


def flatten(message: Message | None) -> dict[str, str]:
    """Every text that a reader sees or a chip carries, by its path; and the values that all share."""
    if message is None:
        return {}
    content: Any = (
        {"content": message.content} if message.content is not None else {"template": message.template_id}
    )
    found = {
        ".".join(map(str, path)): text for path, text in collect_texts({**content, "from": message.sender})
    }
    found |= {f"options.{key}": str(value) for key, value in sorted(message.options.items())}
    found |= {f"$({name})": value for name, value in message.shared.items()}
    return found


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
    """What stands inline has the notification's own name, which says nothing."""
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
        f" maxSegments {policy.max_segments}"
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
