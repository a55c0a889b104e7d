"""A FileTree that caches small files, because lint reads each YAML file for its values and again for its comments."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import BinaryIO

from notifyctl.ports import FileTree

SMALL, MOST = 64 << 10, 16 << 20
"""Largest size in bytes of a cached file, and of all cached files together."""


class CachedFiles:
    """Implements ports.FileTree over another one, which must not change in the meantime."""

    def __init__(self, files: FileTree) -> None:
        self._files = files
        self._paths: Sequence[str] | None = None
        self._kept: dict[str, bytes] = {}
        self._left = MOST

    def paths(self) -> Sequence[str]:
        if self._paths is None:
            self._paths = self._files.paths()
        return self._paths

    def read(self, path: str) -> bytes:
        data = self._kept.get(path)
        if data is None:
            data = self._files.read(path)
            self._keep(path, data)
        return data

    def open(self, path: str) -> BinaryIO:
        data = self._kept.get(path)
        if data is not None:
            return BytesIO(data)
        stream = self._files.open(path)
        data = stream.read(SMALL + 1)
        if not self._keep(path, data):
            stream.seek(0)
            return stream
        stream.close()
        return BytesIO(data)

    def _keep(self, path: str, data: bytes) -> bool:
        """Cache the data unless it is too large; whether it was cached."""
        if len(data) > min(SMALL, self._left):
            return False
        self._kept[path] = data
        self._left -= len(data)
        return True

    def on_disk(self, path: str) -> str | None:
        return self._files.on_disk(path)
