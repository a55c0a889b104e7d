"""Numbering plans: whether a phone number is possible, or valid, in its country, and what a national number means.

The metadata of the `phonenumbers` package is compiled to one regular expression per kind of number, for the calling codes
that occur: ten times as fast as the package, number by number. A few countries rewrite a national prefix in a way that
expressions do not describe; for such numbers the package itself is asked. It is imported with the first number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from notifyctl.model.project import Numbers

if TYPE_CHECKING:
    from phonenumbers import PhoneMetadata, PhoneNumberDesc

FEWEST_DIGITS = 7
"""Digits of a number in E.164 form (rule 14)."""
MAX_CODE_DIGITS = 3
"""Digits of a calling code."""
NOT_GEOGRAPHIC = "001"
NO_REGION = "ZZ"
"""What the package calls the region of a number whose own code says where it is."""
KINDS = (
    "premium_rate",
    "toll_free",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
    "fixed_line",
    "mobile",
)
"""Kinds of numbers in the metadata. A number is valid if it is of one of them."""


HELD_ANYWHERE = (
    "premium_rate",
    "toll_free",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
)
"""Kinds of numbers that do not tell where their holder is."""
FICTION = re.compile(r"\+44(?:7700900[0-9]{3}|20794600[0-9]{2})|\+1[2-9][0-9]{2}55501[0-9]{2}", re.ASCII)
"""Numbers that belong to nobody: Ofcom and the NANP keep them for drama and examples. Plans do not list them as valid."""


def is_fiction(number: str) -> bool:
    """Whether a number in E.164 form is of a range that is kept for fiction."""
    return FICTION.fullmatch(number) is not None


def is_valid(number: str) -> bool:
    """Whether a number in E.164 form is valid in its country's numbering plan."""
    verdict = decide(number, Numbers.VALID)
    return ask_library(number, Numbers.VALID) if verdict is None else verdict


def is_region(code: str) -> bool:
    """Whether an ISO 3166 code, in capitals, names a country with numbers of its own."""
    import phonenumbers

    return code in phonenumbers.SUPPORTED_REGIONS


def country_of(number: str) -> str | None:
    """The ISO 3166 code of the country of a number in E.164 form; None where it is not certain: calling codes of no country,
    numbers that the plan of a shared calling code does not list, and kinds that somebody anywhere may hold.
    """
    code = calling_code_of(number)
    if code is None:
        return None
    if code.digits == "44" and is_fiction(number):
        return "GB"
    national = (
        code.prefix.remove(number[code.skipped :]) if code.prefix is not None else number[code.skipped :]
    )
    return ask_library_for_country(number) if national is None else code.country(national)


def ask_library_for_country(number: str) -> str | None:
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    code = calling_code(str(parsed.country_code))
    return code.country(phonenumbers.national_significant_number(parsed)) if code is not None else None


def parse_national(digits: str, region: str) -> str | None:
    """A number in E.164 form, read as people of a region dial it; None if it is not possible there."""
    import phonenumbers

    try:
        number = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def has_no_trunk_zero(number: str) -> bool:
    """Whether no zero stands behind the country code of a number in E.164 form."""
    code = calling_code_of(number)
    return code is not None and not has_zero_behind_code(number, code)


def has_zero_behind_code(number: str, code: CallingCode) -> bool:
    return number[code.skipped : code.skipped + 1] == "0"


def remove_trunk_zero(number: str) -> str:
    """A number in E.164 form without a trunk zero behind its country code. Some countries have a zero there that stays; so does
    one of two, and one in a number too short without it: nobody can say what was meant.
    """
    code = calling_code_of(number)
    if code is None or code.prefix is None or not has_zero_behind_code(number, code):
        return number
    national = code.prefix.remove(number[code.skipped :])
    shorter = parse_national(number, NO_REGION) if national is None else f"+{code.digits}{national}"
    return shorter if shorter and has_no_trunk_zero(shorter) and len(shorter) > FEWEST_DIGITS else number


def find_numbers_outside_plans(keys: Sequence[str], numbers: Numbers) -> Iterator[tuple[int, str]]:
    """The positions of numbers in E.164 form that are not possible, or not valid, in their country, each with a sentence."""
    if numbers is Numbers.FORM:
        return
    for position, key in enumerate(keys):
        code = calling_code_of(key)
        if code is not None and numbers is Numbers.POSSIBLE and code.is_plainly_possible(key):
            continue
        verdict = code.decide(key[code.skipped :], numbers) if code is not None else False
        if not (ask_library(key, numbers) if verdict is None else verdict):
            yield position, f"invalid phone number: not {numbers.value} in its country's numbering plan"


def decide(number: str, numbers: Numbers) -> bool | None:
    """Whether a number in E.164 form is possible, or valid; None where only the library's own code can tell."""
    code = calling_code_of(number)
    return False if code is None else code.decide(number[code.skipped :], numbers)


def ask_library(number: str, numbers: Numbers) -> bool:
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return False
    if numbers is Numbers.VALID:
        return phonenumbers.is_valid_number(parsed)
    return phonenumbers.is_possible_number_with_reason(parsed) == phonenumbers.ValidationResult.IS_POSSIBLE


class NumberPattern:
    """National digits of certain lengths that match an expression. No lengths: any length."""

    def __init__(self, lengths: tuple[int, ...], expression: str) -> None:
        self.lengths = frozenset(lengths)
        self.expression = re.compile(expression, re.ASCII)

    def matches(self, digits: str) -> bool:
        return (not self.lengths or len(digits) in self.lengths) and bool(self.expression.fullmatch(digits))


