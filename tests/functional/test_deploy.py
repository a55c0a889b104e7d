"""The files of deploy/: valid for whom they are, every command in them is one of ours, nothing runs as root or writes beside its volumes."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from jsonschema import Draft202012Validator

from notifyctl.cli.main import cli as main

DEPLOY = Path(__file__).parents[2] / "deploy"
SCHEMA = json.loads((Path(__file__).parents[1] / "schemas" / "kubernetes-1.37.json").read_text("utf-8"))
KUBERNETES = {
    f"{path.stem}: {each['kind']} {each['metadata']['name']}": each
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    for each in yaml.safe_load_all(path.read_text("utf-8"))
}
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
UNITS = sorted((DEPLOY / "systemd").iterdir())
DOCKERFILE = (DEPLOY / "Dockerfile").read_text("utf-8")
USER = 10001
WRITABLE = {"/srv/messages/.notifyctl", "/var/lib/notifyctl", "/tmp"}
SECRET = re.compile(r"(?i)(password|secret|token|_key|_url)$")


def pod(workload: Any) -> Any:
    spec = workload["spec"]
    return (spec["jobTemplate"]["spec"] if "jobTemplate" in spec else spec)["template"]


PODS = {
    name: pod(each)
    for name, each in KUBERNETES.items()
    if "PodDisruption" not in name and each["spec"].keys() & {"template", "jobTemplate"}
}


def containers(template: Any) -> list[Any]:
    return [*template["spec"].get("initContainers", ()), *template["spec"]["containers"]]


def commands() -> Iterator[tuple[str, list[str]]]:
    """Each command line of notifyctl, by where it is."""
    for name, template in PODS.items():
        yield from ((name, each["args"]) for each in containers(template) if "command" not in each)
    for name, service in COMPOSE["services"].items():
        words = [*service.get("entrypoint", ["notifyctl"]), *service.get("command", ())]
        if (
            "image" in service
            and service["image"] == COMPOSE["x-notifyctl"]["image"]
            and words[0] == "notifyctl"
        ):
            yield f"compose: {name}", words[1:]
    for path in UNITS:
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("ExecStart=/opt/notifyctl/bin/notifyctl "):
                yield path.name, shlex.split(line.replace("%i", "8475"))[1:]


COMMANDS = list(commands())


def schema_of(document: Any) -> dict[str, Any]:
    """The definition whose `apiVersion` and `kind` are those of the document."""
    for name, each in SCHEMA["$defs"].items():
        known = {
            key: each.get("properties", {}).get(key, {}).get("enum", ()) for key in ("apiVersion", "kind")
        }
        if all(document[key] in values for key, values in known.items()):
            return {"$ref": f"#/$defs/{name}", "$defs": SCHEMA["$defs"]}
    raise AssertionError(f"no schema for {document['kind']}")


@pytest.mark.parametrize("name", KUBERNETES)
def test_a_manifest_is_one_that_kubernetes_takes(name: str) -> None:
    document = KUBERNETES[name]
    found = Draft202012Validator(schema_of(document)).iter_errors(document)
    assert [f"{each.json_path}: {each.message[:200]}" for each in found] == []


def test_a_wrong_manifest_is_found() -> None:
    document = json.loads(json.dumps(KUBERNETES["worker: Deployment notifyctl-worker"]))
    document["spec"]["template"]["spec"]["containers"][0]["readinessProb"] = {}
    document["spec"]["replicas"] = "three"
    found = list(Draft202012Validator(schema_of(document)).iter_errors(document))
    assert {each.json_path for each in found} == {"$.spec.replicas", "$.spec.template.spec.containers[0]"}


def test_the_compose_file_is_one_that_docker_takes() -> None:
    check = [str(Path(sys.executable).parent / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*check, str(DEPLOY / "compose.yaml")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", UNITS, ids=lambda path: str(path.name))
def test_a_unit_is_one_that_systemd_takes(path: Path, tmp_path: Path) -> None:
    parsed = ConfigParser(strict=False)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read_string(path.read_text("utf-8"))
    assert {"Unit", "Service"} <= set(parsed.sections())
    assert parsed["Service"]["User"] == "notifyctl"
    assert parsed["Service"]["EnvironmentFile"].startswith("/etc/notifyctl/")
    verify = shutil.which("systemd-analyze")
    if verify is None:
        return
    # The user and the programs are not on this machine.
    made = re.sub(r"^(ExecStart=)\S+", rf"\1{sys.executable}", path.read_text("utf-8"), flags=re.MULTILINE)
    unit = tmp_path / path.name.replace("@.", "@8475.")
    unit.write_text(made.replace("User=notifyctl\n", ""), "utf-8")
    done = subprocess.run(
        [verify, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    said = [line for line in done.stderr.splitlines() if "notifyctl-" in line]
    assert (done.returncode, said) == (0, [])


@pytest.mark.parametrize(
    ("place", "words"), COMMANDS, ids=[f"{place}: {' '.join(words)}" for place, words in COMMANDS]
)
def test_every_command_is_one_that_notifyctl_has(place: str, words: list[str]) -> None:
    """Down to the last option, without running it."""
    with main.make_context("notifyctl", list(words)) as context:
        command: click.Command = main
        rest = [*context._protected_args, *context.args]
        while isinstance(command, click.Group):
            found = command.get_command(context, rest[0])
            assert found is not None, f"{place}: {rest[0]}"
            command, rest = found, rest[1:]
        command.make_context(str(command.name), rest, parent=context).close()


def test_each_command_is_there_for_each_way_to_run_it() -> None:
    for words in ("worker", "receipts serve", "ledger upgrade"):
        places = {place.partition(":")[0] for place, line in COMMANDS if words in " ".join(line)}
        assert "compose" in places
        assert any(place.endswith(".service") for place in places)
        assert len(places) == 3


@pytest.mark.parametrize("name", PODS)
def test_a_pod_runs_without_root_and_writes_to_its_volumes_only(name: str) -> None:
    spec = PODS[name]["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == USER
    for container in containers(PODS[name]):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {each["mountPath"] for each in container["volumeMounts"]} == WRITABLE
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]
        assert "env" not in container, "secrets come by reference"
        assert container["envFrom"][0]["secretRef"]["name"].startswith("notifyctl-")


def test_each_process_gets_the_role_that_it_needs_and_no_other() -> None:
    given = {
        name: {each["envFrom"][0]["secretRef"]["name"] for each in containers(template)}
        for name, template in PODS.items()
    }
    assert given == {
        "jobs: CronJob notifyctl-run": {"notifyctl-worker"},
        "jobs: CronJob notifyctl-plan": {"notifyctl-planner"},
        "receipts: Deployment notifyctl-receipts": {"notifyctl-receipts"},
        "upgrade: Job notifyctl-upgrade": {"notifyctl-owner"},
        "worker: Deployment notifyctl-worker": {"notifyctl-worker"},
    }


def test_what_selects_pods_selects_some() -> None:
    labels = [template["metadata"]["labels"] for template in PODS.values()]
    for name, each in KUBERNETES.items():
        spec = each["spec"]
        selector = spec.get("podSelector", spec.get("selector"))
        if selector is not None:
            wanted = selector.get("matchLabels", selector)
            assert any(wanted.items() <= each.items() for each in labels), name


def test_probes_ask_what_is_served() -> None:
    worker = KUBERNETES["worker: Deployment notifyctl-worker"]["spec"]["template"]["spec"]["containers"][0]
    receipts = KUBERNETES["receipts: Deployment notifyctl-receipts"]["spec"]["template"]["spec"][
        "containers"
    ][0]
    assert "livenessProbe" not in {**worker, **receipts}
    for container, path in ((worker, "/healthz"), (receipts, "/ready")):
        probe = container["readinessProbe"]["httpGet"]
        ports = {each["name"]: each["containerPort"] for each in container["ports"]}
        assert probe["path"] == path
        heard = [word for word in container["args"] if str(ports[probe["port"]]) in word]
        assert heard or ports[probe["port"]] == 8471, "the default port of receipts serve"


def test_no_secret_is_in_a_file_and_compose_runs_without_root() -> None:
    for name, service in COMPOSE["services"].items():
        given = service.get("environment", {})
        assert not [key for key in given if SECRET.search(key)], name
        if service["image"] == COMPOSE["x-notifyctl"]["image"]:
            assert (service["user"], service["read_only"], service["cap_drop"]) == (
                f"{USER}:{USER}",
                True,
                ["ALL"],
            )
    for path in DEPLOY.rglob("*"):
        if path.is_file():
            assert not re.search(r"postgresql://\S+:[^…\s]+@", path.read_text("utf-8")), path


def test_the_image_runs_as_the_user_of_the_manifests_and_starts_notifyctl() -> None:
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.findall(r"^USER (.*)$", final, re.MULTILINE) == [f"{USER}:{USER}"]
    assert re.findall(r"^ENTRYPOINT (.*)$", final, re.MULTILINE) == ['["notifyctl"]']
    for source in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE):
        for name in source.split():
            assert (DEPLOY.parent / name).exists(), name
    for folder in WRITABLE - {"/tmp"}:
        assert folder in final
