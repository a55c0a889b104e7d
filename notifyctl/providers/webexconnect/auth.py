"""Credentials: read from the environment or mounted files, turned into headers, shown nowhere."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from notifyctl.errors import SettingsError
from notifyctl.model import Auth, Secret
from notifyctl.ports import Environ

TOKEN_LIFETIME = 60
"""Seconds. A token is made for one request; a request that a paused machine flushes later finds it expired."""

REDACTED = "<redacted>"


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """A JWT pair, or a service key. `secret` is decoded."""

    service_id: str | None = None
    secret: bytes | None = None
    service_key: str | None = None

    def __repr__(self) -> str:
        kind = "service key" if self.secret is None else "JWT"
        return f"Credentials({kind}, {REDACTED})"

    def headers(self, now: datetime) -> dict[str, str]:
        """The JWT goes first when both are configured (rule 26)."""
        if self.secret is not None and self.service_id is not None:
            return {"Authorization": f"Bearer {token(self.service_id, self.secret, now)}"}
        assert self.service_key is not None, "read_credentials gives one of the two"
        return {"key": self.service_key}


def token(service_id: str, secret: bytes, now: datetime) -> str:
    """HS256; `iss` is the service id, `iat` whole seconds (rule 27)."""
    import jwt

    issued = int(now.timestamp())
    claims = {"iss": service_id, "iat": issued, "exp": issued + TOKEN_LIFETIME}
    # How long a service secret is, the provider decides; a warning about it on each request helps nobody.
    signer = jwt.PyJWS(algorithms=["HS256"])
    return signer.encode(encoded(claims), secret, algorithm="HS256", headers={"typ": "JWT"})


def encoded(claims: dict[str, str | int]) -> bytes:
    import json

    return json.dumps(claims, separators=(",", ":")).encode()


def read_credentials(auth: Auth, environ: Environ) -> Credentials:
    """Raises SettingsError naming what is missing, never a value."""
    if auth.jwt is not None:
        service_id = read_secret(auth.jwt.service_id, environ, what="the service id")
        secret = read_secret(auth.jwt.secret, environ, what="the service secret")
        return Credentials(service_id, decoded(secret, auth.jwt.secret))
    if auth.service_key is not None:
        return Credentials(service_key=read_secret(auth.service_key, environ, what="the service key"))
    raise SettingsError(
        "the environment has no credentials",
        hint="auth: {jwt: {serviceIdEnv: …, secretEnv: …}} or auth: {serviceKeyEnv: …}, naming environment variables",
    )


def read_secret(secret: Secret, environ: Environ, *, what: str) -> str:
    if secret.env is not None:
        value = environ.get(secret.env, "").strip()
        if not value:
            raise SettingsError(f"the environment variable {secret.env} is not set; it holds {what}")
        return value
    assert secret.file is not None, "the loader asks for a variable or a file"
    try:
        value = Path(secret.file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SettingsError(f"the file {secret.file} cannot be read ({reason}); it holds {what}") from error
    if not value:
        raise SettingsError(f"the file {secret.file} is empty; it holds {what}")
    return value


def decoded(secret: str, source: Secret) -> bytes:
    """The service secret is Base64; both alphabets are taken."""
    try:
        raw = base64.b64decode(secret.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not raw:
        # Raised outside the handler: the cause of a decoding error would carry the value along.
        raise SettingsError(
            f"the service secret in {source.env or source.file} is not Base64",
            hint="copy it as the provider shows it, with the = at its end",
        )
    return raw


def redacted_headers(auth: Auth) -> dict[str, str]:
    """The headers of a request as they may be shown. Needs no secret."""
    if auth.jwt is not None:
        return {"Content-Type": "application/json", "Authorization": f"Bearer {REDACTED}"}
    return {"Content-Type": "application/json", "key": REDACTED}
