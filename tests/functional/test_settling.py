"""What is uncertain is settled by receipts or a person; what was done can be seen, by run, by person and by row."""

from __future__ import annotations

import csv
import hmac
import json
import random
import subprocess
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from notifyctl.app.receipts.recorder import open_recorder, read_secret
from notifyctl.app.workspace import open_workspace
from notifyctl.errors import LedgerError, SettingsError
from notifyctl.model.events import Delivery
from notifyctl.providers.webexconnect.receipt_server import ReceiptAuth, bind, build_app

HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: Hello $(name)}}
audience: {source: {file: people.csv}}
"""
PEOPLE = [f"+44770090000{n}" for n in range(1, 7)]
HUB = "a hub secret that is long enough"
SHARED = "path-secret-of-ours"


@pytest.fixture
def hello(production: Any) -> Any:
    production.write(hello=HELLO)
    rows = [f"{phone},P{n}" for n, phone in enumerate(PEOPLE)]
    production.write(**{"people.csv": "\n".join(["msisdn,name", *rows]) + "\n"})
    return production


@pytest.fixture
def uncertain(hello: Any, foreign: Any) -> Any:
    """Six people in one request, which the provider took and answered with 500."""
    foreign.answers[:] = [(500, b"")]
    assert hello.apply().code == 7
    return hello


def outcomes(cli: Any) -> dict[str, int]:
    [row] = cli("status", "--format", "json").json["notifications"]
    return {name: count for name, count in row["outcomes"].items() if count}


def receipts(
    foreign: Any, *, status: str = "Delivered", code: str = "7500", **changed: Any
) -> list[dict[str, Any]]:
    """One for each person of the last request, as the provider would post them."""
    made = []
    body = foreign.requests[-1].body
    number = 0
    for entry in body["to"]:
        for address in entry["msisdn"]:
            inner = {
                "timeStamp": "2026-12-01T09:00:00.000+0000",
                "Description": "Message delivered",
                "code": code,
                "deliveryChannel": "SMS",
                "additionalInfo": "",
                "destination": address.lstrip("+"),
                "destinationType": "msisdn",
                "deliveryStatus": status,
            }
            outer = {
                "deliveryInfo": inner,
                "subtid": "",
                "transid": f"made-up_{number}",
                "callbackData": body["callbackData"],
                "correlationid": entry["correlationId"],
                **changed,
            }
            made.append({"deliveryInfoNotification": outer})
            number += 1
    return made


def ingest(cli: Any, documents: list[Any]) -> Any:
    path = cli.root.parent / "receipts.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in documents))
    return cli("receipts", "ingest", str(path))


# Receipts


def test_receipts_settle_whoever_was_uncertain(uncertain: Any, foreign: Any) -> None:
    assert ingest(uncertain, receipts(foreign)[:4]).code == 0
    assert outcomes(uncertain) == {"accepted": 4, "uncertain": 2}
    assert uncertain.plan()["summary"]["unchanged"] == 4


@pytest.mark.parametrize("changed", [{"callbackData": "x"}, {"correlationid": "x"}, {"correlationid": ""}])
def test_either_name_of_ours_is_enough(uncertain: Any, foreign: Any, changed: dict[str, str]) -> None:
    assert ingest(uncertain, receipts(foreign, **changed)).code == 0
    assert outcomes(uncertain) == {"accepted": 6}


def test_an_author_s_own_names_are_enough_with_the_destination(production: Any, foreign: Any) -> None:
    production.write(
        hello=HELLO.replace("{source: {file: people.csv}}", "crew") + "callbackData: december\n",
        crew="apiVersion: notifyctl/v1\nkind: Audience\nname: crew\nrecipients:\n"
        + "".join(
            f'  - {{msisdn: "{p}", correlationId: own-{p[-1]}, substitutions: {{name: A}}}}\n'
            for p in PEOPLE[:3]
        ),
    )
    foreign.answers[:] = [(500, b"")]
    assert production.apply().code == 7
    assert ingest(production, receipts(foreign)).code == 0
    assert outcomes(production) == {"accepted": 3}


def test_a_forged_correlation_id_settles_nobody(uncertain: Any, foreign: Any) -> None:
    forged = receipts(foreign, callbackData="x")
    for each in forged:
        outer = each["deliveryInfoNotification"]
        outer["correlationid"] = outer["correlationid"][:-4] + "AAAA"
        outer["deliveryInfo"]["destination"] = "447700900999"
    assert ingest(uncertain, forged).code == 0
    assert outcomes(uncertain) == {"uncertain": 6}


@pytest.mark.parametrize("destination", ["", "nobody", None, "own"])
def test_a_batch_and_a_position_without_their_tag_settle_nobody(
    uncertain: Any, foreign: Any, destination: str | None
) -> None:
    """Both can be guessed, and the destination can be known."""
    forged = receipts(foreign, callbackData="x")
    for each in forged:
        outer = each["deliveryInfoNotification"]
        outer["correlationid"] = outer["correlationid"][:-4] + "AAAA"
        if destination != "own":
            outer["deliveryInfo"]["destination"] = destination
    ingest(uncertain, forged)
    assert outcomes(uncertain) == {"uncertain": 6}


def test_a_receipt_of_another_ledger_settles_nobody_here(uncertain: Any, foreign: Any) -> None:
    """One address may be uncertain in both, and both may have their receipts sent here."""
    foreign_callback = receipts(foreign, callbackData="notifyctl:other/production:1:1", correlationid="own-1")
    assert ingest(uncertain, foreign_callback).code == 0
    assert outcomes(uncertain) == {"uncertain": 6}


def test_who_is_uncertain_twice_is_not_settled_by_a_guess(production: Any, foreign: Any) -> None:
    """An author's correlation id does not say which of the two messages the receipt is about."""
    crew = "".join(
        f'  - {{msisdn: "{p}", correlationId: own-{p[-1]}, substitutions: {{name: A}}}}\n' for p in PEOPLE[:2]
    )
    production.write(crew=f"apiVersion: notifyctl/v1\nkind: Audience\nname: crew\nrecipients:\n{crew}")
    doc = HELLO.replace("{source: {file: people.csv}}", "crew") + "callbackData: december\n"
    production.write(one=doc.replace("name: hello", "name: one"))
    foreign.answers[:] = [(500, b""), (500, b"")]
    assert production.apply().code == 7
    first = receipts(foreign)
    two = doc.replace("name: hello", "name: two").replace("Hello", "Goodbye")
    production.write(
        two=two.replace(
            "audience: crew",
            f"audience: {{recipients: [{{msisdn: '{PEOPLE[0]}', substitutions: {{name: A}}}}]}}",
        )
    )
    assert production.apply().code == 7
    assert ingest(production, first).code == 0
    rows = production("status", "--format", "json").json["notifications"]
    found = {row["name"]: {kind: n for kind, n in row["outcomes"].items() if n} for row in rows}
    assert found == {"one": {"accepted": 1, "uncertain": 1}, "two": {"uncertain": 1}}


