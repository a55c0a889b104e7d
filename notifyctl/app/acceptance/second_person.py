"""Whether somebody may accept a series: `policy.accept` as it was last accepted, and as it is now. Both must be met."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from notifyctl.app.acceptance.authors import Author, find_authors, refuse_uncommitted, series_files
from notifyctl.app.acceptance.identity import Acceptor, claimed, prove_identity
from notifyctl.app.acceptance.rule_in_force import (
    CHANGED,
    Terms,
    known_commit,
    project_at_commit,
    rule_changes,
    terms_in_force,
)
from notifyctl.app.acceptance.same_person import (
    is_unlisted_bot,
    names_of_acceptor,
    names_of_author,
    with_people,
)
from notifyctl.app.workspace import Workspace
from notifyctl.errors import AcceptanceRefusedError, NotifyctlError
from notifyctl.git import current_revision
from notifyctl.git_history import History
from notifyctl.model.accept_rule import AcceptBy
from notifyctl.model.accept_statement import AcceptStatement
from notifyctl.model.acceptance import Acceptance, Identity
from notifyctl.model.acceptors import Acceptors, Person
from notifyctl.model.project import Environment
from notifyctl.plan.effects import SettingChange


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
        workspace,
        environment,
        history,
        statement,
        head=head,
        acceptances=acceptances,
        in_force=in_force,
        rule_changed=bool(changes),
    )
    people = known_people(in_force, own)
    found = [judge(workspace, terms, statement, signature, authors, people) for terms in strict]
    return Verdict(found[0].identity, head, changes)


def revision_of(workspace: Workspace, head: str | None) -> str | None:
    changed = (current_revision(workspace.root) or "").endswith(CHANGED)
    return f"{head}{CHANGED}" if head is not None and changed else head


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
    rule_changed: bool,
) -> list[Author]:
    """All who committed to the series' files since it was last accepted, and to a changed rule since the last acceptance of any series."""
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
        accepted_files=files_at(workspace, environment, history, statement.notification, since),
        mailmap=mailmap,
    )
    if base is not None and rule_changed:
        rules = frozenset({workspace.sound.positions.file})
        found += find_authors(
            history, head=head, files=rules, since=base, accepted_files=rules, mailmap=mailmap
        )
    return found


def last_commit(
    history: History, statement: AcceptStatement, acceptances: Sequence[Acceptance]
) -> str | None:
    """The commit as which the series was last accepted in another form, not revoked, and not as a small one that needed no second person:
    who renews an acceptance, or accepts it for more recipients, must have written as little of it as who accepted it first.

    Raises AcceptanceRefusedError if it is not in this clone.
    """
    revoked: set[str] = set()
    for each in reversed(acceptances):
        if each.revoked:
            revoked.add(each.fingerprint)
        elif (
            each.notification == statement.notification
            and each.fingerprint not in {statement.fingerprint, *revoked}
            and not was_exempt(each)
            and each.revision is not None
        ):
            return known_commit(history, each.revision)
    return None


def was_exempt(acceptance: Acceptance) -> bool:
    rule = acceptance.rule
    return rule.by is AcceptBy.ANOTHER and acceptance.max_recipients <= rule.above


def files_at(
    workspace: Workspace,
    environment: Environment,
    history: History,
    notification: str,
    commit: str | None,
) -> frozenset[str]:
    """The files of a series at a commit; none where it cannot be read, so that each counts as new."""
    if commit is None:
        return frozenset()
    try:
        then = project_at_commit(workspace, history, commit)
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
    return refused(message, terms.where_to_add(line))


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
