"""The schemas of the real channels, as they are committed and as editors use them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from notifyctl.channels import CHANNELS
from notifyctl.config.documents import document_shapes
from notifyctl.config.fields import Record
from notifyctl.config.jsonschema import build_schemas, render_schema
from notifyctl.config.nodes import plain_value
from notifyctl.config.reader import read_documents
from notifyctl.files import WorkingTree

ROOT = Path(__file__).parents[3]
MADE = build_schemas([channel.shape for channel in CHANNELS.values()])
ANY = Draft202012Validator(MADE["notifyctl.json"])


def documents(case: Path) -> Iterator[tuple[str, Any]]:
    tree = WorkingTree(case)
    for path in tree.paths():
        if path.endswith((".yaml", ".yml")):
            for node in read_documents(tree.read(path), path)[0]:
                yield path, plain_value(node)


VALID = [
    pytest.param(document, id=f"{case.name}/{path}-{number}")
    for case in sorted((ROOT / "tests" / "cases" / "valid").iterdir())
    for number, (path, document) in enumerate(documents(case))
]


def schema_of(document: Mapping[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(MADE[f"{document['kind'].lower()}.json"])


@pytest.mark.parametrize("name", MADE)
def test_the_committed_schema_is_fresh(name: str) -> None:
    committed = (ROOT / "schemas" / name).read_text(encoding="utf-8")
    assert committed == render_schema(MADE[name]), "run: notifyctl schema --write schemas"


def test_no_other_schema_is_committed() -> None:
    assert {path.name for path in (ROOT / "schemas").iterdir()} == set(MADE)


@pytest.mark.parametrize("name", MADE)
def test_the_schema_is_valid_and_can_be_read(name: str) -> None:
    Draft202012Validator.check_schema(MADE[name])
    assert json.loads(render_schema(MADE[name])) == MADE[name]


def test_another_validator_agrees_that_the_schemas_are_valid() -> None:
    """It checks patterns by the rules of ECMAScript, which are not those of Python."""
    command = [sys.executable, "-m", "check_jsonschema", "--check-metaschema"]
    files = [str(path) for path in sorted((ROOT / "schemas").iterdir())]
    result = subprocess.run([*command, *files], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("name", MADE)
def test_every_key_is_described(name: str) -> None:
    undescribed = [
        f"{title}.{key}"
        for title, definition in MADE[name]["$defs"].items()
        for key, value in definition.get("properties", {}).items()
        if not value.get("description")
    ]
    assert undescribed == []


@pytest.mark.parametrize("document", VALID)
def test_valid_documents_are_accepted(document: Mapping[str, Any]) -> None:
    assert [error.message for error in ANY.iter_errors(document)] == []
    assert [error.message for error in schema_of(document).iter_errors(document)] == []


@pytest.mark.parametrize(
    "case", sorted((ROOT / "tests" / "cases" / "valid").iterdir()), ids=lambda case: case.name
)
def test_what_a_yaml_1_1_parser_makes_of_valid_documents_is_accepted(case: Path) -> None:
    tree = WorkingTree(case)
    for path in tree.paths():
        if path.endswith((".yaml", ".yml")):
            for document in filter(None, yaml.safe_load_all(tree.read(path))):
                plain = json.loads(
                    json.dumps(document, default=str)
                )  # dates become text, as validators make them
                assert [error.message for error in ANY.iter_errors(plain)] == []


def misspelt(value: Any) -> Iterator[Any]:
    """The document with one key misspelt, for each key of it."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from ([*value[:index], wrong, *value[index + 1 :]] for wrong in misspelt(item))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield {f"{name}Q" if name == key else name: inner for name, inner in value.items()}
            if key not in FREE_KEYS:
                yield from ({**value, key: wrong} for wrong in misspelt(item))


FREE_KEYS = {"vars", "substitutions", "extras", "variables", "locales", "environments", "columns"}


@pytest.mark.parametrize("document", VALID)
def test_a_misspelt_key_is_refused_wherever_it_stands(document: Mapping[str, Any]) -> None:
    for wrong in misspelt(document):
        assert not ANY.is_valid(wrong), wrong


@pytest.mark.parametrize(
    "change",
    [
        {"edition": 0},
        {"edition": "first"},
        {"priority": "4"},
        {"name": "Shouting"},
        {"template": {"channel": "sms"}},
        {"template": {"channel": "sms", "id": "A", "content": {"type": "text", "text": "Hello"}}},
        {"template": {"channel": "sms", "content": {"type": "text", "text": "a", "textFile": "b"}}},
        {"template": {"channel": "fax", "id": "A"}},
        {"audience": {"recipients": [{"locale": "en"}]}},
        {"audience": {"recipients": [], "source": {"file": "a.csv"}}},
        {"requestedReceipts": ["deliverd"]},
    ],
    ids=str,
)
def test_what_the_loader_refuses_the_schema_refuses_too(change: Mapping[str, Any]) -> None:
    hello = {
        "apiVersion": "notifyctl/v1",
        "kind": "Notification",
        "name": "hello",
        "template": "t",
        "audience": "a",
    }
    assert ANY.is_valid(hello)
    assert not ANY.is_valid({**hello, **change})


def records(shape: Any) -> Iterator[Record]:
    """Every record that a shape is made of."""
    if isinstance(shape, Record):
        yield shape
        for field in shape.fields:
            yield from records(field.shape)
    for part in (getattr(shape, name, None) for name in ("item", "value", "mapping")):
        if part is not None:
            yield from records(part)
    for case in getattr(shape, "cases", {}).values():
        yield from records(case)


KINDS = document_shapes([channel.shape for channel in CHANNELS.values()])


@pytest.mark.parametrize("kind", KINDS)
def test_each_default_and_example_of_the_declaration_is_there_and_fits(kind: str) -> None:
    schema = MADE[f"{kind.lower()}.json"]
    written = [
        (name, about)
        for definition in schema["$defs"].values()
        for name, about in definition.get("properties", {}).items()
    ]
    declared = [field for record in records(KINDS[kind]) for field in record.fields]
    for field in declared:
        abouts = [about for name, about in written if name == field.name]
        if field.default is not None:
            assert any(about.get("default") == field.default for about in abouts), field.name
        if field.shape.examples:
            assert any(about.get("examples") == list(field.shape.examples) for about in abouts), field.name
    for name, about in written:
        own = Draft202012Validator({**about, "$defs": schema["$defs"]})
        for value in [*about.get("examples", ()), *([about["default"]] if "default" in about else ())]:
            assert own.is_valid(value), (name, value)
    assert any("examples" in about for _, about in written)
