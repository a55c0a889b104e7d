"""The words themselves: what a reader would trip over, be tricked by, or should never see. Over composed texts, any channel."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from html.parser import HTMLParser

from notifyctl.channels.channel import texts
from notifyctl.delivery import Message
from notifyctl.diagnostics import Path, Problem, Severity

HIDDEN = re.compile("[\u200b\u2060\ufeff\u00ad\u180e]")
"""Zero-width characters that are of no use in a message; the joiners of scripts and emoji are."""
TURNED = re.compile("[\u202a-\u202e\u2066-\u2069]")
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
LINK = re.compile(r"\bhttp://[^\s\"'<>)]+", re.IGNORECASE)
SECRETS = (
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    ("a JSON Web Token", re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}")),
    ("an AWS access key", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("a GitHub token", re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36,}\b")),
    ("a Slack token", re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}")),
    ("a Google API key", re.compile(r"\bAIza[\w-]{35}\b")),
)
LOCAL = ("http://127.0.0.1", "http://localhost")

Check = Callable[[Path, str], Iterator[Problem]]


def check_words(message: Message) -> Iterator[Problem]:
    """Every string of content and options, with its path in the message."""
    for path, text in texts({"content": message.content or {}, "options": message.options}):
        markup = path[-1] == "html"
        for check in MARKUP_CHECKS if markup else TEXT_CHECKS:
            yield from check(path, text)


def invisible(path: Path, text: str) -> Iterator[Problem]:
    for pattern, what in (
        (CONTROL, "a control character"),
        (TURNED, "a character that turns the reading direction"),
        (HIDDEN, "a character without width"),
    ):
        if found := pattern.search(text):
            code = f"U+{ord(found[0]):04X}"
            name = unicodedata.name(found[0], "unnamed")
            message = f"{what} stands in the text: {code} {name}, after {text[max(0, found.start() - 12) : found.start()]!r}"
            yield Problem(path, "invisible-character", message, "remove it", Severity.WARNING)


def insecure_links(path: Path, text: str) -> Iterator[Problem]:
    for found in LINK.finditer(text):
        if not found[0].lower().startswith(LOCAL):
            message = f"a link without TLS: {found[0][:80]}"
            yield Problem(path, "insecure-link", message, "write https://", Severity.WARNING)


def secrets(path: Path, text: str) -> Iterator[Problem]:
    """The secret itself is not repeated."""
    for what, pattern in SECRETS:
        if pattern.search(text):
            message = f"this looks like {what}; whoever reads the message, or the repository, would have it"
            yield Problem(path, "secret-in-text", message, "remove it, and revoke it if it is real")


class Markup(HTMLParser):
    """Collects what is wrong in HTML, tag by tag."""

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.path = path
        self.problems: list[Problem] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in {"script", "form", "iframe", "object", "embed"}:
            self.tell(
                "active-markup",
                f"<{tag}> does nothing in a mail client, or alarms it",
                "remove it",
                Severity.ERROR,
            )
        if any(name.startswith("on") for name in given):
            self.tell("active-markup", f"<{tag}> has a script in an attribute", "remove it", Severity.ERROR)
        if tag == "img" and given.get("alt") is None:
            self.tell(
                "image-without-alt", "an image has no alt text", 'write alt="…", or alt="" for decoration'
            )
        if tag == "a":
            self.link(given.get("href"))

    def link(self, href: str | None) -> None:
        if href is None or href.startswith(("$(", "#")):
            return
        scheme = href.partition(":")[0].lower() if ":" in href else ""
        if scheme == "javascript":
            self.tell("active-markup", "a link runs a script", "link to a page", Severity.ERROR)
        elif scheme not in {"http", "https", "mailto", "tel", "sms"}:
            self.tell(
                "relative-link", f"a link leads nowhere from a mailbox: {href[:80]!r}", "write https://…"
            )

    def tell(self, rule: str, message: str, hint: str, severity: Severity = Severity.WARNING) -> None:
        self.problems.append(Problem(self.path, rule, message, hint, severity))


def markup(path: Path, text: str) -> Iterator[Problem]:
    parser = Markup(path)
    parser.feed(text)
    parser.close()
    yield from parser.problems


TEXT_CHECKS: tuple[Check, ...] = (invisible, insecure_links, secrets)
MARKUP_CHECKS: tuple[Check, ...] = (*TEXT_CHECKS, markup)
