"""Follows one address through an audience: the rows that hold it and what became of each, or the rows that come nearest."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum
from string import ascii_lowercase, digits

from msgspec import Struct

from notifyctl.audience.addresses import AddressColumn, mask, parse_emails, parse_numbers
from notifyctl.audience.compression import opener
from notifyctl.audience.former_addresses import former_key
from notifyctl.audience.recipients import RecipientReader, Rows, Rules
from notifyctl.audience.source import Reader
from notifyctl.diagnostics import Location
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import RowOrigin, RowRejection
from notifyctl.ports import FileTree

SEPARATORS = re.compile(r"[\s().\-/\u00a0\u2010-\u2015]+")
"""What somebody leaves out or puts in who types an address from memory."""
SAME_END = 7
"""Digits at the end of two numbers that are probably one, written in different ways."""
MOST_NEAR = 3
EMAIL_LETTERS = ascii_lowercase + digits + ".-_+@"


class RowOutcome(StrEnum):
    """What became of a row that holds the address."""

    RECIPIENT = "recipient"
    FILTERED = "filtered"  # by `where`
    DUPLICATE = "duplicate-address"
    REJECTED = "rejected"


class TracedRow(Struct, frozen=True):
    """A row with the address. `detail`: why it is rejected or a duplicate, without the address. `key`: the normalised address of a
    recipient.
    """

    location: Location
    label: str
    outcome: RowOutcome
    detail: str = ""
    locale: str | None = None
    timezone: str | None = None
    suppression: str | None = None
    """Why the recipient is not sent to, as a plan's reason."""
    fallback: str | None = None
    """Likewise of an SMS in place of the message."""
    former_keys: tuple[str, ...] = ()
    key: str = ""


class NearRow(Struct, frozen=True):
    """A row whose address is nearly the one that was asked for; `address` is masked."""

    location: Location
    label: str
    address: str


class Trace(Struct, frozen=True):
    """`total`: rows of the audience. `broken`: rows that cannot be read, any of which may hold the address, the first at
    `first_broken`. `near`: only if no row holds the address.
    """

    rows: tuple[TracedRow, ...] = ()
    total: int = 0
    broken: int = 0
    first_broken: Location | None = None
    near: tuple[NearRow, ...] = ()

    @property
    def recipient(self) -> TracedRow | None:
        """The row that counts."""
        return next((each for each in self.rows if each.outcome is RowOutcome.RECIPIENT), None)


class Wanted(Struct, frozen=True):
    """An address as it was typed, and its key; None if it is not valid."""

    text: str
    key: str | None
    squeezed: str
    neighbours: frozenset[str] = frozenset()
    """Keys that differ from this one by one character."""

    @classmethod
    def of(cls, text: str, key: str | None) -> Wanted:
        return cls(text, key, squeeze(text), frozenset(neighbours(key)) if key else frozenset())

    def is_in(self, cell: str, key: str | None) -> bool:
        return (key is not None and key == self.key) or squeeze(cell) == self.squeezed

    def distance(self, cell: str, key: str | None) -> int | None:
        """How far a cell is from it, from 0; None: too far to be meant."""
        wanted, found = self.key or self.squeezed, key or squeeze(cell)
        if "@" in wanted:
            same = wanted.partition("@")[0] == found.partition("@")[0]
            return 1 if key in self.neighbours else 2 if same else None
        ours, theirs = digits_of(wanted), digits_of(found)
        alike = min(len(ours), len(theirs)) >= SAME_END and ours[-SAME_END:] == theirs[-SAME_END:]
        if alike and (ours.endswith(theirs) or theirs.endswith(ours)):
            return 0
        return 1 if key in self.neighbours else 2 if alike else None


def squeeze(text: str) -> str:
    return SEPARATORS.sub("", text).casefold()


def digits_of(text: str) -> str:
    """Without zeros in front: with them a number is dialled within its country."""
    return "".join(filter(str.isdecimal, text)).lstrip("0")


def neighbours(key: str) -> Iterator[str]:
    """Texts at which one slip of the keyboard arrives: another character, one more, one less, or two swapped."""
    letters = EMAIL_LETTERS if "@" in key else digits
    for at in range(len(key) + 1):
        head, tail = key[:at], key[at:]
        yield from (head + each + tail for each in letters)
        if tail:
            yield head + tail[1:]
            yield from (head + each + tail[1:] for each in letters)
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]


