"""A large audience for those who look at each of its people once, in order: read by columns, handed out in batches.

It imports the engine, which takes longer to start than a small audience to be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat

from notifyctl.audience.cells import BESIDE
from notifyctl.audience.columns import load
from notifyctl.audience.roster import Roster
from notifyctl.engine import failure
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import RecipientBatch
from notifyctl.ports import AudienceReader

MEMORY = 512 << 20
"""Bytes that the engine may hold. What is more is spilled."""
AT_ONCE = 16_384


def gathered(audience: AudienceReader, channel: ChannelName) -> Roster | None:
    """The people, and who is none. None where the engine cannot do it here. Raises ProjectError as `batches` does."""
    try:
        return load(audience, channel, memory=MEMORY)
    except failure():
        return None


def batches(roster: Roster) -> Iterator[RecipientBatch]:
    """The people in the order of their rows, without anything about suppression, and without excluded rows."""
    # Most audiences have none of them, and to make nothing of them for millions takes its time.
    given = roster.engine.row(f"SELECT {', '.join(f'count({name})' for name in BESIDE.values())} FROM people")
    there = [name for name, count in zip(BESIDE.values(), given, strict=True) if count]
    asked = ["key", "sent", "line", *there, *roster.values()]
    for rows in roster.engine.chunks(f"SELECT {', '.join(asked)} FROM people", AT_ONCE):
        columns: dict[str, Sequence[str | None]] = dict(zip(asked, zip(*rows, strict=True), strict=True))
        nothing = list(repeat(None, len(rows)))
        own = {name: columns[place] for place, name in zip(roster.values(), roster.variables, strict=True)}
        yield RecipientBatch(
            columns["key"],  # type: ignore[arg-type]
            columns["sent"],  # type: ignore[arg-type]
            columns["line"],  # type: ignore[arg-type]
            columns.get("locale", nothing),
            columns.get("timezone", nothing),
            columns.get("correlation", nothing),
            nothing,
            own,
        )
