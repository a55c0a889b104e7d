"""What the forms of `lint` need beside the diagnostics: source lines, and where the project lies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from posixpath import join, normpath

from notifyctl.diagnostics import Diagnostic, Severity
from notifyctl.patterns import pattern
from notifyctl.records import dataclass

OTHER_LINE = pattern(r"\bline [0-9,]+")
"""Where a message speaks of another line, which moves too."""
GRAVEST_FIRST = (Severity.ERROR, Severity.WARNING, Severity.INFO)


@dataclass(frozen=True, slots=True)
class LintContext:
    """`lines` gives the text of a file of the project, line by line; `prefix` leads from the repository to the project."""

    lines: Callable[[str], Sequence[str]]
    prefix: str = ""
    colour: bool = False

    def path(self, file: str) -> str:
        """The file as seen from the repository, with `/`."""
        return normpath(join(self.prefix, file))


def by_severity(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    return sorted(diagnostics, key=lambda d: (GRAVEST_FIRST.index(d.severity), d.location, d.rule, d.message))


def fingerprints(diagnostics: Sequence[Diagnostic]) -> list[str]:
    """What names a problem while its line moves: rule, file and message; numbered where the same stands again."""
    from hashlib import sha256

    seen: dict[str, int] = {}
    made = []
    for diagnostic in diagnostics:
        message = OTHER_LINE.sub("line", diagnostic.message)
        text = f"{diagnostic.rule}\0{diagnostic.location.file}\0{message}"
        seen[text] = seen.get(text, 0) + 1
        made.append(sha256(f"{text}\0{seen[text]}".encode()).hexdigest())
    return made
