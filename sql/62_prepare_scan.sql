-- For searches that others write, thanopg.sqlalchemy for one: the settings that search_image makes for itself.

-- An index scan reads them when it begins, so a statement may call this in front of its scan: WHERE (SELECT prepare_scan(10)).
-- They hold until the transaction ends; what the session has chosen for itself is kept. Before pgvector is loaded a
-- setting is null, or empty if a transaction had set it.
CREATE OR REPLACE FUNCTION thanopg.prepare_scan(k bigint)
RETURNS boolean LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
  SELECT set_config('hnsw.iterative_scan', CASE WHEN iterative IN ('', 'off') THEN 'strict_order' ELSE iterative END, true) IS NOT NULL
     AND set_config('hnsw.ef_search', greatest(effort::bigint, least(k, 1000))::text, true) IS NOT NULL
  FROM coalesce(current_setting('hnsw.iterative_scan', true), '') iterative,
       coalesce(nullif(current_setting('hnsw.ef_search', true), ''), '40') effort;
$$;
COMMENT ON FUNCTION thanopg.prepare_scan IS 'let the index scans of this transaction go on until they have k rows; always true';
