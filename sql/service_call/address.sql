-- Where the embedding service is, kept in one SERVER and one USER MAPPING: settings of a session never decide it.
-- Run by install before the body of service_call is chosen.

-- The SERVER, on the foreign data wrapper of the chosen adapter; one on another wrapper is replaced, its address kept.
CREATE OR REPLACE FUNCTION thanopg.create_service_server(wrapper name)
RETURNS void LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  present record;
  address jsonb;
  account jsonb;
BEGIN
  SELECT s.oid, w.fdwname, s.srvoptions INTO present
  FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
  WHERE s.srvname = 'thanopg_service';
  IF present.fdwname = wrapper THEN
    RETURN;
  ELSIF present.oid IS NOT NULL THEN
    SELECT jsonb_object_agg(option_name, option_value) INTO address FROM pg_options_to_table(present.srvoptions);
    SELECT jsonb_object_agg(o.option_name, o.option_value) INTO account
    FROM pg_user_mappings m CROSS JOIN LATERAL pg_options_to_table(m.umoptions) o
    WHERE m.srvid = present.oid AND m.usename = current_user;
    DROP SERVER thanopg_service CASCADE;
  END IF;
  EXECUTE format('CREATE SERVER thanopg_service FOREIGN DATA WRAPPER %I', wrapper);
  IF address ? 'host' AND account ? 'password' THEN
    PERFORM thanopg.set_service_address(address->>'host', (address->>'port')::int, account->>'user', account->>'password');
  END IF;
END $$;
COMMENT ON FUNCTION thanopg.create_service_server IS 'make the SERVER that holds the address of the embedding service';
REVOKE ALL ON FUNCTION thanopg.create_service_server FROM PUBLIC;

CREATE OR REPLACE FUNCTION thanopg.set_service_address(host text, port int, username text, password text)
RETURNS void LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  present record;
BEGIN
  SELECT s.oid, s.srvoptions INTO STRICT present FROM pg_foreign_server s WHERE s.srvname = 'thanopg_service';
  PERFORM thanopg.set_options('SERVER thanopg_service', present.srvoptions,
    jsonb_build_object('host', host, 'port', port::text, 'dbname', 'thanopg', 'connect_timeout', '2'));
  IF NOT EXISTS (SELECT FROM pg_user_mappings m WHERE m.srvid = present.oid AND m.usename = current_user) THEN
    CREATE USER MAPPING FOR CURRENT_USER SERVER thanopg_service;
  END IF;
  PERFORM thanopg.set_options('USER MAPPING FOR CURRENT_USER SERVER thanopg_service',
    (SELECT m.umoptions FROM pg_user_mappings m WHERE m.srvid = present.oid AND m.usename = current_user),
    jsonb_build_object('user', username, 'password', password));
END $$;
COMMENT ON FUNCTION thanopg.set_service_address IS
  'say where the embedding service listens; host may be the directory of a Unix socket. Only for the owner of the schema';
REVOKE ALL ON FUNCTION thanopg.set_service_address FROM PUBLIC;

-- ALTER … OPTIONS for those that differ.
CREATE OR REPLACE FUNCTION thanopg.set_options(subject text, present text[], wanted jsonb)
RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  changes text;
BEGIN
  SELECT string_agg(format('%s %I %L', CASE WHEN o.option_name IS NULL THEN 'ADD' ELSE 'SET' END, w.key, w.value), ', ')
  INTO changes
  FROM jsonb_each_text(wanted) w LEFT JOIN pg_options_to_table(present) o ON o.option_name = w.key
  WHERE o.option_value IS DISTINCT FROM w.value;
  IF changes IS NOT NULL THEN
    EXECUTE format('ALTER %s OPTIONS (%s)', subject, changes);
  END IF;
END $$;
COMMENT ON FUNCTION thanopg.set_options IS 'bring the options of a SERVER or a USER MAPPING to the wanted values';
REVOKE ALL ON FUNCTION thanopg.set_options FROM PUBLIC;
