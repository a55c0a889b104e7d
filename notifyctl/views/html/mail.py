"""An e-mail as mailboxes show it: who it is from, the line in the list, and its HTML on a desktop and on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from notifyctl.channels.html_words import read_html, text_of
from notifyctl.channels.message_parts import list_parts
from notifyctl.channels.parts import Carried, Kind, find_part
from notifyctl.model.project import ApiObject
from notifyctl.views.diagnostics import pluralise
from notifyctl.views.html.bubble import marked
from notifyctl.views.html.changed_words import Run, compare_words
from notifyctl.views.html.mail_frame import SIZES, WIDTHS, frame, has_dark_style, remote_pictures
from notifyctl.views.html.markup import Child, Html, el

SNIPPET = 110
"""Characters of the text that mailboxes show next to the subject."""
CONTEXT = 1
"""Unchanged lines shown around a changed one."""
MARGIN = 100
"""Characters kept at both ends of a long unchanged stretch."""
MOST_CHANGED = 4000
"""Characters shown of one changed stretch."""
MOST_LINES = 80
"""Lines of a changed text that are shown."""
ASIDE = re.compile(r"\[(?:hidden|image)\b[^\]]*\]|<[^<>\s]+>")
"""What `text_of` writes beside the words that are seen: link targets and hidden or alternative texts."""


class MailView(Struct, frozen=True):
    """`name`: unique on the page, part of titles and ids."""

    name: str
    carried: Carried
    before: Carried | None = None
    recipient: str = ""
    lang: str | None = None

    @property
    def content(self) -> ApiObject:
        return self.carried.content or {}

    @property
    def markup(self) -> str | None:
        return markup_of(self.carried)


def markup_of(carried: Carried) -> str | None:
    html = (carried.content or {}).get("html")
    return str(html) if html is not None else None


def words_of(carried: Carried) -> str:
    """What is read: the HTML as lines, or the plain text."""
    markup = markup_of(carried)
    return text_of(markup) if markup is not None else str((carried.content or {}).get("text", ""))


def alternative_of(carried: Carried) -> str | None:
    """The text alternative where it differs from the HTML."""
    part = find_part(list_parts(carried), "alternative")
    return part.text if part is not None and part.kind is Kind.TEXT else None


def sender_name(carried: Carried) -> str:
    """The name that mailboxes show; without one they show the address."""
    return str(carried.options.get("fromName") or "")


def snippet(carried: Carried) -> str:
    """The first words, which mailboxes show next to the subject."""
    markup = markup_of(carried)
    hidden = read_html(markup).hidden if markup is not None else ""
    seen = " ".join(ASIDE.sub(" ", f"{hidden} {words_of(carried)}").split())
    return seen if len(seen) <= SNIPPET else f"{seen[:SNIPPET].rsplit(' ', 1)[0]} …"


def listed(view: MailView) -> Html:
    """The line in a mailbox."""
    name = sender_name(view.carried) or view.carried.sender
    return el(
        "p",
        avatar(name),
        el("b", name, class_="who"),
        el(
            "span",
            el("b", str(view.content.get("subject", ""))),
            " ",
            el("small", snippet(view.carried)),
            lang=view.lang,
        ),
        class_="listed",
    )


def avatar(name: str) -> Html:
    initial = next((letter for letter in name if letter.isalnum()), "·").upper()
    return el("span", initial, class_="avatar", aria_hidden="true")


def changed_lines(view: MailView, level: str) -> Html | None:
    """Before and after, as words: changed lines with one line of context. None without another version."""
    if view.before is None:
        return None
    label = "HTML" if view.markup is not None else "Text"
    parts = [(label, words_of(view.before), words_of(view.carried))]
    alternatives = alternative_of(view.before), alternative_of(view.carried)
    if any(alternatives):
        parts.append(("Plain text", alternatives[0] or "", alternatives[1] or ""))
    rows = []
    for label, old, new in parts:
        if old == new:
            continue
        before, after = excerpt(old, new)
        rows += [
            el("div", el(level, f"{label} before", class_="side"), *before, lang=view.lang),
            el("div", el(level, f"{label} after", class_="side"), *after, lang=view.lang),
        ]
    if rows:
        return el("div", *rows, class_="words")
    if markup_of(view.before) != view.markup:
        return el(
            "p", el("small", "The text is the same; the HTML differs in layout, styles, pictures or links.")
        )
    return None


def excerpt(old: str, new: str) -> tuple[list[Html], list[Html]]:
    """Changed lines of both texts. Where a line is very long, as in minified HTML, its unchanged middle is left out."""
    before, after = compare_words(old, new)
    return (
        list(paragraphs(marked(map(shorten, before), "del"))),
        list(paragraphs(marked(map(shorten, after), "ins"))),
    )


def shorten(run: Run) -> Run:
    if run.changed:
        cut = len(run.text) - MOST_CHANGED
        return (
            run if cut <= 0 else Run(f"{run.text[:MOST_CHANGED]} … ({cut:,} more characters)", changed=True)
        )
    lines = [
        line if len(line) <= 3 * MARGIN else f"{line[:MARGIN]} … {line[-MARGIN:]}"
        for line in run.text.split("\n")
    ]
    return Run("\n".join(lines), changed=False)


def paragraphs(pieces: Iterator[Child]) -> Iterator[Html]:
    """Lines around changes as paragraphs; longer stretches without one are left out."""
    lines: list[list[Child]] = [[]]
    for piece in pieces:
        if isinstance(piece, Html):
            lines[-1].append(piece)
            continue
        first, *rest = str(piece).split("\n")
        lines[-1].append(first)
        lines += [[each] for each in rest]
    lines = [line for line in lines if any(part for part in line)]
    marks = [number for number, line in enumerate(lines) if any(isinstance(part, Html) for part in line)]
    kept = {near for at in marks for near in range(at - CONTEXT, at + CONTEXT + 1)}
    omitted = False
    shown = 0
    for number, line in enumerate(lines):
        if number in kept and shown < MOST_LINES:
            shown += 1
            yield el("p", *line)
            omitted = False
        elif not omitted:
            omitted = True
            yield el("p", "…", class_="omitted")


def frames(view: MailView, *, title: str, level: str) -> Html:
    """The HTML at the width of a desktop and of a phone, in light and dark mailboxes."""
    heading = el(level, title, class_="side")
    if view.markup is None:
        return el("div", heading, plain_letter(view), class_="full")
    adapts = has_dark_style(view.markup)
    figures = [
        el(
            "figure",
            window(view, view.markup, size),
            el("figcaption", *caption(view.markup, size, adapts=adapts)),
            class_=size,
        )
        for size in WIDTHS
    ]
    return el(
        "div",
        el("div", heading, shades(view.name), class_="tools"),
        el("div", *figures, class_="frames adapts" if adapts else "frames fixed"),
        class_="full",
    )


def window(view: MailView, markup: str, size: str) -> Html:
    screen = el("div", frame(markup, size, title=f"{view.name} {SIZES[size]}"), class_="screen")
    return el("div", client(view), screen, class_="window")


def plain_letter(view: MailView) -> Html:
    text = el("p", str(view.content.get("text", "")), class_="letter-text", lang=view.lang)
    return el("div", text, class_="window plain-mail")


def one_frame(view: MailView) -> Html:
    """The mail in one frame, which can be as wide as a desktop's or as a phone."""
    if view.markup is None:
        return plain_letter(view)
    adapts = has_dark_style(view.markup)
    screens = choice(f"screen:{view.name}", "Screen", {"large": "Desktop", "small": "Phone"})
    figure = el(
        "figure",
        window(view, view.markup, "large"),
        el("figcaption", *caption(view.markup, "large", adapts=adapts)),
        class_="large",
    )
    return el(
        "div",
        el("div", screens, shades(view.name), class_="tools"),
        el("div", figure, class_="frames one adapts" if adapts else "frames one fixed"),
        class_="full",
    )


