"""What the formats of `lint` need in addition to the diagnostics: source lines, and the project's place in the repository."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from posixpath import join, normpath

from msgspec import Struct

from notifyctl.diagnostics import Diagnostic, Severity

OTHER_LINE = re.compile(r"\bline [0-9,]+")
"""A reference to another line in a message, which moves with edits."""
GRAVEST_FIRST = (Severity.ERROR, Severity.WARNING, Severity.INFO)


class LintContext(Struct, frozen=True):
    """`lines` returns the lines of a project file; `prefix` is the path from the repository to the project."""

    lines: Callable[[str], Sequence[str]]
    prefix: str = ""
    colour: bool = False

    def path(self, file: str) -> str:
        """The file's path in the repository, with `/`."""
        return normpath(join(self.prefix, file))


def by_severity(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    return sorted(diagnostics, key=lambda d: (GRAVEST_FIRST.index(d.severity), d.location, d.rule, d.message))


def fingerprints(diagnostics: Sequence[Diagnostic]) -> list[str]:
    """Fingerprints that survive moved lines: rule, file and message, numbered where they repeat."""
    from hashlib import sha256

    seen: dict[str, int] = {}
    made = []
    for diagnostic in diagnostics:
        message = OTHER_LINE.sub("line", diagnostic.message)
        text = f"{diagnostic.rule}\0{diagnostic.location.file}\0{message}"
        seen[text] = seen.get(text, 0) + 1
        made.append(sha256(f"{text}\0{seen[text]}".encode()).hexdigest())
    return made
