"""Loads a project's YAML files into the model and reports all problems in one run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from notifyctl.command_line import command_line
from notifyctl.config import model_builder
from notifyctl.config.check import (
    MAX_PROBLEMS,
    check_and_advise,
    find_misspelt,
    locate_problems,
    misspelt_key,
)
from notifyctl.config.document_rules import check_rules
from notifyctl.config.documents import document_shapes
from notifyctl.config.fields import Cases, ChannelShape, Shape
from notifyctl.config.holiday_files import read_holiday_files
from notifyctl.config.kinds.shared_fields import API_VERSION
from notifyctl.config.messages import find_nearest, suggest_name
from notifyctl.config.nodes import EMPTY_NODE, MappingNode, Node, Scalar, value_positions
from notifyctl.config.paths import PROJECT_FILE
from notifyctl.config.reader import MAX_BYTES, iterate_documents
from notifyctl.config.resolve_references import Document, resolve_references
from notifyctl.config.truncated_texts import find_cut_texts
from notifyctl.diagnostics import Diagnostic, Location, Positions, Problem, Severity, sort_diagnostics
from notifyctl.errors import ProjectError
from notifyctl.model.project import Project
from notifyctl.ports import FileTree

YAML_SUFFIXES = (".yaml", ".yml")
NOT_OURS = "not-ours"
IGNORE_HINT = "if it is not a notifyctl file, add it to .notifyctlignore"


class LoadResult(Struct, frozen=True):
    """The project and the diagnostics of all its files.

    `project` is None if the Project document is missing or invalid. Other invalid documents are left out of it.
    """

    project: Project | None
    diagnostics: list[Diagnostic]


class FileResult(Struct, frozen=True):
    """The documents and diagnostics of one file. `whole` is false if reading stopped before the end of the file."""

    path: str
    documents: list[Document]
    diagnostics: list[Diagnostic]
    whole: bool = True


def load_project(files: FileTree, channels: Sequence[ChannelShape]) -> LoadResult:
    """Reads, checks and links all documents of a project. Raises ProjectError only if there is no notifyctl.yaml."""
    paths = [path for path in files.paths() if path.endswith(YAML_SUFFIXES)]
    if PROJECT_FILE not in paths:
        raise ProjectError(
            f"no {PROJECT_FILE} in this folder",
            hint=f"to create a project, run: {command_line('init', 'NAME')}",
        )
    kinds = document_shapes(channels)
    documents: list[Document] = []
    diagnostics: list[Diagnostic] = []
    unread_files: list[str] = []
    for path in paths:
        file = read_file(files, path, kinds)
        documents += file.documents
        diagnostics += truncate_problems(file.diagnostics) if too_many(file.diagnostics) else file.diagnostics
        if not file.whole:
            unread_files.append(escape_path(path))
    diagnostics += read_holiday_files(files, documents)
    project_document, misplaced = find_project_document(documents, complete=PROJECT_FILE not in unread_files)
    diagnostics.extend(misplaced)
    valid = project_document is not None and project_document.sound
    project = (
        model_builder.build_project(project_document.values, project_document.positions)
        if project_document and valid
        else Project("", Positions(PROJECT_FILE))
    )
    project, link_problems = resolve_references(project, documents, channels, unread=unread_files)
    if any(each.rule == NOT_OURS for each in diagnostics):
        project = replace(project, incomplete=True)
    return LoadResult(project if valid else None, sort_diagnostics([*diagnostics, *link_problems]))


def read_file(files: FileTree, path: str, kinds: Mapping[str, Shape]) -> FileResult:
    """Reads and checks the documents of one file, up to the first unreadable document or MAX_PROBLEMS errors."""
    data = read_content(files, path)
    if isinstance(data, Diagnostic):
        return FileResult(path, [], [data], whole=False)
    problems: list[Diagnostic] = []
    documents: list[Document] = []
    for node, yaml_problems in iterate_documents(data, path):
        problems += yaml_problems
        if node is not None:
            document, document_problems = check_document(node, kinds, path=path, sound=not yaml_problems)
            problems += document_problems
            documents += [document] if document is not None else []
        if node is None or too_many(problems):
            return FileResult(path, documents, problems, whole=False)
    return FileResult(path, documents, problems)


def too_many(problems: Sequence[Diagnostic]) -> bool:
    return len(problems) > MAX_PROBLEMS and sum(d.severity is Severity.ERROR for d in problems) > MAX_PROBLEMS


def truncate_problems(problems: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Returns the first MAX_PROBLEMS diagnostics of a file and one that says that the rest is omitted."""
    location = problems[MAX_PROBLEMS].location
    message = f"this file has more than {MAX_PROBLEMS:,} problems; the rest are not reported"
    return [*problems[:MAX_PROBLEMS], Diagnostic("yaml-limits", Severity.ERROR, message, location)]


