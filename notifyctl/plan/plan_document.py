"""The document of a plan file as types, and the bytes that its seal covers. Pure.

A key that is added to the public plan is added here too, and drawn by `views.saved_plan`. The document is
the public plan and, in `authorised`, every delivery that it allows, packed. `mac` is over all the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

from notifyctl.command_line import command_line
from notifyctl.diagnostics import Severity
from notifyctl.errors import PlanRefusedError
from notifyctl.model.acceptance import AcceptRule, Identity
from notifyctl.model.project import ChannelName, Policy
from notifyctl.model.recipients import Scope
from notifyctl.plan.actions import Action
from notifyctl.plan.model import (
    AudienceGaps,
    Cost,
    Fallback,
    Lapsed,
    LeftOutOf,
    NextOccurrence,
    Reach,
    Sample,
)
from notifyctl.plan.sending_hours import SendingHours
from notifyctl.plan.similarity import NearlySent
from notifyctl.schedule.moments import Moments

FILE_FORMAT = "2.0"
"""Rises with each change after which an earlier file cannot be trusted or read. Files of 1.x had no seal."""
SEAL = "mac"

Moment = Annotated[datetime, Meta(tz=True)]
Count = Annotated[int, Meta(ge=0)]


class PackedUnits(Struct, frozen=True):
    """Entries that share why and when: zlib in Base64."""

    shared: str
    count: Count
    packed: str


class AuthorisedScope(Struct, frozen=True):
    scope: Scope
    policy: Policy
    count: Count
    units: tuple[PackedUnits, ...]


class AudienceEntry(Struct, frozen=True):
    name: str
    rows: int
    rejected_rows: int
    readings: Mapping[str, int] = {}


class NotificationEntry(Struct, frozen=True):
    name: str
    channel: ChannelName
    edition: int
    occurrence: str
    category: str
    sender: str = field(name="from")
    template: str
    audience: AudienceEntry
    opaque: bool
    actions: Mapping[Action, int]
    reasons: Mapping[Action, Mapping[str, int]]
    due: Moment | None
    deferred_until: Moment | None
    expires: Moment | None
    segments: int | None
    cost: Cost | None
    costs: tuple[Cost, ...]
    reach: tuple[Reach, ...]
    texts: int
    content_hash: str | None
    left_out: tuple[LeftOutOf, ...]
    samples: tuple[Sample, ...]
    nearly: tuple[NearlySent, ...] = ()
    late_seconds: int | None = None
    takes_seconds: int | None = None
    ends: Moment | None = None
    left: int = 0
    expiring: int = 0
    closes: Moment | None = None
    timezone: str | None = None
    times: Mapping[str, Moments] = {}
    missed: int = 0
    elsewhere: Mapping[str, int] = {}
    moved: tuple[str, ...] = ()
    fallback: Fallback | None = None
    gaps: AudienceGaps = AudienceGaps()
    request: Mapping[str, Any] = field(default_factory=dict)
    people: Count = 0
    waits: str | None = None
    lapsed: Lapsed | None = None


class AcceptanceEntry(Struct, frozen=True):
    """An acceptance as plans show it."""

    fingerprint: str
    notification: str
    edition: int
    channel: ChannelName
    until: Moment
    max_recipients: Count
    who: Identity
    rule: AcceptRule
    revision: str | None
    at: Moment
    revoked: bool


class SeriesEntry(Struct, frozen=True):
    name: str
    channel: ChannelName
    edition: int
    fingerprint: str
    parts: Mapping[str, str]
    acceptance: AcceptanceEntry | None
    missing: str | None
    former: AcceptanceEntry | None
    rule: AcceptRule = AcceptRule()
    """Not in files of the first version that had series."""


class LaterEntry(Struct, frozen=True):
    name: str
    occurrence: str
    due: Moment | None


class UpcomingEntry(Struct, frozen=True):
    name: str
    channel: ChannelName
    edition: int
    timezone: str
    due_now: bool
    next: tuple[NextOccurrence, ...] = ()
    skipped: tuple[NextOccurrence, ...] = ()
    skipped_more: int = 0
    preview: NotificationEntry | None = None


class DiagnosticEntry(Struct, frozen=True):
    rule: str
    severity: Severity
    message: str
    file: str
    line: int | None
    column: int | None
    hint: str | None


class PlanDocument(Struct, frozen=True):
    """A whole plan file. Keys that a later version adds are left alone: the seal covers them too."""

    format_version: str
    project: str
    environment: str
    provider: str
    ledger: str | None
    as_of: Moment
    valid_until: Moment
    horizon: Moment | None
    complete: bool
    applyable: bool
    digest: str
    summary: Mapping[Action, int]
    notifications: tuple[NotificationEntry, ...]
    later: tuple[LaterEntry, ...]
    diagnostics: tuple[DiagnosticEntry, ...]
    plan_id: str
    authorised: tuple[AuthorisedScope, ...]
    account: str | None
    """A keyed hash of the provider's service id, where it was known."""
    mac: str | None
    """None: made without the ledger."""
    timezone: str = "UTC"
    versions: Mapping[str, str] = {}
    made_at: Moment | None = None
    upcoming: tuple[UpcomingEntry, ...] = ()
    series: tuple[SeriesEntry, ...] | None = None
    """None: the file was made before series were accepted."""
    hours: tuple[SendingHours, ...] = ()
    records_added: Count = 0


def decode(document: object) -> PlanDocument:
    """Raises PlanRefusedError if it is no plan file, one of another format, or damaged."""
    if not isinstance(document, dict) or "plan_id" not in document:
        raise PlanRefusedError(
            "not a saved plan (the output of --format json is not one)",
            hint=f"to save a plan, run: {command_line('plan', '--out', 'FILE')}",
        )
    refuse_other_format(document.get("format_version"))
    try:
        return msgspec.convert(document, PlanDocument)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise PlanRefusedError("the plan file is damaged; nothing was sent", hint="plan again") from error


def refuse_other_format(version: object) -> None:
    """Raises PlanRefusedError for a file of an earlier or later format."""
    major = str(version).partition(".")[0]
    if major == FILE_FORMAT.partition(".")[0]:
        return
    age = "an earlier" if major.isdecimal() and len(major) == 1 and major < FILE_FORMAT[0] else "another"
    raise PlanRefusedError(
        f"the plan file is of {age} format, {str(version)[:20]!r}; this notifyctl writes and reads {FILE_FORMAT};"
        " nothing was sent",
        hint="plan again with this version",
    )


def sealed_digest(document: Mapping[str, Any]) -> bytes:
    """The SHA-256 of everything in a document but its seal, in canonical JSON. Raises ValueError if it nests too deeply."""
    rest = {name: value for name, value in document.items() if name != SEAL}
    state = sha256()
    try:
        # Piece by piece: a plan for ten million people is not held a second time.
        for piece in json.JSONEncoder(sort_keys=True, separators=(",", ":")).iterencode(rest):
            state.update(piece.encode())
    except RecursionError as error:
        raise ValueError("the document nests too deeply") from error
    return state.digest()
