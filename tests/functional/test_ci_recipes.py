"""The recipes for CI are run as they stand: every script of the action and of the GitLab template, by bash, in a repository.

The repository is a hostile one: it has modules by the names that Python looks for, and the variables that would make Python look
there are set. After each test none of them has run.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTION = ROOT / "action.yml"
GITLAB = ROOT / "ci" / "gitlab" / "notifyctl.gitlab-ci.yml"
HOW_TO = ROOT / "docs" / "how-to" / "ci.md"
CANARY = "canary-5ab01c"
PROJECT = (
    "apiVersion: notifyctl/v1\nkind: Project\nname: acme\nenvironments: {sandbox: {provider: sandbox}}\n"
)
HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: Hello $(name)}}
audience: {recipients: [{msisdn: "+447700900123", substitutions: {name: Ada}}]}
"""


@dataclass(slots=True)
class Forge:
    """Takes comments as GitHub and GitLab do; there are none at first."""

    url: str = ""
    posted: list[str] = field(default_factory=list)


@pytest.fixture
def forge() -> Iterator[Forge]:
    api = Forge()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            account = b'{"login": "github-actions[bot]", "username": "project_1_bot"}'
            self.answer(200, account if self.path.endswith("/user") else b"[]")

        def do_POST(self) -> None:
            api.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"])
            self.answer(201, b'{"id": 1}')

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield api
    server.shutdown()
    thread.join()
    server.server_close()


def git(root: Path, *arguments: str) -> str:
    names = ("-c", "user.name=Ada", "-c", "user.email=ada@acme.example")
    done = subprocess.run(["git", *names, *arguments], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


HOSTILE = (
    "ensurepip/__init__.py",
    "ensurepip/__main__.py",
    "hatchling/build.py",
    "json.py",
    "notifyctl/__init__.py",
    "notifyctl/__main__.py",
    "pip.py",
    "runpy.py",
    "sitecustomize.py",
    "startup.py",
    "usercustomize.py",
    "venv.py",
)
POINTED_THERE = {"PYTHONPATH": ".", "PYTHONSTARTUP": "startup.py", "PYTHONWARNINGS": "ignore::startup.Bad"}


def set_traps(place: Path) -> Path:
    """Writes the hostile modules. Returns the file that each of them adds its name to when it is run."""
    sprung = place.parent / "sprung"
    for name in HOSTILE:
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"open({str(sprung)!r}, 'a').write({name + ' '!r})\nclass Bad(Warning): pass\n")
    return sprung


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    """A hostile repository with a project in a folder; the branch has another text than main."""
    place = tmp_path / "checkout"
    project = place / "messages"
    project.mkdir(parents=True)
    (project / "notifyctl.yaml").write_text(PROJECT)
    (project / "hello.yaml").write_text(HELLO)
    (project / ".gitignore").write_text(".notifyctl/\n")
    git(place, "init", "-q", "-b", "main")
    git(place, "add", "-A")
    git(place, "commit", "-q", "-m", "Start")
    (project / "hello.yaml").write_text(HELLO.replace("Hello", "Goodbye"))
    sprung = set_traps(place)
    yield place
    assert not sprung.exists(), f"code of the checkout was run: {sprung.read_text()}"


@pytest.mark.parametrize(
    ("line", "variables", "name"),
    [
        ("python3 -m venv --help", {}, "venv.py"),
        ("python3 -m pip --version", {}, "pip.py"),
        ("python3 -c 'import json'", {}, "json.py"),
        ("python3 -m notifyctl", {}, "notifyctl/__main__.py"),
        ("python3 /dev/null", {"PYTHONPATH": "."}, "sitecustomize.py"),
    ],
)
def test_the_traps_are_traps(tmp_path: Path, line: str, variables: Mapping[str, str], name: str) -> None:
    place = tmp_path / "checkout"
    place.mkdir()
    sprung = set_traps(place)
    bash(line, place, variables)
    assert name in sprung.read_text().split()


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    said: str
    outputs: Mapping[str, str]
    summary: str


def bash(script: str, here: Path, variables: Mapping[str, str], *flags: str) -> tuple[int, str]:
    clean = {
        name: os.environ[name] for name in os.environ if name.startswith(("PIP_", "HOME", "XDG_", "LANG"))
    }
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", *flags, "-c", script],
        cwd=here,
        env={
            **clean,
            "PATH": path,
            "PIP_NO_COMPILE": "0",
            **variables,
        },  # as it is spelled: what is imported is compiled then
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


EXPRESSION = re.compile(r"\$\{\{\s*([\w.]+)\s*\}\}")


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runner's folder for temporary files, which the first step installs into."""
    return tmp_path_factory.mktemp("runner")


