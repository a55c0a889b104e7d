"""What is wrong in the HTML of an email, tag by tag. Imported only where there is HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from msgspec.structs import replace

from notifyctl.diagnostics import Path, Problem, Severity
from notifyctl.lint.foreign_placeholders import NO_NAMES, KnownNames, suggest_placeholder
from notifyctl.lint.html_tags import HTML_TAGS
from notifyctl.lint.links import (
    find_insecure_links,
    insecure_link,
    is_bracketed,
    is_filled_in,
    leads_nowhere,
    loads_nothing,
    quote_url,
    runs_script,
    suggest_link,
)
from notifyctl.lint.stylesheets import find_loaded
from notifyctl.rulebook.substitutions import FOREIGN_PLACEHOLDER

MOST_OPEN = 1000
ACTIVE = frozenset({"script", "form", "iframe", "object", "embed"})
LINKED_DATA = "application/ld+json"
"""The type of a <script> that is data: mail programs read actions and bookings from it (schema.org in email)."""
CONDITIONAL = re.compile(r"\[if[^\]]*\]>")
"""How a comment begins that Outlook reads as HTML."""
LOADING = {
    "img": ("src",),
    "source": ("src",),
    "video": ("src", "poster"),
    "audio": ("src",),
    "link": ("href",),
    "input": ("src",),
    "image": ("href", "xlink:href"),
    "v:fill": ("src",),
    "v:image": ("src",),
    "v:imagedata": ("src",),
    "v:background": ("src",),
}
"""Tag → the attributes that name what it loads. `v:` is VML, which Outlook draws."""
LINKING = frozenset({"a", "area", "v:rect", "v:roundrect", "v:shape", "v:oval"})
NOT_LOADED = frozenset({"canonical", "alternate", "author", "next", "prev", "profile"})
"""Kinds of <link> that only name an address."""
URLS = frozenset(
    {"href", "src", "srcset", "background", "action", "formaction", "poster", "cite", "xlink:href", "data"}
)
CANDIDATE = re.compile(r"\s*((?:data:[^\s,]+,)?[^\s,][^\s]*?)(?:,\s+|,?\Z|\s+[\d.]+[wx]\s*(?:,|\Z))")
"""One image of a `srcset`: its URL, and how wide or dense it is."""


class Markup(HTMLParser):
    """Collects what is wrong in HTML, tag by tag."""

    def __init__(
        self,
        path: Path,
        known: KnownNames = NO_NAMES,
        *,
        first: tuple[int, int] = (1, 0),
        within: Markup | None = None,
    ) -> None:
        """`within`: for what is in a conditional comment, which begins at `first`: the line, and the offset in it."""
        super().__init__(convert_charrefs=True)
        self.path = path
        self.known = known
        self.first = first
        self.conditional = within is not None
        self.problems: list[Problem] = [] if within is None else within.problems
        self.links = 0
        self.data_only = False
        """Whether what follows is linked data in a <script>, which no recipient sees."""
        self.style = False
        """Whether what follows is a style sheet."""
        self.bracket = False
        """Whether what follows is the rest of `<<name>>`, which is found as text."""
        self.has_base: bool = within is not None and within.has_base

    def handle_endtag(self, tag: str) -> None:
        self.data_only = self.style = False
        if tag == "a" and not self.conditional:
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
        self.data_only = tag == "script" and (given.get("type") or "").strip().lower() == LINKED_DATA
        self.style = tag == "style"
        for name, value in attrs:
            if value and name in URLS:
                self.insecure_links(value)
        if tag in ACTIVE and not self.data_only:
            self.report(
                "active-markup",
                f"<{tag}> has no effect in email programs, or makes them warn of the message",
                "remove it",
                Severity.ERROR,
            )
        if any(name.startswith("on") for name in given):
            self.report("active-markup", f"<{tag}> has a script in an attribute", "remove it", Severity.ERROR)
        if tag == "img" and "alt" not in given:  # `alt` alone is what a minifier makes of alt=""
            self.report(
                "image-without-alt",
                f"an image has no alt text: {quote_url(given.get('src') or '')}",
                'write alt="…", or alt="" for decoration',
            )
        if tag == "base" and given.get("href"):
            self.has_base = True
        if not attrs and tag not in HTML_TAGS and self.known.find(tag) is not None and not self.bracket:
            self.foreign(f"<{tag}>")
        self.bracket = False
        if tag in LINKING:
            self.link(tag, given.get("href"))
        self.resources(tag, given)

    def resources(self, tag: str, given: dict[str, str | None]) -> None:
        """What a tag loads."""
        self.resource(tag, given.get("background"))
        if tag != "link" or not NOT_LOADED & {*(given.get("rel") or "").lower().split()}:
            for name in LOADING.get(tag, ()):
                self.resource(tag, given.get(name))
        for found in CANDIDATE.finditer(given.get("srcset") or ""):
            self.resource(tag, found[1])
        if style := given.get("style"):
            self.style_sheet(style, f'style="…" of <{tag}>')

    def handle_data(self, data: str) -> None:
        self.bracket = data.endswith("<")
        if self.style:
            self.style_sheet(data, "the style sheet")
        elif not self.data_only:
            self.insecure_links(data)

    def handle_comment(self, data: str) -> None:
        opened = CONDITIONAL.match(data)
        if opened is not None:
            first = self.place("<!--" + opened[0])
            inner = Markup(self.path, self.known, first=first, within=self)
            inner.feed(data[opened.end() :])
            inner.close()

    def style_sheet(self, css: str, what: str) -> None:
        """A style sheet, or the value of a `style`."""
        for start, url in find_loaded(css):
            at = start if self.style else 0
            if url.lower().startswith("http://"):
                self.insecure_links(url, css[:at])
            if not self.has_base and loads_nothing(url, self.known):
                self.add(self.nothing_loaded(what, url), css[:at])

    def insecure_links(self, text: str, before: str = "") -> None:
        for link in find_insecure_links(text):
            self.add(insecure_link(self.path, link), before)

    def link(self, tag: str, href: str | None) -> None:
        if tag == "a" and not self.conditional:
            if self.links:
                self.report(
                    "unbalanced-link", "a link begins inside another one", "close the first with </a>"
                )
            self.links = 1
        if href is None:
            return
        if runs_script(href):
            self.report("active-markup", "a link runs a script", "link to a page", Severity.ERROR)
        elif self.is_placeholder(href):
            self.foreign(href)
        elif not href.strip():
            self.report("relative-link", "a link has an empty `href`", "write https://…")
        elif not self.has_base and leads_nowhere(href, self.known):
            message = f"a relative link does not work in an email: {quote_url(href)}"
            self.report("relative-link", message, suggest_link(href))

    def resource(self, tag: str, url: str | None) -> None:
        if url and self.is_placeholder(url):
            self.foreign(url)
        elif url and not self.has_base and loads_nothing(url, self.known):
            self.add(self.nothing_loaded(f"<{tag}>", url))

    def is_placeholder(self, url: str) -> bool:
        """Whether a whole URL is a placeholder of another tool that is not found among the words."""
        return is_bracketed(url) and not is_filled_in(url, self.known)

    def foreign(self, written: str) -> None:
        message = f"`{written.strip()}` looks like a placeholder of another tool and would be sent unchanged"
        hint = suggest_placeholder(written.strip(), self.known)
        self.add(FOREIGN_PLACEHOLDER.broken(self.path, message, hint))

    def nothing_loaded(self, what: str, url: str) -> Problem:
        message = f"{what} loads nothing in a mailbox: {quote_url(url)} is not a web address"
        return Problem(self.path, "relative-link", message, suggest_link(url), Severity.WARNING)

    def report(self, rule: str, message: str, hint: str, severity: Severity = Severity.WARNING) -> None:
        self.add(Problem(self.path, rule, message, hint, severity))

    def add(self, problem: Problem, before: str = "") -> None:
        """A problem at the present place, or behind the text `before` there."""
        line, offset = self.place(before)
        self.problems.append(replace(problem, line=line, column=offset + 1))

    def place(self, before: str = "") -> tuple[int, int]:
        """(line, offset) in the HTML."""
        line, offset = self.getpos()
        below, last = before.count("\n"), len(before) - before.rfind("\n") - 1
        first_line, first_offset = self.first
        return (
            first_line + line - 1 + below,
            last if below else offset + last + (first_offset if line == 1 else 0),
        )


def has_too_many_open_tags(text: str) -> bool:
    """Whether more than MOST_OPEN tags are open at once: for each, a parser would look for its end through the whole text."""
    return any(stretch.count("<") > MOST_OPEN for stretch in text.split(">"))


def check_markup(path: Path, text: str, known: KnownNames = NO_NAMES) -> Iterator[Problem]:
    """`known`: the names of the message, by which another tool's placeholder is told from a relative link."""
    if has_too_many_open_tags(text):
        problem = f"more than {MOST_OPEN:,} tags are opened with < and not closed with >"
        yield Problem(path, "template-limit", problem, "close them, or write &lt;")
        return
    parser = Markup(path, known)
    parser.feed(text)
    parser.close()
    if parser.links:
        parser.report("unbalanced-link", "a link is not closed: all that follows is part of it", "write </a>")
    yield from parser.problems
