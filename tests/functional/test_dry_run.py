"""The dry run prints the very requests that apply then posts, and leaves no trace."""

from __future__ import annotations

from typing import Any

import pytest

HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: hello
audience: people
priority: 3
"""
TEMPLATE = """\
apiVersion: notifyctl/v1
kind: Template
name: hello
channel: sms
content: {type: text, text: Hello $(name)}
locales: {fr: {content: {text: Bonjour $(name)}}}
"""
AUDIENCE = """\
apiVersion: notifyctl/v1
kind: Audience
name: people
source: {file: people.csv}
"""
PEOPLE = "msisdn,name,locale\n" + "".join(
    f"+4477009001{n:02d},P{n % 4},{'fr' if n % 3 else 'en'}\n" for n in range(60)
)


@pytest.fixture
def hello(production: Any) -> Any:
    production.write(hello=HELLO, template=TEMPLATE, audience=AUDIENCE)
    production.write(**{"people.csv": PEOPLE})
    project = (production.root / "notifyctl.yaml").read_text()
    production.write(notifyctl=project.replace("tps: 100000", "tps: 100000, destinationsPerRequest: 25"))
    return production


def bodies(result: Any) -> list[Any]:
    return sorted((line["body"] for line in result.lines), key=str)


def posted(foreign: Any) -> list[Any]:
    return sorted((request.body for request in foreign.requests), key=str)


def test_the_bodies_are_those_that_apply_posts(hello: Any, foreign: Any) -> None:
    before = hello.files()
    dry = hello("apply", "--dry-run", "--reveal", "--format", "json")
    assert dry.code == 0, dry.err
    assert hello.files() == before
    assert foreign.requests == []
    assert hello.apply().code == 0
    assert bodies(dry) == posted(foreign)
    assert {line["url"] for line in dry.lines} == {foreign.url}
    assert sum(line["recipients"] for line in dry.lines) == 60
    assert {line["notification"] for line in dry.lines} == {"hello"}
    assert {line["method"] for line in dry.lines} == {"POST"}


def test_without_a_ledger_it_shows_the_first_apply_to_the_letter(hello: Any, foreign: Any) -> None:
    (hello.root / ".notifyctl" / "production.db").unlink()
    for leftover in (hello.root / ".notifyctl").iterdir():
        leftover.unlink()
    (hello.root / ".notifyctl").rmdir()
    hello.forget_marks()
    before = hello.files()
    dry = hello("apply", "--dry-run", "--reveal", "--format", "json")
    assert hello.files() == before
    assert hello("ledger", "init").code == 0
    assert hello.apply().code == 0
    assert bodies(dry) == posted(foreign)


def test_after_an_apply_it_shows_only_the_rest(hello: Any, foreign: Any) -> None:
    assert hello.apply().code == 0
    sent = len(foreign.requests)
    before = hello.files()
    assert hello("apply", "--dry-run", "--format", "json").out == ""
    assert hello.files() == before
    hello.write(hello=HELLO + "edition: 2\n")
    dry = hello("apply", "--dry-run", "--reveal", "--format", "json")
    assert hello.apply().code == 0
    assert bodies(dry) == sorted((request.body for request in foreign.requests[sent:]), key=str)


def test_it_needs_no_secret_and_shows_none(hello: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SERVICE_ID")
    monkeypatch.delenv("SERVICE_SECRET")
    dry = hello("apply", "--dry-run", "--format", "json")
    assert dry.code == 0
    assert {line["headers"]["Authorization"] for line in dry.lines} == {"Bearer <redacted>"}


def test_addresses_are_masked_unless_they_are_to_be_revealed(hello: Any) -> None:
    for form in ("json", "text"):
        assert "+4477009001" not in hello("apply", "--dry-run", "--format", form).out
    assert "+447700900101" in hello("apply", "--dry-run", "--reveal").out


def test_in_a_sandbox_it_shows_what_the_first_apply_puts_in_the_inbox(hello: Any) -> None:
    hello.write(
        notifyctl="apiVersion: notifyctl/v1\nkind: Project\nname: acme\nenvironments:\n  sandbox: {provider: sandbox, limits: {tps: 1000}}\n"
    )
    dry = hello("apply", "--dry-run", "--reveal", "--format", "json")
    assert hello("apply").code == 0
    inbox = hello("sandbox", "inbox", "--reveal", "--format", "json").lines
    planned = {
        (address, entry["correlationId"])
        for line in dry.lines
        for entry in line["body"]["to"]
        for address in entry["msisdn"]
    }
    assert {(entry["to"], entry["correlationId"]) for entry in inbox} == planned
    assert len(inbox) == 60
