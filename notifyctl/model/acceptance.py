"""The acceptance of a series: who let a recurring notification be sent, until when, and to how many at most."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from notifyctl.model.accept_rule import AcceptBy, AcceptRule
from notifyctl.model.project import ChannelName

__all__ = ["AcceptBy", "AcceptRule", "Acceptance", "Identity", "Proof"]


class Proof(StrEnum):
    """What shows that somebody is who they say they are."""

    OIDC = "oidc"  # a token that the CI's forge signed
    SIGNATURE = "signature"  # by a key that the project lists
    CLAIMED = "claimed"  # nothing: anyone can set such a name


class Identity(Struct, frozen=True):
    """`detail`: issuer and subject, or the fingerprint of the key; empty for a claimed name. `evidence`: what an auditor can check again,
    such as the signature or the token's claims; never a token or another secret.
    """

    name: str
    proof: Proof
    detail: str = ""
    evidence: str = ""


class Acceptance(Struct, frozen=True):
    """The last one of a fingerprint counts. `max_recipients` is the limit of one occurrence, of all its recipients together. `rule` is
    the one under which it was given, `revision` the commit of the files. `revoked`: this one takes the acceptance back.
    """

    fingerprint: str
    notification: str
    edition: int
    channel: ChannelName
    until: datetime
    max_recipients: int
    who: Identity
    rule: AcceptRule
    revision: str | None
    at: datetime
    revoked: bool = False
