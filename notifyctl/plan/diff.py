"""Compares two versions of a notification: its effects, a category, and the differences in texts, audience and settings. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from notifyctl.message import texts_hash
from notifyctl.model.message import Message
from notifyctl.model.project import Notification
from notifyctl.plan.audience_diff import AudienceDifference, compare_audiences
from notifyctl.plan.digest import ENTRY_BYTES
from notifyctl.plan.effects import UNPROVEN, Effect, Effects, SettingChange, ranked
from notifyctl.plan.model import PlannedNotification
from notifyctl.plan.series import SeriesChange
from notifyctl.plan.setting_rules import NOTIFICATION, judge_content
from notifyctl.plan.settings import Settings, camel_case, differences


class Category(StrEnum):
    """The word of format 1.0 for a change: one for each; declared from the most severe. `Change.effects` says what it does."""

    RESEND = "resend"  # a higher edition: sent to all recipients again
    CORRECTION = (
        "correction"  # another text in the same edition: not sent to recipients who were sent the old one
    )
    WITHDRAW = "withdraw"  # withdrawn, or definition removed
    FIRST_SEND = "first-send"
    JOINERS = "joiners"  # the same text, another audience
    FORWARD_ONLY = "forward-only"  # another text, acknowledged
    COSMETIC = "cosmetic"  # only settings changed, of whatever effect


CLOCKED = tuple(
    f"{of}.{key}" for of in ("schedule", "defaults") for key in ("window", "quietHours", "holidays")
)
"""Settings that are read in the schedule's time zone."""


class Side(Struct, frozen=True):
    """One version of a notification, as it would be sent if nothing had been sent and it were due now.

    `people`: packed entries of the digest (same key on both sides), by what they share; None if they are not known.
    """

    notification: Notification
    messages: Mapping[str | None, Message]
    settings: Settings = field(default_factory=dict)
    people: Mapping[str, bytes] | None = None
    planned: Sequence[PlannedNotification] = ()
    withdrawn: bool = False

    @property
    def recipients(self) -> int:
        """0 if they are not known."""
        return sum(map(len, (self.people or {}).values())) // ENTRY_BYTES


class TextChange(Struct, frozen=True):
    """One changed part of a message. `where` is its path in the message, such as `content.subject`. `before` or `after` is None
    if it was added or removed.
    """

    locale: str | None
    where: str
    before: str | None
    after: str | None
    effects: Effects = (Effect.TEXT,)

    @property
    def is_setting(self) -> bool:
        """Whether it is shown as a setting, old → new, rather than as words."""
        return Effect.TEXT not in self.effects or Effect.ROUTE in self.effects


class Change(Struct, frozen=True):
    """A changed notification. `before` or `after` is None if it was added or removed."""

    name: str
    category: Category
    effects: Effects
    before: Side | None
    after: Side | None
    joined: int = 0
    left: int = 0
    revalued: int = 0
    """Recipients who are sent another text because of their own values or locale."""
    rezoned: int = 0
    """Recipients for whom it is due at another time because of their own time zone."""
    texts: tuple[TextChange, ...] = ()
    settings: tuple[SettingChange, ...] = ()
    """With those of the project and its environment that hold for it."""
    unknown: str | None = None
    """What could not be compared, as a phrase; its effects are then given as if it had changed."""

    @property
    def recipients(self) -> int:
        return self.after.recipients if self.after else 0

    @property
    def blast(self) -> int:
        """Recipients that the change affects."""
        sides = [side.recipients for side in (self.before, self.after) if side]
        return self.joined + self.left if self.category is Category.JOINERS else max(sides, default=0)

    @property
    def warnings(self) -> tuple[SettingChange, ...]:
        """Its settings that loosen a safeguard, add copies or change the route."""
        return tuple(each for each in (*self.parts, *self.settings) if each.warns)

    @property
    def parts(self) -> tuple[SettingChange, ...]:
        """What differs in its messages beside their texts: sender, options and the like, each as a setting."""
        return tuple(
            SettingChange(
                f"{each.where} ({each.locale})" if each.locale else each.where,
                each.before,
                each.after,
                each.effects,
                warns=Effect.ROUTE in each.effects,
            )
            for each in self.texts
            if each.is_setting
        )

    @property
    def changed_variants(self) -> frozenset[str | None]:
        """The locales whose own message differs."""
        return frozenset(each.locale for each in self.texts)


