"""Diagnostics: what is wrong in a user's files, and where. Plain data; rules create them, views draw them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from msgspec import Struct, field
from msgspec.structs import replace

Path = tuple[str | int, ...]
"""A path to a value in a document: keys and indexes, for example ("content", "cards", 0, "title")."""


MAX_QUOTED = 300
"""Characters of quoted text in a message."""


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Location(Struct, frozen=True, order=True):
    """A position in a file. `file` is relative to the project, with `/`; line and column count from 1, and 0 means the
    whole file.
    """

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class Fix(Struct, frozen=True):
    """An automatic fix: the value as written, and its replacement. Quotes stay unless the replacement is `bare`."""

    old: str
    new: str
    bare: bool = False


class Diagnostic(Struct, frozen=True):
    """One problem: a stable kebab-case `rule`, what is wrong in `message`, what to do in `hint`.

    `fix` is what `lint --fix` writes at the location. `fixed_severity`: no message can be made while the problem stands, so its severity
    cannot be lowered and it cannot be excepted. `secrets`: texts of the file that are or may be secrets; no view shows them.
    `named_at`: the value in a YAML file that names the file at `location`; an ignore comment there covers the problem too.
    """

    rule: str
    severity: Severity
    message: str
    location: Location
    hint: str | None = None
    fix: Fix | None = None
    fixed_severity: bool = False
    secrets: tuple[str, ...] = ()
    named_at: Location | None = None


class Positions(Struct, frozen=True):
    """The position of each value in one document. A path without a position falls back to its nearest parent."""

    file: str
    places: Mapping[Path, tuple[int, int]] = field(default_factory=dict)
    prefix: Path = ()

    def location(self, *path: str | int) -> Location:
        full = self.prefix + path
        while full and full not in self.places:
            full = full[:-1]
        line, column = self.places.get(full, (0, 0))
        return Location(self.file, line, column)

    def has(self, *path: str | int) -> bool:
        """Whether this very value has a position, so that it is in this document."""
        return self.prefix + path in self.places

    def nested(self, *path: str | int) -> Positions:
        """The positions of a nested object, by paths relative to it."""
        return Positions(self.file, self.places, self.prefix + path)


def truncate(what: object) -> str:
    """A path or exception for a message, truncated: either can quote a whole text."""
    text = str(what)
    return text if len(text) <= MAX_QUOTED else text[:MAX_QUOTED] + "…"


def fix_severity(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The same diagnostics, the errors among them with a fixed severity."""
    return [replace(d, fixed_severity=True) if d.severity is Severity.ERROR else d for d in diagnostics]


def sort_diagnostics(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Sorted by location, then rule, without duplicates: the same on every machine."""
    unique = {(each.location, each.rule, each.message): each for each in diagnostics}
    return [unique[key] for key in sorted(unique)]


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    return any(d.severity is Severity.ERROR for d in diagnostics)


class Problem(Struct, frozen=True):
    """A problem at a path inside a value, for checks that know no file: they run on YAML in lint and on JSON in the
    sandbox.

    `number` is the number of the API rule.
    """

    path: Path
    rule: str
    message: str
    hint: str | None = None
    severity: Severity = Severity.ERROR
    number: int | None = None
    at_key: bool = False
    """Whether the key is wrong rather than its value."""
    form: str | None = None
    """The problem of form, for example `missing-key`, where `rule` is the API's own for that value."""
    fix: Fix | None = None
    line: int = 0
    column: int = 1
    """The place within the text at `path`, both from 1; line 0 means the whole text."""
    secrets: tuple[str, ...] = ()
    """As in Diagnostic."""

    def at(self, positions: Positions) -> Diagnostic:
        return self.at_location(positions.location(*self.path))

    def at_location(self, place: Location) -> Diagnostic:
        return Diagnostic(
            self.rule, self.severity, self.message, place, self.hint, self.fix, secrets=self.secrets
        )
