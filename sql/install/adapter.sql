-- How SQL reaches the embedding service on this server: the best that this role may use now. The answer is in the settings
-- thanopg.adapter (native, dblink or none) and thanopg.wrapper.
--
-- dblink takes the address from a SERVER on any wrapper. Managed servers that let nobody use dblink_fdw let people use
-- postgres_fdw: Supabase makes it its main role's, Neon grants it.

DO $$
DECLARE
  adapter text := 'none';
  wrapper name;
  schema name;
BEGIN
  IF has_function_privilege(to_regprocedure('thanopg.native_call(text, text)'), 'EXECUTE') AND EXISTS (
    SELECT FROM pg_foreign_data_wrapper
    WHERE fdwname = 'thanopg_service_fdw' AND has_foreign_data_wrapper_privilege(oid, 'USAGE'))
  THEN
    adapter := 'native';
    wrapper := 'thanopg_service_fdw';
  ELSE
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'dblink') THEN
      BEGIN
        CREATE SCHEMA IF NOT EXISTS dblink;  -- nobody else's: see administrator.sql
        CREATE EXTENSION dblink SCHEMA dblink;
      EXCEPTION WHEN insufficient_privilege OR feature_not_supported OR undefined_file THEN
        NULL;  -- no right to, or not on this server
      END;
    END IF;
    SELECT n.nspname INTO schema
    FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'dblink' AND has_schema_privilege(n.oid, 'USAGE');
    IF schema IS NOT NULL THEN
      FOR attempt IN 1..2 LOOP
        SELECT fdwname INTO wrapper FROM pg_foreign_data_wrapper
        WHERE fdwname IN ('dblink_fdw', 'postgres_fdw') AND has_foreign_data_wrapper_privilege(oid, 'USAGE')
        ORDER BY fdwname LIMIT 1;
        EXIT WHEN wrapper IS NOT NULL;
        BEGIN
          EXECUTE format('CREATE EXTENSION IF NOT EXISTS postgres_fdw SCHEMA %I', schema);
        EXCEPTION WHEN insufficient_privilege OR feature_not_supported OR undefined_file THEN
          EXIT;
        END;
      END LOOP;
      IF wrapper IS NOT NULL THEN
        adapter := 'dblink';
      END IF;
    END IF;
  END IF;
  IF adapter = 'none' THEN
    RAISE WARNING 'neither the native function nor dblink can be used here: embed_text and search_image will not work';
  END IF;
  PERFORM set_config('thanopg.adapter', adapter, true), set_config('thanopg.wrapper', coalesce(wrapper, ''), true);
END $$;
