"""A ledger that is not the right one sends nothing: lost, restored, copied, damaged, of another version, full; and the way out."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from notifyctl.ledger.journal import journal_path
from notifyctl.ledger.sqlite.high_water import HighWaterMarks
from notifyctl.ledger.sqlite.schema import SCHEMA_VERSION

HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
joiners: send
template: {channel: sms, content: {type: text, text: Hello $(name)}}
audience: {source: {file: people.csv}}
"""
ROWS = ["+447700900001,Ada", "+447700900002,Grace", "+447700900003,Linus"]
V1 = Path(__file__).parents[1] / "unit" / "ledger" / "version_1.sql"


def people(cli: Any, rows: list[str]) -> None:
    cli.write(**{"people.csv": "\n".join(["msisdn,name", *rows]) + "\n"})


@pytest.fixture
def served(production: Any) -> Any:
    """Three people have it."""
    production.write(hello=HELLO)
    people(production, ROWS)
    assert production.apply().code == 0
    return production


@pytest.fixture
def ledger(served: Any) -> Path:
    return Path(served.root) / ".notifyctl" / "production.db"


def refused(cli: Any, foreign: Any, said: str) -> None:
    """Neither planned nor applied, and the way out is named."""
    before = len(foreign.requests)
    for arguments in (("plan",), ("apply", "--expect", "sha256:" + "0" * 64)):
        result = cli(*arguments)
        assert result.code == 1, result.err
        assert said in result.err
        assert "Hint:" in result.err
    assert len(foreign.requests) == before


def test_a_ledger_put_back_from_a_backup_is_refused_until_adopted(
    served: Any, ledger: Path, foreign: Any, tmp_path: Path
) -> None:
    shutil.copy(ledger, tmp_path / "backup.db")
    people(served, [*ROWS, "+447700900004,Mary"])
    assert served.apply().code == 0
    shutil.copy(tmp_path / "backup.db", ledger)
    refused(served, foreign, "restored from a backup")
    assert served("ledger", "adopt").code == 64, "nobody is asked"
    adopted = served("ledger", "adopt", "--yes")
    assert adopted.code == 0
    assert "Last written" in adopted.out
    assert served.plan()["summary"]["send-new"] == 1, "the one whom the backup does not know"


def test_a_copy_is_refused_until_adopted(served: Any, foreign: Any, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    shutil.copytree(served.root, other)
    here, served.root = served.root, other
    refused(served, foreign, "is a copy")
    assert served("ledger", "adopt", "--yes").code == 0
    assert served.plan()["summary"]["unchanged"] == 3
    served.root = here
    people(served, [*ROWS, "+447700900004,Mary"])
    refused(served, foreign, "is a copy")


def test_a_ledger_that_moved_with_its_folder_is_taken(served: Any, tmp_path: Path) -> None:
    served.root = served.root.rename(tmp_path / "moved")
    assert served.plan()["summary"]["unchanged"] == 3


def test_another_ledger_in_its_place_is_refused(served: Any, ledger: Path, foreign: Any) -> None:
    mark = next((Path(os.environ["XDG_STATE_HOME"]) / "notifyctl" / "ledgers").glob("*.json"))
    said = json.loads(mark.read_text())
    mark.write_text(json.dumps({**said, "lineage": "another"}))
    refused(served, foreign, "but this machine last wrote")
    assert served("ledger", "adopt", "--yes").code == 0
    assert served.plan()["summary"]["unchanged"] == 3


def test_a_lost_ledger_is_put_back_and_adopted(
    served: Any, ledger: Path, foreign: Any, tmp_path: Path
) -> None:
    shutil.move(ledger, tmp_path / "found.db")
    refused(served, foreign, "is missing")
    assert served("ledger", "init").code == 1
    assert not ledger.exists()
    assert served("ledger", "init", "--replace-lost").code == 64, "nobody is asked"
    assert served("ledger", "init", "--replace-lost", "acme/staging").code == 4
    assert not ledger.exists()
    assert served("ledger", "init", "--replace-lost", "acme/production").code == 0
    shutil.move(tmp_path / "found.db", ledger)
    refused(served, foreign, "but this machine last wrote")
    assert served("ledger", "adopt", "--yes").code == 0
    assert served.plan()["summary"]["unchanged"] == 3


def test_a_sandbox_asks_for_none_of_this(cli: Any) -> None:
    cli.write(notifyctl="apiVersion: notifyctl/v1\nkind: Project\nname: acme\n", hello=HELLO)
    people(cli, ROWS)
    assert cli("apply").code == 0
    shutil.rmtree(cli.root / ".notifyctl")
    assert cli("apply").code == 0


# Verify and export


def test_verify_finds_nothing_in_a_sound_ledger(served: Any) -> None:
    result = served("ledger", "verify")
    assert result.code == 0
    assert "OK: " in result.out
    assert "3 recipients" in result.out


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (("DROP TRIGGER batch_update",), "not guarded"),
        (("DROP TRIGGER batch_update", "UPDATE batch SET members = x'00'"), "damaged list of recipients"),
        (
            (
                "INSERT INTO batch SELECT 99, scope, epoch, at, members FROM batch WHERE number = 1",
                "INSERT INTO attempt VALUES (99, 1, 1, '2026-12-01T09:00:00+00:00', x'00')",
                (
                    "INSERT INTO outcome (batch, attempt, kind, epoch, at)"
                    " VALUES (99, 1, 'accepted', 1, '2026-12-01T09:00:00+00:00')"
                ),
            ),
            "accepted in batches",
        ),
        (("INSERT INTO attempt VALUES (1, 7, 1, '2026-12-01T09:00:00+00:00', x'00')",), "2 attempts"),
    ],
)
def test_verify_finds_damage(served: Any, ledger: Path, damage: tuple[str, ...], said: str) -> None:
    with closing(sqlite3.connect(ledger, isolation_level=None)) as connection:
        for statement in damage:
            connection.execute(statement)
    result = served("ledger", "verify")
    assert result.code == 1
    assert said in result.out


