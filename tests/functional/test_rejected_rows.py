"""Rows that nobody could read stand in every total, and too many of them stop the notification."""

from __future__ import annotations

import json
from typing import Any

import pytest

from notifyctl.exit_codes import ExitCode

PROJECT = "apiVersion: notifyctl/v1\nkind: Project\nname: case\nenvironments: {sandbox: {provider: sandbox, limits: {tps: 100000}}}\n"
NOTIFICATION = """apiVersion: notifyctl/v1
kind: Notification
name: n
template: {channel: sms, content: {type: text, text: Hello}}
audience: {source: {file: people.csv}, columns: {msisdn: phone}}
"""
PEOPLE = "phone\n" + "".join(f"+44770090{n:04}\n" for n in range(1000)) + "none\n" * 1000


def put(cli: Any, *, policy: str = "", limits: str = "", people: str = PEOPLE) -> None:
    (cli.root / "notifyctl.yaml").write_text(PROJECT + policy)
    (cli.root / "n.yaml").write_text(NOTIFICATION + limits)
    (cli.root / "people.csv").write_text(people)


def test_rejected_rows_stand_in_every_total(cli: Any) -> None:
    put(cli, policy="policy: {maxRejectedPercent: 100}\n")
    told = cli("plan")
    assert "Plan: 1,000 send · 1,000 rejected rows ⚠" in told.out
    assert "⚠ rejected rows" in told.out
    document = json.loads(cli("plan", "--format", "json").out)
    assert (document["summary"]["send"], document["rejected_rows"]) == (1000, 1000)
    assert document["notifications"][0]["audience"] == {
        "name": "n",
        "rows": 2000,
        "rejected_rows": 1000,
        "readings": {"+": 1000},
    }
    markdown = cli("plan", "--format", "markdown").out
    assert "1,000 send · 1,000 rejected rows ⚠" in markdown
    assert "✅" not in markdown
    path = str(cli.root / "p.plan")
    saved = cli("plan", "--out", path)
    assert "1,000 rejected rows ⚠" in saved.out
    assert "Plan: 1,000 send · 1,000 rejected rows ⚠" in cli("show", path).out


def test_too_many_rejected_rows_block_and_a_notification_can_only_narrow_the_share(cli: Any) -> None:
    put(cli)
    told = cli("apply")
    assert told.code == ExitCode.BLOCKED
    assert "1,000 rejected rows" in told.out + told.err
    assert "1,000 of 2,000 rows rejected, more than `maxRejectedPercent` (2%) allows" in cli("plan").out
    put(cli, limits="limits: {maxRejectedPercent: 100}\n")
    assert cli("apply").code == ExitCode.BLOCKED
    few = PEOPLE.replace("none\n" * 1000, "none\n" * 10)
    put(cli, limits="limits: {maxRejectedPercent: 0}\n", people=few)
    assert cli("apply").code == ExitCode.BLOCKED


def test_rows_that_where_leaves_out_are_not_rejected(cli: Any) -> None:
    put(cli)
    (cli.root / "n.yaml").write_text(
        NOTIFICATION.replace("columns: {", "where: \"phone <> 'none'\", columns: {")
    )
    told = cli("plan")
    assert "Plan: 1,000 send" in told.out
    assert "rejected" not in told.out


@pytest.mark.parametrize(("rows", "bad", "code"), [(50, 1, 0), (49, 2, 0), (50, 2, ExitCode.BLOCKED)])
def test_the_share_counts_from_fifty_rows_on_and_two_percent_are_allowed(
    cli: Any, rows: int, bad: int, code: int
) -> None:
    put(cli, people="\n".join(PEOPLE.splitlines()[: rows - bad + 1]) + "\n" + "none\n" * bad)
    assert cli("apply").code == code
