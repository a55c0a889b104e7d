"""The sandbox as a server of its own, reached as the real API is; its inbox; shell completion beside it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from typing import Any

import pytest

PROJECT = """\
apiVersion: notifyctl/v1
kind: Project
name: acme
environments:
  local:
    provider: webexconnect
    endpoint: {url}
    auth: {{serviceKeyEnv: LOCAL_KEY}}
    senders: {{sms: CNNECT}}
"""
HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: Hello $(name)}}
audience: {recipients: [{msisdn: "+447700900123", substitutions: {name: Ada}}]}
"""


def test_a_sandbox_that_stays_up_is_reached_like_the_real_api(
    cli: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_KEY", "made-up-key")
    cli.write(notifyctl=PROJECT.format(url="http://127.0.0.1:1/v2/messages"), hello=HELLO)
    options = ["--port", "0", "--service-key", "made-up-key"]
    server = subprocess.Popen(
        [sys.executable, "-m", "notifyctl", "-C", str(cli.root), "sandbox", "serve", *options],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stderr is not None
        url = re.search(r"http://127\.0\.0\.1:\d+/v2/messages", server.stderr.readline())
        assert url is not None
        cli.write(notifyctl=PROJECT.format(url=url[0]))
        assert cli("ledger", "init", "-e", "local").code == 0
        digest = cli.plan("-e", "local")["digest"]
        assert cli("apply", "-e", "local", "--expect", digest).code == 0
    finally:
        server.send_signal(signal.SIGINT)
        _, said = server.communicate(timeout=20)
    assert server.returncode == 0
    assert "201 sms to 1" in said
    assert "Traceback" not in said
    (entry,) = cli("sandbox", "inbox", "--reveal", "--format", "json").lines
    assert (entry["to"], entry["content"]["text"]) == ("+447700900123", "Hello Ada")


def test_the_inbox_can_be_searched_and_emptied(cli: Any) -> None:
    cli.write(notifyctl="apiVersion: notifyctl/v1\nkind: Project\nname: acme\n", hello=HELLO)
    assert "empty" in cli("sandbox", "inbox").err
    assert cli("apply").code == 0
    masked = cli("sandbox", "inbox").out
    assert "Hello Ada" in masked
    assert "+447700900123" not in masked
    assert "+447700900123" in cli("sandbox", "inbox", "--reveal").out
    assert "Hello Ada" in cli("sandbox", "inbox", "--to", "+44 7700 900123").out
    assert cli("sandbox", "inbox", "--to", "+447700900124").out == ""
    assert cli("sandbox", "inbox", "--channel", "email").out == ""
    assert cli("sandbox", "inbox", "--clear").code == 0
    assert cli("sandbox", "inbox").out == ""
    assert cli("apply").out == "Nothing to send: already sent to 1 recipient.\n"


def test_a_port_that_is_taken_is_told(cli: Any, foreign: Any) -> None:
    cli.write(notifyctl="apiVersion: notifyctl/v1\nkind: Project\nname: acme\n")
    port = foreign.url.split(":")[2].partition("/")[0]
    result = cli("sandbox", "serve", "--port", port)
    assert result.code == 1
    assert port in result.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_for_the_shell(cli: Any, shell: str) -> None:
    result = cli("completion", shell)
    assert result.code == 0
    assert "_NOTIFYCTL_COMPLETE" in result.out
