"""The append-only record of what was begun and how it ended: packed by batch, without addresses and without texts.

`ledger.sqlite` holds the database and is imported where a ledger is opened; what stands here needs none.
"""

from notifyctl.hashing import recipient_hasher
from notifyctl.ledger.identity import FixedIdentity
from notifyctl.ledger.status import scope_statuses

__all__ = ["FixedIdentity", "recipient_hasher", "scope_statuses"]
