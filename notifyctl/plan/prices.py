"""What it costs: a price list by prefix and channel, and a tally of recipients and segments by country. Exact decimals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from notifyctl.audience.compression import TableError
from notifyctl.audience.csv_reader import Csv
from notifyctl.diagnostics import Diagnostic, Location, Positions, Severity
from notifyctl.model.project import ChannelName
from notifyctl.plan.model import Cost, Reach
from notifyctl.ports import FileTree

ONE_DIGIT = frozenset("17")
TWO_DIGITS = frozenset(
    [
        "20",
        "27",
        "30",
        "31",
        "32",
        "33",
        "34",
        "36",
        "39",
        "40",
        "41",
        "43",
        "44",
        "45",
        "46",
        "47",
        "48",
        "49",
        "51",
        "52",
        "53",
        "54",
        "55",
        "56",
        "57",
        "58",
        "60",
        "61",
        "62",
        "63",
        "64",
        "65",
        "66",
        "81",
        "82",
        "84",
        "86",
        "90",
        "91",
        "92",
        "93",
        "94",
        "95",
        "98",
    ]
)
"""Calling codes of ITU-T E.164; all others have three digits."""
CALLING_CODE_DIGITS = 3
"""Of the longest."""
WANTED = ("prefix", "channel", "price", "currency")


class Price(Struct, frozen=True):
    """Of one SMS segment, or of one message on other channels."""

    amount: Decimal
    currency: str


class PriceList(Struct, frozen=True):
    """channel → digits that a number begins with ("" for any) → price. The longest prefix counts."""

    prices: Mapping[ChannelName, Mapping[str, Price]] = field(default_factory=dict)

    def of(self, channel: ChannelName, address: str) -> Price | None:
        known = self.prices.get(channel, {})
        digits = address.removeprefix("+") if channel is not ChannelName.EMAIL else ""
        return next((known[digits[:n]] for n in range(len(digits), -1, -1) if digits[:n] in known), None)


def calling_code(address: str) -> str:
    """`+44` for +447700900123."""
    digits = address.removeprefix("+")
    length = 1 if digits[:1] in ONE_DIGIT else 2 if digits[:2] in TWO_DIGITS else 3
    return "+" + digits[:length]


def read_prices(files: FileTree, path: str, positions: Positions) -> tuple[PriceList, list[Diagnostic]]:
    """The price list of an environment. A line that cannot be read is a warning: its people are counted as unpriced."""
    problems: list[Diagnostic] = []
    prices: dict[ChannelName, dict[str, Price]] = {}
    try:
        table = Csv(files, path)
        header = table.header
        missing = [name for name in WANTED if name not in header]
        if missing:
            message = f"the price list {path!r} lacks the column {missing[0]!r}; it has {', '.join(header)}"
            return PriceList(), [
                Diagnostic(
                    "unreadable-file",
                    Severity.ERROR,
                    message,
                    positions.location("pricing"),
                    fixed_severity=True,
                )
            ]
        for line, cells in table.cells():
            try:
                channel, prefix, price = parse_price(cells)
                prices.setdefault(channel, {})[prefix] = price
            except ValueError as error:
                problems.append(
                    Diagnostic("bad-price", Severity.WARNING, str(error), Location(path, line, 1))
                )
    except (OSError, ValueError, TableError) as error:
        message = f"the price list {path!r} cannot be read: {error}"
        place, hint, rule = positions.location("pricing"), None, "unreadable-file"
        if isinstance(error, TableError):
            place = Location(path, error.line, error.column) if error.line else place
            hint, rule = error.hint, "bad-price" if error.in_row else rule
        problems.append(Diagnostic(rule, Severity.ERROR, message, place, hint, fixed_severity=True))
    return PriceList(prices), problems


def parse_price(cells: Mapping[str, str | None] | str) -> tuple[ChannelName, str, Price]:
    """Raises ValueError with a sentence. A text is why the row cannot be read."""
    if isinstance(cells, str):
        raise ValueError(cells)  # noqa: TRY004 - told at the line, as every other flaw
    try:
        channel = ChannelName((cells["channel"] or "").lower())
    except ValueError:
        raise ValueError(f'"{cells["channel"]}" is not a channel; use sms, email or rcs') from None
    prefix = (cells["prefix"] or "").lstrip("+")
    prefix = "" if prefix == "*" else prefix
    if prefix and not (prefix.isascii() and prefix.isdigit()):
        raise ValueError(
            f'"{cells["prefix"]}" is not a valid prefix; use digits, for example +44, or * for any number'
        )
    currency = (cells["currency"] or "").upper()
    try:
        amount = Decimal(cells["price"] or "")
    except InvalidOperation:
        raise ValueError(f'"{cells["price"]}" is not a valid price; use for example 0.042') from None
    if not amount.is_finite() or amount < 0 or not currency.isalpha():
        raise ValueError("a price must be 0 or more, with a currency, for example EUR")
    return channel, prefix, Price(amount, currency)


def write_amount(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


class CostTally(Struct):
    """Adds up one notification. `segments` of a message count on SMS; elsewhere a message is a unit."""

    channel: ChannelName
    list: PriceList | None
    recipients: Counter[str] = msgspec.field(default_factory=Counter)
    units: Counter[str] = msgspec.field(default_factory=Counter)
    amounts: dict[str, Decimal] = {}
    rates: dict[str, set[Decimal]] = {}
    """Currency → the prices of a segment or message that it adds up."""
    unpriced: int = 0

    @property
    def prefix_length(self) -> int:
        """How many characters of an address decide about its country and price."""
        if self.channel is ChannelName.EMAIL:
            return 0
        known = self.list.prices.get(self.channel, {}) if self.list is not None else {}
        return 1 + max([CALLING_CODE_DIGITS, *map(len, known)])

    def add(self, prefix: str, people: int, units: int) -> None:
        """People whose addresses begin alike, `prefix_length` characters of them."""
        if self.channel is not ChannelName.EMAIL:
            country = calling_code(prefix)
            self.recipients[country] += people
            self.units[country] += units
        if self.list is None:
            return
        price = self.list.of(self.channel, prefix)
        if price is None:
            self.unpriced += people
        else:
            self.amounts[price.currency] = self.amounts.get(price.currency, Decimal()) + price.amount * units
            self.rates.setdefault(price.currency, set()).add(price.amount)

    def costs(self) -> tuple[Cost, ...]:
        """One for each currency, the first with the number of those without a price; none without a price list."""
        if self.list is None:
            return ()
        made = [Cost(write_amount(amount), currency) for currency, amount in sorted(self.amounts.items())]
        if self.unpriced:
            first = made[0] if made else Cost("0", "")
            made[:1] = [replace(first, unpriced=self.unpriced)]
        return tuple(made)

    def unit_price(self) -> str:
        """Such as "0.03 to 0.05 EUR per segment", empty without a price."""
        ranges = (
            f"{' to '.join(map(write_amount, sorted({min(rates), max(rates)})))} {currency} per segment"
            for currency, rates in sorted(self.rates.items())
        )
        return ", ".join(ranges)

    def reach(self) -> Iterator[Reach]:
        for country, recipients in sorted(self.recipients.items(), key=lambda pair: (-pair[1], pair[0])):
            yield Reach(country, recipients, self.units[country] if self.channel is ChannelName.SMS else None)
