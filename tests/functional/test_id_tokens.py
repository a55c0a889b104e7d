"""ID tokens of a forge: only those of the issuer, for us, of this repository, in force, and of a job that a person started."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from notifyctl.errors import AcceptanceRefusedError
from notifyctl.model.acceptance import Proof
from tests.functional.acceptors import NOW, SERIES, STATEMENT, TEMPLATE, Repository

KEY = rsa.generate_private_key(65537, 2048)
OTHER = rsa.generate_private_key(65537, 2048)
CURVE = ec.generate_private_key(ec.SECP256R1())
SHORT = rsa.generate_private_key(65537, 1024)
REQUEST_TOKEN = "made-up-token-of-a-job"
BOUND = f"notifyctl/{STATEMENT.digest}"


def public(key: Any, kid: str, algorithm: str = "RS256") -> dict[str, Any]:
    name = jwt.get_algorithm_by_name(algorithm)
    return {**json.loads(name.to_jwk(key.public_key())), "kid": kid, "use": "sig", "alg": algorithm}


class Forge:
    """An issuer of tokens on loopback, and GitHub's service that hands them to jobs."""

    def __init__(self) -> None:
        forge = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, answer = forge.answer(self.path, dict(self.headers))
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.reset()

    def reset(self) -> None:
        self.keys = [public(KEY, "one"), public(CURVE, "curve", "ES256"), public(SHORT, "short")]
        self.configuration = {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        self.claims: dict[str, Any] = {}  # what the next tokens of GitHub's service hold beyond the usual
        self.audiences: list[str] = []

    def answer(self, path: str, headers: dict[str, str]) -> tuple[int, Any]:
        parts = urlsplit(path)
        if parts.path == "/.well-known/openid-configuration":
            return 200, self.configuration
        if parts.path == "/keys":
            return 200, {"keys": self.keys}
        if parts.path == "/token" and headers.get("Authorization") == f"Bearer {REQUEST_TOKEN}":
            [audience] = parse_qs(parts.query)["audience"]
            self.audiences.append(audience)
            return 200, {"value": self.token(**{"aud": audience, **self.claims})}
        return 403, {}

    def token(
        self, *, key: Any = KEY, kid: str | None = "one", algorithm: str = "RS256", **claims: Any
    ) -> str:
        now = int(NOW.timestamp())
        usual = {
            "iss": self.url,
            "sub": "repo:acme/alerts:ref:refs/heads/main",
            "aud": BOUND,
            "iat": now,
            "nbf": now - 5,
            "exp": now + 300,
            "actor": "bob-b",
            "actor_id": "2",
            "repository": "acme/alerts",
            "ref": "refs/heads/main",
            "event_name": "workflow_dispatch",
            "run_attempt": "1",
        }
        held = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        return jwt.encode(held, key, algorithm=algorithm, headers={"kid": kid} if kid else None)


@pytest.fixture(scope="module")
def server() -> Iterator[Forge]:
    found = Forge()
    thread = threading.Thread(target=found.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


@pytest.fixture
def forge(server: Forge) -> Forge:
    server.reset()
    return server


@pytest.fixture(scope="module")
def repository(server: Forge, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Ada's series, in a project that asks for proof."""
    forge, repository = server, Repository(tmp_path_factory.mktemp("proof") / "project")
    repository.rule(
        f"""\
        by: another
        proven: true
        people:
          - {{name: ada, emails: [ada@acme.example], logins: [ada-l]}}
          - {{name: bob, emails: [bob@acme.example], logins: [bob-b]}}
        oidc:
          issuer: {forge.url}
          claims: {{repository: acme/alerts, ref: refs/heads/main}}
          tokenEnv: ID_TOKEN
        """
    )
    repository.commit(series_yaml=SERIES, template_yaml=TEMPLATE, words_txt="Good day", members_csv="phone\n")
    return repository


def job(forge: Forge) -> dict[str, Any]:
    """The variables of a job of GitHub, of which the actor is set to somebody else by its workflow."""
    return {
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{forge.url}/token?api-version=2",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": REQUEST_TOKEN,
        "GITHUB_ACTOR": "mallory",
    }


def refuses(repository: Repository, words: str, **environ: Any) -> None:
    with pytest.raises(AcceptanceRefusedError) as refused:
        repository.check(**environ)
    assert words in refused.value.message
    assert "nothing was recorded" in refused.value.message
    for token in filter(None, (environ.get("ID_TOKEN"), REQUEST_TOKEN)):
        assert token not in f"{refused.value.message} {refused.value.hint}"


def test_a_job_proves_its_actor_for_this_statement_alone(repository: Repository, forge: Forge) -> None:
    found = repository.check(**job(forge)).identity
    assert (found.name, found.proof) == ("bob-b", Proof.OIDC)
    assert found.detail == f"{forge.url} repo:acme/alerts:ref:refs/heads/main"
    assert set(forge.audiences) == {BOUND}
    kept = json.loads(found.evidence)
    assert kept["statement"] == STATEMENT.text
    assert kept["claims"]["actor_id"] == "2"
    assert REQUEST_TOKEN not in found.evidence


def test_an_author_is_refused_by_the_token_whatever_the_variables_claim(
    repository: Repository, forge: Forge
) -> None:
    forge.claims = {"actor": "ada-l"}
    refuses(repository, "`ada-l` wrote a part", **job(forge))
    forge.claims = {"actor": "dependabot[bot]"}
    refuses(repository, "account of a program", **job(forge))
    refuses(repository, "must prove", GITHUB_ACTOR="bob-b", CI="true", GIT_AUTHOR_EMAIL="bob@acme.example")


def test_a_token_of_gitlab_is_in_a_variable(repository: Repository, forge: Forge) -> None:
    gitlab: dict[str, Any] = {
        "actor": None,
        "event_name": None,
        "run_attempt": None,
        "user_login": "bob-b",
        "user_email": "bob@acme.example",
    }
    gitlab |= {"aud": "notifyctl", "pipeline_source": "web", "project_path": "acme/alerts"}
    found = repository.check(ID_TOKEN=forge.token(**gitlab)).identity
    assert (found.name, found.proof) == ("bob-b", Proof.OIDC)
    refuses(repository, "`ada-l` wrote a part", ID_TOKEN=forge.token(**gitlab | {"user_login": "ada-l"}))
    refuses(repository, "wrote a part", ID_TOKEN=forge.token(**gitlab | {"user_email": "ada@acme.example"}))
    refuses(repository, "started by `push`", ID_TOKEN=forge.token(**gitlab | {"pipeline_source": "push"}))


def test_a_curve_signs_too(repository: Repository, forge: Forge) -> None:
    token = forge.token(key=CURVE, kid="curve", algorithm="ES256", aud="notifyctl")
    assert repository.check(ID_TOKEN=token).identity.proof is Proof.OIDC


CLAIMS: dict[str, tuple[dict[str, Any], str]] = {
    "another audience": ({"aud": "sigstore"}, "audience"),
    "several audiences": ({"aud": ["notifyctl", "sigstore"]}, "audience"),
    "no audience": ({"aud": None}, "`aud`"),
    "another issuer": ({"iss": "https://gitlab.example"}, "is not from"),
    "no subject": ({"sub": None}, "`sub`"),
    "expired": ({"exp": int((NOW - timedelta(minutes=2)).timestamp())}, "has expired"),
    "without an end": ({"exp": None}, "`exp`"),
    "an end that is no time": ({"exp": "soon"}, ""),
    "not valid yet": ({"nbf": int((NOW + timedelta(hours=1)).timestamp())}, "not valid yet"),
    "made in the future": ({"iat": int((NOW + timedelta(hours=1)).timestamp())}, "not valid yet"),
    "another repository": (
        {"repository": "mallory/alerts"},
        "`repository` of the ID token must be `acme/alerts`",
    ),
    "a repository in other case": ({"repository": "Acme/alerts"}, "must be `acme/alerts`"),
    "no repository": ({"repository": None}, "no such claim"),
    "another branch": ({"ref": "refs/heads/change"}, "`ref` of the ID token"),
    "a push": ({"event_name": "push"}, "started by `push`"),
    "a schedule": ({"event_name": "schedule"}, "started by `schedule`"),
    "run again": ({"run_attempt": "2"}, "run again"),
    "no person": ({"actor": None}, "names no person"),
}


@pytest.mark.parametrize(("claims", "words"), CLAIMS.values(), ids=CLAIMS.keys())
def test_other_claims_are_refused(
    repository: Repository, forge: Forge, claims: dict[str, Any], words: str
) -> None:
    refuses(repository, words, ID_TOKEN=forge.token(**{"aud": "notifyctl", **claims}))


def forged(head: dict[str, str], claims: dict[str, Any], key: bytes = b"") -> str:
    """A token that is signed with HMAC, or not at all."""
    parts = [base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=") for each in (head, claims)]
    signed = hmac.new(key, b".".join(parts), hashlib.sha256).digest() if key else b""
    return b".".join([*parts, base64.urlsafe_b64encode(signed).rstrip(b"=")]).decode()


def test_forged_tokens_are_refused(repository: Repository, forge: Forge) -> None:
    held = jwt.decode(forge.token(aud="notifyctl"), options={"verify_signature": False})
    pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for name, key in (("none", b""), ("None", b""), ("HS256", pem), ("HS256", b"one")):
        token = forged({"alg": name, "typ": "JWT", "kid": "one"}, held, key)
        refuses(repository, "proves nothing", ID_TOKEN=token)
    refuses(repository, "was not signed by", ID_TOKEN=forge.token(key=OTHER, aud="notifyctl"))
    whole = forge.token(aud="notifyctl").split(".")
    other = forge.token(aud="notifyctl", actor="eve").split(".")
    refuses(repository, "was not signed by", ID_TOKEN=".".join([other[0], other[1], whole[2]]))
    refuses(repository, "does not list", ID_TOKEN=forge.token(kid="two", aud="notifyctl"))
    refuses(repository, "does not list", ID_TOKEN=forge.token(kid=None, aud="notifyctl"))
    refuses(repository, "does not list", ID_TOKEN=forge.token(algorithm="RS512", aud="notifyctl"))
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        short = forge.token(key=SHORT, kid="short", aud="notifyctl")
    refuses(repository, "too short", ID_TOKEN=short)
    for junk in ("not-a-token", "a.b.c", "." * 10, "x" * 20_000):
        refuses(repository, "the ID token is", ID_TOKEN=junk)


def test_keys_come_from_the_issuer_alone(repository: Repository, forge: Forge) -> None:
    own = {"jku": f"{forge.url}/keys", "jwk": public(OTHER, "one")}
    head = {"alg": "RS256", "kid": "one", **own}
    held = jwt.decode(forge.token(aud="notifyctl"), options={"verify_signature": False})
    refuses(
        repository, "was not signed by", ID_TOKEN=jwt.encode(held, OTHER, algorithm="RS256", headers=head)
    )
    forge.keys.append(public(OTHER, "one"))
    refuses(repository, "does not list", ID_TOKEN=forge.token(aud="notifyctl"))  # two of the same name
    forge.keys[:] = [{"kty": "oct", "k": "b25l", "kid": "one"}]
    refuses(repository, "not valid for the signature", ID_TOKEN=forge.token(aud="notifyctl"))
    forge.configuration["issuer"] = "https://gitlab.example"
    refuses(repository, "names another issuer", ID_TOKEN=forge.token(aud="notifyctl"))
    forge.configuration |= {"issuer": forge.url, "jwks_uri": "http://keys.example/"}
    refuses(repository, "must start with https://", ID_TOKEN=forge.token(aud="notifyctl"))


def test_a_forge_that_gives_no_token_is_refused(repository: Repository, forge: Forge) -> None:
    refuses(repository, "refused the ID token (403)", **job(forge) | {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x"})
    refuses(
        repository, "https://", **job(forge) | {"ACTIONS_ID_TOKEN_REQUEST_URL": "http://forge.example/token"}
    )
    refuses(
        repository,
        "cannot be reached",
        **job(forge) | {"ACTIONS_ID_TOKEN_REQUEST_URL": "http://127.0.0.1:1/"},
    )


def test_settings_of_the_accepted_change_do_not_count(repository: Repository, forge: Forge) -> None:
    repository.accept(ID_TOKEN=forge.token(aud="notifyctl"))
    text = (repository.root / "notifyctl.yaml").read_text()
    repository.commit(notifyctl_yaml=text.replace("acme/alerts", "mallory/alerts"))
    forge.claims = {"repository": "mallory/alerts", "actor": "bob-b"}
    refuses(repository, "must be `acme/alerts`", **job(forge))
