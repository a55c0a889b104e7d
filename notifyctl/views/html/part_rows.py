"""The parts of a message that are not drawn, as rows of a label and a text, before and after."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from msgspec import Struct

from notifyctl.channels.message_parts import list_parts
from notifyctl.channels.parts import Carried, Kind, Part
from notifyctl.model.project import ChannelName
from notifyctl.views.html.bubble import inline_diff
from notifyctl.views.html.icons import icon
from notifyctl.views.html.markup import Child, Html, el

DRAWN = {
    ChannelName.SMS: frozenset({"from", "text"}),
    ChannelName.RCS: frozenset({"from", "text", "title", "description"}),
    ChannelName.EMAIL: frozenset({"html", "text", "alternative"}),
}
"""Keys of parts that are drawn: a bubble, a card, a mail. Every other part is a row, so that nothing stays hidden."""
SETTINGS = "Settings"

Row = tuple[str, str]
"""(label, text)."""


def rows_of(carried: Carried) -> list[Row]:
    """Every part that is not drawn, in order; settings in one row at the end."""
    found = list(flatten(list_parts(carried), DRAWN[carried.channel]))
    rows = [
        (f"{each.where}: {each.label}" if each.where else each.label, each.text)
        for each in found
        if not each.setting
    ]
    settings: dict[str, list[str]] = {}
    for each in found:
        if each.setting:
            settings.setdefault(each.where, []).append(f"{each.label} {each.text}")
    groups = [f"{where}: {', '.join(said)}" if where else ", ".join(said) for where, said in settings.items()]
    return [*rows, *([(SETTINGS, " · ".join(groups))] if groups else [])]


class Found(Struct, frozen=True):
    """A part that is not drawn. `where`: the card or block that it is in."""

    where: str
    label: str
    text: str
    setting: bool = False


def flatten(parts: Iterable[Part], drawn: Collection[str], where: str = "") -> Iterator[Found]:
    for part in parts:
        if part.kind is Kind.BLOCK:
            # The SMS that is sent when RCS fails is drawn only while it is on.
            yield from flatten(part.parts, drawn if part.key != "fallback" or is_on(part) else (), part.label)
        elif part.kind is Kind.BUTTON:
            continue  # in a table of their own, with what a tap does
        elif part.kind is Kind.FILE:
            yield Found(where, "Attachment", f"{part.label} ({part.text})")
            yield from flatten(part.parts, (), part.label)
        elif part.key not in drawn or part.kind is Kind.SETTING:
            yield Found(where, part.label or part.key, part.text, setting=part.kind is Kind.SETTING)


def is_on(fallback: Part) -> bool:
    return "without effect" not in fallback.label


def row_list(after: Carried, before: Carried | None, *, lang: str | None = None) -> Html | None:
    """The rows, with what changed marked. `before`: None if nothing is compared."""
    new = rows_of(after)
    old = None if before is None else number_labels(rows_of(before))
    rows: list[Child] = []
    for key, text in number_labels(new).items():
        was = text if old is None else old.pop(key, "")
        rows += row(key[0], list(inline_diff(was, text)), lang)
    for (label, _), was in (old or {}).items():
        rows += row(label, list(inline_diff(was, "")), lang)
    return el("dl", *rows, class_="envelope") if rows else None


def row(label: str, shown: list[Child], lang: str | None) -> list[Child]:
    if label == SETTINGS:
        shown = [el("small", *shown)]
    elif label == "Subject":
        shown = [el("b", *shown, lang=lang)]
    elif label == "Attachment":
        shown = [icon("clip"), " ", *shown]
    return [el("dt", label), el("dd", *shown)]


def number_labels(rows: Iterable[Row]) -> dict[tuple[str, int], str]:
    """Rows by label; those of one label are told apart by their order."""
    found: dict[tuple[str, int], str] = {}
    counts: dict[str, int] = {}
    for label, text in rows:
        counts[label] = counts.get(label, 0) + 1
        found[label, counts[label]] = text
    return found
