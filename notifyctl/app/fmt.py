"""`fmt` as a use case: which files, what would become of each, and the writing of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from notifyctl.app.lint import existing
from notifyctl.app.workspace import find_root
from notifyctl.channels import CHANNELS
from notifyctl.config.documents import shapes
from notifyctl.config.fields import Shape
from notifyctl.config.load import YAML_SUFFIXES, printable
from notifyctl.config.reader import MAX_BYTES
from notifyctl.diagnostics import Diagnostic, Location, Severity
from notifyctl.files import WorkingTree, find_project, replace_file
from notifyctl.fmt.formatter import format_bytes


@dataclass(frozen=True, slots=True)
class Formatted:
    """A file of a project in its one form. `path` is relative to the project, `shown` as seen from here."""

    tree: WorkingTree
    path: str
    shown: str
    before: bytes
    after: bytes

    @property
    def changed(self) -> bool:
        return self.before != self.after

    def write(self) -> None:
        """Replace the file. Raises ProjectError when that cannot be done."""
        replace_file(self.tree.real(self.path), self.after)


def format_files(chdir: Path | None, paths: Sequence[Path]) -> Iterator[Formatted | Diagnostic]:
    """Each YAML file of the project, or those of `paths` that belong to one; a Diagnostic for what is left alone.

    Without `chdir` each path's own project counts, and a path outside of any project is passed over.
    Raises ProjectError when no path is named and there is no project, and UsageError for a path to nothing.
    """
    kinds = shapes([channel.shape for channel in CHANNELS.values()])
    for root, wanted in projects(chdir, paths).items():
        tree = WorkingTree(root)
        for path in tree.paths():
            if path.endswith(YAML_SUFFIXES) and named(tree.root / path, wanted):
                yield one_file(tree, path, kinds)


def projects(chdir: Path | None, paths: Sequence[Path]) -> dict[Path, list[Path]]:
    """Each project with the paths that were named in it; with none where all of it is meant."""
    if not paths:
        return {find_root(chdir).resolve(): []}
    if chdir is not None:
        root = find_root(chdir).resolve()
        return {root: [existing(path, root) for path in paths]}
    found: dict[Path, list[Path]] = {}
    for path in paths:
        place = existing(path, Path.cwd())
        nearest = find_project(place if place.is_dir() else place.parent)
        if nearest is not None:
            found.setdefault(nearest.resolve(), []).append(place)
    return found


def named(place: Path, wanted: Sequence[Path]) -> bool:
    return not wanted or any(place == path or path in place.parents for path in wanted)


def one_file(tree: WorkingTree, path: str, kinds: Mapping[str, Shape]) -> Formatted | Diagnostic:
    shown = seen_from_here(tree.root / path)
    try:
        with tree.open(path) as stream:
            before = stream.read(MAX_BYTES + 1)
    except OSError as wrong:
        message = f"this file cannot be read: {wrong.strerror or wrong}"
        return Diagnostic("unreadable-file", Severity.ERROR, message, Location(printable(shown)))
    after = format_bytes(before, shown, kinds)
    return after if isinstance(after, Diagnostic) else Formatted(tree, path, shown, before, after)


def seen_from_here(place: Path) -> str:
    here = Path.cwd()
    return (place.relative_to(here) if place.is_relative_to(here) else place).as_posix()
