"""In which time zone a schedule is meant for each recipient, and where that is known from: the one place that decides it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum

from msgspec import Struct

from notifyctl.model.project import RECIPIENT_ZONE, ChannelName, Notification
from notifyctl.model.recipients import RecipientBatch


class ZoneSource(StrEnum):
    """Where a recipient's time zone is from; the first that has one counts."""

    AUDIENCE = "audience"  # the row, whether or not such a zone exists
    COUNTRY = "country"  # that of the phone number, if all its clocks agree
    PROJECT = "project"


class RecipientZone(Struct, frozen=True):
    """`name`: what the row says need not be a time zone."""

    name: str
    source: ZoneSource


class RecipientZones:
    """Of one notification, batch by batch. Without `timezone: recipient` everybody has the schedule's, and nothing is counted."""

    def __init__(self, notification: Notification, project_zone: str) -> None:
        schedule = notification.schedule
        self.schedule_zone = (schedule.timezone if schedule else None) or project_zone
        self.by_recipient = self.schedule_zone == RECIPIENT_ZONE
        self.project_zone = project_zone
        self.by_number = notification.channel is not ChannelName.EMAIL
        """Whether addresses are phone numbers."""
        self.sources: Counter[ZoneSource] = Counter()
        self.country_zones: Counter[str] = Counter()
        """Time zones that are known from the country of the number."""

    def add(self, batch: RecipientBatch) -> Sequence[str]:
        """The time zone of each recipient, counted by its source."""
        if not self.by_recipient:
            return [self.schedule_zone] * len(batch)
        zones = [zone or None for zone in batch.timezones]
        lacking = [position for position, zone in enumerate(zones) if zone is None]
        if self.by_number and lacking:
            numbers = [batch.addresses[position] for position in lacking]
            for position, zone in zip(lacking, zones_of_numbers(numbers), strict=True):
                zones[position] = zone
        by_country = Counter(zones[position] for position in lacking)
        project = by_country.pop(None, 0)
        self.country_zones.update({zone: number for zone, number in by_country.items() if zone})
        self.sources[ZoneSource.AUDIENCE] += len(zones) - len(lacking)
        self.sources[ZoneSource.COUNTRY] += len(lacking) - project
        self.sources[ZoneSource.PROJECT] += project
        return [zone or self.project_zone for zone in zones]

    def find(self, timezone: str | None, address: str) -> RecipientZone:
        """The time zone of one recipient, by what the row says and the normalised address."""
        if timezone:
            return RecipientZone(timezone, ZoneSource.AUDIENCE)
        found = next(zones_of_numbers([address])) if self.by_number else None
        if found:
            return RecipientZone(found, ZoneSource.COUNTRY)
        return RecipientZone(self.project_zone, ZoneSource.PROJECT)


def zones_of_numbers(numbers: Iterable[str]) -> Iterator[str | None]:
    """For each number in E.164 form the one time zone of its country; None if the country is not certain or has several."""
    from notifyctl.audience.numbering import country_of
    from notifyctl.schedule.country_zones import one_zone

    return (one_zone(country) if country else None for country in map(country_of, numbers))
