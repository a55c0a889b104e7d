"""Who has what an earlier version made of the same files has it: numbers of `vars` as Python prints them, a text file with its last line end."""

from __future__ import annotations

from typing import Any

import pytest

PROJECT = "apiVersion: notifyctl/v1\nkind: Project\nname: acme\nvars: {{{vars}}}\n"
HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template:
  channel: sms
  content: {{type: text, {content}}}
  locales: {{fr: {{content: {{text: Bonjour $(name)}}}}}}
{more}audience:
  recipients:
    - {{msisdn: "+447700900123", substitutions: {{name: Ada}}}}
    - {{msisdn: "+447700900124", locale: fr, substitutions: {{name: Zoe}}}}
"""


def write(cli: Any, content: str, *, variables: str = "", more: str = "") -> None:
    cli.write(notifyctl=PROJECT.format(vars=variables), hello=HELLO.format(content=content, more=more))


def actions(cli: Any) -> dict[str, int]:
    return {action: number for action, number in cli.plan()["summary"].items() if number}


@pytest.mark.parametrize(
    ("sent", "content", "variables"),
    [
        ('text: "Now £9.5, $(name)"', 'text: "Now £{{ price }}, $(name)"', "price: 9.50"),
        ('text: "Call 8000123456, $(name)"', 'text: "Call {{ line }}, $(name)"', "line: 08000123456"),
        ('text: "True $(name)"', 'text: "{{ on }} $(name)"', "on: true"),
        ('text: "1.5 $(name)"', 'text: "{{ shop.prices | first }} $(name)"', "shop: {prices: [1.50]}"),
        ('text: "Hi $(name)\\n"', "textFile: hello.txt", ""),
        ('text: "Hi $(name) \\n"', "textFile: crlf.txt", ""),
        ('text: "Hi $(name), 2.0\\n"', "textFile: both.txt", "n: 2.00"),
    ],
)
def test_the_same_files_make_nobody_a_second_message(
    cli: Any, sent: str, content: str, variables: str
) -> None:
    """What the earlier version sent is written out, and then the files that it made that from."""
    write(cli, sent)
    assert cli.apply().code == 0
    cli.write(**{"hello.txt": "Hi $(name)\n", "both.txt": "Hi $(name), {{ n }}\n"})
    (cli.root / "crlf.txt").write_bytes(b"Hi $(name) \r\n")
    write(cli, content, variables=variables)
    assert actions(cli) == {"unchanged": 2}


def test_other_words_are_other_words(cli: Any) -> None:
    write(cli, 'text: "Now £9.5, $(name)"')
    assert cli.apply().code == 0
    write(cli, 'text: "Now £{{ price }}, $(name)"', variables="price: 9.55")
    assert actions(cli) == {"unchanged": 1, "changed-after-send": 1}


def test_an_acknowledgement_of_the_former_text_still_holds(cli: Any) -> None:
    """Somebody has a text of before; the new one was acknowledged as the earlier version rendered it."""
    write(cli, 'text: "Hello $(name)"')
    assert cli.apply().code == 0
    write(cli, 'text: "Now £9.5, $(name)"')
    shown = next(each for each in cli.plan()["notifications"] if each["name"] == "hello")
    more = f"acknowledge: {shown['content_hash']}\n"
    write(cli, 'text: "Now £{{ price }}, $(name)"', variables="price: 9.50", more=more)
    assert "changed-after-send" not in actions(cli)
