"""The requests for the three samples of the API page equal, field by field, what the page documents."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

SAMPLES = Path(__file__).parent / "seed_samples"


@pytest.mark.parametrize("sample", sorted(p.name for p in SAMPLES.iterdir() if p.is_dir()))
def test_a_sample_is_sent_as_documented(
    sample: str, cli: Any, foreign: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEED_KEY", "made-up-service-key")
    shutil.copytree(SAMPLES / sample, cli.root, dirs_exist_ok=True)
    project = (cli.root / "notifyctl.yaml").read_text()
    assert "http://127.0.0.1:1/v2/messages" in project
    cli.write(notifyctl=project.replace("http://127.0.0.1:1/v2/messages", foreign.url))
    assert cli("ledger", "init").code == 0
    result = cli.apply()
    assert result.code == 0, result.err
    expected = json.loads((SAMPLES / sample / "expected.json").read_text())
    (request,) = foreign.requests
    for sent, wanted in zip(request.body["to"], expected["to"], strict=True):
        if wanted.get("correlationId") == "<ours>":
            wanted["correlationId"] = sent["correlationId"]
            assert sent["correlationId"]
    assert request.body == expected
    assert request.headers["key"] == "made-up-service-key"
    assert "Authorization" not in request.headers
