"""The frame of a page: its policy, styles and scripts, the bar with search and theme, the rail with contents and filters."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files

from msgspec import Struct

from notifyctl.views.html.icons import icon
from notifyctl.views.html.mail_frame import style_hash, style_hashes
from notifyctl.views.html.markup import Child, Html, el, join

FILTERS = "ui:filters"
"""The form of search and filters. Names of notifications have no colon, so ids of ours never meet theirs."""


class Filter(Struct, frozen=True):
    """A group of filters: `values` are (code, label) of each item on the page, once for each item that has it."""

    name: str
    legend: str
    values: Sequence[tuple[str, str]]

    @property
    def counted(self) -> list[tuple[str, str, int]]:
        counts = Counter(self.values)
        return [(code, label, count) for (code, label), count in counts.items()]

    @property
    def useful(self) -> bool:
        return len(self.counted) > 1


def document(
    *,
    title: str,
    styles: Sequence[str],
    scripts: Sequence[str],
    mails: Iterable[str],
    body: Sequence[Child],
    connects: bool = False,
) -> str:
    """The whole page. `styles` and `scripts` are names of assets, `mails` the HTML of e-mails on it, `connects`: it polls its own server."""
    style = "".join(map(asset, styles))
    script = "".join(map(asset, scripts))
    allowed = dict.fromkeys([style_hash(style), *(each for mail in mails for each in style_hashes(mail))])
    policy = "; ".join(
        [
            "default-src 'none'",
            "style-src 'unsafe-inline'",
            f"style-src-elem {' '.join(allowed)}",
            # Frames inherit this policy, and e-mails are styled by attributes.
            "style-src-attr 'unsafe-inline'",
            f"script-src 'sha256-{digest(script)}'",
            "img-src data:",
            "frame-src 'self'",
            "connect-src 'self'" if connects else "connect-src 'none'",
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
    content = el("body", Html(asset("icons.svg")), *body, Html(f"<script>{script}</script>"))
    return "<!doctype html>\n" + el("html", head, content, lang="en") + "\n"


def bar(project: str, about: Sequence[Child], *, search: str, beside: Child = None) -> Html:
    """The bar at the top. `search`: what the search looks in; `beside`: a state shown before the search."""
    return el(
        "header",
        icon("mark", class_="mark"),
        el("p", el("b", project), " ", el("small", *about), class_="brand"),
        beside,
        el(
            "label",
            el("span", search, class_="vh"),
            icon("find"),
            el(
                "input",
                type="search",
                name="q",
                form=FILTERS,
                placeholder=search,
                autocomplete="off",
                aria_keyshortcuts="/",
            ),
            class_="search",
        ),
        el(
            "button",
            icon("shade"),
            "Dark",
            class_="button",
            id="ui:theme",
            type="button",
            aria_pressed="false",
        ),
        class_="bar",
    )


def skip_link(text: str) -> Html:
    return el("a", text, href="#ui:main", class_="skip")


def rail(
    label: str, summary: str, contents: Child, filters: Sequence[Filter], *, total: int, what: str
) -> Html:
    """The column beside the page. It folds on small screens. `what`: what is filtered, in the plural."""
    found = el(
        "p",
        el("span", f"All {total:,} shown", id="ui:found", role="status"),
        el(
            "button", "Clear filters", class_="button", id="ui:clear", type="reset", form=FILTERS, hidden=True
        ),
        class_="found",
    )
    groups = [filter_group(each) for each in filters if each.useful]
    form = el("form", *groups, class_="filters", id=FILTERS, role="search", aria_label=f"Filter {what}")
    return el(
        "aside",
        el(
            "details",
            el("summary", summary, class_="button"),
            el("div", contents, el("div", found, form)),
            open=True,
        ),
        class_="rail",
        aria_label=label,
    )


def filter_group(group: Filter) -> Html:
    boxes = [
        el(
            "label",
            el("input", type="checkbox", name=group.name, value=code),
            el("span", label),
            " ",
            el("small", f"{count:,}"),
        )
        for code, label, count in group.counted
    ]
    return el("fieldset", el("legend", group.legend), *boxes)


def nothing_matches(what: str) -> Html:
    return el(
        "section",
        el("h2", "Nothing matches"),
        el("p", f"No {what} has all of these words and filters."),
        el("button", "Clear filters", class_="button", type="reset", form=FILTERS),
        class_="empty",
        id="ui:nothing",
        hidden=True,
    )


def digest(script: str) -> str:
    """The hash of an inline script, as browsers compute it."""
    return b64encode(sha256(script.encode()).digest()).decode()


@cache
def asset(name: str) -> str:
    return files("notifyctl.views.html").joinpath(name).read_text(encoding="utf-8")


def lines(parts: Iterable[str]) -> Html:
    return join(*(el("small", part) for part in parts))
