"""The preview page: a gallery of all messages, with a search, filters, and a light and a dark theme."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from msgspec import Struct

from notifyctl.model.project import ApiObject, ChannelName
from notifyctl.views.diagnostics import pluralise
from notifyctl.views.html.markup import Html, el
from notifyctl.views.html.messages import message, side_by_side


class PreviewEntry(Struct, frozen=True):
    """One message of the gallery. `facts` are listed below its name; `before` is the base's message if it differs."""

    name: str
    channel: ChannelName
    sender: str
    locale: str
    category: str
    facts: Sequence[str]
    content: ApiObject | None
    before: ApiObject | None = None
    compared: bool = False


def page(title: str, about: str, shown: Sequence[PreviewEntry], *, reload: bool = False) -> str:
    """The whole document. With `reload` the page polls its own server for changes, and can connect to nothing else."""
    script = asset("page.js") + (asset("reload.js") if reload else "")
    style = asset("page.css")
    policy = "; ".join(
        [
            "default-src 'none'",
            # Frames of e-mails inherit this policy, and e-mails use style attributes.
            "style-src 'unsafe-inline'",
            f"script-src 'sha256-{digest(script)}'",
            "img-src data:",
            "frame-src 'self'",
            "connect-src 'self'" if reload else "connect-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=policy),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="referrer", content="no-referrer"),
        el("title", title),
        Html(f"<style>{style}</style>"),
    )
    count = pluralise(len(shown), "message")
    body = el(
        "body",
        el("a", "Skip to the messages", href="#messages", class_="skip"),
        el("header", el("h1", title), el("p", about), class_="top"),
        controls(shown),
        el("p", count, id="count", role="status", aria_live="polite"),
        el("main", *(entry(each) for each in shown), id="messages", tabindex="-1"),
        Html(f"<script>{script}</script>"),
    )
    return "<!doctype html>\n" + el("html", head, body, lang="en") + "\n"


def controls(shown: Sequence[PreviewEntry]) -> Html:
    return el(
        "form",
        el("label", "Search ", el("input", type="search", id="search", autocomplete="off")),
        select_box("channel", [each.channel.value for each in shown]),
        select_box("locale", [each.locale for each in shown]),
        select_box("category", [each.category for each in shown]),
        el("button", "Light or dark", type="button", id="shade"),
        class_="controls",
        role="search",
        aria_label="Filter messages",
    )


def select_box(name: str, values: Iterable[str]) -> Html:
    known = sorted({value for value in values if value})
    options = [el("option", "all", value=""), *(el("option", value, value=value) for value in known)]
    return el("label", f"{name.capitalize()} ", el("select", *options, id=name))


def entry(each: PreviewEntry) -> Html:
    after = message(each.channel, each.content, sender=each.sender)
    before = message(each.channel, each.before, sender=each.sender) if each.compared and each.before else None
    traits = [trait for trait in (each.channel.value, each.locale, each.category, *each.facts) if trait]
    return el(
        "article",
        el("h2", each.name),
        el("p", " · ".join(traits), class_="facts"),
        side_by_side(before, after),
        data_channel=each.channel.value,
        data_locale=each.locale,
        data_category=each.category,
        data_search=" ".join([each.name, *traits, *searchable_text(each.content)]).lower()[:4000],
        aria_label=f"{each.name}, {each.channel.value}, {each.locale}",
    )


def searchable_text(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from searchable_text(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from searchable_text(item)


@cache
def asset(name: str) -> str:
    return files("notifyctl.views.html").joinpath(name).read_text(encoding="utf-8")


def digest(script: str) -> str:
    """The hash of an inline script, as browsers compute it."""
    return b64encode(sha256(script.encode()).digest()).decode()