def test_a_thousand_receipts_shuffled_and_doubled_give_what_they_give_in_order(
    production: Any, foreign: Any
) -> None:
    production.write(hello=HELLO)
    phones = [f"+44770090{n:04}" for n in range(334)]
    production.write(**{"people.csv": "\n".join(["msisdn,name", *(f"{p},A" for p in phones)]) + "\n"})
    assert production.apply().code == 0
    said = [
        *receipts(foreign, status="Submitted", code="7501"),
        *receipts(foreign, status="Delivered"),
        *receipts(foreign, status="Read", code="7502")[:300],
        *receipts(foreign, status="Clicked", code="7528")[:33],
    ]
    assert len(said) >= 1000
    mixed = [*said, *said]
    random.Random(7).shuffle(mixed)
    assert ingest(production, mixed).code == 0
    row = production("status", "--format", "json").json["notifications"][0]
    assert row["receipts"] == {"delivered": 34, "read": 300, "clicked": 33}
    assert ingest(production, said).code == 0
    assert production("status", "--format", "json").json["notifications"][0] == row
    assert production("ledger", "show", "--format", "json").json["receipts"] == len(said)


def test_a_bad_line_hides_no_other(uncertain: Any, foreign: Any) -> None:
    result = ingest(uncertain, [*receipts(foreign)[:1], {"odd": 1}, [], *receipts(foreign)[1:2]])
    assert result.code == 1
    assert "receipts.jsonl:2" in result.err
    assert outcomes(uncertain) == {"accepted": 2, "uncertain": 4}


