"""One mistake is one problem: what may be used by a document with errors is not called unused."""

from __future__ import annotations

from typing import Any

import pytest

DOCUMENTS = {
    "notifyctl.yaml": "apiVersion: notifyctl/v1\nkind: Project\nname: p\nenvironments: {sandbox: {provider: sandbox}}\n",
    "parts.yaml": (
        "apiVersion: notifyctl/v1\nkind: Template\nname: t\nchannel: email\n"
        "content: {type: text, subject: Hi, text: Hello}\n"
        "---\napiVersion: notifyctl/v1\nkind: Audience\nname: a\nrecipients: [{email: ada@acme.example}]\n"
        "---\napiVersion: notifyctl/v1\nkind: Schedule\nname: s\ncron: 0 9 * * mon\n"
    ),
    "n.yaml": "apiVersion: notifyctl/v1\nkind: Notification\nname: n\ntemplate: t\naudience: a\nschedule: s\n",
}


def lint(cli: Any, **changed: str) -> str:
    for name, text in {**DOCUMENTS, **{f"{name}.yaml": text for name, text in changed.items()}}.items():
        (cli.root / name).write_text(text, encoding="utf-8")
    return str(cli("lint").out)


@pytest.mark.parametrize(
    "text",
    [
        DOCUMENTS["n.yaml"].replace("audience: a", "audiense: a"),
        DOCUMENTS["n.yaml"].replace("schedule: s", "schedule: ss"),
        DOCUMENTS["n.yaml"].replace("kind: Notification", "kind: Notificaton"),
        DOCUMENTS["n.yaml"].replace("kind: Notification\n", ""),
        DOCUMENTS["n.yaml"].replace("apiVersion: notifyctl/v1\n", ""),
        DOCUMENTS["n.yaml"] + "edition: [\n",
        DOCUMENTS["n.yaml"] + "\tedition: 2\n",
        DOCUMENTS["n.yaml"] + "<<<<<<< HEAD\nedition: 2\n=======\nedition: 3\n>>>>>>> spring\n",
    ],
    ids=["key", "reference", "kind", "no kind", "no apiVersion", "bracket", "tab", "conflict"],
)
def test_a_notification_with_errors_leaves_no_unused_documents(cli: Any, text: str) -> None:
    output = lint(cli, n=text)
    assert "1 error, 0 warnings" in output
    assert "unused-" not in output


def test_without_errors_unused_documents_are_reported(cli: Any) -> None:
    other = (
        DOCUMENTS["n.yaml"]
        .replace("schedule: s\n", "")
        .replace("template: t", "template: {channel: email, content: {type: text, subject: Hi, text: Hello}}")
    )
    output = lint(cli, n=other)
    assert "no notification uses template `t`" in output
    assert "no notification uses schedule `s`" in output
    assert "email-sender" not in output


def test_what_a_whole_text_breaks_is_at_its_file(cli: Any) -> None:
    (cli.root / "words.txt").write_text("x" * 1025, encoding="utf-8")
    document = (
        "apiVersion: notifyctl/v1\nkind: Notification\nname: n\n"
        "template: {channel: sms, content: {type: text, textFile: words.txt}}\n"
        'audience: {recipients: [{msisdn: "+447700900123"}]}\n'
    )
    assert "words.txt\n  1:1     error   `text` has 1,025 characters" in lint(cli, n=document)
    ignored = document.replace("words.txt}}", "words.txt}}  # notifyctl: ignore[sms-text-length] a trial")
    assert "sms-text-length" not in lint(cli, n=ignored)
