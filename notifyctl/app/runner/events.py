"""What `run` reports, one line each, and what `/healthz` answers. Plain data; no address and no text of a message."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from notifyctl.model.recipients import Scope


class EventKind(StrEnum):
    """The kinds of lines. The values are those of `event` in the JSON form."""

    STARTED = "started"
    NEXT = "next"
    PROJECT = "project"
    SENT = "sent"
    EXPIRED = "expired"
    WAITING = "waiting"
    UNCERTAIN = "uncertain"
    BLOCKED = "blocked"
    FAILED = "failed"
    RECOVERED = "recovered"
    LOCKED = "locked"
    CLOCK = "clock"
    ALERT = "alert"
    CAMPAIGN = "campaign"
    REFUSED = "refused"
    HALTED = "halted"
    RESUMED = "resumed"
    STOPPED = "stopped"


DETAIL = frozenset({EventKind.NEXT, EventKind.PROJECT})
"""Kinds that are shown with -v only."""


class RunnerEvent(Struct, frozen=True):
    """`text`: a sentence without a full stop. `scope`: the occurrence that it is about. `counts`: recipients by outcome. `fields`: more
    keys of a log in JSON.
    """

    at: datetime
    kind: EventKind
    text: str
    scope: Scope | None = None
    counts: Mapping[str, int] = {}
    fields: Mapping[str, object] = {}


class Health(Struct, frozen=True):
    """`reasons`: why somebody must look, by kind; none: all is well. `checked`: when the last round ended; None: none has."""

    environment: str
    reasons: tuple[tuple[str, str], ...] = ()
    next_due: datetime | None = None
    checked: datetime | None = None

    @property
    def ok(self) -> bool:
        return self.checked is not None and not self.reasons