# Over HTTP


@dataclass(slots=True)
class Hook:
    url: str
    said: list[str]
    keeper: Any

    def request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> int:
        connection = HTTPConnection(self.url, timeout=10)
        try:
            connection.request(method, path, body, headers or {})
            return connection.getresponse().status
        finally:
            connection.close()


@pytest.fixture
def hook(uncertain: Any) -> Iterator[Hook]:
    """The server on a real socket, with a ledger that a run may work on meanwhile."""
    workspace = open_workspace(uncertain.root)
    said: list[str] = []
    with open_recorder(workspace, workspace.environment("production")) as keeper:
        app = build_app(
            ReceiptAuth(HUB.encode(), SHARED), lambda receipt: str(made.keeper.record(receipt)), said.append
        )
        bound = bind("127.0.0.1", 0)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))
        made = Hook(f"127.0.0.1:{bound.getsockname()[1]}", said, keeper)
        thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
        thread.start()
        while not server.started:
            thread.join(0.01)
        try:
            yield made
        finally:
            server.should_exit = True
            thread.join(10)
            bound.close()


def post(hook: Hook, document: Any, *, secret: str = "", algorithm: str = "sha256", **change: Any) -> int:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    signature = change.get("signature", hmac.digest(HUB.encode(), body, algorithm).hex())
    headers = {"x-hub-signature": signature} if signature else {}
    return hook.request("POST", f"/receipts/{secret or SHARED}", change.get("body", body), headers)


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_signed_receipt_is_recorded_before_200(
    uncertain: Any, foreign: Any, hook: Hook, algorithm: str
) -> None:
    assert post(hook, receipts(foreign)[0], algorithm=algorithm) == 200
    assert outcomes(uncertain) == {"accepted": 1, "uncertain": 5}
    assert not any(PEOPLE[0][1:] in line for line in hook.said)


def test_a_prefixed_signature_is_taken(foreign: Any, hook: Hook) -> None:
    body = json.dumps(receipts(foreign)[0]).encode()
    assert post(hook, body, signature="sha256=" + hmac.digest(HUB.encode(), body, "sha256").hex()) == 200


def test_what_is_forged_altered_or_too_long_changes_nothing(uncertain: Any, foreign: Any, hook: Hook) -> None:
    one, other = receipts(foreign)[:2]
    assert post(hook, one, signature="") == 403
    assert post(hook, one, signature="0" * 64) == 403
    assert post(hook, one, signature=hmac.digest(HUB.encode(), json.dumps(one).encode(), "sha1").hex()) == 403
    assert post(hook, one, body=json.dumps(other).encode()) == 403
    assert post(hook, one, secret="another-secret") == 403
    assert post(hook, b"{" + b" " * 300_000 + b"}") == 413
    assert post(hook, b"no json") == 400
    assert post(hook, {"deliveryInfoNotification": {}}) == 400
    assert outcomes(uncertain) == {"uncertain": 6}


def test_a_replayed_receipt_changes_nothing_more(uncertain: Any, foreign: Any, hook: Hook) -> None:
    before = uncertain("ledger", "show", "--format", "json").json["serial"]
    assert [post(hook, receipts(foreign)[0]) for _ in range(3)] == [200, 200, 200]
    assert uncertain("ledger", "show", "--format", "json").json["serial"] == before + 2


