"""Nothing is sent that nobody confirmed, and nothing other than what was confirmed."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from notifyctl.app.apply import apply
from notifyctl.app.workspace import open_workspace
from notifyctl.apply.run import Stop
from notifyctl.errors import PlanRefusedError
from notifyctl.plan.model import Plan
from notifyctl.testing import ManualClock

HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: Hello $(name)}}
audience: {recipients: [{msisdn: "+447700900123", substitutions: {name: Ada}}]}
"""


@pytest.fixture
def hello(production: Any) -> Any:
    production.write(hello=HELLO)
    return production


def test_without_a_terminal_and_without_a_digest_nothing_is_sent(hello: Any, foreign: Any) -> None:
    result = hello("apply")
    assert result.code == 64
    assert "--expect" in result.err
    assert foreign.requests == []


def test_a_wrong_digest_ends_with_4_and_sends_nothing(hello: Any, foreign: Any) -> None:
    result = hello("apply", "--expect", "sha256:" + "0" * 64)
    assert result.code == 4
    assert hello.plan()["digest"] in result.err
    assert foreign.requests == []


def test_a_digest_of_another_text_ends_with_4(hello: Any, foreign: Any) -> None:
    digest = hello.plan()["digest"]
    hello.write(hello=HELLO.replace("Hello", "Goodbye"))
    assert hello("apply", "--expect", digest).code == 4
    assert foreign.requests == []


def test_a_nonsense_digest_fails_closed_even_when_there_is_nothing_to_send(hello: Any, foreign: Any) -> None:
    assert hello.apply().code == 0
    assert hello("apply", "--expect", "nonsense").code == 4
    assert len(foreign.requests) == 1


def test_nothing_to_send_needs_no_confirmation(hello: Any) -> None:
    assert hello.apply().code == 0
    assert hello("apply").code == 0


def test_what_becomes_due_while_nobody_looks_is_not_sent_unconfirmed(hello: Any, foreign: Any) -> None:
    """Nothing was due when it was looked at, so nothing was confirmed."""
    soon = datetime.now(UTC) + timedelta(hours=1)
    hello.write(
        hello=HELLO + "schedule: later\n",
        later=f"apiVersion: notifyctl/v1\nkind: Schedule\nname: later\nat: '{soon.isoformat()}'\n",
    )
    assert hello.plan()["summary"]["deferred"] == 1
    result = hello("apply", "--format", "json")
    assert (result.code, result.json["requests"], foreign.requests) == (0, 0, [])


def test_the_digest_is_the_same_at_another_time_and_after_a_reformat(hello: Any) -> None:
    digest = hello.plan("--as-of", "2026-11-23T08:00:00Z")["digest"]
    hello.write(hello="# a comment\n" + HELLO.replace("name: hello", 'name: "hello"'))
    assert hello.plan("--as-of", "2026-11-24T18:00:00Z")["digest"] == digest


def test_a_missing_ledger_is_an_error_that_names_the_way_out(hello: Any, foreign: Any) -> None:
    digest = hello.plan()["digest"]
    (hello.root / ".notifyctl" / "production.db").unlink()
    hello.forget_marks()
    for arguments in (("plan",), ("apply", "--expect", digest)):
        result = hello(*arguments)
        assert result.code == 1
        assert "ledger init" in result.err
    assert foreign.requests == []


def test_a_lost_ledger_is_not_a_missing_one(hello: Any, foreign: Any) -> None:
    digest = hello.plan()["digest"]
    (hello.root / ".notifyctl" / "production.db").unlink()
    for arguments in (("plan",), ("apply", "--expect", digest), ("status",), ("apply", "--dry-run")):
        result = hello(*arguments)
        assert result.code == 1
        assert "is missing" in result.err
        assert "ledger adopt" in result.err
        assert "ledger init" not in result.err
    assert foreign.requests == []


def test_plan_offline_needs_no_ledger_and_cannot_be_applied(hello: Any) -> None:
    (hello.root / ".notifyctl" / "production.db").unlink()
    plan = hello.plan("--offline")
    assert (plan["complete"], plan["applyable"], plan["summary"]["send"]) == (False, False, 1)


def in_a_terminal(cli: Any, answer: str, *arguments: str) -> tuple[int, str]:
    """Run the real command with a pseudo-terminal as standard input and error, and type an answer."""
    main, side = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "notifyctl", "-C", str(cli.root), *arguments],
        stdin=side,
        stdout=subprocess.PIPE,
        stderr=side,
        env={**os.environ, "TERM": "dumb"},
    )
    os.close(side)
    os.write(main, answer.encode() + b"\n")
    out, _ = process.communicate(timeout=60)
    seen = b""
    while True:
        try:
            chunk = os.read(main, 65536)
        except OSError:
            break
        if not chunk:
            break
        seen += chunk
    os.close(main)
    return process.returncode, out.decode() + seen.decode()


def test_in_a_terminal_the_number_of_recipients_is_typed_back(hello: Any, foreign: Any) -> None:
    code, seen = in_a_terminal(hello, "2", "apply")
    assert (code, foreign.requests) == (4, []), seen
    code, seen = in_a_terminal(hello, "1", "apply")
    assert (code, len(foreign.requests)) == (0, 1), seen


def test_the_sandbox_asks_nothing_and_makes_its_own_ledger(cli: Any) -> None:
    cli.write(notifyctl="apiVersion: notifyctl/v1\nkind: Project\nname: acme\n", hello=HELLO)
    digest = cli.plan()["digest"]
    assert cli("apply", "--expect", digest).code == 0
    assert cli("apply").code == 0
    assert cli.plan()["summary"]["unchanged"] == 1


def test_the_number_that_was_confirmed_holds_when_more_becomes_due_meanwhile(
    hello: Any, foreign: Any
) -> None:
    """The digest covers what is not due yet, so that only the number can tell."""
    hello.write(
        later=HELLO.replace("name: hello", "name: later") + "schedule: soon\n",
        soon="apiVersion: notifyctl/v1\nkind: Schedule\nname: soon\nat: '2026-12-01T09:30:00Z'\n",
    )
    clock = ManualClock(datetime(2026, 12, 1, 9, 15, tzinfo=UTC))
    workspace = open_workspace(hello.root, clock=clock)
    shown: list[int] = []

    def confirm(plan: Plan) -> bool:
        shown.append(plan.sends)
        clock.advance(20 * 60)
        return True

    with suppress(PlanRefusedError):
        apply(
            workspace,
            workspace.environment(None),
            confirm=confirm,
            on_plan=lambda _: None,
            on_event=lambda _: None,
            stop=Stop(),
        )
    assert shown == [1]
    assert len(foreign.addresses) <= 1
