"""Which effect a changed setting has, by its key in the files. Pure.

A judge takes the values before and after (None: not set) and yields effects; each table is closed by a test that knows every
field of every kind. A key that no table has counts as not proven to be without effect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from fnmatch import fnmatchcase
from math import inf
from typing import Any

from notifyctl.model.accept_rule import AcceptBy
from notifyctl.model.project import Category, HandOff, Joiners, Numbers, OnUnknown, Window
from notifyctl.plan.effects import UNPROVEN, Effect, Effects

Judge = Callable[[Any, Any], Iterator[Effect]]

MINUTES = 24 * 60


def always(*effects: Effect) -> Judge:
    return lambda *_: iter(effects)


def by_rank(ranks: Sequence[Any], *others: Effect, missing: Any = None) -> Judge:
    """Values from the safest to the least safe. `missing`: what holds where there is no value; else the safest."""
    default = ranks[0] if missing is None else missing

    def judge(before: Any, after: Any) -> Iterator[Effect]:
        old, new = (ranks.index(default if value is None else value) for value in (before, after))
        yield from others
        if old != new:
            yield Effect.LOOSENED if new > old else Effect.TIGHTENED

    return judge


def by_size(*others: Effect, missing: float = inf, smaller_is_safer: bool = True) -> Judge:
    """Numbers, durations and times. `missing`: what holds where there is no value."""

    def judge(before: Any, after: Any) -> Iterator[Effect]:
        old, new = (missing if value is None else measure(value) for value in (before, after))
        yield from others
        if old != new:
            yield Effect.LOOSENED if (new > old) is smaller_is_safer else Effect.TIGHTENED

    return judge


def measure(value: Any) -> float:
    match value:
        case timedelta():
            return value.total_seconds()
        case datetime():
            return value.replace(tzinfo=None).timestamp() if value.tzinfo is None else value.timestamp()
        case date():
            return float(value.toordinal())
    return float(value)


def by_entries(*others: Effect, more_is_safer: bool, missing_is_all: bool = False) -> Judge:
    """Sets of values. `missing_is_all`: without the set everything is in it."""

    def judge(before: Any, after: Any) -> Iterator[Effect]:
        yield from others
        added, removed = set(after or ()) - set(before or ()), set(before or ()) - set(after or ())
        if missing_is_all and None in {before, after}:
            added, removed = ({"all"}, set()) if after is None else (set(), {"all"})
        if added:
            yield Effect.TIGHTENED if more_is_safer else Effect.LOOSENED
        if removed:
            yield Effect.LOOSENED if more_is_safer else Effect.TIGHTENED

    return judge


def edition(before: Any, after: Any) -> Iterator[Effect]:
    """A lower one takes the higher one back: it goes to nobody else."""
    yield Effect.RESEND if after > before else Effect.WITHDRAWN


def window(before: Sequence[Window] | None, after: Sequence[Window] | None) -> Iterator[Effect]:
    old, new = open_minutes(before or (Window(),)), open_minutes(after or (Window(),))
    yield Effect.NONE if old == new else Effect.RESCHEDULED
    if new - old:
        yield Effect.LOOSENED
    if old - new:
        yield Effect.TIGHTENED


def quiet_hours(before: Sequence[Window] | None, after: Sequence[Window] | None) -> Iterator[Effect]:
    """What is quiet is shut: the other way round."""
    old, new = open_minutes(before or ()), open_minutes(after or ())
    yield Effect.NONE if old == new else Effect.RESCHEDULED
    if old - new:
        yield Effect.LOOSENED
    if new - old:
        yield Effect.TIGHTENED


def open_minutes(windows: Sequence[Window]) -> frozenset[tuple[int, int]]:
    """(day of the week, minute) in any of the windows; one past midnight belongs to the day on which it begins."""
    return frozenset(
        ((day + at // MINUTES) % 7, at % MINUTES)
        for window in windows
        for day in window.days
        for at in span_of(window)
    )


def span_of(window: Window) -> range:
    start, until = minute_of(window.start), end_of(window.until)
    return range(start, until) if start < until else range(start, until + MINUTES)


def minute_of(moment: Any) -> int:
    return int(moment.hour) * 60 + int(moment.minute)


def end_of(moment: Any) -> int:
    return MINUTES if moment == type(moment).max else minute_of(moment)


def exempt(before: str | None, after: str | None) -> Iterator[Effect]:
    """Values are reasons. What is exempt is sent at any time."""
    if before is None or after is None:
        yield from (Effect.RESCHEDULED, Effect.LOOSENED if before is None else Effect.TIGHTENED)
    else:
        yield Effect.NONE


def withdraw(before: Any, after: Any) -> Iterator[Effect]:
    """Values are reasons, which a ledger keeps and nobody is sent."""
    if after is None:
        yield from (Effect.RECIPIENTS, Effect.LOOSENED)
    else:
        yield Effect.WITHDRAWN if before is None else Effect.NONE


def baseline(before: Any, after: Any) -> Iterator[Effect]:
    """Values are reasons. Whom it counts as notified is sent nothing."""
    if before is not None and after is not None:
        yield Effect.NONE
    else:
        yield from (Effect.RECIPIENTS, Effect.TIGHTENED if before is None else Effect.LOOSENED)


def variable_default(before: Any, after: Any) -> Iterator[Effect]:
    """A value for everybody who has none: recipients that were blocked without one are sent to."""
    if before is None:
        yield Effect.LOOSENED
    elif after is None:
        yield Effect.TIGHTENED


def contact_group(before: Any, after: Any) -> Iterator[Effect]:
    """Another group has other consents: some are sent to who were not, and the other way round."""
    if before is not None:
        yield Effect.LOOSENED
    if after is not None:
        yield Effect.TIGHTENED


def severity(before: Any, after: Any) -> Iterator[Effect]:
    """None: the rule's own, which may be any."""
    ranks = ("error", "warning", "info", "off")
    low = ranks.index(after) if after is not None else 0
    high = ranks.index(before) if before is not None else len(ranks) - 1
    if (ranks.index(after) if after is not None else len(ranks) - 1) > (
        ranks.index(before) if before is not None else 0
    ):
        yield Effect.LOOSENED
    if low < high:
        yield Effect.TIGHTENED