def test_head_is_200_as_the_console_wants(hook: Hook) -> None:
    assert hook.request("HEAD", f"/receipts/{SHARED}") == 200


def test_what_cannot_be_recorded_is_answered_with_503(uncertain: Any, foreign: Any, hook: Hook) -> None:
    class Full:
        def record(self, _: Any) -> str:
            raise LedgerError("the disk is full")

    keeper, hook.keeper = hook.keeper, Full()
    assert post(hook, receipts(foreign)[0]) == 503
    hook.keeper = keeper
    assert post(hook, receipts(foreign)[0]) == 200, "the provider asks again, and nothing is lost"
    assert outcomes(uncertain) == {"accepted": 1, "uncertain": 5}


def test_serve_wants_a_secret(uncertain: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert uncertain("receipts", "serve", "--port", "0").code == 64
    monkeypatch.setenv("HOOK", "short")
    result = uncertain("receipts", "serve", "--port", "0", "--hub-secret-env", "HOOK")
    assert result.code == 1
    assert "too short" in result.err
    assert uncertain("receipts", "serve", "--host", "0.0.0.0", "--insecure").code == 64


@pytest.mark.parametrize(("length", "enough"), [(15, False), (16, True)])
def test_a_secret_of_sixteen_characters_is_long_enough(hello: Any, length: int, *, enough: bool) -> None:
    workspace = open_workspace(hello.root, environ={"HOOK": "s" * length})
    with nullcontext() if enough else pytest.raises(SettingsError, match="too short"):
        assert read_secret(workspace, "HOOK") == "s" * length


# A person


def test_without_a_verdict_the_uncertain_are_listed(uncertain: Any) -> None:
    result = uncertain("resolve")
    assert result.code == 7
    assert "6 recipients: outcome unknown" in result.out
    assert "batch 1" in result.out


def test_sent_settles_for_good(uncertain: Any, foreign: Any) -> None:
    result = uncertain("resolve", "--as", "sent", "--reason", "the console lists them", "--yes")
    assert result.code == 0, result.err
    assert outcomes(uncertain) == {"accepted": 6}
    assert uncertain.apply().json["requests"] == 0
    assert len(foreign.requests) == 1


def test_not_sent_waits_for_the_quarantine_and_makes_a_retry(uncertain: Any, foreign: Any) -> None:
    fresh = uncertain("resolve", "--as", "not-sent", "--reason", "ticket 4711", "--yes")
    assert fresh.code == 1
    assert "ago" in fresh.err
    settled = uncertain(
        "resolve", "--as", "not-sent", "--reason", "ticket 4711", "--yes", "--quarantine", "0s"
    )
    assert settled.code == 0
    assert uncertain.plan()["summary"]["retry"] == 6
    assert uncertain.apply().code == 0
    assert len(foreign.requests) == 2


def test_one_person_can_be_settled_alone(uncertain: Any) -> None:
    arguments = ("--as", "sent", "--reason", "asked them", "--yes", "--recipient", PEOPLE[0])
    assert uncertain("resolve", "hello", *arguments).code == 0
    assert outcomes(uncertain) == {"accepted": 1, "uncertain": 5}


@pytest.mark.parametrize(
    "arguments", [("--as", "sent"), ("--as", "sent", "--reason", "x"), ("--as", "maybe", "--reason", "x")]
)
def test_who_settles_says_why_and_confirms(uncertain: Any, arguments: tuple[str, ...]) -> None:
    assert uncertain("resolve", *arguments).code == 64
    assert outcomes(uncertain) == {"uncertain": 6}


def test_on_unknown_resend_accepts_that_some_get_it_twice_and_says_so(uncertain: Any, foreign: Any) -> None:
    uncertain.write(hello=HELLO + "onUnknown: resend\n")
    plan = uncertain.plan()
    assert plan["summary"]["retry"] == 6
    assert plan["notifications"][0]["reasons"]["retry"] == {"may-have-it-already": 6}
    assert uncertain.apply().code == 0
    assert len(foreign.requests) == 2
    assert uncertain.apply().json["requests"] == 0


# Partial acceptance


def test_a_partly_accepted_request_is_recorded_person_by_person(hello: Any, foreign: Any) -> None:
    answer = {
        "messageId": "m-1",
        "response": [
            {"to": PEOPLE[3], "messageId": "m-1_3", "status": "queued"},
            {"to": PEOPLE[0], "messageId": "m-1", "status": "queued"},
            {"to": "+447700900999", "messageId": "extra", "status": "queued"},
            {"to": PEOPLE[1], "status": "rejected", "code": "7102", "message": "bad address"},
        ],
    }
    foreign.answers[:] = [(201, json.dumps(answer).encode())]
    result = hello.apply()
    assert result.code == 7
    assert outcomes(hello) == {"accepted": 2, "rejected": 1, "uncertain": 3}
    assert hello.plan()["summary"]["retry"] == 1


# Seeing


def test_history_tells_who_what_and_from_which_commit(hello: Any) -> None:
    git = ["git", "-C", str(hello.root), "-c", "user.name=ada", "-c", "user.email=ada@acme.example"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "hello.yaml", "people.csv", "notifyctl.yaml"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "say hello"], check=True)
    commit = subprocess.check_output([*git, "rev-parse", "--short=12", "HEAD"], text=True).strip()
    assert hello.apply().code == 0
    [run] = hello("history", "--format", "json").json["runs"]
    assert run["revision"] == commit
    assert run["sent"][0]["recipients"]["accepted"] == 6
    shown = hello("history")
    for part in ("run 1", commit, "hello (sms, edition 1)", "6 accepted"):
        assert part in shown.out


