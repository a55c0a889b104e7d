"""SQL of the ledger's tables, by the version that added them, and of the upgrade from earlier versions. Opens no connection.

Tables are append-only: triggers refuse UPDATE and DELETE. The number of rows is the ledger's serial, which grows with every
commit. Recipients are keyed hashes, packed by batch. No addresses and no texts are stored.
"""

from __future__ import annotations

from notifyctl.ledger.facts import ADDED, FACTS, FACTS_VERSION, NUMBERED_BY_ANOTHER

APPLICATION_ID = 0x6E746679
"""`PRAGMA application_id`, "ntfy" in ASCII: identifies a SQLite file as a ledger."""
SCHEMA_VERSION = FACTS_VERSION
"""`PRAGMA user_version`. A higher version is refused; a lower one can be read, and the next writer upgrades it."""
MOVED = 1_000
"""Added to the version of a file that was copied into another database, so that no notifyctl of any version uses it any more."""
STRICT_SINCE = (3, 37)
"""The first SQLite with STRICT tables. Older ones get the same tables without it."""

TABLES = """
-- Who this ledger is. One row, written when the ledger is made.
CREATE TABLE meta (
    one           INTEGER PRIMARY KEY CHECK (one = 1),
    lineage       TEXT    NOT NULL,  -- names this ledger in plans: a plan made against another one is refused
    created_at    TEXT    NOT NULL,  -- every time here is ISO 8601 in UTC
    normaliser    INTEGER NOT NULL,  -- the way of writing addresses that the ids were made from
    recipient_key BLOB,              -- key of the recipient ids; NULL when it is kept outside
    key_check     BLOB    NOT NULL   -- tells whether a key from outside is the one the ids were made with
) STRICT;

-- One row for each writer. The highest epoch is the only one that may write: a runner that was thought dead and comes
-- back finds a higher one and stops.
CREATE TABLE run (
    epoch      INTEGER PRIMARY KEY,
    started_at TEXT NOT NULL,
    holder     TEXT NOT NULL,
    tool       TEXT NOT NULL
) STRICT;

-- How a run ended. A run without a row here broke off, or is still going on.
CREATE TABLE run_end (
    epoch    INTEGER PRIMARY KEY REFERENCES run,
    ended_at TEXT NOT NULL,
    how      TEXT NOT NULL  -- 'finished', 'interrupted', or the name of the error
) STRICT;

-- The part of a delivery unit that a whole audience shares, so that batches need not repeat it.
CREATE TABLE scope (
    id           INTEGER PRIMARY KEY,
    notification TEXT    NOT NULL,
    edition      INTEGER NOT NULL,
    occurrence   TEXT    NOT NULL,
    channel      TEXT    NOT NULL,
    UNIQUE (notification, edition, occurrence, channel)
) STRICT;

-- The audience for which a scope was opened, once: `held` in parts, and the members of the batches of the same epoch.
-- It tells the rest of an interrupted apply from people who joined later.
CREATE TABLE opening (
    scope INTEGER NOT NULL REFERENCES scope,
    part  INTEGER NOT NULL,
    epoch INTEGER NOT NULL REFERENCES run,
    at    TEXT    NOT NULL,
    held  BLOB    NOT NULL,  -- recipient ids, 16 bytes each
    PRIMARY KEY (scope, part)
) STRICT;

-- The intent: these people, this request. Recorded before anything is begun.
CREATE TABLE batch (
    number  INTEGER PRIMARY KEY,
    scope   INTEGER NOT NULL REFERENCES scope,
    epoch   INTEGER NOT NULL REFERENCES run,
    at      TEXT    NOT NULL,
    members BLOB    NOT NULL  -- 28 bytes each: recipient id (16), then the start of the delivery hash (12)
) STRICT;
CREATE INDEX batch_by_scope ON batch (scope, number);

-- The point of no return, durable before the first byte of a request is written.
CREATE TABLE attempt (
    batch   INTEGER NOT NULL REFERENCES batch,
    attempt INTEGER NOT NULL CHECK (attempt > 0),
    epoch   INTEGER NOT NULL REFERENCES run,
    at      TEXT    NOT NULL,
    seal    BLOB    NOT NULL,  -- authenticates the correlation ids of the request, for receipts
    PRIMARY KEY (batch, attempt)
) STRICT;

-- How an attempt ended. What is learned later is a further row and the last word counts, but accepted is never taken back.
CREATE TABLE outcome (
    id          INTEGER PRIMARY KEY,
    batch       INTEGER NOT NULL,
    attempt     INTEGER NOT NULL,
    kind        TEXT    NOT NULL CHECK (kind IN ('accepted', 'rejected', 'unknown')),
    status      INTEGER,  -- of HTTP; NULL when there was no answer
    provider_id TEXT,
    reason      TEXT,
    epoch       INTEGER NOT NULL REFERENCES run,
    at          TEXT    NOT NULL,
    FOREIGN KEY (batch, attempt) REFERENCES attempt
) STRICT;
CREATE INDEX outcome_by_batch ON outcome (batch, attempt);
CREATE UNIQUE INDEX accepted_once ON outcome (batch) WHERE kind = 'accepted';

-- The last word on each batch: the acceptance if there is one, else what is known of the last attempt.
CREATE VIEW batch_state AS
SELECT batch.number,
       batch.scope,
       length(batch.members) / 28 AS recipients,
       CASE WHEN begun.attempt IS NULL THEN 'planned' ELSE coalesce(said.kind, 'armed') END AS state,
       coalesce(begun.attempt, 0) AS attempt,
       coalesce(said.at, begun.at, batch.at) AS at,
       said.reason
FROM batch
LEFT JOIN attempt AS begun
       ON begun.batch = batch.number
      AND begun.attempt = (SELECT max(attempt) FROM attempt WHERE attempt.batch = batch.number)
LEFT JOIN outcome AS said
       ON said.id = (SELECT id FROM outcome
                     WHERE outcome.batch = batch.number
                       AND (outcome.attempt = begun.attempt OR outcome.kind = 'accepted')
                     ORDER BY outcome.kind = 'accepted' DESC, id DESC LIMIT 1);

"""

