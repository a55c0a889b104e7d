"""The REST endpoints of GitHub and GitLab that a comment needs. No error of theirs is shown with a token in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from msgspec import Struct

from notifyctl import __version__
from notifyctl.errors import ProviderError
from notifyctl.forge.comments import Comment, Decision, Verb, decide
from notifyctl.ports import Environ
from notifyctl.transport.failures import TransportError
from notifyctl.transport.proxies import find_route

TIMEOUT = 20.0
"""Seconds for a request, from its beginning to the end of its answer."""
PER_PAGE = 100
MAX_PAGE = 16 << 20
"""Bytes: a comment of GitHub has up to 64 KiB characters."""
MOST_PAGES = 50
"""A pull request with more comments than these is not searched to its end."""


class Forge(Struct, frozen=True):
    """Where the comments of one pull or merge request are. `one` is the address of a single comment, with `{}` for its id."""

    name: str
    all: str
    one: str
    headers: Mapping[str, str]
    update: str
    """The verb that changes a comment: PATCH or PUT."""

    def __repr__(self) -> str:
        return f"Forge({self.name!r}, {self.all!r})"


def github(*, api: str, repository: str, number: int, token: str) -> Forge:
    base = f"{api.rstrip('/')}/repos/{quote(repository)}/issues"
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    return Forge("GitHub", f"{base}/{number}/comments", f"{base}/comments/{{}}", headers, "PATCH")


def gitlab(*, api: str, project: str, number: int, token: str) -> Forge:
    base = f"{api.rstrip('/')}/projects/{quote(project, safe='')}/merge_requests/{number}/notes"
    return Forge("GitLab", base, f"{base}/{{}}", {"PRIVATE-TOKEN": token}, "PUT")


def put(forge: Forge, body: str, environ: Environ) -> Decision:
    """Make or update the comment, or leave it. Proxy and certificates are those that the variables name, never those of the project:
    whoever writes a branch must not choose who sees the token. Raises ProviderError when the forge does not take it.
    """
    from notifyctl.transport.client import open_client

    headers = {**forge.headers, "User-Agent": f"notifyctl/{__version__}"}
    with open_client(
        find_route(forge.all, environ), seconds=TIMEOUT, max_answer=MAX_PAGE, headers=headers
    ) as client:
        decision = decide(body, comments(client, forge))
        if decision.verb is Verb.CREATE:
            ask(client, forge, "POST", forge.all, json={"body": body})
        elif decision.verb is Verb.UPDATE and decision.comment is not None:
            ask(client, forge, forge.update, forge.one.format(decision.comment.id), json={"body": body})
    return decision


def comments(client: Any, forge: Forge) -> Iterator[Comment]:
    for page in range(1, MOST_PAGES + 1):
        found = ask(client, forge, "GET", forge.all, params={"per_page": PER_PAGE, "page": page})
        if not isinstance(found, list):
            raise ProviderError(f"{forge.name} did not answer with a list of comments")
        for entry in found:
            if isinstance(entry, dict) and isinstance(entry.get("body"), str):
                yield Comment(str(entry.get("id")), entry["body"])
        if len(found) < PER_PAGE:
            return


def ask(client: Any, forge: Forge, verb: str, url: str, **options: Any) -> Any:
    """The answer's JSON. Whatever goes wrong is told by status alone: an answer may repeat what was sent."""
    try:
        answer = client.request(verb, url, **options)
    except TransportError as error:
        raise ProviderError(f"{forge.name} cannot be reached: {error.message}", hint=error.hint) from None
    if not answer.is_success:
        raise ProviderError(
            f"{forge.name} refused to {verb} the comment ({answer.status_code})",
            hint=WHY.get(answer.status_code),
        )
    try:
        return answer.json()
    except ValueError:
        raise ProviderError(f"{forge.name} answered with something that is no JSON") from None


WHY = {
    407: "the proxy requires a user name and password; set HTTP_PROXY to http://USER:PASSWORD@HOST:PORT",
    401: "the token is wrong or has expired",
    403: "the token may not write comments: GitHub needs `pull-requests: write`, GitLab the scope `api`",
    404: "there is no such pull or merge request, or the token does not see it",
    422: "the comment was not taken",
}
