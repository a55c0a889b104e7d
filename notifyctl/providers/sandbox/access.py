"""Authenticates requests by service key or JSON Web Token. Uses the standard library only and none of our client's code."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from msgspec import Struct

from notifyctl.channels.limits import JWT_LIFETIME

CLOCK_SKEW = 60
"""Seconds by which a token may be issued in the future."""


class Access(Struct, frozen=True):
    """The credentials of the simulated account. `repr` shows no secret."""

    service_key: str | None = None
    service_id: str | None = None
    secret: bytes | None = None

    def __repr__(self) -> str:
        return f"Access(service_id={self.service_id!r})"

    def allows(self, headers: Mapping[str, str], now: datetime) -> bool:
        """If both are sent, only the token counts (rule 26). `headers` have lower-case names."""
        authorization = headers.get("authorization", "")
        if authorization.startswith("Bearer "):
            return self._accepts_token(authorization.removeprefix("Bearer "), now)
        service_key = headers.get("key", "")
        return self.service_key is not None and hmac.compare_digest(
            service_key.encode(), self.service_key.encode()
        )

    def _accepts_token(self, token: str, now: datetime) -> bool:
        """Rule 27: HS256 over the decoded secret, `iss` the service id, `iat` whole seconds, at most an hour old."""
        parts = token.split(".")
        if self.secret is None or len(parts) != len(("header", "claims", "signature")):
            return False
        header, claims, signature = decode_object(parts[0]), decode_object(parts[1]), decode_base64(parts[2])
        expected = hmac.digest(self.secret, f"{parts[0]}.{parts[1]}".encode(), sha256)
        if header.get("alg") != "HS256" or not hmac.compare_digest(signature, expected):
            return False
        issued, seconds = claims.get("iat"), now.timestamp()
        if not isinstance(issued, int) or not seconds - JWT_LIFETIME <= issued <= seconds + CLOCK_SKEW:
            return False
        expires = claims.get("exp", seconds + 1)
        return claims.get("iss") == self.service_id and isinstance(expires, int | float) and seconds < expires


def decode_base64(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        return b""


def decode_object(part: str) -> dict[str, Any]:
    try:
        value = json.loads(decode_base64(part))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
