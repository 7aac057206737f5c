-- Search by text, image or row. PostgreSQL ranks; these functions only write the statement and run it.
--
-- pgvector uses its index for a bare ascending ORDER BY column <=> constant LIMIT k and for nothing else, so that is what
-- is written. With a filter an HNSW scan may end before it has k rows: then the same statement runs once more without
-- the index. Functions run with the caller's rights, so row-level security holds; filter is SQL with the caller's rights
-- and must never come from a user's input.

CREATE OR REPLACE FUNCTION thanopg.check_search(k int, options jsonb)
RETURNS void LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  known CONSTANT text[] := ARRAY['exact', 'ef_search'];
  unknown text;
BEGIN
  IF k IS NULL OR k <= 0 THEN
    RAISE EXCEPTION 'k must be at least 1, not %', coalesce(k::text, 'null') USING ERRCODE = 'invalid_parameter_value';
  ELSIF jsonb_typeof(options) IS DISTINCT FROM 'object' THEN
    RAISE EXCEPTION 'options must be a JSON object' USING
      ERRCODE = 'invalid_parameter_value', HINT = 'for example: options => ''{"exact": true}''';
  END IF;
  SELECT o INTO unknown FROM jsonb_object_keys(options) o WHERE o <> ALL (known) LIMIT 1;
  IF unknown IS NOT NULL THEN
    RAISE EXCEPTION 'unknown option %', quote_literal(unknown) USING
      ERRCODE = 'invalid_parameter_value', HINT = 'known: ' || array_to_string(known, ', ');
  ELSIF jsonb_typeof(options->'exact') NOT IN ('boolean') THEN
    RAISE EXCEPTION 'option exact is true or false' USING ERRCODE = 'invalid_parameter_value';
  ELSIF options ? 'ef_search' AND (jsonb_typeof(options->'ef_search') <> 'number' OR NOT (options->>'ef_search')::numeric BETWEEN 1 AND 1000) THEN
    RAISE EXCEPTION 'option ef_search is a number from 1 to 1000' USING ERRCODE = 'invalid_parameter_value';
  END IF;
END $$;
COMMENT ON FUNCTION thanopg.check_search IS 'refuse a search that can only give a wrong answer';

-- <=> as people write it where the caller's search_path has it, qualified where not.
CREATE OR REPLACE FUNCTION thanopg.distance_operator(type_id oid)
RETURNS text LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN (
  SELECT CASE WHEN pg_catalog.pg_operator_is_visible(o.oid) THEN '<=>'
              ELSE pg_catalog.format('OPERATOR(%I.<=>)', n.nspname) END
  FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
  WHERE o.oprname = '<=>' AND o.oprleft = type_id AND o.oprright = type_id
);
COMMENT ON FUNCTION thanopg.distance_operator IS 'the cosine distance operator of a vector type, as this session can write it';

-- A filter is one condition. It is tried in a place where an unbalanced parenthesis is an error, so that it can't end the
-- condition around it, and what is wrong with it is said in one line.
CREATE OR REPLACE FUNCTION thanopg.check_filter(col thanopg.embedding_column, filter text)
RETURNS void LANGUAGE plpgsql STABLE AS $$
DECLARE
  state text;
  message text;
BEGIN
  IF filter IS NULL THEN
    RETURN;
  ELSIF btrim(filter) = '' THEN
    RAISE EXCEPTION 'the filter is empty' USING ERRCODE = 'invalid_parameter_value', HINT = 'leave it out to search all rows';
  END IF;
  BEGIN
    EXECUTE format(E'SELECT FROM %s WHERE CASE WHEN %s\nTHEN true END LIMIT 0', (col).target, filter);
  EXCEPTION WHEN syntax_error_or_access_rule_violation THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
  END;
  IF state IS NOT NULL THEN
    RAISE EXCEPTION 'in the filter: %', message USING ERRCODE = state, HINT = 'filter => is one SQL condition on the columns of ' || (col).target;
  END IF;
END $$;
COMMENT ON FUNCTION thanopg.check_filter IS 'refuse a filter that is no condition';

-- The one place that writes a search. query yields one row with the column "vector"; items are the columns that each
-- row shows, as SQL text. The vector is computed once: an inline call would run for every row.
CREATE OR REPLACE FUNCTION thanopg.search_statement(
  col thanopg.embedding_column, query text, items text, k int, filter text, options jsonb)
RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
  exact boolean := coalesce((options->>'exact')::boolean, false);
  vector_column text := format('%I.%I', (col).table_name, (col).column_name);
  distance text := format('%s %s (SELECT vector FROM query)', vector_column, thanopg.distance_operator((col).type_id));
  condition text := vector_column || ' IS NOT NULL' || coalesce(E'\n    AND (' || filter || E'\n    )', '');  -- the line break ends a comment
  shape CONSTANT text := E'  SELECT %s, %s AS distance\n  FROM %s\n  WHERE %s\n  ORDER BY distance\n  LIMIT %s';
  every text;
BEGIN
  -- "+ 0" keeps the index out
  every := format(shape, items, '(' || distance || ') + 0', (col).target,
                  condition || CASE WHEN exact THEN '' ELSE format(E'\n    AND (SELECT count(*) FROM near) < %s', k) END, k);
  IF exact THEN
    RETURN format(E'WITH query AS MATERIALIZED (\n  %s\n)\nSELECT * FROM (\n%s\n) found\nORDER BY distance', query, every);
  END IF;
  RETURN format(E'WITH query AS MATERIALIZED (\n  %s\n), near AS MATERIALIZED (\n%s\n), every AS (  -- an index scan may end too early: then once more, without it\n%s\n)\n'
                'SELECT * FROM near WHERE (SELECT count(*) FROM near) >= %s\nUNION ALL\nSELECT * FROM every\nORDER BY distance',
                query, thanopg.near_statement(col, items, distance, (col).target::text, condition, k, options), every, k);
END $$;
COMMENT ON FUNCTION thanopg.search_statement IS 'SQL text: the k rows nearest to a query vector, nearest first';

-- What search_image shows of a row: its key as an object, and the path.
CREATE OR REPLACE FUNCTION thanopg.image_items(col thanopg.embedding_column)
RETURNS text LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN format('jsonb_build_object(%s) AS key, %s AS image',
  (SELECT string_agg(format('%L, %I.%I', name, (col).table_name, name), ', ' ORDER BY position)
   FROM unnest((col).key_names) WITH ORDINALITY u(name, position)),
  CASE WHEN (col).source_is_bytes THEN 'NULL::text' ELSE format('%I.%I::text', (col).table_name, (col).source_name) END);
COMMENT ON FUNCTION thanopg.image_items IS 'SQL text: the columns key and image of a search';

CREATE OR REPLACE FUNCTION thanopg.query_expression(col thanopg.embedding_column, call text)
RETURNS text LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN pg_catalog.format('SELECT %s::%s AS vector', call, (col).type);
COMMENT ON FUNCTION thanopg.query_expression IS 'SQL text: the query that yields the query vector';

CREATE OR REPLACE FUNCTION thanopg.set_search_effort(k int, options jsonb)
RETURNS void LANGUAGE sql VOLATILE AS $$
  SELECT pg_catalog.set_config('hnsw.ef_search', coalesce(
    options->>'ef_search',
    greatest(coalesce(pg_catalog.current_setting('hnsw.ef_search', true), '40')::int, least(k, 1000))::text), true);
$$;
COMMENT ON FUNCTION thanopg.set_search_effort IS 'let an index scan look at enough rows for k results';

-- Runs a search whose query vector is known, as text. Not parallel-restricted: set_config refuses to run under a parallel plan.
-- The SET clause opens a level of settings that ends with the function.
CREATE OR REPLACE FUNCTION thanopg.run_search(
  col thanopg.embedding_column, query_vector text, k int, filter text, options jsonb)
RETURNS TABLE (rank int, target regclass, key jsonb, image text, similarity real, detail jsonb)
LANGUAGE plpgsql STABLE SET hnsw.iterative_scan = 'strict_order' AS $$
DECLARE
  found_rows int;
  most_counted CONSTANT int := 10000;
  waiting bigint;
BEGIN
  PERFORM thanopg.check_filter(col, filter), thanopg.set_search_effort(k, options);
  RETURN QUERY EXECUTE
    'SELECT (row_number() OVER (ORDER BY s.distance))::int, $2::regclass, s.key, s.image, (1 - s.distance)::real, $3::jsonb FROM ('
    || thanopg.search_statement(col, thanopg.query_expression(col, '$1'), thanopg.image_items(col), k, filter, options)
    || ') s ORDER BY s.distance'
  USING query_vector, col.target, jsonb_build_object('model', col.model, 'column', col.column_name);
  GET DIAGNOSTICS found_rows = ROW_COUNT;
  IF found_rows < k AND has_table_privilege('thanopg.pending', 'SELECT') THEN  -- else it is none of the caller's business
    SELECT count(*) INTO waiting FROM (
      SELECT FROM thanopg.pending p WHERE p.embedding = col.id AND p.available_at < 'infinity' ORDER BY p.available_at LIMIT most_counted) w;
    IF waiting > 0 THEN
      RAISE NOTICE '% rows of % are not embedded yet', concat(CASE WHEN waiting = most_counted THEN 'at least ' END, waiting), col.target
        USING HINT = 'a worker does it: SELECT * FROM embedding_status';
    END IF;
  END IF;
