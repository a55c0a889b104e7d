"""Who is sent to: batches of recipients as columns, and the scope that they share.

An audience travels as columns in batches, never one object per recipient: a row turned into Python objects costs several
times its parse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from notifyctl.diagnostics import Location
from notifyctl.model.project import ChannelName

ID_BYTES = 16
"""Length of a recipient id in the ledger: HMAC-SHA256 of the normalised address, truncated."""
FINGERPRINT_BYTES = 12
"""Length of a delivery hash in the ledger: enough to tell a changed text from the same, at 28 bytes per recipient."""
MEMBER_BYTES = ID_BYTES + FINGERPRINT_BYTES


class RowRejection(StrEnum):
    """Why a row of an audience is no recipient."""

    DUPLICATE = "duplicate-address"
    NO_ADDRESS = "no-address"
    BAD_ADDRESS = "bad-address"
    BAD_ROW = "bad-row"


class Suppression(StrEnum):
    """Why a recipient in the audience is not sent to."""

    OPTED_OUT = "opted-out"
    FENCED = "fenced"


class RowOrigin(Struct, frozen=True):
    """Where rows come from, to tell of one: by its line in `file`, or by its number in `named` where a query gives them.

    `query`: where the query is named, or its database; None where rows are lines.
    """

    file: str
    query: Location | None = None
    named: str = ""

    def location(self, row: int, column: int = 1) -> Location:
        return self.query or Location(self.file, row, column)

    def describe(self, row: int, sentence: str) -> str:
        """A sentence about a row, which names it where its location does not."""
        return f"row {row:,} of {self.named}: {sentence}" if self.query else sentence

    def label(self, row: int) -> str:
        return f"row {row:,}" if self.query else f"line {row}"


class RejectedRow(Struct, frozen=True):
    """A row that yields no recipient: where it is, and a sentence without the address.

    `row`: its line or number in the source, `label` in words. `whole_column`: the sentence is about a column, and the same for all such rows.
    """

    reason: RowRejection
    location: Location
    detail: str
    row: int = 0
    label: str = ""
    whole_column: bool = False


WITH_PLUS = "+"
WITHOUT_PLUS = "international"
"""How a phone number was read: with + or 00, or as an international number without. Otherwise it is the region of a national
number.
"""


class RecipientBatch(Struct, frozen=True):
    """Up to some thousand recipients of one audience on one channel, as columns of equal length.

    `addresses` are normalised, so that two spellings of one address are one recipient, and unique in the audience;
    `destinations` are the addresses as sent, with the author's leading + or upper case but without separators.
    `values` holds one column per variable, `None` where a row has none. `excluded` are the rejected rows since the
    previous batch; the last batch can consist of these alone.
    """

    addresses: Sequence[str]
    destinations: Sequence[str]
    lines: Sequence[int]
    locales: Sequence[str | None]
    timezones: Sequence[str | None]
    correlations: Sequence[str | None]
    suppressions: Sequence[str | None]
    values: Mapping[str, Sequence[str | None]]
    excluded: Sequence[RejectedRow] = ()
    readings: Mapping[str, int] = {}
    """How phone numbers were read → how many: `+`, `international` without a +, or the region of national numbers."""
    former_keys: Sequence[tuple[str, str]] = ()
    """(address, what the former rules of identity made of it), where that is another; of repeated rows too."""
    fallbacks: Sequence[str | None] = ()
    """Why an SMS in place of the message would not be sent to each; empty: it would to all."""

    def __len__(self) -> int:
        return len(self.addresses)


class Scope(Struct, frozen=True, order=True):
    """What delivery units of one audience share. With a recipient it identifies a unit."""

    notification: str
    edition: int
    occurrence: str
    channel: ChannelName