class Review(Struct, frozen=True):
    """All changes since the commit `base`. `problem`: why it could not be read; every notification then counts as new."""

    base: str
    changes: tuple[Change, ...] = ()
    unchanged: int = 0
    problem: str | None = None
    unknown: tuple[str, ...] = field(default_factory=tuple)
    """What could not be compared, as sentences."""
    series: tuple[SeriesChange, ...] = ()
    """Those of which an acceptance, known or not, does not hold any more."""
    settings: tuple[SettingChange, ...] = ()
    """Settings of the project, all its environments and their suppression lists."""

    @property
    def effects(self) -> Effects:
        """Of all changes, the gravest first."""
        every = [*(change.effects for change in self.changes), *(each.effects for each in self.settings)]
        return ranked(effect for effects in every for effect in effects)


def compare(
    before: Side | None,
    after: Side | None,
    *,
    name: str,
    shared: Sequence[SettingChange] = (),
    same_audience: bool = False,
) -> Change | None:
    """Returns the change of one notification, or None if nothing changed.

    `shared`: changed settings of project and environment that hold for it. `same_audience`: both sides read the same people
    from the same place, whether or not they are known. Whether a change without a known effect has none is for the requests
    to prove: `unproven` says that they do not.
    """
    if before is None or after is None:
        return one_sided(before, after, name)
    audience, unknown = difference_of(before, after, same=same_audience)
    texts = tuple(text_changes(before.messages, after.messages))
    own = [
        move_clock(each, before.settings, after.settings)
        for each in differences(NOTIFICATION, before.settings, after.settings)
    ]
    found = [
        *(effect for each in texts for effect in each.effects),
        *audience_effects(audience),
        *unknown_effects(unknown, after),
        *((Effect.RENAMED,) if before.notification.name != name else ()),
    ]
    settings = [*settle(own, texts, found, unknown=unknown is not None), *shared]
    if not (same_audience or unknown or found):
        settings.append(other_rows(before.notification, after.notification))
    effects = ranked([*found, *(effect for each in settings for effect in each.effects)])
    if not effects and before.messages != after.messages:
        effects, unknown = UNPROVEN, "the message differs in a way that cannot be shown"
    if not (effects or settings):
        return None
    return Change(
        name=name,
        category=category_of(before, after, texts=bool(texts) or bool(audience.revalued), audience=audience),
        effects=effects or (Effect.NONE,),
        before=before,
        after=after,
        joined=audience.joined,
        left=audience.left,
        revalued=audience.revalued,
        rezoned=audience.rezoned,
        texts=texts,
        settings=tuple(settings),
        unknown=unknown,
    )


def other_rows(before: Notification, after: Notification) -> SettingChange:
    """An audience that differs in what no message depends on, as it seems: correlation ids, columns that nothing uses."""
    one, other = (each.audience.source.file if each.audience.source else None for each in (before, after))
    return SettingChange(
        "audience rows",
        one or "(inline)",
        f"{other or '(inline)'} (same recipients and values)",
        (Effect.NONE,),
    )


def one_sided(before: Side | None, after: Side | None, name: str) -> Change | None:
    """A notification that is new or gone. Of a new one the settings are listed that send something elsewhere."""
    if after is None:
        gone = Change(name, Category.WITHDRAW, (Effect.WITHDRAWN,), before, None)
        return gone if before is not None else None
    elsewhere = {
        key: after.settings[key]
        for key in ("cc", "bcc", "notifyUrl", "notifyUrlAuthId")
        if key in after.settings
    }
    settings = tuple(differences(NOTIFICATION, {}, elsewhere))
    found = [Effect.NEW, *(effect for each in settings for effect in each.effects)]
    if after.withdrawn:
        found.append(Effect.WITHDRAWN)
    return Change(
        name,
        Category.WITHDRAW if after.withdrawn else Category.FIRST_SEND,
        ranked(found),
        None,
        after,
        joined=after.recipients,
        settings=settings,
    )


def unproven(change: Change, reason: str) -> Change:
    """The same, where nothing proves that it has no effect."""
    return replace(change, effects=UNPROVEN, unknown=reason)


def difference_of(before: Side, after: Side, *, same: bool) -> tuple[AudienceDifference, str | None]:
    """And why it is not known, if so. Whom a withdrawn notification would have been sent to is not asked."""
    if before.withdrawn or after.withdrawn:
        return AudienceDifference(), None
    if before.people is None or after.people is None:
        return AudienceDifference(), None if same else "the recipients of one version are not known here"
    return compare_audiences(before.people, after.people, before.messages, after.messages), None


def audience_effects(audience: AudienceDifference) -> Iterator[Effect]:
    if audience.joined or audience.left:
        yield Effect.RECIPIENTS
    if audience.revalued:
        yield Effect.TEXT
    if audience.rezoned:
        yield Effect.RESCHEDULED


