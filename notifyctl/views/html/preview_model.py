"""The preview page as data: what each notification sends, to whom, when, and how that differs from another commit."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from notifyctl.channels.parts import Carried
from notifyctl.model.project import ChannelName
from notifyctl.plan.calendar import Calendar


class Tone(StrEnum):
    """The colour of a badge. It never speaks alone: the badge has a word."""

    WARN = "warn"  # look at this
    INFO = "info"  # a change
    NEW = "new"
    QUIET = "quiet"


class Badge(Struct, frozen=True):
    label: str
    tone: Tone = Tone.QUIET

    @property
    def code(self) -> str:
        """As in the address of a filtered page."""
        return self.label.lower().replace(" ", "-")


class Fact(Struct, frozen=True):
    """A figure of a notification. `notes` stand below it, one line each."""

    label: str
    value: str
    notes: tuple[str, ...] = ()


class Setting(Struct, frozen=True):
    """A value that differs between two commits; None: it is not set. `effects` in words."""

    name: str
    before: str | None
    after: str | None
    effects: str = ""
    warn: bool = False


class Variant(Struct, frozen=True):
    """One example: what `count` recipients read. `carried` is None if it is not sent any more, `before` if nothing like it was."""

    locale: str | None
    count: int
    recipient: str = ""
    why: tuple[str, ...] = ()
    carried: Carried | None = None
    before: Carried | None = None
    compared: bool = False

    @property
    def same(self) -> bool:
        return self.compared and self.carried == self.before

    @property
    def shown(self) -> Carried:
        found = self.carried or self.before
        assert found is not None
        return found


class Section(Struct, frozen=True):
    """One notification at one occurrence. `key` is its address on the page."""

    key: str
    name: str
    channel: ChannelName
    about: str = ""
    badges: tuple[Badge, ...] = ()
    facts: tuple[Fact, ...] = ()
    notices: tuple[str, ...] = ()
    settings: tuple[Setting, ...] = ()
    fields: tuple[Setting, ...] = ()
    """Every changed text, by its path in the message."""
    sent_with: tuple[str, ...] = ()
    """What the requests of all its recipients have beside the message."""
    variants: tuple[Variant, ...] = ()
    more: str = ""
    """What of its texts is not on the page, and the command that shows it."""
    recipients: int = 0

    @property
    def warns(self) -> bool:
        return bool(self.notices) or any(badge.tone is Tone.WARN for badge in self.badges)


class Alert(Struct, frozen=True):
    """What to look at first: a few words, the section that it is about, and what happens."""

    subject: str
    sentence: str
    key: str | None = None
    name: str = ""


class Moment(Struct, frozen=True):
    """When messages go out: how many, and of which notifications (key → name and count)."""

    when: str
    count: int | None
    notifications: Mapping[str, str]
    note: str = ""


class PreviewPage(Struct, frozen=True):
    project: str
    environment: str
    title: str
    lede: tuple[str, ...] = ()
    planned: str = ""
    not_now: str | None = None
    """That it shows another time, and what of."""
    base: str | None = None
    tiles: tuple[Fact, ...] = ()
    settings: tuple[Setting, ...] = ()
    """Changed settings of the project and its environments."""
    alerts: tuple[Alert, ...] = ()
    more_alerts: int = 0
    """How many further ones are not listed."""
    moments: tuple[Moment, ...] = ()
    sections: tuple[Section, ...] = ()
    calendar: Calendar | None = None
    """Of the next weeks; None where nothing has a time."""
    omitted: tuple[str, ...] = ()
    """Names of notifications that the page has no room for."""
    compared: bool = False
