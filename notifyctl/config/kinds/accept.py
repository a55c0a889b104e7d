"""Shape of `policy.accept`: who can accept a series. Names follow git's allowed signers, and the ID tokens of GitHub and GitLab."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from notifyctl.config.fields import Boolean, Choice, Field, Integer, Items, Record, Table, Text
from notifyctl.config.kinds.shared_fields import ENVIRONMENT_VARIABLE, name_text
from notifyctl.config.scalar_types import parse_issuer, parse_person_email, parse_public_key
from notifyctl.diagnostics import Problem
from notifyctl.model.acceptors import REPOSITORY_CLAIMS

PERSON = Record(
    title="person",
    description="A person who can accept or write a series, under all of their names.",
    fields=(
        Field(name="name", shape=name_text("Name in plans and in the ledger.", "ada"), required=True),
        Field(
            name="emails",
            shape=Items(
                item=Text(parse=parse_person_email),
                unique=True,
                description="Email addresses of this person in commits.",
                examples=(["ada@acme.example"],),
            ),
        ),
        Field(
            name="logins",
            shape=Items(
                item=Text(
                    pattern=r"[A-Za-z0-9][A-Za-z0-9._-]*(?:\[bot\])?",
                    pattern_description="the name of an account at the forge, without @",
                ),
                unique=True,
                description="Accounts of this person at the forge: the `actor` of a GitHub token, the `user_login` of a GitLab token.",
                examples=(["ada"],),
            ),
        ),
        Field(
            name="keys",
            shape=Items(
                item=Text(parse=parse_public_key),
                unique=True,
                description="Public SSH keys of this person, as in a `.pub` file: key type, key and comment, as in git's allowed signers."
                " The signature's namespace is notifyctl-accept.",
                examples=(
                    [
                        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFkYSdzIHNhbXBsZSBrZXkgb2YgMzIgYnl0ZXMu ada@acme.example"
                    ],
                ),
            ),
        ),
    ),
)

OIDC = Record(
    title="oidc",
    description="ID tokens (OpenID Connect) that prove who started a CI job. GitHub Actions needs `permissions: {id-token: write}`,"
    " GitLab `id_tokens:`.",
    fields=(
        Field(
            name="issuer",
            shape=Text(
                parse=parse_issuer,
                description="Issuer of the tokens, the claim `iss`. The keys are read from its /.well-known/openid-configuration.",
                examples=("https://token.actions.githubusercontent.com", "https://gitlab.com"),
            ),
            required=True,
        ),
        Field(
            name="audience",
            shape=Text(
                min_length=1,
                max_length=100,
                description="Audience of the tokens, the claim `aud`. From GitHub, notifyctl requests a token whose audience also names what is accepted.",
            ),
            default="notifyctl",
        ),
        Field(
            name="claims",
            shape=Table(
                value=Text(min_length=1),
                description="Claims that a token must contain, for example the workflow's path and branch. One must name the repository:"
                f" {', '.join(REPOSITORY_CLAIMS)}.",
                examples=({"repository": "acme/alerts"}, {"project_path": "acme/alerts"}),
            ),
            required=True,
        ),
        Field(
            name="tokenEnv",
            shape=Text(
                pattern=ENVIRONMENT_VARIABLE,
                pattern_description="the name of an environment variable, not the token itself",
                private=True,
                description="Environment variable with the token, as named in GitLab's `id_tokens:`. GitHub needs none.",
                examples=("NOTIFYCTL_ID_TOKEN",),
            ),
            default="NOTIFYCTL_ID_TOKEN",
        ),
    ),
)

ACCEPT = Record(
    title="accept",
    description="Who can accept a series. To loosen it, an acceptance under the rule before is needed.",
    fields=(
        Field(
            name="by",
            shape=Choice(
                values=("anyone", "another"),
                description="`another`: only a person who committed to none of the series' files since they were last accepted.",
            ),
            default="anyone",
        ),
        Field(
            name="above",
            shape=Integer(
                minimum=0,
                description="Maximum number of recipients of an occurrence up to which anyone can accept.",
                examples=(1000,),
            ),
            default=0,
        ),
        Field(
            name="proven",
            shape=Boolean(
                description="Who accepts must prove who they are, by an ID token or a signature. A claimed name is not enough: it is an environment variable."
            ),
            default=False,
        ),
        Field(
            name="people",
            shape=Items(
                item=PERSON,
                description="People who accept or write series. They are read from the commit of the last acceptance, so that no change can add its own author's key.",
            ),
        ),
        Field(name="oidc", shape=OIDC),
    ),
)


def accept_problems(accept: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[Problem]:
    """What is wrong between the values of `policy.accept`."""
    people = accept.get("people", ())
    seen: dict[tuple[str, str], str] = {}
    for at, person in enumerate(people):
        for field, values in (
            ("name", (person["name"],)),
            ("emails", person.get("emails", ())),
            ("logins", person.get("logins", ())),
            ("keys", (" ".join(key.split()[:2]) for key in person.get("keys", ()))),
        ):
            for value in values:
                first = seen.setdefault(
                    (field, value if field == "keys" else value.casefold()), f"people[{at}]"
                )
                if first != f"people[{at}]":
                    message = (
                        f"`people[{at}].{field}` repeats a value of `{first}`: each belongs to one person"
                    )
                    yield Problem(
                        (*path, "people", at, field), "invalid-value", message, "remove one of them"
                    )
    oidc = accept.get("oidc")
    if oidc is not None and not set(oidc["claims"]) & set(REPOSITORY_CLAIMS):
        message = "`claims` names no repository, so a job of any repository of the forge could accept"
        hint = "add for example repository: acme/alerts (GitHub) or project_path: acme/alerts (GitLab)"
        yield Problem((*path, "oidc", "claims"), "missing-key", message, hint)
    if accept.get("proven") and oidc is None and not any(person.get("keys") for person in people):
        message = "`proven: true` without a key or `oidc` makes every acceptance impossible"
        yield Problem((*path, "proven"), "missing-key", message, "add `oidc`, or `keys` in `people`")
    if accept.get("proven") and accept.get("by", "anyone") == "anyone":
        message = "`proven` has no effect with `by: anyone`"
        yield Problem((*path, "proven"), "invalid-value", message, "set `by: another`")
