"""Where time zones are from, and time zones and locales that recipients lack or that mean nothing: counted, batch by batch, for plan
and lint alike.

Which text is sent is decided elsewhere; here it is noticed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct, field

from notifyctl.model.project import Notification
from notifyctl.model.recipients import RecipientBatch
from notifyctl.recipients.locales import is_valid, same_language
from notifyctl.recipients.values import Column, VariantIndex
from notifyctl.recipients.zones import RecipientZones, ZoneSource

DISTINCT = 1_000
"""Values of one kind that are told apart; further ones are counted together."""
OTHERS = "others"


class Gaps(Struct):
    """Recipients by time zone: unknown ones, those by the country of the number; and by locale: invalid ones, and those without a text
    of their own.

    `sources`: where the time zones are from; those and `unknown_timezones` add up to all recipients. Empty for a schedule with a time
    zone of its own.
    """

    sources: Mapping[ZoneSource, int] = {}
    country_timezones: Mapping[str, int] = {}
    unknown_timezones: Counter[str] = field(default_factory=Counter)
    default_locales: Counter[str] = field(default_factory=Counter)
    invalid_locales: Counter[str] = field(default_factory=Counter)


class GapFinder:
    """Of one notification. Time zones matter only to a schedule with `timezone: recipient`."""

    def __init__(self, notification: Notification, default_locale: str, *, timezone: str) -> None:
        """The project's: `default_locale`, in which default texts are written, and `timezone`."""
        self.zones = RecipientZones(notification, timezone)
        self.by_zone = self.zones.by_recipient
        self.gaps = Gaps()
        self._variants = VariantIndex(notification.template, default_locale)
        self._default = default_locale

    def add(self, batch: RecipientBatch) -> Sequence[str]:
        """Counts them. Returns the time zone of each, in which the schedule is meant."""
        gaps = self.gaps
        for locale, number in Counter(batch.locales).items():
            if not locale:
                continue
            if self.is_invalid(locale):
                tally(gaps.invalid_locales, locale, number)
            elif self._variants.variant(locale) is None and not same_language(locale, self._default):
                tally(gaps.default_locales, locale, number)
        zones = self.zones.add(batch)
        if self.by_zone:
            for zone, number in Counter(filter(None, batch.timezones)).items():
                if is_unknown(zone):
                    tally(gaps.unknown_timezones, zone, number)
            known = self.zones.sources[ZoneSource.AUDIENCE] - gaps.unknown_timezones.total()
            gaps.sources = {**self.zones.sources, ZoneSource.AUDIENCE: known}
            gaps.country_timezones = self.zones.country_zones
        return zones

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
