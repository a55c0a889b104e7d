"""The documents of a project as frozen values with resolved references. No YAML, no I/O, only lookups.

API objects (`content`, `options`, `smartlinks`) stay plain mappings with the API's key names, because they are copied
unchanged from the file into the request.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from notifyctl.diagnostics import Location, Positions
from notifyctl.model.accept_rule import AcceptRule
from notifyctl.model.acceptors import Acceptors

ApiObject = Mapping[str, Any]
"""A JSON object with the API's key names: str, int, float, bool, None, lists and mappings of these."""

RECIPIENT_ZONE = "recipient"
"""`timezone: recipient` in a schedule: times are in each recipient's own zone."""


class ChannelName(StrEnum):
    SMS = "sms"
    EMAIL = "email"
    RCS = "rcs"

    @property
    def address_field(self) -> str:
        """The API's key for a destination on this channel (rule 11)."""
        return "email" if self is ChannelName.EMAIL else "msisdn"


class Category(StrEnum):
    TRANSACTIONAL = "transactional"
    MARKETING = "marketing"


class Joiners(StrEnum):
    """What happens to recipients added to the audience after an edition started."""

    HOLD = "hold"
    SEND = "send"


class OnUnknown(StrEnum):
    HOLD = "hold"
    RESEND = "resend"


class HandOff(StrEnum):
    """Who holds a message until it is due: notifyctl (revocable) or the provider by `sendAt` (at most 7 days, irrevocable)."""

    HOLD = "hold"
    PROVIDER = "provider"


class Numbers(StrEnum):
    """How strictly an MSISDN is checked: by form (E.164), possible, or valid in its country's numbering plan."""

    FORM = "form"
    POSSIBLE = "possible"
    VALID = "valid"


class TpsCounts(StrEnum):
    """The unit of the provider's transactions per second. A setting, because the two official pages disagree."""

    DESTINATIONS = "destinations"
    CALLS = "calls"


class Secret(Struct, frozen=True):
    """The location of a secret, never its value: the name of an environment variable or the path of a mounted file."""

    env: str | None = None
    file: str | None = None


class JwtAuth(Struct, frozen=True):
    service_id: Secret
    secret: Secret


class Auth(Struct, frozen=True):
    """JWT is used first when both are configured, as the API does (rule 26)."""

    jwt: JwtAuth | None = None
    service_key: Secret | None = None


class Limits(Struct, frozen=True):
    """Limits of the provider account."""

    tps: int = 10
    tps_counts: TpsCounts = TpsCounts.DESTINATIONS
    destinations_per_request: int = 1000
    require_plus: bool = False
    """Whether the account accepts only numbers with a leading + (rule 14)."""
    concurrency: int = 4


class Policy(Struct, frozen=True):
    """Thresholds above which apply refuses to send. `None`: no limit."""

    max_recipients: int | None = 100_000
    max_growth_percent: int | None = 20
    max_segments: int | None = None
    max_rejected_percent: int | None = 2
    require_unsubscribe: tuple[Category, ...] = ()
    accept: AcceptRule = AcceptRule()
    """Of the project alone: a notification's own limits have none."""


class LedgerSettings(Struct, frozen=True):
    """`url` (postgresql://…), else SQLite at .notifyctl/<environment>.db. Without `recipient_key` the ledger stores the key."""

    url: Secret | None = None
    recipient_key: Secret | None = None


class SuppressionList(Struct, frozen=True):
    """Addresses not to be sent to. The fields are defaults for rows that set no value; empty: any. `since` and `until` are times,
    or days with the last included. Hashed rows use `key`, or the ledger's key if `by_ledger`.
    """

    file: str
    location: Location
    reason: str | None = None
    channels: tuple[ChannelName, ...] = ()
    categories: tuple[Category, ...] = ()
    since: date | None = None
    until: date | None = None
    key: Secret | None = None
    by_ledger: bool = False


class Environment(Struct, frozen=True):
    name: str
    provider: str
    positions: Positions
    endpoint: str | None = None
    profile: str = "2021"
    auth: Auth = Auth()
    senders: Mapping[ChannelName, str] = field(default_factory=dict)
    limits: Limits = Limits()
    ledger: LedgerSettings = LedgerSettings()
    fence: tuple[str, ...] | None = None
    """The allow-list: shell-style patterns for normalised addresses. `None`: all addresses are allowed."""
    tests: tuple[str, ...] | None = None
    """Where `send-test` can send: patterns as in `fence`. `None`: nowhere."""
    vars: Mapping[str, Any] = field(default_factory=dict)
    proxy: str | None = None
    """`http://host:port` of the proxy for requests to the provider, without credentials. `None`: from HTTPS_PROXY and the like."""
    proxy_secret: Secret | None = None
    """Location of a proxy address with credentials; excludes `proxy`."""
    ca_file: str | None = None
    """A project file of additional trusted certificates (PEM)."""
    pricing: str | None = None
    suppressions: tuple[SuppressionList, ...] = ()
    """In addition to the project's."""
    alerts: Secret | None = None
    """The URL that `run` posts alerts to: the environment's own, else the project's."""

    @property
    def is_sandbox(self) -> bool:
        return self.provider == "sandbox"