SINCE_2 = """
-- Where a run came from: the commit of its files, where they are in git.
CREATE TABLE origin (
    epoch    INTEGER PRIMARY KEY REFERENCES run,
    revision TEXT NOT NULL
) STRICT;

-- What was learnt of single members of a batch: by a partly accepted answer, a receipt, or a person.
CREATE TABLE word (
    id       INTEGER PRIMARY KEY,
    batch    INTEGER NOT NULL REFERENCES batch,
    position INTEGER,  -- of the member; NULL: all whose outcome is unknown
    kind     TEXT    NOT NULL CHECK (kind IN ('accepted', 'rejected', 'unknown')),
    source   TEXT    NOT NULL CHECK (source IN ('answer', 'receipt', 'resolve')),
    reason   TEXT,
    who      TEXT,
    at       TEXT    NOT NULL
) STRICT;
CREATE INDEX word_by_batch ON word (batch, id);

-- Receipts as they came, each once. They are written beside a run, by another process, and can only settle: nothing here
-- makes anybody eligible again.
CREATE TABLE receipt (
    id          INTEGER PRIMARY KEY,
    digest      BLOB    NOT NULL UNIQUE,
    at          TEXT    NOT NULL,
    batch       INTEGER REFERENCES batch,  -- NULL: nobody of this ledger is meant
    position    INTEGER,
    status      TEXT    NOT NULL,
    code        TEXT,
    provider_id TEXT,
    said_at     TEXT
) STRICT;
CREATE INDEX receipt_by_batch ON receipt (batch, position);

-- What people declared and an apply carried out.
CREATE TABLE statement (
    id           INTEGER PRIMARY KEY,
    kind         TEXT    NOT NULL CHECK (kind IN ('moved', 'baseline', 'withdraw', 'acknowledge')),
    notification TEXT    NOT NULL,
    edition      INTEGER,
    detail       TEXT    NOT NULL,
    who          TEXT,
    epoch        INTEGER NOT NULL REFERENCES run,
    at           TEXT    NOT NULL
) STRICT;

-- People who count as served without a request.
CREATE TABLE served (
    statement INTEGER NOT NULL REFERENCES statement,
    part      INTEGER NOT NULL,
    scope     INTEGER NOT NULL REFERENCES scope,
    members   BLOB    NOT NULL,  -- 28 bytes each, as in batch
    PRIMARY KEY (statement, scope, part)
) STRICT;
CREATE INDEX served_by_scope ON served (scope);

-- Saved plans that were carried out: each once.
CREATE TABLE plan_use (
    plan  TEXT    PRIMARY KEY,
    epoch INTEGER NOT NULL REFERENCES run,
    at    TEXT    NOT NULL
) STRICT;
CREATE INDEX outcome_by_provider ON outcome (provider_id) WHERE provider_id IS NOT NULL;
"""