def test_a_broken_page_is_called_damage(served: Any, ledger: Path, foreign: Any) -> None:
    data = bytearray(ledger.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    ledger.write_bytes(data)
    refused(served, foreign, "damaged")


def test_export_tells_every_fact_and_no_address(served: Any) -> None:
    result = served("ledger", "export")
    facts = result.lines
    assert {"meta", "run", "batch", "attempt", "outcome"} <= {fact["fact"] for fact in facts}
    assert len(facts) == served("ledger", "show", "--format", "json").json["serial"]
    assert "7700900001" not in result.out
    assert facts[0]["recipient_key"] == "<kept in the ledger>"
    assert served("ledger", "export").out == result.out


# Versions


def test_a_ledger_of_the_first_version_is_read_and_upgraded_by_the_next_apply(
    served: Any, ledger: Path, foreign: Any
) -> None:
    """Its rows are carried over by hand into tables as the first release made them."""
    old = ledger.with_name("old.db")
    with closing(sqlite3.connect(old, isolation_level=None)) as connection:
        connection.executescript(V1.read_text())
        connection.execute("ATTACH ? AS new", (str(ledger),))
        for table in ("meta", "run", "run_end", "scope", "opening", "batch", "attempt", "outcome"):
            connection.execute(f"INSERT INTO main.{table} SELECT * FROM new.{table}")
        connection.execute("PRAGMA journal_mode = WAL")
    old.replace(ledger)
    with closing(sqlite3.connect(ledger)) as connection:
        [(lineage,)] = connection.execute("SELECT lineage FROM meta")
    served.forget_marks()
    HighWaterMarks(Path(os.environ["XDG_STATE_HOME"]) / "notifyctl" / "ledgers").set(ledger, lineage, 8)
    before = ledger.read_bytes()
    assert served.plan()["summary"]["unchanged"] == 3
    assert served("status", "--format", "json").json["notifications"][0]["outcomes"]["accepted"] == 3
    assert served("receipts", "ingest", "/dev/null").code == 1, "it has no place for receipts yet"
    assert ledger.read_bytes() == before
    people(served, [*ROWS, "+447700900004,Mary"])
    assert served.apply().code == 0
    assert served("ledger", "show", "--format", "json").json["schema_version"] == SCHEMA_VERSION
    assert served("ledger", "verify").code == 0
    assert foreign.addresses == [row.partition(",")[0] for row in ROWS] + ["+447700900004"]


# Locks


def test_a_live_holder_is_named_and_fenced_out_only_by_force(served: Any, foreign: Any) -> None:
    assert "not locked" in served("ledger", "unlock").out
    foreign.delay = 1.5
    people(served, [*ROWS, "+447700900004,Mary"])
    digest = served.plan()["digest"]
    command = [sys.executable, "-m", "notifyctl", "-C", str(served.root), "apply", "--expect", digest]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        until = time.monotonic() + 20
        while len(foreign.requests) < 2 and time.monotonic() < until:
            time.sleep(0.02)
        held = served("ledger", "unlock")
        assert held.code == 5
        assert f"pid {process.pid}" in held.out
        forced = served("ledger", "unlock", "--force")
        assert forced.code == 0
        output = process.communicate(timeout=30)[0]
    assert process.returncode == 5, output
    assert "another run took over" in output
    assert journal_path(served.root / ".notifyctl" / "production.db").exists()
    assert served.plan()["summary"]["uncertain"] == 1
    foreign.delay = 0
    assert served.apply().code == 0
    assert served.plan()["summary"]["unchanged"] == 4, "the answer that came too late was kept, and read in"
    assert len(foreign.requests) == 2


def test_the_lock_of_a_dead_holder_is_free_at_once(served: Any, foreign: Any) -> None:
    foreign.delay = 5
    people(served, [*ROWS, "+447700900004,Mary"])
    command = [
        sys.executable,
        "-m",
        "notifyctl",
        "-C",
        str(served.root),
        "apply",
        "--expect",
        served.plan()["digest"],
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        until = time.monotonic() + 20
        while len(foreign.requests) < 2 and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert "not locked" in served("ledger", "unlock").out
    assert served.apply().code == 7
    assert len(foreign.requests) == 2


# A disk that is full


def limited(cli: Any, digest: str, most: int) -> subprocess.CompletedProcess[str]:
    """An apply that can make no file longer than `most` bytes, as on a disk that fills up."""
    script = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}));"
        "from notifyctl.cli.main import run; sys.exit(run(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", script, "-C", str(cli.root), "apply", "--expect", digest]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_full_disk_before_arm_sends_nothing(served: Any, ledger: Path, foreign: Any) -> None:
    people(served, [*ROWS, "+447700900004,Mary"])
    digest = served.plan()["digest"]
    done = limited(served, digest, 4096)
    assert done.returncode == 1, done.stderr
    assert len(foreign.requests) == 1
    assert "Error:" in done.stderr
    assert served("ledger", "verify").code == 0
    assert served.apply().code == 0
    assert len(foreign.requests) == 2


