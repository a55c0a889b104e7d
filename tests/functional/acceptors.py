"""A project in a repository with several authors, and people who accept its series."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from textwrap import dedent
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from msgspec.structs import replace

from notifyctl.app.acceptance.second_person import Verdict, check_acceptance
from notifyctl.app.workspace import open_workspace
from notifyctl.model.accept_statement import AcceptStatement
from notifyctl.model.acceptance import Acceptance
from notifyctl.model.project import ChannelName
from notifyctl.ssh_signature import sign
from notifyctl.testing.fakes import ManualClock

NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
ADA, BOB, EVE = "ada@acme.example", "bob@acme.example", "eve@acme.example"
PROJECT = """\
apiVersion: notifyctl/v1
kind: Project
name: acme
vars: {brand: Acme}
"""
SERIES = """\
apiVersion: notifyctl/v1
kind: Notification
name: reminder
template: reminder
audience: members
schedule: mondays
---
apiVersion: notifyctl/v1
kind: Audience
name: members
source: {file: members.csv}
columns: {msisdn: phone}
---
apiVersion: notifyctl/v1
kind: Schedule
name: mondays
cron: "0 9 * * MON"
"""
TEMPLATE = """\
apiVersion: notifyctl/v1
kind: Template
name: reminder
channel: sms
content: {type: text, text: "{% include 'words.txt' %}"}
"""
STATEMENT = AcceptStatement(
    fingerprint="s1:" + "a" * 64,
    notification="reminder",
    edition=1,
    channel=ChannelName.SMS,
    environment="sandbox",
    ledger="lineage",
    until=datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC),
    max_recipients=2000,
)


class Key:
    """A key pair of a person."""

    def __init__(self) -> None:
        self.private = Ed25519PrivateKey.generate()

    @cached_property
    def line(self) -> str:
        return self.private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()

    @cached_property
    def pem(self) -> bytes:
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())

    def sign(self, statement: AcceptStatement = STATEMENT) -> bytes:
        return sign(self.pem, statement.text.encode())


class Repository:
    """A project whose files are committed by whom a test says, and the acceptances of its ledger."""

    def __init__(self, root: Path, *, new: bool = True) -> None:
        self.root = root
        self.acceptances: list[Acceptance] = []
        root.mkdir(parents=True, exist_ok=True)
        if new:
            self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str, by: str = ADA, **variables: str) -> str:
        """`by` is the author and the committer."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        for role in ("AUTHOR", "COMMITTER"):
            environ |= {f"GIT_{role}_NAME": by.partition("@")[0], f"GIT_{role}_EMAIL": by}
        environ |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", **variables}
        return subprocess.check_output(
            ["git", "-C", str(self.root), *arguments], env=environ, text=True, stderr=subprocess.STDOUT
        ).strip()

    def write(self, **files: str) -> None:
        """`__` in a name stands for `/`, `_txt` and the like for a suffix."""
        for name, text in files.items():
            path = self.root / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def commit(self, by: str = ADA, message: str = "change", **files: str) -> str:
        self.write(**files)
        self.git("add", "-A", by=by)
        self.git("commit", "-q", "--allow-empty", "-m", message, by=by)
        return self.git("rev-parse", "HEAD")

    def rule(self, policy: str, by: str = ADA) -> str:
        """Commit `policy.accept`, as indented text; an empty one removes it."""
        accept = "policy:\n  accept:\n" + "".join(
            f"    {line}\n" for line in dedent(policy).strip().splitlines()
        )
        return self.commit(by, "rule", notifyctl_yaml=PROJECT + (accept if policy else ""))

    def check(
        self,
        *,
        email: str | None = None,
        recipients: int | None = None,
        statement: AcceptStatement = STATEMENT,
        signature: bytes | None = None,
        base: str | None = None,
        **environ: str,
    ) -> Verdict:
        """`email`: git's, as `GIT_AUTHOR_EMAIL`."""
        variables = {"PATH": os.environ["PATH"], "HOME": str(self.root), **environ}
        if email is not None:
            variables["GIT_AUTHOR_EMAIL"] = email
        workspace = open_workspace(self.root, environ=variables, clock=ManualClock(NOW))
        return check_acceptance(
            workspace,
            workspace.environment(None),
            statement if recipients is None else replace(statement, max_recipients=recipients),
            acceptances=self.acceptances,
            signature=signature,
            base=base,
        )

    def accept(self, *, fingerprint: str = "s1:" + "0" * 64, **given: Any) -> Verdict:
        """Check, and record it as accepted; as another text than STATEMENT's unless a test names the same fingerprint."""
        found = self.check(statement=replace(STATEMENT, fingerprint=fingerprint), **given)
        self.record(found, fingerprint=fingerprint, recipients=given.get("recipients") or 2000)
        return found

    def record(self, verdict: Verdict, *, fingerprint: str, recipients: int) -> None:
        project = open_workspace(self.root, environ={}, clock=ManualClock(NOW)).sound
        self.acceptances.append(
            Acceptance(
                fingerprint,
                "reminder",
                edition=1,
                channel=ChannelName.SMS,
                until=STATEMENT.until,
                max_recipients=recipients,
                who=verdict.identity,
                rule=project.policy.accept,
                revision=verdict.revision,
                at=NOW,
            )
        )
