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
    description="One or more addresses with the same values. Each address is a separate recipient.",
    fields=(
        Field(
            name="msisdn",
            shape=Items(
                item=Text(min_length=1, examples=("+447700900123",)),
                single=True,
                min_items=1,
                description="One or more phone numbers in E.164 form.",
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
                description="One or more email addresses.",
                examples=("ada@acme.example",),
                rule=envelope.DESTINATION,
            ),
        ),
        Field(
            name="correlationId",
            shape=Text(
                min_length=1,
                description="Your own ID, sent unchanged and returned in receipts.",
                rule=envelope.CORRELATION_ID,
            ),
        ),
        Field(name="locale", shape=locale_text("Locale: selects the variant of the template.")),
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
    description="A file or a database.",
    fields=(
        Field(
            name="file",
            shape=Text(
                min_length=1,
                description="A file of the project, relative to this YAML file or to the project. For Parquet, a pattern is possible.",
                examples=("data/ec1m.csv", "data/people.csv.gz", "data/*.parquet"),
            ),
        ),
        Field(
            name="format",
            shape=Choice(
                values=("csv", "tsv", "jsonl", "parquet", "sqlite", "duckdb"),
                description="Format of the file. Default: from its suffix.",
            ),
        ),
        Field(
            name="delimiter",
            shape=Text(
                min_length=1,
                max_length=1,
                description="Separator of cells. Default: the first of comma, ; | and tab that the header contains.",
                examples=(";",),
            ),
        ),
        Field(
            name="encoding",
            shape=Text(
                min_length=1,
                parse=parse_encoding,
                description="Encoding of a text file. Default: from its byte order mark, else UTF-8.",
                examples=("cp1252", "latin-1"),
            ),
        ),
        Field(
            name="table",
            shape=Text(min_length=1, description="A table or view of the database.", examples=("people",)),
        ),
        Field(
            name="sql",
            shape=Text(
                min_length=1, description="A SQL query.", examples=("select phone, name from customers",)
            ),
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
    description="Columns of the source with addresses and settings. Default: columns with these names.",
    fields=tuple(
        Field(
            name=name,
            shape=Text(min_length=1, description=f"Column with {what}.", examples=(example,)),
        )
        for name, what, example in (
            ("msisdn", "the phone number", "phone"),
            ("email", "the email address", "mail"),
            ("locale", "the locale", "lang"),
            ("timezone", "the time zone", "tz"),
            ("region", "the country of numbers without +", "country"),
            ("correlationId", "your own ID", "customer_id"),
        )
    ),
)

AUDIENCE_FIELDS = (
    Field(name="recipients", shape=Items(item=RECIPIENT, description="The recipients.")),
    Field(name="source", shape=SOURCE),
    Field(name="columns", shape=COLUMNS),
    Field(
        name="substitutions",
        shape=Table(
            value=Text(min_length=1, description="A column."),
            keys=VARIABLE,
            description="Variable → column. Default: every other column, by its name.",
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
            description="How phone numbers are checked: by format, or by the country's numbering plan.",
        ),
        default="possible",
    ),
    Field(
        name="region",
        shape=region_text("Country of numbers without +. `columns: {region: …}` sets it for each row."),
    ),
)

ONE_ORIGIN = (("recipients", "source"),)
SOURCE_ONLY = (("recipients", "columns"), ("recipients", "substitutions"), ("recipients", "where"))

AUDIENCE = Record(
    title="Audience",
    description="The recipients of a notification.",
    fields=(
        *head("Audience", name_text("Name that notifications refer to.", "ec1m-customers")),
        *AUDIENCE_FIELDS,
    ),
    exactly_one=ONE_ORIGIN,
    at_most_one=SOURCE_ONLY,
)

INLINE_AUDIENCE = Record(
    title="inline audience",
    description="An audience for this notification only.",
    fields=AUDIENCE_FIELDS,
    exactly_one=ONE_ORIGIN,
    at_most_one=SOURCE_ONLY,
)
