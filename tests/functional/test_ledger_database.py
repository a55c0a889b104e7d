"""A ledger in PostgreSQL on the command line: copied from SQLite, adopted on another server, upgraded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from notifyctl.app.ledger import ledger_store, postgres_store, sqlite_store
from notifyctl.app.workspace import open_workspace
from notifyctl.errors import LedgerError
from notifyctl.exit_codes import ExitCode
from notifyctl.ledger.postgresql.copying import copy_facts
from notifyctl.ledger.reader import identify_ledger
from notifyctl.ledger.sqlite.moving import hand_over
from notifyctl.model.batch import Rejected
from tests.ledgers import AT, SCOPE, fill
from tests.postgres import drop_database, fresh_database

HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: Hello}}
audience: {source: {file: people.csv}}
joiners: send
"""
PEOPLE = "msisdn\n+447700900001\n+447700900002\n"


@pytest.fixture
def url(postgres_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    made = fresh_database(postgres_server)
    monkeypatch.setenv("LEDGER_URL", made)
    yield made
    drop_database(made, postgres_server)


@pytest.fixture
def small(production: Any) -> Any:
    """The project with two recipients and an empty ledger in SQLite."""
    production.write(hello=HELLO, **{"people.csv": PEOPLE})
    return production


def use_database(project: Any) -> None:
    settings = (project.root / "notifyctl.yaml").read_text(encoding="utf-8")
    project.write(notifyctl=settings + "    ledger: {urlEnv: LEDGER_URL}\n")


def file_of(project: Any) -> Path:
    return Path(project.root / ".notifyctl" / "production.db")


def records(project: Any) -> set[str]:
    """Every record as it is exported, with all times written one way, and without what only PostgreSQL keeps."""
    lines = set()
    for line in project("ledger", "export").out.splitlines():
        row = json.loads(line)
        row.pop({"attempt": "worker", "meta": "name"}.get(row["fact"], ""), None)
        lines.add(json.dumps({name: plain_time(value) for name, value in row.items()}, sort_keys=True))
    return lines


def plain_time(value: object) -> object:
    try:
        return (
            datetime.fromisoformat(str(value)).timestamp()
            if isinstance(value, str) and "T" in value
            else value
        )
    except ValueError:
        return value


def test_a_ledger_is_copied_whole_and_the_file_is_not_used_any_more(
    small: Any, foreign: Any, url: str
) -> None:
    assert small.apply().code == 0
    workspace = open_workspace(small.root)
    store = sqlite_store(workspace, workspace.environment("production"))
    fill(store)
    with suppress(KeyboardInterrupt), store.writer("crashed") as writer:
        ended, open_ = writer.plan_batches(SCOPE, [bytes(28), bytes(27) + b"\1"], at=AT)
        writer.arm(ended, 1, seal=b"seal", at=AT)
        writer.settle(ended, 1, Rejected("bad request", 400), at=AT)
        writer.arm(open_, 1, seal=b"seal", at=AT)
        raise KeyboardInterrupt
    before, lineage = records(small), small("ledger", "show", "--format", "json").json["lineage"]
    use_database(small)

    copied = small("ledger", "copy")
    assert copied.code == 0, copied.err
    assert "and verified them.\nLedger ID: " + lineage in copied.out
    after = records(small)
    assert before <= after
    added = [json.loads(line)["fact"] for line in after - before]
    # Of the run that copied, and what it found open.
    assert sorted(added) == ["actor", "outcome", "run", "run_end"]
    assert small("ledger", "verify").code == 0
    assert small("plan").out.count("already sent") == 1
    assert small("status").code == ExitCode.UNCERTAIN

    # Nobody is sent anything again, and new recipients are.
    assert small("ledger", "adopt", "--yes", "--account").code == 0  # `fill` used another one
    sent = len(foreign.addresses)
    small.write(**{"people.csv": PEOPLE + "+447700900003\n"})
    assert small.apply().code == ExitCode.UNCERTAIN
    assert foreign.addresses[sent:] == ["+447700900003"]

    # The claims are those that ARM would have made.
    with psycopg.connect(url) as connection:
        claimed = connection.execute(
            "SELECT encode(recipient, 'hex'), batch FROM claim WHERE scope = (SELECT scope FROM batch WHERE number = %s)",
            (open_,),
        ).fetchall()
    assert {bytes(16).hex(): open_}.items() <= dict(claimed).items()

    # The file is refused, by this environment and by one that still names it.
    again = small("ledger", "copy")
    assert again.code == ExitCode.ERROR
    assert "there is a ledger already" in again.err
    settings = (small.root / "notifyctl.yaml").read_text(encoding="utf-8")
    small.write(notifyctl=settings.replace("    ledger: {urlEnv: LEDGER_URL}\n", ""))
    for command in (("plan",), ("apply", "--expect", "sha256:0"), ("status",), ("ledger", "verify")):
        refused = small(*command)
        assert refused.code == ExitCode.ERROR
        assert "was copied to PostgreSQL database" in refused.err
        assert "and is no longer used" in refused.err


def test_a_copy_that_fails_keeps_nothing(small: Any, foreign: Any, url: str) -> None:
    small.apply()
    assert "is a file, not a database" in small("ledger", "copy").err
    use_database(small)
    assert "does not exist" in small("ledger", "copy", "--from", "no-such.db").err
    with psycopg.connect(url, autocommit=True) as connection:
        # A trigger that is not ours changes what is written.
        connection.execute("CREATE SCHEMA spoil")
        assert small("ledger", "upgrade").code == 0  # makes the tables, and no ledger in them
        connection.execute(
            "CREATE FUNCTION spoil.it() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN NEW.provider_id := 'other'; RETURN NEW; END $$"
        )
        connection.execute(
            "CREATE TRIGGER spoil BEFORE INSERT ON outcome FOR EACH ROW EXECUTE FUNCTION spoil.it()"
        )
        refused = small("ledger", "copy", "--from", str(file_of(small)))
        assert refused.code == ExitCode.ERROR
        assert "the copy of the table outcome differs from the ledger" in refused.err
        assert connection.execute("SELECT count(*) FROM meta").fetchone() == (0,)
        assert "has no ledger" in small("plan").err
        connection.execute("DROP TRIGGER spoil ON outcome")
    shown = small("ledger", "copy", "--format", "json")
    assert shown.code == 0, shown.err
    assert shown.json["source"] == str(file_of(small))
    assert small("plan").code == 0


def test_a_copy_that_a_crash_cut_off_is_made_again_in_the_same_database_only(
    small: Any, foreign: Any, url: str, postgres_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is marked before the database commits: in between, nothing could send."""
    small.apply()
    use_database(small)
    workspace = open_workspace(small.root)
    environment = workspace.environment("production")
    source, target = sqlite_store(workspace, environment), postgres_store(workspace, environment)

    def crash() -> None:
        with target.filling() as database:
            clock = workspace.clock
            with hand_over(
                source, file_of(small), database.name, holder="a", actor="a", clock=clock
            ) as facts:
                identity = identify_ledger(facts, None)
                copy_facts(facts, database, identity=identity, name="acme/production", at=AT)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crash()
    assert "has no ledger" in small("plan").err
    with pytest.raises(LedgerError, match="is no longer used"):
        source.reader()
    other = fresh_database(postgres_server)
    monkeypatch.setenv("LEDGER_URL", other)
    assert "was copied to PostgreSQL database" in small("ledger", "copy").err
    monkeypatch.setenv("LEDGER_URL", url)
    assert small("ledger", "copy").code == 0
    assert small("ledger", "verify").code == 0
    assert small.apply().code == 0
    assert len(foreign.addresses) == 2
    drop_database(other, postgres_server)


def test_a_saved_plan_stays_valid_in_the_copy(small: Any, foreign: Any, url: str, tmp_path: Path) -> None:
    saved = str(tmp_path / "hello.plan")
    assert small("plan", "--out", saved).code == 0
    digest = small("plan", "--format", "json").json["digest"]
    use_database(small)
    assert small("ledger", "copy").code == 0
    applied = small("apply", saved, "--expect", digest)
    assert applied.code == 0, applied.err
    assert len(foreign.addresses) == 2
    assert "the plan was already used" in small("apply", saved, "--expect", digest).err
    assert len(foreign.addresses) == 2


def test_another_server_is_adopted_on_request(small: Any, foreign: Any, url: str) -> None:
    use_database(small)
    assert small("ledger", "init").code == 0
    assert "No run has written to this ledger yet." in small("ledger", "adopt", "--yes").out
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO server (system_identifier, timeline, database, epoch, at)"
            " SELECT system_identifier, timeline + 1, database, epoch, at FROM server"
        )
    for command in (("plan",), ("apply", "--expect", "sha256:0")):
        refused = small(*command)
        assert refused.code == ExitCode.ERROR
        assert "was promoted or restored from a backup (timeline 2 → 1)" in refused.err
        assert "ledger adopt" in refused.err
    assert foreign.requests == []
    adopted = small("ledger", "adopt", "--yes")
    assert adopted.code == 0
    assert "timeline 2 (here: 1)" in adopted.out
    assert small.apply().code == 0


def test_a_schema_is_upgraded_on_request_only(small: Any, url: str) -> None:
    use_database(small)
    assert small("ledger", "init").code == 0
    workspace = open_workspace(small.root)
    assert ledger_store(workspace, workspace.environment("production")).exists()
    upgraded = small("ledger", "upgrade")
    assert upgraded.code == 0
    assert upgraded.out.startswith("The ledger has schema ")
    assert small("ledger", "upgrade", "--format", "json").json["steps"] == []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO migration (number, name, tool, writes_since) VALUES (999, 'later', '99', 999)"
        )
    for command in (("plan",), ("ledger", "show")):
        refused = small(*command)
        assert refused.code == ExitCode.ERROR
        assert "was upgraded to schema 999, with which this version of notifyctl" in refused.err
