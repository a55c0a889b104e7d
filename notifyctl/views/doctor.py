"""What `doctor` found: text and JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence

from notifyctl.model.checks import Check, CheckStatus
from notifyctl.plurals import pluralise
from notifyctl.views.colours import Paint, strip_controls

FORMAT_VERSION = "1.0"
LABELS = {
    CheckStatus.OK: "ok",
    CheckStatus.WARNING: "warning",
    CheckStatus.ERROR: "error",
    CheckStatus.NOT_CHECKED: "not checked",
}
LABEL_WIDTH = max(map(len, LABELS.values()))


def as_text(project: str | None, environment: str | None, checks: Sequence[Check], *, colour: bool) -> str:
    return "\n".join(_lines(project, environment, checks, Paint(colour)))


def _lines(
    project: str | None, environment: str | None, checks: Sequence[Check], paint: Paint
) -> Iterator[str]:
    shades = {
        CheckStatus.OK: paint.green,
        CheckStatus.WARNING: paint.yellow,
        CheckStatus.ERROR: paint.red,
        CheckStatus.NOT_CHECKED: paint.dim,
    }
    yield " · ".join(
        filter(None, (paint.bold(project or ""), f"environment {environment}" if environment else ""))
    )
    width = max((len(check.name) for check in checks), default=0)
    for check in checks:
        label = shades[check.status](LABELS[check.status].ljust(LABEL_WIDTH))
        yield f"{label}  {check.name.ljust(width)}  {strip_controls(check.text)}"
        if check.hint is not None:
            yield from (
                f"{' ' * (LABEL_WIDTH + width + 4)}{paint.dim(strip_controls(line))}"
                for line in check.hint.splitlines()
            )
    yield f"{summarise(checks)}."


def summarise(checks: Sequence[Check]) -> str:
    counts = Counter(check.status for check in checks)
    return ", ".join(
        (pluralise(counts[CheckStatus.ERROR], "error"), pluralise(counts[CheckStatus.WARNING], "warning"))
    )


def as_json(project: str | None, environment: str | None, checks: Sequence[Check]) -> str:
    counts = Counter(check.status for check in checks)
    document = {
        "format_version": FORMAT_VERSION,
        "project": project,
        "environment": environment,
        "checks": [
            {"name": each.name, "status": each.status.value, "text": each.text, "hint": each.hint}
            for each in checks
        ],
        "summary": {status.value: counts[status] for status in CheckStatus},
    }
    return json.dumps(document, indent=2, ensure_ascii=False)