def caption(markup: str, size: str, *, adapts: bool) -> Iterator[Child]:
    yield f"{'Desktop' if size == 'large' else 'Phone'}, {WIDTHS[size]} px."
    if size == "small":
        yield el("output")
        return
    pictures = remote_pictures(markup)
    if pictures:
        yield f" {pluralise(pictures, 'picture')} not loaded here."
    yield (
        " The dark view is the mail's own."
        if adapts
        else " It has no dark style: the dark view inverts it, as some mail apps do."
    )


def client(view: MailView) -> Html:
    name = sender_name(view.carried) or view.carried.sender
    to = el("small", f" to {view.recipient}") if view.recipient else None
    return el(
        "div",
        el("b", str(view.content.get("subject", "")), lang=view.lang),
        el("p", avatar(name), el("span", name, to), class_="from"),
        class_="client",
    )


def shades(name: str) -> Html:
    return choice(f"shade:{name}", "Mail colours", {"light": "Light mail", "dark": "Dark mail"})


def choice(name: str, label: str, values: Mapping[str, str]) -> Html:
    """One of a few, as radio buttons that look like one control."""
    options = [
        el(
            "label",
            el("input", class_="vh", type="radio", name=name, value=value, checked=number == 0),
            text,
        )
        for number, (value, text) in enumerate(values.items())
    ]
    return el("div", *options, class_="choice", role="radiogroup", aria_label=label)


def plain_alternative(view: MailView) -> Html | None:
    """The plain text where it differs from the HTML."""
    plain = alternative_of(view.carried)
    if plain is None:
        return None
    summary = el("summary", "Plain text, different from the HTML")
    return el(
        "details", summary, el("p", plain, class_="letter-text", lang=view.lang), class_="plain", open=True
    )


def all_words(view: MailView) -> Html | None:
    """The HTML as text: where links lead, the texts of pictures, and words that the picture of the mail does not show."""
    words = find_part(list_parts(view.carried), "html")
    if words is None:
        return None
    summary = el("summary", "HTML as text, with links, picture texts and hidden text")
    unseen = "[hidden: " in words.text or "[Outlook, " in words.text
    return el(
        "details",
        summary,
        el("p", words.text, class_="letter-text", lang=view.lang),
        class_="plain",
        open=unseen,
    )
