"""Who opted out gets nothing: by a list, by one that changes while an apply is under way, by what receipts taught."""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from notifyctl.app.apply import apply
from notifyctl.app.plan import make_plan
from notifyctl.app.workspace import open_workspace
from notifyctl.apply.job import Stop

NOTIFICATION = """\
apiVersion: notifyctl/v1
kind: Notification
name: offer
template: {{channel: sms, category: {category}, content: {{type: text, text: Hello $(name)}}}}
audience: {{source: {{file: people.csv}}}}
{more}
"""
NUMBERS = [f"+4477009000{n:02}" for n in range(6)]
PEOPLE = "msisdn,name\n" + "".join(f"{number},P\n" for number in NUMBERS)
KEY = b"a key of ours"


def offer(cli: Any, *, category: str = "marketing", more: str = "") -> None:
    cli.write(offer=NOTIFICATION.format(category=category, more=more), **{"people.csv": PEOPLE})


def reasons(plan: Any) -> Any:
    [each] = plan["notifications"]
    return each["reasons"].get("suppressed", {})


def test_levels_terms_and_reasons_show_in_the_plan(production: Any) -> None:
    hashed = hmac.digest(KEY, NUMBERS[3].encode(), "sha256").hex()
    production.write(
        **{
            "all.csv": f"{NUMBERS[0]}\n",
            "marketing.csv": f"msisdn,category,until\n{NUMBERS[1]},marketing,\n{NUMBERS[4]},marketing,2020-01-01\n",
            "here.csv": f"msisdn,reason\n{NUMBERS[2]},letter\n",
            "hashed.csv": f"hash,reason\n{hashed},complaint\n",
        }
    )
    text = (production.root / "notifyctl.yaml").read_text()
    lists = "suppressions: [all.csv, {file: hashed.csv, keyEnv: SUPPRESSION_KEY}]\n"
    environment = "    suppressions: {file: marketing.csv, reason: by post}\n".replace("{", "[{").replace(
        "}", "}]"
    )
    production.write(notifyctl=text.replace("defaultEnvironment", lists + "defaultEnvironment") + environment)
    offer(production, more="suppressions: [here.csv]")
    assert production("plan").code == 1, "the key is missing"
    assert "SUPPRESSION_KEY" in "".join(production.said)
    (production.root / "key").write_text("a key of ours\n")
    production.write(
        notifyctl=(production.root / "notifyctl.yaml")
        .read_text()
        .replace("keyEnv: SUPPRESSION_KEY", f"keyFile: {production.root}/key")
    )
    told = {
        "opted-out": 1,
        "opted-out: by post": 1,
        "opted-out: letter": 1,
        "opted-out: complaint": 1,
    }
    assert reasons(production.plan()) == told
    offer(production, category="transactional")
    assert reasons(production.plan()) == {"opted-out": 1, "opted-out: complaint": 1}
    assert production("lint").code == 0, "lint needs no key"


def test_who_opts_out_while_an_apply_is_under_way_gets_nothing_more(production: Any, foreign: Any) -> None:
    production.write(**{"stop.csv": "# nobody yet\n"})
    text = (production.root / "notifyctl.yaml").read_text()
    text = text.replace("concurrency: 4", "concurrency: 1, destinationsPerRequest: 2")
    production.write(
        notifyctl=text.replace("defaultEnvironment", "suppressions: [stop.csv]\ndefaultEnvironment")
    )
    offer(production)
    foreign.on_request = lambda: (production.root / "stop.csv").write_text(
        f"{NUMBERS[3]}\n{NUMBERS[4]}\n{NUMBERS[5]}\n"
    )
    applied = production.apply()
    assert foreign.addresses == NUMBERS[:3]
    assert applied.json["outcomes"] == {
        "accepted": 3,
        "rejected": 0,
        "uncertain": 0,
        "not_begun": 3,
        "expired": 0,
    }
    assert applied.json["reasons"] == {"opted out since the plan": 3}
    assert reasons(production.plan()) == {"opted-out": 3}
    (production.root / "stop.csv").write_text("# nobody any more\n")
    assert production.plan()["summary"]["send"] == 3, "they are shown before they are written to"
    foreign.on_request = None
    assert production.apply().code == 0
    assert sorted(foreign.addresses) == NUMBERS


def listed(production: Any, text: str, limits: str = "concurrency: 4") -> Path:
    """A suppression list of the project."""
    production.write(**{"stop.csv": text})
    project = (production.root / "notifyctl.yaml").read_text().replace("concurrency: 4", limits)
    production.write(
        notifyctl=project.replace("defaultEnvironment", "suppressions: [stop.csv]\ndefaultEnvironment")
    )
    path: Path = production.root / "stop.csv"
    return path


def applied_while(production: Any, *, reading: Any = None, planned: Any = None) -> None:
    """Apply, and call `reading` once while the plan is derived, or `planned` right after."""
    workspace = open_workspace(production.root)
    told: list[object] = []

    def on_progress(progress: object) -> None:
        told.append(progress)
        if reading is not None and len(told) == 1:
            reading()

    digest = make_plan(workspace, workspace.environment(None)).digest
    apply(
        replace(workspace, show_progress=on_progress),
        workspace.environment(None),
        expect=digest,
        on_plan=lambda _: planned() if planned is not None else None,
        on_event=lambda _: None,
        stop=Stop(),
    )


