"""Time zones and locales that recipients lack or that mean nothing, as lint reports them; and locales of templates and the project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from notifyctl.config.messages import find_nearest
from notifyctl.diagnostics import Diagnostic, Severity
from notifyctl.lint.recipient_checks import Finding
from notifyctl.model.project import Notification, Project
from notifyctl.model.recipients import RecipientBatch
from notifyctl.recipients.gaps import OTHERS, GapFinder
from notifyctl.recipients.locales import is_valid
from notifyctl.recipients.zones import ZoneSource

SHOWN = 5
"""Locales named in one message."""


def find_in_rows(finder: GapFinder, batch: RecipientBatch) -> Iterator[tuple[int, Finding]]:
    """Recipients of a batch whose time zone or locale means nothing, by position."""
    for position, zone in finder.unknown_timezones(batch):
        from zoneinfo import available_timezones

        nearest = find_nearest(zone, available_timezones())
        hint = f"did you mean {nearest}?" if nearest else "use an IANA name, for example Europe/London"
        message = f'"{zone[:40]}" is not an IANA time zone; the plan blocks this recipient'
        yield position, Finding("unknown-timezone", message, hint)
    for position, locale in finder.invalid_locales(batch):
        message = f'"{locale[:40]}" is not a valid locale; this recipient gets the default text'
        hint = "use a language tag, for example de or fr-CA"
        yield position, Finding("invalid-locale", message, hint)


def find_in_whole(
    finder: GapFinder, notification: Notification, *, recipients: int, timezone: str, locale: str
) -> Iterator[Diagnostic]:
    """What only the whole audience shows. `timezone` and `locale`: the project's, which hold where a recipient has none."""
    place = notification.audience.positions.location()
    missing = finder.gaps.sources.get(ZoneSource.PROJECT, 0)
    if missing:
        unknown = ", and none follows from their numbers" if finder.zones.by_number else ""
        if missing == recipients:
            lack = f"no recipient has a time zone{unknown}; {timezone} is used for all"
        else:
            have = "has" if missing == 1 else "have"
            lack = (
                f"{missing:,} of {recipients:,} recipients {have} no time zone{unknown}; {timezone} is used"
            )
        yield Diagnostic(
            "missing-timezone",
            Severity.WARNING,
            f"schedule of `{notification.name}` has `timezone: recipient`, but {lack}",
            place,
            "add a column `timezone`, map another with `columns: {timezone: NAME}`, or name a time zone in the schedule",
        )
    defaults = finder.gaps.default_locales
    if defaults:
        number = sum(defaults.values())
        verb, noun = ("gets", "recipient") if number == 1 else ("get", "recipients")
        yield Diagnostic(
            "locale-without-text",
            Severity.INFO,
            f"{number:,} {noun} with {list_locales(defaults)} {verb} the default text of `{notification.template.name}`",
            place,
            f"add the locale to `locales` of the template; or set `defaults: {{locale: …}}`, now {locale}, if the default text"
            " is in that language",
        )


def list_locales(counts: Mapping[str, int]) -> str:
    ordered = sorted((each for each in counts if each != OTHERS), key=lambda each: (-counts[each], each))
    shown = ", ".join(each[:40] for each in ordered[:SHOWN])
    more = " and others" if len(counts) > SHOWN or OTHERS in counts else ""
    return f"locale{'' if len(counts) == 1 else 's'} {shown}{more}"


def check_locales(project: Project) -> Iterator[Diagnostic]:
    """Locales in the project's own files that have the form of a tag and name no language: `jp`, where `ja` is meant."""
    inline = (
        each.template
        for each in project.notifications.values()
        if project.templates.get(each.template.name) is not each.template
    )
    places = [(project.locale, project.positions.location("defaults", "locale"))]
    places += [
        (locale, template.positions.location("locales", locale))
        for template in (*project.templates.values(), *inline)
        for locale in template.locales
    ]
    for locale, place in places:
        if not is_valid(locale):
            yield Diagnostic(
                "invalid-locale",
                Severity.WARNING,
                f'"{locale}" is not a valid locale: no language has this code',
                place,
                "use a language tag, for example ja, not the code of a country",
            )
