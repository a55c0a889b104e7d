"""High-water marks: which ledger was last written at a path, and how many facts it had. Kept apart from the ledger.

A ledger that was deleted, restored from a backup or copied does not know what was sent since, and people would get
everything again. A mark is a small JSON file in the user's state folder, one for each path of a ledger. A run raises it
after each ARM, so its record has a fixed length and is overwritten in place, with a check sum.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from msgspec import Struct

from notifyctl import strict_json
from notifyctl.command_line import command_line
from notifyctl.errors import LedgerError, UnseenLedgerError
from notifyctl.ledger.sqlite.database import sync_folder
from notifyctl.ledger.sqlite.lock import hold_file
from notifyctl.plurals import pluralise

STATE_VARIABLE = "NOTIFYCTL_STATE_DIR"
SUM_DIGITS = 16
MAX_BYTES = 65_536


class HighWaterMark(Struct, frozen=True, forbid_unknown_fields=True):
    """`serial` is the number of facts when the ledger at the path `place` was last written."""

    lineage: str
    serial: int
    place: str


class CheckedMark(Struct, frozen=True, forbid_unknown_fields=True):
    """A mark as it lies in its file; marks of earlier versions have no `check`."""

    lineage: str
    place: str
    serial: int
    check: str


class HighWaterMarks(Struct, frozen=True):
    """The marks of this user. `folder` need not exist."""

    folder: Path

    def get(self, place: Path) -> HighWaterMark | None:
        """The mark of the ledger that is, or was, at `place`. Raises LedgerError if it cannot be read."""
        return read_mark(self._file(place))

    def all(self) -> list[HighWaterMark]:
        """The marks of every ledger that this user wrote on this machine."""
        try:
            files = sorted(self.folder.glob("*.json"))
        except OSError as error:
            raise unwritable_mark(self.folder, error) from error
        marks = (read_mark(file) for file in files)
        return [mark for mark in marks if mark is not None]

    def set(self, place: Path, lineage: str, serial: int) -> None:
        """Writes a mark in place of any other, durable on return. Raises LedgerError if it cannot be written."""
        file = self._file(place)
        temporary = file.with_name(f"{file.name}.{os.getpid()}.new")
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(record(lineage, str(place.absolute()), serial))
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(file)
            sync_folder(self.folder)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise unwritable_mark(file, error) from error

    def raising(self, place: Path, lineage: str) -> RaisedMark:
        """The mark of this ledger at this place, to be raised; written first if there is none, or another's.

        Raises LedgerError if it cannot be read or written.
        """
        file = self._file(place)
        known = read_mark(file)
        here = str(place.absolute())
        if known is None or (known.lineage, known.place) != (lineage, here) or not is_checked(file):
            kept = known.serial if known is not None and known.lineage == lineage else 0
            self.set(place, lineage, kept)
        return RaisedMark(file, lineage, here)

    def forget_others(self, place: Path, lineage: str) -> None:
        """Removes the marks of this ledger at other paths."""
        for mark in self._readable():
            if mark.lineage == lineage and mark.place != str(place.absolute()):
                self._file(Path(mark.place)).unlink(missing_ok=True)

    def _readable(self) -> Iterator[HighWaterMark]:
        for file in sorted(self.folder.glob("*.json")):
            with suppress(LedgerError):
                if (mark := read_mark(file)) is not None:
                    yield mark

    def _file(self, place: Path) -> Path:
        return self.folder / f"{sha256(os.fsencode(place.absolute())).hexdigest()[:32]}.json"


class RaisedMark:
    """An open mark that a run raises as it goes. A mark that was replaced meanwhile is left alone: it is another file."""

    def __init__(self, file: Path, lineage: str, place: str) -> None:
        self._file, self._lineage, self._place = file, lineage, place
        try:
            self._descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise unwritable_mark(file, error) from error

    def raise_to(self, serial: int, *, durable: bool = False) -> None:
        """Overwrites the record unless it is as high; `durable`: also against a power cut. Raises LedgerError."""
        data = record(self._lineage, self._place, serial)
        try:
            with hold_file(self._descriptor):
                known = parse_mark(os.pread(self._descriptor, MAX_BYTES, 0))
                if known is None or known.serial < serial:
                    os.pwrite(self._descriptor, data, 0)
            if durable:
                os.fsync(self._descriptor)
        except OSError as error:
            raise unwritable_mark(self._file, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)


def record(lineage: str, place: str, serial: int) -> bytes:
    """The content of a mark's file: JSON, as long for any `serial`, which a check sum follows."""
    head = f'{{"lineage": {json.dumps(lineage)}, "place": {json.dumps(place)}'
    return f'{head}, "serial": {serial:>20}, "check": "{check_sum(serial)}"}}\n'.encode()


