"""An audience narrowed to one recipient, for `explain`."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from msgspec import Struct
from msgspec.structs import replace

from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import RecipientBatch, RowOrigin
from notifyctl.ports import AudienceReader


class SingleRecipient(Struct, frozen=True):
    """The batches of an audience with one address in them. Implements ports.AudienceReader.

    `former_keys` is filled with what former rules of identity made of the address's spellings.
    """

    reader: AudienceReader
    key: str
    former_keys: set[str]

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(self.reader.variables)

    @property
    def origin(self) -> RowOrigin:
        return self.reader.origin

    def batches(self, channel: ChannelName, names: Collection[str] | None = None) -> Iterator[RecipientBatch]:
        for batch in self.reader.batches(channel, names):
            self.former_keys.update(former for key, former in batch.former_keys if key == self.key)
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
                    fallbacks=batch.fallbacks[at : at + 1],
                )
