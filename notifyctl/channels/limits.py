"""The API's limits, each once. Two profiles, because the page of 2021 and the documentation of 6.20 differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from notifyctl.config.fields import NEWER, OLDER
from notifyctl.model.project import ChannelName
from notifyctl.rulebook import Rule, email, rcs, sms

MAX_DESTINATIONS = 1000  # over all `to` objects (rule 16)
MAX_SEND_AHEAD_DAYS = 7  # rule 38
MAX_CALLBACK_DATA = 2000  # characters (rule 20)
MAX_CORRELATION_BYTES = 50  # rule 19
JWT_LIFETIME = 3600  # seconds after `iat` (rule 27)

SUGGESTIONS_PER_MESSAGE = 10  # rule 102
SUGGESTIONS_PER_CARD = 4  # rule 103
SUGGESTIONS_PER_CAROUSEL_CARD = 2  # rule 104
CAROUSEL_CARDS = (2, 10)  # rule 92
MAX_FALLBACK_TEXT = 1024  # rule 84
MAX_MEDIA_URL = 2048  # rule 99
MAX_MIME_BYTES = 10_000_000  # the whole e-mail after MIME encoding (rule 77)
MIME_GROWTH = 1.37
MAX_COPIES = 50  # to, cc and bcc of one e-mail (rule 79)
MAX_LABEL = 25  # rule 106
MAX_TITLE = 200  # rule 111
MAX_DESCRIPTION = 2000  # rule 111
MAX_VALIDITY_SMS = 259_200  # seconds, release 6.20 (rule 44)
MAX_EXPIRY_DAYS_SMS = 7  # release 6.20 (rule 43)


class Limit(NamedTuple):
    """A text's limit in `unit` (characters, or bytes of UTF-8), by profile."""

    rule: Rule
    unit: str
    by_profile: Mapping[str, int]


LIMITS: Mapping[ChannelName, Mapping[str, Limit]] = {
    ChannelName.SMS: {"text": Limit(sms.LENGTH, "characters", {OLDER: 1024, NEWER: 4000})},
    ChannelName.EMAIL: {"html": Limit(email.HTML_SIZE, "bytes", {OLDER: 350_000, NEWER: 500_000})},
    ChannelName.RCS: {"text": Limit(rcs.LENGTH, "characters", {OLDER: 3072, NEWER: 1024})},
}
"""Texts whose limit depends on the profile, by channel and key of the content."""


def text_limit(channel: ChannelName, content_type: str, profile: str) -> int | None:
    """Most characters of `content.text` after substitution; None if the API sets no such limit."""
    limit = LIMITS[channel].get("text")
    applies = channel is ChannelName.SMS or content_type == "text"
    return limit.by_profile[profile] if limit and applies else None
