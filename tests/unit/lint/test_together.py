"""A second process changes nothing but the time that a lint takes."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from notifyctl.app.lint import check_files, lint
from notifyctl.app.workspace import open_workspace
from notifyctl.beside import ENOUGH, Companion, pays
from notifyctl.lint.idle import answer

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="a second process is made by fork")

PROJECT = "apiVersion: notifyctl/v1\nkind: Project\nname: many\nvars: {brand: Acme}\n"
HEAD = "apiVersion: notifyctl/v1\nkind: Template\nname: t{number}\nchannel: sms\n"
BODIES = (
    'content: {type: text, text: "Hello $(name) of {{ brand }}"}\n',
    'content: {type: text, text: "See http://shop.example and ${name}"}\n',
    'content: {type: text, text: "{{ nothing }}"}\n',
    "content: {type: text, txet: hello}\n",
    "content: {type: text, text: hello\n",
    'variables: {unread: {example: a}}\ncontent: {type: unicode, text: "žluťoučký"}\n',
    "content: {type: text, text: yes}\noptions: {shortenLinks: 'true'}\n---\nkind: Odd\n",
    "category: marketing\ncontent: {type: text, text: hi}\nlocales: {de: {content: {text: $(x)}}}\n",
)
NOTIFICATION = """\
apiVersion: notifyctl/v1
kind: Notification
name: n
template: t0
audience: {recipients: [{to: "+447700900123", substitutions: {name: Ada}}]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "notifyctl.yaml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "n.yaml").write_text(NOTIFICATION, encoding="utf-8")
    for number in range(ENOUGH + len(BODIES)):
        text = HEAD.format(number=number % (ENOUGH + 3)) + BODIES[number % len(BODIES)]
        (tmp_path / f"t{number}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def test_two_processes_find_what_one_finds(folder: Path) -> None:
    alone = open_workspace(folder, environ={})
    found = lint(alone, None)
    assert len({each.rule for each in found}) > 5
    with Companion(answer) as companion:
        both = open_workspace(folder, environ={}, companion=companion)
        assert companion.share
        assert both.diagnostics == alone.diagnostics
        assert both.project == alone.project
        assert lint(both, None, companion=companion) == found
        assert companion.share
    assert check_files(folder, None)[1] == found


def test_what_a_second_process_leaves_undone_is_done(folder: Path) -> None:
    found = lint(open_workspace(folder, environ={}), None)
    with Companion(lambda *_: str(1 / 0).encode()) as companion:
        both = open_workspace(folder, environ={}, companion=companion)
        assert companion.share
        assert lint(both, None, companion=companion) == found
        assert not companion.share


def test_answers_of_a_second_process() -> None:
    with Companion(lambda held, question: held + question) as companion:
        companion.start(["a"], lambda: (b"done" * 100_000, b"held "))
        assert companion.share == {"a"}
        assert companion.answer() == b"done" * 100_000
        for question in (b"", b"x" * 1_000_000):
            companion.ask(question)
            assert companion.answer() == b"held " + question
    assert not companion.share


def test_a_second_process_that_fails_has_no_answer() -> None:
    with Companion(lambda *_: b"") as companion:
        companion.start(["a"], lambda: (b"", 1 / 0))
        assert companion.answer() is None
        assert not companion.share
        companion.ask(b"anything?")
        assert companion.answer() is None


def test_a_second_process_may_be_gone_before_it_is_asked(tmp_path: Path) -> None:
    told = tmp_path / "pid"

    def work() -> tuple[bytes, None]:
        told.write_text(str(os.getpid()), encoding="utf-8")
        return b"", None

    with Companion(lambda *_: b"") as companion:
        companion.start(["a"], work)
        assert companion.answer() == b""
        os.kill(int(told.read_text(encoding="utf-8")), signal.SIGKILL)
        companion.ask(b"x" * 1_000_000)
        assert companion.answer() is None


def test_a_second_process_that_nobody_waits_for_is_ended(tmp_path: Path) -> None:
    told = tmp_path / "pid"

    def forever() -> tuple[bytes, None]:
        told.write_text(str(os.getpid()), encoding="utf-8")
        while True:
            pass

    def begun_and_left() -> None:
        with Companion(lambda *_: b"") as companion:
            companion.start(["a"], forever)
            while not (told.exists() and told.read_text(encoding="utf-8")):
                time.sleep(0.01)
            raise KeyError

    with pytest.raises(KeyError):
        begun_and_left()
    with pytest.raises(ProcessLookupError):
        os.kill(int(told.read_text(encoding="utf-8")), 0)


def test_few_files_are_not_shared() -> None:
    assert not pays(ENOUGH - 1)
