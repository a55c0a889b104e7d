"""Files made to harm end within seconds in a diagnostic, in bounded memory: each in a process of its own, under limits."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SECONDS = 30
MEMORY = 512 << 20
"""Bytes of address space. An empty process takes about 60 MB of it."""

PROJECT = "apiVersion: notifyctl/v1\nkind: Project\nname: acme\n"
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
name: hello
template: {channel: email, content: {type: html, subject: Hello, htmlFile: mail.html}}
audience: {recipients: [{email: ada@reader.example}]}
"""
PEOPLE = "msisdn,name\n+447700900123,Ada\n"
BOMB = "\n".join(
    [
        "a: &a [x,x,x,x,x,x,x,x,x]",
        *(f"{b}: &{b} [{','.join(['*' + a] * 9)}]" for a, b in zip("abcdefg", "bcdefgh", strict=True)),
    ]
)
assert len(BOMB) < 300

Make = Callable[[Path], object]


def file(name: str, text: str | bytes) -> Make:
    return lambda root: (root / name).write_bytes(text if isinstance(text, bytes) else text.encode())


def sparse(name: str, *, size: int) -> Make:
    """A file of `size` NUL bytes that takes no place on the disk."""
    return lambda root: os.truncate(os.open(root / name, os.O_CREAT | os.O_WRONLY), size)


def fifo(name: str) -> Make:
    def make(root: Path) -> None:
        (root / name).unlink(missing_ok=True)
        os.mkfifo(root / name)

    return make


def link(name: str, target: str) -> Make:
    return lambda root: (root / name).symlink_to(target)


def reading(key: str, value: str) -> Make:
    """The notification with another text: `text` or `textFile`."""
    return file("hello.yaml", HELLO.replace("text: Hello $(name)", f"{key}: {json.dumps(value)}"))


def objects(cells: Iterable[tuple[str, str]]) -> Make:
    """JSON Lines in place of the CSV file: the same person in each, and a long cell or 30 short ones."""

    def make(root: Path) -> None:
        with (root / "people.jsonl").open("w") as lines:
            for key, value in cells:
                names = [f"{key}{n}" for n in range(30)] if len(value) == 1 else [key]
                row = {"msisdn": "+447700900123", "name": "Ada", **dict.fromkeys(names, value)}
                lines.write(json.dumps(row) + "\n")
        file("hello.yaml", HELLO.replace("people.csv", "people.jsonl"))(root)

    return make


