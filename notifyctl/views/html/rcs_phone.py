"""An RCS message on a phone: cards side by side, a box for each picture, and what each button does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from notifyctl.channels.email_parts import write_size
from notifyctl.channels.parts import Part, fields_of, items_of
from notifyctl.channels.rcs_parts import describe_buttons
from notifyctl.model.project import ApiObject
from notifyctl.views.html.bubble import inline_diff, marked, sender_line
from notifyctl.views.html.changed_words import Run, compare_words
from notifyctl.views.html.icons import icon
from notifyctl.views.html.markup import Child, Html, el

BUTTON_ICONS = {
    "reply": "reply",
    "openUrl": "link",
    "dialPhone": "call",
    "calendarEvent": "day",
    "viewLocation": "place",
    "shareLocation": "place",
}


class Drawing:
    """Draws one version of a message and marks the words that the other version has not."""

    def __init__(self, other: ApiObject | None, mark: str, lang: str | None) -> None:
        """`other`: the content of the other version; None: nothing is marked. `mark`: `ins` or `del`."""
        self.other = other
        self.mark = mark
        self.lang = lang

    def words(self, text: str, was: object) -> Iterator[Child]:
        """A text, with what is not in `was` marked."""
        if self.other is None:
            yield text
            return
        before = str(was) if was is not None else ""
        runs = compare_words(before, text)[1] if before else [Run(text, changed=True)]
        yield from marked(runs, self.mark)

    def phone(self, sender: str, content: ApiObject) -> Html:
        other = self.other or {}
        parts: list[Child] = [sender_line(sender)]
        if content.get("text"):
            parts.append(
                el("p", *self.words(str(content["text"]), other.get("text")), class_="bubble", lang=self.lang)
            )
        if content.get("mediaContentUrl"):
            same = content["mediaContentUrl"] == other.get("mediaContentUrl")
            box = picture({"url": content["mediaContentUrl"], **pick(content, "fileSize", "thumbnailUrl")})
            parts.append(el("div", self.box(box, same=same), class_="rich"))
        if isinstance(content.get("richCard"), Mapping):
            card = content["richCard"]
            side = " side" if card.get("orientation") == "HORIZONTAL" else ""
            parts.append(el("div", *self.card(card, other.get("richCard") or {}), class_=f"rich{side}"))
        if content.get("cards"):
            parts.append(self.deck(content, other))
        if content.get("type") == "agentEvent":
            event = " ".join(str(content[key]) for key in ("event", "messageId") if content.get(key))
            parts.append(el("p", f"Event: {event}", class_="bubble"))
        parts.append(self.chips(content, other, label="Buttons below the message"))
        return el("div", *parts, class_="phone")

    def deck(self, content: ApiObject, other: ApiObject) -> Html:
        known = other.get("cards") or ()
        cards = [
            el("li", *self.card(card, known[at] if at < len(known) else {}), class_="rich")
            for at, card in enumerate(content["cards"])
        ]
        width = str(content.get("width", "MEDIUM")).lower()
        return el("ol", *cards, class_=f"deck {width}", aria_label=f"{len(cards)} cards")

    def card(self, card: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[Child]:
        media, known = card.get("media") or {}, other.get("media") or {}
        if media.get("url"):
            yield self.box(picture(media), same=media.get("url") == known.get("url"))
        lines = []
        if card.get("title"):
            lines.append(
                el("p", *self.words(str(card["title"]), other.get("title")), class_="title", lang=self.lang)
            )
        if card.get("description"):
            lines.append(
                el("p", *self.words(str(card["description"]), other.get("description")), lang=self.lang)
            )
        yield el("div", *lines, self.chips(card, other), class_="inside")

    def box(self, picture: Html, *, same: bool) -> Html:
        """A changed picture is marked as a whole."""
        return picture if same or self.other is None else el(self.mark, picture, class_="block")

    def chips(
        self, holder: Mapping[str, Any], other: Mapping[str, Any], *, label: str | None = None
    ) -> Html | None:
        """The buttons. One whose label or effect differs is marked."""
        known = list(other.get("suggestions") or ())
        buttons = holder.get("suggestions") or ()
        if not buttons:
            return None
        return el(
            "ul", *(self.chip(each, each in known) for each in buttons), class_="chips", aria_label=label
        )

    def chip(self, button: Mapping[str, Any], known: bool) -> Html:  # noqa: FBT001 - one of two
        text = str(button.get("displayText", ""))
        shown: Child = text if known or self.other is None else el(self.mark, text)
        return el(
            "li", icon(BUTTON_ICONS.get(str(button.get("type")), "link")), el("span", shown, lang=self.lang)
        )


def pick(content: ApiObject, *keys: str) -> dict[str, Any]:
    return {key: content[key] for key in keys if content.get(key) is not None}


def picture(media: Mapping[str, Any]) -> Html:
    """A box in place of a picture or video: its description, name and size. Nothing is fetched for a review."""
    url = str(media["url"])
    name = url.partition("?")[0].rstrip("/").rpartition("/")[2] or url
    said = next((str(media[key]) for key in ("altText", "contentDescription") if media.get(key)), None)
    facts = [write_size(media["fileSize"])] if isinstance(media.get("fileSize"), int) else []
    facts += ["has a thumbnail"] if media.get("thumbnailUrl") else []
    height = str(media.get("height", "MEDIUM")).lower()
    return el(
        "div",
        icon("picture"),
        el("span", said or name),
        el("small", ", ".join([*([name] if said else []), *facts, "not loaded here"])),
        class_=f"pic {height}",
        title=url,
    )


Button = tuple[str, str, str]
"""(where it is, its label, what a tap does)."""


def all_buttons(content: ApiObject) -> list[Button]:
    cards = items_of(content.get("cards"))
    single = content.get("richCard")
    holders = [("the card", single)] if isinstance(single, Mapping) else []
    holders += [(f"card {number}", card) for number, card in enumerate(cards, start=1)]
    return [
        (where, part.label, in_words(part))
        for where, holder in [*holders, ("below the message", content)]
        for part in describe_buttons(fields_of(holder))
    ]


def in_words(button: Part) -> str:
    """What a tap opens, dials, saves or shows, and what comes back to the sender."""
    more = [f"{each.label} {each.text}" for each in button.parts]
    does = f"{button.text[:1].upper()}{button.text[1:]}"
    return "; ".join([does, *more])


def button_targets(content: ApiObject, before: ApiObject | None = None) -> Html | None:
    """What each button does, open to read: this is where recipients are led. Removed buttons are at the end."""
    olds = {(where, label): does for where, label, does in all_buttons(before or {})}
    rows = []
    for where, label, does in all_buttons(content):
        was = olds.pop((where, label), "" if before is not None else does)
        rows.append(button_row(label, where, list(inline_diff(was, does))))
    rows += [button_row(label, where, [el("del", was)]) for (where, label), was in olds.items()]
    if not rows:
        return None
    head = el("tr", *(el("th", name, scope="col") for name in ("Button", "What a tap does", "Where")))
    return el("table", el("thead", head), el("tbody", *rows), class_="rows")


def button_row(label: str, where: str, does: Sequence[Child]) -> Html:
    return el("tr", el("th", label, scope="row"), el("td", *does), el("td", where))