SINCE_3 = """
-- The provider's account that was sent with, each time it became another one. The last row counts.
CREATE TABLE account (
    id    INTEGER PRIMARY KEY,
    hash  BLOB    NOT NULL,  -- keyed, of the service id
    epoch INTEGER NOT NULL REFERENCES run,
    at    TEXT    NOT NULL
) STRICT;
"""

SINCE_4 = """
-- How alike texts are: a fingerprint of each text of an opened edition, from which no word can be read.
CREATE TABLE likeness (
    id          INTEGER PRIMARY KEY,
    scope       INTEGER NOT NULL REFERENCES scope,
    fingerprint BLOB    NOT NULL  -- 8 bytes
) STRICT;
"""

SINCE_5 = """
-- Since which run the ids are made by which rules of identity. Earlier runs made them by those in `meta`.
CREATE TABLE identity_rules (
    version INTEGER PRIMARY KEY,
    epoch   INTEGER NOT NULL REFERENCES run,
    at      TEXT    NOT NULL
) STRICT;
"""

SINCE_6 = """
-- Who was behind a run: the actor of the CI, the author that git knows, or the user of the system.
CREATE TABLE actor (
    epoch INTEGER PRIMARY KEY REFERENCES run,
    name  TEXT NOT NULL
) STRICT;
"""

SINCE_7 = """
-- Test messages: a recipient's values, sent to an address for tests. They are no batches, so that nothing here ever counts as sent
-- to anybody. A row is durable before the first byte of the request is written.
CREATE TABLE test (
    number       INTEGER PRIMARY KEY,
    notification TEXT    NOT NULL,
    edition      INTEGER NOT NULL,
    channel      TEXT    NOT NULL,
    locale       TEXT,
    values_of    BLOB    NOT NULL,  -- recipient id
    sent_to      BLOB    NOT NULL,  -- likewise
    fingerprint  BLOB    NOT NULL,  -- start of the delivery hash
    epoch        INTEGER NOT NULL REFERENCES run,
    at           TEXT    NOT NULL
) STRICT;

-- How a test ended. A test without a row here may or may not have been accepted.
CREATE TABLE test_result (
    test        INTEGER PRIMARY KEY REFERENCES test,
    kind        TEXT    NOT NULL CHECK (kind IN ('accepted', 'rejected', 'unknown')),
    status      INTEGER,
    provider_id TEXT,
    reason      TEXT,
    at          TEXT    NOT NULL
) STRICT;
"""

