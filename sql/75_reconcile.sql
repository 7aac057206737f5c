-- What triggers can't see: triggers disabled, a restored dump, a file changed under the same path, a column dropped.

-- Only the cheap comparison by default; deep also compares the source and the fingerprint with the provenance.
CREATE OR REPLACE FUNCTION thanopg.reconcile(embedding int, deep boolean DEFAULT false)
RETURNS bigint LANGUAGE plpgsql VOLATILE
  SET TimeZone = 'UTC' SET DateStyle = 'ISO' SET IntervalStyle = 'postgres' SET bytea_output = 'hex' SET extra_float_digits = 1
AS $$
#variable_conflict use_variable
DECLARE
  col thanopg.embedding_column;
  row_key text;
  queued bigint;
BEGIN
  PERFORM thanopg.follow_names(embedding);
  SELECT c.* INTO col FROM thanopg.embedding_column c WHERE c.id = embedding;
  IF col.id IS NULL THEN
    RETURN 0;
  END IF;
  row_key := thanopg.key_expression(col, 't');
  EXECUTE format(
    'INSERT INTO thanopg.pending AS p (embedding, key) SELECT $1, %1$s FROM %2$s t WHERE (t.%3$I IS NULL) <> (t.%4$I IS NULL) '
    'ON CONFLICT DO NOTHING', row_key, col.target, col.source_name, col.column_name) USING embedding;
  GET DIAGNOSTICS queued = ROW_COUNT;
  EXECUTE format(
    'DELETE FROM thanopg.pending p WHERE p.embedding = $1 AND p.failed_at IS NOT NULL AND NOT EXISTS (SELECT FROM %1$s t WHERE %2$s)',
    col.target, thanopg.key_condition(col, 't', 'p.key')) USING embedding;
  IF deep THEN
    EXECUTE format(
      'INSERT INTO thanopg.pending AS p (embedding, key) '
      'SELECT $1, s.key FROM (SELECT %1$s AS key, %2$s AS source_hash, t.%3$I IS NULL AS empty FROM %4$s t WHERE t.%5$I IS NOT NULL) s '
      'LEFT JOIN thanopg.provenance v ON v.embedding = $1 AND v.key = s.key '
      'LEFT JOIN thanopg.pending f ON f.embedding = $1 AND f.key = s.key '
      'WHERE CASE WHEN f.failed_at IS NOT NULL THEN f.source_hash <> s.source_hash '
      '           ELSE NOT s.empty AND (v.source_hash IS DISTINCT FROM s.source_hash OR v.fingerprint <> $2) END '
      'ON CONFLICT (embedding, key) DO UPDATE SET available_at = now(), attempts = 0, lost_leases = 0, claimed_by = NULL, '
      '  error_type = NULL, error_text = NULL, failed_at = NULL, source_hash = NULL WHERE p.failed_at IS NOT NULL',
      row_key, thanopg.source_hash_expression(col, 't'), col.column_name, col.target, col.source_name) USING embedding, col.fingerprint;
    EXECUTE format(
      'DELETE FROM thanopg.provenance v WHERE v.embedding = $1 AND NOT EXISTS (SELECT FROM %1$s t WHERE %2$s)',
      col.target, thanopg.key_condition(col, 't', 'v.key')) USING embedding;
  END IF;
  RETURN queued;
END $$;
COMMENT ON FUNCTION thanopg.reconcile IS 'queue rows whose vector is missing, superfluous or (deep) made from something else';

-- Keeps numbers and names together: names follow a rename, numbers follow a restore, and what is gone is forgotten.
CREATE OR REPLACE FUNCTION thanopg.follow_names(embedding int)
RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  col thanopg.embedding_column;
  entry thanopg.embedding;
  key_numbers int2[];
  source_number int2;
  column_number int2;
