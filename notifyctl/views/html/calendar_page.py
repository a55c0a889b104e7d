"""The calendar page: the weeks as a table, then every day with what is sent on it, then when each notification can be sent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from notifyctl.model.project import ChannelName
from notifyctl.plan.calendar import About, Calendar, Entry
from notifyctl.plurals import pluralise
from notifyctl.schedule.agenda import Fate
from notifyctl.views.as_of import as_of_words
from notifyctl.views.calendar_words import (
    STORED,
    behind_clock,
    clock,
    describe_about,
    describe_errors,
    describe_fate,
    describe_group,
    describe_holiday,
    describe_move,
    describe_moved_away,
    describe_rules,
    describe_series_of,
    describe_waiting,
    differing_groups,
    entries_on,
    holidays_on,
    moved_from,
    name_day,
    thin_out,
    when_it_goes,
)
from notifyctl.views.html.icons import CHANNELS, channel_icon
from notifyctl.views.html.markup import Child, Html, el
from notifyctl.views.html.month import has_something, month_view, name_span, short_fate
from notifyctl.views.html.preview_model import Fact
from notifyctl.views.html.section import fact_list
from notifyctl.views.html.shell import Filter, bar, document, nothing_matches, rail, skip_link

STATES = {
    Fate.TO_COME: "To come",
    Fate.DUE: "Due now",
    Fate.EXPIRED: "Expired",
    Fate.SKIPPED: "Skipped",
}
MOVED, SENT = "moved", "sent"


def calendar_page(calendar: Calendar) -> str:
    days = [day for day in calendar.days if entries_on(calendar, day) or moved_from(calendar, day)]
    shown = set(days)
    return document(
        title=f"{calendar.project}: calendar",
        styles=["page.css", "calendar.css"],
        scripts=["page.js"],
        mails=(),
        body=[
            skip_link("Skip to the calendar"),
            bar(calendar.project, [calendar.environment], search="Search days"),
            el(
                "div",
                rail(
                    "Find a day",
                    "Days and filters",
                    contents(calendar, days),
                    list(filters(calendar, days)),
                    total=len(days),
                    what="days",
                ),
                el(
                    "main",
                    summary(calendar),
                    month_section(calendar, shown),
                    nothing_matches("day") if days else None,
                    *(day_section(calendar, day) for day in days),
                    notifications(calendar),
                    id="ui:main",
                    tabindex="-1",
                ),
                class_="shell",
            ),
        ],
    )


def month_section(calendar: Calendar, shown: set[date]) -> Html:
    if not any(has_something(calendar, day) for day in calendar.days):
        return el("section", el("h2", "No occurrence on these days"), class_="empty")
    table = month_view(calendar, lambda entry: address(entry.day) if entry.day in shown else None)
    heading = "ui:month"
    return el("section", el("h2", "Weeks", id=heading, class_="vh"), table, aria_labelledby=heading)


def address(day: date) -> str:
    return day.isoformat()


def contents(calendar: Calendar, days: list[date]) -> Html | None:
    if not days:
        return None
    links = [
        el(
            "li",
            el(
                "a",
                el("span", name_day(day)),
                el("small", f"{count:,}") if (count := len(entries_on(calendar, day))) else None,
                href=f"#{address(day)}",
            ),
        )
        for day in days
    ]
    heading = "ui:contents"
    return el(
        "nav", el("h2", "Days", id=heading), el("ul", *links, class_="jump days"), aria_labelledby=heading
    )


def filters(calendar: Calendar, days: list[date]) -> Iterator[Filter]:
    shown = [entries_on(calendar, day) + moved_from(calendar, day) for day in days]
    yield Filter("status", "State", [state for some in shown for state in dict.fromkeys(states_of(some))])
    yield Filter(
        "channel",
        "Channel",
        [
            (channel.value, CHANNELS[channel])
            for some in shown
            for channel in dict.fromkeys(channel_of(calendar, each) for each in some)
        ],
    )
    yield Filter(
        "notification",
        "Notification",
        [(name, name) for some in shown for name in dict.fromkeys(each.name for each in some)],
    )


def states_of(entries: list[Entry]) -> Iterator[tuple[str, str]]:
    for each in entries:
        sent = each.outcome is not None and each.outcome.accepted
        yield (SENT, "Sent") if sent else (each.fate.value, STATES[each.fate])
        if is_moved(each):
            yield MOVED, "Moved"


def is_moved(entry: Entry) -> bool:
    return entry.goes is not None and entry.fate in {Fate.TO_COME, Fate.DUE}


def channel_of(calendar: Calendar, entry: Entry) -> ChannelName:
    return calendar.notifications[entry.name].channel


def summary(calendar: Calendar) -> Html:
    as_of = f"A{as_of_words(calendar.as_of, calendar.timezone, made_at=calendar.made_at)[1:]}, in the local time of each schedule"
    return el(
        "section",
        el(
            "header",
            el("h1", name_span(calendar), id="ui:title"),
            None
            if calendar.complete
            else el("p", "Shown without the ledger: earlier sends are unknown.", class_="lede"),
            el("p", describe_errors(calendar), class_="lede errors") if calendar.errors else None,
            el("p", el("small", as_of)),
        ),
        fact_list(tuple(tiles(calendar)), "facts tiles"),
        without_time(calendar),
        class_="summary",
        aria_labelledby="ui:title",
    )


def tiles(calendar: Calendar) -> Iterator[Fact]:
    shown = [each for each in calendar.entries if each.day <= calendar.last]
    to_send = [each for each in shown if each.fate in {Fate.TO_COME, Fate.DUE}]
    names = {each.name for each in to_send}
    kinds = f"{pluralise(len(to_send), 'occurrence').partition(' ')[2]} of {pluralise(len(names), 'notification')}"
    yield Fact("To send", f"{len(to_send):,}", (kinds,))
    messages = sum(each.recipients for each in to_send)
    yield Fact("Messages", f"{messages:,}", ("if audiences stay as they are",))
    moved = sum(map(is_moved, shown))
    yield Fact("Moved", f"{moved:,}", ("by hours and holidays",) if moved else ())
    for fate in (Fate.SKIPPED, Fate.EXPIRED):
        count = sum(each.fate is fate for each in shown)
        if count or fate is Fate.SKIPPED:
            yield Fact(STATES[fate], f"{count:,}")


def without_time(calendar: Calendar) -> Html | None:
    if not calendar.undated:
        return None
    return el("p", el("small", f"Without a time, so due with the next apply: {', '.join(calendar.undated)}."))


def day_section(calendar: Calendar, day: date) -> Html:
    entries, away = entries_on(calendar, day), moved_from(calendar, day)
    rows = [(clock(each.due), away_item(calendar, each)) for each in away]
    rows += [
        (clock(when_it_goes(each)), entry_item(calendar, each, more)) for each, more in thin_out(entries)
    ]
    both = entries + away
    return el(
        "section",
        el(
            "header",
            el(
                "h2",
                el("time", name_day(day, year=True), datetime=day.isoformat()),
                id=f"{address(day)}:title",
            ),
            *(
                el("p", describe_holiday(calendar, *each), class_="holiday")
                for each in holidays_on(calendar, day).items()
            ),
        ),
        el("ol", *(item for _, item in sorted(rows, key=lambda each: each[0])), class_="agenda"),
        class_="note",
        id=address(day),
        aria_labelledby=f"{address(day)}:title",
        data_note=True,
        data_status=" ".join(dict.fromkeys(code for code, _ in states_of(both))),
        data_channel=" ".join(dict.fromkeys(channel_of(calendar, each).value for each in both)),
        data_notification=" ".join(dict.fromkeys(each.name for each in both)),
    )


def entry_item(calendar: Calendar, entry: Entry, more: int) -> Html:
    about = calendar.notifications[entry.name]
    lines: list[Child] = []
    move = describe_move(entry)
    if move is not None:
        lines.append(move[:1].upper() + move[1:])
    waiting = describe_waiting(entry)
    if waiting is not None:
        lines.append(waiting[:1].upper() + waiting[1:])
    lines += [describe_group(each) for each in differing_groups(entry)]
    if entry.fate in {Fate.TO_COME, Fate.DUE}:
        lines.append(f"“{about.text}”" if about.text is not None else STORED.capitalize())
    if more:
        lines.append(f"And {more:,} more on this day")
    return item(
        about,
        clock(when_it_goes(entry)),
        behind_clock(when_it_goes(entry)),
        describe_fate(entry, about),
        short_fate(calendar, entry)[1],
        lines,
    )


def away_item(calendar: Calendar, entry: Entry) -> Html:
    about = calendar.notifications[entry.name]
    return item(about, clock(entry.due), behind_clock(entry.due), describe_moved_away(entry), "away", [])


def item(about: About, time: str, zone: str, words: str, shade: str, lines: list[Child]) -> Html:
    return el(
        "li",
        el("p", el("b", time), el("small", zone), class_="at"),
        el(
            "div",
            el(
                "p",
                channel_icon(about.channel),
                " ",
                el("a", about.name, href=f"#{anchor(about.name)}"),
                " ",
                el("span", words, class_=f"badge {shade}"),
            ),
            *(el("p", line, class_="line") for line in lines),
        ),
    )


def anchor(name: str) -> str:
    """Of a notification; no day has such an address."""
    return f"ui:about:{name}"


def notifications(calendar: Calendar) -> Html | None:
    if not calendar.notifications:
        return None
    cards = [about_card(calendar, each) for each in calendar.notifications.values()]
    return el(
        "section",
        el("h2", "Notifications", id="ui:notifications"),
        el("div", *cards, class_="cards"),
        class_="shared",
        aria_labelledby="ui:notifications",
    )


def about_card(calendar: Calendar, about: About) -> Html:
    people = pluralise(sum(about.recipients.values()), "recipient")
    rules = [line.removeprefix("hours: ") for line in describe_rules(calendar, about.name)]
    pairs: list[tuple[str, str]] = [
        ("Text", STORED if about.text is None else about.text),
        ("Audience", f"{about.audience}, {people}"),
        ("Hours", "; ".join(rules) if rules else "any time"),
    ]
    told = [
        *((False, line) for line in describe_about(about)),
        *describe_series_of(calendar, about.name),
    ]
    notes = [
        el("p", f"{line[:1].upper()}{line[1:]}", class_="line warn" if warns else "line")
        for warns, line in told
    ]
    return el(
        "article",
        el("h3", channel_icon(about.channel), " ", about.name, id=anchor(about.name)),
        el("dl", *(el("div", el("dt", label), el("dd", value)) for label, value in pairs)),
        *notes,
    )
