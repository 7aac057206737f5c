-- Search by text, image or row. PostgreSQL ranks; these functions only write the statement and run it.
--
-- pgvector uses its index for a bare ascending ORDER BY column <=> constant LIMIT k and for nothing else, so that is what
-- is written. With a filter an HNSW scan may end before it has k rows: then the same statement runs once more without
-- the index. Functions run with the caller's rights, so row-level security holds; filter is SQL with the caller's rights
-- and must never come from a user's input.

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

-- The table, as FROM can name it: our own names in a statement must not hide it.
CREATE OR REPLACE FUNCTION thanopg.from_target(col thanopg.embedding_column)
RETURNS text LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF (col).table_name IN ('query', 'near', 'every') OR (col).table_name ~ '_(near|every|term|row|weight|score)$' THEN
    RETURN (SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = (col).target);
  END IF;
  RETURN (col).target;
END $$;
COMMENT ON FUNCTION thanopg.from_target IS 'SQL text: the searched table';

-- The one place that writes a search of one column, in two halves: what an index finds, and every row for when that is too
-- little. All in SQL text: vector is the query's vector and no call, which would run for every row, items are the columns that
-- each row shows, too_few is what the second half waits for. near is null where an index is of no use. Not parallel: EXPLAIN.
CREATE OR REPLACE FUNCTION thanopg.search_halves(
  col thanopg.embedding_column, vector text, items text, k int, filter text, options jsonb, too_few text,
  OUT near text, OUT every text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
  vector_column CONSTANT text := format('%I.%I', (col).table_name, (col).column_name);
  distance CONSTANT text := format('%s %s %s', vector_column, thanopg.distance_operator((col).type_id), vector);
  condition CONSTANT text := vector_column || ' IS NOT NULL' || coalesce(E'\n    AND (' || filter || E'\n    )', '');  -- the line break ends a comment
  source CONSTANT text := thanopg.from_target(col);
  exact boolean := coalesce((options->>'exact')::boolean, false);
  effort int;
BEGIN
  IF filter IS NOT NULL AND NOT exact AND NOT options ? 'ef_search' THEN
    effort := thanopg.filter_effort(col, filter, k);
    exact := effort IS NULL;
  END IF;
  IF NOT exact THEN
    near := thanopg.near_statement(col, vector, items, distance, source,
                                   concat_ws(' AND ', condition, '(SELECT thanopg.prepare_scan(' || effort || '))'), k, options);
  END IF;
  every := format(E'  SELECT %s, (%s) + 0 AS distance\n  FROM %s\n  WHERE %s\n  ORDER BY distance\n  LIMIT %s',  -- "+ 0" keeps the index out
                  items, distance, source, concat_ws(E'\n    AND ', condition, CASE WHEN NOT exact THEN too_few END), k);
END $$;
COMMENT ON FUNCTION thanopg.search_halves IS 'SQL text: the k rows nearest to a query vector, as far as the index finds them, and without it';

-- Both halves in one statement. query yields one row with the column "vector", which is computed once.
CREATE OR REPLACE FUNCTION thanopg.search_statement(
  col thanopg.embedding_column, query text, items text, k int, filter text, options jsonb)
RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
  half CONSTANT record := thanopg.search_halves(col, '(SELECT vector FROM query)', items, k, filter, options,
                                                format('(SELECT count(*) FROM near) < %s', k));
BEGIN
  IF half.near IS NULL THEN
    RETURN format(E'WITH query AS MATERIALIZED (\n  %s\n)\nSELECT * FROM (\n%s\n) found\nORDER BY distance', query, half.every);
  END IF;
  RETURN format(E'WITH query AS MATERIALIZED (\n  %s\n), near AS MATERIALIZED (\n%s\n), every AS (  -- an index scan may end too early: then once more, without it\n%s\n)\n'
                'SELECT * FROM near WHERE (SELECT count(*) FROM near) >= %s\nUNION ALL\nSELECT * FROM every\nORDER BY distance',
                query, half.near, half.every, k);
END $$;
COMMENT ON FUNCTION thanopg.search_statement IS 'SQL text: the k rows nearest to a query vector, nearest first';

-- The halves apart, to be run one after the other until one finds rows: the first finds none where the index finds too few.
-- $1 is an array whose first element is the query's vector as text.
CREATE OR REPLACE FUNCTION thanopg.search_statements(col thanopg.embedding_column, items text, k int, filter text, options jsonb)
RETURNS text[] LANGUAGE plpgsql STABLE AS $$
DECLARE
  half CONSTANT record := thanopg.search_halves(col, '$1[1]::' || (col).type, items, k, filter, options, NULL);
BEGIN
  IF half.near IS NULL THEN
    RETURN ARRAY[half.every];
  END IF;
  RETURN ARRAY[format('SELECT * FROM (SELECT n.*, count(*) OVER () AS found_rows FROM (%s) n) counted WHERE found_rows >= %s', half.near, k), half.every];
END $$;
COMMENT ON FUNCTION thanopg.search_statements IS 'SQL texts: the k rows nearest to a query vector, by the index if it finds as many, else without it';

-- A text that was written of a picture leads to that picture. In plpgsql, which plans a look at the registry only once.
CREATE OR REPLACE FUNCTION thanopg.picture_column(col thanopg.embedding_column)
RETURNS name LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF (col).kind <> 'text' THEN
    RETURN CASE WHEN NOT (col).source_is_bytes THEN (col).source_name END;
  END IF;
  RETURN (SELECT c.source_name FROM thanopg.embedding_column c
          WHERE c.kind = 'caption' AND c.target = (col).target AND c.column_name = (col).source_name AND NOT c.source_is_bytes);
END $$;
COMMENT ON FUNCTION thanopg.picture_column IS 'the column with the path of the picture; null: there is none';

-- What search_image shows of a row: its key as an object, and the path of the picture.
CREATE OR REPLACE FUNCTION thanopg.image_items(col thanopg.embedding_column)
RETURNS text LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN format('jsonb_build_object(%s) AS key, %s AS image',
  (SELECT string_agg(format('%L, %I.%I', name, (col).table_name, name), ', ' ORDER BY position)
   FROM unnest((col).key_names) WITH ORDINALITY u(name, position)),
  coalesce(quote_ident((col).table_name) || '.' || quote_ident(thanopg.picture_column(col)), 'NULL') || '::text');
COMMENT ON FUNCTION thanopg.image_items IS 'SQL text: the columns key and image of a search';

CREATE OR REPLACE FUNCTION thanopg.query_expression(col thanopg.embedding_column, call text)
RETURNS text LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN pg_catalog.format('SELECT %s::%s AS vector', call, (col).type);
COMMENT ON FUNCTION thanopg.query_expression IS 'SQL text: the query that yields the query vector';

CREATE OR REPLACE FUNCTION thanopg.set_search_effort(k int, options jsonb)
RETURNS void LANGUAGE sql VOLATILE AS $$
  SELECT pg_catalog.set_config('hnsw.ef_search', coalesce(
    options->>'ef_search',
    greatest(coalesce(nullif(pg_catalog.current_setting('hnsw.ef_search', true), ''), '40')::int, least(k, 1000))::text), true);
$$;
COMMENT ON FUNCTION thanopg.set_search_effort IS 'let an index scan look at enough rows for k results';

-- set_config lasts until the transaction ends, so a search puts back what it has found. Before pgvector is loaded that is null,
-- and empty after a transaction had set it.
CREATE OR REPLACE FUNCTION thanopg.present_effort()
RETURNS text LANGUAGE sql STABLE AS $$ SELECT coalesce(nullif(pg_catalog.current_setting('hnsw.ef_search', true), ''), '40') $$;
COMMENT ON FUNCTION thanopg.present_effort IS 'hnsw.ef_search as it is now';

-- What the arguments of a search mean, or why they mean nothing. Where a model has made vectors of pictures and of texts,
-- a search means the pictures.
CREATE OR REPLACE FUNCTION thanopg.searched_column(model text, k int, target regclass, column_name name, options jsonb)
RETURNS thanopg.embedding_column LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_variable
DECLARE
  pictures thanopg.embedding_column[];
BEGIN
  PERFORM thanopg.check_search(k, options), thanopg.find_model(model);
  SELECT array_agg(c) INTO pictures FROM thanopg.embedding_column c
  WHERE c.model = model AND (target IS NULL OR c.target = target) AND (column_name IS NULL OR c.column_name = column_name) AND c.kind = 'image';
  IF cardinality(pictures) = 1 THEN
    RETURN pictures[1];
  END IF;
  RETURN thanopg.find_embedding_column(model, target, column_name, CASE
    WHEN pictures IS NULL AND EXISTS (
      SELECT FROM thanopg.embedding_column c
      WHERE c.model = model AND (target IS NULL OR c.target = target) AND (column_name IS NULL OR c.column_name = column_name) AND c.kind = 'text')
    THEN 'text' ELSE 'image' END);
END $$;
COMMENT ON FUNCTION thanopg.searched_column IS 'the embedding column to search, its arguments checked';
