"""A campaign: the batches of one apply that workers send. Plain data."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from msgspec import Struct

from notifyctl.model.ledger import Extent
from notifyctl.model.recipients import Scope


class CampaignOptions(Struct, frozen=True):
    """What the plan was restricted to, as `apply` was asked for it; a worker derives the plan with the same."""

    only: tuple[str, ...] = ()
    fresh_only: bool = False
    """A saved plan was applied again: only who was never attempted."""
    accepted_only: bool = False
    extent: Extent | None = None
    """The records that the plan was derived from. None: all of the runs before, and what receipts recorded until now."""


class Campaign(Struct, frozen=True):
    """What workers have to agree on before they send a batch of it.

    `epoch` is the run that planned it, `project` is project/environment, `revision` the commit of its files, where they are in git.
    The batches have the numbers from `first_batch` on, in the order of the plan derived as of `as_of` from what the ledger had
    recorded before `epoch`. A batch that is planned again, because someone opted out, has a number after them.
    """

    epoch: int
    digest: str
    project: str
    revision: str | None
    as_of: datetime
    options: CampaignOptions
    first_batch: int
    batches: int
    recipients: int
    content_check: bytes
    """`content_check` of all its batches."""
    at: datetime

    @property
    def numbers(self) -> range:
        """The numbers of the batches that were planned with it."""
        return range(self.first_batch, self.first_batch + self.batches)


class PlannedAgain(Struct, frozen=True):
    """What a batch was made of when recipients or destinations opted out. `of`: the batch that has its members too."""

    of: int
    fallback: str | None = None
    """Why the SMS fallback is left out; None if it is not."""


class Progress(Struct, frozen=True):
    """How far a campaign is, in batches and in recipients. `ended`: how it ended; None while it is open.

    Batches that were planned again count as done, and those made of them as further batches.
    """

    batches: int
    done: int
    in_flight: int
    recipients: int
    accepted: int
    rejected: int
    unknown: int
    ended: str | None = None


def content_check(batches: Iterable[tuple[Scope, bytes]]) -> bytes:
    """A hash of scope and packed members of batches, in order: ids and fingerprints of all texts."""
    found = sha256()
    for scope, members in batches:
        head = "\0".join((scope.notification, str(scope.edition), scope.occurrence, scope.channel.value))
        found.update(f"{len(head)}:{len(members)}:{head}".encode())
        found.update(members)
    return found.digest()