class Variable(Struct, frozen=True):
    """A `$(name)` that a template uses."""

    name: str
    required: bool = True
    default: str | None = None
    example: str | None = None
    max_length: int | None = None


class LocaleVariant(Struct, frozen=True):
    """Overrides of a template for one locale: mappings are merged key by key, lists are replaced."""

    content: ApiObject = field(default_factory=dict)
    options: ApiObject = field(default_factory=dict)


class Template(Struct, frozen=True):
    """`content` is not composed yet: strings contain Jinja2, and `textFile` / `htmlFile` can replace `text` / `html`."""

    name: str
    channel: ChannelName
    positions: Positions
    category: Category = Category.TRANSACTIONAL
    description: str | None = None
    variables: tuple[Variable, ...] | None = None
    """`None`: not declared; every `$(name)` used is then required."""
    content: ApiObject | None = None
    options: ApiObject = field(default_factory=dict)
    locales: Mapping[str, LocaleVariant] = field(default_factory=dict)
    remote_id: str | None = None
    """`template: {id: …}`: the text is stored at the provider and unknown here."""
    remote_subject: str | None = None
    """Replaces the subject of the template stored at the provider; not composed yet."""


class InlineRecipient(Struct, frozen=True):
    """One entry of `recipients`. Each of its addresses is a separate recipient with the same substitutions."""

    location: Location
    msisdn: tuple[str, ...] = ()
    email: tuple[str, ...] = ()
    correlation_id: str | None = None
    locale: str | None = None
    timezone: str | None = None
    substitutions: Mapping[str, str] = field(default_factory=dict)


class AudienceSource(Struct, frozen=True):
    """The source of an audience. `file` is relative to the YAML file that names it, else to the project; a Parquet path can be a
    pattern. `sql` or `table` selects from a database: `file` or `url`.
    """

    file: str | None = None
    format: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    table: str | None = None
    sql: str | None = None
    url: Secret | None = None


class Audience(Struct, frozen=True):
    """Either `recipients` or `source`. `columns` maps msisdn, email, locale, timezone, region and correlationId to columns of the
    source.
    """

    name: str
    positions: Positions
    recipients: tuple[InlineRecipient, ...] | None = None
    source: AudienceSource | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    substitutions: Mapping[str, str] | None = None
    """Variable → column. `None`: every other column, by its own name."""
    where: str | None = None
    numbers: Numbers = Numbers.POSSIBLE
    region: str | None = None
    """ISO 3166 code of the country in which a number without + is read; a column `region` beats it, row by row."""


WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Window(Struct, frozen=True):
    """Local times between which sending is allowed, or, as quiet hours, is not; may cross midnight, and then belongs to the day on
    which it starts. `until` 24:00 is time.max.
    """

    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    start: time = time.min
    until: time = time.max


class HolidayCountry(Struct, frozen=True):
    """The holidays of a country, as an ISO 3166 code, with those of one of its parts."""

    country: str
    subdivision: str | None = None


class HolidayFile(Struct, frozen=True):
    """The days of the events of an iCalendar file. `text`: what it contains; None: it cannot be read."""

    file: str
    text: str | None = None


Holiday = date | HolidayCountry | HolidayFile


class Hours(Struct, frozen=True):
    """When sending is allowed: in any of the windows (none: at any time), outside of quiet hours, and not on a holiday."""

    windows: tuple[Window, ...] = ()
    quiet_hours: tuple[Window, ...] = ()
    holidays: tuple[Holiday, ...] = ()


class Gap(StrEnum):
    """What becomes of a local time that a clock change skips."""

    SHIFT = "shift"  # the first instant after the change
    SKIP = "skip"


class Overlap(StrEnum):
    """Which of the two instants a local time means that comes twice."""

    FIRST = "first"
    LAST = "last"


