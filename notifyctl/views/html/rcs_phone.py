"""An RCS message on a phone: cards side by side, a box for each picture, and what each button does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

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

MEGABYTE = 1_000_000


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
    facts = [size_words(media["fileSize"])] if media.get("fileSize") else []
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


def size_words(size: object) -> str:
    """A file's size, from bytes."""
    count = int(str(size)) if str(size).isdigit() else 0
    if count >= MEGABYTE:
        return f"{count / MEGABYTE:,.1f} MB"
    return f"{max(count // 1000, 1):,} kB"


def all_buttons(content: ApiObject) -> list[tuple[str, Mapping[str, Any]]]:
    """Where each button is, in words, and the button."""
    found = []
    cards = content.get("cards") or ()
    single = content.get("richCard")
    holders = [("the card", single)] if isinstance(single, Mapping) else []
    holders += [(f"card {number}", card) for number, card in enumerate(cards, start=1)]
    for where, holder in [*holders, ("below the message", content)]:
        found += [(where, button) for button in holder.get("suggestions") or ()]
    return found


def button_targets(content: ApiObject, before: ApiObject | None = None) -> Html | None:
    """What each button does, open to read: this is where recipients are led. Removed buttons stand at the end."""
    buttons = all_buttons(content)
    olds = {(where, label_of(button)): effect(button) for where, button in all_buttons(before or {})}
    rows = []
    for where, button in buttons:
        does = effect(button)
        was = olds.pop((where, label_of(button)), "" if before is not None else does)
        rows.append(button_row(label_of(button), where, list(inline_diff(was, does))))
    rows += [button_row(label, where, [el("del", was)]) for (where, label), was in olds.items()]
    if not rows:
        return None
    head = el("tr", *(el("th", name, scope="col") for name in ("Button", "What a tap does", "Where")))
    return el("table", el("thead", head), el("tbody", *rows), class_="rows")


def button_row(label: str, where: str, does: Sequence[Child]) -> Html:
    return el("tr", el("th", label, scope="row"), el("td", *does), el("td", where))


def label_of(button: Mapping[str, Any]) -> str:
    return str(button.get("displayText", ""))


def effect(button: Mapping[str, Any]) -> str:
    """What a tap opens, dials, saves or shows, and what comes back to the sender."""
    returned = button.get("postbackData")
    return f"{tap(button)}; returns {returned}" if returned else tap(button)


def tap(button: Mapping[str, Any]) -> str:
    match button.get("type"):
        case "openUrl":
            return f"Opens {button.get('url', '')}"
        case "dialPhone":
            return f"Dials {button.get('phone', '')}"
        case "calendarEvent":
            about = [str(button[key]) for key in ("meetingTitle", "meetingDescription") if button.get(key)]
            times = [write_time(str(button.get(key, ""))) for key in ("startTime", "endTime")]
            return ", ".join([f"Saves an event: {' to '.join(times)}", *about])
        case "viewLocation":
            place = [str(button[key]) for key in ("latitude", "longitude") if button.get(key) is not None]
            known = [str(button[key]) for key in ("label", "address") if button.get(key)]
            return f"Shows on a map: {', '.join([*known, *place])}"
        case "shareLocation":
            return "Asks for the recipient's location"
        case "reply":
            return "Replies with this text"
        case other:
            return str(other)


def write_time(text: str) -> str:
    """An ISO 8601 time as `2026-12-01 09:00 UTC`; what is not one stays as it is."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.tzinfo is None:
        return f"{moment:%Y-%m-%d %H:%M}"
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
