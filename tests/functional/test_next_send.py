"""After an apply one line says what is due next, and what really sends it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from notifyctl.app.runner.lock import hold_runner_lock
from notifyctl.clock import SystemClock
from notifyctl.model.project import ChannelName
from notifyctl.plan.next_send import find_next
from notifyctl.views.next_send import next_line
from tests.functional.moments import Project, utc

DAILY = """\
apiVersion: notifyctl/v1
kind: Schedule
name: daily
cron: "{minute} {hour} * * *"
timezone: Europe/London
grace: 1m
---
apiVersion: notifyctl/v1
kind: Notification
name: reminder
schedule: daily
template: {{channel: sms, content: {{type: text, text: Hello}}}}
audience: {{recipients: [{{msisdn: "+447700900123"}}]}}
"""
FAR = 'cron: "0 9 1 1 *"\ntimezone: Europe/Berlin'


@pytest.fixture
def yearly(cli: Any) -> Any:
    cli.write(notifyctl="apiVersion: notifyctl/v1\nkind: Project\nname: acme\n")
    documents = DAILY.format(minute=0, hour=9).replace("0 9 * * *", "0 9 1 1 *")
    cli.write(n=documents.replace("Europe/London", "UTC"))
    return cli


def test_what_sends_it_is_named_only_if_it_does(yearly: Any) -> None:
    """Accepted or not, and with and without a `run` that is active."""
    said = yearly("apply").out
    assert "Next: reminder, " in said
    assert " 1 Jan" in said
    assert "; not accepted: to accept it, run: notifyctl -C " in said
    document = yearly("plan", "--format", "json").json["next"]
    assert (document["notification"], document["sent_by"], document["run_active"]) == (
        "reminder",
        None,
        False,
    )
    assert f"accept {document['series']} --until DATE" in said

    accepted = yearly("accept", document["series"], "--until", "2090-12-31", "--max-recipients", "5")
    assert accepted.code == 0, accepted.err
    said = yearly("apply").out
    assert "; accepted until 2090-12-31" in said or "; accepted until 2091-01-01" in said
    assert "but `notifyctl run` is not active on this machine: to start it, run: notifyctl -C " in said
    with hold_runner_lock(yearly.root, "sandbox", SystemClock()):
        applied = yearly("apply", "--format", "json").json["next"]
        assert (applied["sent_by"], applied["run_active"]) == ("run", True)
        assert applied["at"] == applied["due"]
        assert "; `notifyctl run` sends it: accepted until 209" in yearly("plan").out
    assert yearly("plan", "--format", "json").json["next"]["sent_by"] is None


@pytest.mark.parametrize(
    ("schedule", "line"),
    [
        (
            "at: 2026-12-07T09:00\ntimezone: Europe/London",
            "Next: hello, Mon 7 Dec 09:00 Europe/London (09:00 UTC), in 6 days; to send it then, run:",
        ),
        (
            'window: {days: [mon], from: "10:00"}',
            "Next: hello, Mon 7 Dec 10:00 UTC, in 6 days; to send it then, run:",
        ),
        (
            'cron: "0 9 * * mon"',
            "Next: hello, Mon 7 Dec 09:00 UTC, in 6 days; not accepted: to accept it, run:",
        ),
        (
            'cron: "0 9 * * mon"\nhandOff: provider',
            "Next: hello, Mon 7 Dec 09:00 UTC, in 6 days (handed to the provider from 2026-12-06 00:00 UTC); not",
        ),
        ("expireAfter: 1h", None),
        ('cron: "0 9 * * mon"\nuntil: "2026-11-30"', None),
    ],
)
def test_the_first_that_goes_after_what_is_sent_now(tmp_path: Path, schedule: str, line: str | None) -> None:
    plan = Project(tmp_path, schedule, ["UTC"]).plan(utc(2026, 12, 1, 8))
    found = find_next(plan, running=False)
    if line is None:
        assert found is None
        return
    assert found is not None
    assert found.channel is ChannelName.SMS
    assert next_line(found, plan.as_of, plan.timezone, env=plan.environment).startswith(line)
