"""Addresses: check their form, normalise two spellings of one address to the same key, and mask them for display.

A phone number is checked for its E.164 form, 7 to 15 digits without a leading 0 (rule 14); an e-mail address by rule 15.
Whether a number exists in its country's numbering plan is decided in `numbering`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from notifyctl.model.project import ChannelName

TRUNK = re.compile(r"^([^0-9]*(?:00)?[1-9][0-9]{0,2}[^0-9]*)\(0\)")
"""A trunk zero in brackets behind the country code. Elsewhere in a number, a zero in brackets is one of its digits."""
SEPARATORS = re.compile(r"[\s.\-/()\u00a0\u2010-\u2015]+")
MSISDN = re.compile(r"\+?[1-9][0-9]{6,14}", re.ASCII)
PLAIN_EMAIL = re.compile(
    r"[A-Za-z0-9_+-]{1,32}(?:\.[A-Za-z0-9_+-]{1,15}){0,2}"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?\.){1,5}[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])"
)
"""The usual e-mail addresses: valid, within all limits, and normalised by lower case alone."""
LOCAL_PART = re.compile(r"[^\s@\"(),:;<>\[\\\]\x00-\x1f\x7f]+")
DOMAIN = re.compile(
    r"(?=.{1,255}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])",
    re.IGNORECASE,
)
MAX_LOCAL, MAX_EMAIL = 64, 320
VISIBLE_DIGITS = 4
SHORT = 9
"""Characters of a number of which only the last two are shown."""


class Address(NamedTuple):
    """`key` is the same for every spelling of an address; `sent` is the spelling that is sent, without separators."""

    key: str
    sent: str


def msisdn(text: str) -> Address:
    """Parse a phone number. Raises ValueError with a sentence that does not contain the number.

    A leading `00` means `+`. Separators and a trunk zero in brackets behind the country code, `+44 (0)`, are removed. A
    number without `+` is taken to begin with its country code, as the API does, and is sent without `+`.
    """
    if MSISDN.fullmatch(text):
        return Address(number_key(text), text)
    digits = SEPARATORS.sub("", TRUNK.sub(r"\1", text.strip()))
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    if not MSISDN.fullmatch(digits):
        raise ValueError(describe_bad_number(digits))
    return Address(number_key(digits), digits)


def number_key(text: str) -> str:
    return text if text[0] == "+" else "+" + text


def describe_bad_number(text: str) -> str:
    digits = text.removeprefix("+")
    if not digits.isascii() or not digits.isdigit():
        return "a number has only digits, a leading + and separators"
    if digits.startswith("0"):
        return "a number begins with its country code, such as +44, and not with 0"
    return f"a number has 7 to 15 digits, not {len(digits)}"


def email(text: str) -> Address:
    """Parse an e-mail address. The domain may be international; the key has its A-labels (RFC 5890).

    Raises ValueError with a sentence that does not contain the address.
    """
    sent = text.strip()
    if PLAIN_EMAIL.fullmatch(sent):
        return Address(sent.lower(), sent)
    local, at, domain = sent.rpartition("@")
    if not at or not local:
        raise ValueError("an e-mail address has the form name@domain")
    if not LOCAL_PART.fullmatch(local) or local.startswith(".") or local.endswith(".") or ".." in local:
        raise ValueError("the part before @ has a character or a dot where none may stand")
    labels = a_labels(domain)
    if not DOMAIN.fullmatch(labels):
        raise ValueError("the part after @ is no domain name with a dot in it")
    if len(local.encode()) > MAX_LOCAL or len(local) + 1 + len(labels) > MAX_EMAIL:
        raise ValueError(f"an address has at most {MAX_LOCAL} characters before @ and {MAX_EMAIL} in all")
    return Address(f"{local}@{labels}".lower(), sent)


def a_labels(domain: str) -> str:
    """A domain in ASCII. Raises ValueError."""
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise ValueError("the part after @ cannot be written as an international domain name") from error


def parse_address(text: str, channel: ChannelName | None = None) -> Address:
    """Parse an address of a channel. Without one, a text with @ is an e-mail address. Raises ValueError with a sentence."""
    is_email = "@" in text if channel is None else channel is ChannelName.EMAIL
    return email(text) if is_email else msisdn(text)


class AddressColumn(NamedTuple):
    """A column of addresses. Where `errors` has the position of a cell that is no address, `keys` and `sent` hold nothing
    of use.
    """

    keys: Sequence[str]
    sent: Sequence[str]
    errors: dict[int, str]
    """Position → a sentence that does not contain the address."""


def parse_column(cells: Sequence[str], channel: ChannelName) -> AddressColumn:
    """Parse cells as `msisdn` or `email` does each. Cells in a usual spelling, nearly all of most lists, are taken together."""
    is_usual: Callable[[str], object]
    if channel is ChannelName.EMAIL:
        parse, is_usual, keys = email, PLAIN_EMAIL.fullmatch, list(map(str.lower, cells))
    else:
        parse, is_usual = msisdn, MSISDN.fullmatch
        keys = [cell if cell[:1] == "+" else "+" + cell for cell in cells]
    sent = list(cells)
    errors: dict[int, str] = {}
    for position, match in enumerate(map(is_usual, cells)):
        if match is not None:
            continue
        try:
            keys[position], sent[position] = parse(cells[position])
        except ValueError as error:
            errors[position] = str(error)
    return AddressColumn(keys, sent, errors)


def find_without_plus(destinations: Sequence[str]) -> Iterator[int]:
    """Where a number, as it is sent, has no + before it."""
    yield from (at for at, sent in enumerate(destinations) if "@" not in sent and not sent.startswith("+"))


def mask(address: str) -> str:
    """An address as it is displayed: +44•••••0123, a•••@acme.example. Never enough to reach somebody."""
    local, at, domain = address.rpartition("@")
    if at:
        return f"{local[:1]}•••@{domain}"
    if len(address) <= SHORT:
        return "•" * max(len(address) - 2, 0) + address[-2:]
    prefix = 3 if address.startswith("+") else 2
    hidden = len(address) - prefix - VISIBLE_DIGITS
    return address[:prefix] + "•" * hidden + address[-VISIBLE_DIGITS:]
