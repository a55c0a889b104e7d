"""Packed facts of a ledger met with the units of an audience, by columns: whom of them it speaks of, and which word decides.

A large ledger mostly speaks of people who are not in the audience. So each fact first goes through a sieve, which looks at a
few bits of its id, on a thread beside whatever else is done. What passes is joined with the units.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain, compress
from typing import Any

from msgspec import Struct, field

from notifyctl.engine import Engine
from notifyctl.model.ledger import BatchRecord
from notifyctl.model.recipients import ID_BYTES, MEMBER_BYTES, Scope
from notifyctl.plan.packed import HALVES, halves_of_unit, high, low, packed_halves
from notifyctl.plan.sieve import Sieve
from notifyctl.plan.standing import KINDS, Kind, Known, PackedIds, Standing
from notifyctl.prefetch import Prefetcher

__all__ = ["BATCH_BITS", "RANKS", "Meeting", "Sizes", "meet_ids"]

WORDS = 7
"""A member as numbers of 32 bits: four of the id, three of the fingerprint."""
AT_ONCE = 1 << 21
"""People whose ids are put into the sieve at a time."""

BATCH_BITS = 56
NO_WORD = 0
RANKS: dict[Kind, int] = {"rejected": 1, "uncertain": 3, "accepted": 4}
SERVED_RANK = 2
"""By a baseline: more than rejected, less than any attempt that may have reached somebody."""
MET = "CREATE TABLE met (n BIGINT, f1 UBIGINT, f2 UINTEGER, same BOOLEAN, rank UBIGINT, recorded BOOLEAN)"
UNIT = halves_of_unit()
MEET = f"""
    INSERT INTO met SELECT n, f1, f2, f1 = {UNIT["f1"]} AND f2 = {UNIT["f2"]}, rank, recorded
    FROM facts JOIN units ON hi = {UNIT["hi"]} WHERE lo = {UNIT["lo"]}"""
FOLD = """
    CREATE TABLE folded AS SELECT n, arg_max(f1, rank) AS f1, arg_max(f2, rank) AS f2, arg_max(same, rank) AS same,
           max(rank) AS rank, bool_or(recorded) AS recorded FROM met GROUP BY n"""

Told = Mapping[bytes, Standing] | Known
Columns = dict[str, Any]
"""Arrays of equal length by name: `hi`, `lo`, `f1`, `f2`, `rank` and `recorded`, as the table `met` has them."""


class Sizes(Struct, frozen=True):
    """How much is done at a time."""

    sifted: int = 1 << 16
    """Members of a ledger's batches that go through the sieve: few enough to stay near the processor."""
    joined: int = 1 << 20
    """Facts that passed; twice as many may wait."""


USUAL = Sizes()


class Meeting:
    """What a ledger says of the people of one scope. `epochs`: the run that opened each scope."""

    def __init__(
        self, engine: Engine, told: Told, epochs: Mapping[Scope, int], *, sizes: Sizes = USUAL
    ) -> None:
        self._engine = engine
        self._sizes = sizes
        self.recorded = 0
        """Members of the batches of the runs that opened the scopes. All of them once the meeting is at its end."""
        self._pieces = self._counted(pieces(told, epochs, sizes.sifted))
        self._first = next(self._pieces, None)
        self._passed: Iterable[Columns] = ()

    @property
    def silent(self) -> bool:
        """Nothing is said of anybody."""
        return self._first is None

    def _counted(self, some: Iterable[Piece]) -> Iterator[Piece]:
        for piece in some:
            self.recorded += sum(compress(piece.sizes, piece.recorded))
            yield piece

    def begin(self, table: str) -> None:
        """Have the ledger read and sifted beside what the engine does. `table`: where ids are, by `n`."""
        if self._first is not None:
            told = chain([self._first], self._pieces)
            sieve = made_sieve(self._engine, table)
            self._passed = Prefetcher(sifted(told, sieve, self._sizes.joined), most=2)

    def end(self) -> bool:
        """Make the table `met`: for each of the `units` that the ledger speaks of the word that decides, as `f1` and `f2` (the
        fingerprint of what was sent), `same` (whether it is that of what they would get), `rank`, and `recorded` (whether it
        was there when the edition was opened). False: there is no word.
        """
        self._engine.run(MET)
        for facts in self._passed:
            with self._engine.given("facts", facts):
                self._engine.run(MEET)
        [count] = self._engine.row("SELECT count(*) FROM met")
        if any(len(some) for some in self._engine.repeated("n", "met")):
            self._engine.run(FOLD)
            self._engine.run("DROP TABLE met")
            self._engine.run("ALTER TABLE folded RENAME TO met")
        return bool(count)


def meet_ids(engine: Engine, ids: Collection[bytes], *, column: str, value: bool) -> None:
    """Set a column of the units of these people."""
    for chunk in packed_ids(ids):
        with engine.given("chunk", chunk):
            engine.run(
                f"UPDATE units SET {column} = {value} FROM chunk WHERE hi = {high('units.id')} AND lo = {low('units.id')}"
            )


