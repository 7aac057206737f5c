-- The SERVER that will hold the service's address, on the wrapper that adapter.sql has found.

DO $$
BEGIN
  IF current_setting('thanopg.adapter') <> 'none' THEN
    PERFORM thanopg.create_service_server(current_setting('thanopg.wrapper')::name);
  END IF;
END $$;
