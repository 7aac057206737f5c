-- What triggers can't see: triggers disabled, a restored dump, a file changed under the same path, a column dropped.

-- Only the cheap comparison by default; deep also compares source, fingerprint and vector with the provenance.
-- Like a worker it takes target rows first and waits for nobody: a row in somebody's hands is looked at the next time.
--
-- With first and number only the rows in so many blocks of the table (of each partition) are looked at, so that a worker
-- can go through a large one in turns. Rows are looked up in the queue one by one, as 70_work.sql has it: a hash of a long
-- queue would be made anew for each turn.
CREATE OR REPLACE FUNCTION thanopg.reconcile(embedding int, deep boolean, first bigint, number bigint)
RETURNS bigint LANGUAGE plpgsql VOLATILE
  SET TimeZone = 'UTC' SET DateStyle = 'ISO' SET IntervalStyle = 'postgres' SET bytea_output = 'hex' SET extra_float_digits = 1
  SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_variable
DECLARE
  col thanopg.embedding_column;
  row_key text;
  place text := '';
  queued bigint;
BEGIN
  PERFORM thanopg.follow_names(embedding);
  SELECT c.* INTO col FROM thanopg.embedding_column c WHERE c.id = embedding;
  IF col.id IS NULL THEN
    RETURN 0;
  END IF;
  PERFORM thanopg.see_all_rows(col.target);
  row_key := thanopg.key_expression(col, 't');
  IF first IS NOT NULL THEN
    place := format(' AND %%1$s.ctid >= %L AND %%1$s.ctid < %L', format('(%s,0)', first), format('(%s,0)', first + number));
  END IF;
  IF coalesce(first, 0) = 0 THEN  -- a failure goes with its row or its picture, before that row is looked at
    EXECUTE format(
      'WITH g AS (SELECT p.embedding, p.key FROM thanopg.pending p WHERE p.embedding = $1 AND p.failed_at IS NOT NULL AND p.error_type IS NOT NULL '
      '             AND NOT EXISTS (SELECT FROM %1$s t WHERE %2$s AND t.%3$I IS NOT NULL) FOR UPDATE SKIP LOCKED) '
      'DELETE FROM thanopg.pending p USING g WHERE p.embedding = g.embedding AND p.key = g.key',
      col.target, thanopg.key_condition(col, 't', 'p.key'), col.source_name) USING embedding;
  END IF;
  EXECUTE format(
    'INSERT INTO thanopg.pending AS p (embedding, key, available_at) SELECT e.id, %1$s, clock_timestamp() FROM (SELECT $1 AS id OFFSET 0) e, %2$s t '
    'WHERE (t.%3$I IS NULL) <> (t.%4$I IS NULL)%5$s AND NOT EXISTS (SELECT FROM thanopg.pending q WHERE q.embedding = e.id AND q.key = %1$s) '
    'FOR NO KEY UPDATE OF t SKIP LOCKED ON CONFLICT DO NOTHING',
    row_key, col.target, col.source_name, col.column_name, format(place, 't')) USING embedding;
  GET DIAGNOSTICS queued = ROW_COUNT;
  IF deep THEN
    EXECUTE format(
      'INSERT INTO thanopg.pending AS p (embedding, key, available_at) '
      'SELECT e.id, %1$s, clock_timestamp() FROM (SELECT $1 AS id OFFSET 0) e CROSS JOIN %2$s t '
      'LEFT JOIN thanopg.provenance v ON v.embedding = e.id AND v.key = %1$s '
      'LEFT JOIN thanopg.pending f ON f.embedding = e.id AND f.key = %1$s '
      'WHERE t.%3$I IS NOT NULL%6$s AND '
      '  CASE WHEN f.failed_at IS NOT NULL THEN f.source_hash <> %4$s '
      '       ELSE t.%5$I IS NOT NULL AND (v.source_hash IS DISTINCT FROM %4$s OR v.fingerprint <> $2 OR %7$s) END '
      'FOR NO KEY UPDATE OF t SKIP LOCKED '
      'ON CONFLICT (embedding, key) DO UPDATE SET available_at = EXCLUDED.available_at, attempts = 0, lost_leases = 0, claimed_by = NULL, '
      '  error_type = NULL, error_text = NULL, failed_at = NULL, source_hash = NULL, adopting = false WHERE p.failed_at IS NOT NULL',
      row_key, col.target, col.source_name, thanopg.source_hash_expression(col, 't'), col.column_name, format(place, 't'),
      -- a vector that no worker wrote; a caption may have been put right by hand
      CASE col.kind WHEN 'caption' THEN 'false'
        ELSE 'v.vector_hash <> ' || thanopg.vector_hash_expression(col, format('t.%I', col.column_name)) END)
    USING embedding, col.fingerprint;
    EXECUTE format(
      'WITH g AS (SELECT v.embedding, v.key FROM thanopg.provenance v WHERE v.embedding = $1%3$s '
      '             AND NOT EXISTS (SELECT FROM %1$s t WHERE %2$s) FOR UPDATE SKIP LOCKED) '
      'DELETE FROM thanopg.provenance v USING g WHERE v.embedding = g.embedding AND v.key = g.key',
      col.target, thanopg.key_condition(col, 't', 'v.key'), format(place, 'v')) USING embedding;
  END IF;
  RETURN queued;
