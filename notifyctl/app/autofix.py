"""The `lint --fix` use case: writes the safe fixes of lint's diagnostics into the files."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from notifyctl.app.workspace import Workspace
from notifyctl.config.reader import read_documents
from notifyctl.diagnostics import Diagnostic
from notifyctl.files import WorkingTree, replace_file
from notifyctl.lint.autofix import apply_fixes, find_fixable


def fix(
    workspace: Workspace, wanted: Iterable[Diagnostic], everything: Iterable[Diagnostic]
) -> list[Diagnostic]:
    """Apply the fixes of those diagnostics in `wanted` that can be fixed given `everything` lint found.

    Returns the diagnostics that were fixed, by file and line. Each file is replaced atomically, and left alone where it
    changed in the meantime or could not be parsed afterwards. Raises ProjectError when a file cannot be written.
    """
    tree = WorkingTree(workspace.root)
    possible = set(find_fixable(everything))
    done: list[Diagnostic] = []
    chosen = sorted((each for each in wanted if each in possible), key=lambda each: each.location)
    for file, group in groupby(chosen, key=lambda each: each.location.file):
        data = tree.read(file)
        text, made = apply_fixes(data.decode("utf-8", "surrogateescape"), list(group))
        new = text.encode("utf-8", "surrogateescape")
        if made and not remaining_problems(new, file):
            replace_file(tree.real(file), new)
            done.extend(made)
    return done


def remaining_problems(data: bytes, file: str) -> list[Diagnostic]:
    return read_documents(data, file)[1]
