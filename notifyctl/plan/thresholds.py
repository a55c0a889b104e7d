"""The thresholds of a whole scope: when one is broken, all that would be sent is blocked, not a part of it."""

from __future__ import annotations

from collections.abc import Iterator

from notifyctl.diagnostics import Diagnostic, Severity
from notifyctl.model.project import Category, ChannelName, Policy
from notifyctl.plan.inputs import ScopeInput
from notifyctl.plan.scope_result import ScopeResult

GROWTH_FLOOR = 10
"""Growth is judged from this many people up: one more in a team of three is no accident."""
RENAME_PERCENT = 90
"""Of those who are sent to, who accepted the same text under a name that is gone."""


def apply_policy(result: ScopeResult) -> None:
    """Rule 7 of the action table."""
    policy = result.input.notification.policy or Policy()
    reason = suspected_rename(result) or too_many(result, policy) or grown_too_much(result, policy)
    if reason is None and lacks_unsubscribe(result.input, policy):
        reason = "unsubscribe-missing"
    if reason is not None and result.authorised:
        result.block(reason)


def suspected_rename(result: ScopeResult) -> str | None:
    """Nearly everybody got just this under a name that is gone: the name has changed, and not what is said to whom."""
    for name, accepted in sorted(result.rename_suspects.items()):
        if result.sends and accepted * 100 >= RENAME_PERCENT * result.sends:
            return f"suspected-rename of {name}"
    return None


def too_many(result: ScopeResult, policy: Policy) -> str | None:
    most = policy.max_recipients
    if most is None or result.authorised <= most:
        return None
    return f"max-recipients {result.authorised} > {most}"


def grown_too_much(result: ScopeResult, policy: Policy) -> str | None:
    """Against the audience that was recorded when the edition was opened."""
    most, recorded = policy.max_growth_percent, result.recorded_size
    if most is None or not result.joiners or result.input.records.recorded is None:
        return None
    if recorded < GROWTH_FLOOR or result.joiners * 100 <= most * recorded:
        return None
    return f"max-growth {result.joiners} joined {recorded}, over {most} %"


def lacks_unsubscribe(scope_input: ScopeInput, policy: Policy) -> bool:
    """`$(unsubscribe)` works in HTML e-mail only (rules 33 and 82), so only there can it be required."""
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
            f"the audience {notification.audience.name!r} has nobody with an address for {notification.channel}"
            f" ({result.rows} rows read)",
            notification.positions.location("audience"),
            hint=f"an address for {notification.channel} stands in the column"
            f" {notification.channel.address_field!r}; `columns` maps it to another name",
        )