@pytest.mark.parametrize("moment", ["reading", "planned"])
def test_who_opts_out_between_the_first_look_at_a_list_and_the_request_gets_nothing(
    production: Any, foreign: Any, moment: str
) -> None:
    stop = listed(production, f"{NUMBERS[0]}\n")
    offer(production)
    applied_while(production, **{moment: lambda: stop.write_text(f"{NUMBERS[0]}\n{NUMBERS[3]}\n")})
    assert sorted(foreign.addresses) == [NUMBERS[at] for at in (1, 2, 4, 5)]


def test_who_opts_out_between_two_attempts_is_not_in_the_second(production: Any, foreign: Any) -> None:
    stop = listed(production, "# nobody yet\n", "concurrency: 1")
    offer(production)
    foreign.answers = [(429, b'{"code":"7020","message":"You have reached the maximum transaction limit"}')]
    foreign.on_request = lambda: stop.write_text(f"{NUMBERS[2]}\n")
    applied = production.apply()
    assert foreign.addresses == [*NUMBERS, *NUMBERS[:2], *NUMBERS[3:]]
    assert applied.json["outcomes"] == {
        "accepted": 5,
        "rejected": 1,
        "uncertain": 0,
        "not_begun": 0,
        "expired": 0,
    }


@pytest.mark.parametrize("before", [f"{NUMBERS[0]}\n", "+447700900099\n"])
def test_a_list_that_is_edited_to_the_same_length_is_read_again(
    production: Any, foreign: Any, before: str
) -> None:
    stop = listed(production, before, "concurrency: 1, destinationsPerRequest: 2")
    offer(production)
    foreign.on_request = lambda: stop.write_text(f"{NUMBERS[4]}\n")
    production.apply()
    assert NUMBERS[4] not in foreign.addresses
    assert NUMBERS[3] in foreign.addresses


def test_a_list_that_breaks_while_an_apply_is_under_way_ends_it(production: Any, foreign: Any) -> None:
    production.write(**{"stop.csv": "# nobody yet\n"})
    text = (production.root / "notifyctl.yaml").read_text()
    text = text.replace("concurrency: 4", "concurrency: 1, destinationsPerRequest: 2")
    production.write(
        notifyctl=text.replace("defaultEnvironment", "suppressions: [stop.csv]\ndefaultEnvironment")
    )
    offer(production)
    foreign.on_request = lambda: (production.root / "stop.csv").write_text("nonsense\n")
    assert production.apply().code == 1
    assert foreign.addresses == NUMBERS[:2]
    assert "can no longer be read" in "".join(production.said)


def test_what_receipts_teach_becomes_a_list(production: Any, foreign: Any) -> None:
    offer(production)
    assert production.apply().code == 0
    [request] = foreign.requests
    said = [
        receipt(request.body, 1, "Complaint", "7521"),
        receipt(request.body, 2, "Delivered", "7500"),
        receipt(request.body, 4, "Unsubscribed", None),
    ]
    path = production.root / "receipts.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in said))
    assert production("receipts", "ingest", str(path)).code == 0
    learnt = production.root / "learnt.csv"
    assert production("receipts", "opt-outs", "--out", str(learnt)).code == 0
    rows = [line.split(",") for line in learnt.read_text().splitlines()]
    assert rows[0] == ["hash", "channel", "reason", "since"]
    assert sorted((channel, reason) for _, channel, reason, _ in rows[1:]) == [
        ("sms", "complaint"),
        ("sms", "unsubscribed"),
    ]
    assert not any(number.lstrip("+") in learnt.read_text() for number in NUMBERS)
    text = (production.root / "notifyctl.yaml").read_text()
    lists = "suppressions: [{file: learnt.csv, key: ledger}]\n"
    production.write(notifyctl=text.replace("defaultEnvironment", lists + "defaultEnvironment"))
    offer(production, more="edition: 2")
    plan = production.plan()
    assert reasons(plan) == {"opted-out: complaint": 1, "opted-out: unsubscribed": 1}
    assert plan["summary"]["resend"] == 4
    assert production.apply().code == 0
    assert foreign.addresses[6:] == [NUMBERS[n] for n in (0, 2, 3, 5)]
    assert (
        production("receipts", "opt-outs", "--since", "2099-01-01T00:00:00Z").out
        == "hash,channel,reason,since\n"
    )


def receipt(body: Any, at: int, status: str, code: str | None) -> Any:
    entry = body["to"][at] if len(body["to"]) > 1 else body["to"][0]
    number = entry["msisdn"][0] if len(body["to"]) > 1 else entry["msisdn"][at]
    return {
        "deliveryInfoNotification": {
            "deliveryInfo": {
                "deliveryStatus": status,
                "destination": number,
                **({"code": code} if code else {}),
            },
            "correlationid": entry["correlationId"],
            "callbackData": body.get("callbackData"),
        }
    }


def test_removing_an_entry_shows_in_a_review(cli: Any, tmp_path: Path) -> None:
    import subprocess

    cli.write(notifyctl="apiVersion: notifyctl/v1\nkind: Project\nname: acme\nsuppressions: [stop.csv]\n")
    cli.write(**{"stop.csv": f"{NUMBERS[1]}\n{NUMBERS[2]}\n"})
    offer(cli)
    for line in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "Start"]):
        names = ["-c", "user.name=A", "-c", "user.email=a@acme.example"]
        subprocess.run(["git", *names, *line], cwd=cli.root, check=True)
    cli.write(**{"stop.csv": f"{NUMBERS[2]}\n"})
    review = cli.plan("--offline", "--base", "main")["review"]
    [change] = review["changes"]
    assert (change["joined"], change["left"]) == (1, 0)
