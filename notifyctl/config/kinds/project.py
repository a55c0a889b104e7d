"""Shape of the Project document: defaults, policy and environments. It names secrets and never contains them."""

from __future__ import annotations

from notifyctl.config.fields import (
    NEWER,
    OLDER,
    Boolean,
    Cases,
    Choice,
    Field,
    Integer,
    Items,
    Record,
    Table,
    Text,
    Written,
)
from notifyctl.config.kinds.accept import ACCEPT
from notifyctl.config.kinds.hours import HOURS
from notifyctl.config.kinds.shared_fields import (
    NAME,
    either_of,
    head,
    locale_text,
    name_text,
    region_text,
    secret,
)
from notifyctl.config.kinds.suppressions import SUPPRESSIONS
from notifyctl.config.scalar_types import (
    parse_endpoint,
    parse_proxy,
    parse_sandbox_endpoint,
    parse_zone,
)
from notifyctl.model.events import OptOutReason
from notifyctl.rulebook import envelope

POLICY_FIELDS = (
    Field(
        name="maxRecipients",
        shape=Integer(
            minimum=0,
            description="Maximum number of recipients of one notification in one plan.",
            examples=(250_000,),
        ),
        default=100_000,
    ),
    Field(
        name="maxGrowthPercent",
        shape=Integer(
            minimum=0,
            description="Maximum audience growth in per cent since the edition started, for audiences of 10 or more recipients.",
        ),
        default=20,
    ),
    Field(
        name="maxSegments",
        shape=Integer(
            minimum=1,
            description="Maximum number of segments of an SMS. Default: no limit.",
            examples=(3,),
        ),
    ),
    Field(
        name="maxRejectedPercent",
        shape=Integer(
            minimum=0,
            maximum=100,
            description="Maximum percentage of rejected rows, for audiences of 50 or more rows.",
        ),
        default=2,
    ),
    Field(
        name="requireUnsubscribe",
        shape=Items(
            item=Choice(values=("transactional", "marketing")),
            unique=True,
            description="Categories whose emails must contain $(unsubscribe).",
            examples=(["marketing"],),
        ),
    ),
)

POLICY = Record(
    title="policy",
    description="Limits that block sending. A notification can set stricter ones.",
    fields=(*POLICY_FIELDS, Field(name="accept", shape=ACCEPT)),
)

NARROWED = Record(
    title="limits",
    description="Stricter limits for this notification than those of the project.",
    fields=POLICY_FIELDS,
    unknown_key_hints={
        "accept": "`accept` is a key of `policy` in notifyctl.yaml; a notification cannot have one of its own"
    },
)

VARS = Table(
    value=Written(description="Any value except null. It is printed as written here."),
    description="Values for {{ name }} in templates, the same for all recipients.",
    keys=r"[A-Za-z_][A-Za-z0-9_]*",
    examples=({"brand": "Acme Power"},),
)

SENDERS = Record(
    title="senders",
    description="Default sender per channel.",
    fields=(
        Field(
            name="sms",
            shape=Text(
                min_length=1,
                description="Sender ID (at most 11 characters), short code or long code.",
                examples=("CNNECT",),
                rule=envelope.SMS_SENDER,
            ),
        ),
        Field(
            name="email",
            shape=Text(
                min_length=1,
                description="Address of a domain registered with the account.",
                examples=("alerts@acme.example",),
                rule=envelope.EMAIL_SENDER,
            ),
        ),
        Field(
            name="rcs",
            shape=Text(
                min_length=1,
                description="App ID of the RCS agent.",
                examples=("a_156887855308557980",),
                rule=envelope.SENDER,
            ),
        ),
    ),
)

AUTH = Record(
    title="auth",
    description="Location of the credentials. If both are set, the JWT is used.",
    fields=(
        *secret("serviceKey", "the service key", "SERVICE_KEY"),
        Field(
            name="jwt",
            shape=Record(
                title="jwt",
                description="JSON Web Tokens, signed with the service secret.",
                fields=(
                    *secret("serviceId", "the service ID (`iss`)", "SERVICE_ID"),
                    *secret("secret", "the Base64-encoded service secret", "SERVICE_SECRET"),
                ),
                exactly_one=(either_of("serviceId"), either_of("secret")),
            ),
        ),
    ),
    at_most_one=(either_of("serviceKey"),),
    at_least_one=((*either_of("serviceKey"), "jwt"),),
)

