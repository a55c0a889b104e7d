"""Indents by two columns per level, lists two columns in from their key; removes trailing blanks.

Lines that are not entries of a block (long scalars, brackets, comments) move with the entry they belong to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from notifyctl.fmt.outline import Block, Leaf, Outline

STEP = 2
BLOCK_SCALARS = ("|", ">")


def indent(lines: Sequence[str], outline: Outline) -> list[str]:
    """Returns the reindented lines, as many as before."""
    return Indenter(lines, outline).indent_lines()


class Indenter:
    """Computes new columns for the lines of a file. `targets`: block → its new column."""

    def __init__(self, lines: Sequence[str], outline: Outline) -> None:
        self.lines = lines
        self.outline = outline
        self.targets: dict[Block, int] = {}
        self.heads: dict[int, list[Block]] = {}
        """Line → the blocks with an entry that starts there, outermost first."""
        for root in outline.documents:
            self.place_block(root, 0)
        self.continuations = {
            number: (leaf, block)
            for leaf, block in outline.spans
            for number in range(leaf.line + 1, leaf.last + 1)
        }

    def place_block(self, node: Block | Leaf, target: int) -> None:
        if isinstance(node, Leaf):
            return
        self.targets[node] = target
        for entry in node.entries:
            self.heads.setdefault(entry.line, []).append(node)
            self.place_block(entry.value, target + STEP)

    def indent_lines(self) -> list[str]:
        comments = self.comment_columns()
        return [self.indent_line(number, comments) for number in range(len(self.lines))]

    def indent_line(self, number: int, comments: Mapping[int, int]) -> str:
        line = self.lines[number]
        if number in self.continuations:
            line = self.shift_line(line, number)
        elif number in self.heads:
            line = self.indent_entry(line, self.heads[number])
        elif number in comments:
            line = " " * comments[number] + line.lstrip(" \t")
        # Trailing blanks inside a scalar can be text.
        text_follows = number + 1 in self.outline.scalars or self.in_block_scalar(number)
        return line if text_follows else line.rstrip(" \t")

    def in_block_scalar(self, number: int) -> bool:
        leaf = self.continuations[number][0] if number in self.continuations else None
        return leaf is not None and leaf.style in BLOCK_SCALARS

    def indent_entry(self, line: str, heads: Sequence[Block]) -> str:
        prefix = ""
        for block in heads:
            prefix = prefix.ljust(self.targets[block]) + ("-" if block.sequence else "")
        inmost = heads[-1]
        rest = line[inmost.column :]
        return prefix + (" " + rest[1:].lstrip(" \t") if inmost.sequence else rest)

    def shift_line(self, line: str, number: int) -> str:
        """Moves a continuation line of a scalar or of brackets. Block scalars are relative to their block, other
        values to their first line.
        """
        leaf, block = self.continuations[number]
        if block is None or not line:
            return line
        shift, floor = self.targets[block] - block.column, 0
        column = len(line) - len(line.lstrip(" "))
        if leaf.style not in BLOCK_SCALARS:
            inside = column > block.column  # lines in brackets need no indentation
            floor = self.targets[block] + 1 if inside else min(column, self.targets[block] + 1)
            if block.sequence and block in self.heads.get(leaf.line, ()):  # the value follows its dash
                shift = self.targets[block] + STEP - leaf.column
        return " " * max(column + shift, floor) + line[column:]

    def comment_columns(self) -> dict[int, int]:
        """Returns line → new column of each comment-only line. A comment moves with the block at its column."""
        columns: dict[int, int] = {}
        above: Block | None = None
        behind_scalar = False
        waiting: dict[int, bool] = {}
        for number, line in enumerate(self.lines):
            heads = self.heads.get(number)
            if number in self.continuations:
                behind_scalar = self.in_block_scalar(number)
            elif heads or line.startswith(("---", "...")):
                below = heads[0] if heads else None
                columns |= self.place_comments(waiting, above, below)
                waiting, behind_scalar = {}, False
                above = heads[-1] if heads else None
            elif line.lstrip(" \t").startswith("#"):
                waiting[number] = behind_scalar
        return columns | self.place_comments(waiting, above, None)

    def place_comments(
        self, numbers: Mapping[int, bool], above: Block | None, below: Block | None
    ) -> dict[int, int]:
        """Returns the new columns of the comments between two entries.

        `numbers`: line → whether a block scalar precedes it. After a block scalar, a comment indented further than
        its block would become part of the scalar, so it moves to the block's column.
        """
        open_blocks = [*ancestors(below)[:1], *ancestors(above), *ancestors(below)]
        columns: dict[int, int] = {}
        for number, behind_scalar in numbers.items():
            line = self.lines[number]
            column = len(line) - len(line.lstrip(" \t"))
            fitting = [block for block in open_blocks if block.column <= column]
            if fitting:
                nearest = max(fitting, key=lambda block: block.column)
                columns[number] = self.targets[nearest] + (0 if behind_scalar else column - nearest.column)
            else:
                columns[number] = min([column, *(self.targets[block] for block in open_blocks)])
        return columns


def ancestors(block: Block | None) -> list[Block]:
    """Returns the block and its ancestors, innermost first."""
    blocks: list[Block] = []
    while block is not None:
        blocks.append(block)
        block = block.parent
    return blocks
