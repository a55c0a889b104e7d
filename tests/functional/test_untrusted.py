"""`plan --untrusted` on projects made to harm: each in a process of its own, with a trace of all that it reached for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import notifyctl
from notifyctl.git import QUIET, READING, SEALED

PACKAGE = Path(notifyctl.__file__).parent
SECONDS = 10
MEMORY = 512 << 20
TRACE = "\n<trace>\n"
CANARY = "canary-0d9f31b7"
ADDRESSES = ("+447700900123", "447700900123", "canary@reader.example", "+447700900999")

PROJECT = """\
apiVersion: notifyctl/v1
kind: Project
name: acme
suppressions: [stop.txt]
defaultEnvironment: production
environments:
  production:
    provider: webexconnect
    endpoint: https://api.eu.webexconnect.io/v2/messages
    auth: {jwt: {serviceIdEnv: SERVICE_ID, secretEnv: SERVICE_SECRET}}
    senders: {sms: CNNECT, email: alerts@acme.example}
    ledger: {recipientKeyEnv: LEDGER_KEY}
    fence: {allow: ["+4477009*", "*@reader.example"]}
"""
HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: Hello $(name)}}
audience: {source: {file: people.csv}}
"""
MAIL = """\
apiVersion: notifyctl/v1
kind: Notification
name: mail
template: {channel: email, content: {type: text, subject: Hello, text: Hello}}
audience: {recipients: [{email: canary@reader.example}]}
"""
FILES = {
    "notifyctl.yaml": PROJECT,
    "hello.yaml": HELLO,
    "mail.yaml": MAIL,
    "people.csv": "msisdn,name\n+447700900123,Ada\n+447700900124,Grace\n",
    "stop.txt": "+447700900999\n",
}
SECRETS = {
    **dict.fromkeys(("SERVICE_ID", "SERVICE_SECRET", "LEDGER_KEY", "GITHUB_TOKEN", "GITLAB_TOKEN"), CANARY),
    **dict.fromkeys(("AWS_SECRET_ACCESS_KEY", "PGPASSWORD", "GIT_ASKPASS", "GIT_SSH_COMMAND"), CANARY),
}

WATCH = """\
import json, os, sys
seen = []
def watch(event, arguments):
    if event == "open" or event.startswith(("os.", "socket.", "subprocess.", "sqlite3.", "ctypes.", "shutil.")):
        seen.append([event, *(a if isinstance(a, (str, int, list, tuple)) else repr(a) for a in arguments)])
from notifyctl.cli.main import run
status = os.open("/proc/self/status", os.O_RDONLY)
sys.addaudithook(watch)
code = run(sys.argv[1:])
peak = next(line for line in os.read(status, 1 << 16).decode().splitlines() if line.startswith("VmHWM"))
said = {"peak": int(peak.split()[1]) * 1024, "seen": seen}
os.write(2, ("\\n<trace>\\n" + json.dumps(said, default=repr)).encode())
sys.exit(code)
"""


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    out: str
    err: str
    trace: Sequence[Sequence[Any]]
    seconds: float
    """Of processor time."""
    memory: int
    """Bytes resident at the most, by the process's own count: what `wait4` says holds its parent's too."""


def plan(root: Path, *arguments: str, stdout: int = subprocess.PIPE) -> Ended:
    """The command on `root`, among secrets and proxies, with everything noted that Python tells of."""
    surroundings = {
        **os.environ,
        **SECRETS,
        "HTTPS_PROXY": f"http://{CANARY}@127.0.0.1:9",
        "http_proxy": f"http://{CANARY}@127.0.0.1:9",
    }
    # -B: what Python keeps of its own modules at their first import is not what is watched here.
    line = ["-P", "-B", "-c", WATCH, "plan", "--untrusted", "-C", str(root), *arguments]
    process = subprocess.Popen(
        [sys.executable, *line], cwd=root, env=surroundings, stdout=stdout, stderr=subprocess.PIPE
    )
    said: list[bytes] = [b"", b""]

    def drain(at: int, stream: Any) -> None:
        said[at] = stream.read() if stream else b""

    readers = [
        threading.Thread(target=drain, args=each) for each in ((0, process.stdout), (1, process.stderr))
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    for stream in (process.stdout, process.stderr):
        if stream:
            stream.close()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    err, _, told = said[1].decode().partition(TRACE)
    assert told, "it ended by itself"
    trace = json.loads(told)
    return Ended(
        process.returncode,
        said[0].decode(),
        err,
        trace["seen"],
        used.ru_utime + used.ru_stime,
        trace["peak"],
    )


def write(root: Path, files: Mapping[str, str | bytes]) -> None:
    for name, text in files.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text if isinstance(text, bytes) else text.encode())


