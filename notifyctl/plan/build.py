"""`build_plan`: parts in, plan out. Pure: the same input gives the same plan and digest on every machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from notifyctl.diagnostics import Diagnostic, Severity, sort_diagnostics
from notifyctl.model.batch import ScopeOpening, SendGroup
from notifyctl.model.events import Statement, StatementKind
from notifyctl.model.project import Category, ChannelName, Environment, Policy
from notifyctl.plan.actions import Action
from notifyctl.plan.digest import ScopeEffects, digest
from notifyctl.plan.examine import Examination, Examiner
from notifyctl.plan.part import Identify, Orphan, Part
from notifyctl.plan.plan import VALID_FOR_HOURS, Plan, PlannedNotification, Served
from notifyctl.plan.prices import PriceList
from notifyctl.progress import DEFAULT_LIMITS, Progress, ResourceLimits

GROWTH_FLOOR = 10
"""Growth is judged from this many people up: one more in a team of three is no accident."""
RENAME_PERCENT = 90
"""Of the units of a new name that were accepted under one that is gone, text for text."""


class Frame(Struct, frozen=True):
    """What a plan is made for: the part of the input that is not about one notification."""

    project: str
    environment: Environment
    provider: str
    """The provider's identity, as the digest binds to it."""
    lineage: str | None
    """The ledger's; `None` without one."""
    as_of: datetime
    complete: bool = True
    later: Sequence[tuple[str, str, datetime]] = ()
    prices: PriceList | None = None
    effort: ResourceLimits = DEFAULT_LIMITS


def valid_until(as_of: datetime) -> datetime:
    return as_of + timedelta(hours=VALID_FOR_HOURS)


def build_plan(
    frame: Frame,
    parts: Iterable[Part],
    *,
    identify: Identify,
    orphans: Iterable[Orphan] = (),
    diagnostics: Iterable[Diagnostic] = (),
) -> Plan:
    """`identify` gives recipient ids. `diagnostics` are problems known before; the plan adds its own."""
    problems = list(diagnostics)
    planned: list[PlannedNotification] = []
    effects: list[ScopeEffects] = []
    consignments: list[SendGroup] = []
    openings: list[ScopeOpening] = []
    baselines: list[Served] = []
    for part in sorted(parts, key=lambda p: p.scope):
        found = examined(part, frame, identify)
        hold_to_policy(found)
        problems.extend(found.excluded.diagnostics())
        problems.extend(empty_audience(found))
        planned.append(describe(found))
        effects.append(found.effects)
        ready = list(found.consignments())
        if part.baseline is not None:
            statement = Statement(
                StatementKind.BASELINE, part.scope.notification, part.scope.edition, part.baseline
            )
            baselines.append(
                Served(part.scope, statement, b"".join(found.served), opened=part.recorded is not None)
            )
        consignments.extend(ready)
        if ready and part.recorded is None:
            openings.append(ScopeOpening(part.scope, b"".join(found.held)))
    planned.extend(describe_orphan(orphan) for orphan in orphans)
    return Plan(
        project=frame.project,
        environment=frame.environment.name,
        provider=frame.provider,
        lineage=frame.lineage,
        as_of=frame.as_of,
        valid_until=end_of_validity(frame.as_of, planned),
        complete=frame.complete,
        digest=digest(
            environment=frame.environment.name,
            provider=frame.provider,
            lineage=frame.lineage,
            effects=effects,
        ),
        notifications=tuple(sorted(planned, key=lambda n: (n.name, n.channel, n.edition, n.occurrence))),
        later=tuple(sorted(frame.later, key=lambda entry: (entry[2], entry[0]))),
        diagnostics=tuple(sort_diagnostics(problems)),
        consignments=tuple(consignments),
        openings=tuple(openings),
        effects=tuple(effects),
        baselines=tuple(baselines),
    )


def examined(part: Part, frame: Frame, identify: Identify) -> Examination:
    """The examination of one scope."""
    examiner = Examiner(part, profile=frame.environment.profile, now=frame.as_of, prices=frame.prices)
    on_progress, name = frame.effort.tell, part.notification.name
    return examiner.run(identify, on_rows=lambda rows: on_progress(Progress(name, "reading", rows)))


def end_of_validity(as_of: datetime, planned: Iterable[PlannedNotification]) -> datetime:
    """A day, and never past a moment at which something that may be sent now lapses."""
    lapses = [n.expires for n in planned if n.sends and n.expires and n.expires > as_of]
    return min([*lapses, valid_until(as_of)])


