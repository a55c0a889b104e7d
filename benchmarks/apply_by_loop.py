"""The loop that people write instead: a thousand destinations in a request, `json.dumps`, one kept httpx client.

    python apply_by_loop.py PORT PEOPLE.csv

No ledger, no duplicates looked for, no plan: whoever is in the file gets it, twice if the loop is begun twice.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import httpx

PER_REQUEST = 1000
TEXT = "Hi $(name), there is an outage in your area $(area) for the next $(value)."

Person = tuple[str, str, str, str]
"""Address, name, area and value."""


def loop(people: Iterable[Person], port: int) -> int:
    """Posts to everybody; returns how many requests there were."""
    people, sent = iter(people), 0
    headers = {"key": "benchmark", "Content-Type": "application/json"}
    with httpx.Client(headers=headers, trust_env=False) as client:
        while chunk := list(islice(people, PER_REQUEST)):
            body = {
                "channel": "sms",
                "from": "CNNECT",
                "to": [
                    {
                        "msisdn": [phone],
                        "correlationId": f"{sent}-{at}",
                        "substitutions": {"name": name, "area": area, "value": value},
                    }
                    for at, (phone, name, area, value) in enumerate(chunk)
                ],
                "content": {"type": "text", "text": TEXT},
            }
            response = client.post(f"http://127.0.0.1:{port}/v2/messages", content=json.dumps(body))
            response.raise_for_status()
            sent += 1
    return sent


def read(path: str) -> Iterator[Person]:
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        for phone, name, area, value, *_ in rows:
            if phone.startswith("+"):
                yield phone, name, area, value


if __name__ == "__main__":
    loop(read(sys.argv[2]), int(sys.argv[1]))
