"""A line in the log of a service. Texts are our own and name no recipient; `views.log` masks what looks like an address anyway."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class Level(StrEnum):
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogEntry(Struct, frozen=True):
    """`event`: of a closed set for each command. `text`: a sentence without a full stop. `fields`: more keys of the JSON form."""

    at: datetime
    event: str
    text: str
    level: Level = Level.INFO
    fields: Mapping[str, object] = {}
