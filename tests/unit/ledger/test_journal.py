from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from notifyctl.ledger.journal import Result, append_result, journal_path, parse_results, read_results
from notifyctl.model.batch import Accepted, Outcome, Refused, Rejected, Unknown

AT = datetime(2026, 12, 1, 9, 0, 0, 250_000, tzinfo=UTC)
OUTCOMES: list[Outcome] = [
    Accepted("m-1", 201, refused={3: "no such number"}, unheard=frozenset({0, 2})),
    Accepted("m-2", 200),
    Rejected("bad request", 400),
    Rejected("never left"),
    Refused("no", 401),
    Unknown("reset", 502),
    Unknown("no answer in time"),
]
HEAD = '{"lineage": "l", "batch": 1, "attempt": 2, "at": "2026-12-01T09:00:00.250000+00:00", '
OLD = [
    HEAD + rest
    for rest in (
        '"kind": "Accepted", "status": 201, "provider_id": "m-1", "refused": {"3": "no such number"}, "unheard": [0, 2]}',
        '"kind": "Accepted", "status": 200, "provider_id": "m-2", "refused": {}, "unheard": []}',
        '"kind": "Rejected", "status": 400, "reason": "bad request"}',
        '"kind": "Rejected", "status": null, "reason": "never left"}',
        '"kind": "Refused", "status": 401, "reason": "no"}',
        '"kind": "Unknown", "status": 502, "reason": "reset"}',
        '"kind": "Unknown", "status": null, "reason": "no answer in time"}',
    )
]
"""As version 1.0 wrote them."""


def test_results_come_back_in_order(tmp_path: Path) -> None:
    ledger = tmp_path / "production.db"
    results = [Result(number, 1, outcome, AT) for number, outcome in enumerate(OUTCOMES, 1)]
    for result in results:
        append_result(ledger, "l", result)
    assert read_results(ledger, "l") == results
    assert read_results(ledger, "another") == []


@pytest.mark.parametrize(("line", "outcome"), [*zip(OLD, OUTCOMES, strict=True)])
def test_a_journal_of_an_earlier_version_is_read_and_written_the_same(
    tmp_path: Path, line: str, outcome: Outcome
) -> None:
    result = Result(1, 2, outcome, AT)
    assert list(parse_results(line, "l")) == [result]
    append_result(tmp_path / "a.db", "l", result)
    assert json.loads(journal_path(tmp_path / "a.db").read_text()) == json.loads(line)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"batch": 1', '"batch": "1"'),
        ('"batch": 1', '"batch": 1, "batch": 2'),
        ('"batch": 1', '"batch": 1, "surprise": 2'),
        ('"refused": {"3"', '"refused": {"3": "x", "3"'),
        ('"refused": {"3"', '"refused": {"three"'),
        ('"provider_id": "m-1",', ""),
        ('"Accepted"', '"Perhaps"'),
        ("2026-12-01", "yesterday"),
    ],
)
def test_a_line_that_is_not_exactly_an_entry_is_skipped(old: str, new: str) -> None:
    assert old in OLD[0]
    broken = OLD[0].replace(old, new)
    assert list(parse_results(f"{broken}\n{OLD[1]}\n", "l")) == [Result(1, 2, OUTCOMES[1], AT)]
