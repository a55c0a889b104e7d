"""Finds Moved, Baseline and Withdraw documents that change nothing, which only the ledger can tell. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from notifyctl.command_line import command_line
from notifyctl.diagnostics import Diagnostic, Severity
from notifyctl.model.events import Statement, StatementKind
from notifyctl.model.project import Baseline, Moved, Project, Withdraw
from notifyctl.model.recipients import Scope

RULE = "statement-without-effect"


def find_without_effect(
    project: Project,
    scopes: Sequence[Scope],
    statements: Sequence[Statement],
    *,
    earlier_names: Callable[[str], Collection[str]],
) -> Iterator[Diagnostic]:
    """`earlier_names` gives a name and those it had before, by documents and by the ledger."""
    # What the ledger has of a name, apart from the moves, which an apply records whatever they are about.
    heard = {scope.notification for scope in scopes}
    heard |= {each.notification for each in statements if each.kind is not StatementKind.MOVED}
    for moved in project.moved:
        if heard.isdisjoint(earlier_names(moved.source)):
            yield moved_from_nothing(moved)
    for kind, documents in (
        (StatementKind.BASELINE, project.baselines),
        (StatementKind.WITHDRAW, project.withdrawals),
    ):
        recorded = {(each.notification, each.edition) for each in statements if each.kind is kind}
        for document in documents:
            current = current_edition(project, document.notification, earlier_names)
            names = earlier_names(document.notification)
            if (
                current is not None
                and document.edition < current
                and recorded.isdisjoint((name, document.edition) for name in names)
            ):
                yield about_the_past(kind, document, current)


def current_edition(
    project: Project, name: str, earlier_names: Callable[[str], Collection[str]]
) -> int | None:
    """The edition of the notification that has this name, or had it."""
    found = (each.edition for each in project.notifications.values() if name in earlier_names(each.name))
    return next(found, None)


def moved_from_nothing(moved: Moved) -> Diagnostic:
    return Diagnostic(
        RULE,
        Severity.WARNING,
        f"nothing was sent as `{moved.source}` from this environment, so Moved changes nothing here",
        moved.positions.location("from"),
        hint=f"if it is not the former name of `{moved.target}`, correct `from`. To list names, run: {command_line('status', elsewhere=True)}",
    )


def about_the_past(kind: StatementKind, document: Baseline | Withdraw, current: int) -> Diagnostic:
    what = kind.value.capitalize()
    return Diagnostic(
        RULE,
        Severity.WARNING,
        f"this {what} is about edition {document.edition}, for which none is recorded; `{document.notification}` is at"
        f" edition {current}, so it changes nothing",
        document.positions.location("notification"),
        hint=f"write `edition: {current}` if the present one is meant, or remove the document",
    )
