"""The preview page: what an apply would send, what to look at first, who gets what and when, then every notification."""

from __future__ import annotations

from collections.abc import Iterator

from notifyctl.plan.calendar import Entry
from notifyctl.views.diagnostics import pluralise
from notifyctl.views.html.icons import CHANNELS, channel_icon, icon
from notifyctl.views.html.languages import language
from notifyctl.views.html.markup import Child, Html, el
from notifyctl.views.html.month import month_view
from notifyctl.views.html.preview_model import Moment, PreviewPage, Section
from notifyctl.views.html.section import Budget, fact_list, mails_of, section, setting_table
from notifyctl.views.html.shell import Filter, bar, document, nothing_matches, rail, skip_link

MAIL_BYTES = 12_000_000
"""Bytes of e-mails that a page draws; further ones are shown as words."""


def preview_page(page: PreviewPage, *, default_locale: str, reload: bool = False) -> str:
    """The whole document. With `reload` it polls its own server for changes, and can connect to nothing else."""
    budget = Budget(MAIL_BYTES)
    sections = [section(each, budget, default_locale) for each in page.sections]
    about: list[Child] = [page.environment]
    if page.base:
        about += [" · compared with ", el("code", page.base)]
    empty = not page.sections
    return document(
        title=f"{page.project}: messages",
        styles=["page.css", *(["calendar.css"] if page.calendar is not None else [])],
        scripts=["page.js", *(["reload.js"] if reload else [])],
        mails=(mail for each in page.sections for mail in mails_of(each)),
        connects=reload,
        body=[
            skip_link("Skip to the notifications"),
            bar(page.project, about, search="Search names and texts"),
            el(
                "div",
                rail(
                    "Find a notification",
                    "Contents and filters",
                    contents(page),
                    list(filters(page, default_locale)),
                    total=len(page.sections),
                    what="notifications",
                ),
                el(
                    "main",
                    summary(page),
                    None if empty else nothing_matches("notification"),
                    *sections,
                    omitted(page),
                    id="ui:main",
                    tabindex="-1",
                ),
                class_="shell",
            ),
        ],
    )


def contents(page: PreviewPage) -> Html | None:
    """Links to the notifications. What needs attention has a sign; the others have a word for their first badge."""
    if not page.sections:
        return None
    heading = "ui:contents"
    links = [
        el(
            "li",
            el("a", channel_icon(each.channel), el("span", each.name), sign(each), href=f"#{each.key}"),
        )
        for each in page.sections
    ]
    return el(
        "nav", el("h2", "Notifications", id=heading), el("ul", *links, class_="jump"), aria_labelledby=heading
    )


def sign(shown: Section) -> Html | None:
    if shown.warns:
        return icon("alert", label="needs attention", class_="icon warn")
    return el("small", shown.badges[0].label.partition(" ")[0]) if shown.badges else None


def filters(page: PreviewPage, default_locale: str) -> Iterator[Filter]:
    shown = page.sections
    badges = [(badge.code, badge.label) for each in shown for badge in dict.fromkeys(each.badges)]
    locales = [
        (locale, language(locale, default_locale))
        for each in shown
        for locale in dict.fromkeys(variant.locale or default_locale for variant in each.variants)
    ]
    yield Filter("status", "Change" if page.compared else "State", badges)
    yield Filter("channel", "Channel", [(each.channel.value, CHANNELS[each.channel]) for each in shown])
    yield Filter("locale", "Language", locales)


def summary(page: PreviewPage) -> Html:
    first = attention(page)
    second = schedule(page.moments)
    both = (
        el("div", first, second, class_="cols" if first and second else "cols one")
        if first or second
        else None
    )
    return el(
        "section",
        el(
            "header",
            el("h1", page.title, id="ui:title"),
            el("p", el("strong", page.not_now), class_="lede") if page.not_now else None,
            *(el("p", each, class_="lede") for each in page.lede),
            el("p", el("small", page.planned)) if page.planned else None,
        ),
        fact_list(page.tiles, "facts tiles"),
        both,
        calendar(page),
        shared_settings(page),
        class_="summary",
        aria_labelledby="ui:title",
    )


def calendar(page: PreviewPage) -> Html | None:
    """The next weeks, each occurrence with a link to its notification."""
    if page.calendar is None:
        return None
    shown = {each.key for each in page.sections}

    def section_of(entry: Entry) -> str | None:
        own = f"{entry.name}@{entry.occurrence}"
        return own if own in shown else entry.name if entry.name in shown else None

    table = month_view(page.calendar, section_of)
    return el(
        "section", el("h2", "Calendar", id="ui:month"), table, class_="weeks", aria_labelledby="ui:month"
    )


def shared_settings(page: PreviewPage) -> Html | None:
    """What changed for all notifications at once."""
    if not page.settings:
        return None
    heading = "ui:shared"
    return el(
        "section",
        el("h2", "Project and environments", id=heading),
        setting_table(page.settings),
        class_="shared",
        aria_labelledby=heading,
    )


def attention(page: PreviewPage) -> Html | None:
    if not page.alerts:
        return None
    items = [
        el(
            "li",
            icon("alert"),
            el(
                "div",
                el("b", f"{alert.subject}."),
                " ",
                el("a", alert.name, href=f"#{alert.key}") if alert.key else None,
                ": " if alert.key else None,
                alert.sentence,
            ),
        )
        for alert in page.alerts
    ]
    if page.more_alerts:
        more = f"{page.more_alerts:,} more; each is marked in its notification below."
        items.append(el("li", icon("alert"), el("div", more)))
    heading = "ui:first"
    return el(
        "section",
        el("h2", "Look at these first", id=heading),
        el("ul", *items, class_="alerts"),
        aria_labelledby=heading,
    )


def schedule(moments: tuple[Moment, ...]) -> Html | None:
    if not moments:
        return None
    heading = "ui:when"
    return el(
        "section",
        el("h2", "Recipients and times", id=heading),
        el("ol", *(moment_row(each) for each in moments), class_="when"),
        aria_labelledby=heading,
    )


def moment_row(moment: Moment) -> Html:
    links: list[Child] = [moment.note, " · "] if moment.note else []
    for number, (key, words) in enumerate(moment.notifications.items()):
        links += [" · "] if number else []
        links.append(el("a", words, href=f"#{key}"))
    return el(
        "li",
        el("b", moment.when),
        " ",
        el("span", f"{moment.count:,}", class_="num") if moment.count is not None else None,
        el("small", *links),
    )


def omitted(page: PreviewPage) -> Html | None:
    if not page.omitted:
        return None
    return el(
        "section",
        el("h2", f"{pluralise(len(page.omitted), 'more notification')}"),
        el("p", "The page has no room for these. To see one, run: ", el("code", "notifyctl preview NAME")),
        el("p", ", ".join(page.omitted), class_="names"),
        class_="empty left",
    )


def error_page(title: str, message: str) -> str:
    """In place of the page while the project has errors; it reloads when a file changes."""
    return document(
        title=title,
        styles=["page.css"],
        scripts=["page.js", "reload.js"],
        mails=(),
        connects=True,
        body=[
            skip_link("Skip to the errors"),
            bar("notifyctl", ["preview"], search="Search"),
            el(
                "main",
                el("section", el("h1", title), el("p", message, class_="lede errors"), class_="summary"),
                id="ui:main",
                tabindex="-1",
                class_="alone",
            ),
        ],
    )
