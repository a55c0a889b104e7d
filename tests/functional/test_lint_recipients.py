"""Every recipient's own text: the row that is wrong is named, the first few told, the rest counted, the longest shown."""

from __future__ import annotations

from typing import Any

import pytest

PROJECT = "apiVersion: notifyctl/v1\nkind: Project\nname: acme\n"
HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template:
  channel: sms
  variables: {name: {maxLength: 12}}
  content: {type: text, text: Hi $(name)}
audience: {source: {file: people.csv}}
"""


def lint(cli: Any, rows: list[str], *arguments: str, hello: str = HELLO) -> Any:
    cli.write(notifyctl=PROJECT, hello=hello)
    cli.write(
        **{
            "people.csv": "msisdn,name\n"
            + "".join(f"+336399{80000 + n},{row}\n" for n, row in enumerate(rows))
        }
    )
    return cli("lint", "--format", "json", *arguments)


def found(result: Any) -> list[tuple[str, str, int]]:
    return [
        (d["rule"], d["severity"], d["line"])
        for d in result.json["diagnostics"]
        if d["rule"] != "longest-text"
    ]


@pytest.mark.parametrize(
    ("row", "rule", "severity", "said"),
    [
        ("", "unresolved-variable", "error", "$(name)"),
        ("x" * 13, "variable-too-long", "error", "13 characters"),
        ("Zoë", "needs-unicode", "error", "'ë' (U+00EB) in $(name)"),
    ],
)
def test_the_row_and_the_very_character_are_named(
    cli: Any, row: str, rule: str, severity: str, said: str
) -> None:
    result = lint(cli, ["Ada", row, "Grace"])
    assert found(result) == [(rule, severity, 3)]
    assert result.code == 1
    told = next(d for d in result.json["diagnostics"] if d["rule"] == rule)
    assert said in told["message"]
    assert told["file"] == "people.csv"


def test_a_text_is_measured_after_substitution(cli: Any) -> None:
    long = HELLO.replace("maxLength: 12", "maxLength: 2000")
    assert found(lint(cli, ["x" * 1021], hello=long)) == []
    assert found(lint(cli, ["x" * 1022], hello=long)) == [("text-too-long", "error", 2)]


def test_the_first_rows_are_told_and_the_rest_counted(cli: Any) -> None:
    result = lint(cli, [""] * 40)
    assert [rule for rule, _, _ in found(result)].count("unresolved-variable") == 6
    assert any("35 more" in d["message"] for d in result.json["diagnostics"])
    everyone = found(lint(cli, [""] * 40, "--all"))
    assert [line for _, _, line in everyone] == list(range(2, 42))


def test_the_longest_text_is_named(cli: Any) -> None:
    result = lint(cli, ["Ada", "Margaret", "Bo"])
    (longest,) = [d for d in result.json["diagnostics"] if d["rule"] == "longest-text"]
    assert (longest["severity"], longest["line"]) == ("info", 3)
    assert "11 characters (GSM-7), 1 segment" in longest["message"]


def test_who_is_inline_is_told_at_the_yaml_line(cli: Any) -> None:
    inline = HELLO.replace(
        "audience: {source: {file: people.csv}}",
        'audience:\n  recipients:\n    - {msisdn: "+447700900123", substitutions: {name: Ada}}\n'
        '    - {msisdn: "+447700900124", substitutions: {name: " "}}',
    )
    result = lint(cli, [], hello=inline)
    assert found(result) == [("empty-variable", "warning", 11)]
    assert result.code == 0


def test_a_person_who_is_wrong_stops_no_plan(cli: Any) -> None:
    assert lint(cli, ["Ada", "Zoë", ""]).code == 1
    assert {k: v for k, v in cli.plan()["summary"].items() if v} == {"send": 1, "blocked": 2}
