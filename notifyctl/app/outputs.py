"""The files that options such as `--out`, `--rejects` and `--failures` name: what each may overwrite, and how it is written.

Never overwritten are files that a document of the project names, its own documents, hidden ones of git and of the ledger, and what
git tracks. Other files that notifyctl did not write need `--force`. What it wrote itself is known by its content, or by a
note of its check sum in the user's state folder. A file is written beside and then renamed: another name of it keeps its content.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatch
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from msgspec import Struct

from notifyctl.app.environ import state_folder
from notifyctl.app.workspace import Workspace
from notifyctl.config.paths import IGNORE_FILE
from notifyctl.errors import UsageError
from notifyctl.git import is_tracked
from notifyctl.private_files import open_private

NAMING_FIELDS = frozenset({"file", "ca_file", "pricing"})
"""Fields of the model that name a file."""
NAMING_KEYS = frozenset({"textFile", "htmlFile"})
"""Keys of a content that do."""
PROTECTED_FOLDERS = frozenset({".git", ".notifyctl"})
NOTES = "outputs"
"""The folder of notes, inside of the state folder."""

Recognise = Callable[[Path], bool]
"""Whether a file is, by its content, an earlier output of the same command."""


def never(_: Path) -> bool:
    return False


class Outputs(Struct, frozen=True):
    """What one command may write. `named`: files that documents name, as absolute paths or patterns; `notes`: where it keeps what
    it wrote, if there is such a place.
    """

    named: tuple[str, ...] = ()
    notes: Path | None = None
    force: bool = False

    def check(self, *paths: Path, recognise: Recognise = never, replaces: Recognise = never) -> None:
        """Raises UsageError if one of the paths must not be written. `recognise`: by content, in addition to the notes.
        `replaces`: whether it may be written even if documents name it or git tracks it.
        """
        for path in paths:
            self._check(path, Path(os.path.realpath(path)), recognise, replaces)

    def refuse_twice(self, path: Path, *others: Path) -> None:
        """Raises UsageError if another option names the same file."""
        if any(is_same(Path(os.path.realpath(path)), os.path.realpath(other)) for other in others):
            raise UsageError(f"two options name {path}; each needs its own file")

    def _check(self, path: Path, real: Path, recognise: Recognise, replaces: Recognise) -> None:
        there = os.path.lexists(real)
        if there and not stat.S_ISREG(real.stat().st_mode):
            return  # a terminal, a pipe: nothing is overwritten; a folder cannot be
        if PROTECTED_FOLDERS & {part.lower() for part in real.parts}:
            raise UsageError(
                f"{path} is in a folder of git or of the ledger; nothing was written", hint=OTHER
            )
        if replaces(real):
            return
        if any(is_same(real, each) for each in self.named):
            raise UsageError(f"{path} is a file of the project; nothing was written", hint=OTHER)
        if there and is_tracked(real):
            raise UsageError(f"{path} is tracked by git; nothing was written", hint=OTHER)
        if there and not (self.force or recognise(real) or self._is_noted(real)):
            raise UsageError(
                f"{path} exists, and notifyctl did not write it; nothing was written",
                hint="choose another name; to overwrite it, add --force",
            )

    def write(self, path: Path, pieces: Iterable[str], *, private: bool = True) -> None:
        """Writes a file that was checked; `private`: for this user only, since it holds addresses. Raises UsageError."""
        real = Path(os.path.realpath(path))
        try:
            if os.path.lexists(real) and not stat.S_ISREG(real.stat().st_mode):
                with real.open("w", encoding="utf-8", newline="") as stream:
                    stream.writelines(pieces)
                return
            if not real.parent.is_dir():
                real.parent.mkdir(parents=True)
            self._replace(real, pieces, 0o600 if private else 0o666)
        except FileExistsError as error:
            raise UsageError(
                f"cannot write {path}: {error.filename} exists",
                hint="remove that file, then run the command again",
            ) from error
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror}") from error
        self._note(real)

    def _replace(self, real: Path, pieces: Iterable[str], mode: int) -> None:
        temporary = real.with_name(f"{real.name}.new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
                stream.writelines(pieces)
            temporary.replace(real)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def _note_of(self, real: Path) -> Path | None:
        return None if self.notes is None else self.notes / sha256(os.fsencode(real)).hexdigest()[:32]

    def _note(self, real: Path) -> None:
        """Keeps the check sum of what was written. Without it the file only needs `--force` the next time."""
        note = self._note_of(real)
        if note is None:
            return
        try:
            note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with open_private(note, "w") as stream:
                stream.write(checksum(real))
        except OSError:
            return

    def _is_noted(self, real: Path) -> bool:
        """Whether the file is, to the last byte, what was written there."""
        note = self._note_of(real)
        try:
            return note is not None and note.read_text(encoding="utf-8") == checksum(real)
        except (OSError, UnicodeError):
            return False


def is_schema(file: Path) -> bool:
    """Whether there is no file, or one that looks like a schema of `notifyctl schema`: those are kept in git."""
    try:
        with file.open(encoding="utf-8") as stream:
            return '"$schema"' in stream.read(200)
    except FileNotFoundError:
        return True
    except (OSError, UnicodeError):
        return False


OTHER = "choose another name: it is never overwritten, not even with --force"


def outputs_of(workspace: Workspace, *, force: bool) -> Outputs:
    """For a project that is trusted. Raises ProjectError if its files have errors."""
    state = state_folder(workspace.environ)
    return Outputs(tuple(named_files(workspace)), None if state is None else state / NOTES, force)


def named_files(workspace: Workspace) -> Iterator[str]:
    """Absolute paths, or patterns, of the project's own documents and of the files that they name. A relative path may start from
    the project or from the folder of any document.
    """
    root = os.path.realpath(workspace.root)
    documents = [path for path in workspace.files.paths() if path.endswith((".yaml", ".yml"))]
    for path in (*documents, IGNORE_FILE):
        yield os.path.join(root, path)  # noqa: PTH118 - as text, since it may be a pattern
    folders = sorted({root, *(os.path.dirname(os.path.join(root, path)) for path in documents)})  # noqa: PTH118, PTH120
    for name in sorted(set(names_in(workspace.sound))):
        for folder in folders:
            yield os.path.normpath(os.path.join(folder, name))  # noqa: PTH118 - as above


def names_in(value: Any) -> Iterator[str]:
    """The texts in the model that name a file."""
    if isinstance(value, Struct):
        for name in value.__struct_fields__:
            inner = getattr(value, name)
            if name in NAMING_FIELDS and isinstance(inner, str):
                yield inner
            else:
                yield from names_in(inner)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key in NAMING_KEYS and isinstance(inner, str):
                yield inner
            else:
                yield from names_in(inner)
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from names_in(inner)


def is_same(real: Path, named: str) -> bool:
    """Whether both are one file: by name, whatever its case, by pattern, through links, and by hard links."""
    if str(real).casefold() in {named.casefold(), os.path.realpath(named).casefold()}:
        return True
    if fnmatch(str(real).casefold(), named.casefold()):
        return True
    try:
        return real.samefile(named)
    except (OSError, ValueError):
        return False


def checksum(real: Path) -> str:
    with real.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()
