"""Configured severities and ignore comments, applied to diagnostics.

Only diagnostics of lint and plan on valid files can be ignored, never errors in loading a file, nor those of fixed severity.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from notifyctl.diagnostics import Diagnostic, Location, Positions, Severity

COMMENT = re.compile(r"(?:^|\s)#\s*notifyctl:\s*ignore\[([^\]\n]*)\](.*)$")
OFF = "off"
FIRM = "fixed-severity"
FIRM_HINT = "fix the error, or remove the notification"

Lines = Callable[[str], Sequence[str]]
"""Project file → its lines; empty unless it is YAML."""


class IgnoreComment(Struct, frozen=True):
    """`# notifyctl: ignore[rule, rule] reason`: these rules are not reported on this line."""

    place: Location
    rules: tuple[str, ...]
    reason: str


def read_ignore_comments(files: Iterable[str], lines: Lines) -> Iterator[IgnoreComment]:
    for file in files:
        for number, line in enumerate(lines(file), start=1):
            match = COMMENT.search(line) if "notifyctl:" in line else None
            if match:
                rules = tuple(rule.strip() for rule in match[1].split(",") if rule.strip())
                yield IgnoreComment(
                    Location(file, number, line.index("#", match.start()) + 1), rules, match[2].strip()
                )


def apply_configured_severities(
    diagnostics: Iterable[Diagnostic], severities: Mapping[str, str]
) -> Iterator[Diagnostic]:
    """Sets severities from the project's `lint:` and drops rules that are off. Firm ones stay as they are."""
    for diagnostic in diagnostics:
        severity = severities.get(diagnostic.rule)
        if severity is None or diagnostic.fixed_severity:
            yield diagnostic
        elif severity != OFF:
            yield replace(diagnostic, severity=Severity(severity))


def report_firm(
    diagnostics: Iterable[Diagnostic], severities: Mapping[str, str], positions: Positions
) -> Iterator[Diagnostic]:
    """Where the project's `lint:` lowers a rule that is broken so that no message can be made."""
    for rule in sorted({each.rule for each in diagnostics if each.fixed_severity}):
        if severities.get(rule, Severity.ERROR) != Severity.ERROR:
            message = f"`{rule}` stays an error: no message can be composed until it is fixed"
            yield Diagnostic(FIRM, Severity.WARNING, message, positions.location("lint", rule), FIRM_HINT)


def without_ignored(
    diagnostics: Iterable[Diagnostic], known: Iterable[IgnoreComment], *, report_unused: bool
) -> Iterator[Diagnostic]:
    """Drops diagnostics with an ignore comment on their line. `report_unused`: also yields problems of the comments."""
    by_line: dict[tuple[str, int], list[IgnoreComment]] = {}
    for exception in known:
        by_line.setdefault((exception.place.file, exception.place.line), []).append(exception)
    used: set[tuple[Location, str]] = set()
    for diagnostic in diagnostics:
        places = (diagnostic.location, diagnostic.named_at or diagnostic.location)
        lines = {(place.file, place.line) for place in places}
        comments = [comment for line in lines for comment in by_line.get(line, ())]
        hits = [exception for exception in comments if diagnostic.rule in exception.rules]
        used.update((exception.place, diagnostic.rule) for exception in hits)
        if not hits or diagnostic.fixed_severity:
            yield diagnostic
        if report_unused and diagnostic.fixed_severity:
            for exception in hits:
                message = (
                    f"`{diagnostic.rule}` cannot be ignored: no message can be composed until it is fixed"
                )
                yield Diagnostic(FIRM, Severity.WARNING, message, exception.place, FIRM_HINT)
    if report_unused:
        yield from (
            problem
            for each in by_line.values()
            for exception in each
            for problem in ignore_comment_problems(exception, used)
        )


def ignore_comment_problems(
    exception: IgnoreComment, used: set[tuple[Location, str]]
) -> Iterator[Diagnostic]:
    from notifyctl.lint.rule_pages import PAGES

    for rule in exception.rules:
        if rule in PAGES and (exception.place, rule) not in used:
            message = f"unused ignore comment: `{rule}` does not apply to this line"
            yield Diagnostic("unused-exception", Severity.WARNING, message, exception.place, "remove it")
    if not exception.reason:
        hint = "write `# notifyctl: ignore[rule] reason`"
        message = "ignore comment without a reason"
        yield Diagnostic("exception-without-reason", Severity.WARNING, message, exception.place, hint)
