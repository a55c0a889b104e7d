"""A plain file in SQL: queries for its cells, and for what each row is worth at first sight. Runs none of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from notifyctl.audience.plain import PlainFile
from notifyctl.audience.roster import Identity
from notifyctl.audience.shape import Shape
from notifyctl.engine import literal, quoted
from notifyctl.model.project import ChannelName

if TYPE_CHECKING:
    from notifyctl.audience.where import Condition

MAX_CELL = 2000
"""Characters of a cell that a condition reads, as in `where`."""
MAX_PLAIN_LINE = 1 << 20
"""Bytes of a line that the engine reads; a file with longer ones is read row by row."""
BUFFER = 8 * MAX_PLAIN_LINE
"""Bytes that the engine reads at a time: memory that is used again is had for nothing, new memory is not."""
SPACES = r"[\t\v\f\x1c-\x1f \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]"
"""What `str.strip` takes away, but for line ends."""
PLAIN_NUMBER = r"\+?[1-9][0-9]{6,14}"
PLAIN_EMAIL = (
    r"[A-Za-z0-9_+-]{1,32}(\.[A-Za-z0-9_+-]{1,15}){0,2}"
    r"@([A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?\.){1,5}[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?"
)
"""Addresses that need no second look: the row-wise reader takes each of them as it is."""

GOOD, FILTERED, BAD_ROW, NO_ADDRESS, BAD_ADDRESS, DUPLICATE, UNSEEN = range(7)
"""What a row may be worth. UNSEEN: its address needs a second look."""
BESIDE = {"locale": "locale", "timezone": "timezone", "correlationId": "correlation"}
"""Fields that some people have, and their columns."""


class Cells:
    """Of one file. `kept`: columns that its rows have beside the usual ones."""

    def __init__(self, source: PlainFile, channel: ChannelName, kept: Sequence[str] = ()) -> None:
        self.source = source
        self.kept = kept
        self.field = channel.address_field
        self.by_mail = channel is ChannelName.EMAIL

    def of_file(self, shape: Shape | None) -> str | None:
        """A query for the cells of each row that anybody reads, as `c0`, `c1` … by their places, and `width`. None: only the
        row-wise reader can be right about it.
        """
        path = literal(list(self.source.paths))
        if self.source.delimiter is None:
            named = ", ".join(
                f"nullif(trim({quoted(self.source.header[n])}::VARCHAR), '') AS c{n}" for n in self.wanted()
            )
            return f"SELECT {len(self.source.header)} AS width, {named} FROM read_parquet({path}, union_by_name = true)"
        if shape is None:
            return None
        lines = (
            f"read_csv({path}, auto_detect = false, columns = {{'l': 'VARCHAR'}}, delim = '\x01', quote = '', escape = '',"
            f" header = false, skip = 1, buffer_size = {BUFFER}, max_line_size = {MAX_PLAIN_LINE},"
            f" new_line = {literal(shape.ends)})"
        )
        return self.cut(lines, strange=shape.strange, beyond_ascii=shape.beyond_ascii)

    def cut(self, lines: str, *, strange: bool, beyond_ascii: bool = True) -> str:
        """A query for the cells of lines `l`."""
        comma = self.source.delimiter or ","
        # Most lines have no space beside a comma, and are cut as they are.
        space = SPACES.replace(r"\t", "") if comma == "\t" else SPACES
        bar = r"\t" if comma == "\t" else re.escape(comma)
        spaced = f"regexp_matches(l, {literal(f'(^|{bar}){space}|{space}({bar}|$)')})"
        if not strange:
            sides = " OR ".join(f"contains(l, {literal(side)})" for side in (f" {comma}", f"{comma} "))
            beyond = f" OR (strlen(l) <> length(l) AND {spaced})" if beyond_ascii else ""
            spaced = f"({sides} OR starts_with(l, ' ') OR ends_with(l, ' '){beyond})"
        alone = literal(comma.replace("\\", r"\\"))  # a replacement has escapes of its own
        tidy = f"regexp_replace(l, {literal(f'{space}*{bar}{space}*')}, {alone}, 'g')"
        tidy = f"regexp_replace({tidy}, {literal(f'^{space}+|{space}+$')}, '', 'g')"
        cells = "".join(f", nullif(c[{n + 1}], '') AS c{n}" for n in self.wanted())
        return (
            f"WITH cut AS (SELECT *, string_split(CASE WHEN {spaced} THEN {tidy} ELSE l END,"
            f" {literal(comma)}) AS c FROM {lines}) SELECT * EXCLUDE (l, c), len(c)::UINTEGER AS width{cells} FROM cut"
        )

    def wanted(self) -> list[int]:
        """The cells that anybody reads."""
        named = {*self.source.columns.values(), *self.source.variables.values()}
        if self.source.where is not None:
            named.update(self.source.where.columns)
        return [n for n, name in enumerate(self.source.header) if name in named]

    def beside(self) -> list[tuple[str, str]]:
        """(field, column) of what some people have beside an address, where the source has it."""
        columns = self.source.columns
        return [(field, column) for field, column in BESIDE.items() if columns[field] in self.source.header]

    def cell(self, name: str | None) -> str:
        at = {name: number for number, name in enumerate(self.source.header)}
        return f"c{at[name]}" if name in at else "NULL::VARCHAR"

    def _chosen(self, relation: str, where: Condition) -> str:
        """The relation with a column `chosen`. The expression sees the source's names, among which there are none of ours."""
        ours, prefix = [*self.kept, "width", *(f"c{n}" for n in self.wanted())], "_"
        while any(name.lower().startswith(prefix) for name in where.columns):
            prefix += "_"
        hidden = ", ".join(f"{name} AS {prefix}{name}" for name in ours)
        cells = {name: self.cell(name) for name in where.columns}
        theirs = "".join(
            f", CASE WHEN length({cell}) <= {MAX_CELL} THEN {cell} END AS {quoted(name)}"
            for name, cell in cells.items()
        )
        shown = ", ".join(f"{prefix}{name} AS {name}" for name in ours)
        return f"SELECT {shown}, coalesce(({where.sql}), false) AS chosen FROM (SELECT {hidden}{theirs} FROM ({relation}))"

    def rows(self, relation: str, identity: Identity | None) -> str:
        """The statement that makes `raw`: a row for each row of the file, in its order, with what is known of it."""
        columns = self.source.columns
        address = self.cell(columns[self.field])
        plain = f"regexp_full_match({address}, {literal(PLAIN_EMAIL if self.by_mail else PLAIN_NUMBER)})"
        key = f"CASE WHEN starts_with({address}, '+') THEN {address} ELSE concat('+', {address}) END"
        key = f"lower({address})" if self.by_mail else key
        chosen = self.source.where is not None
        if self.source.where is not None:
            relation = self._chosen(relation, self.source.where)
        left_out = f"WHEN NOT chosen THEN {FILTERED}" if chosen else ""
        ours = "".join(f", {self.cell(columns[name])} AS {column}" for name, column in self.beside())
        values = "".join(
            f", {self.cell(column)} AS v{n}" for n, column in enumerate(self.source.variables.values())
        )
        recipient = f", {identity('key')} AS id" if identity is not None else ""
        return f"""
            SELECT {"".join(f"{name}, " for name in self.kept)}width, CASE WHEN plain THEN NULL ELSE written END AS told, key,
                   CASE WHEN written <> key THEN written END AS sent,
                   (CASE WHEN width IS NULL THEN {FILTERED} WHEN width <> {len(self.source.header)} THEN {BAD_ROW}
                    {left_out} WHEN written IS NULL THEN {NO_ADDRESS}
                    WHEN plain THEN {GOOD} ELSE {UNSEEN} END)::UTINYINT AS state,
                   0::UTINYINT AS suppression{ours}{values}{recipient}
            FROM (SELECT *, CASE WHEN plain THEN {key} END AS key
                  FROM (SELECT *, {address} AS written, {plain} AS plain FROM ({relation})))"""
