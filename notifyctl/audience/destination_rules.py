"""Every destination of a notification under the same rules, fence and suppressions: recipients, copies, SMS in place of RCS."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from msgspec import Struct

from notifyctl.audience.addresses import mask, parse_address
from notifyctl.audience.recipients import Rules
from notifyctl.audience.suppressions import NOBODY, SuppressionLists, index_opt_outs
from notifyctl.model.left_out import COPIES, copy_name
from notifyctl.model.message import LeftOut
from notifyctl.model.project import ChannelName, Environment, Notification, Project
from notifyctl.model.recipients import Suppression

OUTSIDE = "copy-outside-fence"
"""The reason code of a copy that is not on the allow-list."""


class JudgedCopies(Struct, frozen=True):
    """`left_out`: copies that are not sent to. `refused`: why nothing at all may be sent, as a plan's reason."""

    left_out: tuple[LeftOut, ...] = ()
    refused: str | None = None


def judge_copies(notification: Notification, rules: Rules) -> JudgedCopies:
    """A copy that opted out is left out. One outside the fence, or that is no address, blocks the notification."""
    left_out: list[LeftOut] = []
    refused: list[str] = []
    for key in COPIES if notification.channel is ChannelName.EMAIL else ():
        for number, address in enumerate(getattr(notification, key) or (), 1):
            name = f"{copy_name(key, number)} {mask(address)}"
            try:
                reason = rules.suppression(parse_address(address, ChannelName.EMAIL).key)
            except ValueError:
                refused.append(f"copy-unreadable: {name}")
                continue
            if reason == Suppression.FENCED:
                refused.append(f"{OUTSIDE}: {name}")
            elif reason is not None:
                left_out.append(LeftOut(copy_name(key, number), reason))
    return JudgedCopies(tuple(left_out), next(iter(refused), None))


def rules_of(
    lists: SuppressionLists,
    project: Project,
    environment: Environment,
    notification: Notification,
    now: datetime | None,
) -> Rules:
    """What decides about every destination of a notification: its recipients, its copies, and the SMS in place of RCS.

    Raises SettingsError if the key of a list is missing.
    """
    asked = partial(index_opt_outs, lists, project, environment, notification, now)
    return Rules(
        suppressed=asked(),
        fence=environment.fence,
        fallback=asked(channel=ChannelName.SMS) if notification.channel is ChannelName.RCS else NOBODY,
        numbers=notification.audience.numbers,
    )
