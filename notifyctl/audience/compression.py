"""A file of an audience as bytes that can be read: gzip and zstd are unpacked on the way, in constant memory and with a bound."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable
from functools import partial
from io import SEEK_END
from posixpath import splitext
from typing import Any, BinaryIO

from notifyctl.ports import FileTree

MOST_RATIO = 250
"""Times its size that a file may unpack to. A bomb packs a thousand times smaller."""
FREE = 64 << 20
"""Bytes that any file may unpack to."""


class TableError(Exception):
    """The source as a whole cannot be read."""


def without_compression_suffix(path: str) -> str:
    """The name without the suffix of what packed it, which tells what is inside."""
    start, suffix = splitext(path)
    return start if suffix.lower() in PACKED else path


def opener(files: FileTree, path: str) -> Callable[[], BinaryIO]:
    """Opens the file's bytes from the top, unpacked."""
    opened = partial(files.open, path)
    unpack = PACKED.get(splitext(path)[1].lower())
    return opened if unpack is None else partial(decompress, opened, unpack)


def decompress(opened: Callable[[], BinaryIO], unpack: Callable[[BinaryIO], BinaryIO]) -> BinaryIO:
    return io.BufferedReader(DecompressedStream(opened(), unpack))


class DecompressedStream(io.RawIOBase):
    """The bytes inside of a packed stream, which it owns. Reading raises TableError where it is damaged, or a bomb."""

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
            raise TableError(
                f"it is damaged, or packed in another way than its name says: {error}"
            ) from error
        except Exception as error:
            if type(error).__name__ != "ZstdError":  # its module may not be there to be named
                raise
            raise TableError(
                f"it is damaged, or packed in another way than its name says: {error}"
            ) from error
        self._read += len(piece)
        if self._read > self._most:
            raise TableError(
                f"it unpacks to more than {MOST_RATIO} times its size; unpack it, and see what it is"
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
