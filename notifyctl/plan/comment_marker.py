"""The hidden marker at the beginning of a plan's comment: which plan of which project it is, and of when."""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import quote

from msgspec import Struct

MARKER = re.compile(
    r"<!-- notifyctl:plan (?:project=(?P<project>\S+) in=(?P<folder>\S+) )?"
    r"env=(?P<env>\S+) digest=(?P<digest>\S+) at=(?P<at>[0-9T:.+Z-]+) -->"
)
TITLE = re.compile(r"^## \S+ `(?P<project>[^`\n]+)` · ", re.MULTILINE)
"""The line below the marker. Earlier markers did not name the project; the title did."""
NO_DIGEST = "none"
"""Stands for the digest where there is no plan."""


class Subject(Struct, frozen=True):
    """What a comment is about. `folder`: the project's, relative to the repository; `.` for its root."""

    project: str
    folder: str
    environment: str


def mark(subject: Subject, *, digest: str, at: datetime) -> str:
    project, folder, environment = map(encode, (subject.project, subject.folder, subject.environment))
    moment = at.isoformat(timespec="seconds")
    return (
        f"<!-- notifyctl:plan project={project} in={folder} env={environment} digest={digest} at={moment} -->"
    )


def encode(name: str) -> str:
    """Without spaces and without anything that could end the marker."""
    return quote(name, safe="/")


def same_subject(theirs: re.Match[str], ours: re.Match[str], body: str) -> bool:
    """Whether two markers are about one project and environment. `body` follows the first."""
    if theirs["env"] != ours["env"]:
        return False
    if theirs["project"] is not None:
        return (theirs["project"], theirs["folder"]) == (ours["project"], ours["folder"])
    title = TITLE.search(body)
    return title is not None and encode(title["project"]) == ours["project"]
