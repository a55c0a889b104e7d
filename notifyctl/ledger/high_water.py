"""High-water marks: which ledger was last written at a path, and how many facts it had. Kept apart from the ledger.

A ledger that was deleted, restored from a backup or copied does not know what was sent since, and people would get
everything again. A mark is a small JSON file in the user's state folder, one for each path of a ledger.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from notifyctl.errors import LedgerError
from notifyctl.ledger.database import sync_folder


class HighWaterMark(Struct, frozen=True):
    """`serial` is the number of facts when the ledger at the path `place` was last written."""

    lineage: str
    serial: int
    place: str


class HighWaterMarks(Struct, frozen=True):
    """The marks of this user. `folder` need not exist."""

    folder: Path

    def get(self, place: Path) -> HighWaterMark | None:
        """The mark of the ledger that is, or was, at `place`. Raises LedgerError if it cannot be read."""
        return read_mark(self._file(place))

    def all(self) -> list[HighWaterMark]:
        """The marks of every ledger that this user wrote on this machine."""
        marks = (read_mark(file) for file in sorted(self.folder.glob("*.json")))
        return [mark for mark in marks if mark is not None]

    def set(self, place: Path, lineage: str, serial: int) -> None:
        """Writes a mark, durable on return. Raises LedgerError if it cannot be written."""
        file = self._file(place)
        temporary = file.with_name(f"{file.name}.{os.getpid()}.new")
        data = {"lineage": lineage, "serial": serial, "place": str(place.absolute())}
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with temporary.open("w", encoding="utf-8") as stream:
                json.dump(data, stream)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(file)
            sync_folder(self.folder)
        except OSError as error:
            raise LedgerError(
                f"the mark of the ledger cannot be written: {file}: {error.strerror}",
                hint="make room there, or set XDG_STATE_HOME to a folder that this user can write",
            ) from error

    def forget_others(self, place: Path, lineage: str) -> None:
        """Removes the marks of this ledger at other paths."""
        for mark in self.all():
            if mark.lineage == lineage and mark.place != str(place.absolute()):
                self._file(Path(mark.place)).unlink(missing_ok=True)

    def _file(self, place: Path) -> Path:
        return self.folder / f"{sha256(str(place.absolute()).encode()).hexdigest()[:32]}.json"


def read_mark(file: Path) -> HighWaterMark | None:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        return HighWaterMark(str(data["lineage"]), int(data["serial"]), str(data["place"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LedgerError(
            f"the mark of the ledger cannot be read: {file}",
            hint="`notifyctl ledger adopt` writes it anew, once you have made sure that the ledger is the right one",
        ) from error


def refuse_missing(mark: HighWaterMark | None, place: Path, environment: str) -> None:
    """Raises LedgerError if `mark` says that there was a ledger."""
    if mark is not None:
        raise LedgerError(
            f"the ledger {place} is lost: this machine wrote {mark.serial:,} facts to it (lineage {mark.lineage})",
            hint=f"put it back from a backup, then `notifyctl -e {environment} ledger adopt`; a new ledger would send"
            " everything again",
        )


def refuse_unexpected(marks: Sequence[HighWaterMark], place: Path, *, lineage: str, serial: int) -> None:
    """Raises LedgerError if the ledger at `place` is not the one last written there, is behind it, or is a copy."""
    here = str(place.absolute())
    adopt = (
        f"`notifyctl -e {place.stem} ledger adopt`, once you have made sure that nobody gets anything twice"
    )
    mark = next((mark for mark in marks if mark.place == here), None)
    if mark is not None and mark.lineage != lineage:
        raise LedgerError(
            f"another ledger lies at {place}: lineage {lineage}, and {mark.lineage} was last written here",
            hint=adopt,
        )
    for other in marks:
        if other.lineage != lineage:
            continue
        if other.serial > serial:
            where = "here" if other.place == here else f"at {other.place}"
            raise LedgerError(
                f"the ledger {place} was put back from a backup, or is a copy: {other.serial - serial:,} facts that were"
                f" written {where} are not in it; people may have been sent to since",
                hint=adopt,
            )
        if other.place != here and Path(other.place).exists():
            raise LedgerError(
                f"the ledger {place} is a copy: the same one lies at {other.place}; two of them cannot know of each"
                " other's sends",
                hint=f"work with one of them and remove the other; or {adopt}",
            )
