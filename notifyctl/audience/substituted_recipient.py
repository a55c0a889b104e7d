"""An audience of one: the row of one recipient, with another destination. For test messages."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from msgspec import Struct
from msgspec.structs import replace

from notifyctl.audience.addresses import Address
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import RecipientBatch, RowOrigin
from notifyctl.ports import AudienceReader


class SubstitutedRecipient(Struct, frozen=True):
    """The row of `key`, sent to `to` instead. Implements ports.AudienceReader.

    `locale` is that of the message, if it is not the recipient's own. `fallback`: why no SMS is sent in place of the message. The
    author's correlation id is left out: a receipt of a test must not be matched by it.
    """

    reader: AudienceReader
    key: str
    to: Address
    locale: str | None
    fallback: str | None

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(self.reader.variables)

    @property
    def header(self) -> tuple[str, ...]:
        return tuple(self.reader.header)

    @property
    def origin(self) -> RowOrigin:
        return self.reader.origin

    def batches(self, channel: ChannelName, names: Collection[str] | None = None) -> Iterator[RecipientBatch]:
        for batch in self.reader.batches(channel, names):
            if self.key not in batch.addresses:
                continue
            at = list(batch.addresses).index(self.key)
            yield replace(
                batch,
                addresses=[self.to.key],
                destinations=[self.to.sent],
                lines=[batch.lines[at]],
                locales=[self.locale or batch.locales[at]],
                timezones=[batch.timezones[at]],
                correlations=[None],
                suppressions=[None],
                values={name: [column[at]] for name, column in batch.values.items()},
                excluded=(),
                readings={},
                former_keys=(),
                fallbacks=[self.fallback],
            )
            return
