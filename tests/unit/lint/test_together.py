"""A second process changes nothing but the time that a lint takes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from notifyctl.app.checking import lint
from notifyctl.app.workspace import open_workspace
from notifyctl.beside import ENOUGH, beside, pays

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
    both = open_workspace(folder, environ={}, together=True)
    assert both.diagnostics == alone.diagnostics
    assert both.project == alone.project
    found = lint(alone, None)
    assert len({each.rule for each in found}) > 5
    assert lint(both, None, together=True) == found


def test_the_answer_of_a_second_process() -> None:
    with beside(lambda: b"done" * 100_000) as answer:
        assert answer() == b"done" * 100_000


def test_a_second_process_that_fails_has_no_answer() -> None:
    with beside(lambda: str(1 / 0).encode()) as answer:
        assert answer() is None


def test_a_second_process_that_nobody_waits_for_is_ended(tmp_path: Path) -> None:
    told = tmp_path / "pid"

    def forever() -> bytes:
        told.write_text(str(os.getpid()), encoding="utf-8")
        while True:
            pass

    def begun_and_left() -> None:
        with beside(forever):
            while not (told.exists() and told.read_text(encoding="utf-8")):
                time.sleep(0.01)
            raise KeyError

    with pytest.raises(KeyError):
        begun_and_left()
    with pytest.raises(ProcessLookupError):
        os.kill(int(told.read_text(encoding="utf-8")), 0)


def test_few_files_are_not_shared() -> None:
    assert not pays(ENOUGH - 1)
