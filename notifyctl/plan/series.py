"""The series of a recurring notification: the fingerprint by which it is accepted, and what it lacks to be sent without being asked for. Pure.

The fingerprint covers all that decides what is sent to whom and when, but for the rows of audiences and suppression lists, the clock
and the ledger. It is derived from the fields of the model, so that a new field is covered without being named here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta
from enum import Enum
from functools import cache
from hashlib import sha256
from typing import Any

from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields, replace

from notifyctl.diagnostics import Location, Positions
from notifyctl.message.delivery_hash import canonical_json
from notifyctl.model.accept_rule import AcceptBy, AcceptRule
from notifyctl.model.acceptance import Acceptance, Proof
from notifyctl.model.message import Message
from notifyctl.model.project import (
    Audience,
    ChannelName,
    Environment,
    HolidayFile,
    Notification,
    Policy,
    Project,
    Schedule,
    SuppressionList,
    Template,
    Variable,
)
from notifyctl.plan.effects import SettingChange
from notifyctl.plan.settings import statements

SERIES_PREFIX = "s1:"
"""The version of the algorithm. Raise it if a default of the model changes: fields at their default leave no trace."""

NOT_COVERED: Mapping[type, frozenset[str]] = {
    Project: frozenset(
        {
            "default_environment",  # the environment itself is covered
            "environments",
            "templates",
            "audiences",
            "schedules",
            "notifications",
            "incomplete",
            "moved",
            "baselines",
            "withdrawals",
            "vars",  # in the composed messages, as far as they are used
            "hours",
            "exempt",  # in each notification's schedule
            "acceptors",  # whoever accepted has proven it
            "policy",  # narrowed by the notification's limits; its `accept` is added
        }
    ),
    Environment: frozenset(
        {
            "vars",
            "senders",  # in the composed messages
            "pricing",
            "tests",  # of send-test alone
        }
    ),
    Notification: frozenset({"sender", "substitutions", "options"}),  # in the composed messages
    Template: frozenset(
        {"name", "description", "content", "options", "locales", "remote_id", "remote_subject"}
    ),
    Variable: frozenset({"example"}),
    Audience: frozenset({"name", "recipients"}),  # recipients in the file are rows
    Schedule: frozenset({"name"}),
    SuppressionList: frozenset({"reason"}),
}
"""Fields that recipients cannot notice, that are covered by what becomes of them, or that are rows."""


class Series(Struct, frozen=True):
    """`parts`: what the fingerprint is made of → a short hash of it. `acceptance`: what lets it be sent now; None: nothing does. `missing`:
    a reason as in a plan, None if it is accepted. `former`: the acceptance that a change of the files has made void. `rule`: what the files
    ask of who accepts it.
    """

    name: str
    channel: ChannelName
    edition: int
    fingerprint: str
    parts: Mapping[str, str] = {}
    acceptance: Acceptance | None = None
    missing: str | None = None
    former: Acceptance | None = None
    rule: AcceptRule = AcceptRule()


PART_DIGITS = 16
AUDIENCE_DEFAULTS = ("region", "locale")


def make_series(
    project: Project,
    environment: Environment,
    notification: Notification,
    messages: Mapping[str | None, Message],
    *,
    provider: str,
    trusted: str | None = None,
) -> Series:
    """The series without its acceptance. Its fingerprint is `s1:` and 64 hex digits. `messages`: composed, by variant. `provider` as in the
    digest of a plan. `trusted`: a hash of the certificates in the environment's `caFile`.
    """
    document = describe_parts(project, environment, notification, messages)
    document["environment"] |= {"provider": provider, "trusted": trusted}
    return Series(
        name=notification.name,
        channel=notification.channel,
        edition=notification.edition,
        fingerprint=SERIES_PREFIX + sha256(canonical_json(document)).hexdigest(),
        parts={
            name: sha256(canonical_json(part)).hexdigest()[:PART_DIGITS] for name, part in document.items()
        },
        rule=project.policy.accept,
    )


def describe_parts(
    project: Project,
    environment: Environment,
    notification: Notification,
    messages: Mapping[str | None, Message],
) -> dict[str, dict[str, Any]]:
    """What the fingerprint covers, as JSON, under the names by which a difference is told. What has no part of its own is in the last."""
    common, own, place = plain(project), plain(notification), plain(environment)
    texts = {variant or "": plain(message) for variant, message in messages.items()}
    senders = {
        variant: {key: text.pop(key) for key in ("sender", "cc", "bcc") if key in text}
        for variant, text in texts.items()
    }
    return {
        "texts": texts,
        "sender and copies": senders,
        "schedule": {"schedule": own.pop("schedule", None), "timezone": common.pop("timezone", None)},
        "audience": {
            "audience": own.pop("audience"),
            "inline": notification.audience.recipients is not None,
            **{key: common.pop(key, None) for key in AUDIENCE_DEFAULTS},
        },
        "suppression lists": {
            "project": common.pop("suppressions", None),
            "environment": place.pop("suppressions", None),
            "notification": own.pop("suppressions", None),
            "optOutOn": common.pop("opt_out_on", None),
        },
        "limits": {
            "policy": own.pop("policy", None),
            "accept": plain(project.policy.accept),
            "fence": place.pop("fence", None),
        },
        "environment": place,
        "other settings": {
            "project": common,
            "notification": own,
            "statements": sorted(key for key, _ in statements(project, notification.name)),
        },
    }


def different_parts(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """The names of the parts that differ between two series."""
    return [name for name in {**one, **other} if one.get(name) != other.get(name)]


def plain(value: Any) -> Any:
    """A value of the model as JSON. Fields at their default are left out, so that a field that is added breaks no acceptance."""
    match value:
        case HolidayFile(file=file, text=text):
            return {"file": file, "events": None if text is None else sorted(event_lines(text))}
        case Struct():
            return dict(walk(value))
        case Enum():
            return value.value
        case timedelta():
            return value.total_seconds()
        case datetime() | date() | time():
            return value.isoformat()
        case Mapping():
            return {plain_key(key): plain(item) for key, item in value.items()}
        case AbstractSet():
            return sorted((plain(item) for item in value), key=canonical_json)
        case list() | tuple():
            return [plain(item) for item in value]
    return value


DAYS_OF_EVENTS = frozenset(
    {
        "UID",
        "DTSTART",
        "DTEND",
        "DURATION",
        "RRULE",
        "RDATE",
        "EXDATE",
        "RECURRENCE-ID",
        "STATUS",
    }
)
"""Properties of an iCalendar event on which its days depend. Others, such as DTSTAMP, change whenever the file is exported again."""
FOLDED = re.compile(r"\r?\n[ \t]")


def event_lines(text: str) -> Iterator[list[str]]:
    """For each event of an iCalendar file the lines that decide on which days it is."""
    event: list[str] = []
    for line in FOLDED.sub("", text).splitlines():
        name = re.split(r"[;:]", line, maxsplit=1)[0].strip().upper()
        if line.strip().upper() == "END:VEVENT":
            yield sorted(event)
            event = []
        elif name in DAYS_OF_EVENTS:
            event.append(line.strip())


def plain_key(key: Any) -> str:
    return str(plain(key)) if key is not None else ""


@cache
def fields_of(kind: type[Struct]) -> tuple[FieldInfo, ...]:
    """Once: the library evaluates all annotations each time."""
    return tuple(fields(kind))


def walk(value: Struct) -> Iterable[tuple[str, Any]]:
    skipped = NOT_COVERED.get(type(value), frozenset())
    for field in fields_of(type(value)):
        given = getattr(value, field.name)
        if field.name in skipped or isinstance(given, (Positions, Location)):
            continue
        default = field.default_factory() if field.default_factory is not NODEFAULT else field.default
        if default is NODEFAULT or given != default:
            yield field.name, plain(given)


class SeriesChange(Struct, frozen=True):
    """A recurring notification that is another series than at the base. `acceptance`: of the series before; None: it is unknown whether
    there is one. `timezone`: the project's.
    """

    name: str
    before: str
    after: str
    acceptance: Acceptance | None = None
    timezone: str = "UTC"


class Accepted(Struct, frozen=True):
    """What `accept` recorded. `people`: recipients of the next occurrence as of today; None where an acceptance is revoked. `changes`: in
    who can accept, from now on.
    """

    acceptance: Acceptance
    people: int | None = None
    changes: tuple[SettingChange, ...] = ()


def judge_series(series: Series, acceptances: Sequence[Acceptance] | None, *, now: datetime) -> Series:
    """The series with its acceptance, by the ledger's acceptances from first to last: of a fingerprint the last one counts. None: no
    ledger was read.

    Several fingerprints of a notification can be accepted at once, so that a change is accepted before it is merged. But an acceptance
    does not outlive a stricter rule: files that were put back to before it could be sent without the person it asks for.
    """
    if acceptances is None:
        return replace(series, missing=UNKNOWN)
    in_force = next((each.rule for each in reversed(acceptances) if not each.revoked), AcceptRule())
    last = {each.fingerprint: each for each in acceptances}
    found = last.get(series.fingerprint)
    if found is not None:
        missing = why_not(found, now=now) or (None if meets(found, in_force) else LOOSER)
        return replace(series, acceptance=found if missing is None else None, missing=missing)
    former = [
        each for each in last.values() if each.notification == series.name and why_not(each, now=now) is None
    ]
    if not former:
        return replace(series, missing=NOT_ACCEPTED)
    latest = max(former, key=lambda each: each.at)
    missing = f"{CHANGED}{latest.fingerprint} {series.fingerprint}"
    return replace(series, missing=missing, former=latest)


NOT_ACCEPTED = "series-not-accepted"
NOT_RECURRING = "series-not-recurring"
CHANGED = "series-changed "
PAST = "acceptance-past "
ENDS = "acceptance-ends "
REVOKED = "acceptance-revoked "
LOOSER = "acceptance-looser-rule"
ABOVE = "acceptance-limit "
UNKNOWN = "acceptance-unknown"
"""Reasons why something is not sent by an acceptance; those that end with a space are followed by values."""
OF_OCCURRENCES = (ENDS, ABOVE)
"""Those of one occurrence of an accepted series."""
WAITING = (NOT_ACCEPTED, NOT_RECURRING, CHANGED, PAST, REVOKED, LOOSER, *OF_OCCURRENCES)


def waits_for_acceptance(reason: str) -> bool:
    """Whether a reason of a plan is that nobody has accepted this."""
    return reason.startswith(WAITING)


def why_not(acceptance: Acceptance, *, now: datetime) -> str | None:
    """Why an acceptance does not hold at a moment; None if it does."""
    if acceptance.revoked:
        return f"{REVOKED}{acceptance.at.isoformat()}"
    return f"{PAST}{acceptance.until.isoformat()}" if now >= acceptance.until else None


def meets(acceptance: Acceptance, rule: AcceptRule) -> bool:
    """Whether it was given under a rule at least as strict for as many recipients."""
    if rule.by is AcceptBy.ANYONE or acceptance.max_recipients <= rule.above:
        return True
    own = acceptance.rule
    another = own.by is AcceptBy.ANOTHER and acceptance.max_recipients > own.above
    return another and not (rule.proven and acceptance.who.proof is Proof.CLAIMED)


def missing_acceptance(
    series: Series | None, *, people: int, first: datetime | None, last: datetime | None
) -> str | None:
    """Why an occurrence is not sent by an acceptance; None if it is. `series`: None for what does not recur. `people`: all its recipients,
    sent and to be sent. `first`: when it goes next, `last`: when the provider delivers the last of what it is handed now; None: now.
    """
    if series is None:
        return NOT_RECURRING
    accepted = series.acceptance
    if accepted is None:
        return series.missing
    if any(moment is not None and moment >= accepted.until for moment in (first, last)):
        return f"{ENDS}{accepted.until.isoformat()}"
    return f"{ABOVE}{people} > {accepted.max_recipients}" if people > accepted.max_recipients else None


def most_by_default(people: int, policy: Policy) -> int:
    """The limit of an occurrence where nobody names one: today's recipients, and as many more as an edition may grow by."""
    return people * (100 + (policy.max_growth_percent or 0)) // 100
