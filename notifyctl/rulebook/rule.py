"""One rule of the rule book."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from notifyctl.diagnostics import Path, Problem, Severity


class Rule(Struct, frozen=True):
    """A rule of the API. `number` is its number (1 to 111), `page` what `notifyctl explain` prints.

    `also`: further numbers that it covers. `profile`: the only profile in which it holds; None for both.
    """

    number: int
    id: str
    page: str
    severity: Severity = Severity.ERROR
    also: tuple[int, ...] = ()
    profile: str | None = None

    @property
    def numbers(self) -> tuple[int, ...]:
        return (self.number, *self.also)

    def broken(self, path: Path, message: str, hint: str | None = None) -> Problem:
        return Problem(path, self.id, message, hint, self.severity, self.number)

    def broken_at(self, path: Path, message: str, hint: str | None, *, line: int, column: int) -> Problem:
        """The same at a place within the text at `path`, both from 1."""
        return replace(self.broken(path, message, hint), line=line, column=column)


W = Severity.WARNING
