"""ID tokens of GitHub Actions and GitLab CI (OpenID Connect): fetched from the job's forge, and verified by the issuer's keys.

No token is shown or stored; of its claims only those that an auditor needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from msgspec import Struct

from notifyctl import __version__
from notifyctl.errors import AcceptanceRefusedError
from notifyctl.model.acceptors import Oidc
from notifyctl.ports import Environ
from notifyctl.transport.failures import TransportError
from notifyctl.transport.loopback import is_loopback
from notifyctl.transport.proxies import find_route

SECONDS = 20.0
REQUEST_URL, REQUEST_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a private key that only the issuer has. Never HS256, whose key would be the public one, nor none."""
LEEWAY = timedelta(seconds=60)
MAX_TOKEN = 16 << 10
LEAST_RSA = 2048
"""Bits of an issuer's key."""
STARTED_BY_HAND = {"event_name": ("workflow_dispatch",), "pipeline_source": ("web", "api")}
"""Claim of GitHub or GitLab → the values of a job that a person started as such; in any other job, such as after a push, the person is
one who did something else. A claim in `oidc.claims` decides instead.
"""
KEPT = (
    "iss", "sub", "aud", "iat", "exp", "jti",
    "actor", "actor_id", "repository", "workflow_ref", "job_workflow_ref", "ref", "sha", "event_name", "run_id", "run_attempt",
    "user_login", "user_id", "user_email", "project_path", "pipeline_source", "pipeline_id", "job_id",
)  # fmt: skip
"""Claims that are kept with an acceptance."""


class TokenHolder(Struct, frozen=True):
    """Whom a verified token names. `emails`: as the forge has verified them."""

    login: str
    forge: str
    claims: Mapping[str, Any]
    emails: tuple[str, ...] = ()

    @property
    def detail(self) -> str:
        return f"{self.claims['iss']} {self.claims['sub']}"


def has_token(oidc: Oidc, environ: Environ) -> bool:
    return bool(environ.get(oidc.variable) or (environ.get(REQUEST_URL) and environ.get(REQUEST_TOKEN)))


def fetch_holder(oidc: Oidc, environ: Environ, *, statement_digest: str, now: datetime) -> TokenHolder:
    """Whom this job's token names, verified. GitHub's token is requested for this statement alone.

    Raises AcceptanceRefusedError for a token that does not prove it, or if the forge or the issuer cannot be reached.
    """
    token, audience = environ.get(oidc.variable, "").strip(), oidc.audience
    if not token:
        audience = f"{oidc.audience}/{statement_digest}"
        token = request_token(environ, audience)
    claims = verify_token(token, oidc, audience=audience, environ=environ, now=now)
    return read_holder(claims)


def request_token(environ: Environ, audience: str) -> str:
    url = environ[REQUEST_URL]
    refuse_insecure(url, f"the variable {REQUEST_URL}")
    address = f"{url}{'&' if urlsplit(url).query else '?'}audience={quote(audience, safe='')}"
    found = get_json(
        address, environ, {"Authorization": f"Bearer {environ[REQUEST_TOKEN]}"}, what="the ID token"
    )
    token = found.get("value") if isinstance(found, dict) else None
    if not isinstance(token, str) or not token:
        raise refused("GitHub returned no ID token", hint="the job needs `permissions: {id-token: write}`")
    return token


