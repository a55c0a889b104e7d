"""A source that a columnar engine can read by itself: where it is, and what its columns mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from msgspec import Struct

from notifyctl.audience.rows import Rules
from notifyctl.audience.tables import UTF_8
from notifyctl.errors import ProjectError
from notifyctl.model.project import ChannelName

if TYPE_CHECKING:
    from notifyctl.audience.where import Condition


class PlainFile(Struct, frozen=True):
    """A source that the engine can read by itself, or in pieces."""

    paths: Sequence[str]
    """On disk; several of Parquet only. None: the engine cannot read it from there."""
    name: str
    """In the project."""
    header: Sequence[str]
    columns: Mapping[str, str]
    """Our names → the source's."""
    variables: Mapping[str, str]
    rules: Rules
    open: Callable[[], BinaryIO]
    """Its bytes, unpacked."""
    wrong: Callable[[Exception], ProjectError]
    """What is told of a TableError while it is read, or of a ValueError of its `where`."""
    in_pieces: Callable[[Any, PlainFile, ChannelName], bool]
    """Reads it into a roster of `columns` where the engine cannot. False: nor can this."""
    delimiter: str | None = ","
    """None: Parquet."""
    where: Condition | None = None
    encoding: str = UTF_8
