"""What the form is, case by case: left as written, right as it becomes."""

from __future__ import annotations

import pytest

from notifyctl.channels import CHANNELS
from notifyctl.config.documents import document_shapes
from notifyctl.diagnostics import Diagnostic
from notifyctl.fmt.formatter import format_bytes

KINDS = document_shapes([channel.shape for channel in CHANNELS.values()])
HEAD = "apiVersion: notifyctl/v1\nkind: Notification\nname: n\n"


def form(text: str | bytes) -> str:
    data = text.encode() if isinstance(text, str) else text
    made = format_bytes(data, "n.yaml", KINDS)
    assert isinstance(made, bytes), made
    return made.decode()


def body(text: str) -> str:
    """The form of a notification's text behind its head."""
    made = form(HEAD + text)
    assert made.startswith(HEAD)
    return made.removeprefix(HEAD)


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("limits:\n      maxRecipients: 5\n", "limits:\n  maxRecipients: 5\n"),
        ("requestedReceipts:\n- failed\n-   read\n", "requestedReceipts:\n  - failed\n  - read\n"),
        ("cc:\n-   a@acme.example\n-   - b\n    -  c\n", "cc:\n  - a@acme.example\n  - - b\n    - c\n"),
        ("smartlinks:\n-   smartlinkId: 5\n    validity: 3\n", "smartlinks:\n  - smartlinkId: 5\n    validity: 3\n"),
        ("audience: a   \n\n\n\n", "audience: a\n"),
        ("audience: a", "audience: a\n"),
        ("callbackData: a\n\n  long   \n  text\n", "callbackData: a\n\n  long   \n  text\n"),
        ("options:\n    x: {a: 1,   # one\n        b: 2}\n", "options:\n  x: {a: 1,   # one\n      b: 2}\n"),
        ("limits:\n    x: |\n      two\n       more  \n\n    y: 1\n", "limits:\n  x: |\n    two\n     more  \n\n  y: 1\n"),
        ("limits:\n    x: |2\n        two\n", "limits:\n  x: |2\n      two\n"),
    ],
)  # fmt: skip
def test_indentation(written: str, wanted: str) -> None:
    assert body(written) == wanted


@pytest.mark.parametrize(
    "same",
    [
        "audience: no\n",
        "from: +447700900123\ncallbackData: 0o7\n",
        "from: 1e3\n",
        "from: 'it''s'\ncallbackData: \"caf\\u00e9 \\\n  on\"\n",
        f"callbackData: {'long words ' * 40}end\n",
        "audience: {recipients: [ {msisdn: '+447700900123',  substitutions: {a:  b}} ]}\n",
        "callbackData: |+\n  kept\n\n\n",
        "callbackData: |\n  without a line end",
        "callbackData: >-\n    folded\n  \n    text\n",
        "limits:   # why\n  # first\n  maxRecipients: 5   # beside\n  # last\n# end\n",
        "audience: a\n# maybe:\n#   cc: [x]\n",
        "? complex\n: key\n",
    ],
)
def test_what_stays_as_it_is_written(same: str) -> None:
    assert body(same) == same


def test_keys_stand_in_the_order_of_their_declaration_and_take_their_comments_along() -> None:
    written = (
        "# yaml-language-server: $schema=x\n"
        "name: n   # the name\n"
        "\n"
        "# who\n"
        "# gets it\n"
        "audience: a\n"
        "limits:\n"
        "  # few\n"
        "  maxSegments: 2\n"
        "  maxRecipients: 5\n"
        "  # last of the limits\n"
        "template: t\n"
        "# right below the template\n"
        "\n"
        "kind: Notification\n"
        "apiVersion: notifyctl/v1\n"
    )
    assert form(written) == (
        "# yaml-language-server: $schema=x\n"
        "apiVersion: notifyctl/v1\n"
        "\n"
        "kind: Notification\n"
        "name: n   # the name\n"
        "template: t\n"
        "# right below the template\n"
        "\n"
        "# who\n"
        "# gets it\n"
        "audience: a\n"
        "limits:\n"
        "  # few\n"
        "  maxSegments: 2\n"
        "  maxRecipients: 5\n"
        "  # last of the limits\n"
    )


def test_keys_of_items_change_places_behind_their_dash() -> None:
    assert body("smartlinks:\n  - validity: 3\n    smartlinkId: 5\n") == (
        "smartlinks:\n  - smartlinkId: 5\n    validity: 3\n"
    )


@pytest.mark.parametrize(
    "same",
    [
        "# of the file, or of the name?\nname: n\nkind: Notification\napiVersion: notifyctl/v1\n",
        "name: n\nkind: Notification\nlimits: &l {}\noptions: *l\napiVersion: notifyctl/v1\n",
        "name: n\nkind: Notification\nunknown: key\napiVersion: notifyctl/v1\n",
        "name: n\nkind: Notification\ncallbackData: |+\n  kept\n\napiVersion: notifyctl/v1\n",
        "name: n\nkind: Nothing\napiVersion: notifyctl/v1\n",
    ],
)
def test_an_order_that_may_mean_something_stays(same: str) -> None:
    assert form(same) == same


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        (f"---\n{HEAD}", HEAD),
        (f"{HEAD}...\n", HEAD),
        (f"{HEAD}...\n---\n{HEAD}", f"{HEAD}---\n{HEAD}"),
        (f"{HEAD}---\n---\n{HEAD}---\n", f"{HEAD}---\n{HEAD}"),
        (f"--- # one\n{HEAD}", f"--- # one\n{HEAD}"),
        (f"{HEAD}--- # two\n{HEAD}", f"{HEAD}--- # two\n{HEAD}"),
        (f"%YAML 1.2\n---\n{HEAD}", f"%YAML 1.2\n---\n{HEAD}"),
        (f"\ufeff{HEAD}".replace("\n", "\r\n"), HEAD),
        (HEAD.replace("\n", "\r"), HEAD),
        (f"\n\n  \n# top\n{HEAD}", f"# top\n{HEAD}"),
    ],
)
def test_documents_and_line_ends(written: str, wanted: str) -> None:
    assert form(written) == wanted


def test_a_file_that_is_not_ours_is_no_matter_of_ours() -> None:
    assert form("a:\r\n-   b\n") == "a:\r\n-   b\n"
    assert form(f"{HEAD}---\nmine:   \n-   b\n") == f"{HEAD}---\nmine:   \n-   b\n"
    assert form("") == ""


@pytest.mark.parametrize(
    ("broken", "line"), [(f"{HEAD}a: [\n", 5), (f"{HEAD}name: m\n", 4), (b"kind: \xff\n", 1), (f"{HEAD}a: *b\n", 4)]
)  # fmt: skip
def test_what_cannot_be_read_is_told_at_its_line(broken: str | bytes, line: int) -> None:
    data = broken.encode() if isinstance(broken, str) else broken
    found = format_bytes(data, "n.yaml", KINDS)
    assert isinstance(found, Diagnostic)
    assert (found.location.file, found.location.line) == ("n.yaml", line)