def deep(root: Path) -> None:
    """Folders in folders, as deep as a path can name them."""
    here = os.open(root, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


def shallow(root: Path) -> None:
    """Moves the folders up one by one, because what deletes temporary folders is recursive."""
    while (root / "d" / "d").exists():
        (root / "d" / "d").rename(root / "e")
        (root / "d").rmdir()
        (root / "e").rename(root / "d")


def process(root: Path, command: str, *made: Make) -> subprocess.CompletedProcess[str]:
    """A command on a sound project into which `made` puts what is hostile."""
    for make in (
        file("notifyctl.yaml", PROJECT),
        file("hello.yaml", HELLO),
        file("people.csv", PEOPLE),
        *made,
    ):
        make(root)
    return subprocess.run(
        [sys.executable, "-m", "notifyctl", "-C", str(root), *command.split()],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )


def lint(root: Path, *made: Make) -> Mapping[str, Any]:
    done = process(root, "lint --format json", *made)
    assert done.returncode in (0, 1), done.stderr
    assert done.stderr == ""
    report: Mapping[str, Any] = json.loads(done.stdout)
    assert (done.returncode == 1) == (report["summary"]["errors"] > 0)
    return report


def rules(report: Mapping[str, Any]) -> set[str]:
    return {each["rule"] for each in report["diagnostics"]} - {"longest-text"}


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    rule: str
    made: tuple[Make, ...]


def case(name: str, rule: str, *made: Make) -> Case:
    return Case(name, rule, made)


BIG = 2_000_000_000

CASES = (
    # YAML
    case("alias bomb", "yaml-limits", file("hello.yaml", BOMB)),
    case("20,000 brackets", "yaml-limits", file("hello.yaml", "[" * 20_000)),
    case("20,000 braces", "yaml-limits", file("hello.yaml", "{a: " * 20_000)),
    case("20,000 dashes", "yaml-limits", file("hello.yaml", "- " * 20_000)),
    case("50 MB", "yaml-limits", file("hello.yaml", HELLO + "# " + "x" * 50_000_000)),
    case("a line of 10 MB", "unknown-key", file("hello.yaml", HELLO + f"x: '{'y' * 10_485_000}'\n")),
    case("a text of 10 MB", "template-limit", reading("text", "y" * 10_485_000)),
    case("a million documents", "yaml-limits", file("hello.yaml", HELLO + "--- a\n" * 1_000_000)),
    case("90,000 unknown keys", "yaml-limits", file("hello.yaml", HELLO + "".join(f"k{n}: 1\n" for n in range(90_000)))),
    case("NUL in YAML", "yaml-syntax", file("hello.yaml", HELLO + "x: \0\n")),
    case("no UTF-8 in YAML", "yaml-syntax", file("hello.yaml", HELLO.encode() + b"x: \xff\xfe\x80\n")),
    # Files that are none, or not the project's
    case("YAML is a FIFO", "unreadable-file", fifo("pipe.yaml")),
    case("YAML leads outside", "unreadable-file", link("passwd.yaml", "/etc/passwd")),
    case("YAML leads to itself", "unreadable-file", link("a.yaml", "b.yaml"), link("b.yaml", "a.yaml")),
    case("text is a FIFO", "unreadable-file", reading("textFile", "t.txt"), fifo("t.txt")),
    case("text is endless", "unreadable-file", reading("textFile", "t.txt"), link("t.txt", "/dev/zero")),
    case("text is 2 GB", "unreadable-file", reading("textFile", "t.txt"), sparse("t.txt", size=BIG)),
    case("text leads outside", "unreadable-file", reading("textFile", "t.txt"), link("t.txt", "/etc/passwd")),
    case("folder leads outside", "unreadable-file", reading("textFile", "d/passwd"), link("d", "/etc")),
    case("text leads to itself", "unreadable-file", reading("textFile", "t.txt"), link("t.txt", "t.txt")),
    case("text is above", "unreadable-file", reading("textFile", "../" * 12 + "etc/passwd")),
    case("text has a long path", "unreadable-file", reading("textFile", "x/" * 50_000 + "y")),
    case("include is a FIFO", "template-include", reading("text", "{% include 't.txt' %}"), fifo("t.txt")),
    case("include is 2 GB", "template-include", reading("text", "{% include 't.txt' %}"), sparse("t.txt", size=BIG)),
    case("include is above", "template-include", reading("text", "{% include '../../../etc/passwd' %}")),
    case("include leads outside", "template-include", reading("text", "{% include 't.txt' %}"), link("t.txt", "/etc/passwd")),
    case("audience is a FIFO", "unreadable-file", fifo("people.csv")),
    case("audience is above", "unreadable-file", file("hello.yaml", HELLO.replace("people.csv", "../../etc/passwd"))),
    case("suppressions are a FIFO", "unreadable-file", file("notifyctl.yaml", PROJECT + "suppressions: [s.csv]\n"), fifo("s.csv")),
    *(
        case(f"{tag} of itself", "template-limit", reading("textFile", "t.txt"), file("t.txt", f"{{% {tag} %}}"))
        for tag in ("include 't.txt'", "extends 't.txt'", "import 't.txt' as x")
    ),
    # Audiences
    case("NUL in CSV", "bad-row", file("people.csv", PEOPLE + "+447700900124,a\0b\n")),
    case("no UTF-8 in CSV", "unreadable-file", file("people.csv", PEOPLE.encode() + b"+447700900124,\xff\xfe\n")),
    case("a row of 20 MB", "bad-row", file("people.csv", PEOPLE + "+447700900124," + "x" * 20_000_000 + "\n")),
    case("an open quote", "bad-row", file("people.csv", PEOPLE + '+447700900124,"' + "x\n" * 10_000_000)),
    case("a million columns", "unreadable-file", file("people.csv", "msisdn," + ",".join(f"c{n}" for n in range(500_000)) + "\n")),
    case("300 rows of 1 MB", "duplicate-address", file("people.csv", "msisdn,name,more\n" + ("+447700900123,Ada," + "x" * 1_000_000 + "\n") * 300)),
    case("300 objects of 1 MB", "duplicate-address", objects(("more", "x" * 1_000_000) for _ in range(300))),
    case("other keys in each of 5,000 objects", "duplicate-address", objects((f"key{n}-", "x") for n in range(5000))),
    case("a long expression", "bad-where", file("hello.yaml", HELLO.replace("people.csv}", f"people.csv}}, where: '{'(' * 9000}1{')' * 9000}'"))),
    case("a long result", "bad-where", file("hello.yaml", HELLO.replace("people.csv}", f"people.csv}}, where: '{'hex(' * 60}name{')' * 60} > 0'"))),
    # Markup and words
    case("tags never closed", "template-limit", file("hello.yaml", MAIL), file("mail.html", "<a " * 100_000)),
    case("quotes never closed", "template-limit", file("hello.yaml", MAIL), file("mail.html", '<a x="' * 50_000)),
    case("links never closed", "unbalanced-link", file("hello.yaml", MAIL), file("mail.html", '<a href="https://a.example">' * 9000)),
    case("100,000 variables", "template-limit", reading("textFile", "t.txt"), file("t.txt", "".join(f"$(n{n})" for n in range(100_000)))),
)  # fmt: skip


@pytest.mark.parametrize("hostile", CASES, ids=lambda hostile: hostile.name)
def test_a_hostile_file_ends_in_a_diagnostic(tmp_path: Path, hostile: Case) -> None:
    assert hostile.rule in rules(lint(tmp_path, *hostile.made))


def test_folders_deeper_than_calls_are_walked(tmp_path: Path) -> None:
    try:
        assert rules(lint(tmp_path, deep)) == set()
    finally:
        shallow(tmp_path)


TEMPLATES = {
    "template-security": (
        "{{ ''.__class__.__mro__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ self.__init__.__globals__ }}",
        "{{ ''|attr('__class__') }}",
        "{{ '{0.__class__}'.format(1) }}",
        "{{ '{a.__class__}'.format_map({'a': 1}) }}",
        "{{ (range(3)|map('string')).gi_frame }}",
        "{% macro f() %}{% endmacro %}{{ f.__call__.__globals__ }}",
        "{% set d = {} %}{% set _ = d.update({'a': d}) %}{{ d }}",
    ),
    "template-limit": (
        "{% for i in range(10**9) %}{% endfor %}",
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{% set s = 'a' * 99999 %}{% for a in s %}{% for b in s %}{% endfor %}{% endfor %}",
        "{{ 'a' * 10**9 }}",
        "{{ [0] * 10**9 }}",
        "{{ 9**9**9 }}",
        "{{ 'a'|center(10**10) }}",
        "{{ '1'.zfill(10**10) }}",
        "{{ '%0999999999d'|format(1) }}",
        "{{ '{:>9999999999}'.format(1) }}",
        "{{ ('a' * 1000)|replace('a', 'b' * 1000)|replace('b', 'c' * 1000) }}",
        "{{ range(100000)|join('x' * 10000) }}",
        "{{ [1]|slice(10**9)|list }}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% for a in [[1]] recursive %}{{ loop([[1]]) }}{% endfor %}",
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
        "{{ 1" + "|string" * 5000 + " }}",
        "{% set x %}{% for i in range(100000) %}0123456789{% endfor %}{% endset %}{{ x }}{{ x }}",
    ),
    "template-undefined": ("{{ lipsum(n=10**6) }}", "{{ " + "a" * 1_000_000 + " }}"),
    "template-syntax": ("{#" * 100_000, "{% raw %}" * 20_000),
}


@pytest.mark.parametrize("rule", TEMPLATES)
def test_hostile_templates_end_in_a_diagnostic_each(tmp_path: Path, rule: str) -> None:
    sources = TEMPLATES[rule]
    texts = [
        file(
            f"t{number}.yaml",
            f"apiVersion: notifyctl/v1\nkind: Template\nname: t{number}\nchannel: sms\n"
            f"content: {{type: text, text: {json.dumps(source)}}}\n",
        )
        for number, source in enumerate(sources)
    ]
    report = lint(tmp_path, *texts)
    found = {each["file"]: each["rule"] for each in report["diagnostics"] if each["severity"] == "error"}
    assert found == {f"t{number}.yaml": rule for number in range(len(sources))}
    assert all(len(each["message"]) < 500 for each in report["diagnostics"])


def test_a_mail_that_lint_lets_pass_can_be_shown(tmp_path: Path) -> None:
    """Only warnings stand against it, and a plan turns its markup into lines."""
    markup = "<style>" * 9000 + "<a " + ' href="' * 9000 + ">" + '<a href="https://a.example">' * 4000
    done = process(tmp_path, "plan", file("hello.yaml", MAIL), file("mail.html", markup))
    assert done.returncode == 0, done.stderr
    assert "1 send" in done.stdout