END $$;
COMMENT ON FUNCTION thanopg.reconcile(int, boolean, bigint, bigint) IS
  'queue rows in some blocks whose vector or caption is missing, superfluous or (deep) made from something else';

CREATE OR REPLACE FUNCTION thanopg.reconcile(embedding int, deep boolean DEFAULT false)
RETURNS bigint LANGUAGE sql VOLATILE
RETURN thanopg.reconcile(embedding, deep, NULL, NULL);
COMMENT ON FUNCTION thanopg.reconcile(int, boolean) IS
  'queue rows whose vector or caption is missing, superfluous or (deep) made from something else';

CREATE OR REPLACE FUNCTION thanopg.reconcile_blocks(embedding int, deep boolean DEFAULT false)
RETURNS bigint LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
RETURN (
  SELECT greatest(max(s.pages), CASE WHEN deep THEN pg_relation_size('thanopg.provenance') / current_setting('block_size')::bigint END)
  FROM thanopg.embedding e, thanopg.storage_of(e.target) s WHERE e.id = embedding
);
COMMENT ON FUNCTION thanopg.reconcile_blocks IS 'how many blocks a worker has to go through to reconcile a column';

CREATE OR REPLACE FUNCTION thanopg.owns_table(target oid)
RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN coalesce((SELECT pg_has_role(c.relowner, 'USAGE') FROM pg_class c WHERE c.oid = target), false);
COMMENT ON FUNCTION thanopg.owns_table IS 'may the caller alter this table';

-- Keeps numbers and names together: names follow a rename, numbers follow a restore, and what is gone is forgotten.
CREATE OR REPLACE FUNCTION thanopg.follow_names(embedding int)
RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  col thanopg.embedding_column;
  entry thanopg.embedding;
  key_numbers int2[];