LIMITS = Record(
    title="account limits",
    description="Limits of the provider account.",
    fields=(
        Field(
            name="tps",
            shape=Integer(minimum=1, description="Maximum transactions per second of the account."),
            default=10,
        ),
        Field(
            name="tpsCounts",
            shape=Choice(
                values=("destinations", "calls", "requests"),
                description="What counts as a transaction: a recipient (`destinations`) or a request (`calls`).",
            ),
            default="destinations",
        ),
        Field(
            name="destinationsPerRequest",
            shape=Integer(
                minimum=1,
                maximum=1000,
                description="Maximum number of recipients in one request.",
                rule=envelope.REQUEST_SIZE,
            ),
            default=1000,
        ),
        Field(
            name="requirePlus",
            shape=Boolean(
                description="The account accepts only numbers with a leading +.", rule=envelope.PLUS
            ),
            default=False,
        ),
        Field(
            name="concurrency",
            shape=Integer(minimum=1, maximum=256, description="Maximum number of requests in flight."),
            default=4,
        ),
    ),
)

LEDGER = Record(
    title="ledger",
    description="Location of the ledger. Default: SQLite at .notifyctl/<environment>.db.",
    fields=(
        *secret("url", "the URL of the ledger, postgresql://…", "LEDGER_URL"),
        *secret("recipientKey", "the key for hashes of recipients", "RECIPIENT_KEY"),
    ),
    at_most_one=(either_of("url"), either_of("recipientKey")),
)

FENCE = Record(
    title="fence",
    description="Allow-list: this environment can send only to these addresses.",
    fields=(
        Field(
            name="allow",
            shape=Items(
                item=Text(min_length=1),
                max_items=1000,
                description="Patterns of addresses. * matches any characters.",
                examples=(["+4477009*", "*@acme.example"],),
            ),
            required=True,
        ),
    ),
)

TESTS = Record(
    title="tests",
    description="Where `send-test` can send messages from this environment. Default: nowhere.",
    fields=(
        Field(
            name="allow",
            shape=Items(
                item=Text(min_length=1),
                min_items=1,
                max_items=100,
                description="Patterns of addresses, for example your own. * matches any characters.",
                examples=(["+447700900123", "*@acme.example"],),
            ),
            required=True,
        ),
    ),
)


ALERTS = Record(
    title="alerts",
    description='Where `notifyctl run` posts one line about what needs attention, as JSON: {"text": "…"}.',
    fields=secret(
        "url", "the URL, for example an incoming webhook of Slack, Teams or Mattermost", "ALERTS_URL"
    ),
    exactly_one=(either_of("url"),),
)


def environment(provider: str, endpoint: Field) -> Record:
    return Record(
        title=f"{provider} environment",
        description="The built-in simulator of the API, which sends no real messages."
        if provider == "sandbox"
        else "An account at the provider.",
        fields=(
            Field(
                name="provider",
                shape=Choice(
                    values=(provider,),
                    description="webexconnect for an account, or sandbox for the built-in simulator.",
                ),
                required=True,
            ),
            endpoint,
            Field(
                name="profile",
                shape=Choice(
                    values=(OLDER, NEWER),
                    description="Edition of the API's documentation: its keys and limits. Keys that only one profile has are marked.",
                ),
                default=OLDER,
            ),
            Field(name="auth", shape=AUTH),
            Field(name="senders", shape=SENDERS),
            Field(name="fence", shape=FENCE),
            Field(name="tests", shape=TESTS),
            Field(name="vars", shape=VARS),
            Field(name="limits", shape=LIMITS),
            Field(name="ledger", shape=LEDGER),
            Field(
                name="proxy",
                shape=Text(
                    description="Proxy for requests to the provider. Default: from HTTPS_PROXY and NO_PROXY.",
                    examples=("http://proxy.acme.example:3128",),
                    parse=parse_proxy,
                ),
            ),
            *secret("proxy", "the address of the proxy, with user name and password", "PROXY_URL"),
            Field(
                name="caFile",
                shape=Text(
                    min_length=1,
                    description="PEM file with certificates of a private CA, relative to the project. They are trusted in addition to the system's.",
                    examples=("certs/acme-ca.pem",),
                ),
            ),
            Field(
                name="pricing",
                shape=Text(
                    min_length=1,
                    description="CSV file with prefix, channel, price and currency, for the cost in plans.",
                    examples=("pricing.csv",),
                ),
            ),
            SUPPRESSIONS,
            Field(name="alerts", shape=ALERTS),
        ),
        at_most_one=(("proxy", *either_of("proxy")),),
    )


