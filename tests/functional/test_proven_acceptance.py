"""`accept` with a proof, as people type it: what is signed, by which key, and that no signature counts twice."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.functional.acceptors import ADA, PROJECT, SERIES, TEMPLATE, Repository
from tests.requirements import program

UNTIL = ("--until", "2199-12-31", "--max-recipients", "1500")


def keygen(*arguments: str | Path) -> None:
    subprocess.run([program("ssh-keygen"), *arguments], check=True, capture_output=True)


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, Path]:
    found = {name: tmp_path / name for name in ("ada", "bob")}
    for path in found.values():
        keygen("-q", "-t", "ed25519", "-N", "", "-C", path.name, "-f", path)
    return found


@pytest.fixture
def series(cli: Any, keys: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Ada's series. Git and CI name Bob as who runs the commands."""
    repository = Repository(cli.root)
    people = "".join(
        f'  - {{name: {name}, emails: [{name}@acme.example], keys: ["{Path(f"{path}.pub").read_text().strip()}"]}}\n'
        for name, path in keys.items()
    )
    repository.commit(ADA, _gitignore=".notifyctl\n", notifyctl_yaml=PROJECT)
    repository.rule(f"by: another\nabove: 1000\nproven: true\npeople:\n{people}")
    repository.commit(
        series_yaml=SERIES, template_yaml=TEMPLATE, words_txt="Good day", members_csv="phone\n+447700900123\n"
    )
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "bob@acme.example")
    monkeypatch.setenv("GITHUB_ACTOR", "bob")
    return cli


def fingerprint(cli: Any) -> str:
    [found] = cli.plan()["series"]
    return str(found["fingerprint"])


def test_a_statement_is_signed_elsewhere_and_counts_once(
    series: Any, keys: dict[str, Path], tmp_path: Path
) -> None:
    name = fingerprint(series)
    refused = series("accept", name, *UNTIL)
    assert (refused.code, "must prove who they are" in refused.err) == (3, True), refused.err
    asked = series("accept", name, *UNTIL, "--statement")
    assert (asked.code, name in asked.out, "max-recipients: 1500" in asked.out) == (0, True, True), asked.err
    assert "ssh-keygen -Y sign -n notifyctl-accept" in asked.err
    assert series("accept", name, *UNTIL, "--statement", "--format", "json").json["statement"] == asked.out
    signatures = {}
    for person, key in keys.items():
        (tmp_path / "statement").write_text(asked.out)
        keygen("-Y", "sign", "-n", "notifyctl-accept", "-f", key, tmp_path / "statement")
        signatures[person] = (tmp_path / "statement.sig").rename(tmp_path / f"{person}.sig")
    refused = series("accept", name, *UNTIL, "--signature", str(signatures["ada"]))
    assert (refused.code, "`ada` wrote a part" in refused.err) == (3, True), refused.err
    other = series("accept", name, *UNTIL[:3], "1501", "--signature", str(signatures["bob"]))
    assert (other.code, "does not match the statement" in other.err) == (3, True), other.err
    shown = series("plan").out
    assert "accepted until" not in shown
    assert (
        "`policy.accept`: by a person who committed to none of its files since it was last accepted, and proves it by an ID token or a"
        " signature, if it has more than 1,000 recipients per occurrence"
    ) in shown
    accepted = series("accept", name, *UNTIL, "--signature", str(signatures["bob"]))
    assert (accepted.code, "bob (proven by a signature with key SHA256:" in accepted.out) == (0, True)
    assert "bob (proven by a signature with key SHA256:" in series("plan").out
    assert series("accept", name, "--revoke").code == 0
    again = series("accept", name, *UNTIL, "--signature", str(signatures["bob"]))
    assert (again.code, "does not match the statement" in again.err) == (3, True), again.err


def test_a_key_file_signs_and_the_ledger_keeps_what_an_auditor_needs(
    series: Any, keys: dict[str, Path], tmp_path: Path
) -> None:
    name = fingerprint(series)
    refused = series("accept", name, *UNTIL, "--sign", str(keys["ada"]))
    assert (refused.code, "`ada` wrote a part" in refused.err) == (3, True), refused.err
    assert series("accept", name, *UNTIL, "--sign", str(keys["bob"])).code == 0
    exported = series("ledger", "export").out
    [evidence] = [json.loads(each["evidence"]) for each in find(exported) if each.get("fingerprint") == name]
    (tmp_path / "sig").write_text(evidence["signature"])
    (tmp_path / "allowed").write_text("bob " + keys["bob"].with_suffix(".pub").read_text())
    command: list[str | Path] = [
        "-Y",
        "verify",
        "-f",
        tmp_path / "allowed",
        "-I",
        "bob",
        "-n",
        "notifyctl-accept",
        "-s",
        tmp_path / "sig",
    ]
    done = subprocess.run(
        [program("ssh-keygen"), *command],
        input=evidence["statement"].encode(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "PRIVATE" not in exported


def find(exported: str) -> list[dict[str, Any]]:
    """The records of a ledger's export that have evidence."""
    lines = [json.loads(line) for line in exported.splitlines()]
    return [
        each
        for line in lines
        for each in (line, *filter(lambda it: isinstance(it, dict), line.values()))
        if "evidence" in each
    ]


def test_what_changes_in_who_can_accept_is_shown(series: Any, keys: dict[str, Path]) -> None:
    assert series("accept", fingerprint(series), *UNTIL, "--sign", str(keys["bob"])).code == 0
    Repository(series.root).rule("")
    refused = series("accept", fingerprint(series), *UNTIL)
    assert refused.code == 3, refused.err
    accepted = series("accept", fingerprint(series), *UNTIL, "--sign", str(keys["bob"]))
    assert "policy.accept.by: another → anyone" in accepted.out
    assert series("accept", fingerprint(series), *UNTIL, "--format", "json").json["rule_changes"] == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--sign", "KEY", "--signature", "KEY"), "use only one of"),
        (("--statement", "--sign", "KEY"), "use only one of"),
        (("--sign", "WORDS"), "it is not a private SSH key"),
        (("--base", "nowhere", "--sign", "KEY"), "unknown commit `nowhere`"),
        (("--sign", "NOWHERE"), "does not exist"),
    ],
)
def test_what_cannot_be_used_is_wrong_usage(
    series: Any, keys: dict[str, Path], given: tuple[str, ...], words: str
) -> None:
    paths = {"KEY": str(keys["bob"]), "WORDS": str(series.root / "words.txt")}
    result = series("accept", fingerprint(series), *UNTIL, *(paths.get(each, each) for each in given))
    assert (result.code, words in result.err) == (64, True), result.err
