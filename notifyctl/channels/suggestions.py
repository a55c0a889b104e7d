"""The six RCS suggestions: chips that a recipient can tap."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from notifyctl.channels.channel import is_final
from notifyctl.channels.field_checks import is_http_url, is_phone_number
from notifyctl.config.fields import Cases, Field, Items, Number, Record, Text
from notifyctl.diagnostics import Path, Problem
from notifyctl.model.project import ApiObject
from notifyctl.rulebook import Rule
from notifyctl.rulebook import rcs as rules

COMMON = (
    Field(
        name="displayText",
        shape=Text(
            description="Label, at most 25 characters.",
            examples=("Yes",),
            composed=True,
            min_length=1,
            rule=rules.LABEL,
        ),
        required=True,
    ),
    Field(
        name="postbackData",
        shape=Text(
            description="Data returned when the recipient taps it.",
            examples=("usr_msg_yes",),
            composed=True,
            rule=rules.LABEL,
        ),
    ),
)


def kind(name: str, description: str, *fields: Field) -> Record:
    return Record(
        title=f"suggestion ({name})",
        description=description,
        fields=(
            Field(name="type", shape=Text(description=description, rule=rules.SUGGESTION), required=True),
            *COMMON,
            *fields,
        ),
    )


def text(
    name: str, description: str, rule: Rule, *, required: bool = True, example: str | None = None
) -> Field:
    examples = (example,) if example else ()
    shape = Text(description=description, examples=examples, composed=True, min_length=1, rule=rule)
    return Field(name=name, shape=shape, required=required)


SUGGESTION = Cases(
    by="type",
    title="suggestion",
    description="A reply or an action that the recipient can tap.",
    rule=rules.SUGGESTION,
    cases={
        "reply": kind("reply", "Sends a reply to the chatbot."),
        "viewLocation": kind(
            "viewLocation",
            "Shows a place on the recipient's map.",
            Field(
                name="latitude",
                shape=Number(
                    description="Latitude, in degrees north.", minimum=-90, maximum=90, rule=rules.PLACE
                ),
            ),
            Field(
                name="longitude",
                shape=Number(
                    description="Longitude, in degrees east.", minimum=-180, maximum=180, rule=rules.PLACE
                ),
            ),
            text("address", "Address to search for on the map.", rules.PLACE, required=False),
            text("label", "Label of the pin.", rules.PLACE, required=False),
        ),
        "shareLocation": kind("shareLocation", "Asks the recipient to share a location."),
        "openUrl": kind(
            "openUrl",
            "Opens a web page.",
            text(
                "url", "An absolute http(s) URL.", rules.OPEN_URL, example="https://www.acme.example/outage"
            ),
        ),
        "calendarEvent": kind(
            "calendarEvent",
            "Adds an event to the recipient's calendar.",
            text("startTime", "Start, in ISO 8601.", rules.CALENDAR, example="2026-12-01T09:00:00Z"),
            text("endTime", "End, in ISO 8601.", rules.CALENDAR, example="2026-12-01T13:00:00Z"),
            text("meetingTitle", "Title of the event.", rules.CALENDAR),
            text("meetingDescription", "Description of the event.", rules.CALENDAR, required=False),
        ),
        "dialPhone": kind(
            "dialPhone",
            "Calls a number.",
            text("phone", "Phone number in E.164 form.", rules.DIAL, example="+442079460000"),
        ),
    },
)


def suggestions(most: int, rule: Rule) -> Field:
    return Field(
        name="suggestions",
        shape=Items(description=f"At most {most} suggestions.", item=SUGGESTION, max_items=most, rule=rule),
    )


def check_suggestion(suggestion: ApiObject, path: Path) -> Iterator[Problem]:
    """Problems of a suggestion whose shape is right."""
    match suggestion["type"]:
        case "viewLocation":
            both = "latitude" in suggestion and "longitude" in suggestion
            either = "latitude" in suggestion or "longitude" in suggestion
            if not both and (either or "address" not in suggestion):
                yield rules.PLACE.broken(path, "viewLocation needs `latitude` and `longitude`, or `address`")
        case "openUrl" if not is_http_url(suggestion["url"]):
            yield rules.OPEN_URL.broken(
                (*path, "url"),
                "`url` must be an absolute http(s) URL",
                "for example https://www.acme.example",
            )
        case "dialPhone" if not is_phone_number(suggestion["phone"]):
            yield rules.DIAL.broken(
                (*path, "phone"), "`phone` must be an E.164 number", "for example +442079460000"
            )
        case "calendarEvent":
            yield from check_times(suggestion, path)


def check_times(event: ApiObject, path: Path) -> Iterator[Problem]:
    moments = {}
    for key in ("startTime", "endTime"):
        if not is_final(event[key]):
            continue
        try:
            moments[key] = datetime.fromisoformat(event[key])
        except ValueError:
            yield rules.CALENDAR.broken(
                (*path, key), f"`{key}` must be an ISO 8601 time", "for example 2026-12-01T09:00:00Z"
            )
    if len(moments) == len(("startTime", "endTime")):
        start, end = moments["startTime"], moments["endTime"]
        if (start.tzinfo is None) is not (end.tzinfo is None):
            yield rules.CALENDAR.broken(
                (*path, "endTime"), "`startTime` and `endTime` must both have a zone, or neither"
            )
        elif end < start:
            yield rules.CALENDAR.broken((*path, "endTime"), "the event ends before it starts")
