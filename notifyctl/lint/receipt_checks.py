"""Which receipts a notification requests: their spelling, those that cannot come, and those that nobody would get."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from msgspec.structs import replace

from notifyctl.channels.receipt_names import is_documented, same_receipt, standard_form
from notifyctl.config.fields import NEWER, OLDER
from notifyctl.diagnostics import Diagnostic, Fix, Problem
from notifyctl.model.message import Message
from notifyctl.model.project import ChannelName, Notification
from notifyctl.rulebook import receipts

CLICKED = "clicked"
"""A receipt of SMS in both profiles, and of the other channels in 6.20 only."""


def check_receipts(
    notification: Notification,
    messages: Mapping[str | None, Message],
    profile: str,
    *,
    profiles: Collection[str],
) -> Iterator[Diagnostic]:
    """`messages` are the variants that could be composed; `profiles` those of all environments of the project."""
    for problem in (
        *names_are_right(notification, profile, profiles),
        *clicks_can_come(notification, messages, profile),
        *opens_can_come(notification, messages),
    ):
        yield problem.at(notification.positions)


def names_are_right(notification: Notification, profile: str, profiles: Collection[str]) -> Iterator[Problem]:
    requested, channel = notification.requested_receipts, notification.channel
    if requested and notification.notify_url is None:
        message = "`requestedReceipts` has no effect without `notifyUrl`"
        hint = "add `notifyUrl: https://…`, or remove it"
        yield receipts.WITHOUT_URL.broken(("requestedReceipts",), message, hint)
    for index, receipt in enumerate(requested):
        path = ("requestedReceipts", index)
        standard = standard_form(receipt, channel, profile)
        if standard != receipt:
            message = f'`requestedReceipts[{index}]` is "{receipt}"; the standard form is {standard}'
            problem = receipts.SPELLING.broken(path, message, f"write {standard}")
            right_elsewhere = any(standard_form(receipt, channel, each) == receipt for each in profiles)
            yield problem if right_elsewhere else replace(problem, fix=Fix(receipt, standard))
        if not is_documented(receipt, channel, profile):
            message = f"`{receipt}` is not a receipt of {channel} in the documentation of profile {profile}"
            yield receipts.UNDOCUMENTED.broken(path, message, "remove it; `failed` is documented")
        same = [each for each in requested[:index] if same_receipt(each, receipt, channel, profile)]
        if same and same[0].casefold() != receipt.casefold():  # otherwise the loader reports it
            message = f'"{receipt}" is the same receipt as "{same[0]}"'
            yield receipts.TWICE.broken(path, message, "remove one of them")


def clicks_can_come(
    notification: Notification, messages: Mapping[str | None, Message], profile: str
) -> Iterator[Problem]:
    channel, place = notification.channel, find_receipt(notification, CLICKED)
    if place is None:
        return
    path = ("requestedReceipts", place)
    if channel is not ChannelName.SMS and profile == OLDER:
        message = f"{channel} has a clicked receipt only in profile {NEWER}"
        hint = f'remove it, or set `profile: "{NEWER}"` in the environment'
        yield receipts.OF_CHANNEL.broken(path, message, hint)
    if channel is ChannelName.SMS and not all(counts_clicks(each) for each in messages.values()):
        message = "clicked receipts come only from links that are shortened and tracked"
        hint = "add `options: {shortenLinks: true, trackClicks: true}`"
        yield receipts.CLICKED.broken(path, message, hint)


def opens_can_come(notification: Notification, messages: Mapping[str | None, Message]) -> Iterator[Problem]:
    place = find_receipt(notification, "read")
    if place is None or notification.channel is not ChannelName.EMAIL:
        return
    if not all(shows_opens(each) for each in messages.values() if each.content is not None):
        message = "read receipts come from a picture in the HTML, and this email has none"
        yield receipts.READ.broken(
            ("requestedReceipts", place), message, "use `type: html`, and do not switch off `trackOpens`"
        )


def find_receipt(notification: Notification, name: str) -> int | None:
    """Its position in `requestedReceipts`."""
    folded = [receipt.casefold() for receipt in notification.requested_receipts]
    return folded.index(name) if name in folded else None


def counts_clicks(message: Message) -> bool:
    return message.options.get("shortenLinks") is True and message.options.get("trackClicks") is True


def shows_opens(message: Message) -> bool:
    assert message.content is not None
    return message.content.get("type") == "html" and message.options.get("trackOpens") is not False
