"""Rule ids in the project's `lint:` and in ignore comments that no rule has: what they were written for is not done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from notifyctl.command_line import command_line
from notifyctl.config.messages import find_nearest
from notifyctl.config.nodes import MappingNode, key_positions
from notifyctl.config.reader import read_documents
from notifyctl.diagnostics import Diagnostic, Positions, Severity
from notifyctl.lint.ignore_comments import IgnoreComment
from notifyctl.lint.rule_pages import PAGES
from notifyctl.model.project import Project
from notifyctl.ports import FileTree

RULE = "unknown-rule"


def describe_unknown(rule: str) -> str:
    return f"unknown rule `{rule}`"


def suggest_rule(rule: str) -> str:
    """A hint for an unknown rule id: the nearest one, or else the command that lists them all."""
    near = find_nearest(rule, PAGES)
    return f"did you mean `{near}`?" if near else f"to list all rules, run: {command_line('explain')}"


def check_rule_ids(
    project: Project, comments: Iterable[IgnoreComment], files: FileTree
) -> Iterator[Diagnostic]:
    """Reports each unknown id: in `lint:` at its key, in an ignore comment at the comment."""
    unknown = [rule for rule in project.lint if rule not in PAGES]
    if unknown:
        positions = read_key_positions(project.positions, files)
        for rule in unknown:
            yield Diagnostic(
                RULE,
                Severity.ERROR,
                describe_unknown(rule),
                positions.location("lint", rule),
                suggest_rule(rule),
            )
    for comment in comments:
        for rule in comment.rules:
            if rule not in PAGES:
                yield Diagnostic(
                    RULE, Severity.ERROR, describe_unknown(rule), comment.place, suggest_rule(rule)
                )


def read_key_positions(positions: Positions, files: FileTree) -> Positions:
    """The positions of the keys of the Project document, of which the project keeps only those of the values."""
    for node in read_documents(files.read(positions.file), positions.file)[0]:
        places = key_positions(node)
        if isinstance(node, MappingNode) and node.get("lint") and set(positions.places) <= set(places):
            return Positions(positions.file, places)
    return positions
