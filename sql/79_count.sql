-- Counting that takes no longer as tables grow: exact while they are small, from what PostgreSQL knows of them beyond.

-- As the planner does it: rows per page when it last looked, by the pages of now. The share of NULLs comes from ANALYZE.
-- What a source has and the queue does not is embedded by now, though ANALYZE may not have seen it yet.
CREATE OR REPLACE FUNCTION thanopg.estimate_rows(col thanopg.embedding_column, waiting bigint, OUT rows bigint, OUT embedded bigint)
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT s.rows, greatest(s.embedded, least(s.rows, s.rows - waiting), 0)
  FROM (
    SELECT round(sum(p.number * (1 - coalesce(source.null_frac, 0))))::bigint AS rows,
           round(sum(p.number * (1 - coalesce(made.null_frac, 1))))::bigint AS embedded
    FROM (
      SELECT t.part, CASE WHEN t.reltuples > 0 AND t.relpages > 0 THEN t.reltuples::float * t.pages / t.relpages
                          ELSE pg_stat_get_live_tuples(t.part) END
      FROM thanopg.storage_of((col).target) t) p(part, number)
    JOIN pg_class c ON c.oid = p.part
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_stats source ON source.schemaname = n.nspname AND source.tablename = c.relname
      AND source.attname = (col).source_name AND NOT source.inherited
    LEFT JOIN pg_stats made ON made.schemaname = n.nspname AND made.tablename = c.relname
      AND made.attname = (col).column_name AND NOT made.inherited) s
$$;
COMMENT ON FUNCTION thanopg.estimate_rows IS 'rows with a source, and rows with a vector or caption, as PostgreSQL''s statistics have it';

-- Whoever sees only some rows of a large table is told nothing: the statistics are of all rows.
CREATE OR REPLACE FUNCTION thanopg.coverage(
  col thanopg.embedding_column, waiting bigint, most_pages bigint, OUT rows bigint, OUT embedded bigint, OUT estimated boolean)
LANGUAGE plpgsql STABLE AS $$
BEGIN
  estimated := false;
  IF NOT has_table_privilege(col.target, 'SELECT') THEN
    RETURN;
  ELSIF (SELECT sum(t.pages) FROM thanopg.storage_of(col.target) t) <= most_pages THEN
    EXECUTE format('SELECT count(%I), count(%I) FROM %s', col.source_name, col.column_name, col.target) INTO rows, embedded;
  ELSE
    estimated := true;
    IF NOT row_security_active(col.target) THEN
      SELECT e.rows, e.embedded INTO rows, embedded FROM thanopg.estimate_rows(col, waiting) e;
    END IF;
  END IF;
END $$;
COMMENT ON FUNCTION thanopg.coverage(thanopg.embedding_column, bigint, bigint) IS
  'rows with a source, and rows with a vector or caption, that the caller may see; estimated where the table has more than most_pages';

-- ORDER BY, so that no plan reads other columns' rows to find these.
-- The server keeps count of the whole queue as it goes; what short parts of it hold is taken off, and long parts share the
-- rest as ANALYZE saw them, or evenly where the caller may not know. Rows that are set aside have available_at 'infinity'.
-- Embedding columns share what may be counted, so that it takes no longer where there are many of them.
CREATE OR REPLACE VIEW thanopg.pending_count WITH (security_barrier) AS
WITH counted AS MATERIALIZED (
  SELECT e.id, p.pending, f.failed, p.pending > m.rows AS many_pending, p.pending > m.rows OR f.failed > m.rows AS estimated
  FROM (SELECT 20000 / greatest(count(*), 1) FROM thanopg.embedding) m(rows)
  CROSS JOIN thanopg.embedding e
  CROSS JOIN LATERAL (
    SELECT count(*) AS pending FROM (
      SELECT FROM thanopg.pending WHERE embedding = e.id AND available_at < 'infinity' ORDER BY available_at LIMIT m.rows + 1) counted) p
  CROSS JOIN LATERAL (
    SELECT count(*) AS failed FROM (
      SELECT FROM thanopg.pending WHERE embedding = e.id AND available_at = 'infinity' ORDER BY available_at LIMIT m.rows + 1) counted) f),
queue AS (
  SELECT CASE WHEN live > 0 THEN live ELSE greatest(c.reltuples, 0) END
         - (SELECT coalesce(sum(pending + failed), 0) FROM counted WHERE NOT estimated) AS rows
  FROM pg_catalog.pg_class c, pg_catalog.pg_stat_get_live_tuples(c.oid) live WHERE c.oid = 'thanopg.pending'::regclass),
share AS (
  SELECT c.id, coalesce(a.part, 1) / sum(coalesce(a.part, 1)) OVER () AS part
  FROM counted c
  LEFT JOIN (
    SELECT u.id, u.part FROM pg_catalog.pg_stats s, ROWS FROM (unnest(s.most_common_vals::text::int[]), unnest(s.most_common_freqs)) u(id, part)
    WHERE s.schemaname = 'thanopg' AND s.tablename = 'pending' AND s.attname = 'embedding') a ON a.id = c.id
  WHERE c.estimated)
SELECT c.id AS embedding,
  CASE WHEN c.many_pending THEN greatest(c.pending, round(q.rows * s.part - c.failed)::bigint) ELSE c.pending END AS pending,
  CASE WHEN c.estimated AND NOT c.many_pending THEN greatest(c.failed, round(q.rows * s.part - c.pending)::bigint) ELSE c.failed END AS failed,
  c.estimated
FROM counted c CROSS JOIN queue q LEFT JOIN share s ON s.id = c.id;
COMMENT ON VIEW thanopg.pending_count IS 'per embedding column: rows that wait or are being worked on, and rows set aside; estimated where there are many';

-- What a load waits for: rows that wait for another attempt are not among them.
CREATE OR REPLACE FUNCTION thanopg.count_untried(embedding int)
RETURNS bigint LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
RETURN (
  SELECT CASE WHEN u.rows <= 20000 THEN u.rows ELSE (SELECT p.pending FROM thanopg.pending_count p WHERE p.embedding = count_untried.embedding) END
  FROM (
    SELECT count(*) FROM (
      SELECT FROM thanopg.pending p
      WHERE p.embedding = count_untried.embedding AND p.available_at < 'infinity' AND p.error_type IS NULL
      ORDER BY p.available_at LIMIT 20001) counted) u(rows)
);
COMMENT ON FUNCTION thanopg.count_untried IS 'rows of an embedding column that nobody has tried yet; an estimate where there are many, exact towards the end';

CREATE OR REPLACE FUNCTION thanopg.is_settled()
RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN NOT EXISTS (
  SELECT FROM thanopg.embedding_column c
  CROSS JOIN LATERAL (
    SELECT FROM thanopg.pending p WHERE p.embedding = c.id AND p.available_at < 'infinity' AND p.error_type IS NULL
    ORDER BY p.available_at LIMIT 1) waiting
);
COMMENT ON FUNCTION thanopg.is_settled IS 'true: nothing waits or is being worked on but rows whose last attempt failed';
