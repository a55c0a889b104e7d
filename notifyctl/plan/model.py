"""The plan as data: what the views print and apply walks. Sorted, serialisable, without an address in its public part."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct, field

from notifyctl.diagnostics import Diagnostic, has_errors
from notifyctl.model.batch import ScopeOpening, SendGroup
from notifyctl.model.events import Statement
from notifyctl.model.message import LeftOut
from notifyctl.model.project import ApiObject, ChannelName
from notifyctl.model.recipients import Scope
from notifyctl.plan.actions import SENDS, Action
from notifyctl.plan.digest import ScopeEffects
from notifyctl.plan.sending_hours import SendingHours
from notifyctl.plan.series import Series
from notifyctl.plan.similarity import NearlySent
from notifyctl.schedule.moments import Aware, Moments

FORMAT_VERSION = "1.0"
VALID_FOR_HOURS = 24


class Cost(Struct, frozen=True):
    """`amount` is a decimal number as text, so that no cent is lost to binary fractions. `unpriced`: recipients without a
    price in the list, told with the first currency.
    """

    amount: str
    currency: str
    unpriced: int = 0


class Sample(Struct, frozen=True):
    """One text that `count` people read, rendered for the first of them, whose address is masked."""

    recipient: str
    count: int
    action: Action
    locale: str | None
    content: ApiObject | None
    """As read; `None` for an opaque body."""
    segments: int | None
    why: tuple[str, ...] = ()
    """What it is an example of: longest, shortest, not GSM-7, right to left, without optional values."""
    options: ApiObject = field(default_factory=dict)
    """Filled in, like the content."""
    sizes: tuple[int | None, ...] = ()
    """Bytes of each attachment, where the author wrote them."""
    values: Mapping[str, str] = {}
    """What filled its variables, masked; serialised only of a template stored at the provider. With it the text of another commit can be shown for the same recipient."""
    fallback_cost: Cost | None = None
    """Of the SMS that this recipient is sent when RCS fails; None without a price."""


class Reach(Struct, frozen=True):
    """Recipients in one country, by calling code, and their SMS segments; None on other channels."""

    country: str
    recipients: int
    segments: int | None


class LeftOutOf(Struct, frozen=True):
    """A destination beside the recipient that the message to `recipients` people goes without: `cc 2`, `SMS fallback`."""

    what: str
    reason: str
    recipients: int


class Fallback(Struct, frozen=True):
    """The SMS that are sent if RCS fails for all `recipients` who have one. `price`: of a segment, "0.04 EUR per segment"."""

    recipients: int
    segments: int
    costs: tuple[Cost, ...] = ()
    price: str = ""


class AudienceGaps(Struct, frozen=True):
    """Recipients by where their time zone is from, and those whose time zone or locale is missing or means nothing, by what it says.
    Without what could be personal data.
    """

    without_timezone: int = 0
    """In the row, and none follows from the country of their number."""
    timezone: str | None = None
    """That counts for them: the project's."""
    timezone_sources: Mapping[str, int] = {}
    """`audience`, `country` and `project`; with the unknown ones, all recipients. Empty without `timezone: recipient`."""
    country_timezones: Mapping[str, int] = {}
    """Of those without one in the row, whose number is of a country with one time zone."""
    unknown_timezones: Mapping[str, int] = {}
    """They are blocked."""
    default_locales: Mapping[str, int] = {}
    """They are sent the default text, which is in another language."""
    invalid_locales: Mapping[str, int] = {}
    """They are sent the default text."""


class Lapsed(Struct, frozen=True):
    """Occurrences of a recurring notification that are over before anybody began them, two or more.

    `first` and `last`: their ids. The last is the one in the plan that has this; the others are not in it. `recipients`: who was
    not sent each of them, at most. `reasons`: of the occurrences, as in a plan. `more`: there are earlier ones that are not counted.
    """

    occurrences: int
    first: str
    last: str
    recipients: int
    reasons: Mapping[str, int] = {}
    more: bool = False
    missed: int = 0
    """Recipients of those before the last whom an apply was too late for lately, counted for each occurrence."""


REPLACED = "replaced"
"""Of `times`: when the later occurrence goes that is sent in place of this one."""