def hold_to_policy(found: Examination) -> None:
    """The thresholds of a whole scope (rule 7 of the table): all that would be sent is blocked, not a part of it."""
    policy = found.part.notification.policy or Policy()
    reason = suspected_rename(found) or too_many(found, policy) or grown_too_much(found, policy)
    if reason is None and lacks_unsubscribe(found.part, policy):
        reason = "unsubscribe-missing"
    if reason is not None and found.authorised:
        found.block(reason)


def suspected_rename(found: Examination) -> str | None:
    """Nearly everybody got just this under a name that is gone: then the name has changed, and not what is said to whom."""
    if not found.part.vanished:
        return None
    units = set(found.units())
    for name, members in sorted(found.part.vanished.items()):
        if units and len(units & members) * 100 >= RENAME_PERCENT * len(units):
            return f"suspected-rename of {name}"
    return None


def too_many(found: Examination, policy: Policy) -> str | None:
    most = policy.max_recipients
    if most is None or found.authorised <= most:
        return None
    return f"max-recipients {found.authorised} > {most}"


def grown_too_much(found: Examination, policy: Policy) -> str | None:
    """Against the audience that was recorded when the edition was opened."""
    most = policy.max_growth_percent
    if most is None or not found.joiners or found.part.recorded is None:
        return None
    recorded = len(found.part.recorded)
    if recorded < GROWTH_FLOOR or found.joiners * 100 <= most * recorded:
        return None
    return f"max-growth {found.joiners} joined {recorded}, over {most} %"


def lacks_unsubscribe(part: Part, policy: Policy) -> bool:
    """`$(unsubscribe)` works in HTML e-mail only (rules 33 and 82), so only there can it be required."""
    if part.scope.channel is not ChannelName.EMAIL:
        return False
    category: Category = part.notification.template.category
    bodies = [str(m.content.get("html", "")) for m in part.messages.values() if m.content is not None]
    return category in policy.require_unsubscribe and not all("$(unsubscribe)" in body for body in bodies)


def describe(found: Examination) -> PlannedNotification:
    notification = found.part.notification
    message = next(iter(found.part.messages.values()))
    counts_segments = message.channel is ChannelName.SMS and not message.opaque
    costs = found.tally.costs()
    if costs and found.tally.unpriced:
        costs = (replace(costs[0], unpriced=found.tally.unpriced), *costs[1:])
    return PlannedNotification(
        name=notification.name,
        channel=message.channel,
        edition=notification.edition,
        occurrence=found.part.scope.occurrence,
        category=notification.template.category,
        sender=message.sender,
        template=notification.template.name,
        audience=notification.audience.name,
        opaque=message.opaque,
        rows=found.rows,
        rejected_rows=found.excluded.bad,
        actions={action: found.counts[action] for action in Action if found.counts[action]},
        reasons={a: dict(sorted(found.reasons[a].items())) for a in Action if found.reasons.get(a)},
        segments=found.segments if counts_segments else None,
        texts=found.samples.texts,
        due=found.due,
        deferred_until=found.deferred_until,
        expires=found.expires,
        cost=next(iter(costs), None),
        costs=costs,
        reach=tuple(found.tally.reach()),
        samples=found.samples.chosen(),
        content_hash=found.content_hash,
    )


def describe_orphan(orphan: Orphan) -> PlannedNotification:
    """Rules 1 and 4 for what has no definition any more; what was accepted stays accepted and is not spoken of."""
    kinds = Counter(standing.kind for standing in orphan.standings.values())
    settled = {key for key, standing in orphan.standings.items() if standing.kind != "rejected"}
    withdrawn = sum(1 for recipient in orphan.recorded if recipient not in settled)
    counts = {Action.UNCERTAIN: kinds["uncertain"], Action.WITHDRAWN: withdrawn}
    return PlannedNotification(
        name=orphan.scope.notification,
        channel=orphan.scope.channel,
        edition=orphan.scope.edition,
        occurrence=orphan.scope.occurrence,
        category="",
        sender="",
        template="",
        audience="",
        opaque=False,
        rows=0,
        rejected_rows=0,
        actions={action: count for action, count in counts.items() if count},
        reasons={Action.WITHDRAWN: {"definition-gone": withdrawn}} if withdrawn else {},
        segments=None,
        texts=0,
        due=None,
        deferred_until=None,
        expires=None,
        cost=None,
        samples=(),
    )


def empty_audience(found: Examination) -> Iterator[Diagnostic]:
    if not found.recipients:
        notification = found.part.notification
        yield Diagnostic(
            "empty-audience",
            Severity.ERROR,
            f"the audience {notification.audience.name!r} has nobody with an address for {notification.channel}"
            f" ({found.rows} rows read)",
            notification.marks.location("audience"),
            hint=f"an address for {notification.channel} stands in the column"
            f" {notification.channel.address_field!r}; `columns` maps it to another name",
        )
