"""Each way in which a provider can lie: the exit code, what the ledger believes, and a sentence that a person understands.

The audience is twelve people in three batches; the sink lies to the first one, and is honest afterwards. Those that end a
request only by its limit of half a minute are tried with `RIG_ALL=1`; the contract of the provider tries them with a shorter one.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HTML = "<html><body>502 Bad Gateway</body></html>"

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "crashes-and-lies.md"


@dataclass(frozen=True, slots=True)
class Lie:
    """`do`: what the sink does with the first request. `code`: how apply exits. `uncertain`, `rejected`: how many people the
    ledger then takes for that, of twelve. `says`: a part of the sentence on the terminal. `requests`: how many there were.
    """

    name: str
    do: dict[str, Any]
    code: int
    says: str
    uncertain: int = 0
    rejected: int = 0
    requests: int = 3


def listing(**states: str) -> str:
    """An answer that lists its recipients. `a2="queued"`: the third one."""
    entries = [
        {
            "to": f"{{{name[1:]}}}" if name[0] == "a" else "+447700900999",
            "messageId": f"id-{name}",
            "status": state,
        }
        for name, state in states.items()
    ]
    return json.dumps({"response": entries})


def taken(**how: Any) -> dict[str, Any]:
    return {"do": "answer", **how}


def refused(**how: Any) -> dict[str, Any]:
    return {"do": "refuse", **how}


TELLS_NOTHING = "does not show whether the request was accepted"
UNREADABLE = "cannot be read"
LIES = [
    Lie("500 although taken", taken(status=500), 7, f"{TELLS_NOTHING} (500)", uncertain=4),
    Lie("500 and not taken", refused(status=500), 7, f"{TELLS_NOTHING} (500)", uncertain=4),
    Lie("502 from a proxy", taken(status=502, body=HTML), 7, f"{TELLS_NOTHING} (502)", uncertain=4),
    Lie("503 with Retry-After", taken(status=503, headers=["Retry-After: 0"]), 7, "(503)", uncertain=4),
    Lie("reset after taking", {"do": "reset"}, 7, "closed before a response", uncertain=4),
    Lie("truncated answer", {"do": "truncate"}, 7, UNREADABLE, uncertain=4),
    Lie("HTML with 200", taken(status=200, body=HTML), 7, UNREADABLE, uncertain=4),
    Lie("empty answer", taken(status=201), 7, UNREADABLE, uncertain=4),
    Lie("no message id", taken(status=201, body='{"status": "queued"}'), 7, "has no message ID", uncertain=4),
    Lie("an id, and failed", taken(status=201, body='{"messageId": "{id}", "status": "failed"}'), 7, 'status is "failed"', uncertain=4),
    Lie("an id, and success: false", taken(status=201, body='{"messageId": "{id}", "success": false}'), 7, 'success is "false"', uncertain=4),
    Lie("an id, and an error code", taken(status=201, body='{"messageId": "{id}", "status": "queued", "code": "7020"}'), 7, 'code is "7020"', uncertain=4),
    Lie("a list for an object", taken(status=201, body='[{"messageId": "x"}]'), 7, UNREADABLE, uncertain=4),
    Lie("10 MB of blanks", {"do": "flood", "bytes": 10_000_000}, 7, UNREADABLE, uncertain=4),
    Lie("408 although taken", taken(status=408), 7, "(408)", uncertain=4),
    Lie("two of four", {"do": "some", "positions": [0, 2], "status": 201, "body": listing(
        a0="queued", a1="rejected", a2="queued", a3="rejected")}, 6, "rejected this recipient", rejected=2),
    Lie("one is accepted and rejected", {"do": "some", "positions": [0, 1, 2, 3], "status": 201, "body": json.dumps({"response": [
        *json.loads(listing(a0="queued", a1="queued", a2="queued", a3="queued"))["response"],
        *json.loads(listing(a1="failed"))["response"]]})}, 7, "contradicts itself", uncertain=1),
    Lie("one is not named", {"do": "some", "positions": [0, 1, 2, 3], "status": 201, "body": listing(
        a0="queued", a1="queued", a2="queued")}, 7, "does not name", uncertain=1),
    Lie("reordered, with a stranger", {"do": "some", "positions": [0, 1, 2, 3], "status": 201, "body": listing(
        a3="queued", stranger="queued", a1="queued", a0="queued", a2="queued")}, 0, "Sent to 12"),
    Lie("redirect", refused(status=307, headers=["Location: http://127.0.0.1:9/"]), 6, "redirect (307)", rejected=4),
    Lie("400", refused(status=400, body='{"code": "7001", "message": "Bad to"}'), 6, "code 7001: Bad to", rejected=4),
    Lie("429 once", refused(status=429, headers=["Retry-After: 0"]), 0, "Sent to 12 recipients", requests=4),
    Lie("429 with nonsense", refused(status=429, headers=["Retry-After: soon"]), 0, "Sent to 12", requests=4),
    Lie("429 from the past", refused(status=429, headers=["Retry-After: -5"]), 0, "Sent to 12", requests=4),
]  # fmt: skip


def test_the_page_tells_of_each_lie() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [lie.name for lie in LIES if f"| {lie.name} | {lie.code} |" not in page] == []


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.name)
def test_a_lie_is_seen_through(rig: Any, lie: Lie) -> None:
    rig.fresh(concurrency=1)
    rig.script(lie.do)
    ended = rig.apply()
    believed = rig.check(crashes=1)
    assert ended.code == lie.code, ended.err
    assert {kind: len(who) for kind, who in believed.items()} == {
        "accepted": 12 - lie.uncertain - lie.rejected,
        "uncertain": lie.uncertain,
        "rejected": lie.rejected,
    }
    report = ended.json
    assert report["requests"] == lie.requests
    said = json.dumps(report, ensure_ascii=False) + ended.err
    assert lie.says in said + f"Sent to {report['outcomes']['accepted']} recipients"
    # What is certain is made good by the next run, and what is not stays as it is.
    again = rig.apply()
    assert again.json["requests"] == (1 if lie.rejected else 0)
    assert again.code == (7 if lie.uncertain else 0)
    rig.settled(crashes=1)


BREAKING = {
    "reset after taking",
    "truncated answer",
    "10 MB of blanks",
    "500 although taken",
    "400",
    "429 once",
}
KEPT_LIES = [
    *(lie for lie in LIES if lie.name in BREAKING),
    Lie("reset at the first byte", {"do": "cut", "bytes": 16}, 7, "closed before a response", uncertain=4),
    Lie("reset within the body", {"do": "cut", "bytes": 600}, 7, "closed before a response", uncertain=4),
]


@pytest.mark.parametrize("lie", KEPT_LIES, ids=lambda lie: lie.name)
def test_a_lie_on_a_kept_connection_is_seen_through(rig: Any, lie: Lie) -> None:
    """Two honest answers, far enough from each other that the connection is used again; the third one lies."""
    rig.fresh(concurrency=1, tps=6)
    rig.script({"do": "honest"}, {"do": "honest"}, lie.do)
    ended = rig.apply()
    assert ended.code == lie.code, ended.err
    believed = rig.check(crashes=1)
    assert (len(believed["uncertain"]), len(believed["rejected"])) == (lie.uncertain, lie.rejected)
    assert ended.json["requests"] == lie.requests


@pytest.mark.parametrize("honest", [14, 29, 31])
def test_what_waits_behind_a_refusal_does_not_leave(rig: Any, honest: int) -> None:
    """With one recipient in a request, nothing is posted after the refusal but what was in flight beside it."""
    rig.fresh(90, size=1)
    rig.script(*[{"do": "honest"}] * honest, *[refused(status=401)] * 90)
    ended = rig.apply()
    assert ended.code == 1
    assert honest + 1 <= ended.json["requests"] <= honest + rig.concurrency
    assert len(rig.check(crashes=0)["accepted"]) == honest
    rig.sink.ask({"log": str(rig.log)})
    rig.finish(crashes=0)


@pytest.mark.parametrize("received", [1, 40, 150, 400, 500, 600, 700])
def test_reset_in_the_middle_of_a_request(rig: Any, received: int) -> None:
    """RST after so many bytes: of the head, or of the body, which here ends after some 800."""
    rig.fresh(concurrency=1)
    rig.script({"do": "cut", "bytes": received})
    assert rig.apply().code == 7
    believed = rig.settled(crashes=1)
    assert len(believed["uncertain"]) == 4
    assert set(rig.taken()) == believed["accepted"], "half a request was taken"


@pytest.mark.parametrize("status", [401, 403, 410])
def test_a_refusal_of_the_credentials_stops_within_the_requests_in_flight(rig: Any, status: int) -> None:
    rig.fresh(80)
    rig.script(*[refused(status=status)] * 20)
    ended = rig.apply()
    assert ended.code == 1
    why = "the endpoint no longer exists" if status == 410 else "refused the credentials"
    assert f"{why} ({status}" in ended.json["refused"]
    assert 1 <= ended.json["requests"] <= 2
    assert rig.check(crashes=0)["accepted"] == set()
    assert ended.json["outcomes"]["not_begun"] == 80 - 4 * ended.json["requests"]
    rig.sink.ask(
        {"log": str(rig.log)}
    )  # and forget the rest of the script: somebody has mended the credentials
    rig.finish(crashes=0)


@pytest.mark.skipif(
    not os.environ.get("RIG_ALL"), reason="takes the 30 seconds of a request's limit; RIG_ALL=1 runs it"
)
@pytest.mark.parametrize("how", [{"do": "hang"}, {"do": "drip", "pause": 0.5}], ids=["hang", "drip"])
def test_who_never_ends_is_left_alone(rig: Any, how: dict[str, Any]) -> None:
    rig.fresh()
    rig.script(how, how, how)
    ended = rig.apply()
    assert ended.code == 7
    assert "no complete answer within 30 seconds" in json.dumps(ended.json)
    assert len(rig.settled(crashes=2)["uncertain"]) == 12
