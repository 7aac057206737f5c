-- Which workers are there.

-- A worker holds a shared advisory lock while it is connected. pg_locks shows locks to everybody, whoever the worker logs
-- in as; pg_stat_activity hides other roles' sessions.
CREATE OR REPLACE FUNCTION thanopg.announce_worker()
RETURNS boolean LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
RETURN pg_try_advisory_lock_shared('thanopg.pending'::regclass::oid::int, 0);
COMMENT ON FUNCTION thanopg.announce_worker IS 'for a worker: be counted by worker_count() as long as this session lives';

CREATE OR REPLACE FUNCTION thanopg.worker_count()
RETURNS bigint LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (
  SELECT count(*) FROM pg_locks l
  WHERE l.locktype = 'advisory' AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
    AND l.classid = 'thanopg.pending'::regclass AND l.objid = 0 AND l.objsubid = 2 AND l.mode = 'ShareLock' AND l.granted
);
COMMENT ON FUNCTION thanopg.worker_count IS 'workers connected to this database';