def git(root: Path, *arguments: str) -> None:
    names = ("-c", "user.name=Ada", "-c", "user.email=ada@acme.example", "-c", "protocol.file.allow=always")
    subprocess.run(["git", *names, *arguments], cwd=root, check=True, capture_output=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A sound project at the first commit of a repository."""
    place = tmp_path / "checkout"
    place.mkdir()
    write(place, FILES)
    git(place, "init", "-q", "-b", "main")
    git(place, "add", "-A")
    git(place, "commit", "-q", "-m", "Start")
    return place


def contained(ended: Ended, root: Path) -> None:
    """No connection, no process but git's plumbing, nothing read but the project and Python, nothing secret told."""
    for word in (CANARY, *ADDRESSES):
        assert word not in ended.out
        assert word not in ended.err
    assert "root:x:0" not in ended.out + ended.err
    assert "unexpectedly" not in ended.err
    assert len(ended.out.encode()) <= 1 << 20
    assert len(ended.err.encode()) <= 1 << 20
    assert ended.seconds < SECONDS
    assert ended.memory <= MEMORY
    assert list(strangers(ended.trace, root)) == []


ITSELF: dict[str, set[object]] = {"sqlite3.connect": {":memory:"}, "ctypes.dlopen": {None, "None"}}
"""What leads nowhere else."""


def strangers(trace: Sequence[Sequence[Any]], root: Path) -> Iterator[Sequence[Any]]:
    """What was reached for and is neither the project, nor Python's, nor git."""
    places = [*(p for p in map(os.path.realpath, sys.path) if p != str(root)), str(PACKAGE), sys.base_prefix]
    start = ["git", *QUIET]
    for event, *arguments in trace:
        first = arguments[0] if arguments else None
        if event in {"open", "os.listdir", "os.scandir"}:
            known = isinstance(first, int) or first in {os.devnull, "/proc/self/statm"}
            real = os.path.realpath(str(first))
            if not known and not any(real == p or real.startswith(f"{p}/") for p in (str(root), *places)):
                yield event, *arguments
        elif event == "subprocess.Popen":
            if arguments[1][: len(start)] != start or arguments[1][len(start)] not in READING:
                yield event, *arguments
        elif event in ITSELF:
            if first not in ITSELF[event]:
                yield event, *arguments
        elif event not in {"os.putenv", "os.unsetenv", "sqlite3.connect/handle"}:
            yield event, *arguments


def test_a_sound_project_is_planned_and_says_what_is_not_known(root: Path) -> None:
    ended = plan(root, "--format", "json")
    assert ended.code == 0, ended.err
    contained(ended, root)
    made = json.loads(ended.out)
    assert (made["complete"], made["applyable"], made["untrusted"]) == (False, False, True)
    assert made["ledger"] is None
    assert made["summary"]["send"] == 3
    assert any("ledger is not read" in each for each in made["unknown"])
    assert any("--base" in each for each in made["unknown"])
    assert any(event == "open" for event, *_ in ended.trace), "the trace sees what is read"


def test_a_condition_chooses_in_an_untrusted_project_too(root: Path) -> None:
    where("name = 'Ada'")(root)
    ended = plan(root, "--format", "json")
    assert ended.code == 0, ended.err
    contained(ended, root)
    [made] = [each for each in json.loads(ended.out)["notifications"] if each["name"] == "hello"]
    assert made["actions"] == {"send": 1}


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_the_base_is_read_by_plumbing_alone(root: Path, form: str) -> None:
    write(root, {"hello.yaml": HELLO.replace("Hello", "Goodbye")})
    ended = plan(root, "--base", "main", "--format", form)
    assert ended.code == 0, ended.err
    contained(ended, root)
    assert ("text-changed" if form == "json" else "text changed") in ended.out
    assert any(event == "subprocess.Popen" for event, *_ in ended.trace)


def test_settings_that_decide_who_is_reached_are_the_bases(root: Path) -> None:
    evil = PROJECT.replace("api.eu.webexconnect.io", "evil.example").replace(
        'allow: ["+4477009*", ', 'allow: ["*", '
    )
    people = "msisdn,name\n+447700900123,Ada\n+15005550006,Grace\n"
    write(root, {"notifyctl.yaml": evil, "people.csv": people})
    made = json.loads(plan(root, "--base", "main", "--format", "json").out)
    assert made["provider"] == "webexconnect https://api.eu.webexconnect.io/v2/messages"
    assert made["summary"] | {"send": 2, "suppressed": 1} == made["summary"]
    warned = [each["message"] for each in made["diagnostics"] if each["rule"] == "trust-setting"]
    assert [message.partition(" ")[0] for message in warned] == ["`endpoint`", "`fence`"]


def test_where_requests_go_through_and_whom_they_trust_are_the_bases(root: Path) -> None:
    theirs = PROJECT + "    caFile: ca.pem\n"
    write(root, {"notifyctl.yaml": theirs, "ca.pem": "-----BEGIN CERTIFICATE-----\nQQ==\n"})
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "Trust our CA")
    for changed, keys in (
        (theirs + "    proxy: http://evil.example:3128\n", ["`proxy`"]),
        (theirs + "    proxyEnv: EVIL\n", ["`proxyEnv`"]),
        (theirs + "    alerts: {urlEnv: EVIL}\n", ["`alerts`"]),
        (theirs.replace("ca.pem", "evil.pem"), ["`caFile`"]),
        (PROJECT, ["`caFile`"]),
        (theirs, []),
    ):
        write(root, {"notifyctl.yaml": changed, "evil.pem": "-----BEGIN CERTIFICATE-----\nRQ==\n"})
        assert [message.partition(" ")[0] for message in trust_warnings(root)] == keys
    write(root, {"ca.pem": "-----BEGIN CERTIFICATE-----\nRQ==\n"})
    assert trust_warnings(root) == ["the CA file `ca.pem` differs from the base's"]