ENDPOINT = Field(
    name="endpoint",
    shape=Text(
        description="URL of the Messaging API v2. http:// is accepted for this machine only.",
        examples=("https://api.eu.webexconnect.io/v2/messages",),
        parse=parse_endpoint,
    ),
    required=True,
)

SANDBOX_ENDPOINT = Field(
    name="endpoint",
    shape=Text(
        description="URL of a sandbox on this machine, as printed by `notifyctl sandbox serve`. Default: the built-in one.",
        examples=("http://127.0.0.1:8080/v2/messages",),
        parse=parse_sandbox_endpoint,
    ),
)

ENVIRONMENT = Cases(
    title="environment",
    by="provider",
    description="Where messages are sent, and how.",
    cases={
        "webexconnect": environment("webexconnect", ENDPOINT),
        "sandbox": environment("sandbox", SANDBOX_ENDPOINT),
    },
)

EXCEPT = Record(
    title="except",
    description="Categories to which `window`, `quietHours` and `holidays` of these defaults do not apply, each with the reason.",
    fields=(
        Field(
            name="transactional",
            shape=Text(
                pattern=r"[\s\S]*\S[\s\S]*",
                pattern_description="a reason",
                description="Reason why transactional messages are sent at any time. Plans show it.",
                examples=("outages must reach customers at night",),
            ),
        ),
    ),
    unknown_key_hints={"marketing": "only transactional messages can be exempt; remove `marketing`"},
)

PROJECT = Record(
    title="Project",
    description="Settings of the project. Each project has one, in notifyctl.yaml.",
    fields=(
        *head("Project", name_text("Name of the project in output.", "acme-alerts")),
        Field(
            name="defaults",
            shape=Record(
                title="defaults",
                description="Default values for documents that do not set them.",
                fields=(
                    Field(
                        name="timezone",
                        shape=Text(
                            description="An IANA time zone.", examples=("Europe/London",), parse=parse_zone
                        ),
                        default="UTC",
                    ),
                    Field(name="locale", shape=locale_text("Language of the default texts."), default="en"),
                    Field(
                        name="region",
                        shape=region_text("Country of numbers without +."),
                    ),
                    *HOURS,
                    Field(name="except", shape=EXCEPT),
                ),
            ),
        ),
        Field(
            name="defaultEnvironment",
            shape=name_text("Environment for commands without -e.", "sandbox"),
            default="sandbox",
        ),
        Field(name="vars", shape=VARS),
        SUPPRESSIONS,
        Field(
            name="optOutOn",
            shape=Items(
                item=Choice(values=tuple(each.value for each in OptOutReason)),
                unique=True,
                description="Receipts that opt their recipient out on that channel, from the next plan on: a complaint, an"
                " unsubscription, a permanent bounce of an email. [] for none.",
                examples=(["complaint", "unsubscribed", "bounced"],),
            ),
            default=["complaint", "unsubscribed"],
        ),
        Field(name="policy", shape=POLICY),
        Field(name="alerts", shape=ALERTS),
        Field(
            name="lint",
            shape=Table(
                keys="[a-z0-9]+(-[a-z0-9]+)*",
                value=Choice(values=("error", "warning", "info", "off")),
                description="Severity of lint rules, by rule id. `off` disables a rule. Rules about the form of files stay errors.",
                examples=({"needs-unicode": "warning"},),
            ),
        ),
        Field(
            name="environments",
            shape=Table(
                value=ENVIRONMENT,
                keys=NAME,
                description="Environments, by name. `sandbox` always exists.",
            ),
        ),
    ),
)
