"""The tables of facts, which every database keeps under the same names, and the version that added each.

A ledger of an earlier version lacks the later tables; they read as empty.
"""

from __future__ import annotations

FIRST_VERSION = 1
FACTS_VERSION = 8
"""The version of the tables of facts that this notifyctl writes."""
EVENTS_SINCE = 2
"""The first version with receipts, verdicts, statements and used plans."""
ACCOUNT_SINCE = 3
"""The first version that knows the provider's account."""
LIKENESS_SINCE = 4
"""The first version that keeps how alike texts are."""
IDENTITY_RULES_SINCE = 5
"""The first version that keeps since when which rules of identity hold."""
ACTOR_SINCE = 6
"""The first version that keeps who was behind a run."""
TESTS_SINCE = 7
"""The first version that keeps test messages."""
ACCEPTANCES_SINCE = 8
"""The first version that keeps acceptances of series, and what was reported."""
LAST_RUN = "SELECT epoch, holder FROM run ORDER BY epoch DESC LIMIT 1"
"""Of all runs only this one may write."""
NORMALISER_VERSION = 2
"""The rules of identity, stored in each ledger. Raise it if `audience.addresses` normalises addresses differently, and keep the
rules of before in `audience.former_addresses`: recipients get other ids and would otherwise be sent everything again."""

FACTS_1 = ("meta", "run", "run_end", "scope", "opening", "batch", "attempt", "outcome")
FACTS_2 = ("origin", "word", "receipt", "statement", "served", "plan_use")
FACTS_3 = ("account",)
FACTS_4 = ("likeness",)
FACTS_5 = ("identity_rules",)
FACTS_6 = ("actor",)
FACTS_7 = ("test", "test_result")
FACTS_8 = ("acceptance", "notice")
FACTS = (*FACTS_1, *FACTS_2, *FACTS_3, *FACTS_4, *FACTS_5, *FACTS_6, *FACTS_7, *FACTS_8)
"""All tables; each is append-only."""
ADDED = {1: FACTS_1, 2: FACTS_2, 3: FACTS_3, 4: FACTS_4, 5: FACTS_5, 6: FACTS_6, 7: FACTS_7, 8: FACTS_8}
"""By version: the tables that it added."""
NUMBERED_BY_ANOTHER = frozenset({"run_end", "origin", "identity_rules", "actor", "test_result"})
"""Tables whose rows have the number of their run, of a test or of a version, so that numbers are left out; in the others rows are numbered
without gaps."""


def fact_tables(version: int) -> tuple[str, ...]:
    """The tables of a ledger of this version."""
    return tuple(table for since, tables in ADDED.items() if since <= version for table in tables)
