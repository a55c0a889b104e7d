"""Shape of suppression lists, used in projects, environments and notifications."""

from __future__ import annotations

from notifyctl.config.fields import Choice, Either, Field, Items, Record, Text
from notifyctl.config.kinds.shared_fields import either_of, secret
from notifyctl.config.scalar_types import parse_date_or_time
from notifyctl.model.project import Category, ChannelName

LIST = Record(
    title="suppression list",
    description="A list, and what holds for those of its rows that say nothing else.",
    fields=(
        Field(
            name="file",
            shape=Text(
                min_length=1,
                description="One address a line, or CSV with a column address, msisdn, email or hash, and if you like"
                " channel, category, reason, since and until.",
                examples=("suppressions/marketing.csv",),
            ),
            required=True,
        ),
        Field(
            name="reason",
            shape=Text(min_length=1, description="Why; a plan counts people by it.", examples=("complaint",)),
        ),
        Field(
            name="channels",
            shape=Items(
                item=Choice(values=tuple(each.value for each in ChannelName), description="A channel."),
                single=True,
                description="Only messages on these; without it on all.",
            ),
        ),
        Field(
            name="categories",
            shape=Items(
                item=Choice(values=tuple(each.value for each in Category), description="A category."),
                single=True,
                description="Only messages of these; without it of all.",
            ),
        ),
        Field(
            name="since",
            shape=Text(
                parse=parse_date_or_time, description="Not before this day or time.", examples=("2026-11-01",)
            ),
        ),
        Field(
            name="until",
            shape=Text(
                parse=parse_date_or_time,
                description="Not after this day, or not from this time on.",
                examples=("2026-12-31",),
            ),
        ),
        *secret("key", "the key that the hashes of the list were made with", "SUPPRESSION_KEY"),
        Field(
            name="key",
            shape=Choice(
                values=("ledger",),
                description="The hashes are the ledger's own, as `notifyctl receipts opt-outs` writes them.",
            ),
        ),
    ),
    at_most_one=(("key", *either_of("key")),),
)

SUPPRESSIONS = Field(
    name="suppressions",
    shape=Items(
        item=Either(
            text=Text(min_length=1, description="A list.", examples=("suppressions/opt-out.csv",)),
            mapping=LIST,
            description="A list, or one with what holds for its rows.",
        ),
        description="Lists of people who are not written to, beside those of the levels above.",
        examples=(["suppressions/opt-out.csv"],),
    ),
)
