"""The `lint` use case: every problem that can be found offline, after severities and ignore comments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from notifyctl.app.cached_files import CachedFiles
from notifyctl.app.environ import process_environ
from notifyctl.app.workspace import Workspace, find_environment, find_root, read_workspace
from notifyctl.clock import SystemClock
from notifyctl.config.load import YAML_SUFFIXES
from notifyctl.diagnostics import Diagnostic, Severity, sort_diagnostics
from notifyctl.errors import UsageError
from notifyctl.files import WorkingTree
from notifyctl.ports import FileTree
from notifyctl.views.lint.context import LintContext

if TYPE_CHECKING:
    from datetime import datetime

    from notifyctl.lint.project import Checked
    from notifyctl.model.project import Environment


def check_files(
    chdir: Path | None,
    environment_name: str | None,
    *,
    near: Sequence[Path] = (),
    every: bool = False,
    as_of_time: datetime | None = None,
) -> tuple[Workspace, list[Diagnostic]]:
    """Find and read a project as `open_workspace` does, and lint it. Raises ProjectError only when there is none.

    `every`: report all rows of an audience that have a problem, not only the first of each kind.
    """
    root = find_root(chdir, near=near)
    files = CachedFiles(WorkingTree(root))
    workspace = read_workspace(root, files, environ=process_environ(), clock=SystemClock())
    if as_of_time is not None:
        from notifyctl.app.as_of import as_of

        workspace = as_of(workspace, as_of_time)
    return workspace, lint(workspace, environment_name, every=every)


def lint(workspace: Workspace, environment_name: str | None, *, every: bool = False) -> list[Diagnostic]:
    """Every problem that can be found without ledger, network and secrets, sorted. Never raises for a user's file.

    `every`: report all rows of an audience that have a problem, not only the first of each kind.
    """
    from notifyctl.lint.project import check_all_recipients, check_project
    from notifyctl.lint.secrets_mask import mask_diagnostics
    from notifyctl.lint.unbound_templates import check_unbound

    # Severities and ignore comments apply to advice on spelling, not to errors of form.
    problems = [each for each in workspace.diagnostics if each.severity is Severity.ERROR]
    advice = [each for each in workspace.diagnostics if each.severity is not Severity.ERROR]
    project = workspace.project
    if project is not None:
        environment = find_environment(project, environment_name)
        found = check_project(project, environment=environment, files=workspace.files, idle=False)
        advice += check_unbound(project, environment=environment, files=workspace.files)
        advice += find_advice(workspace, environment, found)
        people = check_all_recipients(project, found, environment=environment, every=every)
        advice += [*found.diagnostics, *people]
        if any(each.ca_file is not None for each in project.environments.values()):
            # No plan refuses for it: an apply reads the file before it begins anything.
            from notifyctl.lint.ca_files import check_ca_files

            advice += check_ca_files(project, workspace.files)
        if any(each.tests is not None for each in project.environments.values()):
            from notifyctl.lint.test_addresses import check_test_addresses

            advice += check_test_addresses(project)
        if environment.pricing is not None:
            from notifyctl.plan.prices import read_prices

            advice += read_prices(workspace.files, environment.pricing, environment.positions)[1]
    weights = project.lint if project is not None else {}
    return mask_diagnostics(
        sort_diagnostics(
            [*problems, *apply_severities(workspace, weights, advice, report_unused=project is not None)]
        )
    )


def find_advice(workspace: Workspace, environment: Environment, checked: Checked) -> Iterator[Diagnostic]:
    """What is wrong with messages beyond `checked`, people aside. Lint reports all of it, and a plan refuses for what is an error
    in it.
    """
    from notifyctl.lint.advice import advise
    from notifyctl.lint.ignore_comments import read_ignore_comments
    from notifyctl.lint.unknown_rules import check_rule_ids

    project = workspace.project
    assert project is not None, "it was checked"
    yield from advise(project, checked, environment=environment, files=workspace.files)
    comments = read_ignore_comments(find_ignore_comments(workspace.files), lines_of(workspace))
    yield from check_rule_ids(project, comments, workspace.files)
    if any(each.has_time for each in project.schedules.values()):
        from notifyctl.lint.past_times import check_past

        yield from check_past(project, now=workspace.clock.now())


def apply_severities(
    workspace: Workspace,
    severities: Mapping[str, str],
    diagnostics: Iterable[Diagnostic],
    *,
    report_unused: bool = False,
) -> list[Diagnostic]:
    """Apply the project's `severities` by rule id, and drop what a `notifyctl: ignore[…]` comment covers.

    `report_unused`: report unused comments, and severities and comments that can have no effect.
    """
    from notifyctl.lint.ignore_comments import (
        apply_configured_severities,
        read_ignore_comments,
        report_firm,
        without_ignored,
    )

    known = read_ignore_comments(find_ignore_comments(workspace.files), lines_of(workspace))
    found = list(diagnostics)
    weighed = list(apply_configured_severities(found, severities))
    if report_unused and workspace.project is not None:
        weighed += report_firm(found, severities, workspace.project.positions)
    return list(without_ignored(weighed, known, report_unused=report_unused))


def find_ignore_comments(files: FileTree) -> Iterator[str]:
    """The paths of YAML files that may hold a `notifyctl: ignore[…]` comment."""
    for path in files.paths():
        if path.endswith(YAML_SUFFIXES):
            try:
                marked = b"notifyctl:" in files.read(path)
            except OSError:
                continue  # the loader reports it
            if marked:
                yield path


def filter_rules(
    diagnostics: Iterable[Diagnostic], *, select: Sequence[str], ignore: Sequence[str]
) -> list[Diagnostic]:
    """Filter by rule id: only those in `select`, unless it is empty, and none in `ignore`. Raises UsageError for an unknown
    one: it would check nothing.
    """
    from notifyctl.lint.rule_pages import PAGES
    from notifyctl.lint.unknown_rules import describe_unknown, suggest_rule

    for rule in (*select, *ignore):
        if rule not in PAGES:
            raise UsageError(describe_unknown(rule), hint=suggest_rule(rule))
    wanted = (d for d in diagnostics if not select or d.rule in select)
    return [d for d in wanted if d.rule not in ignore]


def lint_context(workspace: Workspace, diagnostics: Sequence[Diagnostic], *, colour: bool) -> LintContext:
    """What the lint views need: source lines without secrets, and the path from the working folder (in CI, the repository) to the project."""
    here, root = Path.cwd(), workspace.root.resolve()
    prefix = root.relative_to(here).as_posix() if root.is_relative_to(here) else root.as_posix()
    from notifyctl.lint.secrets_mask import mask_lines

    lines = lru_cache(maxsize=1)(mask_lines(lines_of(workspace), diagnostics))
    return LintContext(lines, prefix, colour)


def lines_of(workspace: Workspace) -> Callable[[str], Sequence[str]]:
    """A function from a path to the lines of that YAML file; () for other files, which may be huge and hold addresses."""

    @lru_cache(maxsize=1)
    def lines(file: str) -> tuple[str, ...]:
        if not file.endswith(YAML_SUFFIXES):
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
    """Filter by location: only those in the named files and folders, and in files that these name; all when none is named.

    Raises UsageError for a path that does not exist.
    """
    if not paths:
        return list(diagnostics)
    root = workspace.root.resolve()
    wanted = [resolve_path(path, root) for path in paths]

    def named(diagnostic: Diagnostic) -> bool:
        locations = (diagnostic.location, diagnostic.named_at or diagnostic.location)
        places = {root / location.file for location in locations}
        return any(place == path or path in place.parents for path in wanted for place in places)

    return [diagnostic for diagnostic in diagnostics if named(diagnostic)]


def resolve_path(path: Path, root: Path) -> Path:
    """Resolve a path from the working folder, else from the project's `root`. Raises UsageError if neither exists."""
    for candidate in (path, root / path):
        if candidate.exists():
            return candidate.resolve()
    raise UsageError(f"no such file or folder: `{path}`")
