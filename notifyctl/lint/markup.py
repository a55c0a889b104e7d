"""What is wrong in the HTML of an e-mail, tag by tag. Imported only where there is HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from msgspec.structs import replace

from notifyctl.diagnostics import Path, Problem, Severity
from notifyctl.lint.links import (
    LINK_SCHEMES,
    RESOURCE_SCHEMES,
    find_insecure_links,
    insecure_link,
    leads_nowhere,
    runs_script,
)

MOST_OPEN = 1000
ACTIVE = frozenset({"script", "form", "iframe", "object", "embed"})
LINKED_DATA = "application/ld+json"
"""The type of a <script> that is data: mail programs read actions and bookings from it (schema.org in e-mail)."""
NAMESPACE = re.compile(r"""xmlns(?::\w+)?\s*=\s*(?:"[^"]*"|'[^']*')""")
LOADING = {"img": "src", "source": "src", "video": "src", "audio": "src", "link": "href", "input": "src"}
"""Tag → the attribute that names what it loads."""


class Markup(HTMLParser):
    """Collects what is wrong in HTML, tag by tag."""

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.path = path
        self.problems: list[Problem] = []
        self.links = 0
        self.data_only = False
        """Whether what follows is linked data in a <script>, of which no reader sees anything."""
        self.has_base = False

    def handle_endtag(self, tag: str) -> None:
        self.data_only = False
        if tag == "a":
            self.links -= 1
            if self.links < 0:
                self.links = 0
                self.report(
                    "unbalanced-link",
                    "</a> closes a link that was not opened",
                    "remove it, or write <a href=…>",
                )

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.data_only = tag == "script" and (given.get("type") or "").lower() == LINKED_DATA
        for name, value in attrs:
            if value and not name.startswith("xmlns"):
                self.insecure_links(value)
        if tag in ACTIVE and not self.data_only:
            self.report(
                "active-markup",
                f"<{tag}> does nothing in a mail client, or alarms it",
                "remove it",
                Severity.ERROR,
            )
        if any(name.startswith("on") for name in given):
            self.report("active-markup", f"<{tag}> has a script in an attribute", "remove it", Severity.ERROR)
        if tag == "img" and given.get("alt") is None:
            self.report(
                "image-without-alt",
                f"an image has no alt text: {(given.get('src') or '')[:80]!r}",
                'write alt="…", or alt="" for decoration',
            )
        if tag == "base" and given.get("href"):
            self.has_base = True
        self.resource(tag, given.get("background"))
        if tag in LOADING:
            self.resource(tag, given.get(LOADING[tag]))
        if tag == "a":
            if self.links:
                self.report(
                    "unbalanced-link", "a link begins inside another one", "close the first with </a>"
                )
            self.links = 1
            self.link(given.get("href"))

    def handle_data(self, data: str) -> None:
        if not self.data_only:
            self.insecure_links(data)

    def handle_comment(self, data: str) -> None:
        if data.startswith("[if"):  # Outlook reads it
            self.insecure_links(NAMESPACE.sub("", data))

    def insecure_links(self, text: str) -> None:
        line, offset = self.getpos()
        for link in find_insecure_links(text):
            self.problems.append(replace(insecure_link(self.path, link), line=line, column=offset + 1))

    def link(self, href: str | None) -> None:
        if href is None:
            return
        if runs_script(href):
            self.report("active-markup", "a link runs a script", "link to a page", Severity.ERROR)
        elif not self.has_base and leads_nowhere(href, LINK_SCHEMES):
            self.report(
                "relative-link", f"a link leads nowhere from a mailbox: {href[:80]!r}", "write https://…"
            )

    def resource(self, tag: str, url: str | None) -> None:
        if url and not self.has_base and leads_nowhere(url, RESOURCE_SCHEMES):
            message = f"<{tag}> loads nothing in a mailbox: {url[:80]!r} is relative"
            self.report("relative-link", message, "write https://…")

    def report(self, rule: str, message: str, hint: str, severity: Severity = Severity.WARNING) -> None:
        line, offset = self.getpos()
        self.problems.append(Problem(self.path, rule, message, hint, severity, line=line, column=offset + 1))


def has_too_many_open_tags(text: str) -> bool:
    """Whether more than MOST_OPEN tags are open at once: for each, a parser would look for its end through the whole text."""
    return any(stretch.count("<") > MOST_OPEN for stretch in text.split(">"))


def check_markup(path: Path, text: str) -> Iterator[Problem]:
    if has_too_many_open_tags(text):
        problem = f"more than {MOST_OPEN:,} tags are opened with < and not closed with >"
        yield Problem(path, "template-limit", problem, "close them, or write &lt;")
        return
    parser = Markup(path)
    parser.feed(text)
    parser.close()
    if parser.links:
        parser.report("unbalanced-link", "a link is not closed: all that follows is part of it", "write </a>")
    yield from parser.problems
