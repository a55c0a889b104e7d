"""Shape of the hours in which messages are sent: `window`, `quietHours` and `holidays` of a schedule and of the project's defaults."""

from __future__ import annotations

from notifyctl.config.fields import Choice, Either, Field, Items, Record, Text
from notifyctl.config.scalar_types import parse_clock, parse_date, parse_end_clock, parse_quiet_end
from notifyctl.model.project import WEEKDAYS


def days_field(description: str) -> Field:
    return Field(
        name="days",
        shape=Items(
            item=Choice(values=WEEKDAYS),
            min_items=1,
            unique=True,
            description=f"{description} Default: every day.",
            examples=(["mon", "tue", "wed", "thu", "fri"],),
        ),
    )


WINDOW = Record(
    title="window",
    description="Time window in which messages are sent.",
    fields=(
        days_field("Days of the week on which it starts."),
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

QUIET_HOURS = Record(
    title="quiet hours",
    description="Hours in which nothing is sent.",
    fields=(
        days_field("Days of the week on which they start."),
        Field(
            name="from",
            shape=Text(description="Start, in local time.", examples=("21:00",), parse=parse_clock),
            required=True,
        ),
        Field(
            name="to",
            shape=Text(
                description="End, in local time. A time before the start is on the next day.",
                examples=("08:00",),
                parse=parse_quiet_end,
            ),
            required=True,
        ),
    ),
)

HOLIDAY_SOURCE = Record(
    title="holidays",
    description="The holidays of a country, or the days of an iCalendar file.",
    fields=(
        Field(
            name="country",
            shape=Text(
                min_length=1,
                description="Country, as an ISO 3166 code of two letters.",
                examples=("GB",),
            ),
        ),
        Field(
            name="subdivision",
            shape=Text(
                min_length=1,
                description="Part of the country, as the ISO 3166-2 code without the country. Default: only what holds"
                " in the whole country.",
                examples=("ENG",),
            ),
        ),
        Field(
            name="file",
            shape=Text(
                min_length=1,
                description="iCalendar file (.ics), relative to this file or to the project. Each day of its events is a"
                " holiday.",
                examples=("holidays.ics",),
            ),
        ),
    ),
    exactly_one=(("country", "file"),),
    needs=(("subdivision", "country"),),
)

HOURS = (
    Field(
        name="window",
        shape=Items(
            item=WINDOW,
            single=True,
            min_items=1,
            description="Time windows in which messages are sent: one, or a list. One of a list must be open.",
            examples=({"days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "20:00"},),
        ),
    ),
    Field(
        name="quietHours",
        shape=Items(
            item=QUIET_HOURS,
            single=True,
            min_items=1,
            description="Hours in which nothing is sent, even if a window is open: one mapping, or a list.",
            examples=({"from": "21:00", "to": "08:00"},),
        ),
    ),
    Field(
        name="holidays",
        shape=Items(
            item=Either(
                text=Text(description="A day.", examples=("2026-12-25",), parse=parse_date),
                mapping=HOLIDAY_SOURCE,
                text_name="a day",
            ),
            single=True,
            unique=True,
            description="Days on which nothing is sent: days, the holidays of a country, the days of an iCalendar file,"
            " or a list of these.",
            examples=(["2026-12-25", "2026-12-26"], {"country": "GB", "subdivision": "ENG"}),
        ),
    ),
)
