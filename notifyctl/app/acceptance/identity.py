"""Who accepts a series: what a signature or the CI's ID token proves, else what the environment claims."""

from __future__ import annotations

import json
import re
from pathlib import Path

from msgspec import Struct

from notifyctl.app.actor import clean, find_actor
from notifyctl.errors import AcceptanceRefusedError, UsageError
from notifyctl.git import git_output
from notifyctl.model.accept_statement import AcceptStatement
from notifyctl.model.acceptance import Identity, Proof
from notifyctl.model.acceptors import Acceptors, Person
from notifyctl.ports import Clock, Environ
from notifyctl.ssh_signature import NAMESPACE, fingerprint_of_line, sign, verify_signature

LOGIN_VARIABLES = {
    "GITHUB_TRIGGERING_ACTOR": "github",
    "GITHUB_ACTOR": "github",
    "GITLAB_USER_LOGIN": "gitlab",
    "CIRCLE_USERNAME": "github",
}
"""Where CI services name an account, and at which forge."""
EMAIL_VARIABLES = ("GITLAB_USER_EMAIL", "BUILD_REQUESTEDFOREMAIL", "BUILDKITE_BUILD_CREATOR_EMAIL")
"""Where they name the email address of the same person."""
BOT = re.compile(r"\[bot\]$|^(project|group)_\d+_bot", re.IGNORECASE)
"""Names of accounts of GitHub and GitLab that are programs."""


class Acceptor(Struct, frozen=True):
    """Who accepts, with the names by which they can be compared with authors. `forge`: where `logins` are accounts."""

    identity: Identity
    emails: tuple[str, ...] = ()
    logins: tuple[str, ...] = ()
    forge: str | None = None
    person: str | None = None
    """Whose key it is, in `policy.accept.people`."""

    @property
    def is_bot(self) -> bool:
        return any(BOT.search(login) for login in self.logins)


def sign_statement(statement: AcceptStatement, key_file: Path) -> bytes:
    """A signature by a private key. Raises UsageError if it cannot be used."""
    try:
        return sign(key_file.read_bytes(), statement.text.encode())
    except OSError as error:
        raise UsageError(f"cannot read the key {key_file}: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(
            f"cannot sign with the key {key_file}: {error}",
            hint=f"to sign with ssh-keygen or an agent, save the output of `--statement`, and run: ssh-keygen -Y sign -n {NAMESPACE} -f KEY FILE;"
            " then add --signature FILE.sig",
        ) from None


def prove_identity(
    acceptors: Acceptors,
    statement: AcceptStatement,
    *,
    signature: bytes | None,
    environ: Environ,
    folder: Path,
    clock: Clock,
    needs_proof: bool = False,
) -> Acceptor:
    """Who accepts `statement`: by the signature, if one is given, else by this job's ID token, else claimed. A proof that is given and
    does not hold is never replaced by a claim.

    `needs_proof`: a claimed name is not enough. Raises AcceptanceRefusedError.
    """
    if signature is not None:
        return by_signature(acceptors, statement, signature)
    if acceptors.oidc is not None:
        from notifyctl.forge.id_token import fetch_holder, has_token

        if has_token(acceptors.oidc, environ):
            holder = fetch_holder(acceptors.oidc, environ, statement_digest=statement.digest, now=clock.now())
            evidence = json.dumps(
                {"claims": dict(holder.claims), "statement": statement.text}, sort_keys=True
            )
            identity = Identity(holder.login, Proof.OIDC, holder.detail, evidence)
            return Acceptor(identity, holder.emails, (holder.login,), holder.forge)
    if needs_proof:
        raise AcceptanceRefusedError(
            "who accepts must prove who they are (`policy.accept.proven`), and a claimed name is not a proof; nothing was recorded",
            hint="; ".join(ways_to_prove(acceptors))
            or "the commit by which proofs are checked lists neither keys nor `oidc`: see docs/how-to/accept-a-series.md",
        )
    return claimed(environ, folder)


def ways_to_prove(acceptors: Acceptors) -> list[str]:
    ways = []
    if any(person.keys for person in acceptors.people):
        ways.append("sign with a key that `policy.accept.people` lists: add --sign KEYFILE")
    if acceptors.oidc is not None:
        ways.append(
            f"run it in a job with an ID token of {acceptors.oidc.issuer} (GitHub: `permissions: {{id-token: write}}`,"
            f" GitLab: `id_tokens: {{{acceptors.oidc.variable}: {{aud: {acceptors.oidc.audience}}}}}`)"
        )
    return ways


def by_signature(acceptors: Acceptors, statement: AcceptStatement, signature: bytes) -> Acceptor:
    try:
        key = verify_signature(signature, statement.text.encode())
    except ValueError as error:
        raise AcceptanceRefusedError(
            f"the signature is not valid: {error}; nothing was recorded",
            hint="to print what must be signed, add --statement",
        ) from None
    person = holder_of(key, acceptors)
    if person is None:
        raise AcceptanceRefusedError(
            f"the signature is by the key {key}, which `policy.accept.people` does not list at the commit by which keys are checked;"
            " nothing was recorded",
            hint="sign with a listed key; a key that the accepted change itself adds counts only after it was accepted",
        )
    evidence = json.dumps(
        {"signature": signature.decode("ascii"), "statement": statement.text}, sort_keys=True
    )
    identity = Identity(person.name, Proof.SIGNATURE, key, evidence)
    return Acceptor(identity, person.emails, person.logins, person=person.name)


def holder_of(key: str, acceptors: Acceptors) -> Person | None:
    """Whose key has this fingerprint."""
    return next(
        (each for each in acceptors.people if key in map(fingerprint_of_line, each.keys)),
        None,
    )


def claimed(environ: Environ, folder: Path) -> Acceptor:
    """The CI's actor, else git's email address; the user of the system only to be named, because it cannot be compared."""
    name = find_actor(folder, environ)
    identity = Identity(name, Proof.CLAIMED)
    for variable, forge in LOGIN_VARIABLES.items():
        if name == clean(environ.get(variable, "")) != "":
            emails = (environ.get("GITLAB_USER_EMAIL", ""),) if forge == "gitlab" else ()
            return Acceptor(identity, tuple(filter(None, map(clean, emails))), (name,), forge)
    author = clean(
        environ.get("GIT_AUTHOR_EMAIL") or git_output(folder, "config", "--get", "user.email") or ""
    )
    if name == author:
        return Acceptor(identity, (author,))
    given = tuple(filter(None, (clean(environ.get(each, "")) for each in EMAIL_VARIABLES)))
    return Acceptor(identity, given if in_ci(name, environ) else ())


def in_ci(name: str, environ: Environ) -> bool:
    """Whether a CI service named them."""
    from notifyctl.app.actor import CI_VARIABLES

    return any(clean(environ.get(each, "")) == name for each in CI_VARIABLES)
