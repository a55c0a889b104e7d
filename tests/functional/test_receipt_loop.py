"""The loop closes offline: the sandbox takes messages and posts receipts, the hook records them, status counts them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from typing import Any

import pytest

PROJECT = "apiVersion: notifyctl/v1\nkind: Project\nname: acme\n"
HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
notifyUrl: {url}
template: {{channel: sms, content: {{type: text, text: Hello $(name)}}}}
audience: {{source: {{file: people.csv}}}}
"""


@pytest.mark.parametrize("signed", [False, True])
def test_what_the_sandbox_posts_reaches_the_ledger(cli: Any, signed: bool) -> None:  # noqa: FBT001
    cli.write(notifyctl=PROJECT, hello=HELLO.format(url="http://127.0.0.1:9/receipts"))
    rows = [f"+4477009000{n:02},P" for n in range(40)]
    cli.write(**{"people.csv": "\n".join(["msisdn,name", *rows]) + "\n"})
    assert cli("ledger", "init").code == 0
    command = [sys.executable, "-m", "notifyctl", "-C", str(cli.root), "receipts", "serve", "--port", "0"]
    environ = {**os.environ, "PATH_SECRET": "a path secret of ours"}
    command += ["--secret-env", "PATH_SECRET"] if signed else ["--insecure"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environ) as server:
        try:
            assert server.stderr is not None
            where = re.search(r"http://127\.0\.0\.1:\d+", server.stderr.readline())
            assert where is not None
            path = "/receipts/a%20path%20secret%20of%20ours" if signed else "/receipts"
            cli.write(hello=HELLO.format(url=where[0] + path))
            assert cli("apply").code == 0
            until = time.monotonic() + 20
            row: dict[str, Any] = {}
            while time.monotonic() < until and row.get("receipts") != {"delivered": 40}:
                row = cli("status", "--format", "json").json["notifications"][0]
            assert row["receipts"] == {"delivered": 40}
            assert cli("ledger", "show", "--format", "json").json["receipts"] == 80
        finally:
            server.terminate()
            server.communicate(timeout=20)
    assert cli("ledger", "verify").code == 0
