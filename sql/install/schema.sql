-- The schema. From here on names mean the same whatever this session's search_path was: ours, and those of pgvector.

DO $$
BEGIN
  IF to_regnamespace('thanopg') IS NULL THEN  -- IF NOT EXISTS would want the right to create one all the same
    CREATE SCHEMA thanopg;
  END IF;
  PERFORM set_config('search_path', format('thanopg, %I, pg_temp', n.nspname), true)
  FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'vector';
  IF to_regclass('thanopg.alembic_version') IS NOT NULL THEN
    -- it once had the name that every Alembic looks for, and thanopg is on the search_path
    ALTER TABLE thanopg.alembic_version RENAME TO thanopg_version;
    ALTER TABLE thanopg.thanopg_version RENAME CONSTRAINT alembic_version_pkc TO thanopg_version_pkc;
  END IF;
END $$;
