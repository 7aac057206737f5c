-- Who may do what. The schema is closed to PUBLIC as it is; the functions that run with their owner's rights are closed
-- once more, so that USAGE on the schema alone opens nothing.

REVOKE ALL ON FUNCTION thanopg.enqueue() FROM PUBLIC;
REVOKE ALL ON FUNCTION thanopg.service_call(text) FROM PUBLIC;