def test_explain_says_why_one_person_will_or_won_t_get_it(hello: Any) -> None:
    before = hello("explain", "hello", "--recipient", PEOPLE[0])
    assert before.code == 0
    assert "will be sent: not sent yet" in before.out
    assert hello.apply().code == 0
    after = hello(
        "explain", "hello", "--recipient", PEOPLE[0].replace("+44", "0044 "), "--format", "json"
    ).json
    assert after["notifications"][0]["actions"] == {"unchanged": 1}
    [got] = after["received"]
    assert (got["outcome"], got["batch"]) == ("accepted", 1)
    nobody = hello("explain", "hello", "--recipient", "+447700900999")
    assert "not in the audience" in nobody.out
    assert hello("explain", "hullo", "--recipient", PEOPLE[0]).code == 64
    assert hello("explain", "hello", "--recipient", "nobody").code == 64


def test_the_failure_file_has_the_rows_and_why(hello: Any, foreign: Any, tmp_path: Path) -> None:
    rows = (hello.root / "people.csv").read_text() + "not-a-number,Mallory\n"
    hello.write(**{"people.csv": rows})
    foreign.answers[:] = [(400, b'{"code": "7004", "message": "Invalid parameter - to"}')]
    path = tmp_path / "failures.csv"
    assert hello.apply("--failures", str(path)).code == 6
    head, *found = csv.reader(path.read_text().splitlines())
    assert head == ["msisdn", "name", "reason"]
    assert [row[0] for row in found] == [*PEOPLE, "not-a-number"]
    assert "not accepted: the provider rejected the request (400" in found[0][2]


def test_the_failure_file_of_an_inline_audience_is_yaml(
    production: Any, foreign: Any, tmp_path: Path
) -> None:
    from notifyctl.config.reader import read_documents

    production.write(
        hello=HELLO.replace(
            "{source: {file: people.csv}}",
            '{recipients: [{msisdn: "+447700900001", substitutions: {name: A}}]}',
        )
    )
    foreign.answers[:] = [(400, b"")]
    path = tmp_path / "failures.yaml"
    assert production.apply("--failures", str(path)).code == 6
    assert read_documents(path.read_bytes(), "f")[1] == []
    assert "+447700900001" in path.read_text()


# Statements


