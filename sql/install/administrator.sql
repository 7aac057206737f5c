-- What only a superuser may do, once per database, for the role that the setting thanopg.owner names; without one for the
-- superuser who installs. Nobody else does anything here. Again changes nothing.
--
-- The way to the service is our own library where the server finds it, and dblink elsewhere. dblink gets a schema that is
-- nobody else's, since whoever may call its functions may speak over a connection that service_call has opened.

DO $$
DECLARE
  role CONSTANT name := coalesce(nullif(current_setting('thanopg.owner', true), ''), current_user);
  modern CONSTANT boolean := current_setting('server_version_num')::int >= 160000;  -- memberships without inheritance
  granted name;
BEGIN
  IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    RETURN;
  END IF;
  CREATE EXTENSION IF NOT EXISTS vector;
  EXECUTE format('CREATE SCHEMA IF NOT EXISTS thanopg AUTHORIZATION %I', role);

  BEGIN
    CREATE OR REPLACE FUNCTION thanopg.native_call(conninfo text, request text)
    RETURNS text AS 'thanopg_native', 'native_call' LANGUAGE c STABLE STRICT PARALLEL RESTRICTED;
    COMMENT ON FUNCTION thanopg.native_call IS
      'send one request to the embedding service; only service_call calls it';
    REVOKE ALL ON FUNCTION thanopg.native_call FROM PUBLIC;
    EXECUTE format('GRANT EXECUTE ON FUNCTION thanopg.native_call TO %I', role);
    IF NOT EXISTS (SELECT FROM pg_foreign_data_wrapper WHERE fdwname = 'thanopg_service_fdw') THEN
      CREATE FOREIGN DATA WRAPPER thanopg_service_fdw;
    END IF;
    EXECUTE format('GRANT USAGE ON FOREIGN DATA WRAPPER thanopg_service_fdw TO %I', role);
  EXCEPTION WHEN undefined_file OR undefined_function OR insufficient_privilege THEN  -- a server without our library
    BEGIN
      IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'dblink') THEN
        CREATE SCHEMA IF NOT EXISTS dblink;
        CREATE EXTENSION dblink SCHEMA dblink;
        EXECUTE format('GRANT USAGE ON SCHEMA dblink TO %I', role);
      END IF;
      EXECUTE format('GRANT USAGE ON FOREIGN DATA WRAPPER dblink_fdw TO %I', role);
    EXCEPTION WHEN feature_not_supported OR undefined_file OR undefined_object THEN
      NULL;  -- nor dblink: install says so
    END;
  END;

  -- The owner hands the roles on. It does not inherit from the worker's: its row-level security policies would then hold for
  -- the owner as well, so before PostgreSQL 16 it gets no membership of that one.
  FOREACH granted IN ARRAY ARRAY['thanopg_reader', 'thanopg_worker'] LOOP
    IF (modern OR granted = 'thanopg_reader') AND role <> current_user AND NOT EXISTS (
      SELECT FROM pg_auth_members
      WHERE roleid = granted::regrole AND member = quote_ident(role)::regrole AND admin_option)
    THEN
      EXECUTE format(
        'GRANT %I TO %I WITH %s', granted, role,
        CASE WHEN modern THEN 'ADMIN TRUE, INHERIT FALSE, SET FALSE' ELSE 'ADMIN OPTION' END);
    END IF;
  END LOOP;
END $$;
