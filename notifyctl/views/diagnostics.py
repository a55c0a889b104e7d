"""Diagnostics as text for the terminal and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from notifyctl.diagnostics import Diagnostic, Severity
from notifyctl.plurals import pluralise as pluralise  # noqa: PLC0414 - for those who import it from here
from notifyctl.views.colours import Paint, strip_controls

FORMAT_VERSION = "1.0"


def as_text(diagnostics: Sequence[Diagnostic], *, colour: bool, summary: bool = False) -> str:
    """One block per diagnostic: location, severity, rule and message, with the hint below. `summary` adds a last line
    of counts.
    """
    paint = Paint(colour)
    lines = [line for diagnostic in diagnostics for line in format_block(diagnostic, paint)]
    if summary:
        lines.append(count_line(diagnostics, paint))
    return "\n".join(lines)


def format_block(diagnostic: Diagnostic, paint: Paint) -> Iterable[str]:
    shade = {Severity.ERROR: paint.red, Severity.WARNING: paint.yellow, Severity.INFO: paint.blue}
    severity = shade[diagnostic.severity](diagnostic.severity.value)
    place = paint.bold(strip_controls(str(diagnostic.location)))
    yield f"{place}: {severity} {paint.dim(f'[{diagnostic.rule}]')} {strip_controls(diagnostic.message)}"
    if diagnostic.hint:
        yield f"    {paint.cyan('→')} {strip_controls(diagnostic.hint)}"


def count_line(diagnostics: Iterable[Diagnostic], paint: Paint) -> str:
    counts = Counter(d.severity for d in diagnostics)
    errors, warnings = counts[Severity.ERROR], counts[Severity.WARNING]
    if not errors and not warnings:
        return paint.green("No problems found.")
    totals = f"{pluralise(errors, 'error')}, {pluralise(warnings, 'warning')}"
    return (paint.red if errors else paint.yellow)(totals)


def as_fixed(diagnostics: Sequence[Diagnostic]) -> str:
    """What `lint --fix` changed, one line each, and the number of changes."""
    lines = [
        f"fixed {each.location.file}:{each.location.line} {each.rule}: {each.fix.old} → {each.fix.new}"
        for each in diagnostics
        if each.fix is not None
    ]
    return "\n".join([*map(strip_controls, lines), f"{pluralise(len(lines), 'problem')} fixed"])


def as_json(diagnostics: Iterable[Diagnostic], more: Mapping[str, str] = MappingProxyType({})) -> str:
    """`more`: keys that a command adds."""
    import json

    listed = list(diagnostics)
    counts = Counter(d.severity for d in listed)
    document = {
        "format_version": FORMAT_VERSION,
        **more,
        "diagnostics": [as_object(d) for d in listed],
        "summary": {
            "errors": counts[Severity.ERROR],
            "warnings": counts[Severity.WARNING],
            "infos": counts[Severity.INFO],
        },
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def as_object(diagnostic: Diagnostic) -> dict[str, str | int | None]:
    return {
        "rule": diagnostic.rule,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "hint": diagnostic.hint,
        "file": diagnostic.location.file,
        "line": diagnostic.location.line,
        "column": diagnostic.location.column,
        "fixable": diagnostic.fix is not None,
    }