def trace_address(
    whole: Reader,
    counted: Reader,
    files: FileTree,
    channel: ChannelName,
    *,
    text: str,
    key: str | None,
    names: Collection[str],
) -> Trace:
    """`whole`: the audience without its `where`; `counted`: with it, and with the rules that decide about recipients. `names`: the
    variables that the message reads.

    Raises ProjectError if the source cannot be read.
    """
    wanted = Wanted.of(text, key)
    seen, total = Matches(), 0
    near: list[list[NearRow]] = [[], [], []]
    broken: list[tuple[Location, str]] = []
    for rows in whole.rows(channel, ()):
        total += len(rows.lines)
        broken += [(rows.location(whole.origin, at), why) for at, why in rows.broken.items()]
        parsed = parse(rows, channel, whole.rules)
        for position, cell in enumerate(rows.addresses):
            if not cell:
                continue
            known = None if position in parsed.errors else parsed.keys[position]
            if wanted.is_in(cell, known):
                seen.add(rows, position, whole.origin)
            elif (far := wanted.distance(cell, known)) is not None and len(near[far]) < MOST_NEAR:
                place = rows.location(whole.origin, position)
                near[far].append(
                    NearRow(place, whole.origin.label(rows.lines[position]), mask(known or cell))
                )
    found = list(judge(seen, counted, channel, names))
    found += find_in_broken(files, whole.origin, broken, wanted)
    return Trace(
        tuple(sorted(found, key=lambda each: each.location)),
        total,
        len(broken),
        broken[0][0] if broken else None,
        () if found else tuple(row for rows_near in near for row in rows_near)[:MOST_NEAR],
    )


def parse(rows: Rows, channel: ChannelName, rules: Rules) -> AddressColumn:
    """As a RecipientReader does; a cell without an address is an error here."""
    cells = [cell or "" for cell in rows.addresses]
    if channel is ChannelName.EMAIL:
        return parse_emails(cells)
    regions = rows.regions if rows.regions is not None else [None] * len(cells)
    return parse_numbers(cells, [region or rules.region for region in regions])


class Matches:
    """The rows of a whole audience that hold the address."""

    def __init__(self) -> None:
        self.places: dict[tuple[int, str], list[tuple[Location, str]]] = {}
        """(line, cell) → where they are, in words too: inline recipients may share a line."""

    def add(self, rows: Rows, position: int, origin: RowOrigin) -> None:
        line = rows.lines[position]
        found = self.places.setdefault((line, rows.addresses[position] or ""), [])
        found.append((rows.location(origin, position), origin.label(line)))


def judge(
    seen: Matches, counted: Reader, channel: ChannelName, names: Collection[str]
) -> Iterator[TracedRow]:
    """What becomes of the rows that hold the address, by the rules of any audience."""
    reader = RecipientReader(channel, counted.origin, counted.rules)
    left = {key: list(places) for key, places in seen.places.items()}
    if not left:
        return
    for rows in counted.rows(channel, names):
        for position, cell in enumerate(rows.addresses):
            places = left.get((rows.lines[position], cell or ""))
            if places:
                yield judge_row(reader, select_row(rows, position), places.pop(0), cell or "", channel)
    for location, label in (place for places in left.values() for place in places):
        yield TracedRow(location, label, RowOutcome.FILTERED)


def judge_row(
    reader: RecipientReader, row: Rows, place: tuple[Location, str], cell: str, channel: ChannelName
) -> TracedRow:
    location, label = place
    former = former_key(cell, channel)
    batch = reader.read(row)
    for rejected in batch.excluded:
        if rejected.reason is not RowRejection.DUPLICATE:
            return TracedRow(location, label, RowOutcome.REJECTED, rejected.detail)
        return TracedRow(
            location,
            label,
            RowOutcome.DUPLICATE,
            rejected.detail,
            former_keys=() if former is None else (former,),
        )
    return TracedRow(
        location,
        label,
        RowOutcome.RECIPIENT,
        locale=batch.locales[0],
        timezone=batch.timezones[0],
        suppression=batch.suppressions[0],
        fallback=batch.fallbacks[0] if batch.fallbacks else None,
        former_keys=() if former is None else (former,),
        key=batch.addresses[0],
    )


def select_row(rows: Rows, position: int) -> Rows:
    """One row alone."""

    def at(column: Sequence[str | None]) -> Sequence[str | None]:
        return [column[position]]

    return Rows(
        lines=[rows.lines[position]],
        addresses=at(rows.addresses),
        locales=at(rows.locales),
        timezones=at(rows.timezones),
        correlations=at(rows.correlations),
        values={},
        regions=at(rows.regions) if rows.regions is not None else None,
        broken={0: rows.broken[position]} if position in rows.broken else {},
        flawed={0: rows.flawed[position]} if position in rows.flawed else {},
        columns=[rows.columns[position]] if rows.columns is not None else None,
    )


def find_in_broken(
    files: FileTree, origin: RowOrigin, broken: Sequence[tuple[Location, str]], wanted: Wanted
) -> Iterator[TracedRow]:
    """Rows that cannot be read as rows, and have the address as it was typed somewhere in their line."""
    if not broken or origin.query is not None:
        return
    lines = {location.line: (location, why) for location, why in broken}
    with opener(files, origin.file)() as stream:
        for number, line in enumerate(stream, 1):
            if number in lines and wanted.text in line.decode("utf-8", "replace"):
                location, why = lines[number]
                yield TracedRow(location, origin.label(number), RowOutcome.REJECTED, why)
