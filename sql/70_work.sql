-- What a worker does to pending rows: claim, read, extend, release, finish, fail. Each is one atomic step.
--
-- A worker calls them at READ COMMITTED in autocommit, so that read_source sees what was committed after the claim: a
-- source changed in between has cleared the token, and nothing is written for it. Target rows are locked first, pending
-- rows second, always with SKIP LOCKED: a worker waits for nobody and no user's transaction deadlocks with it.
--
-- Statistics of the queue are always late, and for a column that they have not seen yet any index looks as good as the
-- primary key: every batch then reads all rows of the column [seen: 200 ms instead of 1]. So rows are looked up by an
-- embedding that comes from a subquery, whose value no plan can know, and never by a claimed_by that implies NOT NULL.

CREATE OR REPLACE FUNCTION thanopg.work_column(embedding int)
RETURNS thanopg.embedding_column LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found thanopg.embedding_column;
BEGIN
  SELECT c.* INTO found FROM thanopg.embedding_column c WHERE c.id = embedding;
  IF found.id IS NULL THEN
    RAISE EXCEPTION 'embedding % is gone', embedding USING ERRCODE = 'undefined_object';
  END IF;
  PERFORM thanopg.see_all_rows(found.target);
  RETURN found;
END $$;
COMMENT ON FUNCTION thanopg.work_column IS 'the embedding column of that number, or an error';

-- A lease that ran out makes the row suspect: it is claimed alone from then on. One that was given before the server last
-- started counts for nothing: it was the server that was away.
--
-- since: rows that have waited for longer are not looked for. What was claimed before leaves dead entries at the front of
-- the index, which every claim would read until VACUUM may take them away, and it may not while some transaction is old:
-- 41 ms for 200,000 of them [measured]. Whoever passes it asks without it now and then, since rows may come late there.
-- The plan is the same at any size, and is made once.
CREATE OR REPLACE FUNCTION thanopg.claim(
  embedding int, token uuid, size int, lease interval, alone boolean DEFAULT false, since timestamptz DEFAULT '-infinity')
RETURNS TABLE (key jsonb, attempts int, lost_leases int, waited_since timestamptz)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
  SET plan_cache_mode = 'force_generic_plan' SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
AS $$
#variable_conflict use_column
BEGIN
  IF alone THEN
    RETURN QUERY
    WITH c AS MATERIALIZED (
      SELECT p.ctid AS place, p.available_at FROM thanopg.pending p
      WHERE p.embedding = claim.embedding AND p.available_at BETWEEN since AND now() AND (p.lost_leases > 0 OR p.claimed_by IS NOT NULL)
      ORDER BY p.available_at LIMIT 1 FOR UPDATE SKIP LOCKED)
    UPDATE thanopg.pending p
    SET lost_leases = p.lost_leases + (p.claimed_by IS NOT NULL AND p.available_at - lease > pg_postmaster_start_time())::int,
        claimed_by = token, available_at = now() + lease
    WHERE p.ctid = ANY (ARRAY(SELECT c.place FROM c))
    RETURNING p.key, p.attempts, p.lost_leases, (SELECT max(c.available_at) FROM c);
  ELSE
    RETURN QUERY
    WITH c AS MATERIALIZED (
      SELECT p.ctid AS place, p.available_at FROM thanopg.pending p
      WHERE p.embedding = claim.embedding AND p.available_at BETWEEN since AND now() AND p.lost_leases = 0 AND p.claimed_by IS NULL
      ORDER BY p.available_at LIMIT size FOR UPDATE SKIP LOCKED)
    UPDATE thanopg.pending p SET claimed_by = token, available_at = now() + lease
    WHERE p.ctid = ANY (ARRAY(SELECT c.place FROM c))
    RETURNING p.key, p.attempts, p.lost_leases, (SELECT max(c.available_at) FROM c);
  END IF;
END $$;
COMMENT ON FUNCTION thanopg.claim IS 'lease pending rows under a new token, those first that have waited longest';

