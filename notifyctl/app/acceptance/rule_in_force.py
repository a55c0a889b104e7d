"""By which rule a series is accepted: `policy.accept` as it was last accepted, with the keys and people of that commit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from notifyctl.app.diff import workspace_of
from notifyctl.app.workspace import Workspace
from notifyctl.config.paths import PROJECT_FILE
from notifyctl.errors import AcceptanceRefusedError, NotifyctlError, UsageError
from notifyctl.git import CommittedTree
from notifyctl.git_history import History
from notifyctl.model.accept_rule import AcceptBy, AcceptRule
from notifyctl.model.acceptance import Acceptance
from notifyctl.model.acceptors import Acceptors
from notifyctl.plan.effects import Effect, SettingChange
from notifyctl.plan.setting_rules import PROJECT
from notifyctl.plan.settings import differences, list_settings

CHANGED = "+changes"
"""What follows a recorded commit if files differed from it."""
PREFIX = "policy.accept."


class Terms(Struct, frozen=True):
    """A rule with the people and tokens that count for it. `commit`: of which they are; None: of the files here. `accepted`: by an acceptance
    in the ledger.
    """

    rule: AcceptRule
    acceptors: Acceptors
    commit: str | None = None
    accepted: bool = False

    def asks_for_another(self, recipients: int) -> bool:
        return self.rule.by is AcceptBy.ANOTHER and recipients > self.rule.above

    def asks_for_another_to_change(self, changes: Iterable[SettingChange]) -> bool:
        return self.rule.by is AcceptBy.ANOTHER and any(Effect.LOOSENED in each.effects for each in changes)

    def where_to_add(self, line: str) -> str:
        """How an entry of `policy.accept.people` comes to count."""
        add = f"add to `policy.accept.people`: - {line}"
        if self.accepted and self.commit is not None:
            return f"people count as of commit {self.commit[:12]}, the last acceptance; {add}, and let a person accept it who can be compared"
        if self.commit is not None:
            return f"people count as of commit {self.commit[:12]}, of --base, origin/HEAD or HEAD; {add}, and commit it there"
        return f"{add}, and commit it"


def terms_in_force(
    workspace: Workspace, history: History, acceptances: Sequence[Acceptance], *, base: str | None
) -> Terms | None:
    """The rule of the last acceptance in the ledger, of any series, with the people of its commit; that it was revoked later does not
    take its rule back. Without one that of the base. None: there is no earlier project.
    """
    last = next((each for each in reversed(acceptances) if not each.revoked), None)
    if last is not None and {last.rule.by, workspace.sound.policy.accept.by} == {AcceptBy.ANYONE}:
        return Terms(last.rule, workspace.sound.acceptors)
    if last is None or last.revision is None:
        commit = base_commit(history, base)
    elif base is not None:
        raise UsageError(
            "--base has no effect: keys and people are read from the commit of the last acceptance",
            hint="remove --base",
        )
    else:
        commit = known_commit(history, last.revision)
    found = terms_at(workspace, history, commit) if commit is not None else None
    if last is None:
        return found
    acceptors = found.acceptors if found is not None else Acceptors()
    return Terms(last.rule, acceptors, commit, accepted=True)


def base_commit(history: History, base: str | None) -> str | None:
    """Where nothing was accepted yet: `--base`, else the branch to which origin/HEAD points, else HEAD."""
    if base is not None:
        commit = history.commit(base)
        if commit is None:
            raise UsageError(
                f"unknown commit `{base}`",
                hint="--base must be a branch, tag or commit, for example origin/main",
            )
        return commit
    return history.commit("refs/remotes/origin/HEAD") or history.commit("HEAD")


def terms_at(workspace: Workspace, history: History, commit: str) -> Terms | None:
    """The terms of the project at a commit; None if there was no project. Raises AcceptanceRefusedError if it cannot be read."""
    if history.read_file(commit, f"{history.prefix or ''}{PROJECT_FILE}") is None:
        return None
    try:
        project = project_at_commit(workspace, history, commit).sound
    except NotifyctlError as error:
        raise AcceptanceRefusedError(
            f"the project at commit {commit[:12]}, whose keys and people count, cannot be read: {error.message}; nothing was recorded",
            hint="commit all files of the project, so that it has no errors at the commit"
            if commit == history.commit("HEAD")
            else "before the first acceptance, name another commit: --base REV; after it, use a version of notifyctl that can read it",
        ) from None
    return Terms(project.policy.accept, project.acceptors, commit)


def project_at_commit(workspace: Workspace, history: History, commit: str) -> Workspace:
    """Raises ProjectError or UsageError if the project cannot be read at that commit."""
    return workspace_of(workspace, CommittedTree(workspace.root, commit, environ=history.environ))


def known_commit(history: History, revision: str) -> str:
    """The commit of an acceptance. Raises AcceptanceRefusedError if it is not in this clone."""
    named = revision.removesuffix(CHANGED)
    commit = history.commit(named)
    if commit is None:
        raise unknown_commit(named)
    return commit


def unknown_commit(revision: str) -> AcceptanceRefusedError:
    return AcceptanceRefusedError(
        f"the commit {revision}, which was accepted last, is not in this clone, so keys, people and authors are unknown;"
        " nothing was recorded",
        hint=f"fetch it: git fetch origin {revision} (actions/checkout needs `fetch-depth: 0`). If the history was rewritten, fetch it from a"
        " clone that still has it",
    )


def rule_changes(before: Terms, after: Terms) -> Iterator[SettingChange]:
    """What this acceptance would change in who can accept, with its effects, as `plan --base` judges them."""
    old, new = accept_settings(before), accept_settings(after)
    yield from differences(PROJECT, old, new, shared=True)


def accept_settings(terms: Terms) -> Mapping[str, Any]:
    return {**list_settings(terms.rule, PREFIX), **list_settings(terms.acceptors, PREFIX)}
