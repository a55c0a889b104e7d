"""The recipes that run notifyctl as a service: their files are valid for whom they are, and every command in them is one of ours."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from notifyctl.cli.main import cli as main

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "run.md").read_text(encoding="utf-8")
BLOCKS = re.findall(
    r"^```(\w+)\n(.*?)^```$", PAGE.split("## Run it as a service")[1], re.DOTALL | re.MULTILINE
)
UNITS = {
    Path(text.splitlines()[0].removeprefix("# ")).name: text for language, text in BLOCKS if language == "ini"
}
YAML = [yaml.safe_load(text) for language, text in BLOCKS if language == "yaml"]


def of_kind(kind: str) -> Any:
    return next(each for each in YAML if each.get("kind") == kind)


def pod(workload: Any) -> Any:
    spec = workload["spec"]
    return (spec["jobTemplate"]["spec"] if "jobTemplate" in spec else spec)["template"]["spec"]


def commands() -> list[list[str]]:
    found = [
        shlex.split(line.split("=", 1)[1])
        for unit in UNITS.values()
        for line in unit.splitlines()
        if line.startswith("ExecStart=")
    ]
    found += [pod(of_kind(kind))["containers"][0]["command"] for kind in ("Deployment", "CronJob")]
    found += [
        shlex.split(line.split("&& ")[1])
        for _, text in BLOCKS
        for line in text.splitlines()
        if line.startswith("*/5 ")
    ]
    workflow = next(each for each in YAML if "jobs" in each)
    return [*found, shlex.split(workflow["jobs"]["send"]["steps"][0]["run"])]


def test_every_command_is_one_that_notifyctl_has() -> None:
    assert len(commands()) == 6
    for program, *words in commands():
        assert Path(program).name == "notifyctl"
        with main.make_context("notifyctl", list(words)) as context:
            rest = [*context._protected_args, *context.args]
            assert rest[0] == "run"
            command = main.get_command(context, "run")
            assert isinstance(command, click.Command)
            command.make_context("run", rest[1:], parent=context).close()


@pytest.mark.parametrize("name", sorted(UNITS))
def test_a_unit_is_one_that_systemd_takes(name: str, tmp_path: Path) -> None:
    parsed = ConfigParser(strict=False)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read_string(UNITS[name])
    assert {"Unit", "Timer" if name.endswith(".timer") else "Service"} <= set(parsed.sections())
    if shutil.which("systemd-analyze") is None:
        return
    for each, text in UNITS.items():
        # The user and the program are not on this machine.
        made = text.replace("/opt/notifyctl/bin/notifyctl", sys.executable).replace("User=notifyctl\n", "")
        (tmp_path / each).write_text(made, encoding="utf-8")
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / name)],
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in checked.stderr.splitlines() if name.partition(".")[0] in line]
    assert (checked.returncode, said) == (0, [])


def test_in_kubernetes_only_one_pod_sends_and_its_ledger_stays() -> None:
    deployment, job = of_kind("Deployment"), of_kind("CronJob")
    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    assert (
        deployment["spec"]["selector"]["matchLabels"] == deployment["spec"]["template"]["metadata"]["labels"]
    )
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    assert job["spec"]["timeZone"] == "Etc/UTC"
    assert job["spec"]["startingDeadlineSeconds"] < 300
    assert job["spec"]["jobTemplate"]["spec"]["backoffLimit"] == 0
    for workload in (deployment, job):
        (container,) = pod(workload)["containers"]
        mounts = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
        claims = {
            each["name"]: each["persistentVolumeClaim"]["claimName"] for each in pod(workload)["volumes"]
        }
        state = {each["name"]: each["value"] for each in container["env"]}["NOTIFYCTL_STATE_DIR"]
        ledger = claims[mounts[f"{container['workingDir']}/.notifyctl"]]
        assert ledger != claims[mounts[state]]


def test_the_workflow_is_one_that_github_takes(tmp_path: Path) -> None:
    workflow = tmp_path / "send.yml"
    (text,) = [text for _, text in BLOCKS if "jobs:" in text]
    workflow.write_text(text, encoding="utf-8")
    check = [
        str(Path(sys.executable).parent / "check-jsonschema"),
        "--builtin-schema",
        "vendor.github-workflows",
    ]
    checked = subprocess.run([*check, str(workflow)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
