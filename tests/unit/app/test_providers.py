"""The sandbox sends nothing beyond this machine, whatever an environment says that no loader has checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from notifyctl.app.providers import open_provider, prepare_only
from notifyctl.app.workspace import open_workspace
from notifyctl.diagnostics import Positions
from notifyctl.errors import SettingsError
from notifyctl.model.project import Environment

PROJECT = "apiVersion: notifyctl/v1\nkind: Project\nname: acme\n"


@pytest.mark.parametrize(
    "endpoint",
    ["https://api.eu.webexconnect.io/v2/messages", "http://127.1/", "https://localhost.acme.example/", "x"],
)
def test_a_sandbox_elsewhere_is_refused_before_anything_is_opened(tmp_path: Path, endpoint: str) -> None:
    (tmp_path / "notifyctl.yaml").write_text(PROJECT)
    workspace = open_workspace(tmp_path, environ={})
    environment = Environment("a", "sandbox", Positions("notifyctl.yaml"), endpoint=endpoint)
    with pytest.raises(SettingsError, match="not on this machine"):
        prepare_only(workspace, environment)
    with pytest.raises(SettingsError, match="not on this machine"), open_provider(workspace, environment):
        pass
