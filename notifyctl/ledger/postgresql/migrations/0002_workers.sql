-- writes since: 1; also: procrastinate
-- Workers that send the batches of an apply. The queue that wakes them is Procrastinate's, in the same transaction.

-- An apply whose batches workers send. It keeps its epoch until a row in campaign_end.
CREATE TABLE campaign (
    epoch         bigint      PRIMARY KEY REFERENCES run,
    digest        text        NOT NULL,  -- of the plan: a worker whose project renders to another one sends nothing of it
    project       text        NOT NULL,  -- project/environment
    revision      text,                  -- commit of the files, where they are in git
    as_of         timestamptz NOT NULL,
    options       jsonb       NOT NULL,
    first_batch   bigint      NOT NULL,
    batches       integer     NOT NULL CHECK (batches > 0),
    recipients    bigint      NOT NULL,
    content_check bytea       NOT NULL,
    at            timestamptz NOT NULL
);

CREATE TABLE campaign_end (
    epoch bigint      PRIMARY KEY REFERENCES campaign,
    at    timestamptz NOT NULL,
    how   text        NOT NULL  -- 'finished', 'taken over', or 'refused: ' and why
);

-- The campaign is done with a batch that was neither accepted nor left with an unknown outcome.
CREATE TABLE batch_end (
    batch  bigint      PRIMARY KEY,
    reason text        NOT NULL,
    epoch  bigint      NOT NULL REFERENCES campaign,
    at     timestamptz NOT NULL
);
CREATE INDEX batch_end_by_epoch ON batch_end (epoch);

-- A batch that was planned again, because recipients or further destinations of another one opted out: its members are among that one's.
CREATE TABLE batch_again (
    batch    bigint PRIMARY KEY,
    of       bigint NOT NULL,
    fallback text,  -- why the SMS in place of an RCS message is left out; NULL: it is not
    epoch    bigint NOT NULL REFERENCES campaign
);
CREATE INDEX batch_again_by_epoch ON batch_again (epoch);

CREATE TABLE worker (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text        NOT NULL,
    started_at timestamptz NOT NULL,
    version    text        NOT NULL,
    revision   text
);

CREATE TABLE worker_end (
    worker bigint      PRIMARY KEY REFERENCES worker,
    at     timestamptz NOT NULL,
    how    text        NOT NULL
);

DO $$
DECLARE
    fact text;
BEGIN
    FOREACH fact IN ARRAY ARRAY['campaign', 'campaign_end', 'batch_end', 'batch_again', 'worker', 'worker_end'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()',
                       fact || '_guard', fact);
        EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
                       fact || '_kept', fact);
    END LOOP;
END
$$;
