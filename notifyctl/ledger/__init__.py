"""The append-only record of what was sent and how it ended: packed by batch, without addresses or texts.

To open a ledger import `ledger.store`; what is exported here needs no database.
"""

from notifyctl.hashing import RecipientHasher
from notifyctl.ledger.identity import FixedIdentity, derived_code
from notifyctl.ledger.status import scope_status, scope_statuses

__all__ = ["FixedIdentity", "RecipientHasher", "derived_code", "scope_status", "scope_statuses"]
