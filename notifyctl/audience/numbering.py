"""The numbering plans of all countries as expressions: what libphonenumber finds out number by number, for many at once.

Compiled from the metadata of the `phonenumbers` package, for the calling codes that occur. A few countries write what begins with
a national prefix in another way abroad; of such numbers both forms say nothing, and the package itself is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from notifyctl.engine import literal
from notifyctl.errors import SettingsError
from notifyctl.model.project import Numbers

if TYPE_CHECKING:
    from phonenumbers import PhoneMetadata, PhoneNumberDesc

LONGEST_CODE = 3
"""Digits of a calling code at most."""
NOT_GEOGRAPHIC = "001"
TYPES = (
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
"""Kinds of numbers in the metadata. A number is valid when it is of one of them."""


class Form(Struct, frozen=True):
    """Digits of certain lengths that match a pattern; no lengths: of any."""

    lengths: tuple[int, ...]
    pattern: str

    def sql(self, digits: str) -> str:
        matching = f"regexp_full_match({digits}, {literal(self.pattern)})"
        return f"(length({digits}) IN {in_list(self.lengths)} AND {matching})" if self.lengths else matching

    def test(self) -> Callable[[str], bool]:
        lengths, match = frozenset(self.lengths), re.compile(self.pattern, re.ASCII).fullmatch
        return lambda digits: (not lengths or len(digits) in lengths) and match(digits) is not None


class Region(Struct, frozen=True):
    """One of those that share a calling code. `leading`: what its numbers begin with, if that tells them from others'."""

    leading: str | None
    general: Form | None
    kinds: tuple[Form, ...]

    def sql(self, digits: str) -> str:
        if self.general is None or not self.kinds:
            return "false"
        kinds = " OR ".join(kind.sql(digits) for kind in self.kinds)
        return f"({self.general.sql(digits)} AND ({kinds}))"

    def test(self) -> Callable[[str], bool]:
        if self.general is None:
            return lambda _: False
        general, kinds = self.general.test(), [kind.test() for kind in self.kinds]
        return lambda digits: general(digits) and any(kind(digits) for kind in kinds)


class Prefix(Struct, frozen=True):
    """What a number may begin with at home, and is taken off where it was kept by mistake. `rewritten`: not just taken off."""

    pattern: str
    viable: str
    """A pattern for whole numbers: what was one stays one."""
    possible: tuple[int, ...]
    local: tuple[int, ...]
    rewritten: bool

    @property
    def start(self) -> str:
        return f"^(?:{self.pattern})"

    def sql(self, digits: str) -> str:
        """The digits without it; NULL where that is not known."""
        begins = f"regexp_matches({digits}, {literal(self.start)})"
        if self.rewritten:
            return f"CASE WHEN {begins} THEN NULL ELSE {digits} END"
        rest = f"regexp_replace({digits}, {literal(self.start)}, '')"
        spoilt = " AND ".join(
            f"{no}regexp_full_match({each}, {literal(self.viable)})"
            for no, each in (("", digits), ("NOT ", rest))
        )
        fits = f"(length({rest}) IN {in_list(self.possible)} OR length({rest}) > {max(self.possible)})"
        local = f"length({rest}) IN {in_list(self.local)}"
        return (
            f"CASE WHEN {begins} AND NOT ({spoilt}) AND {fits} AND NOT {local} THEN {rest} ELSE {digits} END"
        )

    def test(self) -> Callable[[str], str | None]:
        begins, viable = re.compile(self.pattern, re.ASCII).match, re.compile(self.viable, re.ASCII).fullmatch

        def without(digits: str) -> str | None:
            found = begins(digits)
            if found is None:
                return digits
            if self.rewritten:
                return None
            rest = digits[found.end() :]
            fits = len(rest) in self.possible or len(rest) > max(self.possible)
            spoilt = viable(digits) and not viable(rest)
            return rest if fits and len(rest) not in self.local and not spoilt else digits

        return without


class Code(Struct, frozen=True, dict=True):
    """A calling code, and the regions that share it. `lengths`: those that are possible, near by too."""

    digits: str
    prefix: Prefix | None
    lengths: tuple[int, ...]
    regions: tuple[Region, ...]

    def sql(self, digits: str, numbers: Numbers) -> str:
        """Whether a number is sound, of whose digits the code is taken off. NULL gives NULL."""
        if numbers is Numbers.POSSIBLE:
            return f"length({digits}) IN {in_list(self.lengths)}"
        if len(self.regions) == 1:
            return self.regions[0].sql(digits)
        # The region is the first whose beginning fits, or which has such numbers.
        cases = " ".join(
            f"WHEN regexp_matches({digits}, {literal(f'^(?:{region.leading})')}) THEN {region.sql(digits)}"
            if region.leading is not None
            else f"WHEN {region.sql(digits)} THEN true"
            for region in self.regions
        )
        return f"CASE WHEN {digits} IS NULL THEN NULL {cases} ELSE false END"

    @cached_property
    def without_prefix(self) -> Callable[[str], str | None]:
        return self.prefix.test() if self.prefix is not None else lambda digits: digits

    @cached_property
    def tests(self) -> Sequence[tuple[Callable[[str], object] | None, Callable[[str], bool]]]:
        alone = len(self.regions) == 1
        return [
            (
                re.compile(region.leading, re.ASCII).match
                if region.leading is not None and not alone
                else None,
                region.test(),
            )
            for region in self.regions
        ]

    def verdict(self, digits: str, numbers: Numbers) -> bool | None:
        found = self.without_prefix(digits)
        if found is None:
            return None
        if numbers is Numbers.POSSIBLE:
            return len(found) in self.lengths
        for leading, test in self.tests:
            if leading is not None:
                if leading(found):
                    return test(found)
            elif test(found):
                return True
        return False


