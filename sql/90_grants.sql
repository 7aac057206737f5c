-- Who may do what. The schema is closed to PUBLIC as it is; the functions that run with their owner's rights are closed
-- once more, so that USAGE on the schema alone opens nothing.
--
-- thanopg_reader searches: search functions run with the caller's rights, so it finds in a table what it may read there.
-- thanopg_worker embeds: its rights on users' tables come with each embedding column (admit_worker).

REVOKE ALL ON FUNCTION thanopg.enqueue() FROM PUBLIC;
REVOKE ALL ON FUNCTION thanopg.service_call(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION thanopg.ask_service(text, text, text), thanopg.ask_service(bytea, text, text) FROM PUBLIC;

DO $$
BEGIN
  IF to_regrole('thanopg_reader') IS NOT NULL THEN
    GRANT USAGE ON SCHEMA thanopg TO thanopg_reader;
    GRANT SELECT ON thanopg.model, thanopg.embedding_column, thanopg.embedding_status, thanopg.failure TO thanopg_reader;
    GRANT EXECUTE ON FUNCTION thanopg.ask_service(text, text, text), thanopg.ask_service(bytea, text, text) TO thanopg_reader;
  END IF;
  IF to_regrole('thanopg_worker') IS NOT NULL THEN
    GRANT USAGE ON SCHEMA thanopg TO thanopg_worker;
    GRANT SELECT ON thanopg.model, thanopg.embedding_column, thanopg.pending_count TO thanopg_worker;
    GRANT SELECT, INSERT, UPDATE, DELETE ON thanopg.pending, thanopg.provenance TO thanopg_worker;
    GRANT SELECT, INSERT, UPDATE ON thanopg.worker_rate TO thanopg_worker;
    GRANT SELECT, UPDATE, DELETE ON thanopg.embedding TO thanopg_worker;  -- names follow a rename, what is gone is forgotten
  END IF;
  PERFORM thanopg.admit_worker(e.id) FROM thanopg.embedding e;
END $$;
