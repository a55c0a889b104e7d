"""The commands of a ledger in PostgreSQL, and what they say when its database is not there."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.postgres import drop_database, fresh_database

PEOPLE = "msisdn\n+447700900001\n+447700900002\n+447700900003\n"
HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: Hello}}
audience: {source: {file: people.csv}}
"""


@pytest.fixture
def project(production: Any, postgres_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The project with a database for its ledger, which is not there yet, and three recipients."""
    url = fresh_database(postgres_server)
    monkeypatch.setenv("LEDGER_URL", url)
    settings = (production.root / "notifyctl.yaml").read_text(encoding="utf-8")
    production.write(
        notifyctl=settings + "    ledger: {urlEnv: LEDGER_URL}\n", hello=HELLO, **{"people.csv": PEOPLE}
    )
    yield production
    drop_database(url, postgres_server)


def test_all_commands_of_a_ledger_work_in_postgresql(project: Any, foreign: Any) -> None:
    missing = project("plan")
    assert missing.code == 1
    assert "environment `production` has no ledger" in missing.err
    made = project("ledger", "init")
    assert made.out.startswith("Created the ledger for `production`: PostgreSQL database test_")
    again = project("ledger", "init")
    assert (again.code, "there is a ledger already" in again.err) == (1, True)

    digest = json.loads(project("plan", "--format", "json").out)["digest"]
    assert project("apply", "--expect", digest).code == 0
    assert len(foreign.addresses) == 3
    assert "accepted                3" in project("status").out
    assert project("plan").code == 0
    assert project("apply", "--expect", digest).code == 4, "nothing is left of that plan"
    assert len(foreign.addresses) == 3

    shown = json.loads(project("ledger", "show", "--format", "json").out)
    assert (shown["recipients"]["accepted"], shown["batches"]["accepted"]) == (3, 1)
    assert project("ledger", "verify").out.startswith(
        f"OK: {shown['serial']} records, 3 recipients in 1 batch"
    )
    facts = [json.loads(line) for line in project("ledger", "export").out.splitlines()]
    assert {"meta", "run", "batch", "attempt", "outcome"} <= {fact["fact"] for fact in facts}
    assert "+4477" not in json.dumps(facts)
    assert project("ledger", "unlock").out == "The ledger is not locked.\n"
    assert project("ledger", "adopt", "--yes").out.endswith("Adopted.\n")
    assert "hello (sms, edition 1): 3 accepted in 1 request" in project("history").out


def test_the_database_of_another_project_is_refused(project: Any) -> None:
    assert project("ledger", "init").code == 0
    settings = (project.root / "notifyctl.yaml").read_text(encoding="utf-8")
    [name] = [line for line in settings.splitlines() if line.startswith("name: ")]
    project.write(notifyctl=settings.replace(name, "name: another"))
    for command in (["plan"], ["status"], ["ledger", "export"], ["ledger", "verify"]):
        refused = project(*command)
        assert refused.code == 1
        assert (
            f"this is the ledger of `{name.removeprefix('name: ')}/production`, not of `another/production`"
            in (refused.err)
        )


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (
            "postgresql://ada:secret@127.0.0.1:1/ledger",
            "the ledger cannot be reached (PostgreSQL database ledger at 127.0.0.1:1)",
        ),
        ("mysql://ada:secret@127.0.0.1/ledger", "the ledger's URL is not one of a PostgreSQL database"),
    ],
)
def test_a_database_that_cannot_be_reached_is_named_without_its_secret(
    project: Any, monkeypatch: pytest.MonkeyPatch, url: str, message: str
) -> None:
    monkeypatch.setenv("LEDGER_URL", url)
    for command in (["plan"], ["apply"], ["status"], ["ledger", "init"]):
        refused = project(*command)
        assert (refused.code, message in refused.err) == (1, True), refused.err
        assert "Hint: " in refused.err
        assert "secret" not in refused.err + refused.out


def test_without_the_library_the_extra_is_named(project: Any) -> None:
    script = (
        "import runpy, sys; sys.modules['psycopg'] = None; sys.argv[1:] = ['status'];"
        " runpy.run_module('notifyctl', run_name='__main__')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=project.root, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "pip install 'notifyctl[postgres]'" in ended.stderr
