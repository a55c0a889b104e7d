"""Every field of every kind, edited in a real repository: `plan --base` names the effects that were predicted.

tests/cases/edits/edits.yaml is the table; docs/reference/effects.md shows it. The requests that both versions would post decide:
"no effect on recipients" is right only where they are equal but for callbackData and correlationId.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec import Struct, convert

from notifyctl.app.apply import prepare_requests
from notifyctl.app.diff import review
from notifyctl.app.plan import make_plan, series_of
from notifyctl.app.workspace import Workspace, open_workspace
from notifyctl.channels import CHANNELS
from notifyctl.cli.main import run
from notifyctl.config.documents import document_shapes
from notifyctl.config.fields import Cases, Either, Items, Record, Shape, Table
from notifyctl.lint.project import check_project
from notifyctl.plan.effects import Effect, ranked
from notifyctl.plan.model import Plan
from notifyctl.testing.fakes import ManualClock
from notifyctl.views.plan_diff import as_object

CASES = Path(__file__).parents[1] / "cases" / "edits"
NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
KEYS = {"RECIPIENT_KEY": "made up", "OTHER_RECIPIENT_KEY": "made up"}
MATCHING = ("callbackData", "correlationId")
"""What only matches receipts with requests."""
HEAD = re.compile(r"\.(apiVersion|kind)$")
"""Fields that have one value."""
INLINE = re.compile(r"^Notification\.(template\[|audience\.)")
"""Fields of a template or audience that a notification may have inline: those of the documents stand for them."""
SAME_FIELDS = (
    (re.compile(r"^.*suppressions\[\]"), "suppressions[]"),
    (re.compile(r"^Template\[\w+\]\.locales\.\*.*"), "Template.locales.*"),
    (re.compile(r"content\[\w+\]"), "content"),
    (re.compile(r"content.*suggestions\[\](\[\w+\])?"), "content.suggestions[]"),
    (re.compile(r"(cards\[\]|richCard)\.(title|description|media)"), r"card.\2"),
    (re.compile(r"^Template\[\w+\]\.(?!content|options)"), "Template."),
)
"""One field in several places, such as a text in each type of content: a row for one of them stands for all."""


class Swap(Struct, forbid_unknown_fields=True):
    """`old`, which stands once in the file, becomes `new`. An empty `old`: the file is new."""

    file: str
    old: str
    new: str


class Edit(Struct, forbid_unknown_fields=True):
    field: str
    file: str
    old: str
    new: str
    effects: list[Effect]
    back: list[Effect] | None = None
    environment: str = "production"
    also: list[Swap] = []
    everywhere: dict[str, str] = {}

    @property
    def swaps(self) -> list[Swap]:
        return [Swap(self.file, self.old, self.new), *self.also]


EDITS = convert(yaml.safe_load((CASES / "edits.yaml").read_text(encoding="utf-8")), list[Edit])


def fields_of(shape: Shape, path: str) -> Iterator[str]:  # noqa: C901 - a case for each kind of shape
    match shape:
        case Record(fields=fields):
            for each in fields:
                yield from fields_of(each.shape, f"{path}.{each.name}")
        case Cases(by="provider", cases=cases):
            for record in cases.values():
                yield from fields_of(record, path)
        case Cases(cases=cases):
            for name, record in cases.items():
                yield from fields_of(record, f"{path}[{name}]")
        case Either(mapping=mapping):
            yield path
            yield from fields_of(mapping, path)
        case Items(item=Record() | Cases() | Either() as item):
            yield from fields_of(item, f"{path}[]")
        case Table(value=Record() | Cases() as value):
            yield from fields_of(value, f"{path}.*")
        case Table():
            yield f"{path}.*"
        case _:
            yield path


def every_field() -> list[str]:
    shapes = document_shapes([channel.shape for channel in CHANNELS.values()])
    found = [path for kind, shape in shapes.items() for path in fields_of(shape, kind)]
    found = [path for path in found if not HEAD.search(path) and not INLINE.search(path)]
    for pattern, same in SAME_FIELDS:
        found = [pattern.sub(same, path) for path in found]
    return list(dict.fromkeys(found))


@pytest.mark.parametrize("field", every_field())
def test_each_field_has_an_edit(field: str) -> None:
    assert field in {edit.field for edit in EDITS}, (
        f"predict the effects of an edit to {field} in tests/cases/edits/edits.yaml, and write the rule for it"
        " in plan/setting_rules.py"
    )


class Repository:
    """The project of the table in a repository, which an edit may change."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(CASES / "project", root)
        with sqlite3.connect(root / "data" / "members.db") as database:
            database.executescript(
                "create table people(msisdn text); create table others(msisdn text);"
                "insert into people values('+447700900131'), ('+447700900132');"
                "insert into others values('+447700900133');"
            )
        database.close()
        self.git("init", "-q", "-b", "main")
        self.base = self.commit()

    def git(self, *arguments: str) -> str:
        named = ["-c", "user.name=ada", "-c", "user.email=ada@acme.example", "-c", "commit.gpgsign=false"]
        command = ["git", "-C", str(self.root), *named, *arguments]
        return subprocess.check_output(command, text=True).strip()

    def commit(self) -> str:
        """The files as they are, as a commit on no branch."""
        self.git("add", "-A", "-f")
        return self.git("commit-tree", self.git("write-tree"), "-m", "x")

    def make(self, edit: Edit) -> None:
        for swap in edit.swaps:
            path = self.root / swap.file
            text = path.read_text(encoding="utf-8") if swap.old else ""
            assert swap.old == "" or text.count(swap.old) == 1, (
                f"{swap.old!r} does not stand once in {swap.file}"
            )
            path.write_text(text.replace(swap.old, swap.new) if swap.old else swap.new, encoding="utf-8")
        for old, new in edit.everywhere.items():
            for path in self.root.glob("*.yaml"):
                path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    def restore(self) -> None:
        self.git("read-tree", "--reset", "-u", self.base)
        self.git("clean", "-qfdx")

    def workspace(self) -> Workspace:
        return open_workspace(self.root, environ=KEYS, clock=ManualClock(NOW))

    def review(self, base: str, environment: str, plan: Plan) -> Any:
        workspace = self.workspace()
        found = review(workspace, workspace.environment(environment), base, plan)
        return json.loads(json.dumps(as_object(found)))

    def series(self, environment: str, only: tuple[str, ...] = ()) -> dict[str, str]:
        """The fingerprint of each notification as a series, whether it recurs or not. `only`: of some."""
        workspace = self.workspace()
        place = workspace.environment(environment)
        checked = check_project(
            workspace.sound, environment=place, files=workspace.files, only=only, synthetic=True
        )
        return {
            name: series_of(workspace, place, workspace.sound.notifications[name], messages).fingerprint
            for name, messages in checked.messages.items()
        }

    def requests(self, environment: str) -> dict[str, Counter[str]]:
        """What `apply --dry-run` would post of each notification to each address, but for what only matches receipts."""
        workspace = self.workspace()
        found: dict[str, Counter[str]] = {}
        for batch, request in prepare_requests(workspace, workspace.environment(environment)):
            body = {key: value for key, value in request.body.items() if key not in {*MATCHING, "to"}}
            head = [request.url, dict(request.headers), body]
            for entry in request.body["to"]:
                values = {
                    key: value for key, value in entry.items() if key not in {*MATCHING, "msisdn", "email"}
                }
                for address in entry.get("msisdn", entry.get("email")):
                    sent = found.setdefault(batch.scope.notification, Counter())
                    sent[json.dumps([head, values, address], sort_keys=True)] += 1
        return found


