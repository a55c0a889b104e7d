"""The words of HTML as plain lines, for people who review it: what is shown, and what hides in attributes, comments and styles.

A part of a message may reach somebody though most mail programs hide it: a first line hidden with CSS, the alternative text of a
picture, a title, the target of a link, a comment that Outlook reads. All of these are words here. One pass, in linear time; what
is not closed is shown rather than dropped.
"""

from __future__ import annotations

import html
import re

from msgspec import Struct

from notifyctl.channels.html_styles import (
    find_hidden_names,
    find_shown_attributes,
    generated_texts,
    hides,
    next_after,
    places_of,
)

TOKEN = re.compile(
    r"(?P<comment><!--)"
    r"|<(?P<close>/?)(?P<name>[a-zA-Z][^\s/<>]*)(?P<attributes>(?:[^<>\"']++|\"[^\"<>]*\"|'[^'<>]*'|\"[^\"]*\"|'[^']*')*+)>"
    r"|<[!?][^<>]*>",
    re.DOTALL,
)
ATTRIBUTE = re.compile(r"""([^\s=/"'<>]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
BREAKING = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "br",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "section",
        "table",
        "tr",
        "ul",
    ]
)
APART = frozenset(("td", "th"))
"""Cells: apart by a blank."""
VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)
UNREAD = frozenset(("style", "script", "title"))
"""Elements whose words are not in the text; some are kept on their own. What else is in a head, browsers show."""
SPOKEN = ("title", "aria-label", "aria-description", "placeholder", "summary")
"""Attributes that are shown or read out."""
CONTROLS = frozenset(("button", "input", "optgroup", "option"))
OF_CONTROLS = ("label", "value")
"""Likewise, of form controls."""
LEADING = ("href", "xlink:href", "action", "formaction", "cite", "longdesc", "poster")
"""Attributes with a URL that somebody can reach; pictures have their own."""
BLANKS = re.compile(r"[ \t\r\f\v\n]+")
FILLING = re.compile("[\u00ad\u034f\u200b-\u200d\u2007\u2060\ufeff]+")
"""Characters without width, with which mailers keep the text out of the line in a list of mails."""
MARKS = "\x00", "\x01"
"""Where what is hidden begins and ends, until lines are made."""
EDGE = "\x02"
"""Where a block begins or ends: one line break, however many there are."""
NO_MARKS = dict.fromkeys(range(3), "\ufffd")


class HtmlWords(Struct, frozen=True):
    """`text`: the body in lines, links as `words <target>`, pictures as `[image: alternative text]`, what is hidden as
    `[hidden: words]`. The others are words outside the body.
    """

    text: str
    hidden: str = ""
    """The first words, if they are hidden: mailboxes show them next to the subject."""
    title: str = ""
    base: str = ""
    """What relative links are relative to."""
    generated: str = ""
    """Texts in style sheets."""
    data: str = ""
    """Linked data (JSON-LD), from which mail programs make buttons and cards."""


def text_of(markup: str) -> str:
    """The body in lines."""
    return read_html(markup).text


def read_html(markup: str) -> HtmlWords:
    reader = Reader()
    reader.read(markup)
    return reader.words()


class Reader:
    """Walks the tags once and collects pieces of text."""

    def __init__(
        self, hiding: frozenset[str] = frozenset(), unread: frozenset[str] = frozenset(UNREAD)
    ) -> None:
        """`unread`: elements whose words are not in the text."""
        self.unread = unread
        self.pieces: list[str] = []
        self.links: list[str] = []
        """Targets of open links."""
        self.hidden: list[str] = []
        """Elements open inside the outermost hidden one, and that one first."""
        self.hiding = hiding
        """Classes and ids that a style sheet hides."""
        self.pictures: set[str] = set()
        self.title: list[str] = []
        self.data: list[str] = []
        self.generated: list[str] = []
        self.base = ""
        self.shown: frozenset[str] = frozenset()
        """Attributes that a style sheet shows."""

    def read(self, markup: str) -> None:
        ends = {name: places_of(rf"</{name}\s*>", markup) for name in self.unread}
        comment_ends = places_of("--!?>", markup)
        self.shown |= find_shown_attributes(markup)
        self.hiding |= find_hidden_names(markup, ends["style"])
        place = skipped_to = 0
        for token in TOKEN.finditer(markup):
            if token.start() < skipped_to:
                continue
            self.add_text(markup[place : token.start()])
            place = token.end()
            name = (token["name"] or "").lower()
            if token["comment"] is not None:
                # `<!-->` and `<!--->` are whole comments.
                end = next_after(comment_ends, token.end() - len("--"))
                if end is None:
                    place = token.start()  # no comment: shown
                    continue
                self.add_comment(markup[place:end])
                place = skipped_to = markup.index(">", end) + 1
            elif token["close"]:
                self.close(name)
            elif name in self.unread and (end := next_after(ends[name], place)) is not None:
                self.keep_unread(name, attributes_of(token["attributes"]), markup[place:end])
                place = skipped_to = end
            elif name:
                self.open(name, attributes_of(token["attributes"]))
        self.add_text(markup[place:])
        while self.links:
            self.close("a")
        if self.hidden:
            self.pieces.append(MARKS[1])

    def add_text(self, text: str) -> None:
        self.pieces.append(BLANKS.sub(" ", html.unescape(text)).translate(NO_MARKS))

    def add_comment(self, text: str) -> None:
        """One that Outlook reads holds markup; any other is read by nobody."""
        if not text.lstrip().lower().startswith("[if"):
            return
        condition, _, inside = text.partition("]>")
        inside = inside.removesuffix("<![endif]").strip()
        if not inside or inside in {"<!", "<!-->"}:
            return
        reader = Reader(self.hiding, self.unread | {"xml"})
        reader.read(inside)
        words = reader.words()
        said = [*(each for each in (words.text, words.title, words.data) if each)]
        if said:
            self.pieces.append(f"\n[Outlook, {condition.strip(' [')}: {' '.join(said)}]\n")

    def keep_unread(self, name: str, given: dict[str, str], inside: str) -> None:
        if name == "title":
            self.title.append(BLANKS.sub(" ", html.unescape(inside)).strip())
        elif name == "style":
            self.generated += [each for each in generated_texts(inside) if each]
        elif name == "script" and "json" in given.get("type", "").lower():
            self.data.append(BLANKS.sub(" ", inside).strip())

    def open(self, name: str, given: dict[str, str]) -> None:
        if name not in VOID:
            self.hide(name, given)
        self.break_at(name)
        if name == "base":
            self.base = self.base or given.get("href", "")
        elif name == "img":
            self.add_picture(given.get("alt"), given.get("src", ""))
        elif name == "a":
            self.close("a", implied=True)
            self.links.append(given.get("href", ""))
        elif name not in {"link", "meta"}:
            self.add_targets(given)
        self.add_spoken(name, given)
        if background := given.get("background"):
            self.add_picture(None, background)

    def hide(self, name: str, given: dict[str, str]) -> None:
        if not self.hidden:
            if not self.hides(given):
                return
            self.pieces.append(MARKS[0])
        self.hidden.append(name)

    def break_at(self, name: str) -> None:
        if name in BREAKING:
            self.pieces.append("\n" if name == "br" else EDGE)
        elif name in APART:
            self.pieces.append(" ")

    def add_spoken(self, name: str, given: dict[str, str]) -> None:
        """Attributes that are shown when somebody points at an element, or read out."""
        said = [
            given.get(key, "").strip()
            for key in (*SPOKEN, *(OF_CONTROLS if name in CONTROLS else ()), *self.shown)
        ]
        alternative = given.get("alt", "").strip()
        if alternative and name != "img":
            self.pieces.append(f" [{alternative}] ")
        self.pieces += [f" ({each}) " for each in dict.fromkeys(said) if each and each != alternative]

    def hides(self, given: dict[str, str]) -> bool:
        style = given.get("style", "")
        named = {f".{each}" for each in given.get("class", "").split()} | {f"#{given.get('id', '')}"}
        return "hidden" in given or hides(style) or bool(named & self.hiding)

    def add_picture(self, alt: str | None, source: str) -> None:
        """By its alternative text; by its address where it has none, and once."""
        if alt and alt.strip():
            self.pieces.append(f" [image: {BLANKS.sub(' ', alt).strip()}] ")
        elif source and source not in self.pictures:
            self.pieces.append(f" [image {shorten_data(source)}] ")
        self.pictures.add(source)

    def add_targets(self, given: dict[str, str]) -> None:
        for key in LEADING:
            if target := given.get(key, "").strip():
                self.pieces.append(f" <{target}> ")

    def close(self, name: str, *, implied: bool = False) -> None:
        if name == "a" and self.links:
            target = self.links.pop()
            if target and not target.startswith("#"):
                self.pieces.append(f" <{trim(target)}>{' ' if implied else ''}")
        self.break_at(name)
        if not implied and name in self.hidden:
            while self.hidden.pop() != name:
                pass
            if not self.hidden:
                self.pieces.append(MARKS[1])

    def words(self) -> HtmlWords:
        whole = FILLING.sub("", "".join(self.pieces)).replace("\u00a0", " ")
        text, hidden = mark_hidden(whole)
        blocks = ("\n".join(map(trim, block.split("\n"))).strip("\n ") for block in text.split(EDGE))
        return HtmlWords(
            text=re.sub(r"\n{3,}", "\n\n", "\n".join(block for block in blocks if block)),
            hidden=hidden,
            title=" ".join(self.title),
            base=self.base,
            generated=" ".join(self.generated),
            data=" ".join(self.data),
        )


def mark_hidden(text: str) -> tuple[str, str]:
    """The text with what is hidden in brackets, and the hidden words if they come before any other."""
    pieces: list[str] = []
    first, before = "", False
    for number, stretch in enumerate(text.split(MARKS[0])):
        inside, end, after = stretch.partition(MARKS[1])
        if not number:
            pieces.append(stretch)
            continue
        words = " ".join(inside.replace(EDGE, " ").split())
        before = before or bool("".join(pieces[-2:]).strip(" \n" + EDGE))
        if words and not first and not before:
            first = words
        elif words:
            pieces.append(f" [hidden: {words}] ")
        pieces.append(after if end else "")
    return "".join(pieces), first


def trim(line: str) -> str:
    return " ".join(line.split())


def attributes_of(text: str) -> dict[str, str]:
    """Name → value; of a name that is there twice the first counts, as in browsers."""
    found: dict[str, str] = {}
    for name, double, single, bare in ATTRIBUTE.findall(text):
        found.setdefault(name.lower(), html.unescape(double or single or bare))
    return found


def shorten_data(url: str) -> str:
    """A picture in the markup itself by its type alone."""
    return f"{url.partition(',')[0]},…" if url.lower().startswith("data:") else url
