"""Reads the iCalendar files that `holidays` names into the documents, so that what is open on a day follows from the model alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from posixpath import dirname, join, normpath
from typing import Any

from notifyctl.config.resolve_references import Document
from notifyctl.diagnostics import Diagnostic, Path, Problem
from notifyctl.ports import FileTree


def read_holiday_files(files: FileTree, documents: Sequence[Document]) -> list[Diagnostic]:
    """Adds the `text` of each file to the mapping that names it, and returns the problems of those that cannot be read."""
    problems = []
    for document in documents:
        for path, source in holiday_sources(document):
            try:
                source["text"] = read_text(files, source["file"], document.positions.file)
            except OSError as error:
                message = f"cannot read the holidays in `{source['file']}`: {error.strerror or error}"
                hint = "the path is relative to this file, or to the project"
                problems.append(Problem(path, "unreadable-file", message, hint).at(document.positions))
            except UnicodeDecodeError:
                message = f"cannot read the holidays in `{source['file']}`: the text is not UTF-8"
                problems.append(
                    Problem(path, "unreadable-file", message, "save it as UTF-8").at(document.positions)
                )
    return problems


def holiday_sources(document: Document) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Each mapping with a `file`, and its path in the document."""
    if not document.sound or document.kind not in {"Schedule", "Project"}:
        return
    is_project = document.kind == "Project"
    values = document.values.get("defaults", {}) if is_project else document.values
    path: Path = ("defaults",) if is_project else ()
    listed = values.get("holidays", [])
    for number, each in enumerate(listed):
        if isinstance(each, dict) and "file" in each:
            place = (number, "file") if len(listed) > 1 else ("file",)
            yield (*path, "holidays", *place), each


def read_text(files: FileTree, name: str, document: str) -> str:
    """The file next to the document that names it, else in the project."""
    try:
        data = files.read(normpath(join(dirname(document), name)))
    except FileNotFoundError:
        data = files.read(normpath(name))
    return data.decode("utf-8-sig")
