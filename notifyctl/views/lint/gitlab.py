"""`lint` as a GitLab code quality report: a JSON array with one object per problem and a fingerprint that survives
moved lines.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from notifyctl.diagnostics import Diagnostic, Severity
from notifyctl.views.lint.context import LintContext, fingerprints

SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.INFO: "info"}


def render(diagnostics: Sequence[Diagnostic], surroundings: LintContext) -> str:
    report = [
        {
            "description": diagnostic.message,
            "check_name": diagnostic.rule,
            "fingerprint": fingerprint,
            "severity": SEVERITIES[diagnostic.severity],
            "location": {
                "path": surroundings.path(diagnostic.location.file),
                "lines": {"begin": max(diagnostic.location.line, 1)},
            },
        }
        for diagnostic, fingerprint in zip(diagnostics, fingerprints(diagnostics), strict=True)
    ]
    return json.dumps(report, indent=2, ensure_ascii=False)
