"""`lint` as SARIF 2.1.0 for code scanning: rules, results and fingerprints that survive moved lines.

GitHub keeps 5,000 results of a run, so at most as many are written, most severe first; a notification counts the
rest.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from notifyctl import __version__
from notifyctl.diagnostics import Diagnostic, Severity
from notifyctl.lint.rule_pages import PAGES
from notifyctl.views.lint.context import LintContext, by_severity, fingerprints

MOST = 5000
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
HOME = "https://github.com/notifyctl/notifyctl"
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render(diagnostics: Sequence[Diagnostic], surroundings: LintContext) -> str:
    worst = by_severity(diagnostics)
    kept = worst[:MOST]
    rules = sorted({diagnostic.rule for diagnostic in kept})
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "notifyctl",
                "version": __version__,
                "informationUri": HOME,
                "rules": [rule(name, kept) for name in rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [
            result(diagnostic, fingerprint, rules.index(diagnostic.rule), surroundings)
            for diagnostic, fingerprint in zip(kept, fingerprints(kept), strict=True)
        ],
    }
    if len(worst) > MOST:
        text = f"{len(worst) - MOST} more results are left out"
        notification = {"level": "warning", "message": {"text": text}}
        run["invocations"] = [{"executionSuccessful": True, "toolExecutionNotifications": [notification]}]
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def rule(name: str, diagnostics: Sequence[Diagnostic]) -> dict[str, Any]:
    level = LEVELS[next(d.severity for d in diagnostics if d.rule == name)]
    page = PAGES.get(name)
    text = page.text if page else name
    return {
        "id": name,
        "shortDescription": {"text": name.replace("-", " ")},
        "fullDescription": {"text": text},
        "help": {"text": f"{text}\n\n`notifyctl explain {name}`"},
        "defaultConfiguration": {"level": level},
    }


def result(diagnostic: Diagnostic, fingerprint: str, index: int, surroundings: LintContext) -> dict[str, Any]:
    place = diagnostic.location
    where: dict[str, Any] = {
        "artifactLocation": {"uri": quote(surroundings.path(place.file)), "uriBaseId": "%SRCROOT%"}
    }
    if place.line:
        where["region"] = {"startLine": place.line, "startColumn": max(place.column, 1)}
    text = diagnostic.message + (f" ({diagnostic.hint})" if diagnostic.hint else "")
    return {
        "ruleId": diagnostic.rule,
        "ruleIndex": index,
        "level": LEVELS[diagnostic.severity],
        "message": {"text": text},
        "locations": [{"physicalLocation": where}],
        "partialFingerprints": {"notifyctl/v1": fingerprint},
    }
