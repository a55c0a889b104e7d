"""The keys that the first rules of identity made of addresses. Ledgers of that time know people by them, so both keys are
looked up: an upgrade sends nothing twice, and who had opted out stays so.

These are the rules as they were. They must never be changed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from notifyctl.model.project import ChannelName

TRUNK = re.compile(r"^([^0-9]*(?:00)?[1-9][0-9]{0,2}[^0-9]*)\(0\)")
SEPARATORS = re.compile(r"[\s.\-/()\u00a0\u2010-\u2015]+")
MSISDN = re.compile(r"\+?[1-9][0-9]{6,14}", re.ASCII)
LOCAL_PART = re.compile(r"[^\s@\"(),:;<>\[\\\]\x00-\x1f\x7f]+")
DOMAIN = re.compile(
    r"(?=.{1,255}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])",
    re.IGNORECASE,
)
MAX_LOCAL, MAX_EMAIL = 64, 320

FormerKeys = Sequence[tuple[str, str]]
"""(key, former key) of addresses whose former key is another one. A key may stand in it with several."""


def former_key(text: str, channel: ChannelName | None = None) -> str | None:
    """The key that the first rules made of an address; None of what they refused."""
    is_email = "@" in text if channel is None else channel is ChannelName.EMAIL
    return former_email_key(text) if is_email else former_number_key(text)


def former_number_key(text: str) -> str | None:
    digits = SEPARATORS.sub("", TRUNK.sub(r"\1", text.strip()))
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    return "+" + digits.removeprefix("+") if MSISDN.fullmatch(digits) else None


def former_email_key(text: str) -> str | None:
    local, _, domain = text.strip().rpartition("@")
    if not LOCAL_PART.fullmatch(local) or local.startswith(".") or local.endswith(".") or ".." in local:
        return None
    try:
        labels = domain if domain.isascii() else domain.encode("idna").decode("ascii")
        length = len(local.encode())
    except UnicodeError:
        return None
    if not DOMAIN.fullmatch(labels) or length > MAX_LOCAL or len(local) + 1 + len(labels) > MAX_EMAIL:
        return None
    return f"{local}@{labels}".lower()


def find_former_keys(
    cells: Sequence[str], keys: Sequence[str], errors: Collection[int], channel: ChannelName
) -> Iterator[tuple[str, str]]:
    """As FormerKeys, for the cells that keys were made of but at the positions of `errors`."""
    for position, (cell, key) in enumerate(zip(cells, keys, strict=True)):
        # Nearly all cells are their own key, by both rules.
        if cell != key and key[1:] != cell and cell.lower() != key and position not in errors:
            former = former_key(cell, channel)
            if former is not None and former != key:
                yield key, former


def known_keys(text: str, key: str, channel: ChannelName | None = None) -> list[str]:
    """The keys that a ledger may know an address by: its own and the former one, if that is another."""
    former = former_key(text, channel)
    return [key] if former is None or former == key else [key, former]
