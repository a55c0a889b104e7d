"""Shape of the Project document: defaults, policy and environments. It names secrets and never contains them."""

from __future__ import annotations

from notifyctl.config.fields import (
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
            description="Apply refuses to send one notification to more people.",
            examples=(250_000,),
        ),
        default=100_000,
    ),
    Field(
        name="maxGrowthPercent",
        shape=Integer(
            minimum=0,
            description="Apply refuses when the audience grew by more since the edition was opened; from 10 people up.",
        ),
        default=20,
    ),
    Field(
        name="maxSegments",
        shape=Integer(
            minimum=1,
            description="Apply refuses an SMS of more segments; without it there is no limit.",
            examples=(3,),
        ),
    ),
    Field(
        name="maxRejectedPercent",
        shape=Integer(
            minimum=0,
            maximum=100,
            description="Apply refuses when more rows of the audience cannot be read or have no valid address; from 50"
            " rows up.",
        ),
        default=2,
    ),
    Field(
        name="requireUnsubscribe",
        shape=Items(
            item=Choice(values=("transactional", "marketing")),
            unique=True,
            description="Categories whose e-mails must hold $(unsubscribe).",
            examples=(["marketing"],),
        ),
    ),
)

POLICY = Record(
    title="policy",
    description="What apply refuses; each can be narrowed per notification.",
    fields=POLICY_FIELDS,
)

NARROWED = Record(
    title="limits", description="Narrows the project's policy for this notification.", fields=POLICY_FIELDS
)

VARS = Table(
    value=Written(description="Any value but null. It prints as it is written here."),
    description="Names that Jinja2 sees at build time: {{ brand }}.",
    keys=r"[A-Za-z_][A-Za-z0-9_]*",
    examples=({"brand": "Acme Power"},),
)

SENDERS = Record(
    title="senders",
    description="Who messages come from, per channel, where the notification does not say.",
    fields=(
        Field(
            name="sms",
            shape=Text(
                min_length=1,
                description="A sender ID, short code or long code.",
                examples=("CNNECT",),
                rule=envelope.SMS_SENDER,
            ),
        ),
        Field(
            name="email",
            shape=Text(
                min_length=1,
                description="An address of a registered domain.",
                examples=("alerts@acme.example",),
                rule=envelope.EMAIL_SENDER,
            ),
        ),
        Field(
            name="rcs",
            shape=Text(
                min_length=1,
                description="The app ID of the RCS agent.",
                examples=("a_156887855308557980",),
                rule=envelope.SENDER,
            ),
        ),
    ),
)