def trust_warnings(root: Path) -> list[str]:
    ended = plan(root, "--base", "main", "--format", "json")
    contained(ended, root)
    found = json.loads(ended.out)["diagnostics"]
    return [each["message"] for each in found if each["rule"] == "trust-setting"]


def test_an_environment_that_the_base_lacks_is_told(root: Path) -> None:
    write(root, {"notifyctl.yaml": PROJECT.replace("production", "elsewhere")})
    made = json.loads(plan(root, "--base", "main", "--format", "json").out)
    assert any("is not in the base" in each["message"] for each in made["diagnostics"])


Make = Callable[[Path], object]


def files(**named: str | bytes) -> Make:
    return lambda root: write(
        root, {name.replace("__", "/").replace("_", "."): t for name, t in named.items()}
    )


def link(name: str, target: str) -> Make:
    def make(root: Path) -> None:
        (root / name).unlink(missing_ok=True)
        (root / name).symlink_to(target)

    return make


def reading(text: str) -> Make:
    return files(hello_yaml=HELLO.replace("Hello $(name)", json.dumps(text)))


def where(expression: str) -> Make:
    return files(hello_yaml=HELLO.replace("people.csv}", f"people.csv}}, where: {json.dumps(expression)}"))


def both(*made: Make) -> Make:
    return lambda root: [make(root) for make in made]


def fifo(name: str) -> Make:
    def make(root: Path) -> None:
        (root / name).unlink(missing_ok=True)
        os.mkfifo(root / name)

    return make