-- A statement of its own, after the claim has committed; never join the two.
CREATE OR REPLACE FUNCTION thanopg.read_source(embedding int, keys jsonb[])
RETURNS TABLE (key jsonb, source_text text, source_bytes bytea, source_hash bytea, content_hash bytea, adopted text, etag text)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  col thanopg.embedding_column := thanopg.work_column(embedding);
BEGIN
  -- content_hash only where the very vector stands that was made from this source: then equal bytes need no new one.
  -- etag goes with content_hash: a server that knows it by that need not send the bytes again.
  -- A key alone proves nothing: rows change keys, and people copy, restore and write vectors.
  -- adopted: the vector that was made elsewhere, where a new one is only to be compared with it.
  RETURN QUERY EXECUTE format(
    'SELECT d.key, %1$s, %2$s, p.content_hash, CASE WHEN q.adopting THEN t.%6$I::text END, '
    '  CASE WHEN p.content_hash IS NOT NULL THEN p.etag END '
    'FROM (SELECT $1 AS embedding, u.key FROM unnest($2) u(key) OFFSET 0) d JOIN %4$s t ON %5$s '
    'LEFT JOIN thanopg.provenance p ON p.embedding = d.embedding AND p.key = d.key '
    '  AND p.fingerprint = $3 AND p.source_hash = %2$s AND p.vector_hash = %3$s '
    'LEFT JOIN thanopg.pending q ON q.embedding = d.embedding AND q.key = d.key',
    CASE WHEN col.source_is_bytes THEN format('NULL::text, t.%I::bytea', col.source_name) ELSE format('t.%I::text, NULL::bytea', col.source_name) END,
    thanopg.source_hash_expression(col, 't'),
    thanopg.vector_hash_expression(col, 't.' || quote_ident(col.column_name), 't.' || quote_ident(col.attributes_name)),
    col.target, thanopg.key_condition(col, 't', 'd.key'), col.column_name)
  USING embedding, keys, col.fingerprint;
END $$;
COMMENT ON FUNCTION thanopg.read_source IS 'what the claimed rows hold now; rows that are gone are not returned';

CREATE OR REPLACE FUNCTION thanopg.extend(embedding int, token uuid, keys jsonb[], lease interval)
RETURNS bigint LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
  WITH g AS (
    SELECT p.embedding, p.key
    FROM (SELECT extend.embedding, k.key FROM unnest(keys) k(key) OFFSET 0) k
    JOIN thanopg.pending p ON p.embedding = k.embedding AND p.key = k.key AND p.claimed_by IS NOT DISTINCT FROM token
    FOR UPDATE OF p SKIP LOCKED),
  u AS (
    UPDATE thanopg.pending p SET available_at = now() + lease FROM g WHERE p.embedding = g.embedding AND p.key = g.key RETURNING 1)
  SELECT count(*) FROM u;
$$;
COMMENT ON FUNCTION thanopg.extend IS 'heartbeat: the claim goes on';

CREATE OR REPLACE FUNCTION thanopg.release(embedding int, token uuid, keys jsonb[], backoff interval)
RETURNS bigint LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
  WITH g AS (
    SELECT p.embedding, p.key FROM thanopg.pending p
    WHERE p.embedding = release.embedding AND (keys IS NULL OR p.key = ANY (keys)) AND p.claimed_by = token
    FOR UPDATE SKIP LOCKED),
  u AS (
    UPDATE thanopg.pending p SET claimed_by = NULL, available_at = now() + backoff FROM g
    WHERE p.embedding = g.embedding AND p.key = g.key RETURNING 1)
  SELECT count(*) FROM u;
$$;
COMMENT ON FUNCTION thanopg.release IS 'give claimed rows back, charging them nothing; without keys, all of that token';

