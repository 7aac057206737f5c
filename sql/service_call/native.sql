-- service_call over the native function: for servers that have our library.
-- Its owner's rights read the password; the caller never sees it.

CREATE OR REPLACE FUNCTION thanopg.service_call(request text)
RETURNS text LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  conninfo text;
BEGIN
  SELECT string_agg(format('%s=''%s''', o.option_name, replace(replace(o.option_value, '\', '\\'), '''', '\''')), ' ')
  INTO conninfo
  FROM pg_foreign_server s
  JOIN pg_user_mappings m ON m.srvid = s.oid AND m.usename = current_user
  CROSS JOIN LATERAL (
    SELECT * FROM pg_options_to_table(s.srvoptions) UNION ALL SELECT * FROM pg_options_to_table(m.umoptions)
  ) o
  WHERE s.srvname = 'thanopg_service';
  IF conninfo IS NULL THEN
    RAISE EXCEPTION 'could not reach the embedding service' USING
      ERRCODE = '08001',
      DETAIL = 'its address is not set',
      HINT = 'run thanopg install, or: SELECT thanopg.set_service_address(host, port, user, password)';
  END IF;
  RETURN thanopg.native_call(conninfo || ' client_encoding=UTF8 application_name=thanopg', request);
END $$;
COMMENT ON FUNCTION thanopg.service_call IS 'the one door to the embedding service (native)';
