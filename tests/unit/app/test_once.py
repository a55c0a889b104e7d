"""A small file is read once and a large one each time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import BinaryIO

from notifyctl.app.cached_files import MOST, SMALL, CachedFiles
from notifyctl.testing import MemoryFiles


class Counting:
    def __init__(self, files: MemoryFiles) -> None:
        self.files = files
        self.read_of: Counter[str] = Counter()

    def paths(self) -> Sequence[str]:
        self.read_of["paths"] += 1
        return self.files.paths()

    def read(self, path: str) -> bytes:
        self.read_of[path] += 1
        return self.files.read(path)

    def open(self, path: str) -> BinaryIO:
        self.read_of[path] += 1
        return self.files.open(path)

    def on_disk(self, path: str) -> str | None:
        return None


def test_a_small_file_is_read_once_and_a_large_one_each_time() -> None:
    below = Counting(MemoryFiles({"small.yaml": b"a: b", "large.yaml": b"x" * (SMALL + 1)}))
    files = CachedFiles(below)
    for _ in range(3):
        assert files.read("small.yaml") == b"a: b"
        assert len(files.read("large.yaml")) == SMALL + 1
        assert files.paths() == ["large.yaml", "small.yaml"]
    assert below.read_of == {"small.yaml": 1, "large.yaml": 3, "paths": 1}


def test_what_is_kept_is_bounded_together() -> None:
    names = [f"{number}.yaml" for number in range(MOST // SMALL + 2)]
    below = Counting(MemoryFiles(dict.fromkeys(names, b"x" * SMALL)))
    files = CachedFiles(below)
    for name in [*names, *names]:
        files.read(name)
    assert sum(count == 2 for count in below.read_of.values()) == 2


def test_a_stream_counts_as_reading() -> None:
    below = Counting(MemoryFiles({"small.yaml": b"a: b", "large.yaml": b"xy" * SMALL}))
    files = CachedFiles(below)
    for _ in range(2):
        for name in ("small.yaml", "large.yaml"):
            with files.open(name) as stream:
                assert stream.read() == below.files.read(name)
    assert files.read("small.yaml") == b"a: b"
    assert below.read_of == {"small.yaml": 1, "large.yaml": 2}
