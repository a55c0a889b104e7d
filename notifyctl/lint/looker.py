"""One message and its readers: a glance at a batch by columns, and a close look at those in whom something may be wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from operator import add

from msgspec import Struct

from notifyctl.channels import text_limit
from notifyctl.channels.segments import first_non_gsm7, is_basic, is_gsm7, segment
from notifyctl.diagnostics import Severity
from notifyctl.message import Filler
from notifyctl.model.message import PLACEHOLDER, Message
from notifyctl.model.project import ChannelName, Variable
from notifyctl.model.recipients import RecipientBatch


class Finding(Struct, frozen=True):
    rule: str
    message: str
    hint: str | None = None
    severity: Severity | None = None
    """None: as the rule's page says."""


class Glance(Struct, frozen=True):
    """One variant's readers in a batch, looked at column by column. `odd` are the positions at which something may be wrong,
    to be looked at one by one; `longest` is the position of the first longest text, of `units`; -1: there are no texts.
    """

    message: Message
    columns: Mapping[str, Mapping[int, str | None] | Sequence[str | None]]
    odd: Sequence[int]
    units: int
    longest: int

    def values(self, position: int) -> tuple[str | None, ...]:
        """In the order of the message's names."""
        return tuple(self.columns[name][position] for name in self.message.names)


class Looker:
    """One message, ready to be looked at for each of its readers."""

    def __init__(self, message: Message, declared: Sequence[Variable], *, profile: str) -> None:
        content = message.content or {}
        self.message = message
        self.filler = Filler(message)
        self.declared = {variable.name: variable for variable in declared}
        self.speaks = isinstance(content.get("text"), str) and message.channel is not ChannelName.EMAIL
        self.limit = text_limit(message.channel, str(content.get("type")), profile) if self.speaks else None
        self.narrow = message.channel is ChannelName.SMS and content.get("type") == "text"
        text = str(content["text"]) if self.speaks else ""
        self.uses = Counter(name for name in PLACEHOLDER.findall(text) if name in message.names)
        """How often the text reads each variable."""
        self.bare = PLACEHOLDER.sub(lambda found: "" if found[1] in message.names else found[0], text)
        """The text without them."""
        self.fixed = first_non_gsm7(str(content["text"])) if self.narrow and self.speaks else None

    def odd_values(self, name: str, column: Sequence[str | None]) -> Iterator[int]:
        """Places in a column of values that are missing, blank, too long or not in the alphabet."""
        declared = self.declared.get(name)
        most = declared.max_length if declared is not None else None
        narrow = self.narrow and self.speaks and self.fixed is None
        present = [value or "" for value in column]
        if "" not in present and (most is None or max(map(len, present)) <= most):
            joined = "".join(present)
            blank = " " in joined and not all(map(str.strip, present))
            if not blank and joined.isprintable() and (not narrow or is_gsm7(joined)):
                return
        for at, value in enumerate(present):
            if (
                not value.strip()
                or (most is not None and len(value) > most)
                or (narrow and not is_gsm7(value))
            ):
                yield at

    def sizes(self, values: Mapping[str, Sequence[str | None]], count: int) -> list[int]:
        """How long each person's text is, as `cost` says. By addition where every character counts as one."""
        joined = "".join("".join(value or "" for value in values[name]) for name in self.uses)
        if self.message.channel is ChannelName.SMS and not (is_basic(self.bare) and is_basic(joined)):
            if not values:
                return [segment(self.bare).units] * count
            fill = self.filler.fill("text")
            rows = zip(*(values[name] for name in self.message.names), strict=True)
            return [segment(fill([value or "" for value in row])).units for row in rows]
        sizes = [len(self.bare)] * count
        for name, times in self.uses.items():
            lengths = [len(value or "") * times for value in values[name]]
            sizes = list(map(add, sizes, lengths))
        return sizes

    def look(self, values: Sequence[str | None]) -> Iterator[Finding]:
        for name, value in zip(self.message.names, values, strict=True):
            yield from self.variable(name, value)
        if not self.speaks or None in values:
            return
        text = self.filler.text("text", [value or "" for value in values])
        if self.limit is not None and len(text) > self.limit:
            yield Finding(
                "text-too-long", f"the text has {len(text):,} characters; the API takes {self.limit:,}"
            )
        if self.narrow and self.fixed is None and (wide := first_non_gsm7(text)) is not None:
            yield Finding("needs-unicode", *self.wide(wide, values))

    def variable(self, name: str, value: str | None) -> Iterator[Finding]:
        declared = self.declared.get(name)
        if value is None:
            yield Finding(
                "unresolved-variable",
                f"nothing gives $({name}) a value",
                f"fill the cell, or give {name!r} a default",
            )
        elif not value.strip() and (declared is None or declared.required):
            yield Finding("empty-variable", f"$({name}) is empty", "fill it, or declare it `required: false`")
        elif declared is not None and declared.max_length is not None and len(value) > declared.max_length:
            yield Finding(
                "variable-too-long",
                f"$({name}) has {len(value)} characters; `maxLength` is {declared.max_length}",
            )

    def wide(self, character: str, values: Sequence[str | None]) -> tuple[str, str]:
        names = [n for n, v in zip(self.message.names, values, strict=True) if v and character in v]
        said = f"{character!r} (U+{ord(character):04X})" + (f" in $({names[0]})" if names else "")
        return (
            f"{said} is not in GSM-7, and the content is `type: text`",
            "write `type: unicode`, or another character",
        )

    def cost(self, values: Sequence[str | None]) -> tuple[int, str]:
        """How long the text is and in which words to say it: units and segments for SMS, characters elsewhere."""
        text = self.filler.text("text", [value or "" for value in values])
        if self.message.channel is ChannelName.SMS:
            counted = segment(text)
            return counted.units, f"{counted.units} {counted.encoding} units in {plural(counted.segments)}"
        return len(text), f"{len(text):,} characters"


def glance(looker: Looker, batch: RecipientBatch, positions: Sequence[int]) -> Glance:
    """Work by columns: most rows of most audiences have nothing wrong, and cost a few additions each."""
    message = looker.message
    whole = len(positions) == len(batch)
    columns: dict[str, Mapping[int, str | None] | Sequence[str | None]] = {}
    values: dict[str, Sequence[str | None]] = {}
    odd: set[int] = set()
    for name in message.names:
        given = batch.values.get(name)
        column = (
            [None] * len(positions) if given is None else given if whole else [given[at] for at in positions]
        )
        if None in column:
            column = [message.shared.get(name) if value is None else value for value in column]
        values[name] = column
        columns[name] = column if whole else dict(zip(positions, column, strict=True))
        odd.update(positions[at] for at in looker.odd_values(name, column))
    if not looker.speaks:
        return Glance(message, columns, sorted(odd), -1, -1)
    units = looker.sizes(values, len(positions))
    if looker.limit is not None and max(units) > looker.limit:
        # Units are at least characters, so that no text over the limit is missed.
        odd.update(at for at, size in zip(positions, units, strict=True) if size > looker.limit)
    most = max(units)
    return Glance(message, columns, sorted(odd), most, positions[units.index(most)])


def plural(segments: int) -> str:
    return f"{segments} segment{'' if segments == 1 else 's'}"
