"""Opens audience files, and decompresses gzip and zstd in constant memory up to a limit."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable
from functools import partial
from io import SEEK_END
from posixpath import splitext
from typing import Any, BinaryIO

from notifyctl import merge_conflicts
from notifyctl.ports import FileTree

MOST_RATIO = 250
"""Highest ratio of decompressed to compressed size. That of a decompression bomb is about 1,000."""
FREE = 64 << 20
"""Decompressed bytes that are allowed whatever the ratio."""


class TableError(Exception):
    """The source as a whole cannot be read. Line and column of a file count from 1; 0 where the fault has no place in it.

    `in_row`: a row there is wrong, and what it means for those below it is not known.
    """

    rule = "unreadable-file"

    def __init__(
        self, message: str, *, line: int = 0, column: int = 1, hint: str | None = None, in_row: bool = False
    ) -> None:
        super().__init__(message)
        self.line, self.column = line, column
        self.hint = hint
        self.in_row = in_row


class ConflictError(TableError):
    """The file has an unresolved merge conflict."""

    rule = merge_conflicts.RULE

    def __init__(self, line: int) -> None:
        super().__init__(merge_conflicts.MESSAGE, line=line, hint=merge_conflicts.HINT)


def without_compression_suffix(path: str) -> str:
    """The path without `.gz` or `.zst`, so that it ends with the suffix of the format."""
    start, suffix = splitext(path)
    return start if suffix.lower() in PACKED else path


def opener(files: FileTree, path: str) -> Callable[[], BinaryIO]:
    """A function that opens the file from its start, decompressed."""
    opened = partial(files.open, path)
    unpack = PACKED.get(splitext(path)[1].lower())
    return opened if unpack is None else partial(decompress, opened, unpack)


def decompress(opened: Callable[[], BinaryIO], unpack: Callable[[BinaryIO], BinaryIO]) -> BinaryIO:
    return io.BufferedReader(DecompressedStream(opened(), unpack))


class DecompressedStream(io.RawIOBase):
    """A decompressed stream, which owns the compressed one. Reading raises TableError if it is damaged or too large."""

    def __init__(self, packed: BinaryIO, unpack: Callable[[BinaryIO], BinaryIO]) -> None:
        self._packed = packed
        self._most = max(packed.seek(0, SEEK_END) * MOST_RATIO, FREE)
        packed.seek(0)
        self._inside = unpack(packed)
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int:
        try:
            piece = self._inside.read(len(room))
        except (OSError, EOFError, zlib.error, ValueError) as error:
            raise TableError(f"it is damaged, or its compression does not match its name: {error}") from error
        except Exception as error:
            if type(error).__name__ != "ZstdError":  # the module may not be installed
                raise
            raise TableError(f"it is damaged, or its compression does not match its name: {error}") from error
        self._read += len(piece)
        if self._read > self._most:
            raise TableError(
                f"it decompresses to more than {MOST_RATIO} times its size; decompress it, and check what it is"
            )
        room[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        if not self.closed:
            self._inside.close()
            self._packed.close()
        super().close()


def from_gzip(packed: BinaryIO) -> BinaryIO:
    return gzip.GzipFile(fileobj=packed, mode="rb")  # type: ignore[return-value]


def from_zstd(packed: BinaryIO) -> BinaryIO:
    try:
        try:
            from compression import zstd  # type: ignore[import-not-found,unused-ignore]  # Python 3.14
        except ImportError:
            from backports import zstd
    except ImportError as error:
        raise TableError(
            "reading zstd needs a library before Python 3.14: pip install 'notifyctl[zstd]'"
        ) from error
    opened: BinaryIO = zstd.ZstdFile(packed, mode="rb")
    return opened


PACKED: dict[str, Callable[[BinaryIO], BinaryIO]] = {".gz": from_gzip, ".zst": from_zstd}
