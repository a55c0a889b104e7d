"""Who is sent to: batches of recipients as columns, and the scope that they share.

An audience travels as columns in batches, never one object per recipient: a row turned into Python objects costs several
times its parse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from notifyctl.diagnostics import Location
from notifyctl.model.project import ChannelName
from notifyctl.records import dataclass

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
    """Why a recipient is not written to although they are in the audience."""

    OPTED_OUT = "opted-out"
    FENCED = "fenced"


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """One row that gave no recipient, where it stands, and a sentence without the address in it."""

    reason: RowRejection
    location: Location
    detail: str


@dataclass(frozen=True, slots=True)
class RecipientBatch:
    """Up to some thousand recipients of one audience for one channel, as columns of equal length. `addresses` are
    normalised (what makes two rows the same person) and unique over the whole audience; `destinations` are the same
    addresses as they are sent: the author's choice of a leading + or of upper case is kept, separators are not.
    `values` holds one column per variable; `None` where the row has none. `excluded` are the rows met since the
    batch before that are no recipients; a last batch may hold nothing else.
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

    def __len__(self) -> int:
        return len(self.addresses)


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """The part of a delivery unit that is the same for a whole audience. With a recipient it is the unit."""

    notification: str
    edition: int
    occurrence: str
    channel: ChannelName
