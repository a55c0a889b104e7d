"""What is composed, read from an audience, batched, sent and recorded: the vocabulary that crosses the ports.

Audiences travel as columns in batches, never one object per person: a row turned into Python objects costs several
times its parse, and a columnar engine can stand behind the same port later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from notifyctl.diagnostics import Location
from notifyctl.model import ApiObject, ChannelName
from notifyctl.patterns import pattern
from notifyctl.records import dataclass, field

ID_BYTES = 16
"""Length of a recipient id in the ledger: HMAC-SHA256 of the normalised address, truncated."""
FINGERPRINT_BYTES = 12
"""Length of a delivery hash in the ledger: enough to tell a changed text from the same, at 28 bytes per recipient."""
MEMBER_BYTES = ID_BYTES + FINGERPRINT_BYTES

PLACEHOLDER = pattern(r"\$\(([^()\s]+)\)")
"""`$(name)`, the one form that the API fills in (rule 30)."""
UNSUBSCRIBE = "unsubscribe"
"""`$(unsubscribe)` is filled in by the platform (rule 33): it is no variable of ours."""


@dataclass(frozen=True, slots=True)
class Message:
    """A composed message: Jinja2 has run, `$(name)` stands. One per notification and locale variant."""

    channel: ChannelName
    sender: str
    content: ApiObject | None
    """`None` when `template_id` names a body at the provider."""
    options: ApiObject = field(default_factory=dict)
    locale: str | None = None
    """The variant this is; `None`: the template's own text."""
    cc: tuple[str, ...] | None = None
    bcc: tuple[str, ...] | None = None
    smartlinks: tuple[ApiObject, ...] = ()
    template_id: str | None = None
    names: tuple[str, ...] = ()
    """The variables the text reads, sorted; for an opaque body those that are handed over."""
    shared: Mapping[str, str] = field(default_factory=dict)
    """Values for all recipients: the notification's substitutions over the template's defaults, only for `names`."""

    @property
    def opaque(self) -> bool:
        return self.template_id is not None


@dataclass(frozen=True, slots=True)
class Envelope:
    """What goes around a message and is no content. Times are aware; `validity` is in seconds; see rules 19 to 54."""

    send_at: datetime | None = None
    expire_at: datetime | None = None
    validity: int | None = None
    priority: int | None = None
    callback_data: str | None = None
    notify_url: str | None = None
    requested_receipts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """One message as its reader gets it. `content` is None for a body that the provider holds; `missing` names the
    values that nothing gives, which stay visible as placeholders. SMS have an encoding, units and segments.
    """

    notification: str
    channel: ChannelName
    sender: str
    destination: str
    locale: str | None
    content: ApiObject | None
    options: ApiObject
    values: Mapping[str, str]
    missing: tuple[str, ...] = ()
    encoding: str | None = None
    units: int | None = None
    segments: int | None = None


class Exclusion(StrEnum):
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
class ExcludedRow:
    """One row that gave no recipient, where it stands, and a sentence without the address in it."""

    reason: Exclusion
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
    excluded: Sequence[ExcludedRow] = ()

    def __len__(self) -> int:
        return len(self.addresses)


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """The part of a delivery unit that is the same for a whole audience. With a recipient it is the unit."""

    notification: str
    edition: int
    occurrence: str
    channel: ChannelName


class Units(Protocol):
    """Recipients to send to. They may lie on disk, and nobody may hold all of them."""

    def __len__(self) -> int: ...

    def chunks(self, size: int) -> Iterator[UnitColumns]:
        """All of them, `size` at a time; the same each time it is called."""

    def heads(self, size: int) -> Iterator[tuple[bytes, Sequence[str | None]]]:
        """Members and correlation ids alone, in the same chunks: all that decides in what order a batch has them."""


@dataclass(frozen=True, slots=True)
class UnitColumns:
    """Recipients as columns of equal length: id and fingerprint for the ledger, packed as MEMBER_BYTES each; destination, own
    values (a column for each of the message's `names`; `None` where the recipient has none) and the author's correlation id
    for the request. Implements Units.
    """

    members: bytes
    destinations: Sequence[str]
    own: Sequence[Sequence[str | None]]
    correlations: Sequence[str | None]

    def __len__(self) -> int:
        return len(self.destinations)

    def chunks(self, size: int) -> Iterator[UnitColumns]:
        for start in range(0, len(self), size):
            end = start + size
            yield UnitColumns(
                self.members[start * MEMBER_BYTES : end * MEMBER_BYTES],
                self.destinations[start:end],
                [column[start:end] for column in self.own],
                self.correlations[start:end],
            )

    def heads(self, size: int) -> Iterator[tuple[bytes, Sequence[str | None]]]:
        for chunk in self.chunks(size):
            yield chunk.members, chunk.correlations


@dataclass(frozen=True, slots=True)
class Consignment:
    """What a plan hands to apply: units of one scope that get the same message in the same envelope."""

    scope: Scope
    message: Message
    envelope: Envelope
    units: Units
    not_after: datetime | None = None
    """When the window shuts or the message lapses: what has not begun by then is not begun."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A scope that is opened by this apply. `held`: packed ids of its audience that no consignment carries."""

    scope: Scope
    held: bytes


