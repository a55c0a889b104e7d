"""Lists of people who are never written to: one address a line, or a CSV whose header names the address column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from notifyctl.audience.addresses import email, msisdn
from notifyctl.audience.tables import Csv, TableError
from notifyctl.diagnostics import Diagnostic, Location, Marks, Severity
from notifyctl.ports import FileTree

ADDRESS_COLUMNS = ("address", "msisdn", "email", "phone", "mail")


def load_suppressions(
    paths: Sequence[str], files: FileTree, marks: Marks
) -> tuple[frozenset[str], list[Diagnostic]]:
    """Normalised addresses of all lists. A list or a line that cannot be read is an error: it may hide somebody."""
    found: set[str] = set()
    problems: list[Diagnostic] = []
    for number, path in enumerate(paths):
        try:
            for line, text in addresses(files, path):
                try:
                    found.add((email(text) if "@" in text else msisdn(text)).key)
                except ValueError as error:
                    problems.append(
                        Diagnostic("bad-suppression", Severity.ERROR, str(error), Location(path, line, 1))
                    )
        except (OSError, ValueError, TableError) as error:
            message = f"the suppression list {path!r} cannot be read: {error}"
            problems.append(
                Diagnostic("unreadable-file", Severity.ERROR, message, marks.at("suppressions", number))
            )
    return frozenset(found), problems


def addresses(files: FileTree, path: str) -> Iterator[tuple[int, str]]:
    """(line, text) of every address; lines that are empty or begin with # are not."""
    table = Csv(files, path)
    header = table.header
    named = [column for column in header if column.lower() in ADDRESS_COLUMNS]
    if not named and header[0] and not header[0].startswith("#"):
        yield 1, header[0]
    for line, cells in table.cells():
        if isinstance(cells, str):
            raise TableError(f"line {line}: {cells}")
        for column in named or header[:1]:
            text = cells.get(column)
            if text and not text.startswith("#"):
                yield line, text
