"""A consignment of made-up people, for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

import pytest

from notifyctl.delivery import FINGERPRINT_BYTES, ID_BYTES, Consignment, Envelope, Message, Scope, UnitColumns
from notifyctl.model import ChannelName

Own = tuple[str | None, ...]
Consign = Callable[..., Consignment]


def consigned(
    own: Sequence[Own],
    *,
    correlations: Sequence[str | None] | None = None,
    notification: str = "outage",
    envelope: Envelope | None = None,
) -> Consignment:
    """One SMS recipient for each tuple of own values of the variables `area` and `name`."""
    numbers = range(len(own))
    return Consignment(
        scope=Scope(notification, 1, "once", ChannelName.SMS),
        message=Message(
            channel=ChannelName.SMS,
            sender="CNNECT",
            content={"type": "text", "text": "Hi $(name), no power in $(area)"},
            names=("area", "name"),
        ),
        envelope=envelope or Envelope(),
        units=UnitColumns(
            members=b"".join(
                number.to_bytes(ID_BYTES) + sha256(repr(values).encode()).digest()[:FINGERPRINT_BYTES]
                for number, values in enumerate(own)
            ),
            destinations=[f"+3363998{number:04d}" for number in numbers],
            own=list(zip(*own, strict=True)),
            correlations=list(correlations or [None] * len(own)),
        ),
    )


@pytest.fixture(scope="session")
def consign() -> Consign:
    return consigned
