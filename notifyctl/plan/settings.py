"""The settings of a notification, an environment and a project by their keys in the files, and what differs between two versions.

Derived from the fields of the model, so that a new field is compared without being named here. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from functools import cache
from hashlib import sha256
from typing import Any

from msgspec import Struct
from msgspec.structs import fields

from notifyctl.diagnostics import Location, Positions
from notifyctl.model.acceptors import Oidc, Person
from notifyctl.model.project import (
    RECIPIENT_ZONE,
    WEEKDAYS,
    Audience,
    Environment,
    Gap,
    HandOff,
    HolidayCountry,
    HolidayFile,
    Hours,
    Notification,
    Overlap,
    Project,
    Schedule,
    Secret,
    Template,
    Variable,
    Window,
)
from notifyctl.plan.effects import Effect, SettingChange, ranked
from notifyctl.plan.setting_rules import Judge, judge_setting

Settings = Mapping[str, Any]
"""Key in the files → value; without what is not set."""

SPELLED: Mapping[type, Mapping[str, str]] = {
    Notification: {"sender": "from", "policy": "limits"},
    Template: {"remote_id": "template.id", "remote_subject": "template.subject"},
    Schedule: {"starts": "from", "ends": "until", "windows": "window"},
    Hours: {"windows": "window"},
    Oidc: {"variable": "tokenEnv"},
    Environment: {
        "fence": "fence.allow",
        "tests": "tests.allow",
        "proxy_secret": "proxy",
        "alerts": "alerts.url",
    },
    Project: {
        "timezone": "defaults.timezone",
        "locale": "defaults.locale",
        "region": "defaults.region",
        "acceptors": "policy.accept",
        "hours": "defaults",
        "exempt": "defaults.except",
    },
}
"""Fields of the model whose key in the files is not their name in camel case."""
COMPARED_OTHERWISE: Mapping[type, frozenset[str]] = {
    Notification: frozenset({"name", "template", "audience", "schedule", "suppressions"}),
    Template: frozenset({"name", "content", "locales"}),
    Audience: frozenset({"name", "recipients"}),
    Schedule: frozenset({"name", "project_hours"}),
    Environment: frozenset({"name", "suppressions"}),
    Project: frozenset(
        {
            "suppressions",
            "environments",
            "templates",
            "audiences",
            "schedules",
            "notifications",
            "moved",
            "baselines",
            "withdrawals",
        }
    ),
}
"""Fields that are compared as what becomes of them: composed messages, people, entries of lists, documents of their own."""
DEFAULTED: Settings = {
    "schedule.gap": Gap.SHIFT,
    "schedule.overlap": Overlap.FIRST,
    "schedule.handOff": HandOff.HOLD,
}
"""Keys that say nothing where a whole schedule comes or goes and they have their defaults."""
HIDDEN, OTHER = "(name not shown)", "(another name, not shown)"


def list_settings(value: Struct, prefix: str = "") -> dict[str, Any]:
    """The settings of a document of the model, each with its key in the files."""
    return dict(walk(value, prefix))


@cache
def fields_of(kind: type[Struct]) -> tuple[tuple[str, Any], ...]:
    """Names and defaults. The library would evaluate all annotations for each value again."""
    return tuple((each.name, each.default) for each in fields(kind))


def walk(value: Struct, prefix: str) -> Iterator[tuple[str, Any]]:
    spelled, skipped = SPELLED.get(type(value), {}), COMPARED_OTHERWISE.get(type(value), frozenset())
    for name, default in fields_of(type(value)):
        given = getattr(value, name)
        unset = given == () == default
        if name not in skipped and not unset and not isinstance(given, (Positions, Location)):
            yield from leaves(given, f"{prefix}{spelled.get(name) or camel_case(name)}")


def leaves(value: Any, key: str) -> Iterator[tuple[str, Any]]:
    match value:
        case None:
            return
        case Secret(env=env, file=file):
            yield from ((f"{key}Env", env),) if env is not None else ((f"{key}File", file),)
        case Window() | HolidayCountry() | HolidayFile():
            yield key, value
        case Struct():
            yield from walk(value, f"{key}.")
        case Mapping():
            for name, item in value.items():
                yield from leaves(item, f"{key}.{name}")
        case tuple() if value and all(isinstance(item, (Person, Variable)) for item in value):
            for item in value:
                yield from walk_named(item, f"{key}.{item.name}.")
        case _:
            yield key, value


def walk_named(entry: Person | Variable, prefix: str) -> Iterator[tuple[str, Any]]:
    for name in entry.__struct_fields__:
        if name != "name" and (value := getattr(entry, name)) not in (None, ()):
            yield f"{prefix}{camel_case(name)}", value


def camel_case(name: str) -> str:
    return re.sub(r"_(\w)", lambda found: found[1].upper(), name)


def notification_settings(project: Project, notification: Notification) -> Settings:
    """A notification's own settings with those of its template, audience and schedule, and the documents about it."""
    found = list_settings(notification)
    for key, part in (("template", notification.template), ("audience", notification.audience)):
        found |= {key: name_of(part.name, notification), **list_settings(part, f"{key}.")}
    if notification.audience.substitutions == {}:
        found["audience.substitutions"] = ()
    schedule = notification.schedule
    if schedule is not None and schedule.name:
        found |= {"schedule": schedule.name, **list_settings(schedule, "schedule.")}
        found["schedule.timezone"] = zone_of(project, schedule)
    if schedule is not None and schedule.project_hours != Hours():
        found |= list_settings(schedule.project_hours, "defaults.")
        if not schedule.name:
            found["defaults.timezone"] = zone_of(project, schedule)
    if notification.template.locales:
        found["defaults.locale"] = project.locale
    found |= dict(statements(project, notification.name))
    return {
        key: value
        for key, value in found.items()
        if value is not None and not key.startswith("limits.accept.")  # only a project sets it
    }


