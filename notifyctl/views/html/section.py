"""A notification on the preview page: its facts, what changed around it, and its variants before and after."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from notifyctl.channels.parts import Carried
from notifyctl.channels.segments import is_unicode, segment
from notifyctl.model.project import ChannelName
from notifyctl.views.diagnostics import pluralise
from notifyctl.views.html import mail
from notifyctl.views.html.bubble import SmsText, marked, sms
from notifyctl.views.html.changed_words import Run, compare_words
from notifyctl.views.html.icons import CHANNELS, channel_icon, icon
from notifyctl.views.html.languages import language
from notifyctl.views.html.mail import MailView
from notifyctl.views.html.markup import Child, Html, el
from notifyctl.views.html.part_rows import row_list
from notifyctl.views.html.preview_model import Badge, Fact, Section, Setting, Variant
from notifyctl.views.html.rcs_phone import Drawing, button_targets
from notifyctl.views.html.shell import lines

LONG = 1500
"""Characters of a changed value from which only its changed lines are shown."""
LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


class Budget:
    """How much of e-mails a page may still draw, in bytes. Beyond it a mail is shown as words only."""

    def __init__(self, size: int) -> None:
        self.left = size

    def take(self, size: int) -> bool:
        fits = size <= self.left
        if fits:
            self.left -= size
        return fits


def section(shown: Section, budget: Budget, default_locale: str) -> Html:
    heading, about = f"name:{shown.key}", f"about:{shown.key}"
    variants = list(variant_list(shown, budget, default_locale))
    return el(
        "section",
        el(
            "header",
            el(
                "div",
                el("span", channel_icon(shown.channel), class_="tile"),
                el(
                    "div",
                    el("h2", el("a", shown.name, href=f"#{shown.key}"), id=heading),
                    el(
                        "p",
                        " · ".join(part for part in (CHANNELS[shown.channel], shown.about) if part),
                        id=about,
                    ),
                ),
                badge_list(shown.badges),
                class_="name",
            ),
            fact_list(shown.facts),
            notice_list(shown.notices),
            setting_table(shown.settings),
            el("p", el("small", f"Sent with {', '.join(shown.sent_with)}")) if shown.sent_with else None,
        ),
        *variants,
        field_fold(shown.fields),
        el("p", shown.more, class_="more") if shown.more else None,
        class_="note",
        id=shown.key,
        # Occurrences of one notification have the same name.
        aria_labelledby=heading if shown.key == shown.name else f"{heading} {about}",
        data_note=True,
        data_status=" ".join(badge.code for badge in shown.badges),
        data_channel=shown.channel.value,
        data_locale=" ".join(dict.fromkeys(each.locale or default_locale for each in shown.variants)),
    )


def badge_list(badges: tuple[Badge, ...]) -> Html | None:
    if not badges:
        return None
    return el(
        "ul", *(el("li", each.label, class_=f"badge {each.tone.value}") for each in badges), class_="badges"
    )


def fact_list(facts: tuple[Fact, ...], class_: str = "facts") -> Html | None:
    if not facts:
        return None
    pairs = [el("div", el("dt", each.label), el("dd", each.value, " ", lines(each.notes))) for each in facts]
    return el("dl", *pairs, class_=class_)


def notice_list(notices: tuple[str, ...]) -> Html | None:
    if not notices:
        return None
    return el("ul", *(el("li", icon("alert"), el("span", each)) for each in notices), class_="alerts")


def setting_table(settings: tuple[Setting, ...], what: str = "Setting") -> Html | None:
    if not settings:
        return None
    rows = [
        el("tr", el("th", *setting_name(setting), scope="row"), *setting_cells(setting))
        for setting in settings
    ]
    head = el("tr", *(el("th", name, scope="col") for name in (what, "Before", "After")))
    return el("table", el("thead", head), el("tbody", *rows), class_="settings")


def setting_name(setting: Setting) -> Iterator[Child]:
    """Its key, and what its change does."""
    yield setting.name
    if setting.effects:
        sign = [icon("alert"), " "] if setting.warn else []
        yield el("small", *sign, setting.effects, class_="warn" if setting.warn else None)


def field_fold(fields: tuple[Setting, ...]) -> Html | None:
    """Changed texts by their path: also those that no example shows."""
    if not fields:
        return None
    words = ["Changed texts in the files", pluralise(len(fields), "field")]
    return fold(words, el("div", setting_table(fields, "Field"), class_="variant field-list"))


def setting_cells(setting: Setting) -> tuple[Html, Html]:
    none = el("span", "not set", class_="unset")
    if setting.before is None or setting.after is None:
        old = el("del", setting.before) if setting.before is not None else none
        new = el("ins", setting.after) if setting.after is not None else none
        return el("td", old), el("td", new)
    if max(len(setting.before), len(setting.after)) > LONG:
        old_lines, new_lines = mail.excerpt(setting.before, setting.after)
        return el("td", *old_lines), el("td", *new_lines)
    before, after = compare_words(setting.before, setting.after)
    return el("td", *marked(before, "del")), el("td", *marked(after, "ins"))


def variant_list(shown: Section, budget: Budget, default_locale: str) -> Iterator[Html]:
    """One variant for each language is open. Further examples are one line each, and what did not change is one line."""

    def made(variants: Iterable[tuple[int, Variant]]) -> list[Html]:
        return [article(shown, each, number, budget, default_locale) for number, each in variants]

    numbered = list(enumerate(shown.variants))
    same = [(number, each) for number, each in numbered if each.same]
    gallery = shown.channel is ChannelName.SMS
    if gallery and numbered and not shown.variants[0].compared:
        yield el("div", *made(numbered), class_="gallery")
        return
    seen: set[str | None] = set()
    for number, each in numbered:
        if each.same:
            continue
        (drawn_,) = made([(number, each)])
        yield fold(example_words(each, default_locale), drawn_) if each.locale in seen else drawn_
        seen.add(each.locale)
    if same:
        inside = made(same)
        yield fold(
            unchanged_words([each for _, each in same], default_locale),
            *([el("div", *inside, class_="gallery")] if gallery else inside),
        )


def fold(words: Sequence[str], *made: Html) -> Html:
    first, *rest = words
    return el(
        "details", el("summary", el("b", first), *(el("span", each) for each in rest)), *made, class_="fold"
    )


def example_words(variant: Variant, default_locale: str) -> list[str]:
    size = size_words(variant)
    return [
        f"{language(variant.locale, default_locale)}, another example",
        pluralise(variant.count, "recipient"),
        *variant.why,
        *([size] if size else []),
    ]


def unchanged_words(variants: Sequence[Variant], default_locale: str) -> list[str]:
    languages = dict.fromkeys(language(each.locale, default_locale) for each in variants)
    return [f"{', '.join(languages)}: unchanged", pluralise(len(variants), "example")]


def size_words(variant: Variant) -> str | None:
    if variant.shown.channel is not ChannelName.SMS or variant.shown.content is None:
        return None
    text = SmsText([Run(str(variant.shown.content.get("text", "")), changed=False)])
    counted = segment(text.counted, unicode=is_unicode(variant.shown.content))
    return f"{pluralise(counted.segments, 'segment')}, {counted.encoding}"


def article(shown: Section, variant: Variant, number: int, budget: Budget, default_locale: str) -> Html:
    title = language(variant.locale, default_locale)
    label = f"{shown.name}, {title}, example {number + 1}"
    inside = [meta(variant, title), *body(shown, variant, number, budget, default_locale)]
    form = {ChannelName.EMAIL: "variant mail", ChannelName.SMS: "variant"}.get(shown.channel, "variant rcs")
    return el("article", *inside, class_=form, aria_label=label)


def meta(variant: Variant, title: str) -> Html:
    lines_: list[Child] = [el("h3", title), el("p", pluralise(variant.count, "recipient"))]
    if variant.recipient:
        lines_.append(el("p", "Example: ", el("span", variant.recipient, class_="nowrap")))
    badges = [el("li", why, class_="badge") for why in variant.why]
    if badges:
        lines_.append(el("ul", *badges, class_="badges"))
    return el("header", *lines_, class_="meta")


def body(
    shown: Section, variant: Variant, number: int, budget: Budget, default_locale: str
) -> Iterator[Child]:
    lang = lang_of(variant.locale or default_locale)
    if variant.shown.content is None:
        yield el(
            "p",
            "The text of this template is stored at the provider and cannot be shown.",
            class_="opaque wide",
        )
        yield rest(variant)
    elif shown.channel is ChannelName.SMS:
        yield from sides(variant, lambda carried, other, mark: sms_phone(carried, other, mark, lang))
        yield rest(variant)
    elif shown.channel is ChannelName.RCS:
        yield from rcs_body(variant, lang)
    else:
        yield from mail_body(shown, variant, number, budget, lang)


def rest(variant: Variant) -> Html | None:
    """Every part that is not drawn: nothing that is sent stays hidden."""
    rows = row_list(variant.shown, compared_with(variant))
    return el("div", rows, class_="wide") if rows is not None else None


def compared_with(variant: Variant) -> Carried | None:
    """The earlier version that `shown` is compared with; None where there is none, or both are the same."""
    return variant.before if variant.compared and not variant.same and variant.carried is not None else None


def sides(
    variant: Variant, draw: Callable[[Carried, Carried | None, str], Html], what: str = ""
) -> Iterator[Html]:
    """Before and after; one picture where there is one version, or both are the same."""
    before, after = variant.before, variant.carried
    if not variant.compared:
        yield figure(what or "Message", draw(variant.shown, None, "ins"))
    elif before and after and (before.sender, before.content) == (after.sender, after.content):
        yield figure(named(what, "unchanged"), draw(variant.shown, None, "ins"))
    else:
        if before is not None:
            yield figure(named(what, "before"), draw(before, after, "del"))
        if after is not None:
            yield figure(named(what, "after" if before else "new"), draw(after, before, "ins"))


def named(what: str, side: str) -> str:
    return f"{what}, {side}" if what else side.capitalize()


def figure(caption: str, picture: Html) -> Html:
    return el("figure", el("figcaption", caption, class_="side"), picture)


def sms_phone(carried: Carried, other: Carried | None, mark: str, lang: str | None) -> Html:
    content = carried.content or {}
    runs = runs_of(
        str(content.get("text", "")),
        None if other is None else str((other.content or {}).get("text", "")),
        mark,
    )
    return sms(carried.sender, SmsText(runs, unicode=is_unicode(content), mark=mark, lang=lang))


def runs_of(text: str, other: str | None, mark: str) -> list[Run]:
    """The text in runs; changed are those that the other version has not."""
    if other is None:
        return [Run(text, changed=False)]
    return compare_words(text, other)[0] if mark == "del" else compare_words(other, text)[1]


def rcs_body(variant: Variant, lang: str | None) -> Iterator[Child]:
    def draw(carried: Carried, other: Carried | None, mark: str) -> Html:
        return Drawing(None if other is None else other.content or {}, mark, lang).phone(
            carried.sender, carried.content or {}
        )

    wide = bool((variant.shown.content or {}).get("cards"))
    pictures = list(sides(variant, draw, "RCS"))
    fallbacks = list(fallback(variant, lang))
    if wide:
        yield el("div", *pictures, class_="wide stack")
        if fallbacks:
            yield el("div", *fallbacks, class_="wide pair")
    else:
        yield from pictures
        yield from fallbacks
    compared = compared_with(variant)
    targets = button_targets(
        variant.shown.content or {}, None if compared is None else compared.content or {}
    )
    if targets is not None:
        yield el("div", el("h4", "What the buttons do", class_="side"), targets, class_="wide")
    yield rest(variant)


def fallback(variant: Variant, lang: str | None) -> Iterator[Html]:
    """The SMS that is sent where RCS fails, with segments of its own."""
    before, after = fallback_of(variant.before), fallback_of(variant.carried)
    if before is not None or after is not None:
        reduced = Variant(
            variant.locale, variant.count, carried=after, before=before, compared=variant.compared
        )
        draw = lambda carried, other, mark: sms_phone(carried, other, mark, lang)  # noqa: E731 - as in `body`
        yield from sides(reduced, draw, "SMS sent when RCS fails")


def fallback_of(carried: Carried | None) -> Carried | None:
    """As an SMS; None where there is none, or it is off."""
    if carried is None or not has_fallback(carried):
        return None
    sender, text = (str(carried.options.get(key, "")) for key in ("smsSenderId", "text"))
    return Carried(ChannelName.SMS, sender, {"type": "text", "text": text})


def has_fallback(carried: Carried) -> bool:
    return carried.options.get("smsFallback") is True and bool(carried.options.get("text"))


def mail_body(
    shown: Section, variant: Variant, number: int, budget: Budget, lang: str | None
) -> Iterator[Child]:
    name = f"{shown.key}, example {number + 1}"
    if variant.carried is None:
        view = MailView(name=name, carried=variant.shown, recipient=variant.recipient, lang=lang)
        yield rest(variant)
        yield from drawn(view, budget, "Before, as recipients see it")
        return
    compared = compared_with(variant)
    view = MailView(
        name=name, carried=variant.carried, before=compared, recipient=variant.recipient, lang=lang
    )
    yield el(
        "div",
        row_list(variant.carried, compared, lang=lang),
        mail.listed(view),
        mail.changed_lines(view, "h4"),
        mail.plain_alternative(view),
        mail.all_words(view),
        class_="wide",
    )
    yield from drawn(view, budget, "After, as recipients see it" if compared else "As recipients see it")
    if compared is not None and mail.markup_of(compared) not in {None, view.markup}:
        old = MailView(name=f"{name}, before", carried=compared, recipient=variant.recipient, lang=lang)
        pictures = list(drawn(old, budget, "Before, as recipients see it"))
        yield el(
            "details", el("summary", "The mail before, as recipients see it"), *pictures, class_="plain full"
        )


def drawn(view: MailView, budget: Budget, title: str) -> Iterator[Html]:
    size = 2 * len((view.markup or "").encode())
    if budget.take(size):
        yield mail.frames(view, title=title, level="h4")
    else:
        words = "The HTML is not drawn, because the page would be too large. To see it, run: "
        yield el(
            "p",
            el("small", words, el("code", f"notifyctl preview {view.name.partition(',')[0]}")),
            class_="wide",
        )


def lang_of(locale: str | None) -> str | None:
    """The value of `lang` for text in a locale; none for what is not a language tag."""
    tag = (locale or "").replace("_", "-")
    return tag if LANGUAGE_TAG.fullmatch(tag) else None


def mails_of(shown: Section) -> Iterator[str]:
    """The HTML of every e-mail that a section can draw."""
    for variant in shown.variants:
        for carried in (variant.carried, variant.before):
            markup = mail.markup_of(carried) if carried is not None else None
            if markup is not None:
                yield markup