class PlannedNotification(Struct, frozen=True):
    """One notification at one occurrence."""

    name: str
    channel: ChannelName
    edition: int
    occurrence: str
    category: str
    sender: str
    template: str
    audience: str
    opaque: bool
    rows: int
    rejected_rows: int
    actions: Mapping[Action, int]
    reasons: Mapping[Action, Mapping[str, int]]
    segments: int | None
    """SMS parts of all that is sent or deferred; `None` on other channels and for opaque bodies."""
    texts: int
    """How many different texts are among what is sent or deferred."""
    due: datetime | None
    deferred_until: datetime | None
    expires: datetime | None
    cost: Cost | None
    samples: tuple[Sample, ...]
    costs: tuple[Cost, ...] = ()
    """One for each currency; none without a price list. `cost` is the first of them."""
    reach: tuple[Reach, ...] = ()
    """By country, the most recipients first; none for e-mail."""
    left_out: tuple[LeftOutOf, ...] = ()
    readings: Mapping[str, int] = {}
    """How phone numbers were read, as in RecipientBatch."""
    content_hash: str = ""
    """Of the composed texts, whoever reads them: what `acknowledge:` names."""

    nearly: tuple[NearlySent, ...] = ()
    """Of an edition that is not started: who was sent nearly this before, the most recipients first."""
    late_seconds: int | None = None
    """How long after the first moment at which it might have gone it is sent now."""
    takes_seconds: int | None = None
    """How long the run takes for it, at the account's rate."""
    ends: datetime | None = None
    """When the last of it is sent, at the account's rate."""
    left: int = 0
    """Who would not be sent to by `closes`, at the account's rate; of them `expiring` expire then."""
    expiring: int = 0
    closes: datetime | None = None
    timezone: str | None = None
    """In which times are meant: an IANA name, or `recipient` for each recipient's own; None where nothing is defined any more."""
    times: Mapping[str, Moments] = {}
    """`due`, `deferred_until`, `expires`, `closes` (of what is sent now), `send_at` (of what the provider is handed) `expired_at`
    (of what was missed) and `replaced` (when the later occurrence goes that replaces it), with all their time zones."""
    missed: int = 0
    """Who expired lately without an apply in time, as far as they were in the audience then; since `times["expired_at"]`."""
    elsewhere: Mapping[str, int] = {}
    """Recipients of the audience who are under no action: the occurrence is after the horizon in their time zone, or not in it at all."""
    moved: tuple[str, ...] = ()
    """Why `due` is later than the schedule says: reasons as in `reasons`."""
    by_zone: Mapping[str, int] = {}
    """Recipients whom no rule keeps from being sent to, whenever that is and whether or not they were, by time zone. Not in a plan file."""
    fallback: Fallback | None = None
    """In addition to `costs`, in which each RCS message counts."""
    gaps: AudienceGaps = AudienceGaps()
    request: ApiObject = field(default_factory=dict)
    """What the request has beside content and options, with the keys of the API: `cc`, `bcc`, `notifyUrl` and others."""
    people: int = 0
    """All recipients of the occurrence: who was sent it, or may have been, and who is still to be."""
    blocked_by: str | None = None
    """The limit that blocks all that would be sent."""
    waits: str | None = None
    """Why `run` and `apply --accepted` do not send it; None: they do, or nothing of it is sent at all."""

    lapsed: Lapsed | None = None
    """Of the latest of several occurrences that lapsed."""

    @property
    def sends(self) -> int:
        return sum(count for action, count in self.actions.items() if action in SENDS)


class NextOccurrence(Struct, frozen=True):
    """An occurrence that is still to come. `authorised`: it is in the plan. `reason`: why it goes later than due, or, of a skipped
    one, why nobody is sent it.
    """

    occurrence: str
    due: Moments
    goes: Moments | None = None
    reason: str | None = None
    authorised: bool = False
    apply_from: Aware | None = None
    """When the first apply can send it or hand it to the provider, after the plan's own moment; None: this plan does."""


class Upcoming(Struct, frozen=True):
    """What is still to come of a notification with a schedule: shown, not authorised, and no part of the digest."""

    name: str
    channel: ChannelName
    edition: int
    timezone: str
    due_now: bool
    """Whether the plan authorises something of it, now or later, or blocks it."""
    next: tuple[NextOccurrence, ...] = ()
    skipped: tuple[NextOccurrence, ...] = ()
    """Left out since the beginning of today and before the last of `next`, earliest first."""
    skipped_more: int = 0
    """How many more are left out there."""
    preview: PlannedNotification | None = None
    """The first of `next` as if it were planned, where nothing of the notification is due in the plan."""


