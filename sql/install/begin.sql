-- The first step of install: one at a time, and what is set here for the transaction is put back by end.sql.

DO $$
BEGIN
  PERFORM pg_catalog.pg_advisory_xact_lock(x'7468616E6F7067'::bigint),  -- "thanopg"
          pg_catalog.set_config('thanopg.outer_search_path', pg_catalog.current_setting('search_path'), true),
          pg_catalog.set_config('thanopg.outer_messages', pg_catalog.current_setting('client_min_messages'), true),
          pg_catalog.set_config('client_min_messages', 'warning', true);
END $$;
