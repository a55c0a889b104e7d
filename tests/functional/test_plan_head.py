"""The head of a long plan is a table that fits a terminal; a Markdown plan of a project with errors lists them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from notifyctl.cli.wrap import columns, wrap_text
from notifyctl.model.project import ChannelName
from notifyctl.plan.actions import Action
from notifyctl.plan.model import Cost, PlannedNotification, Upcoming
from notifyctl.views.colours import Paint
from notifyctl.views.plan_table import table_lines
from tests.functional.conftest import Cli, Result

ROOT = Path(__file__).parents[2]
PROJECT = """\
apiVersion: notifyctl/v1
kind: Project
name: acme
environments: {sandbox: {provider: sandbox, pricing: prices.csv}}
"""
PRICES = "prefix,channel,price,currency\n+44,sms,0.04,EUR\n"
NOW = datetime(2026, 12, 1, tzinfo=UTC)
HELD = ("blocked", "uncertain", "changed", "rejected", "attention")
LONG = "a-notification-with-a-name-of-all-that-the-limit-of-letters-has"


def notification(name: str, *, more: str = "", rows: tuple[str, ...] = ("+447700900123",)) -> str:
    people = ", ".join(f'{{msisdn: "{row}"}}' for row in rows)
    return (
        f"apiVersion: notifyctl/v1\nkind: Notification\nname: {name}\n{more}"
        f"template: {{channel: sms, content: {{type: text, text: Hello from {name[-1]}}}}}\n"
        f"audience: {{recipients: [{people}]}}\n"
    )


SCHEDULES = """\
apiVersion: notifyctl/v1
kind: Schedule
name: once
at: "2026-12-07T09:00"
timezone: Europe/Paris
---
apiVersion: notifyctl/v1
kind: Schedule
name: weekly
cron: "0 9 * * mon"
timezone: Europe/Paris
---
apiVersion: notifyctl/v1
kind: Schedule
name: night
at: "2026-12-09T03:00"
timezone: America/New_York
"""


def table(text: str) -> list[str]:
    """The lines of the table, its head first."""
    lines = text.splitlines()
    start = next((at for at, line in enumerate(lines) if line.startswith("notification ")), len(lines))
    return lines[start : lines.index("", start)] if start < len(lines) else []


def numbers(lines: list[str]) -> list[dict[str, str]]:
    """Each row by heading."""
    headings = re.split(r" {2,}", lines[0])
    return [dict(zip(headings, re.split(r" {2,}", line), strict=True)) for line in lines[1:]]


def test_a_short_plan_has_no_table_and_a_longer_one_has_a_row_for_each_notification(cli: Cli) -> None:
    cli.write(
        notifyctl=PROJECT,
        schedules=SCHEDULES,
        **{"prices.csv": PRICES},
        **{f"n{at}": notification(f"n{at}") for at in range(5)},
    )
    assert table(cli("plan").out) == []
    cli.write(
        z1=notification("z1", more="schedule: once\n"),
        z2=notification("z2", rows=("+447700900123", "+447700900124")),
        z3=notification("z3", more="schedule: weekly\n"),
    )
    result = cli("plan", "--as-of", "2026-12-01T12:00:00Z")
    assert result.code == 0, result.err
    rows = {row["notification"]: row for row in numbers(table(result.out))}
    assert list(rows) == ["n0", "n1", "n2", "n3", "n4", "z1", "z2", "z3"]
    assert (rows["n0"]["send"], rows["n0"]["deferred"], rows["n0"]["when (UTC)"]) == ("1", "0", "now")
    assert (rows["z1"]["send"], rows["z1"]["deferred"], rows["z1"]["when (UTC)"]) == ("0", "1", "7 Dec 08:00")
    assert (rows["z2"]["send"], rows["z2"]["channel"]) == ("2", "sms")
    assert (rows["z2"]["segments"], rows["z2"]["cost"]) == ("2", "0.08 EUR")
    assert (rows["z3"]["send"], rows["z3"]["when (UTC)"]) == ("0", "7 Dec 08:00")
    # The details follow as in a short plan.
    assert result.out.index("notification ") < result.out.index("n0  sms · edition 1")
    assert "Hello from 4" in result.out


def test_lines_of_the_table_fit_whatever_is_in_it(cli: Cli) -> None:
    cli.write(
        notifyctl=PROJECT,
        schedules=SCHEDULES,
        **{"prices.csv": PRICES},
        **{
            f"n{at}": notification(
                f"{LONG[:-2]}-{at}",
                more=("", "schedule: weekly\n", "schedule: night\n")[at % 3],
                rows=("+447700900123", "+447700900123", "+447700900124", "12"),
            )
            for at in range(9)
        },
    )
    for arguments in (("plan",), ("plan", "--as-of", "2026-12-07T10:00:00Z")):
        result = cli(*arguments)
        assert result.code == 0, result.err
        lines = table(result.out)
        assert len(lines) == 10
        assert all(columns(line) <= 78 for line in lines)
        assert wrap_text("\n".join(lines), 80) == "\n".join(lines)
        names = [line.split()[0] for line in lines[1:]]
        assert len(set(names)) == 9, "their ends tell them apart"
        assert all("…" in name for name in names)


@pytest.mark.parametrize(("count", "costs"), [(7, 1), (70_000, 1), (1_000_000, 1), (1_000_000, 5)])
@pytest.mark.parametrize("name", [LONG, "short"])
def test_the_more_there_is_the_more_is_put_together(name: str, count: int, costs: int) -> None:
    def planned(at: int) -> PlannedNotification:
        return PlannedNotification(
            name=f"{name}-{at}",
            channel=ChannelName.EMAIL,
            edition=1,
            occurrence="once",
            category="notice",
            sender="",
            template="",
            audience="",
            opaque=False,
            rows=count,
            rejected_rows=count,
            actions=dict.fromkeys(Action, count),
            reasons={},
            segments=count,
            texts=0,
            due=None,
            deferred_until=None,
            expires=None,
            cost=None,
            samples=(),
            costs=tuple(Cost("123456.78", f"EU{each}", 1) for each in range(costs)),
        )

    entries: list[tuple[PlannedNotification | None, Upcoming | None]] = [
        (planned(at), None) for at in range(6)
    ]
    assert list(table_lines(entries[:5], NOW, Paint(on=False))) == []
    # Occurrences of one notification share a row.
    _, *lines = table_lines([*entries, entries[-1]], NOW, Paint(on=False))
    assert len(lines) == 7
    assert all(columns(line) <= 78 for line in lines)
    first, last = numbers(lines)[0], numbers(lines)[-1]
    assert first["send"] == f"{4 * count:,}"
    assert last["send"] == f"{8 * count:,}"
    attention = sum(int(first[each].replace(",", "")) for each in HELD if each in first)
    assert attention == 4 * count


def apart(cli: Cli, *arguments: str) -> Result:
    """In a process of its own, which --untrusted confines."""
    ended = subprocess.run(
        [sys.executable, "-m", "notifyctl", *arguments],
        cwd=cli.root,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return Result(ended.returncode, ended.stdout, ended.stderr)


@pytest.mark.parametrize("arguments", [(), ("--offline",), ("--untrusted",)])
def test_errors_are_a_document_in_markdown(cli: Cli, arguments: tuple[str, ...]) -> None:
    cli.write(
        notifyctl=PROJECT,
        **{"prices.csv": PRICES},
        broken=notification("broken").replace("audience:", "audiense:"),
        other=notification("other").replace(
            "type: text,", 'type: "<img src=x> @someone [a](http://x.example)",'
        ),
    )
    result = apart(cli, "plan", "--format", "markdown", *arguments)
    assert result.code == 1
    assert result.out.splitlines()[0] == "## ❌ `acme` · `sandbox`: no plan can be made"
    assert re.search(r"^- \*\*error\*\* `broken\.yaml:5:1` `[a-z-]+` .*audiense", result.out, re.MULTILINE)
    assert re.search(r"^  - → .*audience", result.out, re.MULTILINE)
    assert "`other.yaml:" in result.out
    assert not re.search(r"<img|(?<!&#64;)@someone|\[a\]\(", result.out)
    assert "Error: the project has errors" in result.err


def test_a_folder_without_a_project_is_a_document_too_and_text_and_json_stay_as_they_are(cli: Cli) -> None:
    result = cli("plan", "--format", "markdown")
    assert result.code == 1
    assert result.out.startswith("## ❌ No plan can be made\n\nThere is no notifyctl")
    cli.write(notifyctl=PROJECT, broken=notification("broken").replace("audience:", "audiense:"))
    for form in ("text", "json"):
        result = cli("plan", "--format", form)
        assert (result.code, result.out) == (1, "")
        assert "broken.yaml:5:1" in result.err


def test_more_errors_than_fit_a_comment_are_counted(cli: Cli) -> None:
    wrong = "".join(f"key{at}{'x' * 200}: 1\n" for at in range(400))
    cli.write(notifyctl=PROJECT, broken=notification("broken") + wrong)
    result = cli("plan", "--format", "markdown")
    assert len(result.out.encode()) <= 60_000
    shown = result.out.count("- **error**")
    more = re.search(r"^- … and (\d+) more; to list them, run: `notifyctl .*lint`$", result.out, re.MULTILINE)
    assert more is not None
    assert shown + int(more[1]) == result.err.count(": error [")
