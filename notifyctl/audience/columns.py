"""An audience as a table of the columnar engine: read, normalised, judged and deduplicated without an object per person.

A file that is plain (separated values without quotes, or Parquet) is read by the engine itself; whatever is odd in it, row
by row by the same functions as ever. Any other source is read by the row-wise reader and handed over. Both give the same table
for the same audience.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from os.path import getsize
from typing import ClassVar

from notifyctl.audience.addresses import email, msisdn, plausible
from notifyctl.audience.cells import (
    BAD_ADDRESS,
    BAD_ROW,
    BESIDE,
    DUPLICATE,
    GOOD,
    NO_ADDRESS,
    UNSEEN,
    Cells,
)
from notifyctl.audience.excluded import LISTED_ROWS
from notifyctl.audience.plain import PlainFile
from notifyctl.audience.roster import Identity, Roster, hand_over
from notifyctl.audience.shape import Shape, shape_of
from notifyctl.audience.tables import wrong_width
from notifyctl.diagnostics import Location
from notifyctl.engine import Engine, EngineError, literal
from notifyctl.model.project import ChannelName, Numbers
from notifyctl.model.recipients import ID_BYTES, RejectedRow, RowRejection, Suppression
from notifyctl.ports import AudienceReader
from notifyctl.prefetch import run_in_background

ODD_AT_ONCE = 65_536
SAMPLE = 50_000
"""Rows at its beginning by which a file is judged."""
SAMPLED_FROM = 256 << 20
"""Bytes from which on it is: a smaller file is read at once, even if in vain."""
MANY_ODD = 500_000
"""Addresses that need a second look; of more the file is read in pieces."""


def load(
    audience: AudienceReader,
    channel: ChannelName,
    *,
    memory: int | None = None,
    identity: Identity | None = None,
) -> Roster:
    """The audience's recipients on a channel, in an engine of their own, which may hold so many bytes. Raises ProjectError as
    `batches` does.
    """
    plain: PlainFile | None = getattr(audience, "plain", None)
    shape: Shape | None = None

    def look() -> None:
        nonlocal shape
        if plain is not None and plain.paths and plain.delimiter is not None:
            shape = shape_of(plain.open)

    with run_in_background(look):
        engine = Engine(readable=plain.paths if plain is not None else (), memory=memory)
    if plain is not None:
        roster = Roster(engine, plain.name, list(audience.variables), identity)
        if Plain(roster, plain, channel, shape).read() or plain.in_pieces(roster, plain, channel):
            return roster
    roster = Roster(engine, audience.file, list(audience.variables), identity)
    hand_over(roster, audience, channel)
    return roster


EXCLUSIONS = {
    BAD_ROW: RowRejection.BAD_ROW,
    NO_ADDRESS: RowRejection.NO_ADDRESS,
    BAD_ADDRESS: RowRejection.BAD_ADDRESS,
    DUPLICATE: RowRejection.DUPLICATE,
}


class Plain:
    """Reads one plain file into `people`, a view of the table `raw` whose rows are the file's."""

    KEPT: ClassVar[Sequence[str]] = ()
    """Columns that `raw` has beside its usual ones."""

    def __init__(
        self, roster: Roster, source: PlainFile, channel: ChannelName, shape: Shape | None = None
    ) -> None:
        """`shape`: of separated values; None if only the row-wise reader can be right about them."""
        self.roster = roster
        self.shape = shape
        self.cells = Cells(source, channel, self.KEPT)
        self.engine = roster.engine
        self.source = source
        self.field = channel.address_field
        self.by_mail = channel is ChannelName.EMAIL
        self.line = f"rowid + {1 if source.delimiter is None else 2}"
        """Of a row of `raw`, in SQL."""

    def read(self) -> bool:
        """False, with nothing in the engine: the file is not so plain after all."""
        relation = self.cells.of_file(self.shape) if self.source.paths else None
        # Of a file that cannot be read so, the row-wise reader tells what is wrong with it, and where.
        if relation is None:
            return False
        if self.shape is not None:
            self.roster.peculiar = self.shape.peculiar
        size = sum(map(getsize, self.source.paths))
        rows = self.cells.rows(relation, self.roster.identity)
        with self._patiently(size), run_in_background(import_module, "numpy"):  # wanted next
            for few in (f" LIMIT {SAMPLE}", "") if size > SAMPLED_FROM else ("",):
                if not self.engine.tried(f"CREATE OR REPLACE TABLE raw AS {rows}{few}"):
                    return False
                if self.source.delimiter is not None and self._oddities() > (
                    SAMPLE // 2 if few else MANY_ODD
                ):
                    self.engine.run("DROP TABLE raw")
                    return False
        self._finish()
        return True

    @contextmanager
    def _patiently(self, size: int) -> Iterator[None]:
        """While so many bytes are read: an expression may not take for ever."""
        if self.source.where is None:
            yield
            return
        try:
            with self.engine.patient(self.source.where.seconds(size), "the expression takes too long"):
                yield
        except EngineError as error:
            raise self.source.wrong(error) from error

    def _oddities(self) -> int:
        [count] = self.engine.row(f"SELECT count(*) FROM raw WHERE state = {UNSEEN}")
        return int(count)

    def _finish(self) -> None:
        """From the rows to the people."""
        self._numbering_plans()
        self._odd_addresses()
        if self.roster.identity is not None:
            missing = f"state = {GOOD} AND id IS NULL"
            self.engine.run(f"UPDATE raw SET id = {self.roster.identity('key')} WHERE {missing}")
        self._duplicates()
        self._suppressions()
        recipient = "id" if self.roster.identity is not None else "NULL::UUID"
        given = {column for _, column in self.cells.beside()}
        named = "".join(
            f", {name if name in given else f'NULL::VARCHAR AS {name}'}" for name in BESIDE.values()
        )
        self.engine.run(
            f"CREATE VIEW people AS SELECT rowid AS n, {self.line} AS line, key, {recipient} AS id, coalesce(sent, key) AS sent, suppression"
            f"{named}{''.join(f', {name}' for name in self.roster.values())} FROM raw WHERE state = {GOOD}"
        )
        self._count()

    def _numbering_plans(self) -> None:
        """Numbers that the plans of their countries do not take, or cannot be sure of, are no plain ones."""
        numbers = self.source.rules.numbers
        if self.by_mail or numbers is Numbers.FORM:
            return
        from notifyctl.audience.numbering import LONGEST_CODE, verdicts_sql

        self.engine.run(
            f"CREATE TEMP TABLE sure AS SELECT rowid AS place, key FROM raw WHERE state = {GOOD} ORDER BY key"
        )
        self.engine.run("CREATE TEMP TABLE unsure (place BIGINT)")
        begun = [
            start for (start,) in self.engine.rows(f"SELECT DISTINCT key[1:{LONGEST_CODE + 1}] FROM sure")
        ]
        for told in verdicts_sql("sure", "key", numbers, begun):
            self.engine.run(f"INSERT INTO unsure SELECT place FROM ({told}) WHERE NOT coalesce(sound, false)")
        forgotten = "id = NULL, " if self.roster.identity is not None else ""
        self.engine.run(
            f"UPDATE raw SET state = {UNSEEN}, told = coalesce(sent, key), key = NULL, {forgotten}sent = NULL FROM unsure"
            " WHERE raw.rowid = unsure.place"
        )
        for table in ("sure", "unsure"):
            self.engine.run(f"DROP TABLE {table}")

    def _odd_addresses(self) -> None:
        """What is no plain address is read as the row-wise reader reads it, each spelling once."""
        import numpy as np

        parse = email if self.by_mail else msisdn
        found = self.engine.rows(f"SELECT DISTINCT told FROM raw WHERE state = {UNSEEN}")
        for start in range(0, len(found), ODD_AT_ONCE):
            rows: list[tuple[str, str | None, str | None, str | None]] = []
            for (written,) in found[start : start + ODD_AT_ONCE]:
                try:
                    address = parse(written)
                    if not self.by_mail:
                        plausible(address, self.source.rules.numbers)
                    rows.append((written, address.key, address.sent, None))
                except ValueError as error:
                    rows.append((written, None, None, f"{self.field}: {error}"))
            columns = zip(("written", "key", "sent", "said"), zip(*rows, strict=True), strict=True)
            with self.engine.given("odd", {name: np.array(values, dtype=object) for name, values in columns}):
                self.engine.run(
                    "UPDATE raw SET key = odd.key::VARCHAR, sent = odd.sent::VARCHAR, told = said::VARCHAR,"
                    f" state = CASE WHEN said IS NULL THEN {GOOD} ELSE {BAD_ADDRESS} END FROM odd"
                    f" WHERE told = written AND state = {UNSEEN}"
                )

    def _duplicates(self) -> None:
        """Of several rows with one address the first counts."""
        good, number = (
            f"raw WHERE state = {GOOD}",
            "hash(key)" if self.roster.identity is None else "hash(id)",
        )
        self.engine.run("CREATE TEMP TABLE later (place BIGINT, first BIGINT)")
        for several in self.engine.repeated(number, good):
            with self.engine.given("several", {"number": several}):
                alike = (
                    "SELECT rowid AS place, min(rowid) OVER (PARTITION BY key) AS first"
                    f" FROM {good} AND {number} IN (SELECT number FROM several)"
                )
                self.engine.run(f"INSERT INTO later SELECT * FROM ({alike}) WHERE place > first")
        self.engine.run(
            f"UPDATE raw SET state = {DUPLICATE}, told = first::VARCHAR FROM later WHERE raw.rowid = place"
        )
        self.engine.run("DROP TABLE later")

    def _suppressions(self) -> None:
        import numpy as np

        rules = self.source.rules
        told = self.roster.suppressions = [Suppression.FENCED.value]
        if rules.fence is not None:
            allowed = " OR ".join(
                f"regexp_full_match(key, {literal(expression(pattern.lower()))})" for pattern in rules.fence
            )
            self.engine.run(f"UPDATE raw SET suppression = 1 WHERE NOT ({allowed or 'false'})")
        # The first reason counts, so it is written last.
        for reason, hasher, ids in reversed(rules.opt_outs.hashed):
            told.append(reason)
            with self.engine.given("chunk", {"id": np.array([each.hex() for each in ids], dtype=object)}):
                self.engine.run(
                    f"UPDATE raw SET suppression = {len(told)} FROM chunk"
                    f" WHERE state = {GOOD} AND {hasher.sql('raw.key')}[1:{2 * ID_BYTES}] = chunk.id"
                )
        for reason, addresses in reversed(rules.opt_outs.plain):
            told.append(reason)
            with self.engine.given("chunk", {"key": np.array(list(addresses), dtype=object)}):
                self.engine.run(
                    f"UPDATE raw SET suppression = {len(told)} FROM chunk WHERE raw.key = chunk.key"
                )

    def _count(self) -> None:
        counts: dict[int, int] = dict(self.engine.rows("SELECT state, count(*) FROM raw GROUP BY state"))
        self.roster.people = counts.get(GOOD, 0)
        for state, reason in EXCLUSIONS.items():
            if state in counts:
                query = f"SELECT {self.line}, width, told FROM raw WHERE state = {state} ORDER BY rowid"
                listed = self.engine.rows(f"{query} LIMIT {LISTED_ROWS}")
                if counts[state] > LISTED_ROWS:
                    listed += self.engine.rows(f"{query} DESC LIMIT 1")
                said = self._said(reason, listed)
                rows = (
                    RejectedRow(reason, Location(self.source.name, line, 1), text)
                    for text, (line, *_) in zip(said, listed, strict=True)
                )
                self.roster.excluded.add_many(reason, counts[state], list(rows))

    def _said(self, reason: RowRejection, listed: Sequence[tuple[int, int, str | None]]) -> list[str]:
        """Of (line, width, what is told of it) of each row a sentence."""
        if reason is RowRejection.DUPLICATE:
            places = ", ".join(str(told) for *_, told in listed)
            found = self.engine.rows(f"SELECT rowid::VARCHAR, {self.line} FROM raw WHERE rowid IN ({places})")
            first: dict[str | None, int] = dict(found)
            return [
                f"the same {self.field} as in line {first[told]}; the first counts" for *_, told in listed
            ]
        if reason is RowRejection.BAD_ROW:
            return [wrong_width(width, len(self.source.header)) for _, width, _ in listed]
        return [f"no {self.field}" if told is None else told for *_, told in listed]


def expression(pattern: str) -> str:
    """A shell-style pattern, as `fnmatchcase` reads it, in the engine's regular expressions."""
    made, at = "", 0
    while at < len(pattern):
        character, at = pattern[at], at + 1
        close = pattern.find("]", at + 1 + (pattern[at : at + 1] == "!")) if character == "[" else -1
        if character == "*":
            made += "(?s:.*)"
        elif character == "?":
            made += "(?s:.)"
        elif close >= 0:
            inside = pattern[at:close].replace("\\", r"\\").replace("[", r"\[").replace("]", r"\]")
            made += f"[^{inside[1:]}]" if inside.startswith("!") else f"[{inside}]"
            at = close + 1
        else:
            made += re.escape(character)
    return made
