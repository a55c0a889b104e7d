"""Who a message comes from, by channel: rules 6 to 8."""

from __future__ import annotations

import re
from collections.abc import Iterator

from notifyctl.channels.field_checks import is_email_address
from notifyctl.diagnostics import Path, Problem
from notifyctl.model.project import ChannelName
from notifyctl.rulebook import envelope

SENDER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._&-]*")
"""Letters and digits, with the blanks and positions that carriers take between them. No +: that is for destinations."""
MAX_LETTERS = 11
"""Characters of a sender ID with a letter (3GPP TS 23.040, 9.1.2.5): phones cut a longer one, carriers refuse it."""
MAX_DIGITS = 15
"""Digits of a short or long code (E.164)."""
APP_ID = re.compile(r"a_[0-9]+")


def is_sender_id(sender: str) -> bool:
    """Whether it has the form of an SMS sender, of any length."""
    return SENDER_ID.fullmatch(sender) is not None


def check_sender(channel: ChannelName, sender: str, path: Path) -> Iterator[Problem]:
    if channel is ChannelName.SMS and not is_sender_id(sender):
        hint = "remove the +" if sender.startswith("+") else "for example CNNECT, 80808 or 447700900123"
        message = (
            "the sender of an SMS must be a sender ID of letters and digits, a short code or a long code"
        )
        yield envelope.SMS_SENDER.broken(path, message, hint)
    elif channel is ChannelName.SMS and len(sender) > (
        most := MAX_DIGITS if sender.isdigit() else MAX_LETTERS
    ):
        what = "digits" if sender.isdigit() else "characters"
        message = f"this sender has {len(sender)} {what}; the limit is {most}"
        hint = f"use a sender of at most {most} {what} that is registered with the account"
        yield envelope.SMS_SENDER.broken(path, message, hint)
    if channel is ChannelName.EMAIL and not is_email_address(sender):
        message = "the sender of an email must be one email address"
        yield envelope.EMAIL_SENDER.broken(path, message, "for example alerts@acme.example")
    if channel is ChannelName.RCS and not APP_ID.fullmatch(sender):
        message = "the sender of an RCS message must be an app ID, for example a_156887855308557980"
        yield envelope.RCS_SENDER.broken(path, message, "copy it from the provider's console: Assets, Apps")
