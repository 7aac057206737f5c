-- pgvector, in whatever schema the administrator chose.

DO $$
DECLARE
  found record;
  value text;
BEGIN
  BEGIN
    CREATE EXTENSION IF NOT EXISTS vector;
  EXCEPTION
    WHEN insufficient_privilege THEN
      RAISE EXCEPTION 'the extension vector is missing and this role may not create it' USING
        ERRCODE = 'insufficient_privilege', HINT = 'as an administrator: CREATE EXTENSION vector';
    WHEN feature_not_supported OR undefined_file THEN
      RAISE EXCEPTION 'this server has no pgvector' USING
        ERRCODE = 'feature_not_supported',
        HINT = 'install pgvector ≥ 0.8.2 on it, or use the embedded server: thanopg up';
  END;
  SELECT e.extversion AS version, n.nspname AS schema INTO STRICT found
  FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'vector';
  IF (regexp_match(found.version, '^(\d+)\.(\d+)\.(\d+)'))::int[] < ARRAY[0, 8, 2] THEN
    RAISE EXCEPTION 'expected pgvector 0.8.2 or newer, not %', found.version USING
      ERRCODE = 'feature_not_supported',
      HINT = 'ALTER EXTENSION vector UPDATE, after installing the new version on the server';
  END IF;
  -- loads the library: only then may a role without superuser write SET hnsw.… into a function
  EXECUTE format('SELECT ''[1]''::%I.vector', found.schema) INTO value;
END $$;
