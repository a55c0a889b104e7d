"""A send group of made-up people, for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

import pytest

from notifyctl.model.batch import SendGroup, UnitColumns
from notifyctl.model.message import Envelope, Message
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import FINGERPRINT_BYTES, ID_BYTES, Scope

Own = tuple[str | None, ...]
Consign = Callable[..., SendGroup]


def consigned(
    own: Sequence[Own],
    *,
    correlations: Sequence[str | None] | None = None,
    notification: str = "outage",
    envelope: Envelope | None = None,
) -> SendGroup:
    """One SMS recipient for each tuple of own values of the variables `area` and `name`."""
    numbers = range(len(own))
    return SendGroup(
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
