"""How a plain file is written: found out by one look at its bytes, before the engine reads it."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import BinaryIO

from msgspec import Struct

__all__ = ["STRANGE", "Shape", "shape_of"]

SCAN = 1 << 22
"""Bytes that are looked at together."""
STRANGE = (b"\t", b"\v", b"\f", b"\x1c", b"\x1d", b"\x1e", b"\x1f")
COMMON = bytes({10, 13, *range(32, 127)} - set(b'"[\\]^`{|}~'))
"""ASCII that neither JSON nor any alphabet of SMS has in a way of its own. Line ends are in no cell of a plain file."""


class Shape(Struct, frozen=True):
    """How a plain file is written."""

    ends: str
    """The line ends, as `read_csv` names them."""
    strange: bool
    """Whether there are other ASCII spaces than the usual one."""
    beyond_ascii: bool
    peculiar: bool
    """Whether there is a character that is not COMMON."""


def shape_of(opened: Callable[[], BinaryIO]) -> Shape | None:
    """None for a file that only the row-wise reader can be right about."""
    returns = ends = 0
    bare = strange = beyond = peculiar = False
    decoder = codecs.getincrementaldecoder("utf-8")()
    with opened() as stream:
        while piece := stream.read(SCAN):
            if b"\r" in piece:
                returns += piece.count(b"\r")
                ends += piece.count(b"\n")
            else:
                bare = bare or b"\n" in piece
            left = piece.translate(None, COMMON)
            if any(mark in left for mark in (b'"', b"\0", b"\x01")):
                return None
            peculiar = peculiar or bool(left)
            strange = strange or any(space in left for space in STRANGE)
            if not left.isascii() or decoder.getstate()[0]:
                beyond = True
                try:
                    decoder.decode(piece)
                except UnicodeDecodeError:
                    return None
    if decoder.getstate()[0] or (returns and (bare or returns != ends)):
        return None
    return Shape(r"\r\n" if returns else r"\n", strange, beyond, peculiar)
