"""The lines of `run`: text with the time in UTC, or JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from notifyctl.model.log import Level, LogEntry
from notifyctl.model.recipients import Scope
from notifyctl.views.colours import strip_controls
from notifyctl.views.log import mask


def as_text(at: datetime, text: str) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S UTC}  {mask(strip_controls(text))}"


SEVERE = {
    "expired": Level.ERROR,
    "failed": Level.ERROR,
    "refused": Level.ERROR,
    "halted": Level.WARNING,
    "uncertain": Level.WARNING,
    "waiting": Level.WARNING,
    "blocked": Level.WARNING,
    "alert": Level.WARNING,
    "clock": Level.WARNING,
}
"""By kind; all others are information."""


def as_entry(
    at: datetime,
    kind: str,
    text: str,
    scope: Scope | None,
    counts: dict[str, int],
    *,
    fields: Mapping[str, object],
) -> LogEntry:
    about: dict[str, object] = {**scope_fields(scope), "recipients": counts} if scope is not None else {}
    return LogEntry(at, kind, text, SEVERE.get(kind, Level.INFO), {**about, **fields})


def scope_fields(scope: Scope | None) -> dict[str, Any]:
    return {
        "notification": scope.notification if scope else None,
        "edition": scope.edition if scope else None,
        "occurrence": scope.occurrence if scope else None,
        "channel": scope.channel.value if scope else None,
    }


def as_json(at: datetime, kind: str, text: str, scope: Scope | None, counts: dict[str, int]) -> str:
    document: dict[str, Any] = {
        "at": at.astimezone(UTC).isoformat(timespec="seconds"),
        "event": kind,
        **scope_fields(scope),
        "recipients": counts,
        "text": mask(strip_controls(text)),
    }
    return json.dumps(document, ensure_ascii=False)