@dataclass(frozen=True, slots=True)
class Github:
    """Runs the steps of the action whose `if` holds, with its flags of bash."""

    runner: Path
    checkout: Path

    def __call__(self, given: Mapping[str, str], context: Mapping[str, str], **variables: str) -> Ran:
        action = yaml.safe_load(ACTION.read_text())
        known = {f"inputs.{name}": str(each.get("default", "")) for name, each in action["inputs"].items()}
        known |= {"github.action_path": str(ROOT), "github.token": CANARY, **context}
        known |= {f"inputs.{name}": value for name, value in given.items()}
        known["inputs.token"] = CANARY
        files = {name: self.runner / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for path in files.values():
            path.write_text("")
        said, code = "", 0
        for step in action["runs"]["steps"]:
            if not holds(step.get("if", ""), known) or (step["name"] == "Install" and self.installed()):
                continue
            given_to_step = {
                name: EXPRESSION.sub(lambda found: known.get(found[1], ""), value)
                for name, value in step["env"].items()
            }
            surroundings = {**POINTED_THERE, **variables, **given_to_step, "RUNNER_TEMP": str(self.runner)}
            surroundings |= {name: str(path) for name, path in files.items()}
            assert "${{" not in step["run"], "an input in a script could become a command"
            code, told = bash(
                step["run"], self.checkout, surroundings, "--noprofile", "--norc", "-eo", "pipefail"
            )
            said += told
            if code:
                break
        lines = files["GITHUB_OUTPUT"].read_text().splitlines()
        return Ran(
            code, said, dict(line.split("=", 1) for line in lines), files["GITHUB_STEP_SUMMARY"].read_text()
        )

    def installed(self) -> bool:
        return (self.runner / "notifyctl" / "bin" / "notifyctl").exists()


def holds(condition: str, known: Mapping[str, str]) -> bool:
    if not condition:
        return True
    found = re.fullmatch(r"([\w.]+) == '(\w+)'", condition)
    assert found, f"this test does not understand {condition}"
    return known[found[1]] == found[2]


@pytest.fixture
def github(runner: Path, checkout: Path) -> Github:
    return Github(runner, checkout)


HERE = {"github.event_name": "pull_request", "github.event.pull_request.head.repo.full_name": "acme/messages"}
FORK = {**HERE, "github.event.pull_request.head.repo.full_name": "mallory/messages"}
PUSH = {"github.event_name": "push"}


def test_the_recipes_are_what_the_forges_take(tmp_path: Path) -> None:
    check = [str(Path(sys.executable).parent / "check-jsonschema"), "--builtin-schema"]
    block = re.search(r"```yaml\n(name: .*?)```", HOW_TO.read_text(), re.DOTALL)
    assert block
    workflow = tmp_path / "workflow.yml"
    workflow.write_text(block[1])
    for line in (
        ["vendor.github-actions", str(ACTION)],
        ["vendor.gitlab-ci", "--data-transform", "gitlab-ci", str(GITLAB)],
        ["vendor.github-workflows", str(workflow)],
    ):
        done = subprocess.run([*check, *line], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_the_workflow_gives_the_action_inputs_that_it_has() -> None:
    block = re.search(r"```yaml\n(name: .*?)```", HOW_TO.read_text(), re.DOTALL)
    assert block
    inputs = set(yaml.safe_load(ACTION.read_text())["inputs"])
    uses = [
        step
        for job in yaml.safe_load(block[1])["jobs"].values()
        for step in job["steps"]
        if step.get("uses", "").startswith("notifyctl/notifyctl@")
    ]
    assert {step["with"]["command"] for step in uses} == {"lint", "plan", "apply"}
    assert all(set(step["with"]) <= inputs for step in uses)


def test_lint_annotates_and_writes_sarif(github: Github) -> None:
    ran = github({"command": "lint", "project": "messages"}, HERE)
    assert ran.code == 0, ran.said
    assert json.loads(Path(ran.outputs["sarif"]).read_text())["version"] == "2.1.0"
    (github.checkout / "messages" / "hello.yaml").write_text(HELLO.replace("name: hello", "nam: hello"))
    ran = github({"command": "lint", "project": "messages"}, HERE)
    assert ran.code == 1
    assert "::error file=messages/hello.yaml" in ran.said
    assert json.loads(Path(ran.outputs["sarif"]).read_text())["runs"][0]["results"]


def test_a_branch_of_ours_gets_a_comment(github: Github, forge: Forge) -> None:
    given = {"command": "plan", "project": "messages", "base": "main", "comment": "true"}
    variables = {
        "GITHUB_API_URL": forge.url,
        "GITHUB_REPOSITORY": "acme/messages",
        "GITHUB_REF": "refs/pull/7/merge",
    }
    ran = github(given, HERE, **variables)
    assert ran.code == 0, ran.said
    assert "text changed" in ran.summary
    assert ran.outputs["digest"].startswith("sha256:")
    assert len(forge.posted) == 1
    assert CANARY not in ran.said + ran.summary


@pytest.mark.parametrize("head", ["mallory/messages", ""])
def test_a_fork_gets_the_untrusted_plan_and_nothing_else(github: Github, forge: Forge, head: str) -> None:
    """`head` is empty where the fork is gone."""
    given = {"command": "plan", "project": "messages", "base": "main", "comment": "true"}
    variables = {
        "GITHUB_API_URL": forge.url,
        "GITHUB_REPOSITORY": "acme/messages",
        "GITHUB_REF": "refs/pull/7/merge",
    }
    context = {**FORK, "github.event.pull_request.head.repo.full_name": head}
    ran = github(given, context, **variables)
    assert ran.code == 0, ran.said
    assert "no secret is read" in ran.summary
    assert "digest" not in ran.outputs
    assert forge.posted == []


def test_apply_sends_what_was_reviewed_and_nothing_else(github: Github) -> None:
    variables = {"GITHUB_REPOSITORY": "acme/messages"}
    planned = github({"command": "plan", "project": "messages"}, PUSH, **variables)
    assert planned.code == 0, planned.said
    apply = {"command": "apply", "project": "messages"}
    assert github(apply, PUSH).code == 64
    assert github({**apply, "expect": planned.outputs["digest"]}, HERE).code == 64
    other = github({**apply, "expect": "sha256:" + "0" * 64}, PUSH)
    assert other.code == 4, other.said
    ran = github({**apply, "expect": planned.outputs["digest"]}, PUSH)
    assert ran.code == 0, ran.said
    assert '"accepted": 1' in ran.said


def test_an_input_cannot_become_a_command(github: Github, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    evil = "$(touch ran); `touch ran`; touch ran"
    for command in ("lint", "plan", "apply"):
        given = {"command": command, "project": evil, "environment": evil, "base": evil, "expect": evil}
        assert github(given, HERE, GITHUB_REPOSITORY="acme/messages").code != 0
    assert Github(fresh, github.checkout)({"command": evil}, HERE).code == 64
    assert not (github.checkout / "ran").exists()


INSTALLING = re.compile(r" -I -m (venv|pip) ")


def job(name: str, *, installed: bool) -> tuple[str, dict[str, str]]:
    """A job's script with what comes before it, as one, and its variables. What is installed is not installed again."""
    template = yaml.safe_load(GITLAB.read_text())
    shared, own = template[template[name]["extends"]], template[name]
    variables = {**template["variables"], **shared["variables"], **own.get("variables", {})}
    before = [line for line in shared["before_script"] if not (installed and INSTALLING.search(line))]
    return "\n".join([*before, *own["script"]]), {key: str(value) for key, value in variables.items()}


def gitlab(name: str, checkout: Path, builds: Path, **variables: str) -> tuple[int, str]:
    """The job as GitLab's runner does it; what they share is installed once."""
    script, own = job(name, installed=(builds / "notifyctl-1" / "bin" / "notifyctl").exists())
    surroundings = {
        **own,
        **POINTED_THERE,
        "INSTALL_NOTIFYCTL": str(ROOT),
        "NOTIFYCTL_CHDIR": "messages",
        "CI_BUILDS_DIR": str(builds),
        "CI_JOB_ID": "1",
    }
    return bash("set -eo pipefail\n" + script, checkout, {**surroundings, **variables})


def test_every_job_of_the_gitlab_template(checkout: Path, tmp_path: Path, forge: Forge) -> None:
    base = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": git(checkout, "rev-parse", "main")}
    code, said = gitlab("notifyctl-lint", checkout, tmp_path)
    assert code == 0, said
    assert json.loads((checkout / "notifyctl-quality.json").read_text()) is not None
    code, said = gitlab("notifyctl-plan", checkout, tmp_path, **base)
    assert code == 0, said
    assert "text changed" in (checkout / "notifyctl-plan.md").read_text()
    api = {
        "CI_API_V4_URL": forge.url,
        "CI_PROJECT_ID": "1",
        "CI_MERGE_REQUEST_IID": "7",
        "GITLAB_TOKEN": CANARY,
    }
    code, said = gitlab("notifyctl-review", checkout, tmp_path, **base, **api)
    assert code == 0, said
    assert len(forge.posted) == 1
    assert CANARY not in said
    code, said = gitlab("notifyctl-plan-trusted", checkout, tmp_path)
    assert code == 0, said
    digest = re.search(r"sha256:[0-9a-f]{64}", said)
    assert digest
    assert gitlab("notifyctl-apply", checkout, tmp_path)[0] == 64
    code, said = gitlab("notifyctl-apply", checkout, tmp_path, EXPECT=digest[0])
    assert code == 0, said
    assert '"accepted": 1' in said
    jobs = {name for name in yaml.safe_load(GITLAB.read_text()) if name.startswith("notifyctl-")}
    assert jobs == {f"notifyctl-{each}" for each in ("lint", "plan", "review", "plan-trusted", "apply")}
