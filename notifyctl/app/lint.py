"""`lint` as a use case: everything that can be found wrong offline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from notifyctl.app.cached_files import CachedFiles
from notifyctl.app.workspace import Workspace, find_environment, open_workspace
from notifyctl.beside import Companion
from notifyctl.diagnostics import Diagnostic, Severity, sort_diagnostics
from notifyctl.errors import UsageError
from notifyctl.ports import FileTree
from notifyctl.records import replace
from notifyctl.views.lint.context import LintContext

YAML = (".yaml", ".yml")


def check_files(
    chdir: Path | None, environment_name: str | None, *, near: Sequence[Path] = (), every: bool = False
) -> tuple[Workspace, list[Diagnostic]]:
    """The project as `open_workspace` finds it, and what `lint` says of it. Many files are shared with a second process."""
    from notifyctl.lint.idle import answer

    with Companion(answer) as companion:
        workspace = open_workspace(chdir, near=near, companion=companion)
        return workspace, lint(workspace, environment_name, every=every, companion=companion)


def lint(
    workspace: Workspace,
    environment_name: str | None,
    *,
    every: bool = False,
    companion: Companion | None = None,
) -> list[Diagnostic]:
    """Every problem that can be found without ledger, network and secrets, sorted. Never raises for a user's file.

    `every`: tell all rows of audiences that have a problem, not only the first of each kind. `companion`: has
    half of the files in hand, where they are many.
    """
    from notifyctl.lint.advice import advise
    from notifyctl.lint.idle import check_idle
    from notifyctl.lint.project import check_everybody, check_project

    if not isinstance(workspace.files, CachedFiles):
        workspace = replace(workspace, files=CachedFiles(workspace.files))
    # Errors of form cannot be weighed or excepted; what is only written oddly can.
    problems = [each for each in workspace.diagnostics if each.severity is Severity.ERROR]
    advice = [each for each in workspace.diagnostics if each.severity is not Severity.ERROR]
    project = workspace.project
    if project is not None:
        environment = find_environment(project, environment_name)
        found = check_project(project, environment=environment, files=workspace.files, idle=False)
        advice += check_idle(project, environment=environment, files=workspace.files, companion=companion)
        advice += advise(project, found, environment=environment, files=workspace.files)
        people = check_everybody(project, found, environment=environment, every=every)
        advice += [*found.diagnostics, *people]
        if environment.pricing is not None:
            from notifyctl.plan.prices import read_prices

            advice += read_prices(workspace.files, environment.pricing, environment.marks)[1]
    weights = project.lint if project is not None else {}
    told = apply_severities(workspace, weights, advice, tell_unused=project is not None)
    return sort_diagnostics([*problems, *told])


def apply_severities(
    workspace: Workspace,
    severities: Mapping[str, str],
    diagnostics: Iterable[Diagnostic],
    *,
    tell_unused: bool = False,
) -> list[Diagnostic]:
    """As the project weighs them by `severities`, without what a line excepts."""
    from notifyctl.lint.choices import excepted, exceptions, weighed

    known = exceptions(with_exceptions(workspace.files), lines_of(workspace))
    return list(excepted(weighed(diagnostics, severities), known, tell_unused=tell_unused))


def with_exceptions(files: FileTree) -> Iterator[str]:
    """The YAML files in which the words stand that begin an exception: few, so that the others need not be cut into lines."""
    for path in files.paths():
        if path.endswith(YAML):
            try:
                marked = b"notifyctl:" in files.read(path)
            except OSError:
                continue  # told by the loader
            if marked:
                yield path


def select_paths(
    diagnostics: Iterable[Diagnostic], *, select: Sequence[str], ignore: Sequence[str]
) -> list[Diagnostic]:
    """Only the rules that are selected, where some are, and none that is ignored."""
    wanted = (d for d in diagnostics if not select or d.rule in select)
    return [d for d in wanted if d.rule not in ignore]


def surroundings(workspace: Workspace, *, colour: bool) -> LintContext:
    """For the forms of lint: source lines, and the way from here (in CI, the repository) to the project."""
    here, root = Path.cwd(), workspace.root.resolve()
    prefix = root.relative_to(here).as_posix() if root.is_relative_to(here) else root.as_posix()
    return LintContext(lines_of(workspace), prefix, colour)


def lines_of(workspace: Workspace) -> Callable[[str], Sequence[str]]:
    """The lines of a YAML file; of others none: an audience may be huge, and its rows are people."""

    @lru_cache(maxsize=1)
    def lines(file: str) -> tuple[str, ...]:
        if not file.endswith(YAML):
            return ()
        try:
            return tuple(
                workspace.files.read(file)
                .decode("utf-8-sig", "replace")
                .replace("\r\n", "\n")
                .replace("\r", "\n")
                .split("\n")
            )
        except OSError:
            return ()

    return lines


def filter_paths(
    workspace: Workspace, diagnostics: Sequence[Diagnostic], paths: Sequence[Path]
) -> list[Diagnostic]:
    """Those in the named files and folders; all of them when none is named. Raises UsageError for a path to nothing."""
    if not paths:
        return list(diagnostics)
    root = workspace.root.resolve()
    wanted = [existing(path, root) for path in paths]

    def named(diagnostic: Diagnostic) -> bool:
        place = root / diagnostic.location.file
        return any(place == path or path in place.parents for path in wanted)

    return [diagnostic for diagnostic in diagnostics if named(diagnostic)]


def existing(path: Path, root: Path) -> Path:
    """From here, or from the project that -C names."""
    for candidate in (path, root / path):
        if candidate.exists():
            return candidate.resolve()
    raise UsageError(f"there is no file or folder {str(path)!r}")
