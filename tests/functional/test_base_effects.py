"""Dangerous changes are named, with ⚠ and above the fold, and nothing that changes is passed over."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

PROJECT = """\
apiVersion: notifyctl/v1
kind: Project
name: acme
suppressions: [opt-out.csv]
environments:
  sandbox: {provider: sandbox}
"""
BILLS = """\
apiVersion: notifyctl/v1
kind: Notification
name: bills
template:
  channel: email
  category: marketing
  content: {type: text, subject: Your bill, text: "Hello $(name), your bill is ready."}
  locales: {fr: {content: {text: "Bonjour $(name)."}}}
audience: {source: {file: people.csv}}
schedule: mornings
joiners: hold
onUnknown: hold
"""
SCHEDULE = """\
apiVersion: notifyctl/v1
kind: Schedule
name: mornings
cron: "0 9 * * MON"
window: {from: "08:00", to: "20:00"}
"""
PEOPLE = "email,name,locale\nada@acme.example,Ada,en\nbob@acme.example,Bob,en\n"


class Base:
    def __init__(self, cli: Any) -> None:
        self.cli = cli
        cli.write(notifyctl=PROJECT, bills=BILLS, mornings=SCHEDULE)
        cli.write(**{"people.csv": PEOPLE, "opt-out.csv": "eve@acme.example\n"})
        self.git("init", "-q", "-b", "main")
        self.commit()

    def git(self, *arguments: str) -> None:
        named = ["-c", "user.name=ada", "-c", "user.email=ada@acme.example", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", str(self.cli.root), *named, *arguments], check=True)

    def commit(self) -> None:
        self.git("add", "-A", "-f")
        self.git("commit", "-q", "-m", "x")

    def plan(self, form: str) -> Any:
        given = ("--offline", "--base", "main", "--as-of", "2026-11-28T12:00:00Z", "--format", form)
        result = self.cli("plan", *given)
        assert result.code == 0, result.err
        return result

    def review(self) -> Any:
        return self.plan("json").json["review"]


@pytest.fixture
def base(cli: Any) -> Base:
    return Base(cli)


DANGEROUS = {
    "bcc": (BILLS + "bcc: [x@evil.example]\n", "copies changed", "none → `x@evil.example`"),
    "schedule.window": (None, "safety loosened", "every day 08:00 to 20:00` → none"),
    "schedule.cron": (BILLS.replace("schedule: mornings\n", ""), "safety loosened", "`1h` → none"),
    "onUnknown": (
        BILLS.replace("onUnknown: hold", "onUnknown: resend"),
        "safety loosened",
        "`hold` → `resend`",
    ),
    "template.category": (
        BILLS.replace("category: marketing", "category: transactional"),
        "safety loosened",
        "`marketing` → `transactional`",
    ),
    "joiners": (BILLS.replace("joiners: hold", "joiners: send"), "safety loosened", "`hold` → `send`"),
    "notifyUrl": (
        BILLS + "notifyUrl: https://evil.example/r\n",
        "route changed",
        "none → `https://evil.example/r`",
    ),
}


@pytest.mark.parametrize("key", DANGEROUS)
def test_a_dangerous_change_stands_above_the_fold(base: Base, key: str) -> None:
    bills, effect, shown = DANGEROUS[key]
    if bills is None:
        base.cli.write(mornings=SCHEDULE.replace('window: {from: "08:00", to: "20:00"}\n', ""))
    else:
        base.cli.write(bills=bills)
    text = base.plan("markdown").out
    head = text.partition("<details>")[0]
    warned = [line for line in head.splitlines() if line.startswith("- ⚠")]
    assert any(effect in line and shown in line and "`bills`" in line for line in warned), head
    assert "## ✅" not in text
    assert "cosmetic" not in text
    plain = base.plan("text").out
    above = plain[plain.index("Compared with") :].partition("\nbills")[0]
    assert f"⚠ {effect}" in above or f"⚠ rescheduled, {effect}" in above
    [change] = base.review()["changes"]
    assert change["category"] == "cosmetic", "the word of format 1.0 stays"
    assert effect.replace(" ", "-") in change["effects"]


def test_who_is_compared_does_not_depend_on_what_is_due(base: Base) -> None:
    """On a Saturday the reminder of Mondays is not due, and all its recipients are compared."""
    base.cli.write(**{"people.csv": PEOPLE + "cid@acme.example,Cid,fr\n"})
    [change] = base.review()["changes"]
    assert (change["joined"], change["left"], change["before"]["recipients"]) == (1, 0, 2)


def test_values_of_a_row_are_text_and_counted(base: Base) -> None:
    base.cli.write(**{"people.csv": PEOPLE.replace("Bob,en", "Bob,fr").replace("Ada,", "Eva,")})
    [change] = base.review()["changes"]
    assert (change["effects"], change["revalued"], change["texts"]) == (["text-changed"], 2, [])
    assert "2 with other values or another locale" in base.plan("text").out


def test_values_are_told_apart_from_another_message(base: Base) -> None:
    """The hash of a delivery covers copies too; whose own values differ shows all the same."""
    base.cli.write(bills=BILLS + "bcc: [archive@acme.example]\n")
    [change] = base.review()["changes"]
    assert (change["effects"], change["revalued"]) == (["copies-changed"], 0)
    base.cli.write(**{"people.csv": PEOPLE.replace("Ada,", "Eva,")})
    [change] = base.review()["changes"]
    assert (change["effects"], change["revalued"]) == (["text-changed", "copies-changed"], 1)


def test_a_variant_that_is_unchanged_is_not_listed(base: Base) -> None:
    base.cli.write(bills=BILLS.replace("Bonjour", "Salut"))
    [change] = base.review()["changes"]
    assert {each["locale"] for each in change["texts"]} == {"fr"}


def test_opt_outs_are_counted_and_no_address_is_shown(base: Base) -> None:
    base.cli.write(**{"opt-out.csv": "ada@acme.example\ncid@acme.example\n"})
    found = base.review()
    [setting] = [each for each in found["settings"] if each["what"].startswith("suppressions")]
    assert setting["what"] == "suppressions opt-out.csv"
    assert (setting["before"], setting["after"]) == ("1 entry", "2 entries (2 added, 1 removed)")
    assert setting["effects"] == ["safety-loosened", "safety-tightened"]
    [change] = found["changes"]
    assert change["effects"] == ["recipients-changed", "safety-loosened", "safety-tightened"]
    for form in ("text", "markdown", "json"):
        assert "eve@acme.example" not in base.plan(form).out


def test_a_deleted_list_is_a_loosened_safeguard(base: Base) -> None:
    (base.cli.root / "opt-out.csv").unlink()
    base.cli.write(notifyctl=PROJECT.replace("suppressions: [opt-out.csv]\n", ""))
    found = base.review()
    assert found["effects"] == ["safety-loosened"]
    assert [(each["what"], each["before"], each["after"]) for each in found["settings"]] == [
        ("suppressions opt-out.csv", "1 entry", None)
    ]
    assert (
        "- ⚠️ **safety loosened**: `suppressions opt-out.csv`: `1 entry` → none" in base.plan("markdown").out
    )


def test_an_entry_that_moves_to_another_list_loosens_nothing(base: Base) -> None:
    base.cli.write(**{"opt-out.csv": "# none\n", "more.csv": "eve@acme.example\n"})
    base.cli.write(notifyctl=PROJECT.replace("[opt-out.csv]", "[opt-out.csv, more.csv]"))
    assert base.review()["effects"] == ["no-effect-on-recipients"]


def test_settings_of_the_project_are_listed_once(base: Base) -> None:
    for number in range(40):
        base.cli.write(**{f"n{number}": BILLS.replace("name: bills", f"name: n{number}")})
    base.commit()
    base.cli.write(notifyctl=PROJECT + "policy: {maxRejectedPercent: 50}\n")
    text = base.plan("markdown").out
    assert text.count("maxRejectedPercent") == 1
    assert "41 notifications changed by settings of the project or environment alone" in text
    assert "<details>" not in text
    assert base.plan("text").out.count("maxRejectedPercent") == 1
    assert all(each["effects"] == ["safety-loosened"] for each in base.review()["changes"])


def test_another_environment_is_shown_too(base: Base) -> None:
    remote = "  production: {provider: webexconnect, endpoint: 'https://api.example/v2', auth: {serviceKeyEnv: KEY}}\n"
    base.cli.write(notifyctl=PROJECT + remote)
    base.commit()
    base.cli.write(
        notifyctl=PROJECT + remote.replace("endpoint", "proxy: 'http://evil.example:80', endpoint")
    )
    found = base.review()
    assert found["changes"] == []
    [setting] = found["settings"]
    assert (setting["what"], setting["effects"], setting["warning"]) == (
        "environments.production.proxy",
        ["route-changed"],
        True,
    )


def test_a_large_audience_and_a_pattern_are_read_whole(base: Base) -> None:
    """A file above what is read at once, and one that a pattern names, were equal to any other."""
    rows = "".join(f"p{n}@acme.example,{'x' * 300},en\n" for n in range(34_000))
    base.cli.write(**{"people.csv": PEOPLE + rows})
    base.commit()
    assert base.review()["changes"] == []
    base.cli.write(**{"people.csv": PEOPLE.replace("Ada", "Eva") + rows})
    [change] = base.review()["changes"]
    assert (change["effects"], change["revalued"]) == (["text-changed"], 1)


def test_recipients_that_the_base_does_not_have_are_not_called_added(base: Base) -> None:
    base.git("rm", "-q", "--cached", "people.csv")
    base.git("commit", "-q", "-m", "data is elsewhere")
    [change] = base.review()["changes"]
    assert change["effects"] == ["text-changed", "recipients-changed"]
    assert (change["joined"], change["unknown"]) == (0, "the recipients of one version are not known here")
    assert "recipients: not known here" in base.plan("text").out
