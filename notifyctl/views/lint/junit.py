"""`lint` as JUnit XML: a suite per file with problems, a case per problem; only errors fail."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from notifyctl.diagnostics import Diagnostic, Severity
from notifyctl.views.lint.context import LintContext

NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot contain, even escaped."""


def render(diagnostics: Sequence[Diagnostic], surroundings: LintContext) -> str:
    errors = sum(d.severity is Severity.ERROR for d in diagnostics)
    suites = [
        suite(surroundings.path(file), list(group))
        for file, group in groupby(diagnostics, key=lambda d: d.location.file)
    ]
    if not suites:
        suites = [
            '<testsuite name="notifyctl lint" tests="1" failures="0" errors="0"><testcase name="no problems" classname="notifyctl"/></testsuite>'
        ]
    tests = max(len(diagnostics), 1)
    head = f'<testsuites name="notifyctl lint" tests="{tests}" failures="{errors}">'
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *suites, "</testsuites>"])


def suite(file: str, diagnostics: list[Diagnostic]) -> str:
    failures = sum(d.severity is Severity.ERROR for d in diagnostics)
    cases = "\n".join(case(file, diagnostic) for diagnostic in diagnostics)
    return f'<testsuite name={attribute(file)} tests="{len(diagnostics)}" failures="{failures}" errors="0">\n{cases}\n</testsuite>'


def case(file: str, diagnostic: Diagnostic) -> str:
    name = f"{diagnostic.rule} at {diagnostic.location.line}:{diagnostic.location.column}"
    head = f"<testcase name={attribute(name)} classname={attribute(file)}"
    content = diagnostic.message + (f"\n{diagnostic.hint}" if diagnostic.hint else "")
    if diagnostic.severity is Severity.ERROR:
        failure = f"<failure message={attribute(diagnostic.message)} type={attribute(diagnostic.rule)}>"
        return f"{head}>{failure}{escape(safe(content))}</failure></testcase>"
    return f"{head}><system-out>{escape(safe(f'{diagnostic.severity.value}: {content}'))}</system-out></testcase>"


def attribute(text: str) -> str:
    return quoteattr(safe(text))


def safe(text: str) -> str:
    return NOT_XML.sub("\ufffd", text)