class Schedule(Struct, frozen=True):
    """`cron`, `rrule`, and `at` without an offset, are local times in `timezone`: an IANA name, RECIPIENT_ZONE, or None for the
    project's. At most one of the three is set.

    In a notification it is the effective one, with the project's hours. One without a `schedule:` has none, or, if the project's
    hours apply to it, one whose name is empty.
    """

    name: str
    positions: Positions
    timezone: str | None = None
    at: datetime | None = None
    cron: str | None = None
    rrule: str | None = None
    starts: datetime | None = None
    """Naive: the first local time at which an occurrence can be due; a date is its midnight. With `rrule` its DTSTART."""
    ends: datetime | None = None
    """Naive, and included: the last such time; a date is its last microsecond."""
    windows: tuple[Window, ...] = ()
    quiet_hours: tuple[Window, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    project_hours: Hours = Hours()
    """The project's, which hold in addition: sending must be allowed by both. Empty if the category of the notification is exempt."""
    grace: timedelta = timedelta(hours=1)
    """How late an occurrence may begin, from the first moment at which it may go."""
    gap: Gap = Gap.SHIFT
    overlap: Overlap = Overlap.FIRST
    expire_after: timedelta | None = None
    expire_at: datetime | None = None
    hand_off: HandOff = HandOff.HOLD

    @property
    def recurs(self) -> bool:
        """Whether it has a rule, and so occurrences of which each has an id of its own."""
        return self.cron is not None or self.rrule is not None

    @property
    def has_time(self) -> bool:
        """Whether its occurrences are due at a time, and not as soon as they are applied."""
        return self.recurs or self.at is not None

    @property
    def hours(self) -> Hours:
        """Its own."""
        return Hours(self.windows, self.quiet_hours, self.holidays)

    @property
    def all_hours(self) -> tuple[Hours, ...]:
        """Its own and the project's. Sending must be allowed by each."""
        return tuple(each for each in (self.hours, self.project_hours) if each != Hours())


class Notification(Struct, frozen=True):
    """The only document that sends: it binds template, audience, schedule and sender."""

    name: str
    template: Template
    audience: Audience
    positions: Positions
    edition: int = 1
    schedule: Schedule | None = None
    sender: str | None = None
    substitutions: Mapping[str, str] = field(default_factory=dict)
    priority: int | None = None
    options: ApiObject = field(default_factory=dict)
    callback_data: str | None = None
    notify_url: str | None = None
    notify_url_auth_id: str | None = None
    requested_receipts: tuple[str, ...] = ()
    contact_policy: ApiObject | None = None
    batch_id: str | None = None
    multiple_to_recipients: bool | None = None
    """Only False, or not set: one email never goes to several recipients."""
    joiners: Joiners = Joiners.HOLD
    on_unknown: OnUnknown = OnUnknown.HOLD
    policy: Policy | None = None
    """The project's policy narrowed by this notification's `limits`; set when references are resolved."""
    cc: tuple[str, ...] | None = None
    bcc: tuple[str, ...] | None = None
    """`None`: not set. An empty list is sent as one, as in the API page's sample."""
    smartlinks: tuple[ApiObject, ...] = ()
    acknowledge: str | None = None
    suppressions: tuple[SuppressionList, ...] = ()
    """In addition to those of the project and the environment."""

    @property
    def channel(self) -> ChannelName:
        return self.template.channel


class Moved(Struct, frozen=True):
    """Ledger records of `source` count for its new name, `target`."""

    source: str
    target: str
    positions: Positions


class Baseline(Struct, frozen=True):
    """Counts the current audience as already notified, without a request."""

    notification: str
    edition: int
    reason: str
    positions: Positions


class Withdraw(Struct, frozen=True):
    """Stops sending an edition to recipients for whom it was not accepted."""

    notification: str
    edition: int
    reason: str
    positions: Positions


class Project(Struct, frozen=True):
    """All documents, by name. Files are read through a FileTree."""

    name: str
    positions: Positions
    timezone: str = "UTC"
    locale: str = "en"
    region: str | None = None
    """For numbers without + in audiences and opt-out lists."""
    hours: Hours = Hours()
    """`window`, `quietHours` and `holidays` of `defaults`, for every notification that is not exempt."""
    exempt: Mapping[Category, str] = field(default_factory=dict)
    """`except` of `defaults`: category → the reason why `hours` do not apply to it."""
    default_environment: str = "sandbox"
    vars: Mapping[str, Any] = field(default_factory=dict)
    suppressions: tuple[SuppressionList, ...] = ()
    opt_out_on: tuple[str, ...] = ("complaint", "unsubscribed")
    """Which OptOutReason in a receipt opts its recipient out."""
    policy: Policy = Policy()
    acceptors: Acceptors = Acceptors()
    """`people` and `oidc` of `policy.accept`: who can prove that they accept."""
    lint: Mapping[str, str] = field(default_factory=dict)
    """Rule → error, warning, info or off."""
    environments: Mapping[str, Environment] = field(default_factory=dict)
    templates: Mapping[str, Template] = field(default_factory=dict)
    audiences: Mapping[str, Audience] = field(default_factory=dict)
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    notifications: Mapping[str, Notification] = field(default_factory=dict)
    """Without those with unresolved references, which have a diagnostic instead."""
    incomplete: bool = False
    """Whether a document is left out that may use others: a notification, or what could not be read."""
    moved: tuple[Moved, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    withdrawals: tuple[Withdraw, ...] = ()
