-- Roles with least privilege for a ledger in PostgreSQL.
--
--   psql --set ON_ERROR_STOP=1 --file roles.sql "$LEDGER_OWNER_URL"
--
-- Run it as the user that ran `notifyctl ledger init`, in the ledger's database, after `ledger init` and after each `ledger upgrade`. That
-- user must have CREATEROLE the first time, or create the three roles beforehand. Running it again changes nothing.
--
--   notifyctl_planner    plan, show, explain, status, history, doctor, ledger show|verify|export: reads, and can write nothing.
--   notifyctl_worker     apply, run, worker, resolve, halt, resume, accept, receipts ingest: adds records. It can neither change nor
--                        delete one, nor change the schema.
--   notifyctl_receipts   receipts serve: adds to the inbox of receipts and reads nothing but the ledger's identity.
--
-- Each is a role without a login. Give your users theirs:
--
--   CREATE ROLE ci LOGIN PASSWORD '…' IN ROLE notifyctl_planner;

DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['notifyctl_planner', 'notifyctl_worker', 'notifyctl_receipts'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role);
        END IF;
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role);
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), role);
    END LOOP;
END
$$;

DO $$
DECLARE
    item text;
    -- What a worker changes or removes: who has which claim, the pace, the inbox of receipts, and the queue. None of it is a record.
    changing CONSTANT text := '^(claim|pace|receipt_inbox|procrastinate_.*)$';
    -- What only the owner writes.
    fixed CONSTANT text := '^(meta|migration)$';
BEGIN
    FOR item IN
        SELECT relname FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v') AND NOT relispartition
    LOOP
        EXECUTE format('REVOKE ALL ON %I FROM PUBLIC, notifyctl_planner, notifyctl_worker, notifyctl_receipts', item);
        EXECUTE format('GRANT SELECT ON %I TO notifyctl_planner, notifyctl_worker', item);
        IF item ~ changing THEN
            EXECUTE format('GRANT INSERT, UPDATE, DELETE ON %I TO notifyctl_worker', item);
            -- ANALYZE after many jobs were added. Before PostgreSQL 17 only the owner can, and autovacuum does it a minute later.
            IF current_setting('server_version_num')::int >= 170000 THEN
                EXECUTE format('GRANT MAINTAIN ON %I TO notifyctl_worker', item);
            END IF;
        ELSIF item !~ fixed AND item <> 'batch_state' THEN
            EXECUTE format('GRANT INSERT ON %I TO notifyctl_worker', item);
        END IF;
    END LOOP;
    FOR item IN
        SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'S'
    LOOP
        EXECUTE format('GRANT USAGE ON SEQUENCE %I TO notifyctl_worker', item);
    END LOOP;
END
$$;

GRANT SELECT ON meta, migration, identity_rules TO notifyctl_receipts;
GRANT SELECT (id), INSERT ON receipt_inbox TO notifyctl_receipts;
