"""Destinations that a message is sent without: copies, and the SMS in place of RCS. Its delivery hash stays the author's."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from notifyctl.model.message import LeftOut, Message

COPIES = ("cc", "bcc")
SMS_FALLBACK = "SMS fallback"
FALLBACK_OPTIONS = ("smsFallback", "smsSenderId", "text")
"""The options of an RCS message that ask for an SMS in its place."""


def copy_name(key: str, number: int) -> str:
    """What a copy is called: `cc 2`. `number` counts from 1; its address stands in the files alone."""
    return f"{key} {number}"


def has_fallback(message: Message) -> bool:
    return message.options.get("smsFallback") is True


def unite(*found: Iterable[LeftOut]) -> tuple[LeftOut, ...]:
    """Each destination once, with its first reason."""
    by_name: dict[str, LeftOut] = {}
    for each in (each for some in found for each in some):
        by_name.setdefault(each.what, each)
    return tuple(by_name.values())


def leave_out(message: Message, left_out: Iterable[LeftOut]) -> Message:
    """The message as it is sent."""
    names = {each.what for each in left_out}
    if not names:
        return message
    options = message.options
    if SMS_FALLBACK in names:
        options = {key: value for key, value in options.items() if key not in FALLBACK_OPTIONS}
    kept = {
        key: tuple(
            address
            for number, address in enumerate(getattr(message, key) or (), 1)
            if copy_name(key, number) not in names
        )
        or None
        for key in COPIES
    }
    return replace(message, options=options, **kept)


def describe(left_out: Iterable[LeftOut]) -> str:
    """For the ledger, without an address: `sent without cc 2 (opted-out)`."""
    return "sent without " + ", ".join(f"{each.what} ({each.reason})" for each in left_out)