SINCE_8 = """
-- Who let a recurring notification be sent without being asked each time. The last row of a fingerprint counts.
CREATE TABLE acceptance (
    id             INTEGER PRIMARY KEY,
    fingerprint    TEXT    NOT NULL,  -- of the series: rule, texts, sender, audience's definition, limits
    notification   TEXT    NOT NULL,
    edition        INTEGER NOT NULL,
    channel        TEXT    NOT NULL,
    until          TEXT    NOT NULL,
    max_recipients INTEGER NOT NULL CHECK (max_recipients >= 0),  -- of one occurrence
    who            TEXT    NOT NULL,
    proof          TEXT    NOT NULL CHECK (proof IN ('oidc', 'signature', 'claimed')),
    detail         TEXT    NOT NULL,  -- issuer and subject, or the fingerprint of the key
    evidence       TEXT    NOT NULL,  -- what an auditor can check again; no token and no secret
    rule_by        TEXT    NOT NULL CHECK (rule_by IN ('anyone', 'another')),
    rule_above     INTEGER NOT NULL,
    rule_proven    INTEGER NOT NULL CHECK (rule_proven IN (0, 1)),
    revision       TEXT,              -- commit of the files, where they are in git
    revoked        INTEGER NOT NULL CHECK (revoked IN (0, 1)),  -- 1: this row takes the acceptance back
    epoch          INTEGER NOT NULL REFERENCES run,
    at             TEXT    NOT NULL
) STRICT;

-- What `run` reported, each once.
CREATE TABLE notice (
    id    INTEGER PRIMARY KEY,
    key   TEXT    NOT NULL UNIQUE,
    epoch INTEGER NOT NULL REFERENCES run,
    at    TEXT    NOT NULL
) STRICT;
"""

STEPS = {
    2: (SINCE_2, ADDED[2]),
    3: (SINCE_3, ADDED[3]),
    4: (SINCE_4, ADDED[4]),
    5: (SINCE_5, ADDED[5]),
    6: (SINCE_6, ADDED[6]),
    7: (SINCE_7, ADDED[7]),
    8: (SINCE_8, ADDED[8]),
}
"""By version: the script that it added to the version before, and the tables in it."""


def serial_view(tables: tuple[str, ...]) -> str:
    """Returns the view that counts the rows of all tables."""
    counts = " + ".join(f"(SELECT count(*) FROM {table})" for table in tables)  # noqa: S608 - our own table names
    return f"CREATE VIEW serial AS SELECT {counts} AS facts;"


def serial_query(tables: tuple[str, ...]) -> str:
    """Returns the query for the number of rows of all tables. It reads no table whole: a run asks after each ARM."""
    counts = (
        f"(SELECT count(*) FROM {table})"  # noqa: S608 - our own table names
        if table in NUMBERED_BY_ANOTHER
        else f"(SELECT coalesce(max(rowid), 0) FROM {table})"  # noqa: S608
        for table in tables
    )
    return f"SELECT {' + '.join(counts)}"


def schema(sqlite_version: tuple[int, ...]) -> str:
    """Returns the script that creates an empty ledger, without its `meta` row."""
    scripts = "".join([TABLES, *(script for script, _ in STEPS.values())])
    tables = adapt_strictness(scripts, sqlite_version)
    pragmas = f"PRAGMA application_id = {APPLICATION_ID};\nPRAGMA user_version = {SCHEMA_VERSION};"
    return f"{tables}\n{serial_view(FACTS)}\n{guards(FACTS)}\n{pragmas}\n"


def upgrade(sqlite_version: tuple[int, ...], version: int) -> list[str]:
    """Returns the statements that upgrade a ledger from an earlier version, for one transaction. They change no rows."""
    statements = ["DROP VIEW serial"]
    for since, (script, tables) in STEPS.items():
        if since > version:
            parts = adapt_strictness(script, sqlite_version).split(";\n")
            statements += [part for part in parts if part.strip()]
            statements += guards(tables).split("\n")
    return [*statements, serial_view(FACTS), f"PRAGMA user_version = {SCHEMA_VERSION}"]


def adapt_strictness(tables: str, sqlite_version: tuple[int, ...]) -> str:
    return tables if sqlite_version >= STRICT_SINCE else tables.replace(") STRICT;", ");")


def guards(tables: tuple[str, ...]) -> str:
    return "\n".join(guard(table, verb) for table in tables for verb in ("UPDATE", "DELETE"))


def guard(table: str, verb: str) -> str:
    return (
        f"CREATE TRIGGER {table}_{verb.lower()} BEFORE {verb} ON {table}"
        " BEGIN SELECT RAISE(ABORT, 'facts are never changed'); END;"
    )