def test_withdraw_stops_what_was_not_accepted(hello: Any, foreign: Any) -> None:
    assert hello("withdraw", "hello", "--reason", "called off").code == 0
    assert hello.plan()["summary"]["withdrawn"] == 6
    assert hello.apply().json["requests"] == 0
    assert hello("withdraw", "hullo", "--reason", "x").code == 64
    assert "called off" in hello("history").out


def test_a_baseline_counts_the_audience_as_served(hello: Any, foreign: Any) -> None:
    baseline = "---\napiVersion: notifyctl/v1\nkind: Baseline\nnotification: hello\nreason: sent by post\n"
    hello.write(hello=HELLO + baseline)
    plan = hello.plan()
    assert plan["summary"]["baseline"] == 6
    assert plan["notifications"][0]["reasons"]["baseline"] == {"baseline (sent by post)": 6}
    assert hello("plan", "--detailed-exitcode").code == 2
    assert hello.apply().code == 0
    assert hello.plan()["notifications"][0]["reasons"]["unchanged"] == {"baseline (sent by post)": 6}
    assert hello("plan", "--detailed-exitcode").code == 0
    hello.write(hello=HELLO)
    assert hello.plan()["summary"]["unchanged"] == 6, "the fact outlives the document"
    rows = (hello.root / "people.csv").read_text() + "+447700900009,New\n"
    hello.write(**{"people.csv": rows})
    assert hello.plan()["summary"]["blocked"] == 1, "who comes later is a joiner"
    assert foreign.requests == []


def test_a_baseline_is_recorded_without_a_confirmation_and_is_a_part_of_what_is_reviewed(
    hello: Any, foreign: Any, tmp_path: Path
) -> None:
    digest = hello.plan()["digest"]
    baseline = "---\napiVersion: notifyctl/v1\nkind: Baseline\nnotification: hello\nreason: sent by post\n"
    hello.write(hello=HELLO + baseline)
    assert hello.plan()["digest"] != digest
    assert hello("apply", "--expect", digest).code == 4, "the plan that was reviewed sends"
    file = str(tmp_path / "baseline.plan")
    reviewed = hello.plan("--out", file)
    assert hello("show", file).out.count("counted as already notified (`Baseline`: sent by post)") == 1
    hello.write(hello=HELLO)
    assert hello("apply", file, "--expect", reviewed["digest"]).code == 4, (
        "it is sent to nobody who counted as served"
    )
    hello.write(hello=HELLO + baseline)
    result = hello("apply")
    assert (result.code, foreign.requests) == (0, []), "nothing is sent, so nobody need confirm"
    assert hello.plan()["summary"]["unchanged"] == 6
    assert hello("apply", file, "--expect", reviewed["digest"]).code == 0


def test_a_document_about_an_old_name_holds_for_the_new_one(hello: Any, foreign: Any) -> None:
    renamed = HELLO.replace("name: hello", "name: greeting")
    head = "---\napiVersion: notifyctl/v1\nkind: "
    moved = f"{head}Moved\nfrom: hello\nto: greeting\n"
    hello.write(hello=renamed + moved + f"{head}Withdraw\nnotification: hello\nreason: called off\n")
    assert hello.plan()["summary"]["withdrawn"] == 6
    hello.write(hello=renamed + moved + f"{head}Baseline\nnotification: hello\nreason: sent by post\n")
    assert hello.plan()["summary"]["baseline"] == 6
    assert hello.apply().code == 0
    hello.write(hello=renamed + moved)
    assert hello.plan()["summary"]["unchanged"] == 6
    assert foreign.requests == []


def test_an_uncertain_outcome_that_a_baseline_counts_as_served_is_not_sent_again(
    hello: Any, foreign: Any
) -> None:
    hello.write(hello=HELLO + "onUnknown: resend\n")
    foreign.answers = [(500, b"")]
    assert hello.apply().code == 7
    assert hello.plan()["summary"]["retry"] == 6
    baseline = "---\napiVersion: notifyctl/v1\nkind: Baseline\nnotification: hello\nreason: they called\n"
    hello.write(hello=HELLO + "onUnknown: resend\n" + baseline)
    assert hello.apply().code == 0
    hello.write(hello=HELLO + "onUnknown: resend\n")
    assert hello.plan()["summary"]["unchanged"] == 6
    assert len(foreign.requests) == 1


