"""The `fmt` use case: selects a project's YAML files, formats each and writes the result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from notifyctl.app.lint import resolve_path
from notifyctl.app.workspace import find_root
from notifyctl.channels import CHANNELS
from notifyctl.config.documents import document_shapes
from notifyctl.config.fields import Shape
from notifyctl.config.load import YAML_SUFFIXES, escape_path
from notifyctl.config.reader import MAX_BYTES
from notifyctl.diagnostics import Diagnostic, Location, Severity
from notifyctl.files import WorkingTree, find_project, replace_file
from notifyctl.fmt.formatter import format_bytes


class Formatted(Struct, frozen=True):
    """A file before and after formatting. `path` is relative to the project, `shown` to the working folder."""

    tree: WorkingTree
    path: str
    shown: str
    before: bytes
    after: bytes

    @property
    def changed(self) -> bool:
        return self.before != self.after

    def write(self) -> None:
        """Replace the file atomically. Raises ProjectError when it cannot be written."""
        replace_file(self.tree.real(self.path), self.after)


def format_files(chdir: Path | None, paths: Sequence[Path]) -> Iterator[Formatted | Diagnostic]:
    """Format each YAML file of the project, or those in `paths`; yields a Diagnostic for a file that is left alone.

    Without `chdir` each path belongs to its own nearest project, and paths outside any project are skipped.
    Raises ProjectError when no path is given and there is no project, and UsageError for a path that does not exist.
    """
    kinds = document_shapes([channel.shape for channel in CHANNELS.values()])
    for root, wanted in projects(chdir, paths).items():
        tree = WorkingTree(root)
        for path in tree.paths():
            if path.endswith(YAML_SUFFIXES) and named_files(tree.root / path, wanted):
                yield one_file(tree, path, kinds)


def projects(chdir: Path | None, paths: Sequence[Path]) -> dict[Path, list[Path]]:
    """The root of each project with the paths given in it; an empty list means the whole project."""
    if not paths:
        return {find_root(chdir).resolve(): []}
    if chdir is not None:
        root = find_root(chdir).resolve()
        return {root: [resolve_path(path, root) for path in paths]}
    found: dict[Path, list[Path]] = {}
    for path in paths:
        place = resolve_path(path, Path.cwd())
        nearest = find_project(place if place.is_dir() else place.parent)
        if nearest is not None:
            found.setdefault(nearest.resolve(), []).append(place)
    return found


def named_files(place: Path, wanted: Sequence[Path]) -> bool:
    return not wanted or any(place == path or path in place.parents for path in wanted)


def one_file(tree: WorkingTree, path: str, kinds: Mapping[str, Shape]) -> Formatted | Diagnostic:
    shown = display_path(tree.root / path)
    try:
        with tree.open(path) as stream:
            before = stream.read(MAX_BYTES + 1)
    except OSError as wrong:
        message = f"this file cannot be read: {wrong.strerror or wrong}"
        return Diagnostic("unreadable-file", Severity.ERROR, message, Location(escape_path(shown)))
    after = format_bytes(before, shown, kinds)
    return after if isinstance(after, Diagnostic) else Formatted(tree, path, shown, before, after)


def display_path(place: Path) -> str:
    here = Path.cwd()
    return (place.relative_to(here) if place.is_relative_to(here) else place).as_posix()