class BatchState(StrEnum):
    """What the ledger knows of one batch: the last word of its last attempt."""

    PLANNED = "planned"  # recorded, never begun
    ARMED = "armed"  # begun, no outcome: nobody knows
    ACCEPTED = "accepted"
    REJECTED = "rejected"  # certainly not accepted
    UNKNOWN = "unknown"  # begun, and the answer tells nothing


@dataclass(frozen=True, slots=True)
class BatchFacts:
    """One batch in the ledger: `members` is packed, MEMBER_BYTES each (recipient id, then delivery fingerprint)."""

    number: int
    scope: Scope
    state: BatchState
    attempt: int
    members: bytes
    at: datetime
    """When it came into this state."""
    reason: str | None = None
    others: Mapping[int, BatchState] = field(default_factory=dict)
    """Members that stand otherwise than the batch, by position: partly accepted, or settled later."""
    epoch: int = 0
    """Of the run that planned it."""


@dataclass(frozen=True, slots=True)
class OpeningFacts:
    """A recorded audience: the packed ids in `held`, and the members of the scope's batches of this epoch."""

    epoch: int
    held: bytes


@dataclass(frozen=True, slots=True)
class LedgerSummary:
    """What `ledger show` and the plan's digest say of a ledger. `lineage` names it from its making on."""

    lineage: str
    location: str
    schema_version: int
    serial: int
    """Grows with every commit."""
    created_at: datetime
    batches: Mapping[BatchState, int]
    recipients: Mapping[BatchState, int]
    """Members of the batches in each state. Who was rejected and then accepted stands in two batches, and counts in both."""
    scopes: int
    receipts: int = 0


@dataclass(frozen=True, slots=True)
class ScopeStatus:
    """Each person who belongs to a scope counts once. `total` is the sum of the four others."""

    scope: Scope
    accepted: int
    rejected: int
    uncertain: int
    not_begun: int
    """In the recorded audience, and nothing was ever begun for them."""
    reasons: Mapping[str, int] = field(default_factory=dict)
    """Why batches are rejected or uncertain, with the number of people in them."""
    receipts: Mapping[str, int] = field(default_factory=dict)
    """Accepted people by their last receipt; `none`: without one. `clicked` counts beside the others."""

    @property
    def total(self) -> int:
        return self.accepted + self.rejected + self.uncertain + self.not_begun


@dataclass(frozen=True, slots=True)
class Destination:
    """One object of the request's `to`: addresses that share substitutions and a correlation id.
    `first` is the position of its first address among all members of the batch.
    """

    addresses: tuple[str, ...]
    correlation_id: str
    substitutions: Mapping[str, str]
    first: int


@dataclass(frozen=True, slots=True)
class Destinations:
    """The request's `to` as columns: `addresses` of all its objects in the order of the batch's members; and one entry an object
    in the others. `own`: a column for each of `names`, `None` where there is no value. `starts`: the position of each
    object's first address; `None` where every object has one address.
    """

    addresses: Sequence[str]
    correlation_ids: Sequence[str]
    names: tuple[str, ...]
    own: Sequence[Sequence[str | None]]
    starts: Sequence[int] | None = None

    def __len__(self) -> int:
        return len(self.correlation_ids)

    def __iter__(self) -> Iterator[Destination]:
        starts = self.starts if self.starts is not None else range(len(self.addresses))
        ends = [*starts[1:], len(self.addresses)]
        for at, (start, end, key) in enumerate(zip(starts, ends, self.correlation_ids, strict=True)):
            columns = zip(self.names, self.own, strict=True)
            given = {name: value for name, column in columns if (value := column[at]) is not None}
            yield Destination(tuple(self.addresses[start:end]), key, given, start)


@dataclass(frozen=True, slots=True)
class Batch:
    """One request to be: what a provider turns into a body. Everything in it is known before anything is sent."""

    number: int
    attempt: int
    scope: Scope
    message: Message
    envelope: Envelope
    to: Destinations
    members: bytes

    @property
    def size(self) -> int:
        return len(self.members) // MEMBER_BYTES


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """An exact request but for its secrets. `content` is what will be posted, JSON in UTF-8; `headers` are redacted."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> dict[str, Any]:
        """The content read, anew each time: for people and for tests; sending needs the bytes alone."""
        import json

        found = json.loads(self.content)
        assert isinstance(found, dict)
        return found


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has it: 2xx and a body that says so."""

    provider_id: str
    status: int
    refused: Mapping[int, str] = field(default_factory=dict)
    """Positions of members that the provider's answer says it did not take, with its reason."""
    unheard: frozenset[int] = frozenset()
    """Positions of members that an answer which lists its members does not name: nobody knows of them."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Certainly not accepted. `retryable`: the same request may be tried again within this apply (429, never left)."""

    reason: str
    status: int | None = None
    retryable: bool = False
    retry_after: float | None = None
    """Seconds the provider asked for, capped by who waits."""


@dataclass(frozen=True, slots=True)
class Refused:
    """401 or 403: certainly not accepted, and no other request would be either. Ends the run."""

    reason: str
    status: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """The provider may or may not have it. Never retried by itself."""

    reason: str
    status: int | None = None


Outcome = Accepted | Rejected | Refused | Unknown


@dataclass(frozen=True, slots=True)
class Beginning:
    """An attempt of a batch that is about to begin. `seal` authenticates the correlation ids of its request."""

    number: int
    attempt: int
    seal: bytes


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt of a batch ended."""

    number: int
    attempt: int
    outcome: Outcome
