"""2,345 people from a CSV, sent to a server that is not ours: each once, each with the right words, and never again."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import jwt
import pytest

NOTIFICATION = """\
apiVersion: notifyctl/v1
kind: Notification
name: outage
template: outage-sms
audience: people
substitutions: {value: 4 hours}
"""

TEMPLATE = """\
apiVersion: notifyctl/v1
kind: Template
name: outage-sms
channel: sms
variables:
  name: {example: Ada}
  area: {example: EC1M 4BH}
  value: {example: 4 hours}
  note: {required: false, default: "Sorry!"}
content:
  type: unicode
  text: Hi $(name), no power in $(area) for $(value). $(note) {{ brand }}
locales:
  fr: {content: {text: "Bonjour $(name), panne à $(area) pendant $(value). $(note) {{ brand }}"}}
"""

AUDIENCE = """\
apiVersion: notifyctl/v1
kind: Audience
name: people
source: {file: people.csv}
columns: {msisdn: phone, locale: lang}
substitutions: {name: first, area: postcode, value: hours, note: note}
"""

NAMES = ["Ada", "Grace", "Zoë", "Linus", "Łukasz", "Renée"]


def people(count: int) -> list[dict[str, str]]:
    """Every 7th has hours of their own, every 5th a note, every 3rd reads French."""
    return [
        {
            "first": NAMES[n % len(NAMES)],
            "phone": f"+336399{80000 + n}",
            "postcode": f"EC1M {n % 9}BH",
            "lang": "fr" if n % 3 == 0 else "en",
            "hours": "2 days" if n % 7 == 0 else "",
            "note": "We call you." if n % 5 == 0 else "",
        }
        for n in range(count)
    ]


def csv_of(rows: list[dict[str, str]]) -> str:
    return "\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows)]) + "\n"


def words(body: Any, destination: Any) -> str:
    """What the API makes of a request for one destination: the destination's values win over the global ones."""
    values = {**body.get("substitutions", {}), **destination.get("substitutions", {})}
    text: str = body["content"]["text"]
    for name, value in values.items():
        text = text.replace(f"$({name})", value)
    return text


def expected(row: dict[str, str]) -> str:
    hours, note = row["hours"] or "4 hours", row["note"] or "Sorry!"
    if row["lang"] == "fr":
        return f"Bonjour {row['first']}, panne à {row['postcode']} pendant {hours}. {note} Acme Power"
    return f"Hi {row['first']}, no power in {row['postcode']} for {hours}. {note} Acme Power"


@pytest.fixture
def outage(production: Any) -> Any:
    production.write(outage=NOTIFICATION, template=TEMPLATE, audience=AUDIENCE)
    production.write(**{"people.csv": csv_of(people(2345))})
    return production


def test_each_address_once_with_the_right_words_in_at_most_six_requests(outage: Any, foreign: Any) -> None:
    result = outage.apply()
    assert result.code == 0, result.err
    assert result.json["outcomes"] == {
        "accepted": 2345,
        "rejected": 0,
        "uncertain": 0,
        "not_begun": 0,
        "expired": 0,
    }
    rows = {row["phone"]: row for row in people(2345)}
    assert sorted(foreign.addresses) == sorted(rows)
    assert len(foreign.requests) <= 6
    for request in foreign.requests:
        assert sum(len(entry["msisdn"]) for entry in request.body["to"]) <= 1000
        for destination in request.body["to"]:
            for address in destination["msisdn"]:
                assert words(request.body, destination) == expected(rows[address])


def test_a_second_apply_makes_no_request(outage: Any, foreign: Any) -> None:
    assert outage.apply().code == 0
    sent = len(foreign.requests)
    again = outage.apply()
    assert (again.code, again.json["requests"], len(foreign.requests)) == (0, 0, sent)
    assert outage.plan()["summary"]["unchanged"] == 2345


def test_the_token_can_be_verified_by_who_knows_the_secret(outage: Any, foreign: Any) -> None:
    outage.apply()
    key = base64.b64decode("bWFkZS11cC1zZWNyZXQtb2YtdGhpcnR5LXR3by1ieXRlcyE=")
    for request in foreign.requests:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        claims = jwt.decode(token, key, algorithms=["HS256"], options={"verify_iat": True})
        assert claims["iss"] == "made-up-service-id"
        assert isinstance(claims["iat"], int)
        assert abs(claims["iat"] - time.time()) < 60
        assert claims["exp"] - claims["iat"] <= 120
        assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}


def test_recipients_with_the_same_values_share_a_destination_object(production: Any, foreign: Any) -> None:
    production.write(outage=NOTIFICATION, template=TEMPLATE, audience=AUDIENCE)
    rows = [
        row | {"first": "team", "hours": "", "note": "", "postcode": "EC1M", "lang": "en"}
        for row in people(7)
    ]
    production.write(**{"people.csv": csv_of(rows)})
    assert production.apply().code == 0
    (request,) = foreign.requests
    (destination,) = request.body["to"]
    assert destination["msisdn"] == [row["phone"] for row in rows]
    assert destination["substitutions"] == {"area": "EC1M", "name": "team"}
    assert request.body["substitutions"] == {"note": "Sorry!", "value": "4 hours"}
    assert 0 < len(destination["correlationId"].encode()) <= 50


def test_batches_are_no_larger_than_the_tps_when_it_counts_destinations(
    production: Any, foreign: Any
) -> None:
    project = (production.root / "notifyctl.yaml").read_text()
    production.write(notifyctl=project.replace("tps: 100000", "tps: 200"))
    production.write(outage=NOTIFICATION, template=TEMPLATE, audience=AUDIENCE)
    production.write(**{"people.csv": csv_of(people(350))})
    assert production.apply().code == 0
    sizes = [sum(len(entry["msisdn"]) for entry in request.body["to"]) for request in foreign.requests]
    assert max(sizes) <= 200
    assert sum(sizes) == 350


def test_bad_rows_are_listed_with_their_line_and_never_stop_the_rest(production: Any, foreign: Any) -> None:
    rows = people(6)
    rows[1]["phone"] = "not a number"
    rows[2]["phone"] = ""
    rows[4]["phone"] = rows[0]["phone"]
    production.write(outage=NOTIFICATION, template=TEMPLATE, audience=AUDIENCE)
    production.write(**{"people.csv": csv_of(rows)})
    plan = production.plan()
    listed = {(d["rule"], d["file"], d["line"]) for d in plan["diagnostics"]}
    assert listed == {
        ("bad-address", "people.csv", 3),
        ("no-address", "people.csv", 4),
        ("duplicate-address", "people.csv", 6),
    }
    assert (plan["summary"]["send"], plan["summary"]["suppressed"]) == (3, 2)
    assert production.apply().code == 0
    assert sorted(foreign.addresses) == sorted(rows[n]["phone"] for n in (0, 3, 5))


def test_an_audience_with_nobody_for_the_channel_is_an_error(production: Any, foreign: Any) -> None:
    production.write(outage=NOTIFICATION, template=TEMPLATE, audience=AUDIENCE)
    production.write(**{"people.csv": csv_of([row | {"phone": ""} for row in people(2)])})
    result = production("plan", "--format", "json")
    assert result.code == 1
    document = json.loads(result.out)
    assert document["applyable"] is False
    assert "empty-audience" in {d["rule"] for d in document["diagnostics"]}
    assert production("apply", "--expect", document["digest"]).code == 1
    assert foreign.requests == []
