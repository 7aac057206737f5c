-- The database's search_path with thanopg at its end, so that short names work. What is there is kept; a plain dump does not
-- carry it.

DO $$
DECLARE
  present text;
BEGIN
  SELECT substr(setting, length('search_path=') + 1) INTO present
  FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase CROSS JOIN unnest(s.setconfig) u(setting)
  WHERE d.datname = current_database() AND s.setrole = 0 AND setting LIKE 'search_path=%';
  IF present IS NULL THEN  -- that of the server, not that of this session
    SELECT CASE WHEN source IN ('default', 'configuration file') THEN reset_val ELSE boot_val END INTO STRICT present
    FROM pg_settings WHERE name = 'search_path';
  END IF;
  IF 'thanopg' IN (SELECT btrim(btrim(name), '"') FROM string_to_table(present, ',') name) THEN
    RETURN;
  END IF;
  BEGIN
    EXECUTE format(
      'ALTER DATABASE %I SET search_path = %s', current_database(), concat_ws(', ', nullif(btrim(present), ''), 'thanopg'));
  EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING
      'only the database''s owner may add thanopg to its search_path: until then write thanopg. before the names';
  END;
END $$;
