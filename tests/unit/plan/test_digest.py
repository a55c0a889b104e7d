"""The digest: over effects, in any order, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from notifyctl.model.project import ChannelName, Policy
from notifyctl.model.recipients import Scope
from notifyctl.plan.actions import Intent
from notifyctl.plan.digest import ScopeEffects, SortedEntries, digest, shared_key

SCOPE = Scope("outage", 1, "once", ChannelName.SMS)
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


def of(*parts: ScopeEffects, environment: str = "sandbox", lineage: str | None = "l") -> str:
    return digest(environment=environment, provider="p", lineage=lineage, effects=parts)


def effects(
    *recipients: bytes,
    scope: Scope = SCOPE,
    policy: Policy | None = None,
    intent: Intent = Intent.FIRST,
    text: bytes = b"t" * 32,
    not_before: datetime | None = None,
    expires: datetime | None = None,
) -> ScopeEffects:
    entries = b"".join(sorted(recipient + text for recipient in recipients))
    group = SortedEntries(len(recipients), lambda: iter([entries]))
    return ScopeEffects(
        scope, policy or Policy(), {shared_key(intent, not_before, expires): group} if recipients else {}
    )


def test_form() -> None:
    assert of().startswith("sha256:")
    assert len(of()) == len("sha256:") + 64


@given(st.permutations([bytes([n]) * 16 for n in range(6)]))
def test_the_order_of_people_does_not_matter(order: list[bytes]) -> None:
    assert of(effects(*order)) == of(effects(*sorted(order)))


def test_the_order_of_scopes_does_not_matter() -> None:
    other = Scope("price", 1, "once", ChannelName.SMS)
    one, two = effects(b"a" * 16), effects(b"b" * 16, scope=other)
    assert of(one, two) == of(two, one)


def test_a_scope_without_effects_leaves_no_trace() -> None:
    assert of(effects(b"a" * 16), effects(scope=Scope("empty", 1, "once", ChannelName.SMS))) == of(
        effects(b"a" * 16)
    )


def test_every_effect_counts() -> None:
    base = of(effects(b"a" * 16))
    later = effects(b"a" * 16, not_before=NOON)
    lapsing = effects(b"a" * 16, expires=NOON)
    stricter = effects(b"a" * 16, policy=Policy(max_recipients=1))
    others = [
        of(effects(b"b" * 16)),
        of(effects(b"a" * 16, b"b" * 16)),
        of(effects(b"a" * 16, intent=Intent.RESEND)),
        of(effects(b"a" * 16, text=b"u" * 32)),
        of(effects(b"a" * 16, scope=Scope("outage", 2, "once", ChannelName.SMS))),
        of(effects(b"a" * 16), environment="production"),
        of(effects(b"a" * 16), lineage=None),
        of(later),
        of(lapsing),
        of(stricter),
    ]
    assert len({base, *others}) == len(others) + 1
