"""Who wrote a series: all who committed to its files since it was last accepted, by git's history."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from posixpath import dirname, join, normpath
from typing import BinaryIO

from msgspec import Struct

from notifyctl.app.workspace import Workspace
from notifyctl.errors import AcceptanceRefusedError
from notifyctl.git_history import CommitChanges, History
from notifyctl.message.compose import VariantComposer, variants
from notifyctl.model.project import Environment, HolidayFile, Notification, Project, Schedule
from notifyctl.ports import FileTree

FORGE_COMMITTERS = frozenset({"noreply@github.com"})
"""Committers of what a forge itself merged or changed for an author."""
SIGNED_LINE = re.compile(rb"^(author|committer) (.*?) ?<([^<>\n]*)> ", re.MULTILINE)
CO_AUTHOR = re.compile(rb"^[ \t]*co-authored-by:([^\n]*)", re.MULTILINE | re.IGNORECASE)
ADDRESS = re.compile(rb"<([^<>]*)>|([^\s<>]+@[^\s<>]+)")
MAILMAP = re.compile(r"<([^<>]*)>[^<>]*<([^<>]*)>")
"""`Proper Name <proper address> Commit Name <address in commits>`, as in gitmailmap(5)."""


class Author(Struct, frozen=True):
    """`email`: as it is in the commit. `mapped`: the proper one of the base's .mailmap, if another."""

    name: str
    email: str
    commit: str
    mapped: str | None = None

    def __str__(self) -> str:
        return self.email or self.name or "an author without an email address"


class RecordedFiles:
    """Implements ports.FileTree over another one, and keeps the paths that were looked for."""

    def __init__(self, files: FileTree) -> None:
        self._files = files
        self.looked_for: set[str] = set()

    def paths(self) -> Sequence[str]:
        return self._files.paths()

    def read(self, path: str) -> bytes:
        self.looked_for.add(path)
        return self._files.read(path)

    def open(self, path: str) -> BinaryIO:
        self.looked_for.add(path)
        return self._files.open(path)

    def on_disk(self, path: str) -> str | None:
        self.looked_for.add(path)
        return self._files.on_disk(path)


def series_files(workspace: Workspace, environment: Environment, name: str) -> frozenset[str]:
    """The files of a series, relative to the project: its documents and the texts it is composed of, not the audience's rows or those
    of opt-out lists. Also paths that were looked for in vain: a file there would be used.
    """
    project = workspace.sound
    notification = project.notifications[name]
    files = set(documents_of(project, notification))
    recorded = RecordedFiles(workspace.files)
    composing = VariantComposer(
        notification,
        variables={**project.vars, **environment.vars},
        sender="",
        columns=(),
        files=recorded,
    )
    for variant in variants(notification.template):
        composing.compose(variant, variant or project.locale)
    files |= recorded.looked_for
    if notification.schedule is not None:
        files |= set(holiday_files(notification.schedule, project))
    if environment.ca_file is not None:
        files.add(environment.ca_file)
    return frozenset(filter(None, files))


def documents_of(project: Project, notification: Notification) -> Iterator[str]:
    """The files of a notification's documents, and of the statements about it."""
    yield project.positions.file
    yield notification.positions.file
    yield notification.template.positions.file
    yield notification.audience.positions.file
    if notification.schedule is not None:
        yield notification.schedule.positions.file
    yield from (each.positions.file for each in project.moved if each.target == notification.name)
    yield from (each.positions.file for each in project.baselines if each.notification == notification.name)
    yield from (each.positions.file for each in project.withdrawals if each.notification == notification.name)


def holiday_files(schedule: Schedule, project: Project) -> Iterator[str]:
    """Where the calendars of a schedule and of the project can be: beside the document that names them, or at the root."""
    for document, holidays in (
        (schedule.positions.file, schedule.holidays),
        (project.positions.file, schedule.project_hours.holidays),
    ):
        for each in holidays:
            if isinstance(each, HolidayFile):
                yield from (normpath(join(dirname(document), each.file)), normpath(each.file))


