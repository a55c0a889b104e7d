"""Posts the simulator's receipts to a `notifyUrl` on this machine, in the provider's exact envelope and casing.

Other hosts are never contacted. On request receipts come late, twice or shuffled, as the provider's sometimes do. Uses
`http.client`, so that our own client is not tested against itself.
"""

from __future__ import annotations

import hmac
import json
import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from notifyctl.ports import Clock

LOOPBACK = {"127.0.0.1", "::1", "localhost"}
TIMEOUT = 10.0
TRIES = 4
"""One try and three repeats, as documented, but without a minute between them."""
RETRIED_STATUSES = {429, 500, 501, 502, 503, 504}
LATE_SECONDS = 2.0
TAKEN = 200
"""The only answer that takes a receipt."""

STATUSES: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "sms": (("submitted", "Submitted", "7501"), ("delivered", "Delivered", "7500")),
    "email": (("submitted", "submitted", "7501"), ("delivered", "delivered", "7500")),
    "rcs": (("submitted", "Submitted", "7501"), ("delivered", "Delivered", "7500"), ("read", "Read", "7502")),
}
"""Receipts by channel: (name in requestedReceipts, deliveryStatus as spelled, code)."""
ALIASES = {"sent": "submitted", "bounce": "bounced"}


class FaultProfile(Struct, frozen=True):
    """What goes wrong with receipts: late by LATE_SECONDS, sent twice, shuffled. `secret` signs them."""

    late: bool = False
    doubled: bool = False
    shuffled: bool = False
    secret: bytes | None = None

    def __repr__(self) -> str:
        return f"FaultProfile(late={self.late}, doubled={self.doubled}, shuffled={self.shuffled})"


class ReceiptSender:
    """Posts receipts in the background, one thread per accepted request. `posted` counts those answered with 200."""

    def __init__(
        self,
        faults: FaultProfile,
        clock: Clock,
        *,
        chance: random.Random | None = None,
        keep: Callable[[Mapping[str, Any]], None] | None = None,
    ) -> None:
        """`keep` stores each receipt that was posted, and whether it was taken."""
        self.faults = faults
        self._keep = keep
        self._clock = clock
        self.posted = 0
        self._chance = chance or random.Random()  # noqa: S311 - the order of receipts
        self._threads: list[threading.Thread] = []

    def send(self, body: Mapping[str, Any], entries: Sequence[Mapping[str, Any]], *, at: datetime) -> None:
        """Sends the receipts of an accepted request if it asks for them at a loopback address."""
        url = body.get("notifyUrl")
        parts = urlsplit(url) if isinstance(url, str) else None
        if parts is None or parts.hostname not in LOOPBACK or parts.scheme != "http":
            return
        receipts = [receipt for entry in entries for receipt in receipts_of(body, entry, at)]
        if self.faults.doubled:
            receipts = [receipt for receipt in receipts for _ in range(2)]
        if self.faults.shuffled:
            self._chance.shuffle(receipts)
        target = (parts.hostname or "", parts.port or 80, parts.path or "/")
        thread = threading.Thread(target=self._deliver, args=(target, receipts), name="receipts", daemon=True)
        self._threads.append(thread)
        thread.start()

    def close(self, *, seconds: float = 5.0) -> None:
        """Waits for receipts under way, for `seconds` at most."""
        until = self._clock.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - self._clock.monotonic()))

    def _deliver(self, target: tuple[str, int, str], receipts: Sequence[Mapping[str, Any]]) -> None:
        if self.faults.late:
            self._clock.sleep(LATE_SECONDS)
        for receipt in receipts:
            taken = self._post(target, json.dumps(receipt, ensure_ascii=False).encode())
            if self._keep is not None:
                self._keep(summary_of(receipt, at=self._clock.now().isoformat(), taken=taken))

    def _post(self, target: tuple[str, int, str], data: bytes) -> bool:
        """Whether it was answered with 200."""
        host, port, path = target
        headers = {"Content-Type": "application/json"}
        if self.faults.secret is not None:
            headers["x-hub-signature"] = hmac.digest(self.faults.secret, data, "sha256").hex()
        for attempt in range(TRIES):
            connection = HTTPConnection(host, port, timeout=TIMEOUT)
            try:
                connection.request("POST", path, data, headers)
                status = connection.getresponse().status
            except (OSError, HTTPException):
                status = 503
            finally:
                connection.close()
            if status not in RETRIED_STATUSES:
                self.posted += status == TAKEN
                return status == TAKEN
            self._clock.sleep(0.1 * (attempt + 1))
        return False


def summary_of(receipt: Mapping[str, Any], *, at: str, taken: bool) -> dict[str, Any]:
    """What the inbox keeps of a receipt."""
    notification = receipt["deliveryInfoNotification"]
    status = str(notification["deliveryInfo"]["deliveryStatus"]).lower()
    return {"transid": notification["transid"], "status": status, "at": at, "taken": taken}


def receipts_of(body: Mapping[str, Any], entry: Mapping[str, Any], at: datetime) -> Iterator[dict[str, Any]]:
    requested = {ALIASES.get(name.lower(), name.lower()) for name in body.get("requestedReceipts") or ()}
    channel = str(body["channel"])
    for name, spelled, code in STATUSES[channel]:
        if requested and name not in requested:
            continue
        delivery_info = {
            "deliveryStatus": spelled,
            "code": code,
            "deliveryChannel": "SMS" if channel == "sms" else channel,
            "additionalInfo": "",
            "destination": entry["to"],
            "destinationType": "email" if channel == "email" else "msisdn",
            "Description": "Message delivered successfully" if name == "delivered" else spelled,
            "timeStamp": at.isoformat(timespec="milliseconds"),
        }
        notification = {
            "deliveryInfo": delivery_info,
            "subtid": "",
            "transid": entry["transid"],
            "callbackData": body.get("callbackData", ""),
            "correlationid": entry.get("correlationId") or "",
        }
        if channel == "sms":
            delivery_info["messageCount"] = "1"
            notification["carrier"] = "sandbox"
        yield {"deliveryInfoNotification": notification}