-- For rows that are gone, and for rows whose vector or caption proved to be right already: of these, the etag of now is kept.
CREATE OR REPLACE FUNCTION thanopg.forget(embedding int, token uuid, keys jsonb[], etags text[] DEFAULT NULL)
RETURNS bigint LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
  WITH g AS (
    SELECT p.embedding, p.key
    FROM (SELECT forget.embedding, k.key FROM unnest(keys) k(key) OFFSET 0) k
    JOIN thanopg.pending p ON p.embedding = k.embedding AND p.key = k.key AND p.claimed_by IS NOT DISTINCT FROM token
    FOR UPDATE OF p SKIP LOCKED),
  d AS (
    DELETE FROM thanopg.pending p USING g WHERE p.embedding = g.embedding AND p.key = g.key RETURNING p.embedding, p.key),
  e AS (
    UPDATE thanopg.provenance v SET etag = u.etag
    FROM d JOIN unnest(keys, etags) u(key, etag) ON u.key = d.key
    WHERE etags IS NOT NULL AND v.embedding = d.embedding AND v.key = d.key AND v.etag IS DISTINCT FROM u.etag)
  SELECT count(*) FROM d;
$$;
COMMENT ON FUNCTION thanopg.forget IS 'take claimed rows out of the queue without writing anything';

-- Locks those target rows whose source is still the one that was read. Its caller's next statement sees all that was
-- committed before the locks were taken: a changed row has lost its token by then.
CREATE OR REPLACE FUNCTION thanopg.lock_unchanged(col thanopg.embedding_column, keys jsonb[], source_hashes bytea[])
RETURNS jsonb[] LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  locked jsonb[];
BEGIN
  -- The table lock of the UPDATE to come, before any row lock: waited for later, it would let a user's transaction that
  -- holds a stronger one (ALTER TABLE … DISABLE TRIGGER, then UPDATE) wait for our rows while we wait for its table.
  EXECUTE format('EXPLAIN UPDATE %s SET %I = NULL', col.target, col.column_name);
  EXECUTE format(
    'SELECT array_agg(l.key) FROM ('
    'SELECT d.key FROM unnest($1, $2) d(key, source_hash) JOIN %s t ON %s AND %s IS NOT DISTINCT FROM d.source_hash '
    'FOR NO KEY UPDATE OF t SKIP LOCKED) l',
    col.target, thanopg.key_condition(col, 't', 'd.key'), thanopg.source_hash_expression(col, 't'))
  INTO locked USING keys, source_hashes;
  RETURN coalesce(locked, '{}');
END $$;
COMMENT ON FUNCTION thanopg.lock_unchanged IS 'lock target rows whose source is unchanged; never waits';

-- What was made is in packed, or in vectors as text, as captions are; attributes and content_hashes are NULL where the
-- source is NULL, and so is what was made. Returns the keys that were written.
CREATE OR REPLACE FUNCTION thanopg.finish(
  embedding int, token uuid, fingerprint text, keys jsonb[], source_hashes bytea[], vectors text[],
  content_hashes bytea[], sizes bigint[], modified timestamptz[], attributes jsonb[] DEFAULT NULL,
  etags text[] DEFAULT NULL, packed vector[] DEFAULT NULL)
RETURNS SETOF jsonb LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_variable
DECLARE
  col thanopg.embedding_column := thanopg.work_column(embedding);
  locked jsonb[];
