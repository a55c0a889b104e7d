"""A plan in a file: reviewed once, applied once, less than it and never more or other."""

from __future__ import annotations

import json
import os
import shutil
import stat
import tracemalloc
import zlib
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from notifyctl.app.apply import check_saved_plan
from notifyctl.app.workspace import open_workspace
from notifyctl.errors import PlanRefusedError
from notifyctl.plan.digest import digest
from notifyctl.plan.saved import SavedPlan, read_saved
from notifyctl.testing import ManualClock

HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
joiners: send
template: {{channel: sms, content: {{type: text, text: {text} $(name)}}}}
audience: {{source: {{file: people.csv}}}}
"""
ROWS = ["+447700900001,Ada", "+447700900002,Grace", "+447700900003,Linus"]


def people(cli: Any, rows: list[str]) -> None:
    cli.write(**{"people.csv": "\n".join(["msisdn,name", *rows]) + "\n"})


@pytest.fixture
def hello(production: Any) -> Any:
    production.write(hello=HELLO.format(text="Hello"))
    people(production, ROWS)
    return production


@pytest.fixture
def saved(hello: Any, tmp_path: Path) -> tuple[str, str]:
    """The file and its digest."""
    path = tmp_path / "december.plan"
    result = hello("plan", "--format", "json", "--out", str(path))
    assert result.code == 0
    return str(path), result.json["digest"]


def apply(cli: Any, saved: tuple[str, str], *arguments: str) -> Any:
    return cli("apply", saved[0], "--expect", saved[1], "--format", "json", *arguments)


def test_it_is_applied_as_it_was_reviewed(hello: Any, foreign: Any, saved: tuple[str, str]) -> None:
    result = apply(hello, saved)
    assert (result.code, result.json["outcomes"]["accepted"], len(foreign.addresses)) == (0, 3, 3)


def test_it_holds_no_address_and_no_secret(saved: tuple[str, str]) -> None:
    text = Path(saved[0]).read_text()
    assert "7700900001" not in text
    assert "SERVICE" not in text


def test_it_is_used_once(hello: Any, foreign: Any, saved: tuple[str, str]) -> None:
    assert apply(hello, saved).code == 0
    again = apply(hello, saved)
    assert again.code == 4
    assert "was already used" in again.err
    assert len(foreign.addresses) == 3


def test_again_it_resumes_what_was_never_attempted(hello: Any, foreign: Any, tmp_path: Path) -> None:
    """The first request is refused for good, and ends the run; the second batch was never begun."""
    project = hello.root / "notifyctl.yaml"
    project.write_text(project.read_text().replace("tps: 100000, concurrency: 4", "tps: 2, concurrency: 1"))
    path = tmp_path / "p.plan"
    digest = hello("plan", "--format", "json", "--out", str(path)).json["digest"]
    foreign.answers[:] = [(401, b"")]
    assert apply(hello, (str(path), digest)).code == 1
    result = apply(hello, (str(path), digest))
    assert result.json["outcomes"]["accepted"] == 1, "whoever was rejected is for another plan"
    assert hello.plan()["summary"]["retry"] == 2


def test_less_than_what_was_reviewed_is_sent(hello: Any, foreign: Any, saved: tuple[str, str]) -> None:
    people(hello, ROWS[:2])
    assert apply(hello, saved).code == 0
    assert len(foreign.addresses) == 2


@pytest.mark.parametrize(
    ("text", "rows", "said"),
    [
        ("Hello", [*ROWS, "+447700900004,Mallory"], "1 person who are not in the plan"),
        ("Goodbye", ROWS, "3 people would be sent another text"),
        ("Hello", [*ROWS[:2], "+447700900003,Linus T."], "1 person would be sent another text"),
    ],
)
def test_more_or_other_is_refused_and_named(
    hello: Any, foreign: Any, saved: tuple[str, str], text: str, rows: list[str], said: str
) -> None:
    hello.write(hello=HELLO.format(text=text))
    people(hello, rows)
    result = apply(hello, saved)
    assert result.code == 4
    assert "hello (edition 1, once, sms)" in result.err
    assert said in result.err
    assert foreign.requests == []


def test_limits_that_were_raised_after_the_review_are_refused(
    hello: Any, foreign: Any, saved: tuple[str, str]
) -> None:
    project = hello.root / "notifyctl.yaml"
    project.write_text(project.read_text() + "policy: {maxRecipients: 200000}\n")
    result = apply(hello, saved)
    assert (result.code, foreign.requests) == (4, [])
    assert "the limits are others" in result.err


def test_another_digest_than_the_file_s_is_refused(hello: Any, foreign: Any, saved: tuple[str, str]) -> None:
    result = hello("apply", saved[0], "--expect", "sha256:" + "0" * 64)
    assert result.code == 4
    assert foreign.requests == []


def test_without_a_digest_and_a_terminal_nothing_is_sent(
    hello: Any, foreign: Any, saved: tuple[str, str]
) -> None:
    assert hello("apply", saved[0]).code == 64
    assert foreign.requests == []


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["authorised"][0]["policy"].update(max_recipients=None),
        lambda document: document.update(environment="staging"),
        lambda document: document["authorised"].clear(),
        lambda document: document["authorised"][0].update(units="AAAA"),
        lambda document: document.update(ledger="another"),
        lambda document: document.update(format_version="9.0"),
        lambda document: document.pop("plan_id"),
        lambda document: document.update(valid_until="2099-01-01T00:00:00+00:00"),
        lambda document: document.update(plan_id="another"),
        lambda document: document.update(mac=None),
        lambda document: document.pop("mac"),
    ],
)
def test_a_file_that_was_changed_is_refused(
    hello: Any, foreign: Any, saved: tuple[str, str], change: Any
) -> None:
    document = json.loads(Path(saved[0]).read_text())
    change(document)
    Path(saved[0]).write_text(json.dumps(document))
    assert apply(hello, saved).code == 4
    assert hello("show", saved[0]).code == 4
    assert foreign.requests == []


def test_a_file_with_a_key_twice_is_refused(hello: Any, foreign: Any, saved: tuple[str, str]) -> None:
    """A reviewer's tool may show the first of two values, and ours would use the last."""
    plan = Path(saved[0])
    plan.write_text(plan.read_text().replace("{", '{"environment": "staging", ', 1))
    assert apply(hello, saved).code == 4
    assert hello("show", saved[0]).code == 4
    assert foreign.requests == []


