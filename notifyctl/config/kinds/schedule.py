"""Shape of schedules. Only the number of cron fields is checked here; `schedule` interprets the expression."""

from __future__ import annotations

from notifyctl.config.fields import (
    Choice,
    Field,
    Record,
    Spelling,
    Text,
)
from notifyctl.config.kinds.hours import HOURS
from notifyctl.config.kinds.shared_fields import (
    head,
    name_text,
)
from notifyctl.config.scalar_types import (
    CRON,
    epoch_to_iso,
    parse_datetime,
    parse_duration,
    parse_local,
    parse_zone_or_recipient,
)
from notifyctl.rulebook import times

EPOCH = Spelling(times.EPOCH, epoch_to_iso)

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
        Field(
            name="rrule",
            shape=Text(
                min_length=1,
                description="Recurring times as an iCalendar rule (RFC 5545). `from` with a time is its first.",
                examples=("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO",),
            ),
        ),
        Field(
            name="from",
            shape=Text(
                description="First day of `cron` or `rrule`, or the first local time. `rrule` needs a time.",
                examples=("2026-12-01", "2026-12-01T09:00"),
                parse=parse_local,
            ),
        ),
        Field(
            name="until",
            shape=Text(
                description="Last day of `cron` or `rrule`, or the last local time.",
                examples=("2026-12-31", "2026-12-31T18:00"),
                parse=parse_local,
            ),
        ),
        *HOURS,
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
    at_most_one=(("at", "cron", "rrule"), ("expireAfter", "expireAt")),
    exclusive_rules={("expireAfter", "expireAt"): times.EXPIRY_TWICE},
    needs=(("from", ("cron", "rrule")), ("until", ("cron", "rrule")), ("rrule", "from")),
)
