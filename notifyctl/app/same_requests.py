"""Whether two versions of a notification would post the same requests: what proves that a change has no effect on recipients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from notifyctl.app.diff_sides import Sides
from notifyctl.app.providers import prepare_only
from notifyctl.apply.run import Job, dry_run
from notifyctl.errors import NotifyctlError
from notifyctl.message import canonical_json

MATCHING = ("callbackData", "correlationId")
"""What only matches receipts with requests."""


def find_equal(before: Sides, after: Sides, names: Mapping[str, str], now: datetime) -> set[str]:
    """The names (after → before) of which both versions would post equal requests to the same people, were they due now.

    Made-up people stand in on both sides for those who are not here. Empty if the requests cannot be made.
    """
    if not names:
        return set()
    try:
        old, new = requests(before, tuple(names.values()), now), requests(after, tuple(names), now)
    except NotifyctlError:
        return set()
    return {
        name for name, former in names.items() if name in new and former in old and new[name] == old[former]
    }


def requests(side: Sides, names: tuple[str, ...], now: datetime) -> dict[str, Counter[bytes]]:
    """For each notification the hash of what each destination is sent, however they are divided into requests."""
    plan = side.plan(names, now, at_once=True)
    if plan is None:
        return {}
    found: dict[str, Counter[bytes]] = {name: Counter() for name in names}
    provider = prepare_only(side.workspace, side.environment)
    # Correlation ids are not compared, so that no key is asked for.
    job = Job(plan.openings, plan.send_groups, side.environment.limits, ledger_name="", seal_secret=b"")
    for batch, request in dry_run(job, next_batch=1, provider=provider):
        body = {key: value for key, value in request.body.items() if key not in {*MATCHING, "to"}}
        head = canonical_json([request.method, request.url, dict(request.headers), body])
        for entry in request.body["to"]:
            found[batch.scope.notification].update(map(sha256_of(head), destinations(entry)))
    return found


def sha256_of(head: bytes) -> Any:
    return lambda entry: sha256(head + canonical_json(entry)).digest()


def destinations(entry: Mapping[str, Any]) -> list[list[Any]]:
    """Each address of an object of `to`, with its values."""
    values = entry.get("substitutions", {})
    return [[key, address, values] for key in ("msisdn", "email") for address in entry.get(key, ())]
