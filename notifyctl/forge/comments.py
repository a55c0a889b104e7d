"""Decides whether the comment is made, updated or left. Pure: the comments that are there in, a decision out.

A comment is ours if our account wrote it and it begins with our marker. Others can write a marker too, so one in the
comment of another account, or further down in a text, means nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from notifyctl.plan.comment_marker import MARKER, same_subject

TIMES = re.compile(r" · as of [^,\n]+, valid until [^\n]+")


class Verb(StrEnum):
    CREATE = "created"
    UPDATE = "updated"
    EQUAL = "left: it says the same"
    STALE = "left: a newer plan is there"
    NONE = "not made"


class Comment(Struct, frozen=True):
    """`author`: the account's name; None if the forge does not give it."""

    id: str
    body: str
    author: str | None = None


class Decision(Struct, frozen=True):
    verb: Verb
    comment: Comment | None = None


def decide(body: str, there: Iterable[Comment], *, account: str, create: bool = True) -> Decision:
    """What to do so that `body`, which begins with its marker, is said once. An older plan never replaces a newer one.

    `account`: the name of our own. Without `create`, only a comment that exists is brought up to date.
    """
    ours = MARKER.match(body)
    assert ours is not None, "the body of a plan begins with its marker"
    for comment in there:
        theirs = MARKER.match(comment.body.lstrip()) if comment.author == account else None
        if theirs is None or not same_subject(theirs, ours, comment.body):
            continue
        if moment(theirs["at"]) > moment(ours["at"]):
            return Decision(Verb.STALE, comment)
        same = without_times(comment.body) == without_times(body)
        return Decision(Verb.EQUAL if same else Verb.UPDATE, comment)
    return Decision(Verb.CREATE if create else Verb.NONE)


def moment(text: str) -> datetime:
    """A time with an offset; what is none is earlier than all."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        return datetime.fromisoformat("0001-01-01T00:00:00+00:00")
    return found


def without_times(body: str) -> str:
    """Without the times in it, and as forges keep it: their own line ends, no space at the end."""
    text = TIMES.sub("", MARKER.sub("", body))
    return "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").strip().splitlines())
