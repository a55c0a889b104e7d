"""Separated values that the engine cannot read by itself: with quotes, broken rows, mixed line ends, packed or in another encoding.

They come in pieces. Of each the engine keeps the rows of people; what is wrong with the others is counted, and forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from notifyctl.audience.addresses import COUNTRY_FIRST, NAME_AT_DOMAIN, ONLY_DIGITS
from notifyctl.audience.cells import BAD_ADDRESS, GOOD, UNSEEN
from notifyctl.audience.columns import Plain
from notifyctl.audience.pieces import PIECE, Celled, Cutter, Lined
from notifyctl.audience.shape import STRANGE
from notifyctl.audience.streams import TableError
from notifyctl.engine import literal, objects
from notifyctl.prefetch import Prefetcher

STRANGE_SPACES = tuple(space.decode() for space in STRANGE)


class Uneven(Plain):
    """Reads one file into `people`, a view of the table `raw`, whose rows are people and know their lines."""

    KEPT = ("line",)

    def read(self) -> bool:
        """False, with nothing in the engine, for what is no separated values, or cannot be decoded."""
        if self.source.delimiter is None:
            return False
        self.line = "line"
        rows = self.cells.rows(self.cells.cut(NO_LINES, strange=False), self.roster.identity)
        nothing = f"SELECT * FROM ({rows}) LIMIT 0"
        self.begun = 0
        self.engine.run("BEGIN")
        self.engine.run(f"CREATE TABLE whole AS {nothing}")
        cutter = Cutter(
            name=self.source.name,
            delimiter=self.source.delimiter,
            encoding=self.source.encoding,
            width=len(self.source.header),
        )
        try:
            for piece in Prefetcher(cutter.pieces(self.source.open)):
                if piece.numbers:
                    self._take(piece)
        except UnicodeDecodeError:
            self.engine.run("ROLLBACK")  # the row-wise reader knows the line
            return False
        except TableError as error:
            raise self.source.wrong(error) from error
        self.roster.excluded.add_all(cutter.excluded)
        self.engine.run("ALTER TABLE whole RENAME TO raw")
        self.engine.run("COMMIT")
        self._finish()
        return True

    def _take(self, piece: Lined | Celled) -> None:
        columns, relation = self._handed(piece)
        with self.engine.given("piece", columns), self._patiently(PIECE):
            rows = self.cells.rows(relation, self.roster.identity)
            self.engine.run(f"CREATE TABLE raw AS {rows}")
        if self._oddities():
            self._plainly_bad()
            self._odd_addresses()
        self._count()
        self.engine.run(f"INSERT INTO whole SELECT * FROM raw WHERE state = {GOOD}")
        self.engine.run("DROP TABLE raw")
        self.begun += len(piece.numbers)
        if self.begun > AT_ONCE:
            self.begun = 0
            self.engine.run("COMMIT")
            self.engine.run("BEGIN")

    def _plainly_bad(self) -> None:
        """What the row-wise reader would say of most addresses that are none, said at once."""
        if self.by_mail:
            said = f"CASE WHEN NOT contains(told, '@') THEN {literal(NAME_AT_DOMAIN)} END"
        else:
            said = (
                f"CASE WHEN regexp_full_match(told, '[ -~]*[!-''*,:-~][ -~]*') THEN {literal(ONLY_DIGITS)}"
                f" WHEN regexp_full_match(told, '0([1-9][0-9]*)?') THEN {literal(COUNTRY_FIRST)}"
                " WHEN regexp_full_match(told, '[1-9][0-9]*')"
                " THEN 'a number has 7 to 15 digits, not ' || length(told) END"
            )
        self.engine.run(
            f"UPDATE raw SET state = {BAD_ADDRESS}, told = {literal(self.field + ': ')} || {said}"
            f" WHERE state = {UNSEEN} AND {said} IS NOT NULL"
        )

    def _handed(self, piece: Lined | Celled) -> tuple[Mapping[str, Any], str]:
        """Arrays, and the query that makes cells of them."""
        import numpy as np

        numbers = np.array(piece.numbers, dtype=np.int64)
        if isinstance(piece, Lined):
            text = "".join(piece.lines)
            cut = self.cells.cut("piece", strange=any(space in text for space in STRANGE_SPACES))
            return {"line": numbers, "l": np.array(piece.lines, dtype=object)}, cut
        by_place = list(zip(*piece.cells, strict=True))
        columns = {
            f"c{n}": objects(cell.strip() or None for cell in by_place[n]) for n in self.cells.wanted()
        }
        cells = "".join(f", {name}::VARCHAR AS {name}" for name in columns)
        return {
            "line": numbers,
            **columns,
        }, f"SELECT line, {len(self.source.header)} AS width{cells} FROM piece"


AT_ONCE = 1 << 20
"""Rows of a transaction. When there are few of them, its end copies them once more; what it drops takes room until then."""
NO_LINES = "(SELECT NULL::BIGINT AS line, NULL::VARCHAR AS l)"
