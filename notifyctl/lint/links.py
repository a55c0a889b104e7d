"""Links in texts and markup: those without TLS, and those that lead nowhere from a mailbox."""

from __future__ import annotations

import re

from notifyctl.diagnostics import Path, Problem, Severity
from notifyctl.lint.foreign_placeholders import find_foreign_placeholders

LINK = re.compile(r"\bhttp://[^\s\"'<>)]+", re.IGNORECASE)
LOCAL = ("http://127.0.0.1", "http://localhost")
SKIPPED = re.compile(r"[\x00-\x20\x7f-\xa0]")
SCRIPT_SCHEMES = frozenset({"javascript", "vbscript", "data"})
LINK_SCHEMES = frozenset({"http", "https", "mailto", "tel", "sms"})
RESOURCE_SCHEMES = frozenset({"http", "https", "cid", "data"})


def find_insecure_links(text: str) -> list[str]:
    """The links of a text that begin with http:// and do not lead to this machine."""
    if "://" not in text:
        return []
    return [found[0] for found in LINK.finditer(text) if not found[0].lower().startswith(LOCAL)]


def insecure_link(path: Path, link: str) -> Problem:
    return Problem(
        path, "insecure-link", f"a link without TLS: {link[:80]}", "write https://", Severity.WARNING
    )


def leads_nowhere(url: str, schemes: frozenset[str]) -> bool:
    """Whether a URL is relative or of another scheme. One that is filled in later passes: its value is checked then."""
    if url.startswith(("$(", "#")) or find_foreign_placeholders(url):
        return False
    scheme = url.partition(":")[0].lower() if ":" in url else ""
    return scheme not in schemes


def runs_script(url: str) -> bool:
    """Whether opening a URL runs what it holds. Programs skip control characters and blanks in front of and within a scheme."""
    scheme, colon, _ = url.partition(":")
    return bool(colon) and SKIPPED.sub("", scheme).lower() in SCRIPT_SCHEMES