def verdict(number: str, numbers: Numbers) -> bool | None:
    """Whether a number in E.164 form is possible, or valid; None where only libphonenumber's own code can say. Raises
    SettingsError where the metadata is not installed.
    """
    known = code_of(number)
    return False if known is None else known.verdict(number[1 + len(known.digits) :], numbers)


def verdicts_sql(relation: str, number: str, numbers: Numbers, beginnings: Iterable[str]) -> Iterator[str]:
    """The same in SQL: queries that together give each row of a relation once, with `sound`. `number`: its column;
    `beginnings`: the first characters of all numbers there are, the + and LONGEST_CODE digits. It is fast where the relation
    is in the order of its numbers.
    """
    found = {beginning: code_of(beginning) for beginning in beginnings}
    unknown = [literal(beginning) for beginning, code in found.items() if code is None]
    if unknown:
        test = f"{number}[1:{LONGEST_CODE + 1}] IN ({', '.join(unknown)})"
        yield f"SELECT *, false AS sound FROM {relation} WHERE {test}"  # noqa: S608 - literals
    # One query for each calling code: a CASE over all of them would try each on every handful of rows.
    for name, code in sorted({code.digits: code for code in found.values() if code is not None}.items()):
        digits = f"substr({number}, {len(name) + 2})"
        plain = code.prefix.sql(digits) if code.prefix is not None else digits
        sound = code.sql("digits", numbers)
        test = f"{number} >= '+{name}' AND {number} < '+{name[:-1]}{chr(ord(name[-1]) + 1)}'"
        rows = f"SELECT *, {plain} AS digits FROM {relation} WHERE {test}"  # noqa: S608 - literals
        yield f"SELECT * EXCLUDE (digits), {sound} AS sound FROM ({rows})"  # noqa: S608 - literals


def code_of(number: str) -> Code | None:
    """The calling code that a number begins with. No code is the beginning of another."""
    if number[1:2] == "0":
        return None
    for size in range(1, LONGEST_CODE + 1):
        found = code(number[1 : size + 1])
        if found is not None:
            return found
    return None


@cache
def code(digits: str) -> Code | None:
    """The metadata of a calling code, if there is such a one."""
    try:
        from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata
    except ImportError as error:
        raise SettingsError(
            "`numbers: possible` and `numbers: valid` need the numbering plans of all countries",
            hint="pip install 'notifyctl[phone]'",
        ) from error
    regions = COUNTRY_CODE_TO_REGION_CODE.get(int(digits)) if digits.isdecimal() else None
    if not regions or str(int(digits)) != digits:
        return None
    found = [
        PhoneMetadata.metadata_for_nongeo_region(int(digits), None)
        if region == NOT_GEOGRAPHIC
        else PhoneMetadata.metadata_for_region(region, None)
        for region in regions
    ]
    main = found[0]
    assert main is not None, "a calling code has a main region"
    general = main.general_desc
    assert general is not None, "and each region a general form"
    return Code(
        digits,
        prefix_of(main, general),
        (*general.possible_length, *general.possible_length_local_only),
        tuple(region_of(each) for each in found if each is not None),
    )


def prefix_of(metadata: PhoneMetadata, general: PhoneNumberDesc) -> Prefix | None:
    pattern = metadata.national_prefix_for_parsing
    if not pattern:
        return None
    return Prefix(
        pattern,
        general.national_number_pattern or "",
        tuple(general.possible_length),
        tuple(general.possible_length_local_only),
        bool(metadata.national_prefix_transform_rule),
    )


def region_of(metadata: PhoneMetadata) -> Region:
    by_lengths: dict[tuple[int, ...], list[str]] = {}
    for form in forms(getattr(metadata, name) for name in TYPES):
        by_lengths.setdefault(form.lengths, []).append(form.pattern)
    kinds = tuple(
        Form(lengths, "|".join(f"(?:{pattern})" for pattern in dict.fromkeys(patterns)))
        for lengths, patterns in by_lengths.items()
    )
    return Region(metadata.leading_digits, next(forms([metadata.general_desc]), None), kinds)


def forms(descriptions: Iterable[PhoneNumberDesc | None]) -> Iterator[Form]:
    for each in descriptions:
        if each is not None and each.national_number_pattern:
            yield Form(tuple(each.possible_length), each.national_number_pattern)


def in_list(lengths: Sequence[int]) -> str:
    return f"({', '.join(map(str, sorted(set(lengths))))})" if lengths else "(-1)"