class Probed(Struct, frozen=True):
    """What a plan decides of one recipient that it was asked about.

    `zone`: the time zone that the schedule has for them. `until`: when a deferral ends. `replaced`: when the later occurrence goes that is sent instead. `send_at`: when the provider delivers what
    is handed to it now, or was before. `variant`: the locale of their text; None: the default text. `left_out`: destinations that
    their message goes without.
    """

    scope: Scope
    action: Action
    reason: str | None
    zone: str
    until: datetime | None = None
    replaced: datetime | None = None
    send_at: datetime | None = None
    variant: str | None = None
    left_out: tuple[LeftOut, ...] = ()


class Served(Struct, frozen=True):
    """People who count as served without a request. `members` is packed, MEMBER_BYTES each; `opened`: the edition was
    opened before.
    """

    scope: Scope
    statement: Statement
    members: bytes
    opened: bool
    likeness: tuple[int, ...] = ()
    """Fingerprints of the texts that they count as served with."""


class Plan(Struct, frozen=True):
    """`send_groups` and `openings` are what apply walks and are never serialised: they hold addresses."""

    project: str
    environment: str
    provider: str
    lineage: str | None
    as_of: datetime
    valid_until: datetime
    complete: bool
    digest: str
    notifications: tuple[PlannedNotification, ...]
    later: tuple[tuple[str, str, datetime | None], ...]
    """Occurrences after the horizon: name, occurrence, due (None: in each recipient's zone). Listed, not authorised."""
    diagnostics: tuple[Diagnostic, ...]
    send_groups: tuple[SendGroup, ...]
    openings: tuple[ScopeOpening, ...]
    effects: tuple[ScopeEffects, ...] = ()
    """What is authorised, unit by unit; a saved plan keeps it. Also what can go at another time of the same day: it does not
    depend on the clock.
    """
    sending: tuple[ScopeEffects, ...] = ()
    """What an apply of this plan would do now: a part of `effects`."""
    horizon: datetime | None = None
    """Recurring notifications are authorised as far as they open before it; None: nothing recurs."""
    rate: float | None = None
    """Recipients a second that the account allows; None in a plan file, which does not keep it."""
    baselines: tuple[Served, ...] = ()
    """Baselines that an apply of this plan records."""
    upcoming: tuple[Upcoming, ...] = ()
    """One for each notification with a time in its schedule."""
    probed: tuple[Probed, ...] = ()
    """What is decided of the addresses that the plan was asked about; never serialised."""
    foreseen: tuple[Probed, ...] = ()
    """What would be decided of them at the occurrences that `upcoming` previews."""
    timezone: str = "UTC"
    """The project's: in which the plan's own times are shown."""
    folded: tuple[PlannedNotification, ...] = ()
    """What the latest lapsed occurrence of each notification stands for, as far as it was evaluated; never serialised."""
    made_at: datetime | None = None
    """When it was made, where `as_of` is a time that was asked for; None: then. Such a plan is shown and never applied."""
    series: tuple[Series, ...] = ()
    """One for each recurring notification, by name."""
    versions: Mapping[str, str] = {}
    """Of the data that moments depend on, `tzdata` and `holidays`, if any are in the plan; no part of the digest."""
    hours: tuple[SendingHours, ...] = ()
    """One for each notification that is not sent at any time, by name."""
    records_added: int = 0
    """Records that came into the ledger while the plan was made from it; no part of the digest. A ledger in SQLite is read as it was at
    one moment, one in PostgreSQL in short reads, so that nothing is held back by a long plan."""

    @property
    def applyable(self) -> bool:
        return self.complete and not self.has_errors and self.made_at is None

    @property
    def has_errors(self) -> bool:
        return has_errors(self.diagnostics)

    @property
    def summary(self) -> dict[Action, int]:
        """A count for each action, in the order of the table."""
        counts = {action: sum(n.actions.get(action, 0) for n in self.notifications) for action in Action}
        earlier = (each.lapsed for each in self.notifications if each.lapsed is not None)
        counts[Action.EXPIRED] += sum(each.recipients * (each.occurrences - 1) for each in earlier)
        return counts

    @property
    def sends(self) -> int:
        return sum(n.sends for n in self.notifications)

    @property
    def rejected_rows(self) -> int:
        """Rows that cannot be read, or whose address is none: people of the audiences that no action counts."""
        return sum(n.rejected_rows for n in self.notifications)

    @property
    def missed(self) -> int:
        """Recipients who expired lately without an apply in time."""
        earlier = (each.lapsed.missed for each in self.notifications if each.lapsed is not None)
        return sum(n.missed for n in self.notifications) + sum(earlier)

    @property
    def has_effect(self) -> bool:
        """Whether an apply now sends something, or records whom a baseline counts as served."""
        return bool(self.sends or self.summary[Action.BASELINE])