def read_content(files: FileTree, path: str) -> bytes | Diagnostic:
    """Returns the bytes of a file, or a diagnostic if it cannot be read."""
    try:
        if escape_path(path) != path:
            raise OSError("the name is not UTF-8")  # noqa: TRY301 - reported like any other unreadable file
        with files.open(path) as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        message = f"cannot read this file: {error.strerror or error}"
        return Diagnostic(
            "unreadable-file", Severity.ERROR, message, Location(escape_path(path)), IGNORE_HINT
        )


def escape_path(path: str) -> str:
    """Escapes the bytes of a path that are not UTF-8."""
    return path.encode("utf-8", "backslashreplace").decode()


def check_document(
    node: Node, kinds: Mapping[str, Shape], *, path: str, sound: bool
) -> tuple[Document | None, list[Diagnostic]]:
    """Checks one node. Returns the document, or None if it is not one of notifyctl's, and its diagnostics.

    `sound`: the node is valid YAML.
    """
    positions = Positions(path, value_positions(node))
    foreign = api_version_problem(node)
    if foreign is not None or not isinstance(node, MappingNode):
        return None, [foreign.at(positions)] if foreign else []
    kind, problem = read_kind(node, kinds)
    if problem is not None:
        return Document(kind, read_name(node), EMPTY_NODE, {}, positions, sound=False), locate_problems(
            [problem], node, positions
        )
    values, problems, advice = check_and_advise(kinds[kind], node)
    if not problems:
        problems = check_rules(kind, values)
    return Document(
        kind,
        read_name(node),
        node if kind == "Notification" else EMPTY_NODE,
        values or {},
        positions,
        sound=sound and not problems,
        flaws=frozenset(problem.path for problem in problems),
    ), locate_problems([*problems, *advice, *find_cut_texts(kind, node)], node, positions)


def api_version_problem(node: Node) -> Problem | None:
    """Returns the problem of a document without a notifyctl `apiVersion`, or None."""
    version = node.get("apiVersion") if isinstance(node, MappingNode) else None
    if isinstance(version, Scalar) and version.text.startswith("notifyctl/"):
        return None
    keys = [key.text for key, _ in node.items] if isinstance(node, MappingNode) else []
    nearest = None if version else find_nearest("apiVersion", keys)
    hint = f"did you mean `apiVersion` instead of `{nearest}`?" if nearest else f"add it; {IGNORE_HINT}"
    path = ("apiVersion",) if version else ()
    return Problem(path, NOT_OURS, f"the document must start with `apiVersion: {API_VERSION}`", hint)


def read_kind(node: MappingNode, shapes: Mapping[str, Shape]) -> tuple[str, Problem | None]:
    """Returns the kind of a document; or the kind most likely meant, with the problem."""
    kinds = tuple(shapes)
    kind = node.get("kind")
    misspelt = find_misspelt("kind", node, records_of(shapes.values())) if kind is None else None
    if misspelt is not None:
        meant = node.get(misspelt)
        text = meant.text if isinstance(meant, Scalar) else ""
        return text if text in kinds else "", misspelt_key(misspelt, "kind", "the document")
    if kind is None:
        hint = f"kinds: {', '.join(kinds)}"
        return "", Problem((), "missing-key", "the document needs the key `kind`", hint)
    text = kind.text if isinstance(kind, Scalar) else ""
    if text in kinds:
        return text, None
    message = f'unknown kind "{text}"' if isinstance(kind, Scalar) else "`kind` must be text"
    return find_nearest(text, kinds) or "", Problem(
        ("kind",), "unknown-kind", message, suggest_name(text, kinds, "kinds")
    )


def records_of(shapes: Iterable[Shape]) -> Iterator[Shape]:
    for shape in shapes:
        yield from shape.cases.values() if isinstance(shape, Cases) else (shape,)


def read_name(node: MappingNode) -> str | None:
    name = node.get("name")
    return name.text if isinstance(name, Scalar) and name.value is not None else None


def find_project_document(
    documents: Sequence[Document], *, complete: bool
) -> tuple[Document | None, list[Diagnostic]]:
    """Returns the Project document of notifyctl.yaml, and diagnostics for a missing one and for any others."""
    project_documents = [document for document in documents if document.kind == "Project"]
    main = next((document for document in project_documents if document.positions.file == PROJECT_FILE), None)
    rule = "project-document"
    hint = f"{PROJECT_FILE} must have the Project document; {IGNORE_HINT}"
    problems = [
        Problem(
            ("kind",), rule, "a project can have only one Project document; this is another one", hint
        ).at(each.positions)
        for each in project_documents
        if each is not main
    ]
    if main is None and complete:
        message = f"{PROJECT_FILE} has no Project document"
        hint = f"start it with `apiVersion: {API_VERSION}`, `kind: Project` and a `name`"
        problems.append(Diagnostic(rule, Severity.ERROR, message, Location(PROJECT_FILE), hint))
    return main, problems
