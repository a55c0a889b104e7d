"""Places that are found out late are those that are found at once."""

from __future__ import annotations

from notifyctl.config.nodes import value_positions
from notifyctl.config.positions import LazyPositions, LazySource, top_level_positions
from notifyctl.config.reader import read_documents

DATA = b"a: 1\nb:\n  c: [x, {d: y}]\n  e: ~\n---\n# nothing\n---\n  f: {g: h}\n---\n- i\n"


def late() -> list[tuple[LazyPositions, dict[tuple[str | int, ...], tuple[int, int]]]]:
    source = LazySource("a.yaml", DATA)
    nodes = read_documents(DATA, "a.yaml")[0]
    assert len(nodes) == 3
    return [
        (LazyPositions(source, n, top_level_positions(node)), value_positions(node))
        for n, node in enumerate(nodes)
    ]


def test_the_contents_are_the_same() -> None:
    for found, wanted in late():
        assert found == wanted
        assert list(found) == list(wanted)


def test_single_places() -> None:
    for found, wanted in late():
        for path, place in wanted.items():
            assert path in found
            assert found[path] == place
        for path in (("no",), ("b", "no"), ("b", "c", 7), ("a", 0)):
            assert path not in found
            assert found.get(path) is None


def test_the_file_is_not_read_again_for_what_stands_at_the_top() -> None:
    unreadable = LazyPositions(LazySource("a.yaml", b"{"), 0, {(): (1, 1), ("name",): (2, 7)})
    assert unreadable["name",] == (2, 7)
    assert ("other",) not in unreadable