def move_clock(change: SettingChange, before: Settings, after: Settings) -> SettingChange:
    """In another time zone the same hours and days are others: what was at night may be at noon."""
    if change.key not in {"schedule.timezone", "defaults.timezone"} or None in {change.before, change.after}:
        return change
    if not any(key in side for key in CLOCKED for side in (before, after)):
        return change
    effects = ranked([*change.effects, Effect.LOOSENED, Effect.TIGHTENED])
    return replace(change, effects=effects, warns=True)


def unknown_effects(unknown: str | None, after: Side) -> Iterator[Effect]:
    """Recipients that are not known may be others, and have other values where the message uses any."""
    if unknown is not None:
        yield Effect.RECIPIENTS
        if any(message.names for message in after.messages.values()):
            yield Effect.TEXT


def settle(
    settings: Iterable[SettingChange], texts: Iterable[TextChange], found: Iterable[Effect], *, unknown: bool
) -> Iterator[SettingChange]:
    """Gives settings that act through messages and audience the effect that these show, and leaves out those that are shown as
    a part of the message.
    """
    parts = {each.where for each in texts}
    seen = Effect.TEXT if Effect.TEXT in found else Effect.NONE
    for each in settings:
        if each.effects:
            yield each
        elif part_of(each.key) not in parts:
            hidden = unknown and each.key.startswith("audience.")
            yield replace(each, effects=(Effect.TEXT if hidden else seen,))


def part_of(key: str) -> str:
    """The path in the message of a setting that is a part of it."""
    key = key.removeprefix("template.") if key.startswith("template.options.") else key
    if key.startswith("template.template."):
        return key.removeprefix("template.").removesuffix(".id")
    return f"$({key.removeprefix('substitutions.')})" if key.startswith("substitutions.") else key


def category_of(before: Side, after: Side, *, texts: bool, audience: AudienceDifference) -> Category:
    if after.withdrawn and not before.withdrawn:
        return Category.WITHDRAW
    if after.notification.edition > before.notification.edition:
        return Category.RESEND
    if texts:
        prefix = after.notification.acknowledge
        acknowledged = prefix is not None and texts_hash(after.messages).startswith(prefix)
        return Category.FORWARD_ONLY if acknowledged else Category.CORRECTION
    if audience.joined or audience.left:
        return Category.JOINERS
    return Category.COSMETIC


def text_changes(
    before: Mapping[str | None, Message], after: Mapping[str | None, Message]
) -> Iterator[TextChange]:
    for locale in sorted({*before, *after}, key=lambda name: name or ""):
        old, new = flatten(before.get(locale)), flatten(after.get(locale))
        for where in [*old, *(path for path in new if path not in old)]:
            if old.get(where) != new.get(where):
                # All of a variant that comes or goes is another text for those who are sent it.
                effects = judge_content(where) if locale in before and locale in after else (Effect.TEXT,)
                yield TextChange(locale, where, old.get(where), new.get(where), effects)


OF_NOTIFICATION = frozenset(
    {"channel", "locale", "cc", "bcc", "smartlinks", "names", "template_id", "template_subject"}
)
"""Fields of a message that its notification has once for all variants, or that are listed in their own way."""


def flatten(message: Message | None) -> dict[str, str]:
    """Path → value for every leaf of a message: its content, sender, options and shared values."""
    if message is None:
        return {}
    found: dict[str, str] = {}
    for name in message.__struct_fields__:
        value = getattr(message, name)
        if name == "content":
            found |= leaves(value, "content")
        elif name == "template_id" and value is not None:
            found |= {"template": value, "variables": ", ".join(message.names)}
        elif name == "shared":
            found |= {f"$({key})": text for key, text in value.items()}
        elif name == "template_subject" and value is not None:
            found["template.subject"] = value
        elif name not in OF_NOTIFICATION:
            found |= leaves(value, "from" if name == "sender" else camel_case(name))
    return found


def leaves(value: Any, path: str) -> dict[str, str]:
    if isinstance(value, Mapping):
        items: Iterable[tuple[Any, Any]] = sorted(value.items()) if path == "options" else value.items()
    elif isinstance(value, (list, tuple)):
        items = enumerate(value)
    elif value is None:
        return {}
    else:
        return {path: str(value).lower() if isinstance(value, bool) else str(value)}
    if not value and "." in path:
        return {path: "[]"}
    found: dict[str, str] = {}
    for key, item in items:
        found |= leaves(item, f"{path}.{key}")
    return found
