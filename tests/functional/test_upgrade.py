"""What b559261, the version before the rules of identity were sharpened, sent counts as sent. Its ledgers, one of its plan files
and the project it was run on are kept in tests/fixtures/b559261, as it wrote them.
"""

from __future__ import annotations

import hmac
import json
import shutil
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from notifyctl.exit_codes import ExitCode

ROOT = Path(__file__).parents[2]
FORMER = ROOT / "tests" / "fixtures" / "b559261"


def put_ledger(cli: Any, source: Path) -> None:
    folder = cli.root / ".notifyctl"
    folder.mkdir(mode=0o700)
    shutil.copyfile(source, folder / "sandbox.db")


@pytest.fixture
def former(cli: Any) -> Any:
    """A project with addresses that later rules read in another way, sent to everybody by b559261."""
    shutil.copytree(
        FORMER / "former", cli.root, dirs_exist_ok=True, ignore=shutil.ignore_patterns("ledger.db")
    )
    put_ledger(cli, FORMER / "former" / "ledger.db")
    return cli


@pytest.fixture
def national(cli: Any) -> Any:
    """A project whose numbers in national form b559261 sent as if they began with a country code; joiners are sent to."""
    shutil.copytree(
        FORMER / "national", cli.root, dirs_exist_ok=True, ignore=shutil.ignore_patterns("ledger.db")
    )
    put_ledger(cli, FORMER / "national" / "ledger.db")
    return cli


def ledger_id(project: str, key: str) -> str:
    """What the ledger of a project's sandbox, whose key is known, makes of a normalised address."""
    secret = sha256(f"notifyctl sandbox ledger {project}/sandbox".encode()).digest()
    return hmac.new(secret, key.encode(), "sha256").hexdigest()[:32]


def counted(plan: Any) -> dict[str, int]:
    """Actions with at least one recipient."""
    return {action: count for action, count in plan["summary"].items() if count}


def test_every_spelling_and_text_that_was_sent_is_unchanged(former: Any) -> None:
    plan = former.plan()
    assert counted(plan) == {"unchanged": 22}, plan["notifications"]


@pytest.mark.parametrize("notification", ["numbers", "mails", "price", "file"])
def test_nobody_is_sent_to_again_even_where_joiners_are(former: Any, notification: str) -> None:
    path = former.root / f"{notification}.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "joiners: send\n", encoding="utf-8")
    plan = former.plan("--only", notification)
    assert set(counted(plan)) == {"unchanged"}, plan["notifications"]
    applied = former("apply", "--only", notification, "--format", "json")
    assert (applied.code, applied.json["requests"]) == (0, 0)


@pytest.mark.parametrize("notification", ["numbers", "mails", "price", "file"])
def test_what_was_sent_is_found_under_a_removed_name(former: Any, notification: str) -> None:
    path = former.root / f"{notification}.yaml"
    text = path.read_text(encoding="utf-8")
    assert f"name: {notification}\n" in text
    path.write_text(text.replace(f"name: {notification}\n", "name: renamed\n"), encoding="utf-8")
    [planned] = former.plan("--only", "renamed")["notifications"]
    people = sum(planned["actions"].values())
    assert planned["reasons"] == {"blocked": {f"suspected-rename of {notification}": people}}


def test_what_was_sent_is_found_after_the_ledger_is_upgraded(former: Any) -> None:
    assert former("apply", "--format", "json").json["requests"] == 0
    assert counted(former.plan()) == {"unchanged": 22}
    assert former("ledger", "verify").code == 0


def test_a_plan_file_of_before_is_refused_as_earlier(former: Any) -> None:
    for command in ("show", "apply"):
        result = former(command, str(former.root / "plan.notifyctl"))
        assert result.code in {ExitCode.ERROR, ExitCode.PLAN_REFUSED}
        assert "earlier format" in result.err
        assert "changed" not in result.err