@pytest.mark.parametrize("time", ["2020-01-01T00:00Z", "2030-01-01", "now"])
def test_a_plan_as_of_another_time_is_refused(hello: Any, foreign: Any, tmp_path: Path, time: str) -> None:
    path = tmp_path / "other.plan"
    time = datetime.now(UTC).isoformat() if time == "now" else time
    made = hello("plan", "--as-of", time, "--format", "json", "--out", str(path)).json
    assert made["applyable"] is False
    assert made["valid_until"] == made["made_at"]
    result = apply(hello, (str(path), made["digest"]))
    assert result.code == 4
    assert "the plan shows another time (" in result.err
    assert foreign.requests == []
    assert "(not now)" in hello("show", str(path)).out


def test_a_plan_from_a_clock_that_is_ahead_is_refused(hello: Any, saved: tuple[str, str]) -> None:
    plan = read_saved(json.loads(Path(saved[0]).read_bytes()))
    clock = ManualClock(plan.typed.as_of - timedelta(minutes=16))
    workspace = open_workspace(hello.root, clock=clock)
    with pytest.raises(PlanRefusedError, match="which is still to come"):
        check_saved_plan(plan, workspace, workspace.environment(None), None)
    clock.advance(60)
    check_saved_plan(plan, workspace, workspace.environment(None), None)


def test_a_plan_is_valid_until_its_last_instant_and_not_at_it(hello: Any, saved: tuple[str, str]) -> None:
    plan = read_saved(json.loads(Path(saved[0]).read_bytes()))
    clock = ManualClock(plan.valid_until - timedelta(seconds=1))
    workspace = open_workspace(hello.root, clock=clock)
    check_saved_plan(plan, workspace, workspace.environment(None), None)
    clock.advance(1)
    with pytest.raises(PlanRefusedError, match="the plan expired at"):
        check_saved_plan(plan, workspace, workspace.environment(None), None)


