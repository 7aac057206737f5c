-- What a worker that owns nothing may do to a user's table: read the key, the source and where a row lies, write the columns
-- that it fills.
-- Both go with the column: granted when it is added, and again by install where the roles came later.

CREATE OR REPLACE FUNCTION thanopg.admit_worker(embedding int)
RETURNS void LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  col thanopg.embedding_column;
  class pg_class;
BEGIN
  SELECT c.* INTO col FROM thanopg.embedding_column c WHERE c.id = embedding;
  SELECT c.* INTO class FROM pg_class c WHERE c.oid = col.target;
  IF class.oid IS NULL OR NOT pg_has_role(class.relowner, 'USAGE') THEN
    RETURN;
  ELSIF to_regrole('thanopg_worker') IS NULL THEN
    IF class.relforcerowsecurity THEN
      RAISE WARNING 'row-level security is forced on %, and there is no role thanopg_worker to make a policy for', col.target USING
        HINT = 'as an administrator: CREATE ROLE thanopg_worker; then run thanopg install again, and the worker as a member of it';
    END IF;
    RETURN;
  END IF;
  EXECUTE format('GRANT SELECT (%s), UPDATE (%s) ON %s TO thanopg_worker',
    (SELECT string_agg(DISTINCT quote_ident(name), ', ')
     FROM unnest(col.key_names || col.source_name || col.column_name || col.attributes_name || 'ctid'::name) u(name)),
    concat_ws(', ', quote_ident(col.column_name), quote_ident(col.attributes_name)), col.target);
  IF class.relrowsecurity AND NOT EXISTS (
    SELECT FROM pg_policy p WHERE p.polrelid = col.target AND p.polname = 'thanopg_worker') THEN
    EXECUTE format('CREATE POLICY thanopg_worker ON %s TO thanopg_worker USING (true)', col.target);
  END IF;
  IF class.relforcerowsecurity THEN
    RAISE NOTICE 'row-level security is forced on %', col.target USING
      HINT = 'run the worker as a member of thanopg_worker, which has a policy now, rather than as the table''s owner';
  END IF;
  IF NOT has_schema_privilege('thanopg_worker', class.relnamespace, 'USAGE') THEN
    BEGIN
      EXECUTE format('GRANT USAGE ON SCHEMA %s TO thanopg_worker', class.relnamespace::regnamespace);
    EXCEPTION WHEN insufficient_privilege THEN
      RAISE WARNING 'a worker that is a member of thanopg_worker needs USAGE on schema %', class.relnamespace::regnamespace USING
        HINT = format('as its owner: GRANT USAGE ON SCHEMA %s TO thanopg_worker', class.relnamespace::regnamespace);
    END;
  END IF;
END $$;
COMMENT ON FUNCTION thanopg.admit_worker IS 'let thanopg_worker read an embedding column''s source and write its vectors';

-- What an embedding column gave goes with it, unless another one needs it.
CREATE OR REPLACE FUNCTION thanopg.dismiss_worker(col thanopg.embedding_column)
RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  unread text;
BEGIN
  IF to_regrole('thanopg_worker') IS NULL OR EXISTS (SELECT FROM thanopg.embedding e WHERE e.id = (col).id) THEN
    RETURN;
  END IF;
  SELECT string_agg(DISTINCT quote_ident(name), ', ') INTO unread
  FROM unnest((col).key_names || (col).source_name || (col).column_name || (col).attributes_name || 'ctid'::name) u(name)
  WHERE NOT EXISTS (
    SELECT FROM thanopg.embedding_column c
    WHERE c.target = (col).target AND name = ANY (c.key_names || c.source_name || c.column_name || c.attributes_name || 'ctid'::name));
  IF unread IS NOT NULL THEN
    EXECUTE format('REVOKE SELECT (%s) ON %s FROM thanopg_worker', unread, (col).target);
  END IF;
  EXECUTE format('REVOKE UPDATE (%s) ON %s FROM thanopg_worker',
    concat_ws(', ', quote_ident((col).column_name), quote_ident((col).attributes_name)), (col).target);
  IF NOT EXISTS (SELECT FROM thanopg.embedding e WHERE e.target = (col).target)
     AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = (col).target AND p.polname = 'thanopg_worker') THEN
    EXECUTE format('DROP POLICY thanopg_worker ON %s', (col).target);
  END IF;
END $$;
COMMENT ON FUNCTION thanopg.dismiss_worker IS 'take back from thanopg_worker what an embedding column gave it';

-- A worker's session has row_security = off, because a row that a policy hides would look deleted to it. PostgreSQL then
-- refuses a policy that hides nothing as well [tried on 18]; so for a table whose policies show this role every row, and
-- only there, security is switched on until the transaction ends.
CREATE OR REPLACE FUNCTION thanopg.see_all_rows(target regclass)
RETURNS void LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
  IF current_setting('row_security') = 'on' OR NOT row_security_active(target) THEN
    RETURN;
  END IF;
  IF NOT EXISTS (
    SELECT FROM pg_policy p
    WHERE p.polrelid = target AND p.polpermissive AND p.polcmd = '*' AND pg_get_expr(p.polqual, p.polrelid) = 'true'
      AND coalesce(pg_get_expr(p.polwithcheck, p.polrelid), 'true') = 'true'
      AND EXISTS (SELECT FROM unnest(p.polroles) r(role) WHERE CASE WHEN role = 0 THEN true ELSE pg_has_role(role, 'USAGE') END)
  ) OR EXISTS (
    SELECT FROM pg_policy p
    WHERE p.polrelid = target AND NOT p.polpermissive
      AND EXISTS (SELECT FROM unnest(p.polroles) r(role) WHERE CASE WHEN role = 0 THEN true ELSE pg_has_role(role, 'USAGE') END)
  ) THEN
    RAISE EXCEPTION 'row-level security may hide rows of % from %', target, current_user USING
      ERRCODE = 'insufficient_privilege',
      HINT = 'run thanopg install again as its owner, and the worker as a member of thanopg_worker; a restrictive policy must leave that role out';
  END IF;
  PERFORM set_config('row_security', 'on', true);
END $$;
COMMENT ON FUNCTION thanopg.see_all_rows IS 'for a worker: make sure that no policy hides rows of a table, or say so';
