-- What can't be worked with is an error; what merely disappoints is a warning. Only ASCII up to here: a database in another
-- encoding could not be told in other characters that it is one.

DO $$
DECLARE
  version CONSTANT int := current_setting('server_version_num')::int / 10000;
  found record;
BEGIN
  IF version < 15 THEN
    RAISE EXCEPTION 'expected PostgreSQL 15 or newer, not %', version USING
      ERRCODE = 'feature_not_supported', HINT = 'upgrade the server, or use the embedded one: thanopg up';
  END IF;
  SELECT pg_encoding_to_char(d.encoding) AS encoding, d.datctype INTO STRICT found
  FROM pg_database d WHERE d.datname = current_database();
  IF found.encoding <> 'UTF8' THEN
    RAISE EXCEPTION 'expected a database in UTF8, not %', found.encoding USING
      ERRCODE = 'feature_not_supported', HINT = 'CREATE DATABASE ... ENCODING ''UTF8'' TEMPLATE template0';
  END IF;
  IF found.datctype IN ('C', 'POSIX') THEN
    RAISE WARNING 'LC_CTYPE is %: Hangul has no word characters and no trigrams; C.UTF-8 has them', found.datctype;
  END IF;
END $$;