def test_the_worked_example_is_unchanged(cli: Any) -> None:
    shutil.copytree(
        ROOT / "notifications", cli.root, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".notifyctl")
    )
    put_ledger(cli, FORMER / "example" / "ledger.db")
    summary = counted(cli.plan())
    assert summary["unchanged"] == 1347
    assert set(summary) == {"unchanged", "deferred", "suppressed"}


def test_a_region_makes_nobody_a_joiner(national: Any) -> None:
    path = national.root / "notifyctl.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "defaults: {region: GB}\n", encoding="utf-8")
    assert counted(national.plan()) == {"unchanged": 3}


@pytest.mark.parametrize(
    ("name", "channel", "before"),
    [
        ("numbers", "sms", "+4407700900104"),
        ("numbers", "sms", "+4477009001060"),
        ("mails", "email", "d\u200ban@acme.example"),
        ("mails", "email", "hal@fass.example"),
    ],
)
def test_who_opted_out_under_a_former_key_stays_so(former: Any, name: str, channel: str, before: str) -> None:
    path = former.root / "notifyctl.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("[opt-out.csv]", "[{file: hashed.csv, key: ledger}]"), encoding="utf-8")
    rows = f"hash,channel\n{ledger_id('former', before)},{channel}\n"
    (former.root / "hashed.csv").write_text(rows, encoding="utf-8")
    path = former.root / f"{name}.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "edition: 2\n", encoding="utf-8")
    summary = counted(former.plan("--only", name))
    assert summary["suppressed"] == 1
    assert "unchanged" not in summary


@pytest.mark.parametrize("address", ["+4407700900104", "+447700900104", "+447700900106"])
def test_what_somebody_got_is_explained_by_either_spelling(former: Any, address: str) -> None:
    result = former("explain", "numbers", "--recipient", address, "--format", "json")
    assert result.code == 0, result.err
    assert len(result.json["received"]) == 1


@pytest.mark.parametrize("destination", ["+4477009001060", "+4407700900104", "+447700900100"])
def test_a_receipt_for_what_was_sent_before_is_matched(former: Any, destination: str) -> None:
    with closing(sqlite3.connect(former.root / ".notifyctl" / "sandbox.db")) as connection:
        (batch,) = connection.execute(
            "SELECT number FROM batch JOIN scope ON scope.id = scope WHERE notification = 'numbers'"
        ).fetchone()
    receipt = {
        "deliveryInfoNotification": {
            "deliveryInfo": {"destination": destination, "deliveryStatus": "Delivered"},
            "callbackData": f"notifyctl:former/sandbox:{batch}:1",
        }
    }
    path = former.root / "receipts.jsonl"
    path.write_text(json.dumps(receipt) + "\n", encoding="utf-8")
    assert former("apply", "--format", "json").code == 0
    assert former("receipts", "ingest", str(path)).code == 0
    rows = former("status", "--format", "json").json["notifications"]
    (counts,) = [row["receipts"] for row in rows if row["receipts"]]
    assert counts["delivered"] == 1


def test_the_ledger_says_since_when_which_rules_hold(former: Any) -> None:
    assert former("apply", "--format", "json").code == 0
    with closing(sqlite3.connect(former.root / ".notifyctl" / "sandbox.db")) as connection:
        assert connection.execute("SELECT normaliser FROM meta").fetchone() == (1,)
        assert connection.execute("SELECT version, epoch FROM identity_rules").fetchall() == [(2, 2)]
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    assert version > 2, "b559261 reads versions up to 2 and refuses later ones"


def test_rules_of_a_later_version_are_refused(former: Any) -> None:
    assert former("apply", "--format", "json").code == 0
    path = former.root / ".notifyctl" / "sandbox.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("INSERT INTO identity_rules VALUES (3, 2, '2030-01-01T00:00:00+00:00')")
    result = former("plan")
    assert result.code == ExitCode.ERROR
    assert "version 3" in result.err
