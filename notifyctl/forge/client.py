"""The endpoints of GitHub and GitLab that a comment needs. No error of theirs is shown with a token in it.

Only what our own account wrote is ours: GitLab tells any token its account, GitHub all but those of apps and of Actions.
"""

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
ACTIONS = "github-actions[bot]"
"""The account of the token that GitHub gives to a job. No person can have a name with brackets."""
NOT_FOR_APPS = (403, 404)
MOST_PAGES = 50
"""A pull request with more comments than these is not searched to its end."""


class Forge(Struct, frozen=True):
    """Where the comments of one pull or merge request are. `one` is the address of a single comment, with `{}` for its id."""

    name: str
    all: str
    one: str
    account: str
    """The address of the token's own account."""
    author: str
    """The field of a comment that holds its author."""
    login: str
    """The field of an account that holds its name."""
    headers: Mapping[str, str]
    update: str
    """The verb that changes a comment: PATCH or PUT."""
    viewer: str | None = None
    """GraphQL, which tells tokens of apps their account too."""

    def __repr__(self) -> str:
        return f"Forge({self.name!r}, {self.all!r})"


def github(*, api: str, repository: str, number: int, token: str) -> Forge:
    api = api.rstrip("/")
    base = f"{api}/repos/{quote(repository)}/issues"
    return Forge(
        "GitHub",
        all=f"{base}/{number}/comments",
        one=f"{base}/comments/{{}}",
        account=f"{api}/user",
        author="user",
        login="login",
        headers={
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        },
        update="PATCH",
        viewer=f"{api.removesuffix('/v3')}/graphql",
    )


def gitlab(*, api: str, project: str, number: int, token: str) -> Forge:
    api = api.rstrip("/")
    base = f"{api}/projects/{quote(project, safe='')}/merge_requests/{number}/notes"
    return Forge(
        "GitLab",
        all=base,
        one=f"{base}/{{}}",
        account=f"{api}/user",
        author="author",
        login="username",
        headers={"PRIVATE-TOKEN": token},
        update="PUT",
    )


def put(forge: Forge, body: str, environ: Environ, *, create: bool) -> Decision:
    """Update the comment, or leave it; without one make it, if `create`. Proxy and certificates are those that the variables name,
    never those of the project: whoever writes a branch must not choose who sees the token. Raises ProviderError when the forge
    does not take it.
    """
    from notifyctl.transport.client import open_client

    headers = {**forge.headers, "User-Agent": f"notifyctl/{__version__}"}
    with open_client(
        find_route(forge.all, environ), seconds=TIMEOUT, max_answer=MAX_PAGE, headers=headers
    ) as client:
        account = own_account(client, forge)
        decision = decide(body, comments(client, forge), account=account, create=create)
        if decision.verb is Verb.CREATE:
            ask(client, forge, "POST", forge.all, json={"body": body})
        elif decision.verb is Verb.UPDATE and decision.comment is not None:
            ask(client, forge, forge.update, forge.one.format(decision.comment.id), json={"body": body})
    return decision


def own_account(client: Any, forge: Forge) -> str:
    """The name of the account that the token belongs to. GitHub refuses it to the tokens of apps and of Actions, but tells it
    by GraphQL; where that is refused as well, it is taken to be the account of Actions.
    """
    answer = send(client, forge, "GET", forge.account)
    refused = forge.viewer is not None and answer.status_code in NOT_FOR_APPS
    found = None if refused else read(answer, forge, "GET")
    if forge.viewer is not None and name_in(found, forge.login) is None:
        answer = send(client, forge, "POST", forge.viewer, json={"query": "{ viewer { login } }"})
        data = name_in(answer_of(answer), "data") if answer.is_success else None
        found = name_in(data, "viewer") or {forge.login: ACTIONS}
    name = name_in(found, forge.login)
    if not isinstance(name, str) or not name:
        raise ProviderError(f"{forge.name} does not name the account of the token")
    return name


def name_in(value: object, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def comments(client: Any, forge: Forge) -> Iterator[Comment]:
    for page in range(1, MOST_PAGES + 1):
        found = ask(client, forge, "GET", forge.all, params={"per_page": PER_PAGE, "page": page})
        if not isinstance(found, list):
            raise ProviderError(f"{forge.name} did not answer with a list of comments")
        for entry in found:
            if isinstance(entry, dict) and isinstance(entry.get("body"), str):
                author = name_in(entry.get(forge.author), forge.login)
                yield Comment(
                    str(entry.get("id")), entry["body"], author if isinstance(author, str) else None
                )
        if len(found) < PER_PAGE:
            return


def ask(client: Any, forge: Forge, verb: str, url: str, **options: Any) -> Any:
    return read(send(client, forge, verb, url, **options), forge, verb)


def send(client: Any, forge: Forge, verb: str, url: str, **options: Any) -> Any:
    try:
        return client.request(verb, url, **options)
    except TransportError as error:
        raise ProviderError(f"{forge.name} cannot be reached: {error.message}", hint=error.hint) from None


def read(answer: Any, forge: Forge, verb: str) -> Any:
    """The answer's JSON. Whatever goes wrong is told by status alone: an answer may repeat what was sent."""
    if not answer.is_success:
        raise ProviderError(
            f"{forge.name} refused to {verb} the comment ({answer.status_code})",
            hint=WHY.get(answer.status_code),
        )
    found = answer_of(answer)
    if found is None:
        raise ProviderError(f"{forge.name} sent a response that is not JSON")
    return found


def answer_of(answer: Any) -> Any:
    """The JSON of an answer; None for anything else."""
    try:
        return answer.json()
    except (ValueError, RecursionError):
        return None


WHY = {
    407: "the proxy requires a user name and password; set HTTP_PROXY to http://USER:PASSWORD@HOST:PORT",
    401: "the token is wrong or has expired",
    403: "the token may not write comments: GitHub needs `pull-requests: write`, GitLab the scope `api`",
    404: "there is no such pull or merge request, or the token does not see it",
    422: "the comment was not taken",
}
