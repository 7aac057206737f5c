-- What people look at: how far each embedding column is, and which rows failed and why.

-- The queue knows all rows, the caller perhaps not: what it says is for those who see the whole table, and for whoever
-- may read the queue anyway.
CREATE OR REPLACE FUNCTION thanopg.sees_whole_table(target oid)
RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN has_table_privilege('thanopg.pending', 'SELECT') OR (has_table_privilege(target, 'SELECT') AND NOT row_security_active(target));
COMMENT ON FUNCTION thanopg.sees_whole_table IS 'may the caller know how many rows this table has, and what their sources are';

CREATE OR REPLACE VIEW thanopg.embedding_status WITH (security_barrier) AS
SELECT
  c.target,
  c.column_name,
  c.model,
  n.rows,
  n.embedded,
  p.pending,
  p.failed,
  r.rate,
  CASE WHEN p.pending = 0 THEN '0'::interval
       -- while none of these rows is done: as the workers were the last time; without a worker nobody knows
       ELSE pg_catalog.make_interval(secs => pg_catalog.round(
         (p.pending / coalesce(nullif(r.rate, 0), w.row_count / w.seconds * nullif(thanopg.worker_count(), 0)))::numeric)::double precision)
  END AS time_left,
  CASE WHEN c.kind = 'caption' THEN 'none'
       ELSE coalesce(thanopg.index_state(c.target, c.column_name) COLLATE "default", CASE c.index_policy WHEN 'none' THEN 'none' ELSE 'missing' END)
  END AS index,
  c.kind,
  c.source_name AS source,
  pg_catalog.array_to_string(thanopg.source_chain(c.target, c.source_name) || c.column_name, ' → ') COLLATE "default" AS chain,
  n.estimated OR p.estimated AS estimated
FROM thanopg.embedding_column c
-- 8 MB of all tables together are counted, which takes some 10 ms
CROSS JOIN (SELECT 1024 / greatest(count(*), 1) AS pages FROM thanopg.embedding) m
JOIN thanopg.pending_count q ON q.embedding = c.id
LEFT JOIN thanopg.worker_rate w ON w.fingerprint = c.fingerprint AND w.kind = c.kind
CROSS JOIN LATERAL thanopg.coverage(c, q.pending + q.failed, m.pages) n
CROSS JOIN LATERAL (
  SELECT CASE WHEN seen THEN q.pending END AS pending, CASE WHEN seen THEN q.failed END AS failed, seen AND q.estimated AS estimated
  FROM thanopg.sees_whole_table(c.target) seen) p
CROSS JOIN LATERAL (
  -- rows per second over the last minute, or over the part of it in which there was work, or its latest rows
  SELECT pg_catalog.round((count(*) / greatest(extract(epoch FROM now() - min(embedded_at)), 1))::numeric, 1)::double precision AS rate
  FROM (
    SELECT embedded_at FROM thanopg.provenance
    WHERE embedding = c.id AND embedded_at > now() - interval '1 minute' AND thanopg.sees_whole_table(c.target)
    ORDER BY embedded_at DESC LIMIT 10000) latest) r;
COMMENT ON VIEW thanopg.embedding_status IS
  'per embedding column: rows with a source, embedded, pending, failed, rows per second, time left, state of the index, what it is made from; estimated: some of the counts are PostgreSQL''s estimates, because counting would take long';
DROP FUNCTION IF EXISTS thanopg.count_rows(thanopg.embedding_column);  -- of earlier versions; the view has let go of them now
DROP FUNCTION IF EXISTS thanopg.coverage(thanopg.embedding_column, bigint);

CREATE OR REPLACE VIEW thanopg.failure WITH (security_barrier) AS
SELECT
  c.target,
  c.column_name,
  (SELECT pg_catalog.jsonb_object_agg(u.name, u.value)
   FROM unnest(c.key_names, ARRAY(SELECT pg_catalog.jsonb_array_elements(p.key))) u(name, value)) AS key,
  p.error_type,
  p.error_text,
  p.attempts,
  p.failed_at,
  CASE WHEN p.failed_at IS NULL THEN p.available_at END AS next_attempt_at
FROM thanopg.pending p
JOIN thanopg.embedding_column c ON c.id = p.embedding
WHERE p.error_type IS NOT NULL AND thanopg.sees_whole_table(c.target);
COMMENT ON VIEW thanopg.failure IS 'rows that could not be embedded or captioned, and why; next_attempt_at is null for those set aside';

-- A registry that was never analyzed passes for one of 160 columns, and PostgreSQL would compile (jit) the views above.
ANALYZE thanopg.embedding, thanopg.model;
