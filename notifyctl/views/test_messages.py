"""Test messages in a ledger: text and JSON. They stand apart from what was sent to recipients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from notifyctl.model.test_messages import TestRecord
from notifyctl.schedule.moments import format_time
from notifyctl.views.colours import Paint, strip_controls
from notifyctl.views.decisions import describe_who
from notifyctl.views.ledger_words import KEYS, LABELS


def test_lines(tests: Sequence[TestRecord], paint: Paint) -> Iterator[str]:
    """A section with one line for each test; nothing without tests."""
    if tests:
        yield paint.bold("Test messages (not counted as sent to a recipient)")
    for each in tests:
        yield f"  {describe_test(each)}"
        if each.reason:
            yield paint.dim(f"    {strip_controls(each.reason)}")


def describe_test(each: TestRecord) -> str:
    message = each.message
    locale = f", locale {message.locale}" if message.locale else ""
    scope = f"{message.notification} ({message.channel}, edition {message.edition}{locale})"
    return f"{format_time(each.at)}  test {each.number}: {scope}: {LABELS[each.kind]}{describe_who(each.who)}"


def test_object(each: TestRecord) -> dict[str, Any]:
    return {
        "test": each.number,
        "notification": each.message.notification,
        "channel": each.message.channel.value,
        "edition": each.message.edition,
        "locale": each.message.locale,
        "outcome": KEYS[each.kind],
        "reason": each.reason,
        "provider_id": each.provider_id,
        "at": each.at.isoformat(),
        "who": each.who,
    }
