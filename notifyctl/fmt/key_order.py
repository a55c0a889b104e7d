"""Sorts keys into their declared order: apiVersion, kind, name, then as listed in docs/reference/files.md.

An entry moves with all its lines, including comments above, beside and inside it and the blank line before it. A
mapping keeps its order if a comment's owner is ambiguous, or if the order matters (anchors).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from msgspec import Struct

from notifyctl.config.fields import Cases, Either, Items, Record, Shape, Table
from notifyctl.fmt.outline import Block, Leaf, Outline

MODELINE = "yaml-language-server:"
"""A comment for editors, which stays on the first line."""


class Move(Struct, frozen=True):
    """The new order of a mapping's entries. `starts`: first line of each entry in file order; `end`: line after the
    last entry.

    `order` lists the entries in their new order. `column` is that of the keys.
    """

    starts: tuple[int, ...]
    end: int
    order: tuple[int, ...]
    column: int


def order_keys(lines: Sequence[str], outline: Outline, kinds: Mapping[str, Shape]) -> list[str]:
    """Returns the lines with each mapping's keys in order, as many as before."""
    result = list(lines)
    if outline.anchors or outline.open_ended:
        return result
    moves = [move for root in outline.documents for move in document_moves(result, root, kinds)]
    for move in reversed(moves):  # innermost first: a move changes no line number outside its own lines
        result[move.starts[0] : move.end] = rearrange(result, move)
    return result


def document_moves(lines: Sequence[str], root: Block | Leaf, kinds: Mapping[str, Shape]) -> Iterator[Move]:
    kind = root.get("kind") if isinstance(root, Block) else None
    if isinstance(kind, Leaf) and kind.text in kinds:
        yield from find_moves(lines, root, kinds[kind.text])


def find_moves(lines: Sequence[str], node: Block | Leaf, shape: Shape) -> Iterator[Move]:
    """Yields the moves in a value of this shape, outer mappings first."""
    if isinstance(node, Leaf):
        return
    if isinstance(shape, Either):
        shape = shape.mapping
    if isinstance(shape, Cases):
        chooser = node.get(shape.by)
        chosen = shape.cases.get(chooser.text) if isinstance(chooser, Leaf) else None
        yield from find_moves(lines, node, chosen) if chosen is not None else ()
    elif isinstance(shape, Record) and not node.sequence:
        yield from record_moves(lines, node, shape)
    elif isinstance(shape, Items) and not node.sequence:  # a single item in place of a list
        yield from find_moves(lines, node, shape.item)
    elif isinstance(shape, Table | Items):
        inner = shape.value if isinstance(shape, Table) else shape.item
        for entry in node.entries:
            yield from find_moves(lines, entry.value, inner)


def record_moves(lines: Sequence[str], block: Block, shape: Record) -> Iterator[Move]:
    rank_by_key = {
        name: rank for rank, each in enumerate(shape.fields) for name in (each.name, *each.aliases)
    }
    ranks = [rank_by_key.get(entry.key, -1) for entry in block.entries]
    order = tuple(sorted(range(len(ranks)), key=lambda number: ranks[number]))
    if -1 not in ranks and list(order) != sorted(order):
        yield from split_entries(lines, block, order)
    for entry in block.entries:
        field = shape.find_field(entry.key)
        if field is not None:
            yield from find_moves(lines, entry.value, field.shape)


def split_entries(lines: Sequence[str], block: Block, order: tuple[int, ...]) -> Iterator[Move]:
    """Yields the move, or nothing if a comment could be misplaced."""
    first, entries = block.line, block.entries
    on_dash = bool(lines[first][: block.column].strip())
    headed = not on_dash and first > 0 and is_comment(lines[first - 1]) and MODELINE not in lines[first - 1]
    starts = [first]
    for above, below in pairwise(entries):
        starts.append(end_of_comments(lines, above.value, block, range(above.last + 1, below.line)))
    end = end_of_comments(lines, entries[-1].value, block, range(block.last + 1, len(lines)), trailing=True)
    new_first = order[0]
    leads = lines[starts[new_first] : entries[new_first].line]
    if new_first and (headed or (on_dash and any(leads))):
        return
    yield Move(tuple(starts), end, order, block.column)


def end_of_comments(
    lines: Sequence[str], value: Block | Leaf, block: Block, gap: range, *, trailing: bool = False
) -> int:
    """Returns the end of an entry's own comments in the gap after it: those indented further than the keys, and those
    directly below it that are followed by a blank line. `trailing`: the entry is the mapping's last.
    """
    end = gap.start
    for number in gap:
        line = lines[number]
        if line and not is_comment(line):
            break
        inside = isinstance(value, Block) and is_comment(line) and indentation(line) > block.column
        if inside:
            end = number + 1
    if trailing or end == gap.stop:
        return end
    below = end
    while below < gap.stop and is_comment(lines[below]):
        below += 1
    return below if below < gap.stop else end


def rearrange(lines: Sequence[str], move: Move) -> list[str]:
    chunks = [list(lines[a:b]) for a, b in zip(move.starts, (*move.starts[1:], move.end), strict=True)]
    head = chunks[0][0][: move.column]
    chunks[0][0] = " " * move.column + chunks[0][0][move.column :]
    reordered = [chunks[number] for number in move.order]
    while not reordered[0][0]:  # a blank line stays between two entries
        reordered[1].insert(0, reordered[0].pop(0))
    reordered[0][0] = head + reordered[0][0][move.column :] if head.strip() else reordered[0][0]
    return [line for chunk in reordered for line in chunk]


def is_comment(line: str) -> bool:
    return line.lstrip(" \t").startswith("#")


def indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