def refuse_uncommitted(workspace: Workspace, history: History, head: str, files: Iterable[str]) -> None:
    """Raises AcceptanceRefusedError if a file here is not the one of the commit: nobody is known to have written it."""
    prefix = history.prefix or ""
    for path in sorted(files):
        try:
            here = workspace.files.read(path)
        except OSError:
            here = None
        there = history.read_file(head, prefix + path)
        if here != there and (here is None or there is None or unix(here) != unix(there)):
            raise AcceptanceRefusedError(
                f"`{path}` is not committed as it is here, so its authors are unknown; nothing was recorded",
                hint="commit it, or restore it, then accept",
            )


def unix(text: bytes) -> bytes:
    """Without the line ends that git may have converted."""
    return text.replace(b"\r\n", b"\n")


def find_authors(
    history: History,
    *,
    head: str,
    files: frozenset[str],
    since: str | None,
    accepted_files: frozenset[str],
    mailmap: bytes | None,
) -> list[Author]:
    """The authors, one for each address, with a commit of theirs.

    `since`: the commit as it was last accepted, and `accepted_files` the files of the series then; files that it did not have then, also
    under another name, count with their whole history. Raises AcceptanceRefusedError where the history is incomplete.
    """
    if history.is_shallow:
        raise AcceptanceRefusedError(
            "this clone is shallow, so not all authors are known; nothing was recorded",
            hint="fetch the whole history: `git fetch --unshallow`, or `fetch-depth: 0` in actions/checkout, `GIT_DEPTH: 0` in GitLab",
        )
    prefix = history.prefix or ""
    now, then = ({prefix + path for path in paths} for paths in (files, accepted_files))
    commits: list[str] = []
    if since is not None and history.contains(head, since):
        commits, seen = touching(all_changes(history, head, since=since), now | then)
        now = seen - then
    if now:
        older, _ = touching(all_changes(history, head), now)
        commits += older
    commits = list(dict.fromkeys(commits))
    stored = history.read_commits(commits) if commits else {}
    if stored is None or len(stored) < len(commits):
        raise incomplete()
    mapping = read_mailmap(mailmap)
    found: dict[str, Author] = {}
    for commit in commits:
        for author in authors_of(commit, stored[commit], mapping):
            found.setdefault(author.email.casefold() or author.name, author)
    return list(found.values())


def all_changes(history: History, head: str, *, since: str | None = None) -> list[CommitChanges]:
    changes = history.changes(head, since=since)
    if changes is None:
        raise incomplete()
    return changes


def incomplete() -> AcceptanceRefusedError:
    return AcceptanceRefusedError(
        "git cannot show the whole history of the series, so its authors are unknown; nothing was recorded",
        hint="use git 2.35 or newer, and a whole clone (no `--filter`)",
    )


def touching(changes: Iterable[CommitChanges], paths: Iterable[str]) -> tuple[list[str], set[str]]:
    """The commits that touched one of `paths`, children first, and the paths with those that they had before."""
    followed = set(paths)
    commits = []
    for change in changes:
        touched = [path for path in change.files if path in followed]
        followed |= {before for path in touched if (before := change.files[path]) is not None}
        if touched or change.is_octopus:
            commits.append(change.commit)
    return commits, followed


def authors_of(commit: str, stored: bytes, mapping: dict[str, str]) -> Iterator[Author]:
    head, _, message = stored.partition(b"\n\n")
    signed = SIGNED_LINE.findall(head)
    if {role for role, _, _ in signed} != {b"author", b"committer"}:
        yield Author("", "", commit)
    for role, name, email in signed:
        if not (role == b"committer" and email.decode("utf-8", "replace").casefold() in FORGE_COMMITTERS):
            yield author(name, email, commit, mapping)
    for line in CO_AUTHOR.findall(message):
        found = ADDRESS.search(line)
        if found is not None:  # without an address, forges take it for text, too
            yield author(line.partition(b"<")[0], found[1] or found[2] or b"", commit, mapping)


def author(name: bytes, email: bytes, commit: str, mapping: dict[str, str]) -> Author:
    given = email.decode("utf-8", "replace").strip()
    return Author(name.decode("utf-8", "replace").strip(), given, commit, mapping.get(given.casefold()))


def read_mailmap(text: bytes | None) -> dict[str, str]:
    """Address in commits → proper address. Lines that map names alone are of no interest here."""
    found = {}
    for line in (text or b"").decode("utf-8", "replace").splitlines():
        match = MAILMAP.search(line.partition("#")[0])
        if match is not None:
            found[match[2].strip().casefold()] = match[1].strip()
    return found