def test_a_file_too_deep_to_be_sealed_is_not_taken_for_sealed(saved: tuple[str, str]) -> None:
    plan = read_saved(json.loads(Path(saved[0]).read_bytes()))
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert not SavedPlan({**plan.document, "more": deep}, plan.typed).is_sealed_by(lambda _, code: code)


def test_a_plan_for_another_ledger_is_refused(hello: Any, foreign: Any, saved: tuple[str, str]) -> None:
    (hello.root / ".notifyctl" / "production.db").unlink()
    assert hello("ledger", "init", "--replace-lost", "acme/production").code == 0
    result = apply(hello, saved)
    assert result.code == 4
    assert "another ledger" in result.err
    assert foreign.requests == []


def test_a_plan_for_another_provider_is_refused(hello: Any, foreign: Any, saved: tuple[str, str]) -> None:
    project = hello.root / "notifyctl.yaml"
    project.write_text(project.read_text().replace(foreign.url, "http://127.0.0.1:9/v2/messages"))
    result = apply(hello, saved)
    assert result.code == 4
    assert "for the provider" in result.err


def test_show_draws_what_was_reviewed(hello: Any, saved: tuple[str, str]) -> None:
    shown = hello("show", saved[0])
    assert shown.code == 0
    for part in ("Hello Ada", saved[1], "Plan ID:", "send", "Verified: the file was not changed"):
        assert part in shown.out
    assert hello("show", saved[0], "--format", "json").json["digest"] == saved[1]


