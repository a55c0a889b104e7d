-- The script of a ledger of version 1, as the first release made it. Never changed.

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
    how      TEXT NOT NULL  -- 'finished', or the name of the error
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

-- The number of facts. It grows with every commit and never shrinks, so it tells two moments of a ledger apart.
CREATE VIEW serial AS
SELECT (SELECT count(*) FROM meta) + (SELECT count(*) FROM run) + (SELECT count(*) FROM run_end)
     + (SELECT count(*) FROM scope) + (SELECT count(*) FROM opening) + (SELECT count(*) FROM batch)
     + (SELECT count(*) FROM attempt) + (SELECT count(*) FROM outcome) AS facts;

CREATE TRIGGER meta_update BEFORE UPDATE ON meta BEGIN SELECT RAISE(ABORT, 'facts are never changed'); END;
CREATE TRIGGER meta_delete BEFORE DELETE ON meta BEGIN SELECT RAISE(ABORT, 'facts are never changed'); END;
CREATE TRIGGER run_update BEFORE UPDATE ON run BEGIN SELECT RAISE(ABORT, 'facts are never changed'); END;
CREATE TRIGGER run_delete BEFORE DELETE ON run BEGIN SELECT RAISE(ABORT, 'facts are never changed'); END;
CREATE TRIGGER run_end_update BEFORE UPDATE ON run_end BEGIN SELECT RAISE(ABORT, 'facts are never changed'); END;
CREATE TRIGGER run_end_delete BEFORE DELETE ON run_end BEGIN SELECT RAISE(ABORT, 'facts are never changed'); END;
CREATE TRIGGER scope_update BEFORE UPDATE ON scope BEGIN SELECT RAISE(ABORT, 'facts are never changed'); END;
CREATE TRIGGER scope_delete BEFORE DELETE ON scope BEGIN SELECT RAISE(ABORT, 'facts are never changed'); END;
CREATE TRIGGER opening_update BEFORE UPDATE ON opening BEGIN SELECT RAISE(ABORT, 'facts are never changed'); END;
CREATE TRIGGER opening_delete BEFORE DELETE ON opening BEGIN SELECT RAISE(ABORT, 'facts are never changed'); END;
CREATE TRIGGER batch_update BEFORE UPDATE ON batch BEGIN SELECT RAISE(ABORT, 'facts are never changed'); END;
CREATE TRIGGER batch_delete BEFORE DELETE ON batch BEGIN SELECT RAISE(ABORT, 'facts are never changed'); END;
CREATE TRIGGER attempt_update BEFORE UPDATE ON attempt BEGIN SELECT RAISE(ABORT, 'facts are never changed'); END;
CREATE TRIGGER attempt_delete BEFORE DELETE ON attempt BEGIN SELECT RAISE(ABORT, 'facts are never changed'); END;
CREATE TRIGGER outcome_update BEFORE UPDATE ON outcome BEGIN SELECT RAISE(ABORT, 'facts are never changed'); END;
CREATE TRIGGER outcome_delete BEFORE DELETE ON outcome BEGIN SELECT RAISE(ABORT, 'facts are never changed'); END;
PRAGMA application_id = 1853122169;
PRAGMA user_version = 1;
