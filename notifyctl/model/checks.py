"""What `doctor` finds: one check each, with what to do. No secret and no address of a recipient."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct


class CheckStatus(StrEnum):
    """The values are those of `status` in the JSON form."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    NOT_CHECKED = "not_checked"  # it cannot be found out, or was not asked for


class Check(Struct, frozen=True):
    """`name`: what was looked at. `text`: a sentence without a full stop. `hint`: what to do."""

    name: str
    status: CheckStatus
    text: str
    hint: str | None = None


def ok(name: str, text: str) -> Check:
    return Check(name, CheckStatus.OK, text)


def warning(name: str, text: str, hint: str | None = None) -> Check:
    return Check(name, CheckStatus.WARNING, text, hint)


def error(name: str, text: str, hint: str | None = None) -> Check:
    return Check(name, CheckStatus.ERROR, text, hint)


def not_checked(name: str, text: str, hint: str | None = None) -> Check:
    return Check(name, CheckStatus.NOT_CHECKED, text, hint)


def has_error(checks: Sequence[Check]) -> bool:
    return any(check.status is CheckStatus.ERROR for check in checks)
