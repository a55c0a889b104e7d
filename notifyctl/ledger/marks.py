"""The high-water mark of a ledger, kept apart from it: which ledger was last written here, and how far it had come.

A ledger that was deleted, put back from a backup or copied elsewhere does not remember what it was sent since; people
would get everything again. The mark lies in the user's state folder, one small file for each place of a ledger.
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


class Mark(Struct, frozen=True):
    """`serial` is the number of facts when the ledger at `place` was last written."""

    lineage: str
    serial: int
    place: str


class Marks(Struct, frozen=True):
    """All marks of this user. `folder` need not exist."""

    folder: Path

    def at(self, place: Path) -> Mark | None:
        """The mark of the ledger that lies, or lay, at `place`. Raises LedgerError when it cannot be read."""
        return read(self._file(place))

    def all(self) -> list[Mark]:
        """Of every ledger that was written on this machine by this user."""
        found = (read(file) for file in sorted(self.folder.glob("*.json")))
        return [mark for mark in found if mark is not None]

    def set(self, place: Path, lineage: str, serial: int) -> None:
        """Durable when it returns. Raises LedgerError when it cannot be written."""
        file = self._file(place)
        aside = file.with_name(f"{file.name}.{os.getpid()}.new")
        data = {"lineage": lineage, "serial": serial, "place": str(place.absolute())}
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with aside.open("w", encoding="utf-8") as stream:
                json.dump(data, stream)
                stream.flush()
                os.fsync(stream.fileno())
            aside.replace(file)
            sync_folder(self.folder)
        except OSError as error:
            raise LedgerError(
                f"the mark of the ledger cannot be written: {file}: {error.strerror}",
                hint="make room there, or set XDG_STATE_HOME to a folder that this user can write",
            ) from error

    def forget_others(self, place: Path, lineage: str) -> None:
        """Leave `place` the only one where this ledger is thought to lie."""
        for mark in self.all():
            if mark.lineage == lineage and mark.place != str(place.absolute()):
                self._file(Path(mark.place)).unlink(missing_ok=True)

    def _file(self, place: Path) -> Path:
        return self.folder / f"{sha256(str(place.absolute()).encode()).hexdigest()[:32]}.json"


def read(file: Path) -> Mark | None:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        return Mark(str(data["lineage"]), int(data["serial"]), str(data["place"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LedgerError(
            f"the mark of the ledger cannot be read: {file}",
            hint="`notifyctl ledger adopt` writes it anew, once you have made sure that the ledger is the right one",
        ) from error


def refuse_missing(mark: Mark | None, place: Path, environment: str) -> None:
    """Raises LedgerError where there was a ledger once."""
    if mark is not None:
        raise LedgerError(
            f"the ledger {place} is lost: this machine wrote {mark.serial:,} facts to it (lineage {mark.lineage})",
            hint=f"put it back from a backup, then `notifyctl -e {environment} ledger adopt`; a new ledger would send"
            " everything again",
        )


def refuse_strange(marks: Sequence[Mark], place: Path, *, lineage: str, serial: int) -> None:
    """Raises LedgerError where the ledger at `place` is not the one that was last written here, or is behind it."""
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