AUTH = Record(
    title="auth",
    description="Where the credentials are. JWT is used first when both are given, as the API does.",
    fields=(
        *secret("serviceKey", "the service key", "SERVICE_KEY"),
        Field(
            name="jwt",
            shape=Record(
                title="jwt",
                description="JSON Web Tokens signed with the service's secret.",
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
    description="What the account at the provider may do.",
    fields=(
        Field(
            name="tps",
            shape=Integer(minimum=1, description="Transactions per second of the account."),
            default=10,
        ),
        Field(
            name="tpsCounts",
            shape=Choice(
                values=("destinations", "calls", "requests"),
                description="What a transaction is: a destination, or a call (also: request).",
            ),
            default="destinations",
        ),
        Field(
            name="destinationsPerRequest",
            shape=Integer(
                minimum=1,
                maximum=1000,
                description="How many people one request may address.",
                rule=envelope.REQUEST_SIZE,
            ),
            default=1000,
        ),
        Field(
            name="requirePlus",
            shape=Boolean(
                description="Whether the account takes numbers with a + before them only.", rule=envelope.PLUS
            ),
            default=False,
        ),
        Field(
            name="concurrency",
            shape=Integer(minimum=1, maximum=256, description="Requests under way at once."),
            default=4,
        ),
    ),
)

LEDGER = Record(
    title="ledger",
    description="Where the record of what was sent is kept; without it SQLite at .notifyctl/<environment>.db.",
    fields=(
        *secret("url", "the URL of the ledger, postgresql://…", "LEDGER_URL"),
        *secret("recipientKey", "the key that recipients are hashed with", "RECIPIENT_KEY"),
    ),
    at_most_one=(either_of("url"), either_of("recipientKey")),
)

FENCE = Record(
    title="fence",
    description="Nobody else can be reached from this environment.",
    fields=(
        Field(
            name="allow",
            shape=Items(
                item=Text(min_length=1),
                max_items=1000,
                description="Patterns of addresses; * stands for anything.",
                examples=(["+4477009*", "*@acme.example"],),
            ),
            required=True,
        ),
    ),
)


def environment(provider: str, endpoint: Field) -> Record:
    return Record(
        title=f"{provider} environment",
        description="An account that messages are sent through, or the embedded sandbox.",
        fields=(
            Field(
                name="provider",
                shape=Choice(values=(provider,), description="webexconnect, or the embedded sandbox."),
                required=True,
            ),
            endpoint,
            Field(
                name="profile",
                shape=Choice(
                    values=("2021", "6.20"),
                    description="Which documented limits hold: those of 2021 or of release 6.20.",
                ),
                default="2021",
            ),
            Field(name="auth", shape=AUTH),
            Field(name="senders", shape=SENDERS),
            Field(name="fence", shape=FENCE),
            Field(name="vars", shape=VARS),
            Field(name="limits", shape=LIMITS),
            Field(name="ledger", shape=LEDGER),
            Field(
                name="proxy",
                shape=Text(
                    description="The proxy that requests to the provider go through; without it HTTPS_PROXY and NO_PROXY decide.",
                    examples=("http://proxy.acme.example:3128",),
                    parse=parse_proxy,
                ),
            ),
            *secret("proxy", "the address of the proxy with user name and password", "PROXY_URL"),
            Field(
                name="caFile",
                shape=Text(
                    min_length=1,
                    description="A file with certificates of a private CA in PEM form, relative to the project; trusted in addition to the system's.",
                    examples=("certs/acme-ca.pem",),
                ),
            ),
            Field(
                name="pricing",
                shape=Text(
                    min_length=1,
                    description="A CSV file of prefix, channel, price and currency; turns segments into cost.",
                    examples=("pricing.csv",),
                ),
            ),
            SUPPRESSIONS,
        ),
        at_most_one=(("proxy", *either_of("proxy")),),
    )


ENDPOINT = Field(
    name="endpoint",
    shape=Text(
        description="The address of the Messaging API v2; http:// for this machine only.",
        examples=("https://api.eu.webexconnect.io/v2/messages",),
        parse=parse_endpoint,
    ),
    required=True,
)

SANDBOX_ENDPOINT = Field(
    name="endpoint",
    shape=Text(
        description="The address of a sandbox on this machine, as `notifyctl sandbox serve` prints it; without it the embedded one.",
        examples=("http://127.0.0.1:8080/v2/messages",),
        parse=parse_sandbox_endpoint,
    ),
)

ENVIRONMENT = Cases(
    title="environment",
    by="provider",
    description="Where messages go to.",
    cases={
        "webexconnect": environment("webexconnect", ENDPOINT),
        "sandbox": environment("sandbox", SANDBOX_ENDPOINT),
    },
)

PROJECT = Record(
    title="Project",
    description="Settings of the whole project; stands once, in notifyctl.yaml.",
    fields=(
        *head("Project", name_text("What messages call the project.", "acme-alerts")),
        Field(
            name="defaults",
            shape=Record(
                title="defaults",
                description="What holds where a document does not say.",
                fields=(
                    Field(
                        name="timezone",
                        shape=Text(
                            description="An IANA time zone.", examples=("Europe/London",), parse=parse_zone
                        ),
                        default="UTC",
                    ),
                    Field(name="locale", shape=locale_text("The language of templates."), default="en"),
                    Field(
                        name="region",
                        shape=region_text("The country in which a number without + is read."),
                    ),
                ),
            ),
        ),
        Field(
            name="defaultEnvironment",
            shape=name_text("The environment that is used without -e.", "sandbox"),
            default="sandbox",
        ),
        Field(name="vars", shape=VARS),
        SUPPRESSIONS,
        Field(
            name="optOutOn",
            shape=Items(
                item=Choice(values=tuple(each.value for each in OptOutReason)),
                unique=True,
                description="Which receipts opt their recipient out on that channel, from the next plan on: a complaint, an"
                " unsubscription, an e-mail that bounced for good. [] for none.",
                examples=(["complaint", "unsubscribed", "bounced"],),
            ),
            default=["complaint", "unsubscribed"],
        ),
        Field(name="policy", shape=POLICY),
        Field(
            name="lint",
            shape=Table(
                keys="[a-z0-9]+(-[a-z0-9]+)*",
                value=Choice(values=("error", "warning", "info", "off")),
                description="How grave a rule of lint is in this project, by its id; off: not told. Rules of form stay errors.",
                examples=({"needs-unicode": "warning"},),
            ),
        ),
        Field(
            name="environments",
            shape=Table(
                value=ENVIRONMENT,
                keys=NAME,
                description="By name. `sandbox` exists even when it is not named.",
            ),
        ),
    ),
)
