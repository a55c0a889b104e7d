"""What a person sees at a terminal: lines fit it, no word is broken, commands can be pasted, bars wait for the confirmation."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shlex
import shutil
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from notifyctl.cli.main import run
from notifyctl.cli.wrap import ESCAPE, columns, wrap_text

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "notifications"
LONG = "a-notification-with-a-name-of-all-that-the-limit-of-letters-has"

COMMANDS = (
    ("lint",),
    ("plan",),
    ("plan", "--as-of", "2026-12-01T09:00:00Z"),
    ("apply",),
    ("apply",),
    ("status",),
    ("history",),
    ("explain",),
    ("explain", "needs-unicode"),
    ("ledger", "show"),
    ("resolve",),
    ("plan", "--only", "nope"),
    ("status", "nope"),
    ("-e", "nope", "plan"),
    ("--help",),
    ("apply", "--help"),
)


def environment() -> dict[str, str]:
    rest = {key: value for key, value in os.environ.items() if key not in {"COLUMNS", "LINES", "NO_COLOR"}}
    return {**rest, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}


def in_terminal(
    arguments: Sequence[str], folder: Path, width: int, typed: Callable[[bytes], bytes] = lambda _: b""
) -> str:
    """What a terminal of `width` columns is sent by a command. `typed`: given all so far, what a person types next."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "notifyctl", *arguments],
        cwd=folder,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment(),
        start_new_session=True,
    )
    os.close(slave)
    said = bytearray()

    def read() -> None:
        while True:
            try:
                data = os.read(master, 65536)
            except OSError:  # the other side is closed
                return
            if not data:
                return
            said.extend(data)
            if answer := typed(bytes(said)):
                os.write(master, answer)

    reader = threading.Thread(target=read)
    reader.start()
    process.wait(timeout=120)
    reader.join(timeout=60)
    os.close(master)
    return said.decode().replace("\r\n", "\n")


def plain(text: str) -> str:
    """Without colours, and without the status line of a slow plan, which is erased again."""
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "\n").splitlines()
    return "\n".join(line for line in lines if not ("\u2800" <= line[:1] <= "\u28ff"))


def in_pipe(arguments: Sequence[str], folder: Path) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "notifyctl", *arguments],
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.stdout + ended.stderr


@pytest.fixture(params=["example", "long names"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    target = tmp_path / "project"
    if request.param == "example":
        shutil.copytree(EXAMPLE, target, ignore=shutil.ignore_patterns(".notifyctl"))
        return target
    target.mkdir()
    (target / "notifyctl.yaml").write_text(
        "apiVersion: notifyctl/v1\nkind: Project\nname: acme\nenvironments: {sandbox: {provider: sandbox}}\n"
    )
    text = (
        "Dear $(name), the water will be off in your street; see https://acme.example/"
        + "x" * 70
        + " for why."
    )
    for number in range(9):
        (target / f"n{number}.yaml").write_text(
            "apiVersion: notifyctl/v1\nkind: Notification\n"
            f"name: {LONG[:-2]}-{number}\n"
            f'template: {{channel: sms, content: {{type: text, text: "{text}"}}}}\n'
            'audience: {recipients: [{msisdn: ["+447700900123"], substitutions: {name: Ada}},'
            ' {msisdn: ["+447700900124"], substitutions: {name: Grace}}]}\n'
        )
    return target


def test_at_a_terminal_lines_fit_and_no_word_is_broken(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By each command in turn: `apply` sends, so that the later ones have something to show."""
    moving = re.compile(r"[0-9:.-]+|[0-9]+")
    for arguments in COMMANDS:
        # The narrow one first: it sees what is sent. Commands in a help text are not broken, so that they need the wide one.
        widths = (80,) if arguments[-1] == "--help" else (60, 80)
        shown = {width: plain(in_terminal(arguments, folder, width)) for width in widths}
        lines = [(width, line) for width, text in shown.items() for line in text.splitlines()]
        for width, line in lines:
            words = [word for word in line.split() if word not in {"│", "→", "\\"}]
            assert columns(line) <= width or len(words) == 1, (arguments, line)
        if arguments[-1] != "--help" and arguments[0] != "apply":  # in the pipe it is the next run
            whole = {moving.sub("0", word) for word in (*unwrapped(arguments, folder, capsys).split(), "\\")}
            broken = [
                (arguments, line)
                for _, line in lines
                if not {moving.sub("0", w) for w in line.split()} <= whole
            ]
            assert broken == []


def unwrapped(arguments: Sequence[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What a command says where nobody looks at a terminal."""
    capsys.readouterr()
    run(["-C", str(folder), *arguments])
    return "".join(capsys.readouterr())


def test_a_pipe_is_not_wrapped_but_by_columns(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert max(map(len, in_pipe(["lint"], folder).splitlines())) > 80
    wrapped = subprocess.run(
        [sys.executable, "-m", "notifyctl", "plan"],
        cwd=folder,
        env={**environment(), "COLUMNS": "70"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert all(len(line) <= 70 or len(line.split()) <= 2 for line in wrapped.splitlines())


def test_a_wrapped_command_can_be_pasted() -> None:
    command = f"notifyctl -e production apply --only 'a b' --expect sha256:{'0' * 64}"
    for width in (80, 60, 40):
        wrapped = wrap_text(f"Hint: review the plan, then run: {command}", width)
        _, _, pasted = wrapped.partition("run:")
        assert shlex.split(pasted.replace("\\\n", " ")) == shlex.split(command)


def test_wrapping_keeps_words_colours_and_the_indent() -> None:
    line = "  \x1b[31mblocked           \x1b[0m 12  \x1b[2m" + "not on the allow-list, " * 9 + "\x1b[0m"
    wrapped = wrap_text(line, 80)
    assert ESCAPE.sub("", wrapped).split() == ESCAPE.sub("", line).split()
    assert ESCAPE.findall(wrapped) == ESCAPE.findall(line)
    first, *rest = ESCAPE.sub("", wrapped).splitlines()
    assert all(each.startswith(" " * first.index("not on")) for each in rest)


PRODUCTION = """\
apiVersion: notifyctl/v1
kind: Project
name: acme
environments:
  production:
    provider: webexconnect
    endpoint: http://127.0.0.1:9/v2/messages
    auth: {serviceKeyEnv: NOTIFYCTL_TEST_KEY}
    senders: {sms: CNNECT}
defaultEnvironment: production
---
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: Hello}}
audience: {recipients: [{msisdn: "+447700900123"}, {msisdn: "+447700900124"}]}
"""


def test_no_bar_is_drawn_before_the_confirmation_or_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFYCTL_TEST_KEY", "made-up-key-of-a-test")
    (tmp_path / "notifyctl.yaml").write_text(PRODUCTION)
    assert "Created the ledger" in in_pipe(["ledger", "init"], tmp_path)
    sent: list[bytes] = []

    def decline(said: bytes) -> bytes:
        if b"to continue:" in b" ".join(said.split()) and not sent:
            sent.append(b"no\n")
            return sent[0]
        return b""

    shown = plain(in_terminal(["-e", "production", "apply"], tmp_path, 80, decline))
    assert "This sends to 2 recipients in `production` and cannot be undone." in " ".join(shown.split())
    assert "not confirmed; nothing was sent" in shown
    assert "Sending" not in shown
    assert "━" not in shown
    hint = in_pipe(["-e", "production", "-C", str(tmp_path), "apply"], tmp_path)
    assert f"run: notifyctl -C {tmp_path} -e production apply --expect sha256:" in hint
