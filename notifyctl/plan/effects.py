"""The effects that a change of the files can have on recipients: a closed list, by gravity, and the settings that cause them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct


class Effect(StrEnum):
    """What a change does. A change bears every effect that applies; declared from the gravest, which stands first."""

    NEW = "new"
    RESEND = "resend"
    TEXT = "text-changed"
    RECIPIENTS = "recipients-changed"
    COPIES = "copies-changed"
    SENDER = "sender-changed"
    RESCHEDULED = "rescheduled"
    LOOSENED = "safety-loosened"
    TIGHTENED = "safety-tightened"
    WITHDRAWN = "withdrawn"
    RENAMED = "renamed"
    ROUTE = "route-changed"
    DELIVERY = "delivery-changed"
    NONE = "no-effect-on-recipients"  # proven: the requests of both versions are equal but for callbackData and correlationId


Effects = tuple[Effect, ...]

UNPROVEN: Effects = (Effect.DELIVERY,)
"""Of a setting that nobody has classified: what is not proven to have no effect is shown as one."""


class SettingChange(Struct, frozen=True):
    """One changed setting, by its key in the files. `before` or `after` is None where it is not set.

    `warns`: it loosens a safeguard, sends a copy to somebody new, or sends data another way. `shared`: it is a setting of the
    project or the environment, which holds for other notifications too.
    """

    key: str
    before: str | None
    after: str | None
    effects: Effects
    warns: bool = False
    shared: bool = False


def ranked(effects: Iterable[Effect]) -> Effects:
    """Each effect once, the gravest first. NONE stands alone or not at all."""
    found = set(effects)
    if len(found) > 1:
        found.discard(Effect.NONE)
    return tuple(effect for effect in Effect if effect in found)
