"""The use case of `calendar`: who gets what when on the days from one to another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from notifyctl.app.ledger import Facts, facts_of
from notifyctl.app.names import expand_names
from notifyctl.app.plan import Past, derive
from notifyctl.app.workspace import Workspace
from notifyctl.ledger import scope_status
from notifyctl.model.project import Environment, Notification, Project
from notifyctl.model.recipients import Scope
from notifyctl.plan.calendar import Calendar, Outcome, build_calendar
from notifyctl.plan.model import Plan
from notifyctl.schedule.zones import to_local

NEXT_WEEKS = timedelta(weeks=4, days=-1)
"""How far a preview looks ahead, today included."""


def make_calendar(
    workspace: Workspace,
    environment: Environment,
    *,
    days: int,
    first: date | None = None,
    only: tuple[str, ...] = (),
    offline: bool = False,
) -> Calendar:
    """`first`: by default the present day in the project's time zone. Without a ledger, or `offline`, past sends are unknown.

    Raises ProjectError, UsageError or LedgerError.
    """
    project = workspace.sound
    with facts_of(workspace, environment, offline=offline) as facts:
        plan = derive(workspace, environment, facts, only=only)
        start = first or to_local(plan.as_of, project.timezone).date()
        past = Past(project, facts)

        def outcome(notification: Notification, occurrence: str) -> Outcome | None:
            return read_outcome(facts, scopes_of(past, notification), occurrence)

        return build_calendar(
            plan,
            chosen(project, only),
            first=start,
            last=start + timedelta(days=days - 1),
            outcomes=outcome,
            opened=lambda each: {scope.occurrence for scope in scopes_of(past, each)},
        )


def next_weeks(workspace: Workspace, plan: Plan, *, only: tuple[str, ...] = ()) -> Calendar:
    """From a plan without the ledger, from the present day on."""
    project = workspace.sound
    today = to_local(plan.as_of, project.timezone).date()
    return build_calendar(plan, chosen(project, only), first=today, last=today + NEXT_WEEKS)


def chosen(project: Project, only: tuple[str, ...]) -> list[Notification]:
    names = expand_names(only, project.notifications)
    return [each for name, each in project.notifications.items() if not names or name in names]


def scopes_of(past: Past, notification: Notification) -> Iterator[Scope]:
    """What the ledger has of its present edition, under earlier names too."""
    return (
        scope
        for scope in past.scopes(notification.name)
        if (scope.edition, scope.channel) == (notification.edition, notification.channel)
    )


def read_outcome(facts: Facts, scopes: Iterator[Scope], occurrence: str) -> Outcome | None:
    """None where nothing is recorded of the occurrence."""
    if facts.reader is None:
        return None
    found = [scope_status(facts.reader, scope) for scope in scopes if scope.occurrence == occurrence]
    if not found:
        return None
    return Outcome(sum(each.accepted for each in found), sum(each.uncertain for each in found))
