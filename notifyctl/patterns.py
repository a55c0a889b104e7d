"""Regular expressions that are compiled when they are first used: one run needs few of those that the package declares.

To compile one takes from a tenth of a millisecond to two, and `notifyctl lint` on one file passes sixty. `pattern` is
`re.compile` to type checkers, and what it gives has the methods of `re.Pattern`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

__all__ = ["pattern"]


class Pattern:
    """Stands for the compiled expression; from the first use on its methods are the compiled one's own."""

    def __init__(self, text: str, flags: int = 0) -> None:
        self._source = text, flags

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(*self._source)
        for verb in (
            "search",
            "match",
            "fullmatch",
            "finditer",
            "findall",
            "split",
            "sub",
            "subn",
            "pattern",
        ):
            setattr(self, verb, getattr(compiled, verb))
        return getattr(compiled, name)


if TYPE_CHECKING:
    from re import compile as pattern
else:
    pattern = Pattern
