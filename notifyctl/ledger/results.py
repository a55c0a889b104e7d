"""The journal of results that could not be committed: what the provider said must not be lost to a full disk.

One line of JSON for each, beside the ledger. The next writer reads it into the ledger and removes it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from notifyctl.errors import LedgerError
from notifyctl.model.batch import Accepted, Outcome, Refused, Rejected, Unknown


class Result(Struct, frozen=True):
    batch: int
    attempt: int
    outcome: Outcome
    at: datetime


def journal_of(ledger: Path) -> Path:
    return ledger.with_name(f"{ledger.name}.results")


def note(ledger: Path, lineage: str, result: Result) -> None:
    """Append a result, durably. Raises OSError when even that fails."""
    line = json.dumps({"lineage": lineage, **as_object(result)}) + "\n"
    descriptor = os.open(journal_of(ledger), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        # In one write: a line is there whole or is cut off, and a line that is cut off is left out.
        os.write(descriptor, line.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def noted(ledger: Path, lineage: str) -> list[Result]:
    """What the journal of this ledger holds, in order. A line that a crash cut off says nothing."""
    try:
        text = journal_of(ledger).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise LedgerError(f"{journal_of(ledger)} cannot be read: {error.strerror}") from error
    return list(results(text, lineage))


def results(text: str, lineage: str) -> Iterator[Result]:
    for line in text.splitlines():
        try:
            entry = json.loads(line)
            if entry["lineage"] == lineage:
                yield Result(
                    int(entry["batch"]),
                    int(entry["attempt"]),
                    outcome_of(entry),
                    datetime.fromisoformat(entry["at"]),
                )
        except (ValueError, KeyError, TypeError):
            continue


def forget(ledger: Path) -> None:
    journal_of(ledger).unlink(missing_ok=True)


def as_object(result: Result) -> dict[str, object]:
    outcome = result.outcome
    made: dict[str, object] = {
        "batch": result.batch,
        "attempt": result.attempt,
        "at": result.at.isoformat(),
        "kind": type(outcome).__name__,
        "status": outcome.status,
    }
    if isinstance(outcome, Accepted):
        made["provider_id"] = outcome.provider_id
        made["refused"] = {str(position): reason for position, reason in outcome.refused.items()}
        made["unheard"] = sorted(outcome.unheard)
    else:
        made["reason"] = outcome.reason
    return made


def outcome_of(entry: dict[str, object]) -> Outcome:
    """Raises KeyError, TypeError or ValueError for what is none."""
    status = entry["status"]
    number = int(str(status)) if status is not None else None
    match entry["kind"]:
        case "Accepted":
            refused, unheard = entry.get("refused") or {}, entry.get("unheard") or []
            assert isinstance(refused, dict)
            assert isinstance(unheard, list)
            return Accepted(
                str(entry["provider_id"]),
                number or 0,
                refused={int(position): str(reason) for position, reason in refused.items()},
                unheard=frozenset(map(int, unheard)),
            )
        case "Rejected":
            return Rejected(str(entry["reason"]), number)
        case "Refused":
            return Refused(str(entry["reason"]), number)
        case "Unknown":
            return Unknown(str(entry["reason"]), number)
    raise ValueError(f"there is no outcome {entry['kind']!r}")