def test_an_edition_that_does_not_exist_cannot_be_withdrawn(hello: Any) -> None:
    result = hello("withdraw", "hello", "--edition", "9", "--reason", "x")
    assert (result.code, "the highest is 1" in result.err) == (64, True)


def test_a_move_outlives_its_document(hello: Any, foreign: Any) -> None:
    assert hello.apply().code == 0
    moved = "---\napiVersion: notifyctl/v1\nkind: Moved\nfrom: hello\nto: greeting\n"
    hello.write(hello=HELLO.replace("name: hello", "name: greeting") + moved)
    assert hello.plan()["summary"]["unchanged"] == 6
    assert hello.apply().code == 0
    hello.write(hello=HELLO.replace("name: hello", "name: greeting"))
    assert hello.plan()["summary"]["unchanged"] == 6
    assert len(foreign.requests) == 1


def test_a_suspected_rename_is_blocked_until_somebody_says_what_it_is(hello: Any, foreign: Any) -> None:
    assert hello.apply().code == 0
    hello.write(hello=HELLO.replace("name: hello", "name: greeting"))
    plan = hello.plan()
    assert plan["summary"]["blocked"] == 6
    assert "suspected-rename of hello" in json.dumps(plan["notifications"])
    assert hello.apply().code == 3
    assert len(foreign.requests) == 1
    hello.write(hello=HELLO.replace("name: hello", "name: greeting").replace("Hello", "Another word for"))
    assert hello.plan()["summary"]["send"] == 6, "another text is another message"


def test_a_plan_file_shows_who_got_nearly_the_same(hello: Any, tmp_path: Path) -> None:
    assert hello.apply().code == 0
    hello.write(hello=HELLO.replace("name: hello", "name: greeting").replace("Hello $", "Hello - $"))
    file = str(tmp_path / "greeting.plan")
    plan = hello.plan("--out", file)
    assert plan["summary"]["send"] == 6, "a warning blocks nobody"
    [sentence] = plan["nearly_sent"]
    assert sentence.startswith("greeting: 6 of 6 were already sent nearly the same as `hello`, ")
    assert sentence in hello("show", file).out


def test_an_acknowledged_change_leaves_those_who_have_it_alone(hello: Any, foreign: Any) -> None:
    assert hello.apply().code == 0
    changed = HELLO.replace("Hello", "Goodbye") + "joiners: send\n"
    hello.write(hello=changed)
    plan = hello.plan()
    assert plan["summary"]["changed-after-send"] == 6
    hello.write(hello=changed + f"acknowledge: {plan['notifications'][0]['content_hash'][:15]}\n")
    rows = (hello.root / "people.csv").read_text() + "+447700900009,New\n"
    hello.write(**{"people.csv": rows})
    plan = hello.plan()
    assert (plan["summary"]["unchanged"], plan["summary"]["send-new"]) == (6, 1)
    assert hello.apply().code == 0
    assert foreign.addresses[-1] == "+447700900009"
    assert "acknowledge: hello" in hello("history").out
    hello.write(
        hello=changed.replace("Goodbye", "Farewell")
        + f"acknowledge: {plan['notifications'][0]['content_hash']}\n"
    )
    assert hello.plan()["summary"]["changed-after-send"] == 7, "an acknowledgement is for one text"


def test_the_fold_is_what_status_counts(uncertain: Any, foreign: Any) -> None:
    assert ingest(uncertain, receipts(foreign, status="Un-Delivered", code="7203")).code == 0
    row = uncertain("status", "--format", "json").json["notifications"][0]
    assert row["outcomes"]["accepted"] == 6
    assert row["receipts"] == {"failed": 6}
    assert Delivery().status is None
