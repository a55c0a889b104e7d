"""Whether somebody may accept a series: `policy.accept` as it was last accepted, and as it is now. Both must be met."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from notifyctl.app.authors import Author, find_authors, refuse_uncommitted, series_files
from notifyctl.app.diff import workspace_of
from notifyctl.app.identity import Acceptor, claimed, prove_identity
from notifyctl.app.same_person import is_unlisted_bot, names_of_acceptor, names_of_author, with_people
from notifyctl.app.workspace import Workspace
from notifyctl.errors import AcceptanceRefusedError, NotifyctlError, UsageError
from notifyctl.git import CommittedTree, current_revision
from notifyctl.git_history import History
from notifyctl.model.accept_rule import AcceptBy, AcceptRule
from notifyctl.model.accept_statement import AcceptStatement
from notifyctl.model.acceptance import Acceptance, Identity
from notifyctl.model.acceptors import Acceptors, Person
from notifyctl.model.project import Environment
from notifyctl.plan.effects import Effect, SettingChange
from notifyctl.plan.setting_rules import PROJECT
from notifyctl.plan.settings import differences, list_settings

CHANGED = "+changes"
"""What follows a recorded commit if files differed from it."""
PREFIX = "policy.accept."


class Terms(Struct, frozen=True):
    """A rule with the people and tokens that count for it. `commit`: of which they are; None: of the files here."""

    rule: AcceptRule
    acceptors: Acceptors
    commit: str | None = None

    def asks_for_another(self, recipients: int) -> bool:
        return self.rule.by is AcceptBy.ANOTHER and recipients > self.rule.above

    def asks_for_another_to_change(self, changes: Iterable[SettingChange]) -> bool:
        return self.rule.by is AcceptBy.ANOTHER and any(Effect.LOOSENED in each.effects for each in changes)

    @property
    def place(self) -> str:
        return f"at commit {self.commit[:12]}" if self.commit else "in notifyctl.yaml"


class Verdict(Struct, frozen=True):
    """Who accepts, the commit that they accept (None without git), and what changes with it in who can accept."""

    identity: Identity
    revision: str | None
    changes: tuple[SettingChange, ...] = ()


def check_acceptance(
    workspace: Workspace,
    environment: Environment,
    statement: AcceptStatement,
    *,
    acceptances: Sequence[Acceptance],
    signature: bytes | None = None,
    base: str | None = None,
) -> Verdict:
    """Whether this person may accept `statement`. `acceptances`: all of the ledger, first to last. `base`: the commit by which keys and
    people count if nothing was accepted yet.

    Raises AcceptanceRefusedError that says what to do, or UsageError for an unknown `base`.
    """
    own = Terms(workspace.sound.policy.accept, workspace.sound.acceptors)
    history = History(workspace.root, workspace.environ)
    head = history.commit("HEAD")
    in_force = terms_in_force(workspace, history, acceptances, base=base)
    changes = tuple(rule_changes(in_force, own)) if in_force is not None else ()
    strict = [
        terms
        for terms in (in_force, own)
        if terms is not None
        and (
            terms.asks_for_another(statement.max_recipients)
            # A looser rule is accepted for every series, of whatever size.
            or (terms is in_force and terms.asks_for_another_to_change(changes))
        )
    ]
    if not strict:
        acceptor = prove_if_possible(workspace, (in_force or own).acceptors, statement, signature)
        return Verdict(acceptor.identity, revision_of(workspace, head), changes)
    if head is None:
        raise refused(
            "`policy.accept.by: another` needs git, which shows who wrote the series, and there is no commit here",
            "accept from a clone of the project's repository",
        )
    authors = authors_since(
        workspace, environment, history, statement, head=head, acceptances=acceptances, in_force=in_force
    )
    people = known_people(in_force, own)
    found = [judge(workspace, terms, statement, signature, authors, people) for terms in strict]
    return Verdict(found[0].identity, head, changes)


def revision_of(workspace: Workspace, head: str | None) -> str | None:
    changed = (current_revision(workspace.root) or "").endswith(CHANGED)
    return f"{head}{CHANGED}" if head is not None and changed else head


# -- the rule in force -----------------------------------------------------------------------------------------------


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
    try:
        found = terms_at(workspace, commit) if commit is not None else None
    except NotifyctlError:
        # Without a readable project nothing is listed, so that nothing can be proven by it.
        found = None
    if last is None:
        return found
    return Terms(last.rule, found.acceptors if found is not None else Acceptors(), commit)


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


def terms_at(workspace: Workspace, commit: str) -> Terms:
    """Raises ProjectError or UsageError if the project cannot be read at that commit."""
    project = workspace_of(workspace, CommittedTree(workspace.root, commit)).sound
    return Terms(project.policy.accept, project.acceptors, commit)


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


# -- who wrote it ----------------------------------------------------------------------------------------------------


def authors_since(
    workspace: Workspace,
    environment: Environment,
    history: History,
    statement: AcceptStatement,
    *,
    head: str,
    acceptances: Sequence[Acceptance],
    in_force: Terms | None,
) -> list[Author]:
    """All who committed to the series' files since it was last accepted, and to who can accept since the last of any series."""
    files = series_files(workspace, environment, statement.notification)
    refuse_uncommitted(workspace, history, head, files)
    since = last_commit(history, statement, acceptances)
    base = in_force.commit if in_force is not None else None
    mailmap = history.read_file(base, ".mailmap") if base is not None else None
    found = find_authors(
        history,
        head=head,
        files=files,
        since=since,
        accepted_files=files_at(workspace, environment, statement.notification, since),
        mailmap=mailmap,
    )
    if base is not None:
        rules = frozenset({workspace.sound.positions.file})
        found += find_authors(
            history, head=head, files=rules, since=base, accepted_files=rules, mailmap=mailmap
        )
    return found


