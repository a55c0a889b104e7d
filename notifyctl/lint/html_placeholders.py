"""Where the HTML of an e-mail has `$(name)`: in a tag, in a link, or among the words."""

from __future__ import annotations

from html.parser import HTMLParser

from msgspec import Struct

from notifyctl.lint.link_placeholders import LinkNames
from notifyctl.lint.markup import has_too_many_open_tags
from notifyctl.model.message import PLACEHOLDER, UNSUBSCRIBE

URL_ATTRIBUTES = frozenset({"href", "src", "background", "action", "poster"})


class HtmlPlaces(Struct, frozen=True):
    """`tags`: the start tags that have placeholders, as they are written, each closed where it is a link; and names that stand
    elsewhere, as words. `in_tags`: the names in start tags; `names`: all of them.
    """

    tags: str
    in_tags: frozenset[str]
    names: frozenset[str]


class TagCollector(HTMLParser):
    """Collects start tags with placeholders, and what their links are made of."""

    def __init__(self, links: LinkNames) -> None:
        super().__init__(convert_charrefs=True)
        self.links = links
        self.tags: dict[str, None] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        written = self.get_starttag_text() or ""
        if not PLACEHOLDER.search(written):
            return
        self.tags[written + ("</a>" if tag == "a" else "")] = None
        for name, value in attrs:
            if name in URL_ATTRIBUTES and value:
                self.links.add(value)


def find_places(html: str, links: LinkNames) -> HtmlPlaces:
    """Also adds to `links`. What has too many open tags is reported for itself, and is not looked at."""
    if has_too_many_open_tags(html):
        return HtmlPlaces("", frozenset(), frozenset())
    collector = TagCollector(links)
    collector.feed(html)
    collector.close()
    rest = html
    for tag in collector.tags:
        rest = rest.replace(tag.removesuffix("</a>"), "")
    words = frozenset(PLACEHOLDER.findall(rest)) - {UNSUBSCRIBE}
    names = frozenset(PLACEHOLDER.findall(html)) - {UNSUBSCRIBE}
    text = "".join(f"<p>$({name})</p>" for name in sorted(words))
    tags = "".join(collector.tags)
    return HtmlPlaces(tags + text, names & {*PLACEHOLDER.findall(tags)}, names)