def name_of(name: str, notification: Notification) -> str:
    """An inline template or audience has the notification's own name, whatever that is."""
    return "(inline)" if name == notification.name else name


def zone_of(project: Project, schedule: Schedule) -> str:
    if schedule.timezone == RECIPIENT_ZONE:
        return f"{RECIPIENT_ZONE}, else {project.timezone}"
    return schedule.timezone or project.timezone


def statements(project: Project, name: str) -> Iterator[tuple[str, Any]]:
    """The documents about a notification, under its present and earlier names."""
    names = {name}
    while more := {move.source for move in project.moved if move.target in names} - names:
        names |= more
    for kind, documents in (("Baseline", project.baselines), ("Withdraw", project.withdrawals)):
        for each in documents:
            if each.notification in names:
                yield f"{kind} edition {each.edition}", each.reason
    yield from ((f"Moved from {source}", True) for source in sorted(names - {name}))


def differences(
    table: Mapping[str, Judge], before: Settings, after: Settings, *, prefix: str = "", shared: bool = False
) -> Iterator[SettingChange]:
    """What differs, in the order of the keys, each with its effects. `prefix` goes before the keys that are shown."""
    for key in [*before, *(key for key in after if key not in before)]:
        old, new = before.get(key), after.get(key)
        if is_same(old, new) or (
            key in DEFAULTED and [old, new].count(None) and DEFAULTED[key] in (old, new)
        ):
            continue
        effects = ranked(judge_setting(table, key, old, new))
        yield SettingChange(
            key=f"{prefix}{key}",
            before=describe(key, old),
            after=OTHER if key.endswith("Env") and None not in (old, new) else describe(key, new),
            effects=effects,
            warns=warns(effects, old, new),
            shared=shared,
        )


def is_same(old: Any, new: Any) -> bool:
    """By value, type and spelling: 9.5 and 9.50 print differently."""
    return old == new and type(old) is type(new) and str(old) == str(new)


def warns(effects: tuple[Effect, ...], before: Any, after: Any) -> bool:
    if Effect.COPIES in effects:
        return any(address not in (before or ()) for address in after or ())
    return Effect.LOOSENED in effects or Effect.ROUTE in effects


def describe(key: str, value: Any) -> str | None:
    """A value as it may stand in the file."""
    match value:
        case None:
            return None
        case bool():
            return str(value).lower()
        case Window() | HolidayCountry() | HolidayFile():
            return describe_hours(value)
        case timedelta():
            return describe_duration(value)
        case date():
            return describe_time(key, value)
        case tuple():
            return ", ".join(str(describe(key, item)) for item in value) or "[]"
        case Mapping():
            return ", ".join(f"{name} {describe(key, item)}" for name, item in value.items())
    # A variable's name may be a secret that somebody wrote in its place.
    return HIDDEN if key.endswith("Env") else str(value)


def describe_time(key: str, value: date) -> str:
    if not isinstance(value, datetime):
        return value.isoformat()
    if key.endswith((".from", ".until")) and value.time() in {time.min, time.max}:
        return value.date().isoformat()
    return value.isoformat(timespec="minutes" if not value.second else "seconds")


def describe_hours(value: Window | HolidayCountry | HolidayFile) -> str:
    match value:
        case HolidayCountry(country=country, subdivision=subdivision):
            return f"{country}-{subdivision}" if subdivision else country
        case HolidayFile(file=file, text=text):
            # By its contents, so that a changed file is not shown as the same.
            return f"{file} ({sha256((text or '').encode()).hexdigest()[:8]})"
    return describe_window(value)


def describe_window(window: Window) -> str:
    end = "24:00" if window.until == type(window.until).max else f"{window.until:%H:%M}"
    days = (
        ", ".join(WEEKDAYS[day] for day in window.days) if len(window.days) < len(WEEKDAYS) else "every day"
    )
    return f"{days} {window.start:%H:%M} to {end}"


def describe_duration(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    parts = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")):
        count, seconds = divmod(seconds, size)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts)
