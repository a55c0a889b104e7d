"""A test message before and after it is sent: text and JSON, with masked addresses."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from notifyctl.command_line import command_line
from notifyctl.model.batch import Accepted, Outcome, Unknown
from notifyctl.model.message import LeftOut
from notifyctl.model.test_messages import TestMessage
from notifyctl.plan.model import PlannedNotification
from notifyctl.plan.shared_request import parts_of
from notifyctl.views.colours import Paint, strip_controls
from notifyctl.views.message import SAID_ABOVE, as_lines

FORMAT_VERSION = "1.0"


def message_text(
    planned: PlannedNotification,
    message: TestMessage,
    left_out: Sequence[LeftOut],
    *,
    values_of: str,
    to: str,
    colour: bool,
) -> str:
    """What will be sent."""
    return "\n".join(_message(planned, message, left_out, values_of, to, Paint(colour)))


def _message(
    planned: PlannedNotification,
    message: TestMessage,
    left_out: Sequence[LeftOut],
    values_of: str,
    to: str,
    paint: Paint,
) -> Iterator[str]:
    locale = f"locale {message.locale}" if message.locale else "default text"
    head = f"test of {message.notification} ({message.channel}, edition {message.edition}, {locale})"
    yield f"{paint.bold(head)} to {to} with the values of {values_of}"
    for sample in planned.samples:
        for line in as_lines(parts_of(planned, sample), without=SAID_ABOVE[planned.channel]):
            yield f"  {paint.dim('│')} {strip_controls(line)}"
    for each in left_out:
        yield f"  without {each.what}: {strip_controls(each.reason)}"


def outcome_text(number: int, message: TestMessage, outcome: Outcome, *, environment: str, to: str) -> str:
    name = message.notification
    if isinstance(outcome, Accepted):
        return f"Sent a test of `{name}` to {to}. Recorded in the ledger as test {number}; it does not count as sent to a recipient."
    reason = strip_controls(outcome.reason)
    if isinstance(outcome, Unknown):
        return (
            f"Test {number} of `{name}`: outcome unknown: {reason}. The provider may have accepted it; it is not retried. Look"
            f" whether it arrives, then send another one if needed. To list tests, run: {command_line('status', name, env=environment)}"
        )
    return f"Test {number} of `{name}`: not accepted: {reason}"


def outcome_json(
    number: int,
    message: TestMessage,
    left_out: Sequence[LeftOut],
    outcome: Outcome,
    *,
    values_of: str,
    to: str,
) -> str:
    accepted = isinstance(outcome, Accepted)
    document = {
        "format_version": FORMAT_VERSION,
        "test": number,
        "notification": message.notification,
        "channel": message.channel.value,
        "edition": message.edition,
        "locale": message.locale,
        "as": values_of,
        "to": to,
        "left_out": [{"what": each.what, "reason": each.reason} for each in left_out],
        "outcome": "accepted" if accepted else "uncertain" if isinstance(outcome, Unknown) else "rejected",
        "reason": None if isinstance(outcome, Accepted) else outcome.reason,
        "provider_id": outcome.provider_id if isinstance(outcome, Accepted) else None,
    }
    return json.dumps(document, indent=2, ensure_ascii=False)