def last_commit(
    history: History, statement: AcceptStatement, acceptances: Sequence[Acceptance]
) -> str | None:
    """The commit as which the series was last accepted in another form, and not revoked: who renews an acceptance must have written
    as little of it as who gave it. Raises AcceptanceRefusedError if it is not in this clone.
    """
    revoked: set[str] = set()
    for each in reversed(acceptances):
        if each.revoked:
            revoked.add(each.fingerprint)
        elif (
            each.notification == statement.notification
            and each.fingerprint not in {statement.fingerprint, *revoked}
            and each.revision is not None
        ):
            return known_commit(history, each.revision)
    return None


def files_at(
    workspace: Workspace, environment: Environment, notification: str, commit: str | None
) -> frozenset[str]:
    """The files of a series at a commit; none where it cannot be read, so that each counts as new."""
    if commit is None:
        return frozenset()
    try:
        then = workspace_of(workspace, CommittedTree(workspace.root, commit))
        return series_files(then, then.sound.environments.get(environment.name, environment), notification)
    except (NotifyctlError, KeyError):
        return frozenset()


# -- whether it is another person ------------------------------------------------------------------------------------


def judge(
    workspace: Workspace,
    terms: Terms,
    statement: AcceptStatement,
    signature: bytes | None,
    authors: Iterable[Author],
    people: Sequence[Person],
) -> Acceptor:
    """Who accepts, under these terms. `people`: of all terms: one more name of a person only makes them the author of more."""
    listed = terms.acceptors.people
    acceptor = prove(workspace, terms.acceptors, statement, signature, needs_proof=terms.rule.proven)
    name = acceptor.identity.name
    if acceptor.is_bot:
        raise refused(f"`{name}` is the account of a program, which cannot accept", "accept as a person")
    if not (acceptor.emails or acceptor.logins or acceptor.person):
        raise refused(
            f"who accepts is unknown: `{name}` is the user of this system, or a name that is not an account",
            "run: git config user.email ADDRESS; or accept in CI",
        )
    mine = names_of_acceptor(acceptor)
    for author in authors:
        theirs = names_of_author(author)
        if with_people(mine, people).meets(with_people(theirs, people)):
            raise refused(
                f"`{name}` wrote a part of `{statement.notification}` ({author}, commit {author.commit[:12]}), and"
                " `policy.accept.by: another` needs a person who did not",
                "ask another person to review and accept it",
            )
        comparable = with_people(mine, listed).can_be_compared(with_people(theirs, listed))
        if not comparable or is_unlisted_bot(theirs, listed):
            raise cannot_compare(acceptor, author, terms)
    return acceptor


def cannot_compare(acceptor: Acceptor, author: Author, terms: Terms) -> AcceptanceRefusedError:
    commit = f"{author} (commit {author.commit[:12]})"
    names = names_of_author(author)
    if not author.email:
        return refused(
            f"the commit {author.commit[:12]} has no author with an email address",
            "make the commit again with an author",
        )
    if is_unlisted_bot(names, terms.acceptors.people):
        message = f"the author {commit} is a program, and who is behind its change is unknown"
        line = entry_line(min(names.logins), logins=names.logins)
    else:
        message = f"whether `{acceptor.identity.name}` is the author {commit} is unknown"
        line = entry_line(
            acceptor.person or acceptor.identity.name,
            emails=acceptor.emails or ["ADDRESS"],
            logins=acceptor.logins or (["ACCOUNT"] if names.logins else []),
        )
    when = "; it counts after an acceptance by a person who can be compared" if terms.commit else ""
    return refused(
        message, f"add all names of the person to `policy.accept.people` {terms.place}: - {line}{when}"
    )


def entry_line(name: str, *, logins: Iterable[str], emails: Iterable[str] = ()) -> str:
    """An entry of `policy.accept.people`, to be completed."""
    parts = [f"name: {re.sub('[^a-z0-9.-]+', '-', name.partition('@')[0].lower()).strip('-.')}"]
    parts += [f"emails: [{', '.join(emails)}]"] if emails else []
    parts += [f"logins: [{', '.join(map(repr, sorted(logins)))}]"] if logins else []
    return f"{{{', '.join(parts)}}}"


def refused(message: str, hint: str) -> AcceptanceRefusedError:
    return AcceptanceRefusedError(f"{message}; nothing was recorded", hint=hint)


def prove(
    workspace: Workspace,
    acceptors: Acceptors,
    statement: AcceptStatement,
    signature: bytes | None,
    *,
    needs_proof: bool = False,
) -> Acceptor:
    return prove_identity(
        acceptors,
        statement,
        signature=signature,
        environ=workspace.environ,
        folder=workspace.root,
        clock=workspace.clock,
        needs_proof=needs_proof,
    )


def prove_if_possible(
    workspace: Workspace, acceptors: Acceptors, statement: AcceptStatement, signature: bytes | None
) -> Acceptor:
    """Who accepts where nothing depends on it: a token that proves nothing leaves a claimed name."""
    try:
        return prove(workspace, acceptors, statement, signature)
    except AcceptanceRefusedError:
        if signature is not None:
            raise
        return claimed(workspace.environ, workspace.root)


def known_people(*terms: Terms | None) -> list[Person]:
    return [person for each in terms if each is not None for person in each.acceptors.people]