def claim(before: Any, after: Any) -> Iterator[Effect]:
    """What a token must contain; another value is another set of jobs."""
    if before is not None:
        yield Effect.LOOSENED
    if after is not None:
        yield Effect.TIGHTENED


def alerts(before: Any, _: Any) -> Iterator[Effect]:
    """Whoever watched the old address may not see the new one."""
    yield Effect.TIGHTENED if before is None else Effect.LOOSENED


COMPOSED = always()
"""What only reaches people through the composed messages or the audience, which are compared as such."""
NO_REQUEST = always(Effect.NONE)
"""In no request, and nothing depends on it but how files are read by people, costs or receipts are matched."""

NOTIFICATION: Mapping[str, Judge] = {
    "edition": edition,
    "template": NO_REQUEST,
    "audience": NO_REQUEST,
    "schedule": NO_REQUEST,
    "from": COMPOSED,
    "substitutions.*": COMPOSED,
    "options.*": COMPOSED,
    "priority": always(Effect.DELIVERY),
    "callbackData": NO_REQUEST,
    "notifyUrl": always(Effect.ROUTE),
    "notifyUrlAuthId": always(Effect.ROUTE),
    "contactPolicy.contactPolicyGroup": contact_group,
    "contactPolicy.*": by_rank((True, False), missing=False),
    "batchId": always(Effect.DELIVERY),
    "multipleToRecipients": always(Effect.DELIVERY),
    "requestedReceipts": always(Effect.DELIVERY),
    "cc": always(Effect.COPIES),
    "bcc": always(Effect.COPIES),
    "smartlinks": always(Effect.TEXT),
    "joiners": by_rank((Joiners.HOLD, Joiners.SEND)),
    "onUnknown": by_rank((OnUnknown.HOLD, OnUnknown.RESEND)),
    "acknowledge": NO_REQUEST,
    "limits.maxRecipients": by_size(),
    "limits.maxGrowthPercent": by_size(),
    "limits.maxSegments": by_size(),
    "limits.maxRejectedPercent": by_size(),
    "limits.requireUnsubscribe": by_entries(more_is_safer=True),
    "template.channel": always(Effect.RESEND, Effect.TEXT, Effect.RECIPIENTS),
    "template.category": by_rank((Category.MARKETING, Category.TRANSACTIONAL)),
    "template.description": NO_REQUEST,
    "template.template.*": COMPOSED,
    "template.options.*": COMPOSED,
    "template.variables.*.required": by_rank((True, False), missing=True),
    "template.variables.*.default": variable_default,
    "template.variables.*.example": NO_REQUEST,
    "template.variables.*.maxLength": by_size(),
    "audience.source.*": always(Effect.RECIPIENTS),
    "audience.columns.locale": always(Effect.TEXT),
    "audience.columns.timezone": always(Effect.RESCHEDULED),
    "audience.columns.correlationId": NO_REQUEST,
    "audience.columns.*": always(Effect.RECIPIENTS),
    "audience.substitutions": COMPOSED,
    "audience.substitutions.*": COMPOSED,
    "audience.where": always(Effect.RECIPIENTS),
    "audience.numbers": by_rank((Numbers.VALID, Numbers.POSSIBLE, Numbers.FORM), Effect.RECIPIENTS),
    "audience.region": always(Effect.RECIPIENTS),
    "schedule.window": window,
    "schedule.quietHours": quiet_hours,
    "schedule.holidays": by_entries(Effect.RESCHEDULED, more_is_safer=True),
    "schedule.grace": by_size(Effect.RESCHEDULED),
    "schedule.expireAfter": by_size(Effect.DELIVERY),
    "schedule.expireAt": by_size(Effect.DELIVERY),
    "schedule.handOff": by_rank((HandOff.HOLD, HandOff.PROVIDER), Effect.DELIVERY, missing=HandOff.HOLD),
    "schedule.*": always(Effect.RESCHEDULED),
    "defaults.locale": COMPOSED,
    "defaults.timezone": always(Effect.RESCHEDULED),
    "defaults.window": window,
    "defaults.quietHours": quiet_hours,
    "defaults.holidays": by_entries(Effect.RESCHEDULED, more_is_safer=True),
    "Baseline edition *": baseline,
    "Withdraw edition *": withdraw,
    "Moved from *": always(Effect.RENAMED),
}
"""Keys of a notification, with those of its template, audience and schedule, and the documents about it."""

