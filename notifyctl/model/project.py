"""The documents of a project as frozen values, links resolved. No YAML, no I/O, no behaviour beyond lookup.

Objects of the API (`content`, `options`, `smartlinks`) stay plain mappings with the API's own key names, because they
travel unchanged from the file into the request. What is sent and recorded is in the modules beside this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from notifyctl.diagnostics import Location, Positions

ApiObject = Mapping[str, Any]
"""A JSON object in the API's own spelling: str, int, float, bool, None, lists and mappings of these."""

RECIPIENT_ZONE = "recipient"
"""`timezone: recipient` in a schedule: each recipient's own zone decides."""


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
    """What happens to people who joined the audience after an edition was opened."""

    HOLD = "hold"
    SEND = "send"


class OnUnknown(StrEnum):
    HOLD = "hold"
    RESEND = "resend"


class HandOff(StrEnum):
    """Who waits until a message is due: we (revocable) or the provider by `sendAt` (at most 7 days, irrevocable)."""

    HOLD = "hold"
    PROVIDER = "provider"


class Numbers(StrEnum):
    """How strictly an MSISDN is checked: by form (E.164), possible, or valid in its country's numbering plan."""

    FORM = "form"
    POSSIBLE = "possible"
    VALID = "valid"


class TpsCounts(StrEnum):
    """What the provider's transactions per second count. The two official pages disagree, so it is a setting."""

    DESTINATIONS = "destinations"
    CALLS = "calls"


class Secret(Struct, frozen=True):
    """Where a secret is, never the secret: the name of an environment variable or the path of a mounted file."""

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
    """What the account at the provider may do."""

    tps: int = 10
    tps_counts: TpsCounts = TpsCounts.DESTINATIONS
    destinations_per_request: int = 1000
    require_plus: bool = False
    """Whether the account takes numbers with a + before them only (rule 14)."""
    concurrency: int = 4


class Policy(Struct, frozen=True):
    """What apply refuses. `None` means: no such limit."""

    max_recipients: int | None = 100_000
    max_growth_percent: int | None = 20
    max_segments: int | None = None
    require_unsubscribe: tuple[Category, ...] = ()


class LedgerSettings(Struct, frozen=True):
    """`url` (postgresql://…) or, without it, SQLite at .notifyctl/<environment>.db. `recipient_key` is kept outside when named."""

    url: Secret | None = None
    recipient_key: Secret | None = None


class SuppressionList(Struct, frozen=True):
    """People who are not written to. What stands here holds for those of its rows that say nothing else; empty: any. `since` and
    `until` are days, the last one included, or times. Hashed rows were made with `key`, or with the ledger's.
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
    """Shell-style patterns over normalised addresses; nobody else can be reached. `None`: no fence."""
    vars: Mapping[str, Any] = field(default_factory=dict)
    proxy: str | None = None
    """`http://host:port` without credentials: requests to the provider go through it. `None`: the variables decide."""
    proxy_secret: Secret | None = None
    """Where such an address with credentials is; never together with `proxy`."""
    ca_file: str | None = None
    """A file of the project with certificates in PEM form that are trusted in addition."""
    pricing: str | None = None
    suppressions: tuple[SuppressionList, ...] = ()
    """Beside the project's."""

    @property
    def is_sandbox(self) -> bool:
        return self.provider == "sandbox"


class Variable(Struct, frozen=True):
    """A `$(name)` that a template reads."""

    name: str
    required: bool = True
    default: str | None = None
    example: str | None = None
    max_length: int | None = None


class LocaleVariant(Struct, frozen=True):
    """What differs from the template in one locale; merged over it key by key, lists replaced whole."""

    content: ApiObject = field(default_factory=dict)
    options: ApiObject = field(default_factory=dict)


class Template(Struct, frozen=True):
    """`content` is not composed yet: Jinja2 stands in its strings and `textFile` / `htmlFile` in place of `text` / `html`."""

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
    """`template: {id: …}`: the body lives at the provider and is opaque here."""