def submodule(root: Path) -> None:
    other = root.parent / "other"
    other.mkdir()
    write(other, {"secret.txt": "x"})
    for line in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "x")):
        git(other, *line)
    git(root, "submodule", "add", "-q", str(other), "module")


def many(root: Path) -> None:
    write(root, {f"n{n}.yaml": HELLO.replace("hello", f"n{n}") for n in range(10_000)})


def wrong(root: Path) -> None:
    keys = "".join(f"{'x' * 90}{n}: 1\n" for n in range(900))
    write(root, {f"n{n}.yaml": HELLO.replace("hello", f"n{n}") + keys for n in range(6)})


def sparse(root: Path) -> None:
    with (root / "t.txt").open("wb") as stream:
        stream.truncate(2_000_000_000)


REFUSED: Mapping[str, tuple[Make, str]] = {
    "YAML is a link": (link("passwd.yaml", "/etc/passwd"), "this is a link"),
    "the project is a link": (link("notifyctl.yaml", "/etc/passwd"), "this is a link"),
    "the audience is a link": (link("people.csv", "/etc/passwd"), "this is a link"),
    "a link inside": (link("again.yaml", "hello.yaml"), "this is a link"),
    "a folder is a link": (link("etc", "/etc"), "this is a link"),
    "an ignored link is read": (
        both(link("t.txt", "/etc/passwd"), files(_notifyctlignore="t.txt\n"), reading("{% include 't.txt' %}")),
        "t.txt",
    ),
    "an ignored link inside is read": (
        both(link("t.txt", "hello.yaml"), files(_notifyctlignore="t.txt\n"), reading("{% include 't.txt' %}")),
        "link",
    ),
    "the ignore file is a link": (link(".notifyctlignore", "/etc/passwd"), "it is a link"),
    "a submodule": (submodule, "this is a submodule"),
    "YAML is a FIFO": (fifo("pipe.yaml"), "not a regular file"),
    "the audience is a FIFO": (fifo("people.csv"), "not a regular file"),
    "an include above": (reading("{% include '../../../../etc/passwd' %}"), "etc/passwd"),
    "an include of git's settings": (reading("{% include '.git/config' %}"), ".git/config"),
    "Jinja2 escape": (reading("{{ ''.__class__.__mro__[1].__subclasses__() }}"), "hello.yaml"),
    "Jinja2 escape by cycler": (reading("{{ cycler.__init__.__globals__.os.environ }}"), "hello.yaml"),
    "Jinja2 loop": (reading("{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}"), "hello.yaml"),
    "Jinja2 power": (reading("{{ 9 ** 9 ** 9 }}"), "hello.yaml"),
    "where reads a file": (where("readfile('/etc/passwd') = ''"), "readfile"),
    "where attaches": (where("1) ; ATTACH '/tmp/x.db' AS x"), "where"),
    "where loads": (where("load_extension('./evil.so')"), "load_extension"),
    "where writes": (where("writefile('/tmp/x', name)"), "writefile"),
    "where grows": (where("length(" + "concat(name, name, name, name" * 50 + ")" * 51 + " > 1"), "where"),
    "where repeats": (where("length(repeat(name, 2000000000)) > 1"), "repeat"),
    "where never ends": (where("(WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT 1 FROM r) SELECT count(*) FROM r) > 1"), "query of its own"),
    "where looks about": (where("current_setting('home_directory') = ''"), "current_setting"),
    "a huge file": (files(hello_yaml=HELLO + "# " + "x" * 50_000_000), "10,485,760 bytes"),
    "an include of 2 GB": (both(sparse, reading("{% include 't.txt' %}")), "more than 10 MiB"),
    "5,400 problems": (wrong, "rest is omitted"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_project_is_refused(root: Path, name: str) -> None:
    make, told = REFUSED[name]
    make(root)
    ended = plan(root)
    contained(ended, root)
    assert ended.code == 1
    assert told in ended.err


def test_ten_thousand_files_end_within_bounds(root: Path) -> None:
    many(root)
    ended = plan(root, "--format", "markdown")
    contained(ended, root)
    assert ended.code == 0 or "seconds" in ended.err or "memory" in ended.err


def test_filters_hooks_and_drivers_of_git_do_not_run(root: Path, tmp_path: Path) -> None:
    """Settings that only somebody who owns the checkout can make: even these start nothing."""
    ran = tmp_path / "ran"
    for name in ("post-checkout", "post-index-change", "reference-transaction", "fsmonitor-watchman"):
        hook = root / ".git" / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {ran}\n")
        hook.chmod(0o755)
    for key in ("filter.evil.smudge", "filter.evil.clean", "filter.evil.process", "diff.evil.textconv"):
        git(root, "config", key, f"touch {ran}; cat")
    write(
        root,
        {".gitattributes": "* filter=evil diff=evil export-subst\n", "hello.yaml": HELLO + "# changed\n"},
    )
    for key in ("core.fsmonitor", "core.sshCommand", "core.pager"):
        git(root, "config", key, f"touch {ran}")
    git(root, "config", "core.hooksPath", ".git/hooks")
    ran.unlink(missing_ok=True)
    ended = plan(root, "--base", "main")
    assert ended.code == 0, ended.err
    contained(ended, root)
    assert not ran.exists()


def test_a_repository_inside_of_the_project_is_not_taken_for_its_own(root: Path) -> None:
    """A pull request can hold the files of a bare repository, with a branch `main` and a fence of its own."""
    project, theirs = root / "messages", root.parent / "theirs"
    theirs.mkdir()
    write(project, FILES)
    write(theirs, FILES)
    for line in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "x")):
        git(theirs, *line)
    for name in ("HEAD", "config", "objects", "refs"):
        (theirs / ".git" / name).rename(project / name)
    git(project, "config", "core.bare", "true")
    git(project, "rev-parse", "--verify", "main:notifyctl.yaml")  # git by itself is taken in
    ended = plan(project, "--base", "main")
    contained(ended, root)
    assert ended.code == 64, ended.err