ENVIRONMENT: Mapping[str, Judge] = {
    "provider": always(Effect.ROUTE),
    "endpoint": always(Effect.ROUTE),
    "profile": by_rank(("2021", "6.20"), Effect.DELIVERY),
    "auth.*": always(Effect.ROUTE),
    "senders.*": always(Effect.SENDER),
    "fence.allow": by_entries(more_is_safer=False, missing_is_all=True),
    "tests.allow": by_entries(more_is_safer=False),
    "vars.*": always(Effect.TEXT),
    "limits.requirePlus": by_rank((True, False), Effect.DELIVERY, missing=False),
    "limits.*": always(Effect.DELIVERY),
    "ledger.*": always(Effect.ROUTE),
    "proxy": always(Effect.ROUTE),
    "proxyEnv": always(Effect.ROUTE),
    "proxyFile": always(Effect.ROUTE),
    "caFile": always(Effect.ROUTE),
    "pricing": NO_REQUEST,
    "alerts.*": alerts,
}

PROJECT: Mapping[str, Judge] = {
    "name": always(Effect.ROUTE),  # the ledger is known by it
    "defaults.timezone": always(Effect.RESCHEDULED),
    "defaults.locale": always(Effect.TEXT),
    "defaults.region": always(Effect.RECIPIENTS),
    "defaults.window": window,
    "defaults.quietHours": quiet_hours,
    "defaults.holidays": by_entries(Effect.RESCHEDULED, more_is_safer=True),
    "defaults.except.*": exempt,
    "defaultEnvironment": always(Effect.ROUTE),
    "vars.*": always(Effect.TEXT),
    "optOutOn": by_entries(more_is_safer=True),
    "policy.maxRecipients": by_size(),
    "policy.maxGrowthPercent": by_size(),
    "policy.maxSegments": by_size(),
    "policy.maxRejectedPercent": by_size(),
    "policy.requireUnsubscribe": by_entries(more_is_safer=True),
    "policy.accept.by": by_rank((AcceptBy.ANOTHER, AcceptBy.ANYONE), missing=AcceptBy.ANYONE),
    "policy.accept.above": by_size(missing=0),
    "policy.accept.proven": by_rank((True, False), missing=False),
    "policy.accept.people.*.keys": by_entries(more_is_safer=False),
    "policy.accept.people.*.logins": by_entries(more_is_safer=False),
    # One more address of a person is one author more who cannot accept; it can also be what lets them be compared.
    "policy.accept.people.*.emails": always(Effect.LOOSENED, Effect.TIGHTENED),
    "policy.accept.oidc.claims.*": claim,
    "policy.accept.oidc.tokenEnv": NO_REQUEST,
    "policy.accept.oidc.*": always(Effect.LOOSENED, Effect.TIGHTENED),
    "lint.*": severity,
}

