"""Thresholds of a scope. Exceeding one blocks every send of the scope."""

from __future__ import annotations

from collections.abc import Iterator

from notifyctl.diagnostics import Diagnostic, Severity
from notifyctl.model.project import Category, ChannelName, Policy
from notifyctl.model.recipients import RowRejection
from notifyctl.plan.inputs import PlanContext, ScopeInput
from notifyctl.plan.scope_result import ScopeResult
from notifyctl.plan.series import missing_acceptance

GROWTH_FLOOR = 10
"""Smallest recorded audience for which growth is checked: one more recipient in three is not suspicious."""
REJECTED_FLOOR = 50
"""Smallest audience, in rows, for which rejected rows are compared: one typo in a short list is not suspicious."""


def apply_policy(result: ScopeResult, context: PlanContext) -> None:
    """Blocks the scope by rule 7 of the action table."""
    policy = result.input.notification.policy or Policy()
    reason = (
        result.input.copies.refused
        or too_many(result, policy)
        or grown_too_much(result, policy)
        or too_many_rejected(result, policy)
    )
    if reason is None and lacks_unsubscribe(result.input, policy):
        reason = "unsubscribe-missing"
    if reason is not None and result.covered:
        result.block(reason)
    if result.covered or result.input.baseline is not None:
        result.waits = why_waiting(result, context)
        if result.waits is not None and context.accepted_only and result.covered:
            result.block(result.waits)


def why_waiting(result: ScopeResult, context: PlanContext) -> str | None:
    """Why nobody is sent it without being asked; None if it is accepted. What does not recur waits only where nobody is asked."""
    series = context.series.get(result.input.notification.name)
    if series is None and not context.accepted_only:
        return None
    handed = [key.send_at for key in result.groups if key.send_at is not None]
    goes_now = len(handed) < len(result.groups)
    return missing_acceptance(
        series,
        people=result.people,
        first=None if goes_now else min([*handed, *filter(None, (result.deferred_until,))], default=None),
        last=max(handed, default=None),
    )


def too_many(result: ScopeResult, policy: Policy) -> str | None:
    most = policy.max_recipients
    if most is None or result.covered <= most:
        return None
    return f"max-recipients {result.covered} > {most}"


def grown_too_much(result: ScopeResult, policy: Policy) -> str | None:
    """Compares with the audience recorded when the edition started."""
    most, recorded = policy.max_growth_percent, result.recorded_size
    if most is None or not result.joiners or result.input.records.recorded is None:
        return None
    if recorded < GROWTH_FLOOR or result.joiners * 100 <= most * recorded:
        return None
    return f"max-growth {result.joiners} joined {recorded}, over {most} %"


def too_many_rejected(result: ScopeResult, policy: Policy) -> str | None:
    """So many rows are unreadable, or have no valid address, that the file is probably damaged or not the one meant.

    A row without an address is not rejected: it is not among those that the share is of either.
    """
    most, rejected = policy.max_rejected_percent, result.excluded.bad
    addressed = result.rows - result.excluded.counts[RowRejection.NO_ADDRESS]
    if most is None or result.rows < REJECTED_FLOOR or rejected * 100 <= most * addressed:
        return None
    return f"max-rejected {rejected} of {addressed} rows, over {most} %"


def lacks_unsubscribe(scope_input: ScopeInput, policy: Policy) -> bool:
    """Checks HTML emails only: `$(unsubscribe)` works nowhere else (rules 33 and 82)."""
    if scope_input.scope.channel is not ChannelName.EMAIL:
        return False
    category: Category = scope_input.notification.template.category
    bodies = [str(m.content.get("html", "")) for m in scope_input.messages.values() if m.content is not None]
    return category in policy.require_unsubscribe and not all("$(unsubscribe)" in body for body in bodies)


def empty_audience(result: ScopeResult) -> Iterator[Diagnostic]:
    if not result.recipients:
        notification = result.input.notification
        yield Diagnostic(
            "empty-audience",
            Severity.ERROR,
            f"audience `{notification.audience.name}` has no recipients with an address for {notification.channel}"
            f" (rows read: {result.rows:,})",
            notification.positions.location("audience"),
            hint=f"addresses for {notification.channel} are read from column"
            f" `{notification.channel.address_field}`; to use another column, set `columns`",
        )
