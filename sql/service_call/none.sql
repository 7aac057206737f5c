-- service_call where neither the native function nor dblink is at hand: everything else works, embedding says why not.

CREATE OR REPLACE FUNCTION thanopg.service_call(request text)
RETURNS text LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'could not reach the embedding service' USING
    ERRCODE = '08001',
    DETAIL = 'this server has neither dblink nor the native function of thanopg',
    HINT = format('as an administrator: CREATE EXTENSION dblink; GRANT USAGE ON FOREIGN DATA WRAPPER dblink_fdw TO %I; '
                  'then run thanopg install again', current_user);  -- the owner: this function runs with its rights
END $$;
COMMENT ON FUNCTION thanopg.service_call IS 'the one door to the embedding service (none at hand)';