def test_an_object_that_is_missing_is_not_fetched(root: Path, tmp_path: Path) -> None:
    """A fetch would start whatever the settings of a clone without blobs name."""
    ran = tmp_path / "ran"
    for key, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": f"ext::touch {ran}",
        "protocol.ext.allow": "always",
    }.items():
        git(root, "config", key, value)
    name = subprocess.check_output(["git", "rev-parse", "main:people.csv"], cwd=root, text=True).strip()
    (root / ".git" / "objects" / name[:2] / name[2:]).unlink()
    subprocess.run(["git", "cat-file", "blob", name], cwd=root, check=False, capture_output=True)
    assert ran.exists(), "git by itself fetches"
    ran.unlink()
    contained(plan(root, "--base", "main"), root)
    assert not ran.exists()


def test_nothing_is_left_of_the_environment(root: Path) -> None:
    code = (
        "import json, os\nfrom pathlib import Path\nfrom notifyctl.app.untrusted.untrusted_project import open_untrusted\n"
        "open_untrusted(Path('.'), out=None)\nprint(json.dumps(dict(os.environ)))\n"
    )
    surroundings = {**os.environ, **SECRETS, "HTTPS_PROXY": f"http://{CANARY}@127.0.0.1:9"}
    told = subprocess.check_output([sys.executable, "-P", "-c", code], cwd=root, env=surroundings, text=True)
    assert set(json.loads(told)) == {"PATH", *SEALED}
    assert CANARY not in told


