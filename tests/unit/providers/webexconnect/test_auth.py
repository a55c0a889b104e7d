from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

import jwt
import pytest

from notifyctl.errors import SettingsError
from notifyctl.model.project import Auth, JwtAuth, Secret
from notifyctl.providers.webexconnect.auth import read_credentials, redacted_headers
from notifyctl.secrets import read_secret

NOW = datetime(2026, 12, 1, 9, 30, 15, 999_000, tzinfo=UTC)
RAW = b"made up, and thirty-two bytes ok"
ENVIRON = {
    "SERVICE_ID": "made-up-service",
    "SERVICE_SECRET": b64encode(RAW).decode(),
    "SERVICE_KEY": "made-up-key",
}
JWT = JwtAuth(Secret(env="SERVICE_ID"), Secret(env="SERVICE_SECRET"))
KEY = Secret(env="SERVICE_KEY")


def test_the_token_is_what_the_api_asks_for() -> None:
    headers = read_credentials(Auth(jwt=JWT), ENVIRON).headers(NOW)
    assert list(headers) == ["Authorization"]
    token = headers["Authorization"].removeprefix("Bearer ")
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}
    claims = jwt.decode(token, RAW, algorithms=["HS256"], options={"verify_exp": False, "verify_iat": False})
    issued = int(datetime(2026, 12, 1, 9, 30, 15, tzinfo=UTC).timestamp())
    assert claims == {"iss": "made-up-service", "iat": issued, "exp": issued + 60}


def test_a_short_secret_signs_as_it_is() -> None:
    environ = ENVIRON | {"SERVICE_SECRET": b64encode(b"short").decode()}
    token = read_credentials(Auth(jwt=JWT), environ).headers(NOW)["Authorization"].removeprefix("Bearer ")
    jwt.decode(
        token,
        b"short".ljust(32, b"\0"),
        algorithms=["HS256"],
        options={"verify_exp": False, "verify_iat": False},
    )
    import hmac
    from base64 import urlsafe_b64decode

    signed, _, signature = token.rpartition(".")
    assert urlsafe_b64decode(signature + "=") == hmac.digest(b"short", signed.encode(), "sha256")


def test_a_service_key_goes_into_its_own_header() -> None:
    assert read_credentials(Auth(service_key=KEY), ENVIRON).headers(NOW) == {"key": "made-up-key"}


def test_the_token_goes_first_and_the_key_is_not_even_read() -> None:
    environ = {name: value for name, value in ENVIRON.items() if name != "SERVICE_KEY"}
    assert "Authorization" in read_credentials(Auth(jwt=JWT, service_key=KEY), environ).headers(NOW)
    shown = redacted_headers(Auth(jwt=JWT, service_key=KEY))
    assert shown == {"Content-Type": "application/json", "Authorization": "Bearer <redacted>"}


def test_what_is_shown_of_a_key_is_that_there_is_one() -> None:
    assert redacted_headers(Auth(service_key=KEY)) == {
        "Content-Type": "application/json",
        "key": "<redacted>",
    }


@pytest.mark.parametrize("auth", [Auth(jwt=JWT), Auth(service_key=KEY)])
def test_no_representation_shows_a_secret(auth: Auth) -> None:
    shown = repr(read_credentials(auth, ENVIRON))
    assert "made-up-key" not in shown
    assert "thirty-two" not in shown
    assert ENVIRON["SERVICE_SECRET"] not in shown


@pytest.mark.parametrize(
    ("auth", "environ", "named"),
    [
        (Auth(jwt=JWT), {"SERVICE_ID": "x"}, "SERVICE_SECRET"),
        (Auth(jwt=JWT), {"SERVICE_SECRET": "x"}, "SERVICE_ID"),
        (Auth(jwt=JWT), ENVIRON | {"SERVICE_ID": "  "}, "SERVICE_ID"),
        (Auth(service_key=KEY), {}, "SERVICE_KEY"),
        (Auth(), {}, "serviceKeyEnv"),
    ],
)
def test_what_is_missing_is_named(auth: Auth, environ: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_credentials(auth, environ)
    assert named in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize("value", ["not base64: canary!", "Y2FuYXJ5c", "cänary", "===="])
def test_a_secret_that_is_no_base64_is_explained_and_not_shown(value: str) -> None:
    with pytest.raises(SettingsError, match="SERVICE_SECRET is not valid Base64") as caught:
        read_credentials(Auth(jwt=JWT), ENVIRON | {"SERVICE_SECRET": value})
    assert value not in f"{caught.value!r} {caught.value.hint} {caught.value.__cause__!r}"


@pytest.mark.parametrize("value", ["canary\nX-Injected: 1", "canäry"])
def test_a_key_that_no_header_can_carry_is_explained_and_not_shown(value: str) -> None:
    with pytest.raises(SettingsError, match="SERVICE_KEY has characters") as caught:
        read_credentials(Auth(service_key=KEY), {"SERVICE_KEY": value})
    assert "can" not in caught.value.message


def test_a_mounted_secret_comes_without_its_last_line_end(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("made-up-key\n", encoding="utf-8")
    assert read_secret(Secret(file=str(path)), {}, what="the service key") == "made-up-key"


def test_a_mounted_secret_that_cannot_be_read_names_its_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    for content, says in ((None, "No such file"), (b" \n", "is empty"), (b"\xff\xfe", "is not UTF-8 text")):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(SettingsError, match=says) as caught:
            read_secret(Secret(file=str(path)), {}, what="the service key")
        assert str(path) in caught.value.message
