"""Posts alerts of `run`: one line as `{"text": "…"}`, which incoming webhooks of Slack, Teams and Mattermost take.

The URL is a secret, so that no message quotes it. Proxies are those that the variables name; the environment's `caFile` is
trusted too.
"""

from __future__ import annotations

from notifyctl.app.providers import certificates_of
from notifyctl.app.workspace import Workspace
from notifyctl.config.scalar_types import parse_endpoint
from notifyctl.errors import ProviderError, SettingsError
from notifyctl.model.project import Environment
from notifyctl.secrets import describe_source, read_secret
from notifyctl.transport.failures import TransportError
from notifyctl.transport.proxies import find_route

TIMEOUT = 10.0
"""Seconds for an alert: sending must not wait longer for it."""


def post_alert(workspace: Workspace, environment: Environment, text: str) -> bool:
    """Posts a line. Returns False if the environment has no address for alerts.

    Raises ProviderError if it is not taken, SettingsError if its address cannot be read.
    """
    if environment.alerts is None:
        return False
    url = read_secret(environment.alerts, workspace.environ, what="the address for alerts")
    try:
        parse_endpoint(url)
    except ValueError:
        raise SettingsError(
            f"{describe_source(environment.alerts)} does not hold a valid address for alerts",
            hint="use the https:// address of an incoming webhook",
        ) from None
    route = find_route(url, workspace.environ, ca_certificates=certificates_of(workspace.files, environment))
    from notifyctl import __version__
    from notifyctl.transport.client import open_client

    headers = {"User-Agent": f"notifyctl/{__version__}"}
    try:
        with open_client(route, seconds=TIMEOUT, headers=headers) as client:
            answer = client.post(url, json={"text": text})
    except TransportError as error:
        raise ProviderError(f"the alert was not posted: {error.message}", hint=error.hint) from None
    if not answer.is_success:
        raise ProviderError(f"the alert was not accepted (status {answer.status_code})")
    return True