def check_sum(serial: int) -> str:
    return sha256(f"facts {serial}".encode()).hexdigest()[:SUM_DIGITS]


def parse_mark(data: bytes) -> HighWaterMark | None:
    """The mark in a file's content, of this version or an earlier one; None if it is neither, or damaged."""
    try:
        document = strict_json.parse(data)
        if isinstance(document, dict) and "check" not in document:
            return msgspec.convert(document, HighWaterMark)
        mark = msgspec.convert(document, CheckedMark)
    except (ValueError, msgspec.MsgspecError):
        return None
    return (
        HighWaterMark(mark.lineage, mark.serial, mark.place) if mark.check == check_sum(mark.serial) else None
    )


def read_mark(file: Path) -> HighWaterMark | None:
    """The mark in a file; None without a file. Raises LedgerError if it cannot be read."""
    try:
        mark = parse_mark(read_record(file))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LedgerError(
            f"the mark of the ledger cannot be read: {file}: {error.strerror}",
            hint=f"give this user the right to read it, or set {STATE_VARIABLE} to the folder where its marks are kept",
        ) from error
    if mark is None:
        raise LedgerError(
            f"the mark of the ledger cannot be read: {file}",
            hint="if it is the mark of another project, move it away and adopt the ledger of that project there. After you"
            f" have verified that this ledger is the right one, write the mark anew. Run: {command_line('ledger', 'adopt')}",
        )
    return mark


def is_checked(file: Path) -> bool:
    """Whether a mark is of this version, so that its record can be overwritten in place."""
    return b'"check"' in read_record(file)


def read_record(file: Path) -> bytes:
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        with hold_file(descriptor, shared=True):
            return os.pread(descriptor, MAX_BYTES, 0)
    finally:
        os.close(descriptor)


def unwritable_mark(file: Path, error: OSError) -> LedgerError:
    return LedgerError(
        f"cannot write the high-water mark of the ledger: {file}: {error.strerror}",
        hint=f"free disk space there, or set {STATE_VARIABLE} to a persistent folder that this user can write to",
    )


def refuse_missing(
    mark: HighWaterMark | None, place: Path, environment: str, *, last_resort: str = ""
) -> None:
    """Raises LedgerError if `mark` says that there was a ledger."""
    if mark is not None:
        raise LedgerError(
            f"ledger {place} is missing: this machine wrote {pluralise(mark.serial, 'record')} to it (ledger ID {mark.lineage})",
            hint=f"restore it from a backup, then run: {command_line('ledger', 'adopt', env=environment)}"
            + (last_resort or ". A new ledger would send everything again"),
        )


def refuse_unexpected(marks: Sequence[HighWaterMark], place: Path, *, lineage: str, serial: int) -> None:
    """Raises LedgerError unless the ledger at `place` is the one last written there or is known from another place.

    It may not be behind its marks, nor a copy, nor one with facts that this machine has never seen.
    """
    here = str(place.absolute())
    adopt = (
        "first make sure that no recipient would be sent a message twice, then run:"
        f" {command_line('ledger', 'adopt', env=place.stem)}"
    )
    mark = next((mark for mark in marks if mark.place == here), None)
    if mark is not None and mark.lineage != lineage:
        raise LedgerError(
            f"ledger {place} has ID {lineage}, but this machine last wrote {mark.lineage} here",
            hint=adopt,
        )
    for other in marks:
        if other.lineage != lineage:
            continue
        if other.serial > serial:
            where = "here" if other.place == here else f"at {other.place}"
            raise LedgerError(
                f"ledger {place} was restored from a backup, or is a copy: {pluralise(other.serial - serial, 'record')} written"
                f" {where} are not in it; recipients may have been sent to since",
                hint=adopt,
            )
        if other.place != here and is_another(Path(other.place), place):
            raise LedgerError(
                f"ledger {place} is a copy: the same ledger is at {other.place}; neither records the sends of the other",
                hint=f"use one of them and remove the other; or {adopt}",
            )
    if serial > FRESH and all(other.lineage != lineage for other in marks):
        raise UnseenLedgerError(
            f"this machine has never used ledger {place} (ledger ID {lineage}, {pluralise(serial, 'record')}): it may be a copy, or"
            " older than the one that was last written elsewhere",
            hint=f"{adopt}\nwithout a terminal, add --ledger {lineage} --facts N, where N is the minimum number of records."
            f" To keep the marks of machines that are new each time, set {STATE_VARIABLE}",
        )


FRESH = 1
"""Facts of a ledger that was made and never written."""


def is_another(one: Path, other: Path) -> bool:
    """Whether a file lies at the first place that is not, by a link, the one at the second."""
    try:
        return not one.samefile(other)
    except OSError:
        return False