def test_programs_and_modules_of_the_project_are_not_run(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = tmp_path / "ran"
    write(root, {"git": f"#!/bin/sh\ntouch {ran}\n"})
    write(root, {f"{name}.py": f"open({str(ran)!r}, 'w')" for name in ("jinja2", "tzdata")})
    write(root, {"hello.yaml": HELLO.replace("Hello $(name)", "\"{{ 'Hello' }}\"")})
    (root / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{root}:.:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", f"{root}:{os.environ.get('PYTHONPATH', '')}".rstrip(":"))
    ended = plan(root, "--base", "main")
    assert ended.code == 0, ended.err
    assert not ran.exists()


def test_one_file_is_written_and_only_where_it_was_asked_for(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "fork.plan"
    assert plan(root, "--out", str(out)).code == 0
    saved = json.loads(out.read_text())
    assert (saved["complete"], saved["applyable"]) == (False, False)
    other = tmp_path / "other"
    (root / "my.plan.new").symlink_to(other)
    write(root, {".notifyctlignore": "*.new\n"})
    ended = plan(root, "--out", str(root / "my.plan"))
    assert ended.code == 1
    assert not other.exists()


def test_output_into_a_file_is_bounded_and_not_forbidden(root: Path, tmp_path: Path) -> None:
    with (tmp_path / "plan.md").open("ab") as stream:
        stream.write(b"# Before\n")
        stream.flush()
        assert plan(root, "--format", "markdown", stdout=stream.fileno()).code == 0
    assert "hello" in (tmp_path / "plan.md").read_text()


def test_a_document_of_more_than_a_mebibyte_is_refused(root: Path) -> None:
    long = MAIL.replace("text: Hello}", f"text: {'x' * 20_000}}}")
    write(root, {f"m{n}.yaml": long.replace("name: mail", f"name: m{n}") for n in range(80)})
    ended = plan(root, "--format", "json")
    contained(ended, root)
    assert (ended.code, ended.out) == (1, "")
    assert "the limit is 1,048,576 bytes" in ended.err
    assert plan(root, "--format", "markdown").code == 0


FORBIDDEN = {
    "socket": "import socket; socket.socket()",
    "name": "import socket; socket.getaddrinfo('localhost', 80)",
    "process": "import subprocess; subprocess.run(['true'])",
    "git that writes": f"import subprocess; subprocess.run(['git', *{QUIET!r}, 'gc'])",
    "shell": "import os; os.system('true')",
    "exec": "import os; os.execv('/bin/true', ['true'])",
    "spawn": "import os; os.posix_spawn('/bin/true', ['true'], {})",
    "fork": "import os; os.fork()",
    "foreign file": "open('/etc/passwd')",
    "foreign file by number": "import os; os.open('/etc/passwd', os.O_RDONLY)",
    "hidden file": "open('.git/config')",
    "own environment": "open('/proc/self/environ')",
    "write": "open('new.txt', 'w')",
    "remove": "import os; os.remove('hello.yaml')",
    "foreign folder": "import os; os.listdir('/etc')",
    "database": "import sqlite3; sqlite3.connect('x.db')",
    "library": "import ctypes; ctypes.CDLL('libc.so.6')",
    "folder": "import os; os.mkdir('x')",
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_the_process_itself_can_do_none_of_it(root: Path, name: str) -> None:
    """What no file of a project is known to bring about is refused all the same."""
    code = (
        "from pathlib import Path\nfrom notifyctl.app.untrusted.confinement import confine\n"
        "from notifyctl.errors import UntrustedError\n"
        "confine(Path('.'), out=None)\n"
        f"try:\n    exec({FORBIDDEN[name]!r})\nexcept UntrustedError as error:\n    print('refused:', error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("refused:"), done.stderr
    assert (root / "hello.yaml").exists()


def test_memory_is_bounded(root: Path) -> None:
    code = (
        "from pathlib import Path\nfrom notifyctl.app.untrusted.confinement import confine\n"
        "confine(Path('.'), out=None)\ntry:\n    bytearray(512 << 20)\nexcept MemoryError:\n    print('bounded')\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.stdout == "bounded\n", done.stderr


def test_time_is_bounded(root: Path) -> None:
    code = (
        "from pathlib import Path\nfrom notifyctl.app.untrusted.confinement import confine\n"
        "from notifyctl.errors import UntrustedError\nconfine(Path('.'), out=None, seconds=1)\n"
        "try:\n    for _ in iter(int, 1): len('')\nexcept UntrustedError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert "more than 1 seconds of processor time" in done.stdout, done.stderr