INIT_ON_FULL_DISKS = """
import json, resource, shutil, signal, sys
from pathlib import Path
from notifyctl.cli.main import run

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
folder = Path(sys.argv[1]) / ".notifyctl"
found = []
for most in range(0, 200_000, 4096):
    shutil.rmtree(folder)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, -1))
    code = run(["ledger", "init", "-C", sys.argv[1]])
    resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
    left = sorted(file.name for file in folder.iterdir())
    sound = code == 0 and run(["ledger", "verify", "-C", sys.argv[1]]) == 0
    found.append([int(code), left, sound])
    shutil.rmtree(Path(sys.argv[2]), ignore_errors=True)
print(json.dumps(found))
"""


def test_a_ledger_is_made_whole_or_not_at_all_on_a_full_disk(production: Any, tmp_path: Path) -> None:
    """At every size from nothing to more than enough; what is left of a ledger that was not made is its lock."""
    command = [sys.executable, "-c", INIT_ON_FULL_DISKS, str(production.root), str(tmp_path / "state")]
    environ = {**os.environ, "NOTIFYCTL_STATE_DIR": str(tmp_path / "state")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environ)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    lock = "production.db.lock"
    assert {(code, *left, sound) for code, left, sound in found} == {
        (1, lock, False),
        (0, "production.db", lock, True),
    }


# Damage of any kind


def damages(sound: bytes, chance: random.Random) -> Iterator[bytes]:
    """Single and many changed bytes, changed letters within records, a cut, and zeroed runs."""
    for count in (1, 3, 20, 400, 3000):
        data = bytearray(sound)
        for _ in range(count):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        yield bytes(data)
    data = bytearray(sound)
    for found in chance.sample(list(re.finditer(rb"[ -~]{4,}", sound)), 12):
        data[chance.randrange(*found.span())] = chance.randrange(256)
    yield bytes(data)
    yield sound[: chance.randrange(len(sound))]
    start = chance.randrange(len(sound))
    yield sound[:start] + bytes(min(64, len(sound) - start)) + sound[start + 64 :]


LOOKS = (
    ("plan",),
    ("apply", "--expect", "sha256:" + "0" * 64),
    ("apply", "--dry-run"),
    ("status",),
    ("history",),
    ("explain", "hello", "--recipient", "+447700900001"),
    ("resolve",),
    ("ledger", "show"),
    ("ledger", "verify"),
    ("ledger", "export"),
)


@pytest.mark.parametrize("seed", range(4))
def test_no_damage_is_a_defect_or_sends(served: Any, ledger: Path, foreign: Any, seed: int) -> None:
    served("withdraw", "hello", "--reason", "it is called off")
    sound, sent = ledger.read_bytes(), len(foreign.requests)
    for number, damaged in enumerate(damages(sound, random.Random(seed))):
        for look in LOOKS:
            for file in ledger.parent.glob("production.db*"):
                file.unlink()
            ledger.write_bytes(damaged)
            result = served(*look)
            assert result.code != 70, (number, look, result.err)
    assert len(foreign.requests) == sent