BEGIN
  SELECT c.* INTO col FROM thanopg.embedding_column c WHERE c.id = embedding;
  IF col.id IS NULL THEN
    DELETE FROM thanopg.embedding e WHERE e.id = embedding;  -- its table or one of its columns was dropped
    RETURN;
  END IF;
  SELECT e.* INTO entry FROM thanopg.embedding e WHERE e.id = embedding;
  IF entry.target_oid = entry.target
     AND (entry.key_names, entry.source_name, entry.column_name) = (col.key_names, col.source_name, col.column_name) THEN
    RETURN;
  END IF;
  SELECT array_agg(a.attnum ORDER BY u.position) INTO key_numbers
  FROM unnest(col.key_names) WITH ORDINALITY u(name, position) JOIN pg_attribute a ON a.attrelid = col.target AND a.attname = u.name;
  SELECT a.attnum INTO source_number FROM pg_attribute a WHERE a.attrelid = col.target AND a.attname = col.source_name;
  SELECT a.attnum INTO column_number FROM pg_attribute a WHERE a.attrelid = col.target AND a.attname = col.column_name;
  UPDATE thanopg.embedding e
  SET target_oid = col.target, key_attnums = key_numbers, key_names = col.key_names, source_attnum = source_number,
      source_name = col.source_name, column_attnum = column_number, column_name = col.column_name
  WHERE e.id = embedding;
END $$;
COMMENT ON FUNCTION thanopg.follow_names IS 'bring column numbers and names of an embedding together again';

-- Every row is looked at again. The worker compares the file''s bytes with the provenance and embeds what has changed.
CREATE OR REPLACE FUNCTION thanopg.refresh(target regclass, column_name name DEFAULT NULL, filter text DEFAULT NULL)
RETURNS bigint LANGUAGE plpgsql VOLATILE
  SET TimeZone = 'UTC' SET DateStyle = 'ISO' SET IntervalStyle = 'postgres' SET bytea_output = 'hex' SET extra_float_digits = 1
AS $$
#variable_conflict use_variable
DECLARE
  col thanopg.embedding_column;
  queued bigint;
  total bigint := 0;
BEGIN
  IF target IS NULL THEN
    RAISE EXCEPTION 'the table is null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  FOR col IN SELECT c.* FROM thanopg.embedding_column c
             WHERE c.target = target AND (column_name IS NULL OR c.column_name = column_name) LOOP
    PERFORM thanopg.reconcile(col.id, deep => true);
    EXECUTE format(
      'INSERT INTO thanopg.pending AS p (embedding, key) SELECT $1, %s FROM %s WHERE %I.%I IS NOT NULL%s '
      'ON CONFLICT (embedding, key) DO UPDATE SET available_at = now(), attempts = 0, lost_leases = 0, claimed_by = NULL, '
      '  error_type = NULL, error_text = NULL, failed_at = NULL, source_hash = NULL',
      thanopg.key_expression(col, quote_ident(col.table_name)), col.target, col.table_name, col.source_name,
      coalesce(' AND (' || filter || E'\n)', '')) USING col.id;
    GET DIAGNOSTICS queued = ROW_COUNT;
    total := total + queued;
  END LOOP;
  IF col.id IS NULL THEN
    PERFORM thanopg.find_embedding_column(NULL, target, column_name);  -- says what there is
  END IF;
  RETURN total;
END $$;
COMMENT ON FUNCTION thanopg.refresh IS 'look at every row''s picture again; only changed ones are embedded. Returns the rows queued';

CREATE OR REPLACE FUNCTION thanopg.retry(target regclass DEFAULT NULL, column_name name DEFAULT NULL, error_type text DEFAULT NULL)
RETURNS bigint LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
  WITH u AS (
    UPDATE thanopg.pending p
    SET available_at = now(), attempts = 0, lost_leases = 0, failed_at = NULL, error_type = NULL, error_text = NULL, source_hash = NULL
    FROM thanopg.embedding_column c
    WHERE p.failed_at IS NOT NULL AND c.id = p.embedding
      AND (retry.target IS NULL OR c.target = retry.target)
      AND (retry.column_name IS NULL OR c.column_name = retry.column_name)
      AND (retry.error_type IS NULL OR p.error_type = retry.error_type)
    RETURNING 1)
  SELECT count(*) FROM u;
$$;
COMMENT ON FUNCTION thanopg.retry IS 'try failed rows again. Returns how many';
