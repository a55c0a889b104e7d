"""Reads a phone number as people and spreadsheets write it. What is not certain is refused: a clean-up must never turn one
number into another.

A number with + or 00 is international. One without is read in its region, if a region is known; otherwise only if it is a
valid international number that somebody wrote without the +.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from notifyctl.audience.invisible_characters import JOINERS, is_invisible, name_of, to_usual_width
from notifyctl.audience.numbering import (
    FEWEST_DIGITS,
    is_fiction,
    is_valid,
    parse_national,
    remove_trunk_zero,
)
from notifyctl.model.recipients import WITH_PLUS, WITHOUT_PLUS

MSISDN = re.compile(r"\+?[1-9][0-9]{6,14}", re.ASCII)
"""A number in its plain form: E.164 (rule 14), with or without the +."""
SEPARATORS = " .-/()"
DASHES = re.compile("[\u2010-\u2015\u2212]")
TRUNK_IN_BRACKETS = re.compile(r"^((?:\+|00)[1-9][0-9]{0,2}[ .-]*)\(0\)")
"""A trunk zero behind the country code. Elsewhere a zero in brackets is a digit of the number."""
ANY_TRUNK_IN_BRACKETS = re.compile(r"^([1-9][0-9]{0,2}[ .-]*)?\(0\)")
DECIMAL = re.compile(r"(\+?[0-9]{7,15})\.0{1,2}")
"""A whole number as a spreadsheet or a column of floating-point numbers writes it."""
FRACTION = re.compile(r"\+?[0-9]+[.,][0-9]*")
EXPONENT = re.compile(r"[0-9](?:[.,]([0-9]+))?[eE]\+?([0-9]{1,2})")
SEVERAL = re.compile(r":::|[;,|\n]|\+.*\+|[0-9] +(?:or|and) +[+0-9]")
GROUPS = re.compile(r"[0-9]+")
WHOLE = 10
"""Digits of a group that is a number by itself: what follows it is a note or an extension."""
PAIR = 2
MOST_DIGITS = 15


class PhoneNumber(NamedTuple):
    """`key` is the E.164 form with +, the same for each spelling. `sent` is the form that is sent. `reading` says how the country
    was found: WITH_PLUS, WITHOUT_PLUS, or the region whose national number it is.
    """

    key: str
    sent: str
    reading: str


def parse_international(text: str) -> PhoneNumber:
    """Parse a number that begins with its country code, with or without +, as the API reads it.

    Raises ValueError with a sentence that does not contain the number.
    """
    digits = clean(text)[0]
    return international(digits if digits[0] == "+" else "+" + digits, digits)


def parse_number(text: str, region: str | None = None) -> PhoneNumber:
    """Parse a number of an audience or an opt-out list. `region`: ISO 3166 code of the country in which a number without + is
    read.

    Raises ValueError with a sentence that does not contain the number.
    """
    digits, bracketed = clean(text)
    if digits[0] == "+":
        return international(digits, digits)
    if region is not None:
        national = parse_national(digits, region)
        if national is not None:
            return PhoneNumber(national, national, region)
    if digits[0] == "0":
        raise ValueError(
            "invalid phone number: start with + and the country code, not with 0; or set `region`"
        )
    key = "+" + digits
    if bracketed or not (is_valid(key) or is_fiction(key)):
        raise ValueError(
            f"invalid phone number: without + it is not a valid international number{f', or a number of {region}' if region else ''};"
            " start it with + and the country code, or set `region`"
        )
    return international(key, digits)._replace(reading=WITHOUT_PLUS)


def international(key: str, sent: str) -> PhoneNumber:
    """`key`: with +. A trunk zero behind the country code goes."""
    if not MSISDN.fullmatch(key):
        raise ValueError(describe(key))
    without = remove_trunk_zero(key)
    return PhoneNumber(without, sent if without == key else without, WITH_PLUS)


def clean(text: str) -> tuple[str, bool]:
    """The digits, behind + if it is international, and whether brackets stood in it. Raises ValueError."""
    if MSISDN.fullmatch(text):
        return text, False
    plain = to_ascii(text)
    if SEVERAL.search(plain) and sum(map(len, GROUPS.findall(plain))) > MOST_DIGITS - 1:
        raise ValueError("the cell has more than one number")
    if strange := next((each for each in plain if not (each.isascii() and each.isprintable())), None):
        raise ValueError(describe(strange))
    whole = undo_number_format(plain)
    if whole is not None:
        return plus_for_zeros(whole), False
    bracketed = "(" in plain
    grouped = ANY_TRUNK_IN_BRACKETS.sub(r"\1", TRUNK_IN_BRACKETS.sub(r"\1", plain))
    refuse_odd_groups(grouped)
    digits = plus_for_zeros(re.sub(r"[ .\-/()]+", "", grouped))
    if not re.fullmatch(r"\+?[0-9]{7,15}", digits):
        raise ValueError(describe(digits))
    return digits, bracketed and "(0)" not in plain


def plus_for_zeros(digits: str) -> str:
    """00 in front means +."""
    return "+" + digits[2:] if digits.startswith("00") else digits


def to_ascii(text: str) -> str:
    """The text with ASCII digits, blanks and dashes, without invisible characters: phones put some around a number that is copied."""
    characters = []
    for character in text.strip():
        category = unicodedata.category(character)
        if character in JOINERS or is_invisible(character):
            continue
        if category == "Nd":
            characters.append(str(unicodedata.digit(character)))
        elif category == "Zs" or character == "\t":
            characters.append(" ")
        else:
            characters.append(to_usual_width(character))
    return DASHES.sub("-", "".join(characters)).strip()


def undo_number_format(text: str) -> str | None:
    """The digits of a number that a program wrote as a decimal number; None if it did not. Raises ValueError where digits are
    lost.
    """
    if match := DECIMAL.fullmatch(text):
        return match[1]
    if match := EXPONENT.fullmatch(text):
        if len(match[1] or "") != int(match[2]):
            raise ValueError("the number has an exponent and has lost digits; format the column as text")
        return text[0] + (match[1] or "")
    if FRACTION.fullmatch(text) and len(text.partition(".")[0]) > PAIR + FEWEST_DIGITS:
        raise ValueError("invalid phone number: it is a decimal number; format the column as text")
    return None


def refuse_odd_groups(text: str) -> None:
    """Raises ValueError where the last group may be a note, an extension, or the other end of a range."""
    groups = GROUPS.findall(text)
    separators = re.split(r"[0-9]+", text)
    if len(groups) < PAIR:
        return
    last, before = groups[-1], groups[-2]
    tail = separators[-2]
    reason = "the end of the number looks like an extension or a note: remove it"
    body = groups[1:-1] if text.lstrip("( ").startswith("+") else groups[:-1]
    single = len(last) == 1 and (not body or any(len(group) > 1 for group in body))
    if single or ")" in separators[-1] or any(len(group) >= WHOLE for group in groups[:-1]):
        raise ValueError(reason)
    if "/" in tail and len(last) <= PAIR + 1:
        raise ValueError(reason)
    if len(last) == PAIR and len(before) > PAIR + PAIR:
        raise ValueError(reason)


def describe(text: str) -> str:
    """Why digits, perhaps behind +, are no number."""
    digits = text.removeprefix("+")
    if odd := next((each for each in digits if not ("0" <= each <= "9")), None):
        what = repr(odd) if odd.isprintable() and odd.isascii() else name_of(odd)
        return f"invalid phone number: use digits, separators and a leading +, not {what}"
    if digits.startswith("0"):
        return "invalid phone number: start with the country code, for example +44, not with 0"
    return f"invalid phone number: it must have {FEWEST_DIGITS} to {MOST_DIGITS} digits, not {len(digits)}"
