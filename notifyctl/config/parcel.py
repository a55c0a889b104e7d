"""Files that one process has read, as bytes for another one."""

from __future__ import annotations

import marshal
from collections.abc import Iterable, Sequence
from contextlib import suppress

from notifyctl.config.nodes import NO_NODE
from notifyctl.config.positions import LatePlaces, Places, Source
from notifyctl.config.resolve_references import Document
from notifyctl.diagnostics import Diagnostic, Positions
from notifyctl.ports import FileTree
from notifyctl.records import dataclass


@dataclass(frozen=True, slots=True)
class FileRead:
    """What one file holds, and what is wrong in it; not `whole` where it could not be read to its end."""

    path: str
    documents: list[Document]
    found: list[Diagnostic]
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Held:
    """What a second process keeps of its half."""

    files: FileTree
    documents: Sequence[Document]


def packed(read: Iterable[FileRead]) -> bytes:
    """Files without problems, of plain values, for the other process; what is not that plain is left out."""
    plain: dict[str, tuple[bytes | None, bytes]] = {}
    for each in read:
        if each.found or any(document.node is not NO_NODE for document in each.documents):
            continue
        late = [d.marks.places for d in each.documents if isinstance(d.marks.places, LatePlaces)]
        rows = [(d.kind, d.name, d.values, *as_plain(d.marks.places), d.sound) for d in each.documents]
        with suppress(ValueError):  # a value that `parse` made is no plain one
            plain[each.path] = (late[0].source.data if late else None, marshal.dumps(rows))
    return marshal.dumps(plain)


def as_plain(places: Places) -> tuple[Places, int | None]:
    """All places and no number; or those at the top, and the number of their document in its file."""
    return (places.top, places.number) if isinstance(places, LatePlaces) else (places, None)


def unpacked(data: bytes | None) -> dict[str, FileRead]:
    """By path; nothing where the other process failed. It is a copy of this one, so that its bytes can be trusted."""
    plain: dict[str, tuple[bytes, bytes]] = marshal.loads(data) if data else {}  # noqa: S302
    return {path: file_of(Source(path, source), rows) for path, (source, rows) in plain.items()}


def file_of(source: Source, rows: bytes) -> FileRead:
    documents = []
    for kind, name, values, found, number, sound in marshal.loads(rows):  # noqa: S302
        places = found if number is None else LatePlaces(source, number, found)
        documents.append(Document(kind, name, NO_NODE, values, Positions(source.path, places), sound=sound))
    return FileRead(source.path, documents, [])
