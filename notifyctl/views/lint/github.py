"""`lint` as GitHub workflow commands: annotations on a pull request's lines, most severe first.

GitHub shows ten errors, ten warnings and ten notices per step and drops the rest, so only as many are written and
the others are counted. Text is escaped as GitHub's own toolkit does, so that it cannot end its command or start
another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from notifyctl.diagnostics import Diagnostic, Severity
from notifyctl.views.colours import strip_controls
from notifyctl.views.lint.context import LintContext, by_severity

PER_STEP = 10
COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(diagnostics: Sequence[Diagnostic], surroundings: LintContext) -> str:
    written: Counter[Severity] = Counter()
    lines = []
    for diagnostic in by_severity(diagnostics):
        written[diagnostic.severity] += 1
        if written[diagnostic.severity] <= PER_STEP:
            lines.append(command(diagnostic, surroundings))
    hidden = {COMMANDS[severity]: count - PER_STEP for severity, count in written.items() if count > PER_STEP}
    if hidden:
        counts = ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for word, count in hidden.items())
        lines.append(f"Not shown above, because GitHub shows {PER_STEP} of a kind: {counts}.")
    return "\n".join(lines)


def command(diagnostic: Diagnostic, surroundings: LintContext) -> str:
    place = diagnostic.location
    given = {"file": surroundings.path(place.file)}
    if place.line:
        given |= {"line": str(place.line), "col": str(place.column)}
    given["title"] = diagnostic.rule
    text = diagnostic.message + (f"\n{diagnostic.hint}" if diagnostic.hint else "")
    properties = ",".join(f"{name}={escape(value, also=':,')}" for name, value in given.items())
    return f"::{COMMANDS[diagnostic.severity]} {properties}::{escape(text)}"


def escape(text: str, *, also: str = "") -> str:
    """Percent-encodes characters that would end the value or the line."""
    made = "".join(f"%{ord(c):02X}" if c in "%\r\n" + also else c for c in text)
    return strip_controls(made)
