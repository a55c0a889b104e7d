"""A message in SQL: from the columns of an audience what each of its readers gets, as expressions, without making any text.

What an expression cannot be right about it says so: such people are looked at by the row-wise code.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from notifyctl.channels.segments import (
    BASIC,
    BEYOND_BMP,
    EXTENSION,
    MULTI_GSM7,
    MULTI_UCS2,
    SINGLE_GSM7,
    SINGLE_UCS2,
    is_basic,
    is_gsm7,
)
from notifyctl.engine import literal
from notifyctl.message import DeliveryHash
from notifyctl.message.delivery_hash import in_json
from notifyctl.model.message import PLACEHOLDER, Message
from notifyctl.model.project import ChannelName
from notifyctl.plan.inspect import Inspector

ASTRAL = r"[\x{10000}-\x{10FFFF}]"
ODD = r'["\\\x00-\x1f]'
"""Characters that JSON escapes: a value with one is hashed by the row-wise code."""
LONG_HEAD = 4096
"""Bytes before the values; what is longer is hashed once by the row-wise code, and not again for each reader."""


class Reading(Struct):
    """A message in SQL: each of its values, and what follows from them."""

    message: Message
    hashes: DeliveryHash
    columns: list[str | None]
    """For each of the message's names the column of people, if there is one."""
    nullable: list[bool]
    """Whether somebody lacks it."""

    @property
    def given(self) -> list[str | None]:
        """What all share, by name."""
        return [self.message.shared.get(name) for name in self.message.names]

    @property
    def values(self) -> list[str]:
        """The values as readers get them; NULL where nothing gives one."""
        return [
            sql_text(given)
            if column is None
            else column
            if given is None
            else f"coalesce({column}, {literal(given)})"
            for column, given in zip(self.columns, self.given, strict=True)
        ]

    @property
    def own(self) -> str:
        """All that the columns hold, together."""
        return together([column for column in self.columns if column is not None])

    @property
    def length(self) -> str:
        """Characters of all values, by which the longest and the shortest text are found."""
        return added("length", self.values)

    @property
    def wide(self) -> str:
        """Whether there is any character beyond ASCII in them; `length` is at hand."""
        return f"{added('strlen', self.values)} <> length"

    @property
    def usual(self) -> str:
        """Whether nothing in the columns needs a second look."""
        return f"regexp_full_match({self.own}, {literal(USUAL)})"

    def odd(self, *, segments: bool) -> str:
        """Whether only the row-wise code can be right; `usual` is at hand, and `segments` where they are wanted."""
        # CASE asks for those whom it concerns; AND would ask for everybody.
        odd = f"CASE WHEN usual THEN false ELSE regexp_matches({self.own}, {literal(ODD)}) END"
        return f"({odd} OR segments IS NULL)" if segments else odd

    @property
    def hash(self) -> str:
        """The hash of the values, as `DeliveryHash.of` makes it of values without odd characters; the message's is not in it."""
        return self._hashed("[", [""] * len(self.columns), "]")

    @property
    def formers(self) -> list[str | None]:
        """The hashes of earlier versions, as `DeliveryHash.formers` makes them of such values; None for a message that is too long
        to be hashed anew for each reader.
        """
        return [
            self._hashed(head.decode() + "{", self.hashes.keys, "}}") if len(head) <= LONG_HEAD else None
            for head in self.hashes.heads
        ]

    def _hashed(self, text: str, keys: Sequence[str], closing: str) -> str:
        """SHA-256 of a text that goes on with the values in JSON, each after its key."""
        pieces = []
        fields = zip(keys, self.columns, self.given, self.nullable, strict=True)
        for number, (key, column, given, nullable) in enumerate(fields):
            text += ("," if number else "") + key
            escaped = in_json(given)
            if column is None:
                text += escaped
            elif nullable:
                pieces += [literal(text), f"coalesce('\"' || {column} || '\"', 'null')"]
                text = ""
            else:
                value = column if given is None else f"coalesce({column}, {literal(escaped[1:-1])})"
                pieces += [literal(text + '"'), value]
                text = '"'
        return f"unhex(sha256({together([*pieces, literal(text + closing)])}))"

    @property
    def segments(self) -> str:
        """The segments of an SMS; NULL where they must be counted in the text, and on other channels."""
        message = self.message
        text = (message.content or {}).get("text")
        if message.channel is not ChannelName.SMS or not isinstance(text, str):
            return "NULL::INTEGER"
        bare, used = bare_text(text, message)
        values = [self.values[message.names.index(name)] for name in used]
        total = f"{len(bare)} + {added('length', values)}"
        filled = together(list(dict.fromkeys(values)))
        double = sum(character in EXTENSION for character in bare)
        long = f"({total}) + {double}"
        narrow = (
            f"CASE WHEN {long} = 0 THEN 0 WHEN {long} <= {SINGLE_GSM7} THEN 1"
            f" ELSE {f'({long} + {MULTI_GSM7 - 1}) // {MULTI_GSM7}' if is_basic(bare) else 'NULL'} END"
        )
        wide = "NULL"
        if not any(ord(character) > BEYOND_BMP for character in bare):
            wide = (
                f"CASE WHEN regexp_matches({filled}, {literal(ASTRAL)}) THEN NULL"
                f" WHEN {total} <= {SINGLE_UCS2} THEN 1 ELSE ({total} + {MULTI_UCS2 - 1}) // {MULTI_UCS2} END"
            )
        if not is_gsm7(bare):
            return f"({wide})::INTEGER"
        # What is usual in the columns is basic; what all share may be something else.
        given = {name: self.message.shared.get(name, "") for name in used}
        usual = "usual" if all(map(is_basic, given.values())) else "false"
        basic = f"regexp_full_match({filled}, {literal(alphabet(BASIC))})"
        gsm7 = f"regexp_full_match({filled}, {literal(alphabet(BASIC + EXTENSION))})"
        cases = f"WHEN {usual} THEN {narrow} WHEN {basic} THEN {narrow} WHEN {gsm7} THEN NULL ELSE {wide}"
        return f"(CASE {cases} END)::INTEGER"

    def wrong(self, inspector: Inspector) -> list[tuple[str, str]]:
        """Tests, and what is wrong where they hold, in the order in which the row-wise code looks; `segments` is at hand."""
        names = self.message.names
        cases = [
            (f"{value} IS NULL", f"missing-variable {name}")
            for name, value, nullable in zip(names, self.values, self.nullable, strict=True)
            if nullable
        ]
        cases += [
            (f"length({self.values[at]}) > {most}", f"variable-too-long {names[at]}")
            for at, most in inspector.max_lengths
        ]
        if inspector.limit is not None:
            bare, used = bare_text(str((self.message.content or {})["text"]), self.message)
            lengths = (f"length({self.values[names.index(name)]})" for name in used)
            cases.append((f"{' + '.join([str(len(bare)), *lengths])} > {inspector.limit}", "text-too-long"))
        if inspector.counts_segments and inspector.max_segments is not None:
            cases.append((f"segments > {inspector.max_segments}", "max-segments"))
        return cases


