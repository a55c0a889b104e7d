"""An e-mail as mailboxes show it: who it is from, the line in the list, and its HTML on a desktop and on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from msgspec import Struct

from notifyctl.model.project import ApiObject
from notifyctl.views.diagnostics import pluralise
from notifyctl.views.html.bubble import inline_diff, marked
from notifyctl.views.html.carried import Carried
from notifyctl.views.html.changed_words import compare_words
from notifyctl.views.html.icons import icon
from notifyctl.views.html.mail_frame import SIZES, WIDTHS, frame, has_dark_style, remote_pictures
from notifyctl.views.html.markup import Child, Html, el
from notifyctl.views.message import text_of

SNIPPET = 110
"""Characters of the text that mailboxes show next to the subject."""
CONTEXT = 1
"""Unchanged lines shown around a changed one."""


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
    """What is read: the HTML as text, or the plain text."""
    markup = markup_of(carried)
    return text_of(markup) if markup is not None else str((carried.content or {}).get("text", ""))


def sender_name(carried: Carried) -> str:
    """The name that mailboxes show; without one they show the address."""
    return str(carried.options.get("fromName") or "")


def envelope(view: MailView) -> Html:
    """Label and value of everything around the words, with what changed marked."""
    rows: list[Child] = []
    old = dict(envelope_fields(view.before)) if view.before else {}
    new = dict(envelope_fields(view.carried))
    for label in [*new, *(label for label in old if label not in new)]:
        value, was = new.get(label, ""), old.get(label, "")
        shown: list[Child] = [*inline_diff(was, value)] if view.before else [value]
        if label == "Subject":
            shown = [el("b", *shown, lang=view.lang)]
        elif label == "Attachments":
            shown = [icon("clip"), " ", *shown]
        rows += [el("dt", label), el("dd", *shown)]
    rows += alternative(view)
    return el("dl", *rows, class_="envelope")


def envelope_fields(carried: Carried | None) -> Iterator[tuple[str, str]]:
    if carried is None:
        return
    content, around = carried.content or {}, carried.around
    name = sender_name(carried)
    yield "From", f"{name} <{carried.sender}>" if name else carried.sender
    if content.get("replyTo"):
        yield "Reply to", str(content["replyTo"])
    for key, label in (("cc", "Cc"), ("bcc", "Bcc")):
        copies = around.get(key)
        if copies:
            yield label, ", ".join(map(str, copies))
    yield "Subject", str(content.get("subject", ""))
    if markup_of(carried) is not None:
        yield "Preview text", snippet(carried)
    files = [describe_file(each) for each in content.get("attachments") or ()]
    if files:
        yield "Attachments", "; ".join(files)


def describe_file(attachment: Mapping[str, object]) -> str:
    url = str(attachment.get("mediaUrl", ""))
    host = urlsplit(url).hostname or url
    kind = str(attachment.get("mimeType", ""))
    about = ", ".join(each for each in (kind, f"fetched from {host}" if host else "") if each)
    return f"{attachment.get('name', 'file')} ({about})"


def snippet(carried: Carried) -> str:
    seen = " ".join(words_of(carried).split())
    return seen if len(seen) <= SNIPPET else f"{seen[:SNIPPET].rsplit(' ', 1)[0]} …"


def alternative(view: MailView) -> Iterator[Html]:
    """How the plain text stands to the HTML. Mailboxes show one of the two."""
    if view.markup is None:
        return
    plain = view.content.get("text")
    yield el("dt", "Plain text")
    if not plain:
        yield el("dd", "None. Mailboxes without HTML show nothing, or make their own.")
    elif bare(str(plain)) == bare(words_of(view.carried)):
        yield el("dd", "Same text as the HTML")
    else:
        yield el("dd", "Different from the HTML; see below")


def bare(text: str) -> str:
    """Words alone, without links, so that the layout of two parts does not make them differ."""
    return " ".join(re.findall(r"\w+", re.sub(r"<?https?://\S+", "", text))).lower()


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
    parts = [("HTML" if view.markup is not None else "Text", words_of(view.before), words_of(view.carried))]
    if view.markup is not None:
        old, new = (str((each.content or {}).get("text") or "") for each in (view.before, view.carried))
        if bare(new) != bare(words_of(view.carried)) or bare(old) != bare(words_of(view.before)):
            parts.append(("Plain text", old, new))
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
    before, after = compare_words(old, new)
    return (list(paragraphs(marked(before, "del"))), list(paragraphs(marked(after, "ins"))))


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
    for number, line in enumerate(lines):
        if number in kept:
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
    """The plain text where it has other words than the HTML."""
    plain = view.content.get("text")
    if view.markup is None or not plain or bare(str(plain)) == bare(words_of(view.carried)):
        return None
    summary = el("summary", "Plain text, different from the HTML")
    return el(
        "details",
        summary,
        el("p", str(plain), class_="letter-text", lang=view.lang),
        class_="plain",
        open=True,
    )
