"""Who can prove that they are who accepts: the people of a project with their keys, and its forge's tokens."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field


class Person(Struct, frozen=True):
    """One person under all of their names. `keys`: public SSH keys, as in a `.pub` file."""

    name: str
    emails: tuple[str, ...] = ()
    logins: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


class Oidc(Struct, frozen=True):
    """Whose ID tokens are accepted. `claims`: what a token must hold, among it the repository."""

    issuer: str
    audience: str = "notifyctl"
    claims: Mapping[str, str] = field(default_factory=dict)
    variable: str = "NOTIFYCTL_ID_TOKEN"
    """The environment variable with the token, where the forge issues none on request."""


class Acceptors(Struct, frozen=True):
    people: tuple[Person, ...] = ()
    oidc: Oidc | None = None


REPOSITORY_CLAIMS = ("repository", "repository_id", "project_path", "project_id")
"""Claims of GitHub and of GitLab of which one must be set: without it every repository of the forge could accept."""
