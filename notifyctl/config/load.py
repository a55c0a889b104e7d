"""Reads a project's YAML files into the model: every file, every document, all problems in one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from notifyctl.config import model_builder
from notifyctl.config.check import MOST_PROBLEMS, check_and_advise, located
from notifyctl.config.documents import shapes
from notifyctl.config.fields import ChannelShape, Shape
from notifyctl.config.kinds.shared_fields import API_VERSION
from notifyctl.config.messages import nearest, suggestion
from notifyctl.config.nodes import NO_NODE, MappingNode, Node, Scalar, places
from notifyctl.config.paths import PROJECT_FILE, read_at_most
from notifyctl.config.reader import MAX_BYTES, each_document
from notifyctl.config.resolve_references import Document, link
from notifyctl.config.rules import check_rules
from notifyctl.diagnostics import Diagnostic, Location, Positions, Problem, Severity, sort_diagnostics
from notifyctl.errors import ProjectError
from notifyctl.model.project import Project
from notifyctl.ports import FileTree

YAML_SUFFIXES = (".yaml", ".yml")
IGNORE_HINT = "if this file is not notifyctl's, name it in .notifyctlignore"


class Loaded(Struct, frozen=True):
    """The project and every problem in its files.

    `project` is None when its Project document is missing or has errors; other documents with errors are left out.
    """

    project: Project | None
    diagnostics: list[Diagnostic]


class FileRead(Struct, frozen=True):
    """The documents of one file and its problems; not `whole` where reading stopped before the end of the file."""

    path: str
    documents: list[Document]
    found: list[Diagnostic]
    whole: bool = True


def load_project(files: FileTree, channels: Sequence[ChannelShape]) -> Loaded:
    """Read, check and link all documents of a project. Raises ProjectError only when there is no notifyctl.yaml."""
    paths = [path for path in files.paths() if path.endswith(YAML_SUFFIXES)]
    if PROJECT_FILE not in paths:
        raise ProjectError(f"there is no {PROJECT_FILE} here", hint="`notifyctl init` starts a project")
    kinds = shapes(channels)
    documents: list[Document] = []
    diagnostics: list[Diagnostic] = []
    unread: list[str] = []
    for path in paths:
        file = read_file(files, path, kinds)
        documents += file.documents
        diagnostics += cut(file.found) if too_many(file.found) else file.found
        if not file.whole:
            unread.append(printable(path))
    settings, misplaced = project_document(documents, complete=PROJECT_FILE not in unread)
    diagnostics.extend(misplaced)
    sound = settings is not None and settings.sound
    project = (
        model_builder.project(settings.values, settings.marks)
        if settings and sound
        else Project("", Positions(PROJECT_FILE))
    )
    project, between = link(project, documents, channels, unread=unread)
    return Loaded(project if sound else None, sort_diagnostics([*diagnostics, *between]))


def read_file(files: FileTree, path: str, kinds: Mapping[str, Shape]) -> FileRead:
    """Read and check the documents of one file, up to the first that cannot be read or to MOST_PROBLEMS errors."""
    data = content(files, path)
    if isinstance(data, Diagnostic):
        return FileRead(path, [], [data], whole=False)
    found: list[Diagnostic] = []
    documents: list[Document] = []
    for node, problems in each_document(data, path):
        found += problems
        if node is not None:
            document, wrong = checked(node, kinds, path=path, sound=not problems)
            found += wrong
            documents += [document] if document is not None else []
        if node is None or too_many(found):
            return FileRead(path, documents, found, whole=False)
    return FileRead(path, documents, found)


def too_many(found: Sequence[Diagnostic]) -> bool:
    return len(found) > MOST_PROBLEMS and sum(d.severity is Severity.ERROR for d in found) > MOST_PROBLEMS


def cut(found: Sequence[Diagnostic]) -> list[Diagnostic]:
    """The first problems of a file; the documents below them are not read. Whoever has a thousand mends some and asks again."""
    place = found[MOST_PROBLEMS].location
    message = f"this file has more than {MOST_PROBLEMS:,} problems; those from here on are not told"
    return [*found[:MOST_PROBLEMS], Diagnostic("yaml-limits", Severity.ERROR, message, place)]


def content(files: FileTree, path: str) -> bytes | Diagnostic:
    """The bytes of a file, or why it cannot be read."""
    try:
        if printable(path) != path:
            raise OSError("its name is not UTF-8")  # noqa: TRY301 - one way to say that a file cannot be read
        with files.open(path) as stream:
            return read_at_most(stream, MAX_BYTES + 1)
    except OSError as wrong:
        message = f"this file cannot be read: {wrong.strerror or wrong}"
        return Diagnostic("unreadable-file", Severity.ERROR, message, Location(printable(path)), IGNORE_HINT)


def printable(path: str) -> str:
    """The path with those bytes escaped that are not UTF-8."""
    return path.encode("utf-8", "backslashreplace").decode()


def checked(
    node: Node, kinds: Mapping[str, Shape], *, path: str, sound: bool
) -> tuple[Document | None, list[Diagnostic]]:
    """The document in `node` with its problems; None where it is not one of notifyctl's. `sound`: it is valid YAML."""
    marks = Positions(path, places(node))
    foreign = not_ours(node)
    if foreign is not None or not isinstance(node, MappingNode):
        return None, [foreign.at(marks)] if foreign else []
    kind, problem = kind_of(node, tuple(kinds))
    if problem is not None:
        return Document(kind, name_of(node), NO_NODE, {}, marks, sound=False), [problem.at(marks)]
    values, problems, advice = check_and_advise(kinds[kind], node)
    if not problems:
        problems = check_rules(kind, values)
    return Document(
        kind,
        name_of(node),
        node if kind == "Notification" else NO_NODE,
        values or {},
        marks,
        sound=sound and not problems,
        flaws=frozenset(problem.path for problem in problems),
    ), located([*problems, *advice], node, marks)


