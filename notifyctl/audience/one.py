"""An audience narrowed to one person, so that a plan can say what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import RecipientBatch
from notifyctl.ports import AudienceReader


class OnlyOne(Struct, frozen=True):
    """An audience in which only one address is seen."""

    reader: AudienceReader
    key: str

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(self.reader.variables)

    @property
    def file(self) -> str:
        return self.reader.file

    @property
    def weight(self) -> int:
        """Most of it is left out."""
        return 0

    def batches(self, channel: ChannelName) -> Iterator[RecipientBatch]:
        for batch in self.reader.batches(channel):
            if self.key in batch.addresses:
                at = list(batch.addresses).index(self.key)
                yield replace(
                    batch,
                    addresses=[self.key],
                    destinations=[batch.destinations[at]],
                    lines=[batch.lines[at]],
                    locales=[batch.locales[at]],
                    timezones=[batch.timezones[at]],
                    correlations=[batch.correlations[at]],
                    suppressions=[batch.suppressions[at]],
                    values={name: [column[at]] for name, column in batch.values.items()},
                    excluded=(),
                )
