"""Shape of schedules. Only the number of cron fields is checked here; `schedule` interprets the expression."""

from __future__ import annotations

from notifyctl.config.fields import (
    Choice,
    Field,
    Items,
    Record,
    Spelling,
    Text,
)
from notifyctl.config.kinds.shared_fields import (
    head,
    name_text,
)
from notifyctl.config.scalar_types import (
    CRON,
    epoch_to_iso,
    parse_clock,
    parse_date,
    parse_datetime,
    parse_duration,
    parse_end_clock,
    parse_zone_or_recipient,
)
from notifyctl.model.project import WEEKDAYS
from notifyctl.rulebook import times

EPOCH = Spelling(times.EPOCH, epoch_to_iso)

WINDOW = Record(
    title="window",
    description="Time window in which messages are sent.",
    fields=(
        Field(
            name="days",
            shape=Items(
                item=Choice(values=WEEKDAYS),
                min_items=1,
                unique=True,
                description="Days of the week. Default: every day.",
                examples=(["mon", "tue", "wed", "thu", "fri"],),
            ),
        ),
        Field(
            name="from",
            shape=Text(description="Start, in local time.", examples=("08:00",), parse=parse_clock),
            default="00:00",
        ),
        Field(
            name="to",
            shape=Text(description="End, in local time.", examples=("20:00",), parse=parse_end_clock),
            default="24:00",
        ),
    ),
)


def date_text(description: str, example: str) -> Text:
    return Text(description=description, examples=(example,), parse=parse_date)


SCHEDULE = Record(
    title="Schedule",
    description="When a notification is sent.",
    fields=(
        *head("Schedule", name_text("Name that notifications refer to.", "weekday-morning")),
        Field(
            name="timezone",
            shape=Text(
                description="An IANA time zone, or `recipient` for each recipient's own. Default: the project's.",
                examples=("Europe/London", "recipient"),
                parse=parse_zone_or_recipient,
            ),
        ),
        Field(
            name="at",
            shape=Text(
                description="Date and time of one occurrence: local, or with an offset.",
                examples=("2026-12-01T09:00",),
                parse=parse_datetime,
                spelling=EPOCH,
                rule=times.SEND_TIME,
            ),
        ),
        Field(
            name="cron",
            shape=Text(
                description="Recurring times: minute, hour, day of the month, month, day of the week.",
                examples=("0 9 * * MON-FRI",),
                pattern=CRON,
                pattern_description="five fields: minute, hour, day of the month, month, day of the week",
            ),
        ),
        Field(name="from", shape=date_text("First day of `cron`.", "2026-12-01")),
        Field(name="until", shape=date_text("Last day of `cron`.", "2026-12-31")),
        Field(name="window", shape=WINDOW),
        Field(
            name="holidays",
            shape=Items(
                item=date_text("A day.", "2026-12-25"),
                unique=True,
                description="Days on which nothing is sent.",
                examples=(["2026-12-25", "2026-12-26"],),
            ),
        ),
        Field(
            name="grace",
            shape=Text(
                description="Maximum delay of the start of an occurrence, from the first time at which it can be sent. Later"
                " messages expire. An occurrence that has started continues until its window or expiry ends.",
                examples=("30m",),
                parse=parse_duration,
            ),
            default="1h",
        ),
        Field(
            name="expireAfter",
            shape=Text(
                description="How long after the due time a message can be delivered.",
                examples=("4h",),
                parse=parse_duration,
                rule=times.VALIDITY,
            ),
        ),
        Field(
            name="expireAt",
            shape=Text(
                description="Time after which a message is not delivered.",
                examples=("2026-12-01T18:00",),
                parse=parse_datetime,
                spelling=EPOCH,
                rule=times.EXPIRY_TIME,
            ),
        ),
        Field(
            name="gap",
            shape=Choice(
                values=("shift", "skip"),
                description="What to do with a local time that a clock change skips: move it to the first instant after the"
                " change, or skip it.",
            ),
            default="shift",
        ),
        Field(
            name="overlap",
            shape=Choice(
                values=("first", "last"),
                description="Which instant to use for a local time that occurs twice.",
            ),
            default="first",
        ),
        Field(
            name="handOff",
            shape=Choice(
                values=("hold", "provider"),
                description="Who holds the message until it is due: notifyctl (can be withdrawn), or the provider (at most 7 days,"
                " cannot be withdrawn).",
            ),
            default="hold",
        ),
    ),
    at_most_one=(("at", "cron"), ("expireAfter", "expireAt")),
    exclusive_rules={("expireAfter", "expireAt"): times.EXPIRY_TWICE},
    needs=(("from", "cron"), ("until", "cron")),
)
