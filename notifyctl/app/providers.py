"""Opens the provider of an environment with its credentials, and starts the embedded sandbox."""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from notifyctl.app.ledger import STATE_FOLDER
from notifyctl.app.workspace import Workspace
from notifyctl.errors import SettingsError
from notifyctl.model.project import Auth, Environment, JwtAuth, Secret
from notifyctl.ports import FileTree, Provider
from notifyctl.secrets import read_secret
from notifyctl.transport.ca_files import read_certificates
from notifyctl.transport.loopback import is_loopback
from notifyctl.transport.proxies import Route, find_route

SANDBOX_PATH = "http://127.0.0.1/v2/messages"
"""Shown by a dry run for the embedded sandbox, whose port is chosen at start."""
SANDBOX_AUTH = Auth(jwt=JwtAuth(Secret(env="SANDBOX_SERVICE_ID"), Secret(env="SANDBOX_SERVICE_SECRET")))


def inbox_path(workspace: Workspace) -> Path:
    return workspace.root / STATE_FOLDER / "sandbox-inbox.jsonl"


def prepare_only(workspace: Workspace, environment: Environment) -> Provider:
    """A provider that prepares requests and holds no credentials. Raises SettingsError as `open_provider` does."""
    refuse_sandbox_elsewhere(environment)
    from notifyctl.providers.webexconnect.client import WebexConnect

    return WebexConnect(
        environment.endpoint or SANDBOX_PATH,
        auth=environment.auth if not is_embedded(environment) else SANDBOX_AUTH,
        credentials=None,
        clock=workspace.clock,
        profile=environment.profile,
    )


def is_embedded(environment: Environment) -> bool:
    return environment.is_sandbox and environment.endpoint is None


def refuse_sandbox_elsewhere(environment: Environment) -> None:
    """The second line behind the loader, which accepts only loopback: the sandbox asks nobody before it sends."""
    if environment.is_sandbox and environment.endpoint is not None:
        host = urlsplit(environment.endpoint).hostname or ""
        if not is_loopback(host):
            raise SettingsError(
                f"the environment `{environment.name}` is a sandbox, and its endpoint is not on this machine; nothing was sent"
            )


@contextmanager
def open_provider(workspace: Workspace, environment: Environment) -> Iterator[Provider]:
    """A provider that is ready to send. Raises SettingsError for a missing variable or file, before any attempt."""
    refuse_sandbox_elsewhere(environment)
    from notifyctl.providers.webexconnect.auth import read_credentials
    from notifyctl.providers.webexconnect.client import WebexConnect

    if is_embedded(environment):
        with embedded_sandbox(workspace, environment) as (url, environ):
            provider = WebexConnect(
                url,
                auth=SANDBOX_AUTH,
                credentials=read_credentials(SANDBOX_AUTH, environ),
                clock=workspace.clock,
                profile=environment.profile,
            )
            try:
                yield provider
            finally:
                provider.close()
        return
    assert environment.endpoint is not None, "the loader asks for an endpoint"
    provider = WebexConnect(
        environment.endpoint,
        auth=environment.auth,
        credentials=read_credentials(environment.auth, workspace.environ),
        clock=workspace.clock,
        profile=environment.profile,
        route=route_of(workspace, environment),
    )
    try:
        yield provider
    finally:
        provider.close()


def route_of(workspace: Workspace, environment: Environment) -> Route:
    """The way to the environment's endpoint: its own proxy and CA, else what the variables say. Raises SettingsError."""
    assert environment.endpoint is not None, "the embedded sandbox is on loopback"
    proxy, key = environment.proxy, "proxy"
    if environment.proxy_secret is not None:
        proxy = read_secret(environment.proxy_secret, workspace.environ, what="the address of the proxy")
        key = "proxyEnv" if environment.proxy_secret.env else "proxyFile"
    return find_route(
        environment.endpoint,
        workspace.environ,
        proxy=proxy,
        proxy_key=key,
        ca_certificates=certificates_of(workspace.files, environment),
        from_project=True,
    )


def certificates_of(files: FileTree, environment: Environment) -> str | None:
    """The certificates of its `caFile`. Raises SettingsError."""
    if environment.ca_file is None:
        return None
    try:
        return read_certificates(files, environment.ca_file)
    except ValueError as error:
        raise SettingsError(
            str(error), hint="`caFile` is relative to the folder of notifyctl.yaml"
        ) from error


@contextmanager
def embedded_sandbox(workspace: Workspace, environment: Environment) -> Iterator[tuple[str, dict[str, str]]]:
    """The simulator on a free loopback port, with credentials made for this run."""
    from notifyctl.providers.sandbox.app import SandboxSettings
    from notifyctl.providers.sandbox.inbox import Inbox
    from notifyctl.providers.sandbox.server import SandboxServer

    key = secrets.token_bytes(32)
    settings = SandboxSettings(
        service_key=None,
        service_id="sandbox",
        secret=key,
        tps=environment.limits.tps,
        tps_counts=environment.limits.tps_counts,
        profile=environment.profile,
    )
    environ = {"SANDBOX_SERVICE_ID": "sandbox", "SANDBOX_SERVICE_SECRET": b64encode(key).decode()}
    with SandboxServer(settings, Inbox(inbox_path(workspace)), workspace.clock) as server:
        yield server.url, environ