@pytest.fixture(scope="module")
def unedited(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(tmp_path_factory.mktemp("edits") / "project")


@pytest.fixture(scope="module")
def requests_before(unedited: Repository) -> dict[str, dict[str, Counter[str]]]:
    return {name: unedited.requests(name) for name in {edit.environment for edit in EDITS}}


@pytest.fixture(scope="module")
def series_before(unedited: Repository) -> dict[str, dict[str, str]]:
    return {name: unedited.series(name) for name in {edit.environment for edit in EDITS}}


@pytest.fixture(scope="module")
def plans(unedited: Repository) -> dict[str, Plan]:
    """Of the project as it is; what an edit does when it is taken back is compared without planning all of it again."""
    workspace = unedited.workspace()
    return {
        name: make_plan(workspace, workspace.environment(name), offline=True)
        for name in {edit.environment for edit in EDITS}
    }


@pytest.fixture
def repository(unedited: Repository) -> Iterator[Repository]:
    yield unedited
    unedited.restore()


def compare(repository: Repository, base: str, environment: str, capsys: pytest.CaptureFixture[str]) -> Any:
    capsys.readouterr()
    given = ("--offline", "--base", base, "--as-of", NOW.isoformat(), "--format", "json")
    code = run(["plan", "-C", str(repository.root), "-e", environment, *given])
    out, err = capsys.readouterr()
    assert code == 0, err
    return json.loads(out)["review"]


@pytest.mark.parametrize("edit", EDITS, ids=[f"{at}-{edit.field}" for at, edit in enumerate(EDITS, 1)])
def test_an_edit_has_the_predicted_effects(
    repository: Repository,
    requests_before: dict[str, dict[str, Counter[str]]],
    plans: dict[str, Plan],
    series_before: dict[str, dict[str, str]],
    capsys: pytest.CaptureFixture[str],
    edit: Edit,
) -> None:
    repository.make(edit)
    found = compare(repository, repository.base, edit.environment, capsys)
    check_series(edit, found, series_before[edit.environment], repository)
    quiet = {each["name"] for each in found["changes"] if each["effects"] == [Effect.NONE.value]}
    nothing = not set(edit.effects) - {Effect.NONE}
    if quiet or nothing:
        before, after = requests_before[edit.environment], repository.requests(edit.environment)
        for name in {*before, *after} if nothing else quiet:
            assert before.get(name) == after.get(name), f"{name}: both versions post other requests"
    edited = repository.commit()
    repository.restore()
    back = repository.review(edited, edit.environment, plans[edit.environment])
    for compared, predicted in (
        (found, edit.effects),
        (back, edit.effects if edit.back is None else edit.back),
    ):
        assert compared["problem"] is None
        assert compared["effects"] == [each.value for each in predicted], json.dumps(compared, indent=1)
        assert list(ranked(predicted)) == predicted
        check_each_change(compared)


ROWS = re.compile(r"^(data|suppressions)/|^Audience\.recipients")
"""Of an edit's file or field: rows of audiences and of suppression lists."""


def check_series(edit: Edit, review: Any, before: dict[str, str], repository: Repository) -> None:
    """A series is another one after each change that has an effect, but for rows; and the same after a change of rows."""
    changed = {each["name"] for each in review["changes"] if each["effects"] != [Effect.NONE.value]}
    names = changed & set(before) & set(repository.workspace().sound.notifications)
    # A comment that hides a rule's report has no effect on what is sent.
    if names and "ignore" not in edit.new:
        after = repository.series(edit.environment, tuple(sorted(names)))
        is_rows = bool(ROWS.search(edit.file) or ROWS.search(edit.field))
        same = {name for name in names if before[name] == after[name]}
        assert same == (names if is_rows else set())


def check_each_change(review: Any) -> None:
    """Each change has effects, in their order, and each of its settings and texts is one of them."""
    for change in review["changes"]:
        effects = [Effect(each) for each in change["effects"]]
        assert effects
        assert list(ranked(effects)) == effects
        parts = [*change["texts"], *change["envelope"]]
        assert {effect for part in parts for effect in part["effects"]} <= {*effects, Effect.NONE}
        assert "cosmetic" not in change["effects"]


@pytest.mark.parametrize("effect", list(Effect), ids=[each.value for each in Effect])
def test_each_effect_is_predicted_somewhere(effect: Effect) -> None:
    assert any(effect in edit.effects for edit in EDITS)