# Through the sieve


class Piece(Struct):
    """Words as they come: packed members, and for each stretch of them its rank (one for all, or one for each) and whether they
    were in the recorded audience.
    """

    members: list[bytes] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    ranks: list[Any] = field(default_factory=list)
    recorded: list[bool] = field(default_factory=list)
    count: int = 0

    def add(self, members: bytes, rank: Any, *, recorded: bool) -> None:
        size = len(members) // MEMBER_BYTES
        self.members.append(members)
        self.sizes.append(size)
        self.ranks.append(rank)
        self.recorded.append(recorded)
        self.count += size

    def sifted(self, sieve: Sieve) -> Columns:
        """What passes."""
        import numpy as np

        words = np.frombuffer(b"".join(self.members), "<u4").reshape(-1, WORDS)
        places = sieve.passing(words)
        packed = words[places].view(packed_halves())[:, 0]
        stretches = np.searchsorted(np.cumsum(self.sizes), places, side="right")
        return {
            **{name: packed[name].astype(kind) for name, kind in HALVES.items()},
            "rank": self._ranks(stretches, places),
            "recorded": np.array(self.recorded)[stretches],
        }

    def _ranks(self, stretches: Any, places: Any) -> Any:
        import numpy as np

        if all(isinstance(each, int) for each in self.ranks):
            return np.array(self.ranks, "u8")[stretches]
        each = zip(self.ranks, self.sizes, strict=True)
        whole = [np.broadcast_to(np.asarray(ranks, "u8"), size) for ranks, size in each]
        return np.concatenate(whole)[places]


def sifted(told: Iterator[Piece], sieve: Sieve, at_once: int) -> Iterator[Columns]:
    """What passes, about so much at a time."""
    waiting: list[Columns] = []
    for piece in told:
        waiting.append(piece.sifted(sieve))
        if sum(len(each["hi"]) for each in waiting) >= at_once:
            yield together(waiting)
            waiting.clear()
    if waiting:
        yield together(waiting)


def together(some: list[Columns]) -> Columns:
    import numpy as np

    return {name: np.concatenate([each[name] for each in some]) for name in some[0]}


def made_sieve(engine: Engine, table: str) -> Sieve:
    """For the ids in a table."""
    [people, last] = engine.row(f"SELECT count(*), coalesce(max(n), -1) FROM {table}")
    sieve = Sieve(people)
    for start in range(0, last + 1, AT_ONCE):
        within = f"n >= {start} AND n < {start + AT_ONCE}"
        sieve.add(engine.arrays(f"SELECT {high('id')} AS hi FROM {table} WHERE {within}")["hi"])
    return sieve


# What a ledger says


def pieces(told: Told, epochs: Mapping[Scope, int], at_once: int) -> Iterator[Piece]:
    piece = Piece()
    for members, ranks, recorded in words_of(told, epochs):
        piece.add(members, ranks, recorded=recorded)
        if piece.count >= at_once:
            yield piece
            piece = Piece()
    if piece.count:
        yield piece


def words_of(told: Told, epochs: Mapping[Scope, int]) -> Iterator[tuple[bytes, Any, bool]]:
    """Packed members, their ranks, and whether they were in the recorded audience."""
    if isinstance(told, Known):
        for batch in told.batches():
            yield batch.members, ranks_of(batch), epochs.get(batch.scope) == batch.epoch
        for members in told.served():
            yield members, SERVED_RANK << BATCH_BITS, False
    else:
        for recipient, each in told.items():
            yield recipient + each.fingerprint, rank(each.kind, each.batch), False


def ranks_of(batch: BatchRecord) -> Any:
    """By which of its words the highest decides: of a batch, or of each of its members."""
    kind = KINDS.get(batch.state)
    usual = rank(kind, batch.number) if kind is not None else NO_WORD
    if not batch.others:
        return usual
    import numpy as np

    ranks = np.full(len(batch.members) // MEMBER_BYTES, usual, "u8")
    for position, state in batch.others.items():
        ranks[position] = rank(KINDS[state], batch.number)
    return ranks


def rank(kind: Kind, number: int) -> int:
    return (RANKS[kind] << BATCH_BITS) + number


def packed_ids(ids: Collection[bytes]) -> Iterator[Columns]:
    import numpy as np

    for piece in ids.pieces if isinstance(ids, PackedIds) else [b"".join(ids)]:
        for start in range(0, len(piece), USUAL.joined * ID_BYTES):
            part = piece[start : start + USUAL.joined * ID_BYTES]
            packed = np.frombuffer(part, [("hi", ">u8"), ("lo", ">u8")])
            yield {name: packed[name].astype("u8") for name in ("hi", "lo")}