def sql_text(value: str | None) -> str:
    return "NULL::VARCHAR" if value is None else literal(value)


def together(values: Sequence[str]) -> str:
    """One text of several; `concat` copies each once and takes NULL for nothing."""
    return f"concat({', '.join(values)})" if values else "''"


def added(measure: str, values: Sequence[str]) -> str:
    """The sum of a measure of texts; what is not there has none."""
    return " + ".join(f"coalesce({measure}({value}), 0)" for value in values) or "0"


def alphabet(characters: str) -> str:
    """A pattern for texts of these characters alone."""
    return "[" + "".join(f"\\x{{{ord(character):x}}}" for character in characters) + "]*"


def bare_text(text: str, message: Message) -> tuple[str, list[str]]:
    """The text without what is filled in, and the names that are, as often as each stands in it."""
    used = [name for name in PLACEHOLDER.findall(text) if name in message.names]
    bare = PLACEHOLDER.sub(lambda found: "" if found[1] in message.names else found[0], text)
    return bare, used


USUAL = alphabet("".join(character for character in BASIC if character not in '"\n\r'))
"""Texts that need no second look: one unit a character, and nothing that JSON escapes."""

GSM7 = alphabet(BASIC + EXTENSION)
RIGHT_TO_LEFT = r"[\x{590}-\x{8ff}\x{fb1d}-\x{fdff}\x{fe70}-\x{feff}]"