def verify_token(token: str, oidc: Oidc, *, audience: str, environ: Environ, now: datetime) -> dict[str, Any]:
    """The claims of a token by `oidc.issuer` for `audience`, in force at `now`."""
    import jwt

    if len(token) > MAX_TOKEN:
        raise refused("the ID token is too long to be one")
    try:
        head = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError:
        raise refused("the ID token is not a signed JSON Web Token") from None
    algorithm = head.get("alg")
    if algorithm not in ALGORITHMS:
        raise refused(
            f"the ID token is signed with `{str(algorithm)[:20]}`, which proves nothing about its issuer"
        )
    key = find_key(fetch_keys(oidc, environ), head)
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key=key,
            algorithms=[algorithm],
            issuer=oidc.issuer,
            audience=audience,
            # The times are compared below, with our clock.
            options={
                "require": ["iss", "sub", "aud", "exp", "iat"],
                "strict_aud": True,
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
    except jwt.InvalidIssuerError:
        raise refused(f"the ID token is not from {oidc.issuer}") from None
    except jwt.InvalidAudienceError:
        raise refused(
            f"the audience of the ID token is not `{audience}`",
            hint=f"in GitLab, set `id_tokens: {{{oidc.variable}: {{aud: {oidc.audience}}}}}`",
        ) from None
    except jwt.MissingRequiredClaimError as error:
        raise refused(f"the ID token has no claim `{error.claim}`") from None
    except (jwt.InvalidTokenError, TypeError, ValueError):
        raise refused(f"the ID token was not signed by {oidc.issuer}") from None
    check_times(claims, now)
    check_claims(claims, oidc)
    return claims


def check_times(claims: Mapping[str, Any], now: datetime) -> None:
    moments: dict[str, datetime] = {}
    for name in ("exp", "iat", "nbf"):
        value = claims.get(name)
        if value is not None:
            try:
                moments[name] = datetime.fromtimestamp(int(value), tz=UTC)
            except (TypeError, ValueError, OverflowError, OSError):
                raise refused(f"the claim `{name}` of the ID token is not a time") from None
    if moments["exp"] <= now - LEEWAY:
        raise refused("the ID token has expired", hint="start the job again")
    if any(moments[name] > now + LEEWAY for name in ("iat", "nbf") if name in moments):
        raise refused("the ID token is not valid yet: the clock of this machine is behind")


def check_claims(claims: Mapping[str, Any], oidc: Oidc) -> None:
    """That the token is of a job that may accept, and that a person started it in order to."""
    for name, wanted in oidc.claims.items():
        given = claims.get(name)
        if given is None or as_text(given) != wanted:
            shown = "no such claim" if given is None else f"`{as_text(given)[:100]}`"
            raise refused(
                f"the claim `{name}` of the ID token must be `{wanted}`, and it has {shown}",
                hint="accept from the repository, branch and workflow that `policy.accept.oidc.claims` names",
            )
    for name, values in STARTED_BY_HAND.items():
        given = claims.get(name)
        if given is not None and name not in oidc.claims and given not in values:
            raise refused(
                f"the job was started by `{as_text(given)[:40]}`, so it does not show that a person accepts",
                hint="start it by hand: `on: workflow_dispatch` in GitHub, `Run pipeline` in GitLab",
            )
    if as_text(claims.get("run_attempt", "1")) != "1":
        raise refused(
            "the job was run again, and its ID token names the person of the first attempt",
            hint="start a new run of the workflow",
        )


def read_holder(claims: Mapping[str, Any]) -> TokenHolder:
    kept = {name: claims[name] for name in KEPT if name in claims}
    github, gitlab = claims.get("actor"), claims.get("user_login")
    if isinstance(github, str) and github and "repository" in claims:
        return TokenHolder(github, "github", kept)
    if isinstance(gitlab, str) and gitlab and "project_path" in claims:
        email = claims.get("user_email")
        return TokenHolder(gitlab, "gitlab", kept, (email,) if isinstance(email, str) and email else ())
    raise refused("the ID token names no person: it has neither `actor` (GitHub) nor `user_login` (GitLab)")


def as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


# -- the issuer's keys -----------------------------------------------------------------------------------------------


def fetch_keys(oidc: Oidc, environ: Environ) -> list[Mapping[str, Any]]:
    """By OpenID Connect Discovery 1.0, section 4."""
    found = get_json(
        f"{oidc.issuer.rstrip('/')}/.well-known/openid-configuration", environ, {}, what="its configuration"
    )
    if not isinstance(found, dict) or found.get("issuer") != oidc.issuer:
        raise refused(f"the configuration of {oidc.issuer} names another issuer")
    address = found.get("jwks_uri")
    if not isinstance(address, str):
        raise refused(f"the configuration of {oidc.issuer} names no keys")
    refuse_insecure(address, "the address of the issuer's keys")
    keys = get_json(address, environ, {}, what="its keys")
    listed = keys.get("keys") if isinstance(keys, dict) else None
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def find_key(keys: list[Mapping[str, Any]], head: Mapping[str, Any]) -> Any:
    """The one public key that a token names."""
    import jwt

    named = [each for each in keys if each.get("kid") == head.get("kid") and head.get("kid") is not None]
    usable = [
        each
        for each in named
        if each.get("use", "sig") == "sig" and each.get("alg", head["alg"]) == head["alg"]
    ]
    if len(usable) != 1:
        raise refused("the ID token was signed with a key that its issuer does not list")
    try:
        key = jwt.PyJWK(dict(usable[0]), algorithm=head["alg"])
    except (jwt.PyJWTError, ValueError, TypeError):
        raise refused("the issuer's key is not valid for the signature of the ID token") from None
    if not is_public(key.key):
        raise refused("the issuer lists a key that is not a public one, or that is too short")
    return key


def is_public(key: object) -> bool:
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= LEAST_RSA
    return isinstance(key, (ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey, ed448.Ed448PublicKey))


def get_json(url: str, environ: Environ, headers: Mapping[str, str], *, what: str) -> Any:
    from notifyctl.transport.client import open_client

    host = urlsplit(url).hostname
    with open_client(
        find_route(url, environ),
        seconds=SECONDS,
        headers={**headers, "User-Agent": f"notifyctl/{__version__}"},
    ) as client:
        try:
            answer = client.get(url)
        except TransportError as error:
            raise refused(f"{host} cannot be reached for {what}: {error.message}", hint=error.hint) from None
    if not answer.is_success:
        raise refused(f"{host} refused {what} ({answer.status_code})")
    try:
        return answer.json()
    except (ValueError, RecursionError):
        raise refused(f"{host} did not return {what} as JSON") from None


def refuse_insecure(url: str, what: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise refused(f"{what} must start with https://")


def refused(message: str, *, hint: str | None = None) -> AcceptanceRefusedError:
    return AcceptanceRefusedError(f"{message}; nothing was recorded", hint=hint)
