"""The head of a long plan: a table with one row per notification, for the terminal. The details follow below it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from msgspec import Struct

from notifyctl.model.project import ChannelName
from notifyctl.plan.actions import SENDS, Action
from notifyctl.plan.model import Cost, PlannedNotification, Upcoming
from notifyctl.schedule.moments import MONTHS, NEAR
from notifyctl.views.colours import Paint, strip_controls

LONG = 5
"""Up to this many notifications a plan has no table."""
WIDTH = 78
"""Columns of a line at most, so that a terminal of 80 never wraps one."""
SHORTEST_NAME = 16
"""Columns of a name; if there are fewer, other columns give way."""
GAP = "  "
HEADING = "notification"
NONE = "–"  # noqa: RUF001 - a dash
"""Where a notification has nothing of the kind."""

SEND, DEFERRED, REJECTED = "send", "deferred", "rejected"
ATTENTION = {Action.BLOCKED: "blocked", Action.UNCERTAIN: "uncertain", Action.CHANGED: "changed"}
"""What needs a decision, and its column; rejected rows are counted with it."""
OTHER = {
    Action.BASELINE: "baseline",
    Action.EXPIRED: "expired",
    Action.WITHDRAWN: "withdrawn",
    Action.SUPPRESSED: "suppressed",
    Action.UNCHANGED: "unchanged",
}
MERGED_ATTENTION, MERGED_OTHER = "attention", "other"

Entry = tuple[PlannedNotification | None, Upcoming | None]


class Row(Struct, frozen=True):
    """One notification, with all its occurrences in the plan. `counts`: by column."""

    name: str
    channel: ChannelName
    counts: Mapping[str, int]
    when: str
    segments: int
    cost: str


class Column(Struct, frozen=True):
    heading: str
    cells: Sequence[str]
    number: bool = False
    shade: Callable[[str], str] = str

    @property
    def width(self) -> int:
        return max(map(len, (self.heading, *self.cells)))


def table_lines(entries: Iterable[Entry], now: datetime, paint: Paint) -> Iterator[str]:
    """The table with a blank line above it; nothing for a short plan. `entries`: as in the plan, in its order."""
    grouped: dict[str, list[Entry]] = {}
    for planned, upcoming in entries:
        name = next(each.name for each in (planned, upcoming) if each is not None)
        grouped.setdefault(name, []).append((planned, upcoming))
    if len(grouped) <= LONG:
        return
    rows = [row_of(name, group, now) for name, group in grouped.items()]
    columns = fitting(rows, paint)
    room = WIDTH - sum(len(GAP) + each.width for each in columns)
    names = Column(HEADING, [shorten(row.name, room) for row in rows])
    yield ""
    yield from draw([names, *columns], paint)


def longest_name(rows: Sequence[Row]) -> int:
    return max(map(len, (HEADING, *(row.name for row in rows))))


def row_of(name: str, group: Sequence[Entry], now: datetime) -> Row:
    all_planned = [planned for planned, _ in group if planned is not None]
    counts: dict[str, int] = {}
    for planned in all_planned:
        for action, count in planned.actions.items():
            heading = column_of(action)
            counts[heading] = counts.get(heading, 0) + count
        counts[REJECTED] = counts.get(REJECTED, 0) + planned.rejected_rows
    channel = next(each.channel for pair in group for each in pair if each is not None)
    segments = sum(planned.segments or 0 for planned in all_planned)
    costs = [cost for planned in all_planned for cost in planned.costs]
    return Row(name, channel, counts, when(group, now), segments, total_cost(costs))


def column_of(action: Action) -> str:
    if action in SENDS:
        return SEND
    return DEFERRED if action is Action.DEFERRED else {**ATTENTION, **OTHER}[action]


def when(group: Sequence[Entry], now: datetime) -> str:
    """When the first of its messages is delivered: `now`, or in UTC; empty where none is to come."""
    moments: list[tuple[datetime, bool]] = []
    for planned, upcoming in group:
        if planned is not None and planned.sends:
            handed = planned.times.get("send_at")
            if handed is None or handed.first <= now:
                return "now"
            moments.append((handed.first, handed.zones > 1))
        if planned is not None and planned.deferred_until is not None:
            until = planned.times.get("deferred_until")
            moments.append((planned.deferred_until, until is not None and until.zones > 1))
        if upcoming is not None:
            to_come = (each.goes or each.due for each in upcoming.next)
            moments += [(each.first, each.zones > 1) for each in to_come]
    if not moments:
        return ""
    first, several = min(moments)
    return f"{'from ' if several else ''}{format_short(first, now)}"


def format_short(moment: datetime, now: datetime) -> str:
    """7 Dec 09:00 in UTC, with the year where it is far from `now`."""
    utc = moment.astimezone(UTC)
    year = f" {utc.year}" if abs(utc - now) > NEAR else ""
    return f"{utc.day} {MONTHS[utc.month - 1]}{year} {utc:%H:%M}"


def total_cost(costs: Iterable[Cost]) -> str:
    """12.40 EUR; with ≥ where some recipients have no price."""
    totals: dict[str, Decimal] = {}
    unpriced = False
    for cost in costs:
        unpriced = unpriced or cost.unpriced > 0
        if cost.currency:
            totals[cost.currency] = totals.get(cost.currency, Decimal(0)) + Decimal(cost.amount)
    if not totals:
        return "no price" if unpriced else ""
    return ("≥ " if unpriced else "") + " + ".join(f"{amount} {code}" for code, amount in totals.items())


def fitting(rows: Sequence[Row], paint: Paint) -> list[Column]:
    """All columns but the name: first each action by itself; the more there are, the more are put together or left out.

    What needs a decision is counted in each of them.
    """
    chosen: list[Column] = []
    for merged, left_out in (
        ((), ()),
        ((MERGED_OTHER,), ()),
        ((MERGED_OTHER,), ("segments",)),
        ((MERGED_OTHER, MERGED_ATTENTION), ("segments",)),
        ((MERGED_OTHER, MERGED_ATTENTION), ("segments", MERGED_OTHER)),
        ((MERGED_OTHER, MERGED_ATTENTION), ("segments", MERGED_OTHER, "cost")),
    ):
        chosen = [each for each in columns_of(rows, merged, paint) if each.heading not in left_out]
        longest = longest_name(rows)
        if sum(len(GAP) + each.width for each in chosen) + min(longest, SHORTEST_NAME) <= WIDTH:
            break
    return chosen


def columns_of(rows: Sequence[Row], merged: tuple[str, ...], paint: Paint) -> Iterator[Column]:
    """Each column in which any row has something."""
    yield Column("channel", [row.channel.value for row in rows])
    held, other = (*ATTENTION.values(), REJECTED), tuple(OTHER.values())
    groups: list[tuple[str, tuple[str, ...], Callable[[str], str]]] = [
        (SEND, (SEND,), paint.green),
        (DEFERRED, (DEFERRED,), str),
    ]
    for merge, parts, colour in (
        (MERGED_ATTENTION, held, paint.red),
        (MERGED_OTHER, other, paint.dim),
    ):
        if merge in merged:
            groups.append((merge, parts, colour))
        else:
            groups += [(each, (each,), colour) for each in parts]
    for heading, members, shade in groups:
        numbers = [sum(row.counts.get(each, 0) for each in members) for row in rows]
        if any(numbers) or heading == SEND:
            yield Column(heading, [f"{number:,}" for number in numbers], True, shade)
    if any(row.when for row in rows):
        yield Column("when (UTC)", [row.when or NONE for row in rows])
    if any(row.segments for row in rows):
        yield Column("segments", [f"{row.segments:,}" if row.segments else NONE for row in rows], True)
    if any(row.cost for row in rows):
        yield Column("cost", [row.cost or NONE for row in rows], True)


def shorten(name: str, room: int) -> str:
    """The name in `room` columns, without its middle: names of one project often differ in their ends."""
    line = strip_controls(name)
    if len(line) <= room:
        return line
    tail = (room - 1) // 2
    return f"{line[: room - 1 - tail]}…{line[-tail:]}"


def draw(columns: Sequence[Column], paint: Paint) -> Iterator[str]:
    def padded(column: Column, text: str) -> str:
        return text.rjust(column.width) if column.number else text.ljust(column.width)

    yield paint.dim(GAP.join(padded(each, each.heading) for each in columns).rstrip())
    for at in range(len(columns[0].cells)):
        cells = [padded(each, each.cells[at]) for each in columns]
        cells[-1] = cells[-1].rstrip()
        yield GAP.join(
            each.shade(cell) if cell.strip() not in {"0", NONE} else cell
            for each, cell in zip(columns, cells, strict=True)
        ).rstrip()
