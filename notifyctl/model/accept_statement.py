"""What somebody who accepts a series agrees to, as one text: it is signed, and named by the audience of an ID token."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

from msgspec import Struct

from notifyctl.model.project import ChannelName


class AcceptStatement(Struct, frozen=True):
    """`ledger`: its ID. `earlier`: how often this fingerprint was accepted or revoked before, so that no proof counts twice."""

    fingerprint: str
    notification: str
    edition: int
    channel: ChannelName
    environment: str
    ledger: str
    until: datetime
    max_recipients: int
    earlier: int = 0

    @property
    def text(self) -> str:
        """The same on every machine. No value contains a line end."""
        return "".join(
            f"{line}\n"
            for line in (
                "notifyctl accept 1",
                f"fingerprint: {self.fingerprint}",
                f"notification: {self.notification}",
                f"edition: {self.edition}",
                f"channel: {self.channel}",
                f"environment: {self.environment}",
                f"ledger: {self.ledger}",
                f"until: {self.until.astimezone(UTC).isoformat(timespec='seconds')}",
                f"max-recipients: {self.max_recipients}",
                f"earlier: {self.earlier}",
            )
        )

    @property
    def digest(self) -> str:
        return f"sha256:{sha256(self.text.encode()).hexdigest()}"
