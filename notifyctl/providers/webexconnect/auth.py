"""Who sends: secrets from the environment or mounted files, and the headers made of them. No message, repr or error of
this module holds a secret's value.
"""

from __future__ import annotations

from base64 import b64decode
from datetime import datetime

from msgspec import Struct

from notifyctl.errors import SettingsError
from notifyctl.model.project import Auth, JwtAuth
from notifyctl.ports import Environ
from notifyctl.secrets import describe_source, read_secret

TOKEN_LIFETIME = 60
"""Seconds until a token expires; a new one is made for each request. The API's own limit is an hour (rule 27)."""
HASH_BYTES = 32
REDACTED = "<redacted>"


class TokenSigner(Struct, frozen=True):
    """JSON Web Tokens for one service (rule 27)."""

    service_id: str
    secret: bytes

    def __repr__(self) -> str:
        return f"TokenSigner(service_id={self.service_id!r})"

    def headers(self, now: datetime) -> dict[str, str]:
        import jwt

        issued = int(now.timestamp())
        claims = {"iss": self.service_id, "iat": issued, "exp": issued + TOKEN_LIFETIME}
        # HMAC pads a short key with zeros itself: the signature is the same, and the library does not warn
        # about a length that the provider chose.
        key = self.secret.ljust(HASH_BYTES, b"\0")
        return {"Authorization": f"Bearer {jwt.encode(claims, key, algorithm='HS256')}"}


class ServiceKey(Struct, frozen=True):
    """The account's service key."""

    key: str

    def __repr__(self) -> str:
        return "ServiceKey()"

    def headers(self, now: datetime) -> dict[str, str]:  # noqa: ARG002 - a key is the same at any time
        return {"key": self.key}


Credentials = TokenSigner | ServiceKey


def read_credentials(auth: Auth, environ: Environ) -> Credentials:
    """The token goes first when both are configured, as the API has it (rule 26); the key is then not even read.

    Raises SettingsError naming the environment variable or file that is missing or holds no such thing.
    """
    if auth.jwt is not None:
        return token_signer(auth.jwt, environ)
    if auth.service_key is not None:
        key = read_secret(auth.service_key, environ, what="the service key")
        if not (key.isascii() and key.isprintable()):
            raise SettingsError(
                f"the service key in {describe_source(auth.service_key)} has characters that are not allowed in an HTTP header",
                hint="copy it again from the page of the service; it has only letters, digits and punctuation",
            )
        return ServiceKey(key)
    raise SettingsError(
        "the environment has no credentials",
        hint="add `auth: {serviceKeyEnv: …}` or `auth: {jwt: {serviceIdEnv: …, secretEnv: …}}`",
    )


def token_signer(auth: JwtAuth, environ: Environ) -> TokenSigner:
    service_id = read_secret(auth.service_id, environ, what="the service id")
    encoded = read_secret(auth.secret, environ, what="the service secret")
    try:
        secret = b64decode(encoded.replace("-", "+").replace("_", "/"), validate=True)
    except ValueError:
        secret = b""
    if not secret:
        raise SettingsError(
            f"the service secret in {describe_source(auth.secret)} is not valid Base64",
            hint="copy it encoded, as shown on the page of the service: letters, digits, + and /, with any = at the end",
        )
    return TokenSigner(service_id, secret)


def redacted_headers(auth: Auth) -> dict[str, str]:
    """The headers of a request with the secret left out. Needs no secret."""
    if auth.jwt is None and auth.service_key is not None:
        return {"Content-Type": "application/json", "key": REDACTED}
    return {"Content-Type": "application/json", "Authorization": f"Bearer {REDACTED}"}
