"""What b559261, the version before the rules of identity were sharpened, sent counts as sent. Its ledgers, one of its plan files
and the project it was run on are kept in tests/fixtures/b559261, as it wrote them.
"""

from __future__ import annotations

import shutil
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
