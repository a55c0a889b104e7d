"""Shape of suppression lists, used in projects, environments and notifications."""

from __future__ import annotations

from notifyctl.config.fields import Choice, Either, Field, Items, Record, Text
from notifyctl.config.kinds.shared_fields import either_of, secret
from notifyctl.config.scalar_types import parse_date_or_time
from notifyctl.model.project import Category, ChannelName

LIST = Record(
    title="suppression list",
    description="A suppression list, with defaults for its rows.",
    fields=(
        Field(
            name="file",
            shape=Text(
                min_length=1,
                description="One address per line, or CSV with a column address, msisdn, email or hash, and optional columns"
                " channel, category, reason, since and until.",
                examples=("suppressions/marketing.csv",),
            ),
            required=True,
        ),
        Field(
            name="reason",
            shape=Text(
                min_length=1, description="Reason. A plan counts recipients by it.", examples=("complaint",)
            ),
        ),
        Field(
            name="channels",
            shape=Items(
                item=Choice(values=tuple(each.value for each in ChannelName), description="A channel."),
                single=True,
                description="Applies to these channels. Default: all.",
            ),
        ),
        Field(
            name="categories",
            shape=Items(
                item=Choice(values=tuple(each.value for each in Category), description="A category."),
                single=True,
                description="Applies to these categories. Default: all.",
            ),
        ),
        Field(
            name="since",
            shape=Text(
                parse=parse_date_or_time,
                description="First day or time at which the list applies.",
                examples=("2026-11-01",),
            ),
        ),
        Field(
            name="until",
            shape=Text(
                parse=parse_date_or_time,
                description="Last day, or time from which the list no longer applies.",
                examples=("2026-12-31",),
            ),
        ),
        *secret("key", "the key of the hashes in the list", "SUPPRESSION_KEY"),
        Field(
            name="key",
            shape=Choice(
                values=("ledger",),
                description="The list contains hashes of the ledger, as written by `notifyctl receipts opt-outs`.",
            ),
        ),
    ),
    at_most_one=(("key", *either_of("key")),),
)

SUPPRESSIONS = Field(
    name="suppressions",
    shape=Items(
        item=Either(
            text=Text(min_length=1, description="Path of a list.", examples=("suppressions/opt-out.csv",)),
            mapping=LIST,
            description="Path of a list, or a mapping with defaults for its rows.",
        ),
        description="Suppression lists, in addition to those of the levels above.",
        examples=(["suppressions/opt-out.csv"],),
    ),
)