class InlineRecipient(Struct, frozen=True):
    """One entry of `recipients`; each address in it is a recipient of its own that shares the substitutions."""

    location: Location
    msisdn: tuple[str, ...] = ()
    email: tuple[str, ...] = ()
    correlation_id: str | None = None
    locale: str | None = None
    timezone: str | None = None
    substitutions: Mapping[str, str] = field(default_factory=dict)


class AudienceSource(Struct, frozen=True):
    """Where an audience is read from. `file` is relative to the YAML file that names it, else to the project; one of Parquet
    may be a pattern. `sql` or `table`: of a database, which is a file or has a `url`.
    """

    file: str | None = None
    format: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    table: str | None = None
    sql: str | None = None
    url: Secret | None = None


class Audience(Struct, frozen=True):
    """Either `recipients` or `source`. `columns` maps our names (msisdn, email, locale, timezone, correlationId) to the source's."""

    name: str
    positions: Positions
    recipients: tuple[InlineRecipient, ...] | None = None
    source: AudienceSource | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    substitutions: Mapping[str, str] | None = None
    """variable → column. `None`: every other column, by its own name."""
    where: str | None = None
    numbers: Numbers = Numbers.FORM


WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Window(Struct, frozen=True):
    """Local times between which sending is allowed; `until` 24:00 is written as time.max. It may cross midnight."""

    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    start: time = time.min
    until: time = time.max


class Schedule(Struct, frozen=True):
    """When. `at` without an offset, and `cron`, are local in `timezone` (an IANA name, RECIPIENT_ZONE, or None: the project's)."""

    name: str
    positions: Positions
    timezone: str | None = None
    at: datetime | None = None
    cron: str | None = None
    starts: date | None = None
    ends: date | None = None
    window: Window | None = None
    holidays: tuple[date, ...] = ()
    grace: timedelta | None = None
    expire_after: timedelta | None = None
    expire_at: datetime | None = None
    hand_off: HandOff = HandOff.HOLD


class Notification(Struct, frozen=True):
    """The only document with an effect: it binds template, audience, schedule and sender."""

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
    requested_receipts: tuple[str, ...] = ()
    joiners: Joiners = Joiners.HOLD
    on_unknown: OnUnknown = OnUnknown.HOLD
    policy: Policy | None = None
    """The project's policy narrowed by this notification's `limits`; filled in when the project is linked."""
    cc: tuple[str, ...] | None = None
    bcc: tuple[str, ...] | None = None
    """`None`: not given. An empty list is sent as one, as the API page's own sample does."""
    smartlinks: tuple[ApiObject, ...] = ()
    acknowledge: str | None = None
    suppressions: tuple[SuppressionList, ...] = ()
    """Beside those of project and environment."""

    @property
    def channel(self) -> ChannelName:
        return self.template.channel


class Moved(Struct, frozen=True):
    """The facts of `source` count for `target` from now on."""

    source: str
    target: str
    positions: Positions


class Baseline(Struct, frozen=True):
    """The present audience counts as served, without a request."""

    notification: str
    edition: int
    reason: str
    positions: Positions


class Withdraw(Struct, frozen=True):
    """What has not been accepted of this edition is not sent any more."""

    notification: str
    edition: int
    reason: str
    positions: Positions


class Project(Struct, frozen=True):
    """All documents, by name. `root` is what messages call the project; files are reached through a FileTree."""

    name: str
    positions: Positions
    timezone: str = "UTC"
    locale: str = "en"
    default_environment: str = "sandbox"
    vars: Mapping[str, Any] = field(default_factory=dict)
    suppressions: tuple[SuppressionList, ...] = ()
    policy: Policy = Policy()
    lint: Mapping[str, str] = field(default_factory=dict)
    """rule → error, warning, info or off."""
    environments: Mapping[str, Environment] = field(default_factory=dict)
    templates: Mapping[str, Template] = field(default_factory=dict)
    audiences: Mapping[str, Audience] = field(default_factory=dict)
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    notifications: Mapping[str, Notification] = field(default_factory=dict)
    """Without those whose references did not resolve; these have a diagnostic instead."""
    moved: tuple[Moved, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    withdrawals: tuple[Withdraw, ...] = ()
