"""What is wrong in a user's files, and where. Plain data: found anywhere, sorted here, drawn by views."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from notifyctl.records import dataclass, field

Path = tuple[str | int, ...]
"""The way to a value inside a document: mapping keys and sequence indices, for example ("content", "cards", 0, "title")."""


MAX_QUOTED = 300
"""Characters of somebody else's words in a message."""


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a file. `file` is relative to the project, with `/`; line and column count from 1; 0 means the whole file."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Fix:
    """How to mend a value where it stands: the text that it is written with, and the text to write. Its quotes stay,
    unless it is to be `bare`.
    """

    old: str
    new: str
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem: a stable kebab-case `rule`, what is allowed in `message`, how to mend it in `hint`.

    `fix`: what `lint --fix` writes; its place is the location.
    """

    rule: str
    severity: Severity
    message: str
    location: Location
    hint: str | None = None
    fix: Fix | None = None


@dataclass(frozen=True, slots=True)
class Positions:
    """Where each value of one document stands. A path that is not marked falls back to its nearest marked parent."""

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
        """Whether just this value is marked, so that it stands in this document."""
        return self.prefix + path in self.places

    def nested(self, *path: str | int) -> Positions:
        """The marks of a part of the document, so that a nested object can be spoken of by its own paths."""
        return Positions(self.file, self.places, self.prefix + path)


def truncate(what: object) -> str:
    """A path or an exception in a message: either may quote a whole text."""
    text = str(what)
    return text if len(text) <= MAX_QUOTED else text[:MAX_QUOTED] + "…"


def sort_diagnostics(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Sorted by place then rule, without repeats: the same on every machine."""
    return sorted(set(diagnostics), key=lambda d: (d.location, d.rule, d.message))


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    return any(d.severity is Severity.ERROR for d in diagnostics)


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem spoken of by its path inside a value, for code that checks values and knows no file: content checks
    run over YAML in lint and over JSON in the sandbox. `number` is the rule's number in the API fact sheet.
    """

    path: Path
    rule: str
    message: str
    hint: str | None = None
    severity: Severity = Severity.ERROR
    number: int | None = None
    at_key: bool = False
    """Whether it is the key that is wrong, and not its value."""
    form: str | None = None
    """What is wrong with the form, such as `missing-key`, where `rule` is the API's own for that value."""
    fix: Fix | None = None

    def at(self, marks: Positions) -> Diagnostic:
        place = marks.location(*self.path)
        return Diagnostic(self.rule, self.severity, self.message, place, self.hint, self.fix)