END $$;
COMMENT ON FUNCTION thanopg.run_search IS 'the rows nearest to a query vector';

-- What the arguments of a search mean, or why they mean nothing.
CREATE OR REPLACE FUNCTION thanopg.searched_column(model text, k int, target regclass, column_name name, options jsonb)
RETURNS thanopg.embedding_column LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
  PERFORM thanopg.check_search(k, options), thanopg.find_model(model);
  RETURN thanopg.find_embedding_column(model, target, column_name, 'image');
END $$;
COMMENT ON FUNCTION thanopg.searched_column IS 'the embedding column to search, its arguments checked';

-- The vector, in the column's own fingerprint: the service refuses if its weights are others by now.
CREATE OR REPLACE FUNCTION thanopg.query_vector(query text, col thanopg.embedding_column)
RETURNS text LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM thanopg.check_query(query);
  RETURN thanopg.ask_service(query, (col).model_source, (col).fingerprint);
END $$;
COMMENT ON FUNCTION thanopg.query_vector(text, thanopg.embedding_column) IS 'vector of a text, in the space of a column';

CREATE OR REPLACE FUNCTION thanopg.query_vector(query bytea, col thanopg.embedding_column)
RETURNS text LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM thanopg.check_query(query);
  RETURN thanopg.ask_service(query, (col).model_source, (col).fingerprint);
END $$;
COMMENT ON FUNCTION thanopg.query_vector(bytea, thanopg.embedding_column) IS 'vector of an image, in the space of a column';

-- LANGUAGE sql, because an argument and a result share the name "target".
CREATE OR REPLACE FUNCTION thanopg.search_image(
  query text, model text, k int DEFAULT 10, target regclass DEFAULT NULL, filter text DEFAULT NULL,
  column_name name DEFAULT NULL, options jsonb DEFAULT '{}')
RETURNS TABLE (rank int, target regclass, key jsonb, image text, similarity real, detail jsonb)
LANGUAGE sql STABLE AS $$
  SELECT r.* FROM thanopg.searched_column($2, $3, $4, $6, $7) c,
  LATERAL thanopg.run_search(c, thanopg.query_vector($1, c), $3, $5, $7) r
$$;
COMMENT ON FUNCTION thanopg.search_image(text, text, int, regclass, text, name, jsonb) IS
  'rows whose picture fits a text, nearest first; similarity is the cosine. Example: SELECT * FROM search_image(''a red dress'', ''catalog'')';

CREATE OR REPLACE FUNCTION thanopg.search_image(
  query bytea, model text, k int DEFAULT 10, target regclass DEFAULT NULL, filter text DEFAULT NULL,
  column_name name DEFAULT NULL, options jsonb DEFAULT '{}')
RETURNS TABLE (rank int, target regclass, key jsonb, image text, similarity real, detail jsonb)
LANGUAGE sql STABLE AS $$
  SELECT r.* FROM thanopg.searched_column($2, $3, $4, $6, $7) c,
  LATERAL thanopg.run_search(c, thanopg.query_vector($1, c), $3, $5, $7) r
$$;
COMMENT ON FUNCTION thanopg.search_image(bytea, text, int, regclass, text, name, jsonb) IS
  'rows whose picture is like an image, given as the bytes of its file, nearest first';

CREATE OR REPLACE FUNCTION thanopg.search_sql(
  query text, model text, k int DEFAULT 10, target regclass DEFAULT NULL, filter text DEFAULT NULL,
  column_name name DEFAULT NULL, options jsonb DEFAULT '{}')
RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
  col thanopg.embedding_column := thanopg.searched_column($2, $3, $4, $6, $7);
BEGIN
  PERFORM thanopg.check_query($1), thanopg.check_filter(col, $5);
  RETURN thanopg.search_statement(
    col, thanopg.query_expression(col, format('thanopg.embed_text(%L, %L)', $1, $2)), thanopg.image_items(col), $3, $5, $7);
END $$;
COMMENT ON FUNCTION thanopg.search_sql IS 'the statement that search_image runs, to read, to EXPLAIN, to change';
