"""An audience's recipients as a table of the columnar engine, and how they get there from any reader, row by row."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct, field

from notifyctl.audience.excluded import Excluded
from notifyctl.engine import Engine, objects
from notifyctl.model.project import ChannelName
from notifyctl.ports import AudienceReader

__all__ = ["Identity", "Roster", "hand_over"]

Identity = Callable[[str], str]
"""An SQL expression for a normalised address → one for the id of its recipient, as a UUID."""


class Roster(Struct):
    """The table `people`: `n` (the order), `line`, `key`, `id`, `sent`, `locale`, `timezone`, `correlation`, `suppression` (0: none,
    else a place in `suppressions`, from 1) and `v0`, `v1` … for `variables`; an empty cell is NULL.
    """

    engine: Engine
    file: str
    variables: Sequence[str]
    identity: Identity | None = None
    """What fills the column `id`, which else is NULL."""
    peculiar: bool = True
    """Whether any cell may have a character that is not common: see shape."""
    excluded: Excluded = field(default_factory=Excluded)
    suppressions: list[str] = field(default_factory=list)
    people: int = 0

    def values(self) -> list[str]:
        return [f"v{number}" for number in range(len(self.variables))]

    def places(self) -> dict[str, str]:
        """The column of each variable."""
        return dict(zip(self.variables, self.values(), strict=True))


def hand_over(roster: Roster, audience: AudienceReader, channel: ChannelName) -> None:
    import numpy as np

    identity = roster.identity("key") if roster.identity is not None else "NULL"
    roster.engine.run(people_table(roster))
    places: dict[str, int] = {}
    for batch in audience.batches(channel):
        for row in batch.excluded:
            roster.excluded.add(row)
        if not len(batch):
            continue
        why = [places.setdefault(each, len(places) + 1) if each else 0 for each in batch.suppressions]
        chunk = {
            "n": np.arange(roster.people, roster.people + len(batch)),
            "line": np.array(batch.lines, dtype=np.int64),
            "key": objects(batch.addresses),
            "sent": objects(batch.destinations),
            "locale": objects(batch.locales),
            "timezone": objects(batch.timezones),
            "correlation": objects(batch.correlations),
            "suppression": np.array(why, dtype=np.uint8),
        }
        for number, name in enumerate(roster.variables):
            chunk[f"v{number}"] = objects(batch.values[name])
        with roster.engine.given("chunk", chunk):
            roster.engine.run(f"INSERT INTO people SELECT *, {identity} FROM chunk")
        roster.people += len(batch)
    roster.suppressions = list(places)


def people_table(roster: Roster) -> str:
    values = "".join(f", {name} VARCHAR" for name in roster.values())
    return (
        "CREATE TABLE people (n BIGINT, line BIGINT, key VARCHAR, sent VARCHAR, locale VARCHAR, timezone VARCHAR,"
        f" correlation VARCHAR, suppression UTINYINT{values}, id UUID)"
    )
