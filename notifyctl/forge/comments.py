"""What becomes of a comment: made, updated, left. Pure: the comments that are there in, a decision out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

MARKER = re.compile(
    r"<!-- notifyctl:plan env=(?P<env>\S+) digest=(?P<digest>\S+) at=(?P<at>[0-9T:.+Z-]+) -->"
)
TIMES = re.compile(r" · as of [^,\n]+, valid until [^\n]+")


class Verb(StrEnum):
    CREATE = "created"
    UPDATE = "updated"
    EQUAL = "left: it says the same"
    STALE = "left: a newer plan is there"


class Comment(Struct, frozen=True):
    id: str
    body: str


class Decision(Struct, frozen=True):
    verb: Verb
    comment: Comment | None = None


def decide(body: str, there: Iterable[Comment]) -> Decision:
    """`body` begins with its marker. A comment belongs to one environment; an older plan never replaces a newer one."""
    ours = MARKER.search(body)
    assert ours is not None, "the body of a plan begins with its marker"
    for comment in there:
        theirs = MARKER.search(comment.body)
        if theirs is None or theirs["env"] != ours["env"]:
            continue
        if moment(theirs["at"]) > moment(ours["at"]):
            return Decision(Verb.STALE, comment)
        same = without_times(comment.body) == without_times(body)
        return Decision(Verb.EQUAL if same else Verb.UPDATE, comment)
    return Decision(Verb.CREATE)


def moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return datetime.fromisoformat("0001-01-01T00:00:00+00:00")


def without_times(body: str) -> str:
    """Without the times in it, and as forges keep it: their own line ends, no space at the end."""
    text = TIMES.sub("", MARKER.sub("", body))
    return "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").strip().splitlines())