def not_ours(node: Node) -> Problem | None:
    version = node.get("apiVersion") if isinstance(node, MappingNode) else None
    if isinstance(version, Scalar) and version.text.startswith("notifyctl/"):
        return None
    keys = [key.text for key, _ in node.items] if isinstance(node, MappingNode) else []
    near = None if version else nearest("apiVersion", keys)
    hint = f"did you mean `apiVersion` in place of `{near}`?" if near else f"add it; {IGNORE_HINT}"
    path = ("apiVersion",) if version else ()
    return Problem(path, "not-ours", f"this document does not begin with `apiVersion: {API_VERSION}`", hint)


def kind_of(node: MappingNode, kinds: Sequence[str]) -> tuple[str, Problem | None]:
    """The document's kind, or the kind that was most likely meant and the problem."""
    kind = node.get("kind")
    if kind is None:
        hint = f"kinds: {', '.join(kinds)}"
        return "", Problem((), "missing-key", "a document needs the key `kind`", hint)
    text = kind.text if isinstance(kind, Scalar) else ""
    if text in kinds:
        return text, None
    message = f'there is no kind "{text}"' if isinstance(kind, Scalar) else "`kind` must be text"
    return nearest(text, kinds) or "", Problem(
        ("kind",), "unknown-kind", message, suggestion(text, kinds, "kinds")
    )


def name_of(node: MappingNode) -> str | None:
    name = node.get("name")
    return name.text if isinstance(name, Scalar) and name.value is not None else None


def project_document(
    documents: Sequence[Document], *, complete: bool
) -> tuple[Document | None, list[Diagnostic]]:
    """The one Project document, and what is wrong with where such documents stand."""
    found = [document for document in documents if document.kind == "Project"]
    here = next((document for document in found if document.marks.file == PROJECT_FILE), None)
    rule = "project-document"
    hint = f"{PROJECT_FILE} holds the one Project document; {IGNORE_HINT}"
    problems = [
        Problem(("kind",), rule, "a project has one Project document, and this is another one", hint).at(
            each.marks
        )
        for each in found
        if each is not here
    ]
    if here is None and complete:
        message = f"{PROJECT_FILE} holds no Project document"
        hint = f"begin it with `apiVersion: {API_VERSION}`, `kind: Project` and a `name`"
        problems.append(Diagnostic(rule, Severity.ERROR, message, Location(PROJECT_FILE), hint))
    return here, problems
