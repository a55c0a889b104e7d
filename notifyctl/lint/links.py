"""Links in texts and markup: those without TLS, and those that do not work in an email."""

from __future__ import annotations

import re

from notifyctl.diagnostics import Path, Problem, Severity
from notifyctl.lint.foreign_placeholders import NO_NAMES, KnownNames, find_foreign

LINK = re.compile(r"\bhttp://[^\s\"'<>)]+", re.IGNORECASE)
LOCAL = ("http://127.0.0.1", "http://localhost")
SKIPPED = re.compile(r"[\x00-\x20\x7f-\xa0]")
SCRIPT_SCHEMES = frozenset({"javascript", "vbscript", "data"})
RESOURCE_SCHEMES = frozenset({"http", "https", "cid", "data"})
WEB_SCHEMES = ("http", "https")
LOCAL_SCHEMES = frozenset({"file", "about", "blob", "chrome", "res"})
"""They lead to something on the machine of the author."""
LINK_SCHEMES = frozenset(
    {"http", "https", "mailto", "tel", "sms", "smsto", "callto", "facetime", "sip", "geo"}
)
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+-]+):(?!\d)")
"""A scheme, of an app too. `localhost:3000` is a host with a port, `C:` a drive."""
BRACKETED = re.compile(r"[\[{<%@|~*]{1,2}[^\W\d][\w .-]*[\]}>%@|~*]{1,2}")
MAILBOX = re.compile(r"[^\s@/?#:]+@[^\s@/?#:]+")
SHOWN = 80
"""Characters of a URL in a message."""


def find_insecure_links(text: str) -> list[str]:
    """The links of a text that begin with http:// and do not lead to this machine."""
    if "://" not in text:
        return []
    return [found[0] for found in LINK.finditer(text) if not found[0].lower().startswith(LOCAL)]


def insecure_link(path: Path, link: str) -> Problem:
    return Problem(
        path, "insecure-link", f"a link without TLS: {link[:SHOWN]}", "write https://", Severity.WARNING
    )


def is_filled_in(url: str, known: KnownNames = NO_NAMES) -> bool:
    """Whether a placeholder makes a URL: its value is checked later, and a foreign one is reported as such."""
    return url.startswith("$(") or next(find_foreign(url, known), None) is not None


def leads_nowhere(url: str, known: KnownNames = NO_NAMES) -> bool:
    """Whether a link is relative, misspelt, or to something on the author's machine."""
    url = url.strip()
    if url.startswith("#") or is_filled_in(url, known):
        return False
    scheme, colon, rest = url.lower().partition(":")
    if colon and scheme in LINK_SCHEMES:
        return scheme in WEB_SCHEMES and not rest.startswith("//")
    return SCHEME.match(url) is None or scheme in LOCAL_SCHEMES or is_misspelt(scheme)


def is_misspelt(scheme: str) -> bool:
    from difflib import get_close_matches

    return bool(get_close_matches(scheme, WEB_SCHEMES, n=1, cutoff=0.8))


def loads_nothing(url: str, known: KnownNames = NO_NAMES) -> bool:
    """Whether a mail program cannot load what a URL names, because it is relative or has a scheme of another kind."""
    url = url.strip()
    if url.startswith("#") or is_filled_in(url, known):
        return False
    return (url.partition(":")[0].lower() if ":" in url else "") not in RESOURCE_SCHEMES


def is_bracketed(url: str) -> bool:
    """Whether a whole URL is in brackets: a placeholder of another tool, whatever the word inside."""
    return BRACKETED.fullmatch(url.strip()) is not None


def suggest_link(url: str) -> str:
    """A hint for a URL that leads nowhere."""
    url = url.strip()
    if url.startswith("//"):
        return "write https: before it"
    if MAILBOX.fullmatch(url):
        return "write mailto: before it"
    return "write https://…"


def quote_url(url: str) -> str:
    return f'"{url[:SHOWN]}"' + ("…" if len(url) > SHOWN else "")


def runs_script(url: str) -> bool:
    """Whether opening a URL runs what it holds. Programs skip control characters and blanks in front of and within a scheme."""
    scheme, colon, _ = url.partition(":")
    return bool(colon) and SKIPPED.sub("", scheme).lower() in SCRIPT_SCHEMES