class Region:
    """One of the regions that share a calling code."""

    def __init__(self, metadata: PhoneMetadata) -> None:
        self.country = metadata.id if metadata.id != NOT_GEOGRAPHIC else None
        """ISO 3166."""
        self.leading = re.compile(metadata.leading_digits, re.ASCII) if metadata.leading_digits else None
        """How its numbers begin, if that tells them from those of other regions."""
        self.general = next(patterns([metadata.general_desc]), None)
        self.kinds = list(patterns(getattr(metadata, kind) for kind in KINDS))
        self.held_anywhere = list(patterns(getattr(metadata, kind) for kind in HELD_ANYWHERE))

    def has(self, digits: str) -> bool:
        if self.general is None or not self.general.matches(digits):
            return False
        return any(kind.matches(digits) for kind in self.kinds)

    def holds(self, digits: str) -> bool:
        """Whether a number of this region is held by somebody there, as far as its kind tells."""
        for kind in self.held_anywhere:  # noqa: SIM110 - twice as fast as any() over a generator, for a million numbers
            if kind.matches(digits):
                return False
        return True


class NationalPrefix:
    """What precedes a number in domestic calls, such as the 0 in 0207. It is removed where it was kept by mistake."""

    def __init__(self, expression: str, general: PhoneNumberDesc, *, rewritten: bool) -> None:
        self.expression = re.compile(expression, re.ASCII)
        self.viable = re.compile(general.national_number_pattern or "", re.ASCII)
        """Matches whole numbers: removing the prefix must not turn a number that is one into one that is not."""
        self.possible = frozenset(general.possible_length)
        self.local = frozenset(general.possible_length_local_only)
        self.rewritten = rewritten
        """Whether the prefix is replaced by something else rather than removed."""

    def remove(self, digits: str) -> str | None:
        """National digits without the prefix; None where only the library's own code can tell."""
        match = self.expression.match(digits)
        if match is None:
            return digits
        if self.rewritten:
            return None
        rest = digits[match.end() :]
        fits = len(rest) in self.possible or len(rest) > max(self.possible)
        spoilt = self.viable.fullmatch(digits) and not self.viable.fullmatch(rest)
        return rest if fits and len(rest) not in self.local and not spoilt else digits


class CallingCode:
    """A calling code such as 44, and the regions that share it."""

    def __init__(self, digits: str, regions: list[PhoneMetadata]) -> None:
        general = regions[0].general_desc
        assert general is not None, "the metadata of each main region has a general description"
        prefix = regions[0].national_prefix_for_parsing
        self.digits = digits
        self.skipped = 1 + len(digits)
        """Characters before the national digits of a number in E.164 form."""
        self.lengths = frozenset(general.possible_length)
        """Without those that can be dialled within a town only."""
        self.regions = [Region(each) for each in regions]
        self.prefix = (
            NationalPrefix(prefix, general, rewritten=bool(regions[0].national_prefix_transform_rule))
            if prefix
            else None
        )

    def is_plainly_possible(self, number: str) -> bool:
        """Whether a number in E.164 form is possible without a look at national prefixes: none stands in it."""
        national = number[self.skipped :]
        prefixed = self.prefix is not None and self.prefix.expression.match(national)
        return not prefixed and len(national) in self.lengths

    def decide(self, digits: str, numbers: Numbers) -> bool | None:
        """`digits`: those behind the calling code."""
        national = self.prefix.remove(digits) if self.prefix is not None else digits
        if national is None:
            return None
        if numbers is Numbers.POSSIBLE:
            return len(national) in self.lengths
        region = self.region(national)
        if region is None:
            return False
        found_by_having = region.leading is None and len(self.regions) > 1
        return found_by_having or region.has(national)

    def country(self, national: str) -> str | None:
        """The country of a number by its national digits, where it is certain."""
        region = self.region(national)
        return region.country if region is not None and region.holds(national) else None

    def region(self, national: str) -> Region | None:
        """As in the library: the first region whose leading digits match, or the first that has such numbers."""
        if len(self.regions) == 1:
            return self.regions[0]
        for region in self.regions:
            if region.leading.match(national) if region.leading is not None else region.has(national):
                return region
        return None


def calling_code_of(number: str) -> CallingCode | None:
    """The calling code with which a number begins. No code is the beginning of another."""
    return calling_code_in(number[1 : MAX_CODE_DIGITS + 1])


@cache
def calling_code_in(start: str) -> CallingCode | None:
    """The calling code with which some digits begin."""
    if start[:1] == "0":
        return None
    for size in range(1, MAX_CODE_DIGITS + 1):
        code = calling_code(start[:size])
        if code is not None:
            return code
    return None


@cache
def calling_code(digits: str) -> CallingCode | None:
    """The metadata of a calling code, if there is such a code."""
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

    names = COUNTRY_CODE_TO_REGION_CODE.get(int(digits)) if digits.isdecimal() else None
    if not names or str(int(digits)) != digits:
        return None
    regions = [
        PhoneMetadata.metadata_for_nongeo_region(int(digits), None)
        if name == NOT_GEOGRAPHIC
        else PhoneMetadata.metadata_for_region(name, None)
        for name in names
    ]
    return CallingCode(digits, [region for region in regions if region is not None])


def patterns(descriptions: Iterable[PhoneNumberDesc | None]) -> Iterator[NumberPattern]:
    """One pattern for all descriptions with the same lengths."""
    by_lengths: dict[tuple[int, ...], list[str]] = {}
    for description in descriptions:
        if description is not None and description.national_number_pattern:
            expressions = by_lengths.setdefault(tuple(description.possible_length), [])
            expressions.append(description.national_number_pattern)
    for lengths, expressions in by_lengths.items():
        joined = "|".join(f"(?:{expression})" for expression in dict.fromkeys(expressions))
        yield NumberPattern(lengths, joined)