BEGIN
  IF fingerprint IS DISTINCT FROM col.fingerprint THEN
    RAISE EXCEPTION 'column %.% holds vectors of another model than this worker''s', col.target, quote_ident(col.column_name) USING
      ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'worker, service and database must use the same weights';
  END IF;
  locked := thanopg.lock_unchanged(col, keys, source_hashes);
  RETURN QUERY EXECUTE format(
    'WITH d AS MATERIALIZED ('  -- so that what was made is read once
    '  SELECT $1 AS embedding, key, source_hash, content_hash, bytes, modified_at, attributes, etag, %7$s AS made '
    '  FROM unnest($3, $4, $5, $6, $7, $8, $11, $12, $13) '
    '    d(key, source_hash, vector, content_hash, bytes, modified_at, attributes, etag, packed) '
    '  WHERE d.key = ANY ($9)), '
    'won AS ('
    '  DELETE FROM thanopg.pending p USING d '
    '  WHERE p.embedding = d.embedding AND p.key = d.key AND p.claimed_by IS NOT DISTINCT FROM $2 RETURNING p.key), '
    'made AS ('
    '  INSERT INTO thanopg.provenance AS v (embedding, key, source_hash, content_hash, bytes, modified_at, etag, fingerprint, vector_hash) '
    '  SELECT $1, d.key, d.source_hash, d.content_hash, d.bytes, d.modified_at, d.etag, $10, %5$s FROM won JOIN d USING (key) WHERE d.made IS NOT NULL '
    '  ON CONFLICT (embedding, key) DO UPDATE SET source_hash = EXCLUDED.source_hash, content_hash = EXCLUDED.content_hash, '
    '    bytes = EXCLUDED.bytes, modified_at = EXCLUDED.modified_at, etag = EXCLUDED.etag, fingerprint = EXCLUDED.fingerprint, vector_hash = EXCLUDED.vector_hash, '
    '    embedded_at = now()), '
    'unmade AS ('
    '  DELETE FROM thanopg.provenance v USING won JOIN d USING (key) WHERE v.embedding = d.embedding AND v.key = d.key AND d.made IS NULL) '
    'UPDATE %1$s t SET %2$I = d.made%6$s FROM won JOIN d USING (key) WHERE %4$s RETURNING d.key',
    col.target, col.column_name, col.type, thanopg.key_condition(col, 't', 'd.key'),
    thanopg.vector_hash_expression(col, 'd.made', 'd.attributes'), ', ' || quote_ident(col.attributes_name) || ' = d.attributes',
    CASE col.kind WHEN 'caption' THEN format('d.vector::%s', col.type)
      ELSE format('coalesce(d.packed::%1$s, d.vector::%1$s)', col.type) END)
  USING embedding, token, keys, source_hashes, vectors, content_hashes, sizes, modified, locked, fingerprint, attributes, etags, packed;
END $$;
COMMENT ON FUNCTION thanopg.finish IS 'write vectors or captions where neither the source nor the claim has changed since; one transaction';

-- retry_after NULL sets the row aside. A fault of the source itself also takes the vector or caption away, in the same
-- transaction, so that nobody finds a row by a picture that it no longer has. Returns whether it was recorded.
CREATE OR REPLACE FUNCTION thanopg.fail(
  embedding int, token uuid, key jsonb, source_hash bytea, error_type text, error_text text, retry_after interval, clear_vector boolean)
RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_variable
DECLARE
  col thanopg.embedding_column := thanopg.work_column(embedding);
  recorded boolean;
BEGIN
  IF cardinality(thanopg.lock_unchanged(col, ARRAY[key], ARRAY[source_hash])) = 0 THEN
    RETURN false;
  END IF;
  UPDATE thanopg.pending p
  SET claimed_by = NULL, attempts = p.attempts + 1, lost_leases = 0, error_type = error_type, error_text = left(error_text, 1000),
      source_hash = source_hash,
      available_at = CASE WHEN retry_after IS NULL THEN 'infinity' ELSE now() + retry_after END,
      failed_at = CASE WHEN retry_after IS NULL THEN now() END
  WHERE p.embedding = embedding AND p.key = key AND p.claimed_by = token;
  recorded := FOUND;
  IF recorded AND clear_vector THEN
    EXECUTE format('UPDATE %1$s t SET %2$I = NULL%4$s FROM (SELECT $1 AS key) d WHERE %3$s AND t.%2$I IS NOT NULL',
                   col.target, col.column_name, thanopg.key_condition(col, 't', 'd.key'),
                   ', ' || quote_ident(col.attributes_name) || ' = NULL') USING key;
    DELETE FROM thanopg.provenance v WHERE v.embedding = embedding AND v.key = key;
  END IF;
  RETURN recorded;
END $$;
COMMENT ON FUNCTION thanopg.fail IS 'record a fault that belongs to one row';
