"""The worked example: accepted by a validator that is not ours, sent once on three channels, and honest about a change."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "notifications"
SCHEMAS = ROOT / "schemas"
YAML = sorted(EXAMPLE.rglob("*.yaml"))


@pytest.fixture
def example(cli: Any) -> Any:
    shutil.copytree(EXAMPLE, cli.root, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".notifyctl"))
    return cli


def check(schema: Path, *files: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--schemafile", str(schema), *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_third_party_validator_accepts_every_file() -> None:
    result = check(SCHEMAS / "notifyctl.json", *YAML)
    assert result.returncode == 0, result.stdout


def test_each_kind_has_a_schema_of_its_own_that_accepts_its_files() -> None:
    by_kind: dict[str, list[Path]] = {}
    for path in YAML:
        (kind,) = [line.split()[1] for line in path.read_text().splitlines() if line.startswith("kind:")]
        by_kind.setdefault(kind.lower(), []).append(path)
    for kind, files in by_kind.items():
        result = check(SCHEMAS / f"{kind}.json", *files)
        assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("file", "right", "wrong"),
    [
        ("templates/outage-sms.yaml", "category:", "categroy:"),
        ("templates/outage-rcs.yaml", "displayText: Checklist", "displaytext: Checklist"),
        ("audiences/ec1m-customers.yaml", "columns:", "colums:"),
        ("notifications/outage-sms.yaml", "priority:", "priorty:"),
        ("notifyctl.yaml", "suppressions:", "supressions:"),
    ],
)
def test_a_misspelt_key_is_rejected_by_the_schema_and_by_lint(
    example: Any, file: str, right: str, wrong: str
) -> None:
    path = example.root / file
    text = path.read_text()
    assert right in text
    path.write_text(text.replace(right, wrong, 1))
    assert check(SCHEMAS / "notifyctl.json", path).returncode == 1
    result = example("lint", "--format", "json")
    assert result.code == 1
    unknown = [d for d in result.json["diagnostics"] if d["rule"] in {"unknown-key", "key-case"}]
    assert [d["file"] for d in unknown] == [file]
    line = next(
        n for n, shown in enumerate(path.read_text().splitlines(), 1) if wrong.split(maxsplit=1)[0] in shown
    )
    assert unknown[0]["line"] == line
    assert right.split(maxsplit=1)[0].strip(":") in str(unknown[0])


def test_it_is_sent_on_three_channels_and_then_not_again(example: Any) -> None:
    assert example("lint").code == 0
    plan = example.plan()
    assert {n["channel"] for n in plan["notifications"]} == {"sms", "email", "rcs"}
    first = example("apply", "--format", "json")
    assert first.code == 0
    assert first.json["outcomes"]["accepted"] == plan["summary"]["send"] > 1000
    again = example("apply", "--format", "json")
    assert (again.code, again.json["requests"]) == (0, 0)
    assert example.plan()["summary"]["unchanged"] == plan["summary"]["send"]


def test_the_inbox_shows_what_people_read(example: Any) -> None:
    assert example("apply").code == 0
    inbox = example("sandbox", "inbox", "--reveal", "--format", "json").lines
    sms = [entry for entry in inbox if entry["channel"] == "sms"]
    assert len(sms) == len({entry["to"] for entry in sms}) > 1000
    assert not any("$(" in entry["content"]["text"] or "{{" in entry["content"]["text"] for entry in sms)
    assert sum(entry["content"]["text"].startswith("Bonjour ") for entry in sms) > 400
    mail = next(entry for entry in inbox if entry["channel"] == "email")
    assert mail["content"]["html"].startswith("<!doctype html>")
    assert "$(unsubscribe)" in mail["content"]["html"]
    assert mail["content"]["subject"].startswith("Planned outage in EC1M 4")
    assert mail["bcc"] == ["archive@acme.example"]
    cards = next(entry for entry in inbox if entry["channel"] == "rcs")
    assert len(cards["content"]["cards"]) == 3
    assert cards["options"]["smsFallback"] is True
    assert {"+447700900017", "+447700900250"}.isdisjoint(entry["to"] for entry in inbox)


def test_a_changed_word_is_told_and_what_waits_goes_on_waiting(example: Any) -> None:
    assert example("apply").code == 0
    template = example.root / "templates" / "outage-sms.yaml"
    template.write_text(template.read_text().replace("We are sorry.", "Sorry!"))
    plan = example.plan()
    sms = next(n for n in plan["notifications"] if n["name"] == "ec1m-outage-sms")
    assert sms["actions"]["changed-after-send"] > 700
    assert sms["actions"]["unchanged"] > 400, "the French text is what it was"
    waiting = next(n for n in plan["notifications"] if n["name"] == "price-change")
    assert set(waiting["actions"]) == {"deferred", "suppressed"}
    assert example("apply", "--format", "json").code == 3


def test_the_plan_shows_no_address(example: Any) -> None:
    plan = example("plan", "--format", "json")
    assert "+4477009" not in plan.out
    assert "@mail.example" not in plan.out.replace("•••@mail.example", "")
    assert json.loads(plan.out)["applyable"] is True
