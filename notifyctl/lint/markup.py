"""What is wrong in the HTML of an e-mail, tag by tag. Imported only where there is HTML."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

from notifyctl.diagnostics import Path, Problem, Severity
from notifyctl.lint.foreign_placeholders import find_foreign_placeholders

MOST_OPEN = 1000


class Markup(HTMLParser):
    """Collects what is wrong in HTML, tag by tag."""

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.path = path
        self.problems: list[Problem] = []
        self.links = 0

    def handle_endtag(self, tag: str) -> None:
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
        if tag in {"script", "form", "iframe", "object", "embed"}:
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
                "image-without-alt", "an image has no alt text", 'write alt="…", or alt="" for decoration'
            )
        if tag == "a":
            if self.links:
                self.report(
                    "unbalanced-link", "a link begins inside another one", "close the first with </a>"
                )
            self.links = 1
            self.link(given.get("href"))

    def link(self, href: str | None) -> None:
        if href is None or href.startswith(("$(", "#")) or find_foreign_placeholders(href):
            return  # reported as a placeholder
        scheme = href.partition(":")[0].lower() if ":" in href else ""
        if scheme == "javascript":
            self.report("active-markup", "a link runs a script", "link to a page", Severity.ERROR)
        elif scheme not in {"http", "https", "mailto", "tel", "sms"}:
            self.report(
                "relative-link", f"a link leads nowhere from a mailbox: {href[:80]!r}", "write https://…"
            )

    def report(self, rule: str, message: str, hint: str, severity: Severity = Severity.WARNING) -> None:
        self.problems.append(Problem(self.path, rule, message, hint, severity))


def check_markup(path: Path, text: str) -> Iterator[Problem]:
    if any(stretch.count("<") > MOST_OPEN for stretch in text.split(">")):
        problem = f"more than {MOST_OPEN:,} tags are opened with < and not closed with >"
        yield Problem(path, "template-limit", problem, "close them, or write &lt;")
        return  # the parser would look for the end of each, through the whole text
    parser = Markup(path)
    parser.feed(text)
    parser.close()
    if parser.links:
        parser.report("unbalanced-link", "a link is not closed: all that follows is part of it", "write </a>")
    yield from parser.problems
