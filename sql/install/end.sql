-- The last step of install: whose transaction it was, goes on in it.

DO $$
BEGIN
  PERFORM pg_catalog.set_config('search_path', pg_catalog.current_setting('thanopg.outer_search_path'), true),
          pg_catalog.set_config('client_min_messages', pg_catalog.current_setting('thanopg.outer_messages'), true);
END $$;