BEGIN
  SELECT e.* INTO entry FROM thanopg.embedding e WHERE e.id = embedding;
  IF entry.id IS NULL THEN
    RETURN;
  END IF;
  SELECT c.* INTO col FROM thanopg.embedding_column c WHERE c.id = embedding;
  IF col.id IS NULL THEN
    IF entry.target_oid <> entry.target AND EXISTS (SELECT FROM pg_class c WHERE c.oid = entry.target) THEN
      RAISE WARNING 'column %.% is not there any more, or what it was made from', entry.target, quote_ident(entry.column_name) USING
        DETAIL = format('after a restore they are looked for by name: %s', array_to_string(entry.key_names || entry.source_name || entry.column_name, ', ')),
        HINT = format('rename them back, or give it up: DELETE FROM thanopg.embedding WHERE id = %s', embedding);
      RETURN;
    END IF;
    IF thanopg.clear_triggers(embedding) THEN  -- its table or one of its columns was dropped
      DELETE FROM thanopg.embedding e WHERE e.id = embedding;
    END IF;
    RETURN;
  END IF;
  IF entry.target_oid = entry.target
     AND (entry.key_names, entry.source_name, entry.column_name, entry.attributes_name)
         IS NOT DISTINCT FROM (col.key_names, col.source_name, col.column_name, col.attributes_name) THEN
    RETURN;
  END IF;
  SELECT array_agg(a.attnum ORDER BY u.position) INTO key_numbers
  FROM unnest(col.key_names) WITH ORDINALITY u(name, position) JOIN pg_attribute a ON a.attrelid = col.target AND a.attname = u.name;
  UPDATE thanopg.embedding e
  SET target_oid = col.target, key_attnums = key_numbers, key_names = col.key_names,
      source_attnum = thanopg.column_number(col.target, col.source_name), source_name = col.source_name,
      column_attnum = thanopg.column_number(col.target, col.column_name), column_name = col.column_name,
      -- a caption goes on without its attributes where their column was dropped
      attributes_attnum = thanopg.column_number(col.target, col.attributes_name), attributes_name = col.attributes_name
  WHERE e.id = embedding;
END $$;
COMMENT ON FUNCTION thanopg.follow_names IS 'bring column numbers and names of an embedding together again';

-- The triggers that a dropped column leaves on its table, where the caller may take them away. False: not now.
CREATE OR REPLACE FUNCTION thanopg.clear_triggers(embedding int)
RETURNS boolean LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  leftover record;
BEGIN
  FOR leftover IN
    SELECT t.tgname, t.tgrelid::regclass AS target FROM pg_trigger t
    WHERE t.tgfoid = 'thanopg.enqueue()'::regprocedure AND t.tgparentid = 0 AND thanopg.owns_table(t.tgrelid)
      AND t.tgname IN (format('thanopg_%s_insert', embedding), format('thanopg_%s_update', embedding)) LOOP
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE NOWAIT', leftover.target);
    EXECUTE format('DROP TRIGGER %I ON %s', leftover.tgname, leftover.target);
  END LOOP;
  RETURN true;
EXCEPTION WHEN lock_not_available THEN  -- nobody is to wait behind us
  RETURN false;
END $$;
COMMENT ON FUNCTION thanopg.clear_triggers IS 'take away the triggers of an embedding column whose column is gone';

-- ALTER TABLE … ENABLE TRIGGER USER after a load makes them fire for ordinary sessions only; DROP COLUMN … CASCADE and a
-- change of a column's type take them away. Disabled ones stay disabled: somebody meant it.
CREATE OR REPLACE FUNCTION thanopg.mend_triggers(embedding int)
RETURNS boolean LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  target regclass := (SELECT c.target FROM thanopg.embedding_column c WHERE c.id = embedding);
BEGIN
  IF target IS NULL OR 2 = (
    SELECT count(*) FROM pg_trigger t
    WHERE t.tgrelid = target AND t.tgenabled IN ('A', 'D')
      AND t.tgname IN (format('thanopg_%s_insert', embedding), format('thanopg_%s_update', embedding))) THEN
    RETURN false;
  ELSIF NOT thanopg.owns_table(target) THEN
    RAISE WARNING 'triggers of % were dropped, or do not fire always', target USING
      HINT = format('as its owner: SELECT thanopg.mend_triggers(%s), or thanopg install', embedding);
    RETURN false;
  END IF;
  EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE NOWAIT', target);
  PERFORM thanopg.create_triggers(embedding);
  RETURN true;
EXCEPTION WHEN lock_not_available THEN  -- nobody is to wait behind us
  RETURN false;
END $$;
COMMENT ON FUNCTION thanopg.mend_triggers IS 'put back triggers that were dropped or do not fire always';

