"""Files in which a merge of git was left unresolved."""

from __future__ import annotations

import re

MARKER = re.compile(r"^(?:<{7}|>{7}|\|{7})[ \t]\S", re.MULTILINE)
"""How git begins the first and the last line of a conflict, and the common ancestor in between."""
RULE = "merge-conflict"
MESSAGE = "unresolved merge conflict of git"
HINT = "keep the version that you want, and remove the lines that start with <<<<<<<, ======= and >>>>>>>"


def find_conflict(text: str) -> int | None:
    """The offset of the first line that git wrote, if there is one."""
    if "<<<<<<<" not in text and ">>>>>>>" not in text:
        return None
    found = MARKER.search(text)
    return None if found is None else found.start()
