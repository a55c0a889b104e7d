"""Write the reference of files and commands from what the program itself reads: `python docs/generate.py`.

A test fails when a page of docs/reference is not what this makes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import yaml

from notifyctl.channels import CHANNELS
from notifyctl.cli.main import COMMANDS, cli
from notifyctl.config.documents import document_shapes
from notifyctl.config.fields import (
    Boolean,
    Cases,
    Choice,
    Either,
    Field,
    Integer,
    Items,
    Number,
    Record,
    Shape,
    Table,
    Text,
)
from notifyctl.lint.rule_pages import PAGES
from notifyctl.rulebook import LAST, NOT_CHECKED

ENGLISH = Path(__file__).parent / "english.yaml"
REFERENCE = Path(__file__).parent / "reference"
EDITS = Path(__file__).parent.parent / "tests" / "cases" / "edits" / "edits.yaml"
SHAPES = document_shapes([channel.shape for channel in CHANNELS.values()])
WIDE: dict[str, Any] = {
    "max_content_width": 100,
    "terminal_width": 100,
    "help_option_names": ["-h", "--help"],
}
MADE = "<!-- Made by docs/generate.py; change the declarations instead. -->\n"


def takes(shape: Shape) -> str:
    """What a field takes, in a few words."""
    match shape:
        case Boolean():
            return "true or false"
        case Choice(values=values):
            return ", ".join(f"`{value}`" for value in values)
        case Integer() | Number():
            kind = "whole number" if isinstance(shape, Integer) else "number"
            bounds = (shape.minimum, shape.maximum)
            words = [
                f"{word} {bound}"
                for word, bound in zip(("from", "to"), bounds, strict=True)
                if bound is not None
            ]
            return " ".join([kind, *words])
        case Items(item=item):
            return f"list of {takes(item)}"
        case Table(value=value):
            return f"mapping to {takes(value)}"
        case Record() | Cases():
            return f"[{spell(shape.title)}](#{anchor(shape.title)})"
        case Either(text=text, mapping=mapping):
            return f"{takes(text)}, or {takes(mapping)}"
        case Text():
            return "text"
        case _:
            return "any value"


def spell(title: str) -> str:
    """A title as code where it is a key of files."""
    return f"`{title}`" if title.isidentifier() and title.islower() else title


def anchor(title: str) -> str:
    kept = "".join(c for c in title.lower() if c.isalnum() or c in " -_")
    return kept.replace(" ", "-")


def inside(shape: Shape) -> Iterator[Record | Cases]:
    """The records that a shape is made of, not their own parts."""
    match shape:
        case Record() | Cases():
            yield shape
        case Items(item=item):
            yield from inside(item)
        case Table(value=value):
            yield from inside(value)
        case Either(mapping=mapping):
            yield mapping


def sections(shape: Record | Cases, seen: set[str]) -> Iterator[str]:
    """A section for a record or its cases, then for each record in them; none twice."""
    if shape.title in seen:
        return
    seen.add(shape.title)
    if shape.title not in SHAPES:
        yield f"### {spell(shape.title)}\n"
    yield f"{shape.description}\n"
    if isinstance(shape, Cases):
        yield (
            f"`{shape.by}` decides: "
            + ", ".join(f"[`{n}`](#{anchor(r.title)})" for n, r in shape.cases.items())
            + "\n"
        )
        parts: list[Record | Cases] = list(shape.cases.values())
    else:
        yield table(shape)
        parts = [part for field in shape.fields for part in inside(field.shape)]
    for part in parts:
        yield from sections(part, seen)


def table(record: Record) -> str:
    rows = ["| key | takes | | meaning |", "|---|---|---|---|"]
    rows += [row(field) for field in record.fields]
    return "\n".join(rows) + "\n"


def row(field: Field) -> str:
    need = "required" if field.required else f"default `{field.default}`" if field.default is not None else ""
    meaning = " ".join(field.description.split()).replace("|", "\\|")
    return f"| `{field.name}` | {takes(field.shape).replace('|', chr(92) + '|')} | {need} | {meaning} |"


def files() -> str:
    seen: set[str] = set()
    parts = [
        f"{MADE}\n# Files\n",
        "Every document starts with `apiVersion: notifyctl/v1` and its `kind`. For editors and scripts, the same is in `schemas/*.json`.\n",
    ]
    for kind, shape in SHAPES.items():
        assert isinstance(shape, Record | Cases)
        parts.append(f"## {kind}\n")
        parts.extend(sections(shape, seen))
    return "\n".join(parts)


def rules() -> str:
    """The tables of lint's rules, and their count: the API's by number, ours by name, and what no file can break."""
    of_api = {name: page for name, page in PAGES.items() if page.numbers}
    ours = {name: page for name, page in PAGES.items() if not page.numbers}
    numbers = {number for page in of_api.values() for number in page.numbers}
    parts = [
        f"{MADE}\n# Lint rules\n",
        (
            f"{len(PAGES)} rules: {len(of_api)} for {len(numbers)} of the {LAST} rules of the Messaging API v2, and {len(ours)}"
            f" of notifyctl. {len(NOT_CHECKED)} rules of the API cannot be broken by a file; they are listed at the end.\n"
        ),
        (
            "`notifyctl explain RULE` shows the page of a rule. To ignore a rule on one line, add `# notifyctl: ignore[RULE] reason`;"
            " to change its severity for the project, set `lint:` in notifyctl.yaml.\n"
        ),
        "## Rules of the API\n",
        "| number | rule | severity | profile | meaning |\n|---|---|---|---|---|",
    ]
    for name, page in sorted(of_api.items(), key=lambda item: (item[1].numbers, item[0])):
        told = ", ".join(map(str, page.numbers))
        parts.append(
            f"| {told} | `{name}` | {page.severity} | {page.profile or 'both'} | {cell(page.text)} |"
        )
    parts += ["\n## Rules of notifyctl\n", "| rule | severity | meaning |\n|---|---|---|"]
    parts += [f"| `{name}` | {page.severity} | {cell(page.text)} |" for name, page in sorted(ours.items())]
    parts += ["\n## Rules of the API that lint cannot check\n", "| number | reason |\n|---|---|"]
    parts += [f"| {number} | {cell(reason)} |" for number, reason in sorted(NOT_CHECKED.items())]
    return "\n".join(parts) + "\n"


def cell(text: str) -> str:
    return text.replace("|", chr(92) + "|")


def glossary() -> str:
    """The terms of docs/english.yaml."""
    terms = yaml.safe_load(ENGLISH.read_text(encoding="utf-8"))["terms"]
    rows = [
        f'| <a id="{anchor(each["term"])}"></a>{each["term"]} | {cell(each["means"])} |' for each in terms
    ]
    return "\n".join(
        [
            f"{MADE.replace('the declarations', 'docs/english.yaml')}\n# Glossary\n",
            "The terms of notifyctl, and the keys, codes and options that belong to them.\n",
            "| term | meaning |\n|---|---|",
            *rows,
            "",
        ]
    )


def commands() -> str:
    parts = [f"{MADE}\n# Commands\n"]
    root = click.Context(cli, info_name="notifyctl", **WIDE)
    parts.append(help_of(cli, root, "notifyctl"))
    for name in COMMANDS:
        command = cli.get_command(root, name)
        assert command is not None
        parts.extend(described(command, root, name))
    return "\n".join(parts)


def described(command: click.Command, parent: click.Context, name: str) -> Iterator[str]:
    context = click.Context(command, parent=parent, info_name=name, **WIDE)
    yield help_of(command, context, context.command_path)
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            inner = command.get_command(context, below)
            assert inner is not None
            yield from described(inner, context, below)


def help_of(command: click.Command, context: click.Context, path: str) -> str:
    text = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    return f"## {path}\n\n```text\n{text}\n```\n"


def effects() -> str:
    """The table of edits with their effects, which a test makes one by one."""
    edits = yaml.safe_load(EDITS.read_text(encoding="utf-8"))
    fields = {edit["field"] for edit in edits if edit["field"][0].isupper() or "[]" in edit["field"]}
    parts = [
        f"{MADE}\n# Effects of each edit\n",
        (
            f"What [`plan --base`](../how-to/review.md) says of {len(edits)} single edits to a project, at least one for each of the"
            f" {len(fields)} fields of every kind. A test makes each edit in a git repository and compares it with this table; where"
            " it says *no effect on recipients*, the requests of both versions are equal except for `callbackData` and"
            " `correlationId`. Fields that have the same meaning in several places are listed once. “Nothing” means that the change"
            " is not listed.\n"
        ),
        "| field | edit | effects | effects of the opposite edit |\n|---|---|---|---|",
    ]
    for edit in edits:
        back = edit.get("back", edit["effects"])
        shown = f"{clip(edit['old'])} → {clip(edit['new'])}"
        same = "the same" if back == edit["effects"] else effect_names(back)
        parts.append(f"| {code_cell(edit['field'])} | {shown} | {effect_names(edit['effects'])} | {same} |")
    return "\n".join(parts) + "\n"


def effect_names(found: list[str]) -> str:
    return ", ".join(each.replace("-", " ") for each in found) or "nothing"


def code_cell(field: str) -> str:
    return f"`{field}`" if " " not in field else field


def clip(text: str) -> str:
    """A text of several lines on one, shortened in the middle."""
    line = " ↵ ".join(each.strip() for each in text.strip().splitlines())
    short = line if len(line) <= 60 else f"{line[:28]} … {line[-28:]}"
    return f"`{cell(short)}`" if short else "none"


if __name__ == "__main__":
    REFERENCE.mkdir(exist_ok=True)
    (REFERENCE / "files.md").write_text(files(), encoding="utf-8")
    (REFERENCE / "commands.md").write_text(commands(), encoding="utf-8")
    (REFERENCE / "effects.md").write_text(effects(), encoding="utf-8")
    (REFERENCE / "glossary.md").write_text(glossary(), encoding="utf-8")
    (REFERENCE / "rules.md").write_text(rules(), encoding="utf-8")