-- A worker that does not own the table forgets an embedding column whose column was dropped, but can't drop the trigger
-- that is left of it: one that finds no entry in the registry and does nothing.
CREATE OR REPLACE FUNCTION thanopg.clear_leftovers()
RETURNS bigint LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
RETURN (
  SELECT count(*) FILTER (WHERE thanopg.clear_triggers(u.embedding))
  FROM (SELECT DISTINCT substring(t.tgname FROM '^thanopg_(\d{1,9})_')::int
        FROM pg_trigger t
        WHERE t.tgfoid = 'thanopg.enqueue()'::regprocedure AND t.tgparentid = 0 AND thanopg.owns_table(t.tgrelid)) u(embedding)
  WHERE u.embedding IS NOT NULL AND NOT EXISTS (SELECT FROM thanopg.embedding e WHERE e.id = u.embedding)
);
COMMENT ON FUNCTION thanopg.clear_leftovers IS 'take away the caller''s triggers that belong to no embedding column any more. Returns of how many';

CREATE OR REPLACE FUNCTION thanopg.forget_dropped()
RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  before bigint := (SELECT count(*) FROM thanopg.embedding);
BEGIN
  PERFORM thanopg.follow_names(e.id) FROM thanopg.embedding e
  WHERE NOT EXISTS (SELECT FROM thanopg.embedding_column c WHERE c.id = e.id);
  RETURN before - (SELECT count(*) FROM thanopg.embedding);
END $$;
COMMENT ON FUNCTION thanopg.forget_dropped IS 'forget embedding columns whose table or column was dropped. Returns how many';

-- Every row is looked at again. The worker compares the source's content with the provenance and makes anew what has
-- changed, and what was made elsewhere. It locks rows as an UPDATE of the same rows would.
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
      'INSERT INTO thanopg.pending AS p (embedding, key) SELECT $1, %s FROM %s WHERE %I.%I IS NOT NULL%s FOR NO KEY UPDATE '
      'ON CONFLICT (embedding, key) DO UPDATE SET available_at = now(), attempts = 0, lost_leases = 0, claimed_by = NULL, '
      '  error_type = NULL, error_text = NULL, failed_at = NULL, source_hash = NULL, adopting = false',
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
COMMENT ON FUNCTION thanopg.refresh IS 'look at every row''s source again; only changed ones are made anew. Returns the rows queued';

CREATE OR REPLACE FUNCTION thanopg.retry(target regclass DEFAULT NULL, column_name name DEFAULT NULL, error_type text DEFAULT NULL)
RETURNS bigint LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
  WITH g AS (
    SELECT p.embedding, p.key FROM thanopg.pending p JOIN thanopg.embedding_column c ON c.id = p.embedding
    WHERE p.failed_at IS NOT NULL AND p.error_type IS NOT NULL  -- which has an index
      AND (retry.target IS NULL OR c.target = retry.target)
      AND (retry.column_name IS NULL OR c.column_name = retry.column_name)
      AND (retry.error_type IS NULL OR p.error_type = retry.error_type)
    FOR UPDATE OF p SKIP LOCKED),  -- a row that is being changed is tried again anyway
  u AS (
    UPDATE thanopg.pending p
    SET available_at = now(), attempts = 0, lost_leases = 0, failed_at = NULL, error_type = NULL, error_text = NULL, source_hash = NULL,
        adopting = false
    FROM g WHERE p.embedding = g.embedding AND p.key = g.key
    RETURNING 1)
  SELECT count(*) FROM u;
$$;
COMMENT ON FUNCTION thanopg.retry IS 'try failed rows again. Returns how many';

-- install is also what people run after a restore or an upgrade: numbers follow names at once. And it is run as the owner.
DO $$
BEGIN
  PERFORM thanopg.follow_names(e.id), thanopg.mend_triggers(e.id) FROM thanopg.embedding e;
  PERFORM thanopg.clear_leftovers();
END $$;
