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
    description="Outside it nothing is sent.",
    fields=(
        Field(
            name="days",
            shape=Items(
                item=Choice(values=WEEKDAYS),
                min_items=1,
                unique=True,
                description="Days of the week; without it every day.",
                examples=(["mon", "tue", "wed", "thu", "fri"],),
            ),
        ),
        Field(
            name="from",
            shape=Text(description="A local time.", examples=("08:00",), parse=parse_clock),
            default="00:00",
        ),
        Field(
            name="to",
            shape=Text(description="A local time.", examples=("20:00",), parse=parse_end_clock),
            default="24:00",
        ),
    ),
)


def date_text(description: str, example: str) -> Text:
    return Text(description=description, examples=(example,), parse=parse_date)


SCHEDULE = Record(
    title="Schedule",
    description="When.",
    fields=(
        *head("Schedule", name_text("What notifications refer to.", "weekday-morning")),
        Field(
            name="timezone",
            shape=Text(
                description="An IANA time zone, or `recipient`: each recipient's own; without it the project's.",
                examples=("Europe/London", "recipient"),
                parse=parse_zone_or_recipient,
            ),
        ),
        Field(
            name="at",
            shape=Text(
                description="One occurrence: local in the time zone, or with an offset.",
                examples=("2026-12-01T09:00",),
                parse=parse_datetime,
                spelling=EPOCH,
                rule=times.SEND_TIME,
            ),
        ),
        Field(
            name="cron",
            shape=Text(
                description="Many occurrences: minute, hour, day of the month, month, day of the week.",
                examples=("0 9 * * MON-FRI",),
                pattern=CRON,
                pattern_description="five fields: minute, hour, day of the month, month, day of the week",
            ),
        ),
        Field(name="from", shape=date_text("The first day of a cron.", "2026-12-01")),
        Field(name="until", shape=date_text("The last day of a cron.", "2026-12-31")),
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
                description="How late an occurrence may begin, from the first moment at which it may go. What has begun goes"
                " on until its window or expiry ends.",
                examples=("30m",),
                parse=parse_duration,
            ),
            default="1h",
        ),
        Field(
            name="expireAfter",
            shape=Text(
                description="How long after it is due a message may still be delivered.",
                examples=("4h",),
                parse=parse_duration,
                rule=times.VALIDITY,
            ),
        ),
        Field(
            name="expireAt",
            shape=Text(
                description="When a message is not delivered any more.",
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
                description="A local time that a clock change skips: it moves to the first instant after the change, or is left"
                " out.",
            ),
            default="shift",
        ),
        Field(
            name="overlap",
            shape=Choice(
                values=("first", "last"),
                description="Which of the two times is meant by a local time that comes twice.",
            ),
            default="first",
        ),
        Field(
            name="handOff",
            shape=Choice(
                values=("hold", "provider"),
                description="Who waits until it is due: we (revocable), or the provider (at most 7 days, irrevocable).",
            ),
            default="hold",
        ),
    ),
    at_most_one=(("at", "cron"), ("expireAfter", "expireAt")),
    exclusive_rules={("expireAfter", "expireAt"): times.EXPIRY_TWICE},
    needs=(("from", "cron"), ("until", "cron")),
)