@pytest.mark.parametrize("text", ["", "no json", "[]", "{}", '{"plan_id": "x"}', "[" * 100_000, "9" * 5000])
def test_what_is_no_plan_is_called_so(hello: Any, tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.plan"
    path.write_text(text)
    assert hello("apply", str(path), "--expect", "sha256:" + "0" * 64).code == 4
    assert hello("apply", str(tmp_path / "none.plan")).code == 64


def test_it_belongs_to_its_user_alone(hello: Any, saved: tuple[str, str]) -> None:
    """It has names in its samples; one that others could read before is closed too."""
    plan = Path(saved[0])
    assert stat.S_IMODE(plan.stat().st_mode) == 0o600
    plan.chmod(0o644)
    assert hello("plan", "--out", str(plan)).code == 0
    assert stat.S_IMODE(plan.stat().st_mode) == 0o600


# A seal over all that is read


def test_a_file_of_an_earlier_format_is_refused_as_that(hello: Any, saved: tuple[str, str]) -> None:
    document = json.loads(Path(saved[0]).read_text())
    for name in ("mac", "account"):
        del document[name]
    Path(saved[0]).write_text(json.dumps({**document, "format_version": "1.0"}))
    for result in (apply(hello, saved), hello("show", saved[0])):
        assert result.code == 4
        assert "an earlier format" in result.err
        assert "changed" not in result.err


def test_a_plan_without_the_ledger_is_shown_and_never_applied(
    hello: Any, foreign: Any, tmp_path: Path
) -> None:
    path = tmp_path / "offline.plan"
    digest = hello("plan", "--offline", "--format", "json", "--out", str(path)).json["digest"]
    shown = hello("show", str(path))
    assert shown.code == 0
    assert "Not verified here" in shown.err
    assert "without the ledger" in shown.err
    result = apply(hello, (str(path), digest))
    assert (result.code, foreign.requests) == (4, [])


def test_elsewhere_it_is_shown_and_said_that_it_was_not_checked(
    hello: Any, saved: tuple[str, str], tmp_path: Path
) -> None:
    document = json.loads(Path(saved[0]).read_text())
    (tmp_path / "copy").mkdir()
    for name in ("notifyctl.yaml", "hello.yaml", "people.csv"):
        shutil.copy(hello.root / name, tmp_path / "copy")
    for root in (tmp_path / "copy", tmp_path / "nowhere"):
        hello.root = root
        result = hello("show", saved[0])
        assert result.code == 0
        assert "Not verified here" in result.err
        assert "Checked by" not in result.out
        assert hello("show", saved[0], "--format", "json").json == document


def test_a_sandbox_s_first_plan_is_applied_before_it_has_a_ledger(cli: Any, tmp_path: Path) -> None:
    cli.write(
        notifyctl="apiVersion: notifyctl/v1\nkind: Project\nname: acme\n", hello=HELLO.format(text="Hello")
    )
    people(cli, ROWS)
    path = tmp_path / "first.plan"
    digest = cli("plan", "--format", "json", "--out", str(path)).json["digest"]
    assert "Verified: the file was not changed" in cli("show", str(path)).out
    result = apply(cli, (str(path), digest))
    assert result.json["outcomes"]["accepted"] == 3


Place = tuple[Any, ...]


def leaves(value: Any, place: Place = ()) -> Iterator[Place]:
    """The place of every value that holds no others, empty objects and lists included."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not inside:
        yield place
    for name, each in inside:
        yield from leaves(each, (*place, name))


def change(document: Any, place: Place, how: str) -> None:
    """Three ways: another value of its type, a value of another type, and nothing at all."""
    *way, last = place
    holder = document
    for step in way:
        holder = holder[step]
    value = holder[last]
    if how == "gone":
        del holder[last]
    elif how == "other type":
        holder[last] = [value] if not isinstance(value, str) else 7
    elif isinstance(value, bool):
        holder[last] = not value
    elif isinstance(value, int):
        holder[last] = value + 1
    elif value is None:
        holder[last] = 0
    else:
        holder[last] = f"{value}x" if isinstance(value, str) else "x"


def with_public_hashes(document: Any) -> Any:
    """All that a forger can compute anew: the digest over what is authorised. The seal needs the ledger's key."""
    with suppress(Exception):
        effects = read_saved(document).effects
        document["digest"] = digest(
            environment=document["environment"],
            provider=document["provider"],
            lineage=document["ledger"],
            effects=effects,
        )
    return document


@pytest.mark.parametrize("how", ["other value", "other type", "gone"])
def test_no_value_of_a_plan_file_can_be_edited(
    hello: Any, foreign: Any, saved: tuple[str, str], tmp_path: Path, how: str
) -> None:
    original = json.loads(Path(saved[0]).read_text())
    places = list(leaves(original))
    assert len(places) > 60
    for number, place in enumerate(places):
        document = json.loads(json.dumps(original))
        change(document, place, how)
        forged = tmp_path / f"forged-{number}.plan"
        if place != ("digest",):
            document = with_public_hashes(document)
        forged.write_text(json.dumps(document))
        digest_of = document.get("digest", saved[1])
        applied = hello("apply", str(forged), "--expect", str(digest_of))
        assert applied.code == 4, (place, applied.err)
        assert hello("show", str(forged)).code == 4, place
        elsewhere = hello("show", "-C", str(tmp_path), str(forged))
        assert elsewhere.code in {0, 4}, (place, elsewhere.err)
    assert foreign.requests == []


@pytest.mark.parametrize("how", ["other value", "other type", "gone"])
def test_no_edit_of_a_hostile_file_is_a_defect_where_it_is_not_checked(
    cli: Any, tmp_path: Path, how: str
) -> None:
    """Every channel's content, shown where no ledger is."""
    shutil.copytree(Path(__file__).parents[2] / "notifications", cli.root, dirs_exist_ok=True)
    path = tmp_path / "all.plan"
    made = cli("plan", "--offline", "--out", str(path))
    assert made.code == 0, made.err
    original = json.loads(path.read_text())
    # One of the same keys in each list stands for all.
    kinds = {
        tuple("[]" if isinstance(key, int) else key for key in place): place for place in leaves(original)
    }
    assert len(kinds) > 100
    for place in kinds.values():
        document = json.loads(json.dumps(original))
        change(document, place, how)
        path.write_text(json.dumps(document))
        shown = cli("show", "-C", str(tmp_path), str(path))
        assert shown.code in {0, 4}, (place, shown.err)


# Hostile files


def hostile(saved: tuple[str, str], **changes: Any) -> None:
    document = json.loads(Path(saved[0]).read_text())
    Path(saved[0]).write_text(json.dumps({**document, **changes}))


def test_text_of_a_file_that_is_not_checked_cannot_steer_a_terminal(
    hello: Any, saved: tuple[str, str], tmp_path: Path
) -> None:
    hostile(saved, project="\x1b]0;owned\x07", plan_id="\x1b[2J", provider="\u202ereversed")
    hello.root = tmp_path
    shown = hello("show", saved[0])
    assert shown.code == 0
    assert "\x1b" not in shown.out
    assert "\u202e" not in shown.out


def test_a_bomb_is_not_unpacked(hello: Any, saved: tuple[str, str], tmp_path: Path) -> None:
    """1 GiB when unpacked. Here its seal is wrong; elsewhere `show` has no need of it."""
    packing = zlib.compressobj()
    bomb = b"".join([*(packing.compress(bytes(1 << 20)) for _ in range(1 << 10)), packing.flush()])
    document = json.loads(Path(saved[0]).read_text())
    document["authorised"][0]["units"][0]["packed"] = b64encode(bomb).decode()
    Path(saved[0]).write_text(json.dumps(document))
    tracemalloc.start()
    try:
        assert apply(hello, saved).code == 4
        assert hello("show", saved[0]).code == 4
        assert hello("show", "-C", str(tmp_path), saved[0]).code == 0
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("depth", [50, 500, 5_000, 900_000])
def test_a_deep_file_ends_in_a_sentence(
    hello: Any, saved: tuple[str, str], tmp_path: Path, depth: int
) -> None:
    text = Path(saved[0]).read_text()
    deep = "[" * depth + "]" * depth
    Path(saved[0]).write_text(text.replace('"later": []', f'"later": {deep}'))
    Path(tmp_path / "other.plan").write_text(text.replace('"content": {', f'"content": {{"x": {deep}, ', 1))
    for file in (saved[0], str(tmp_path / "other.plan")):
        assert apply(hello, (file, saved[1])).code == 4
        assert hello("show", file).code == 4
        assert hello("show", "-C", str(tmp_path), file).code in {0, 4}


def test_a_pipe_is_not_waited_for(hello: Any, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for arguments in (("show",), ("apply",)):
        result = hello(*arguments, str(tmp_path / "pipe"))
        assert result.code == 64
        assert "not a regular file" in result.err


# The account


def test_another_account_is_refused_until_it_is_adopted(
    hello: Any, foreign: Any, saved: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVICE_ID", "another-made-up-service-id")
    result = apply(hello, saved)
    assert (result.code, foreign.requests) == (4, [])
    assert "another account" in result.err


def test_an_account_that_a_plan_could_not_know_is_taken_by_the_first_apply(
    hello: Any, foreign: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as patch:
        patch.delenv("SERVICE_ID")
        path = tmp_path / "p.plan"
        digest_of = hello("plan", "--format", "json", "--out", str(path)).json["digest"]
    assert json.loads(path.read_text())["account"] is None
    assert apply(hello, (str(path), digest_of)).code == 0
    people(hello, [*ROWS, "+447700900004,Mary"])
    monkeypatch.setenv("SERVICE_ID", "another-made-up-service-id")
    refused = hello.apply()
    assert (refused.code, len(foreign.requests)) == (1, 1)
    assert "ledger adopt --account" in refused.err
    assert hello("ledger", "adopt", "--yes").code == 0
    assert hello.apply().code == 1, "the ledger was adopted, and not the account"
    assert hello("ledger", "adopt", "--account", "--yes").code == 0
    assert hello.apply().code == 0
    assert "another-made-up" not in hello("ledger", "export").out
    with monkeypatch.context() as patch:
        patch.delenv("SERVICE_ID")
        assert hello("ledger", "adopt", "--account", "--yes").code == 1
