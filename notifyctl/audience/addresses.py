"""Addresses: check their form, normalise two spellings of one address to the same key, and mask them for display.

An e-mail address is checked by rule 15; `phone_numbers` reads phone numbers, and `numbering` decides whether they exist.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from notifyctl.audience.email_spelling import clean, domain_to_ascii
from notifyctl.audience.numbering import has_no_trunk_zero, is_region
from notifyctl.audience.phone_numbers import parse_international, parse_number
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import WITH_PLUS

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
PLAIN_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
SEVERAL = re.compile(r":::|[;,|\s]")
"""What stands between several addresses in one cell."""
MAX_LOCAL, MAX_EMAIL = 64, 320
VISIBLE_DIGITS = 4
SHORT = 9
"""Characters of a number of which only the last two are shown."""


class Address(NamedTuple):
    """`key` is the same for every spelling of an address; `sent` is the spelling that is sent, without separators."""

    key: str
    sent: str


def email(text: str) -> Address:
    """Parse an e-mail address. The domain may be international; it is sent, and is in the key, in A-labels (RFC 5890).

    Raises ValueError with a sentence that does not contain the address.
    """
    sent = clean(text)
    if PLAIN_EMAIL.fullmatch(sent):
        return Address(sent.lower(), sent)
    local, at, domain = sent.rpartition("@")
    if not at or not local:
        raise ValueError("invalid email address: use name@domain")
    if sent.count("@") > 1 and SEVERAL.search(sent):
        raise ValueError("the cell has more than one address")
    if not LOCAL_PART.fullmatch(local) or local.startswith(".") or local.endswith(".") or ".." in local:
        raise ValueError("invalid email address: a character or dot before @ is not allowed there")
    labels = domain_to_ascii(domain)
    if not DOMAIN.fullmatch(labels):
        raise ValueError("invalid email address: the part after @ must be a domain name with a dot")
    if len(local.encode()) > MAX_LOCAL or len(local) + 1 + len(labels) > MAX_EMAIL:
        raise ValueError(
            f"invalid email address: the limit is {MAX_LOCAL} characters before @ and {MAX_EMAIL} in total"
        )
    return Address(unicodedata.normalize("NFC", f"{local}@{labels}".lower()), f"{local}@{labels}")


def parse_address(text: str, channel: ChannelName | None = None) -> Address:
    """Parse an address that begins with its country code, as the API reads it. Without a channel, a text with @ is an e-mail
    address. Raises ValueError with a sentence.
    """
    is_email = "@" in text if channel is None else channel is ChannelName.EMAIL
    if is_email:
        return email(text)
    number = parse_international(text)
    return Address(number.key, number.sent)


def parse_listed(text: str, region: str | None) -> Address:
    """Parse an address of an opt-out list. `region`: the country in which a number without + is read. Raises ValueError."""
    if "@" in text:
        return email(text)
    number = parse_number(text, region)
    return Address(number.key, number.sent)


class AddressColumn(NamedTuple):
    """A column of addresses. Where `errors` has the position of a cell that is no address, `keys` and `sent` hold nothing
    of use.
    """

    keys: Sequence[str]
    sent: Sequence[str]
    errors: dict[int, str]
    """Position → a sentence that does not contain the address."""
    readings: Counter[str]
    """How many phone numbers were read in which way: PhoneNumber.reading → numbers."""


def parse_emails(cells: Sequence[str]) -> AddressColumn:
    """Parse cells as `email` does each. Usual spellings, nearly all of most lists, are taken together."""
    keys, sent = list(map(str.lower, cells)), list(cells)
    errors: dict[int, str] = {}
    for position, match in enumerate(map(PLAIN_EMAIL.fullmatch, cells)):
        if match is None:
            try:
                keys[position], sent[position] = email(cells[position])
            except ValueError as error:
                errors[position] = str(error)
    return AddressColumn(keys, sent, errors, Counter())


def parse_numbers(cells: Sequence[str], regions: Sequence[str | None]) -> AddressColumn:
    """Parse cells as `parse_number` does each, in the region of the row. Plain numbers with + are taken together."""
    keys, sent = list(cells), list(cells)
    errors: dict[int, str] = {}
    readings: Counter[str] = Counter()
    for position, match in enumerate(map(PLAIN_NUMBER.fullmatch, cells)):
        if match is not None and has_no_trunk_zero(cells[position]):
            continue
        try:
            number = parse_number(cells[position], read_region(regions[position]))
        except ValueError as error:
            errors[position] = str(error)
        else:
            keys[position], sent[position], reading = number
            readings[reading] += 1
    readings[WITH_PLUS] += len(cells) - len(errors) - readings.total()
    return AddressColumn(keys, sent, errors, +readings)


def read_region(code: str | None) -> str | None:
    """Check a region from a cell or from the project. Raises ValueError."""
    region = code.strip().upper() if code else None
    if region and not is_region(region):
        raise ValueError(f'region "{code}" is not a country code of two letters; use for example GB or US')
    return region or None


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