SEEN_IN_NOTIFICATIONS = ("vars.*", "senders.*", "defaults.*", "policy.*")
"""Keys of project and environment whose effect on a notification is compared there, by what becomes of it."""
NOT_OF_NOTIFICATIONS = ("defaultEnvironment", "pricing", "tests.allow", "policy.accept.*", "alerts.*")
"""Keys of project and environment that change no notification of the environment at hand."""

CONTENT: Mapping[str, Effects] = {
    "from": (Effect.SENDER,),
    "content.replyTo": (Effect.SENDER,),
    "options.fromName": (Effect.SENDER,),
    "options.smsSenderId": (Effect.SENDER,),
    "options.smsFallback": (Effect.TEXT, Effect.DELIVERY),
    "options.trackClicks": (Effect.DELIVERY,),
    "options.trackOpens": (Effect.DELIVERY,),
    "options.extras*": (Effect.DELIVERY,),
    "options.carrierId": (Effect.DELIVERY,),
    "options.tag1": (Effect.DELIVERY,),
    "options.tag2": (Effect.DELIVERY,),
    "options.listUnsubscribeUrl": (
        Effect.TEXT,
        Effect.ROUTE,
    ),  # opt-outs go there, and no longer to the provider
    "options.unsubscribeEmail*": (Effect.TEXT, Effect.ROUTE),
    "*": (Effect.TEXT,),
}
"""Paths in a composed message."""


def find_judge(table: Mapping[str, Judge], key: str) -> Judge | None:
    return next((judge for pattern, judge in table.items() if fnmatchcase(key, pattern)), None)


def judge_setting(table: Mapping[str, Judge], key: str, before: Any, after: Any) -> Effects:
    """The effects of a changed setting; none where only its message or audience can tell."""
    judge = find_judge(table, key)
    return UNPROVEN if judge is None else tuple(judge(before, after))


def judge_content(path: str) -> Effects:
    return next(effects for pattern, effects in CONTENT.items() if fnmatchcase(path, pattern))


def matches(key: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(key, pattern) for pattern in patterns)
