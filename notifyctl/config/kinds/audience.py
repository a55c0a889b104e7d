"""Shapes of audiences, as documents and inline in a notification."""

from __future__ import annotations

from msgspec.structs import replace

from notifyctl.config.fields import (
    Choice,
    Field,
    Items,
    Record,
    Table,
    Text,
)
from notifyctl.config.kinds.shared_fields import (
    SUBSTITUTIONS,
    VARIABLE,
    either_of,
    head,
    locale_text,
    name_text,
    region_text,
    secret,
)
from notifyctl.config.scalar_types import (
    parse_encoding,
    parse_zone,
)
from notifyctl.rulebook import envelope

RECIPIENT = Record(
    title="recipient",
    description="One person, or several who get the same values; each address is a recipient of its own.",
    fields=(
        Field(
            name="msisdn",
            shape=Items(
                item=Text(min_length=1, examples=("+447700900123",)),
                single=True,
                min_items=1,
                description="One or more mobile numbers in E.164 form.",
                examples=("+447700900123",),
                rule=envelope.DESTINATION,
            ),
        ),
        Field(
            name="email",
            shape=Items(
                item=Text(min_length=1, examples=("ada@acme.example",)),
                single=True,
                min_items=1,
                description="One or more e-mail addresses.",
                examples=("ada@acme.example",),
                rule=envelope.DESTINATION,
            ),
        ),
        Field(
            name="correlationId",
            shape=Text(
                min_length=1,
                description="Your own id, sent as given; comes back in receipts.",
                rule=envelope.CORRELATION_ID,
            ),
        ),
        Field(name="locale", shape=locale_text("Which variant of the template is sent.")),
        Field(
            name="timezone",
            shape=Text(description="An IANA time zone.", examples=("Europe/Paris",), parse=parse_zone),
        ),
        Field(
            name="substitutions",
            shape=replace(
                SUBSTITUTIONS,
                description="Values of $(name) for this recipient.",
                examples=({"name": "Ada"},),
            ),
        ),
    ),
    at_least_one=(("msisdn", "email"),),
)

SOURCE = Record(
    title="source",
    description="A file, or a query of a database.",
    fields=(
        Field(
            name="file",
            shape=Text(
                min_length=1,
                description="A file of the project, relative to this YAML file or to the project; of Parquet also a pattern.",
                examples=("data/ec1m.csv", "data/people.csv.gz", "data/*.parquet"),
            ),
        ),
        Field(
            name="format",
            shape=Choice(
                values=("csv", "tsv", "jsonl", "parquet", "sqlite", "duckdb"),
                description="Where the file's suffix does not tell.",
            ),
        ),
        Field(
            name="delimiter",
            shape=Text(
                min_length=1,
                max_length=1,
                description="What stands between two cells, where the header does not tell: it has a comma, else ; or | or a tab.",
                examples=(";",),
            ),
        ),
        Field(
            name="encoding",
            shape=Text(
                min_length=1,
                parse=parse_encoding,
                description="Of a text file that is not UTF-8 and has no byte order mark.",
                examples=("cp1252", "latin-1"),
            ),
        ),
        Field(
            name="table",
            shape=Text(min_length=1, description="A table or view of the database.", examples=("people",)),
        ),
        Field(
            name="sql",
            shape=Text(min_length=1, description="A query.", examples=("select phone, name from customers",)),
        ),
        *secret("url", "the URL of the database", "CRM_URL"),
    ),
    exactly_one=(("file", *either_of("url")),),
    at_most_one=(
        ("sql", "table"),
        ("delimiter", "sql"),
        ("delimiter", "table"),
        ("encoding", "sql"),
        ("encoding", "table"),
    ),
)

COLUMNS = Record(
    title="columns",
    description="Which columns of the source hold what; without it columns of these very names.",
    fields=tuple(
        Field(
            name=name,
            shape=Text(min_length=1, description=f"The column that holds {what}.", examples=(example,)),
        )
        for name, what, example in (
            ("msisdn", "the mobile number", "phone"),
            ("email", "the e-mail address", "mail"),
            ("locale", "the locale", "lang"),
            ("timezone", "the time zone", "tz"),
            ("region", "the country in which a number without + is read", "country"),
            ("correlationId", "your own id", "customer_id"),
        )
    ),
)

AUDIENCE_FIELDS = (
    Field(name="recipients", shape=Items(item=RECIPIENT, description="The people themselves.")),
    Field(name="source", shape=SOURCE),
    Field(name="columns", shape=COLUMNS),
    Field(
        name="substitutions",
        shape=Table(
            value=Text(min_length=1, description="A column."),
            keys=VARIABLE,
            description="variable: column; without it every other column, by its own name.",
            examples=({"name": "first_name"},),
        ),
    ),
    Field(
        name="where",
        shape=Text(
            min_length=1,
            description="One boolean SQL expression over the columns.",
            examples=("postcode like 'EC1M%'",),
        ),
    ),
    Field(
        name="numbers",
        shape=Choice(
            values=("form", "possible", "valid"),
            description="How strictly a mobile number is checked: its form, or its country's numbering plan.",
        ),
        default="possible",
    ),
    Field(
        name="region",
        shape=region_text(
            "The country in which a number without + is read. `columns: {region: …}` says it for each row."
        ),
    ),
)

ONE_ORIGIN = (("recipients", "source"),)
SOURCE_ONLY = (("recipients", "columns"), ("recipients", "substitutions"), ("recipients", "where"))

AUDIENCE = Record(
    title="Audience",
    description="Who is written to.",
    fields=(*head("Audience", name_text("What notifications refer to.", "ec1m-customers")), *AUDIENCE_FIELDS),
    exactly_one=ONE_ORIGIN,
    at_most_one=SOURCE_ONLY,
)

INLINE_AUDIENCE = Record(
    title="inline audience",
    description="People that only this notification is for.",
    fields=AUDIENCE_FIELDS,
    exactly_one=ONE_ORIGIN,
    at_most_one=SOURCE_ONLY,
)
