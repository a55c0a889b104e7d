"""JSON in which no object has a key twice: readers differ in which of its values counts."""

from __future__ import annotations

import json
from typing import Any


def parse(data: str | bytes) -> Any:
    """The value. Raises ValueError for what is not JSON, has a key twice or nests too deeply."""
    try:
        return json.loads(data, object_pairs_hook=refuse_duplicates)
    except RecursionError as error:
        raise ValueError("the JSON nests too deeply") from error


def refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of its members. Raises ValueError if a key occurs twice."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a key occurs twice")
    return members
