"""Addresses: checked for form, normalised to what makes two spellings one person, and masked for display.

An MSISDN is checked for its E.164 shape, 7 to 15 digits without a leading 0 (rule 14); e-mail by rule 15. Whether a
number is possible or valid in its country is asked of `phonenumbers`, an extra, only where an audience wants it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from notifyctl.model.project import Numbers

TRUNK = re.compile(r"^([^0-9]*(?:00)?[1-9][0-9]{0,2}[^0-9]*)\(0\)")
"""Elsewhere in a number, brackets around a zero are brackets around a digit of it."""
SEPARATORS = re.compile(r"[\s.\-/()\u00a0\u2010-\u2015]+")
MSISDN = re.compile(r"\+?[1-9][0-9]{6,14}", re.ASCII)
LOCAL_PART = re.compile(r"[^\s@\"(),:;<>\[\\\]\x00-\x1f\x7f]+")
DOMAIN = re.compile(
    r"(?=.{1,255}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])",
    re.IGNORECASE,
)
MAX_LOCAL, MAX_EMAIL = 64, 320
SHOWN_DIGITS = 4
ONLY_DIGITS = "a number has only digits, a leading + and separators"
COUNTRY_FIRST = "a number begins with its country code, such as +44, and not with 0"
NAME_AT_DOMAIN = "an e-mail address has the form name@domain"
SHORT = 9


class Address(NamedTuple):
    """`key` is the same for every spelling of an address; `sent` is the author's, cleaned."""

    key: str
    sent: str


def msisdn(text: str) -> Address:
    """Raises ValueError with a sentence that holds no address.

    `00` in front means `+`; separators and a trunk zero in brackets behind the country code, `+44 (0)`, are left out. A number without + is taken to
    begin with its country code, as the API takes it, and is sent without +.
    """
    if MSISDN.fullmatch(text):
        return Address(text if text[0] == "+" else "+" + text, text)  # most rows of most lists
    bare = SEPARATORS.sub("", TRUNK.sub(r"\1", text.strip()))
    if bare.startswith("00"):
        bare = "+" + bare[2:]
    if not MSISDN.fullmatch(bare):
        raise ValueError(why_no_msisdn(bare))
    return Address("+" + bare.removeprefix("+"), bare)


def why_no_msisdn(bare: str) -> str:
    digits = bare.removeprefix("+")
    if not digits.isascii() or not digits.isdigit():
        return ONLY_DIGITS
    if digits.startswith("0"):
        return COUNTRY_FIRST
    return f"a number has 7 to 15 digits, not {len(digits)}"


def email(text: str) -> Address:
    """Raises ValueError with a sentence that holds no address. The domain may be international; the key has A-labels."""
    sent = text.strip()
    local, at, domain = sent.rpartition("@")
    if not at or not local:
        raise ValueError(NAME_AT_DOMAIN)
    if not LOCAL_PART.fullmatch(local) or local.startswith(".") or local.endswith(".") or ".." in local:
        raise ValueError("the part before @ has a character or a dot where none may stand")
    labels = a_labels(domain)
    if not DOMAIN.fullmatch(labels):
        raise ValueError("the part after @ is no domain name with a dot in it")
    if len(local.encode()) > MAX_LOCAL or len(local) + 1 + len(labels) > MAX_EMAIL:
        raise ValueError(f"an address has at most {MAX_LOCAL} characters before @ and {MAX_EMAIL} in all")
    return Address(f"{local}@{labels}".lower(), sent)


def a_labels(domain: str) -> str:
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise ValueError("the part after @ cannot be written as an international domain name") from error


def plausible(address: Address, numbers: Numbers) -> None:
    """Ask the numbering plans, where an audience wants more than form. Raises ValueError, or SettingsError."""
    if numbers is Numbers.FORM:
        return
    from notifyctl.audience.numbering import verdict

    good = verdict(address.key, numbers)
    if good is None:
        import phonenumbers

        test = phonenumbers.is_valid_number if numbers is Numbers.VALID else phonenumbers.is_possible_number
        try:
            good = test(phonenumbers.parse(address.key))
        except phonenumbers.NumberParseException:
            good = False
    if not good:
        raise ValueError(f"the number is not {numbers.value} in its country's numbering plan")


def mask(address: str) -> str:
    """An address as it is shown: +44•••••0123, a•••@acme.example. Never enough to reach somebody."""
    local, at, domain = address.rpartition("@")
    if at:
        return f"{local[:1]}•••@{domain}"
    if len(address) <= SHORT:
        return "•" * max(len(address) - 2, 0) + address[-2:]
    shown = 3 if address.startswith("+") else 2
    return address[:shown] + "•" * (len(address) - shown - SHOWN_DIGITS) + address[-SHOWN_DIGITS:]
