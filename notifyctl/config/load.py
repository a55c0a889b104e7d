"""A project's files to the model: every YAML file read, every document checked, all problems of all files in one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from notifyctl.beside import Companion, pays
from notifyctl.config import model_builder
from notifyctl.config.check import MOST_PROBLEMS, check_and_advise, located
from notifyctl.config.documents import shapes
from notifyctl.config.fields import ChannelShape, Shape
from notifyctl.config.kinds.shared_fields import API_VERSION
from notifyctl.config.messages import nearest, suggestion
from notifyctl.config.nodes import NO_NODE, MappingNode, Node, Scalar, places
from notifyctl.config.parcel import FileRead, Held, packed, unpacked
from notifyctl.config.paths import PROJECT_FILE, read_at_most
from notifyctl.config.positions import LatePlaces, Source, top_of
from notifyctl.config.reader import MAX_BYTES, each_document
from notifyctl.config.resolve_references import Document, link
from notifyctl.config.rules import check_rules
from notifyctl.config.takes import Doubt, Take, take
from notifyctl.diagnostics import Diagnostic, Location, Positions, Problem, Severity, sort_diagnostics
from notifyctl.errors import ProjectError
from notifyctl.model.project import Project
from notifyctl.ports import FileTree
from notifyctl.records import dataclass

YAML_SUFFIXES = (".yaml", ".yml")
IGNORE_HINT = "if this file is not notifyctl's, name it in .notifyctlignore"


@dataclass(frozen=True, slots=True)
class Loaded:
    """`project` is None when its Project document is missing or has problems; other documents with problems are left out."""

    project: Project | None
    diagnostics: list[Diagnostic]


@dataclass(frozen=True, slots=True)
class Kind:
    """What documents of a kind look like, and the quick look at one."""

    shape: Shape
    take: Take

    def look(self, node: Node) -> tuple[Any, list[Problem], list[Problem]]:
        """As `check_and_advise`."""
        try:
            return self.take(node), [], []
        except Doubt:
            return check_and_advise(self.shape, node)


def load_project(
    files: FileTree, channels: Sequence[ChannelShape], *, companion: Companion | None = None
) -> Loaded:
    """Read and link all documents. Raises ProjectError only when there is no notifyctl.yaml. `companion`: reads half of many
    files, and has them in hand; what is found is the same.
    """
    paths = [path for path in files.paths() if path.endswith(YAML_SUFFIXES)]
    if PROJECT_FILE not in paths:
        raise ProjectError(f"there is no {PROJECT_FILE} here", hint="`notifyctl init` starts a project")
    kinds = {name: Kind(shape, take(shape)) for name, shape in shapes(channels).items()}
    documents: list[Document] = []
    diagnostics: list[Diagnostic] = []
    unread: list[str] = []
    for each in read_all(files, paths, kinds, companion=companion):
        documents += each.documents
        diagnostics += cut(each.found) if too_many(each.found) else each.found
        unread += [] if each.whole else [printable(each.path)]
    settings, misplaced = project_document(documents, complete=PROJECT_FILE not in unread)
    diagnostics.extend(misplaced)
    sound = settings is not None and settings.sound
    project = (
        model_builder.project(settings.values, settings.marks)
        if settings and sound
        else Project("", Positions(PROJECT_FILE))
    )
    project, loose = link(project, documents, channels, unread=unread)
    return Loaded(project if sound else None, sort_diagnostics([*diagnostics, *loose]))


def read_all(
    files: FileTree, paths: Sequence[str], kinds: Mapping[str, Kind], *, companion: Companion | None
) -> list[FileRead]:
    """All files in their order. What a second process could not hand over is read here, as if there were none."""
    if companion is None or not pays(len(paths)):
        return [read_file(files, path, kinds) for path in paths]
    half = len(paths) // 2
    companion.start(paths[half:], lambda: held(files, paths[half:], kinds))
    near = [read_file(files, path, kinds) for path in paths[:half]]
    known = unpacked(companion.answer())
    return near + [known.get(path) or read_file(files, path, kinds) for path in paths[half:]]


def held(files: FileTree, paths: Sequence[str], kinds: Mapping[str, Kind]) -> tuple[bytes, Held]:
    """Files for the first process, and for the second one to be asked about."""
    read = [read_file(files, path, kinds) for path in paths]
    return packed(read), Held(files, [document for each in read for document in each.documents])


def read_file(files: FileTree, path: str, kinds: Mapping[str, Kind]) -> FileRead:
    data = content(files, path)
    if isinstance(data, Diagnostic):
        return FileRead(path, [], [data], whole=False)
    source = Source(path, data)
    found: list[Diagnostic] = []
    documents: list[Document] = []
    for number, (node, problems) in enumerate(each_document(data, path)):
        found += problems
        if node is not None:
            document, wrong = checked(node, kinds, source=source, number=number, sound=not problems)
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
    node: Node, kinds: Mapping[str, Kind], *, source: Source, number: int, sound: bool
) -> tuple[Document | None, list[Diagnostic]]:
    """The document that a node is, sound when nothing is wrong with it; None where it is none of ours. It is the one with
    that `number` in its file.
    """
    foreign = not_ours(node)
    if foreign is not None or not isinstance(node, MappingNode):
        return None, [foreign.at(all_marks(node, source))] if foreign else []
    kind, problem = kind_of(node, tuple(kinds))
    if problem is not None:
        marks = all_marks(node, source)
        return Document(kind, name_of(node), NO_NODE, {}, marks, sound=False), [problem.at(marks)]
    values, problems, advice = kinds[kind].look(node)
    if not problems:
        problems = check_rules(kind, values)
    told = [*problems, *advice]
    late = kind == "Template" and not told  # all others are asked for their places when they are built
    marks = (
        Positions(source.path, LatePlaces(source, number, top_of(node))) if late else all_marks(node, source)
    )
    return Document(
        kind,
        name_of(node),
        node if kind == "Notification" else NO_NODE,
        values or {},
        marks,
        sound=sound and not problems,
        flaws=frozenset(problem.path for problem in problems),
    ), located(told, node, marks) if told else []


def all_marks(node: Node, source: Source) -> Positions:
    return Positions(source.path, places(node))


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
