"""Time zones and locales that recipients lack, or that mean nothing: counted, batch by batch, for plan and lint alike.

Which zone counts then, and which text is sent, is decided elsewhere; here it is noticed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

from msgspec import Struct, field

from notifyctl.model.project import RECIPIENT_ZONE, Notification
from notifyctl.model.recipients import RecipientBatch
from notifyctl.recipients.locales import is_valid, same_language
from notifyctl.recipients.values import Column, VariantIndex

DISTINCT = 1_000
"""Values of one kind that are told apart; further ones are counted together."""
OTHERS = "others"


class Gaps(Struct):
    """Recipients without a time zone, by unknown time zone, and by locale: invalid ones, and those without a text of their own."""

    without_timezone: int = 0
    unknown_timezones: Counter[str] = field(default_factory=Counter)
    default_locales: Counter[str] = field(default_factory=Counter)
    invalid_locales: Counter[str] = field(default_factory=Counter)


class GapFinder:
    """Of one notification. Time zones matter only to a schedule with `timezone: recipient`."""

    def __init__(self, notification: Notification, default_locale: str) -> None:
        """`default_locale`: the project's, in which default texts are written."""
        schedule = notification.schedule
        self.by_zone = schedule is not None and schedule.timezone == RECIPIENT_ZONE
        self.gaps = Gaps()
        self._variants = VariantIndex(notification.template, default_locale)
        self._default = default_locale

    def add(self, batch: RecipientBatch) -> None:
        gaps = self.gaps
        for locale, number in Counter(batch.locales).items():
            if not locale:
                continue
            if self.is_invalid(locale):
                tally(gaps.invalid_locales, locale, number)
            elif self._variants.variant(locale) is None and not same_language(locale, self._default):
                tally(gaps.default_locales, locale, number)
        for zone, number in Counter(batch.timezones).items() if self.by_zone else ():
            if not zone:
                gaps.without_timezone += number
            elif is_unknown(zone):
                tally(gaps.unknown_timezones, zone, number)

    def is_invalid(self, locale: str) -> bool:
        """Whether a locale is no language tag, and chooses no text of its own all the same."""
        return not is_valid(locale) and self._variants.variant(locale) is None

    def unknown_timezones(self, batch: RecipientBatch) -> Iterator[tuple[int, str]]:
        """(position, time zone) of recipients."""
        names = filter(None, set(batch.timezones)) if self.by_zone else ()
        return positions_of(set(filter(is_unknown, names)), batch.timezones)

    def invalid_locales(self, batch: RecipientBatch) -> Iterator[tuple[int, str]]:
        """(position, locale) of recipients."""
        return positions_of(
            {each for each in set(batch.locales) if each and self.is_invalid(each)}, batch.locales
        )


def is_unknown(zone: str) -> bool:
    """Whether a time zone is not in the IANA database, which is read only where it is asked."""
    from notifyctl.schedule.zones import is_zone

    return not is_zone(zone)


def positions_of(wanted: Collection[str], column: Column) -> Iterator[tuple[int, str]]:
    if wanted:
        yield from ((at, value) for at, value in enumerate(column) if value is not None and value in wanted)


def tally(counts: Counter[str], value: str, number: int) -> None:
    known = value in counts or len(counts) < DISTINCT
    counts[value if known else OTHERS] += number
