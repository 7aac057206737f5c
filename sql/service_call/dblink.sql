-- service_call over dblink: for servers where nothing of ours may be installed.
-- The query is sent, and its result fetched apart: dblink() in one call hears neither a cancel nor statement_timeout, because
-- it drains the connection first. dblink_get_result() hears them from PostgreSQL 17 on; before, the answer is polled for.
-- A connection found busy (an interrupted call) or dead is dropped and opened anew once. Notices of the service are lost:
-- dblink cannot pass them on. dblink lives in whatever schema the administrator chose.

DO $install$
BEGIN
  EXECUTE format($create$
    CREATE OR REPLACE FUNCTION thanopg.service_call(request text)
    RETURNS text LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
      connection CONSTANT text := 'thanopg_service';
      reused boolean;
      polls int;
      answer text;
      message text;
      detail text;
    BEGIN
      FOR attempt IN 1..2 LOOP
        reused := connection = ANY (%1$I.dblink_get_connections());
        IF reused THEN
          BEGIN
            IF %1$I.dblink_send_query(connection, request) <> 1 THEN
              PERFORM %1$I.dblink_disconnect(connection);
              reused := NULL;
            END IF;
          EXCEPTION WHEN connection_exception THEN
            reused := NULL;
          END;
        END IF;
        IF reused IS NOT TRUE THEN
          BEGIN
            PERFORM %1$I.dblink_connect(connection, 'thanopg_service');
          EXCEPTION WHEN undefined_object OR syntax_error THEN  -- no SERVER of that name, or no USER MAPPING
            RAISE EXCEPTION 'could not reach the embedding service' USING
              ERRCODE = '08001',
              DETAIL = 'its address is not set',
              HINT = 'run thanopg install, or: SELECT thanopg.set_service_address(host, port, user, password)';
          WHEN connection_exception OR invalid_password THEN
            GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
            RAISE EXCEPTION 'could not reach the embedding service' USING
              ERRCODE = '08001',
              DETAIL = coalesce(nullif(detail, ''), message),
              HINT = 'start it with: thanopg up, or thanopg serve';
          END;
          IF %1$I.dblink_send_query(connection, request) <> 1 THEN
            message := %1$I.dblink_error_message(connection);
            PERFORM %1$I.dblink_disconnect(connection);
            RAISE EXCEPTION 'could not reach the embedding service' USING
              ERRCODE = '08001', DETAIL = message, HINT = 'start it with: thanopg up, or thanopg serve';
          END IF;
        END IF;

        IF current_setting('server_version_num')::int < 170000 THEN
          polls := 0;
          WHILE %1$I.dblink_is_busy(connection) = 1 LOOP
            polls := polls + 1;
            IF polls > 200 THEN  -- an answer from the cache is there by then; pg_sleep knows no less than a millisecond
              PERFORM pg_sleep(0.001);
            END IF;
          END LOOP;
        END IF;

        BEGIN
          SELECT a.value INTO answer FROM %1$I.dblink_get_result(connection) AS a(value text);
          PERFORM FROM %1$I.dblink_get_result(connection) AS a(value text);  -- the end, so that the next may be sent
          RETURN answer;
        EXCEPTION WHEN OTHERS THEN
          IF SQLSTATE NOT LIKE '08%%' AND SQLSTATE NOT LIKE '57P%%' THEN
            PERFORM FROM %1$I.dblink_get_result(connection, false) AS a(value text);
            RAISE;  -- what the service said, unchanged
          END IF;
          message := SQLERRM;
        END;
        PERFORM %1$I.dblink_disconnect(connection);
        EXIT WHEN reused IS NOT TRUE;
      END LOOP;
      RAISE EXCEPTION 'could not reach the embedding service' USING
        ERRCODE = '08001', DETAIL = message, HINT = 'start it with: thanopg up, or thanopg serve';
    END $$
  $create$, (
    SELECT n.nspname
    FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'dblink'
  ));
END $install$;
COMMENT ON FUNCTION thanopg.service_call IS 'the one door to the embedding service (dblink)';
