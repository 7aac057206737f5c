-- From the arguments of a search to its statements, and to its rows.

-- Most searches ask for one vector of one column and nothing else. They take a short way.
CREATE OR REPLACE FUNCTION thanopg.is_plain(col thanopg.embedding_column, options jsonb)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (col).template IS NULL AND (
  options = '{}' OR NOT options ?| '{plus,minus,like,unlike,template,min_probability}' AND coalesce(options->>'method', 'image') = 'image');
COMMENT ON FUNCTION thanopg.is_plain IS 'does a search ask for one vector of one column and nothing else';

-- The statements are run one after another until one finds rows: an index scan may end too early, and a plan of both ways at
-- once takes longer to make than most searches take to run. As an expression it is one, in which the vectors are calls of
-- embed_text, to be read and run again; otherwise they are computed now, and $1 stands for them. plan is null where one
-- column of vectors is all that is searched.
CREATE OR REPLACE FUNCTION thanopg.written_search(
  col thanopg.embedding_column, query text, image bytea, key jsonb, items text, k int, filter text, options jsonb, as_expression boolean,
  OUT statements text[], OUT vectors text[], OUT plan jsonb, OUT captions thanopg.embedding_column[])
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_variable
DECLARE
  parts jsonb;
  needed thanopg.embedding_column[];
  names text[];
  asked text;
  calls text[] := '{}';
  place int;
  selected text[];
BEGIN
  PERFORM thanopg.check_filter(col, filter);
  IF key IS NULL AND NOT as_expression AND thanopg.is_plain(col, options) THEN
    vectors := ARRAY[CASE WHEN image IS NULL THEN thanopg.query_vector(query, col) ELSE thanopg.query_vector(image, col) END];
    statements := thanopg.search_statements(col, items, k, filter, options);
    RETURN;
  END IF;
  parts := thanopg.query_parts(query, image, key, options);
  IF parts = '[]' THEN
    PERFORM thanopg.check_query(NULL::text);
  END IF;
  filter := thanopg.rows_beside(col, parts, filter);
  IF coalesce(options->>'method', 'image') = 'image' THEN
    IF as_expression THEN
      asked := thanopg.parts_expression(col, parts, options);
    ELSE
      asked := '$1[1]';
      vectors := ARRAY[thanopg.parts_vector(col, parts, options)];
    END IF;
    IF options ? 'min_probability' THEN
      statements := ARRAY[format(E'SELECT * FROM (\n%s\n) found\nWHERE distance <= %L::double precision\nORDER BY distance',
                                 thanopg.search_statement(col, thanopg.query_expression(col, asked), items, k, filter, options),
                                 1 - thanopg.least_similarity(col, options))];
    ELSIF as_expression THEN
      statements := ARRAY[thanopg.search_statement(col, thanopg.query_expression(col, asked), items, k, filter, options)];
    ELSE
      statements := thanopg.search_statements(col, items, k, filter, options);
    END IF;
    RETURN;
  END IF;
  captions := thanopg.caption_columns(col, options);
  plan := thanopg.search_plan(col, captions, parts, k, options);
  needed := CASE WHEN plan->'weights' ? 'image' THEN ARRAY[col] END || CASE WHEN plan->'weights' ? 'caption' THEN captions END;
  names := CASE WHEN plan->'weights' ? 'image' THEN '{image}'::text[] END
           || CASE WHEN plan->'weights' ? 'caption' THEN ARRAY(SELECT 'caption_' || i FROM generate_series(1, cardinality(captions)) i) END;
  FOR i IN 1 .. coalesce(cardinality(needed), 0) LOOP
    asked := thanopg.parts_expression(needed[i], parts, options);
    place := array_position(calls, asked);
    IF place IS NULL THEN  -- columns of one model are asked about with one vector
      calls := calls || asked;
      place := cardinality(calls);
      IF NOT as_expression THEN
        vectors := vectors || thanopg.parts_vector(needed[i], parts, options);
      END IF;
    END IF;
    selected := selected || format(CASE WHEN as_expression THEN 'vector_%s' ELSE '$1[%s]' END || '::%s AS %s', place, needed[i].type, names[i]);
  END LOOP;
  statements := ARRAY[thanopg.hybrid_statement(
    col, captions, plan, array_to_string(selected, ', ') || CASE WHEN as_expression THEN (
      SELECT format(E'\n  FROM (SELECT %s OFFSET 0) asked', string_agg(format('%s AS vector_%s', u.call, u.number), ', ' ORDER BY u.number))
      FROM unnest(calls) WITH ORDINALITY u(call, number)) ELSE '' END, parts, items, k, filter, options)];
END $$;
COMMENT ON FUNCTION thanopg.written_search IS 'the statements of a search, and the vectors that they are run with';

-- What detail says of every row: how it was searched.
CREATE OR REPLACE FUNCTION thanopg.search_detail(col thanopg.embedding_column, captions thanopg.embedding_column[], plan jsonb)
RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN jsonb_build_object('model', (col).model, 'column', (col).column_name) || CASE WHEN plan IS NULL THEN '{}' ELSE jsonb_strip_nulls(
  jsonb_build_object(
    'method', plan->'method', 'fusion', CASE WHEN plan->>'method' = 'hybrid' THEN plan->'fusion' END, 'without', plan->'without',
    'captions', CASE WHEN plan->'weights' ? 'caption' THEN (SELECT jsonb_agg(c.column_name) FROM unnest(captions) c) END)) END;
COMMENT ON FUNCTION thanopg.search_detail IS 'what detail says of all rows that a search finds';

-- Not parallel-restricted: set_config refuses to run under a parallel plan.
CREATE OR REPLACE FUNCTION thanopg.run_search(
  col thanopg.embedding_column, query text, image bytea, key jsonb, k int, filter text, options jsonb)
RETURNS TABLE (rank int, target regclass, row_key jsonb, row_image text, similarity real, detail jsonb)
LANGUAGE plpgsql STABLE SET hnsw.iterative_scan = 'relaxed_order' AS $$
DECLARE
  effort CONSTANT text := thanopg.present_effort();
  written record;
  shape text;
  statement text;
  found_rows int;
  most_counted CONSTANT int := 10000;
  waiting bigint;
BEGIN
  written := thanopg.written_search(col, query, image, key, thanopg.image_items(col), k, filter, options, false);
  PERFORM thanopg.set_search_effort(coalesce((written.plan->>'candidates')::int, k), options);
  shape := CASE WHEN written.plan IS NULL THEN
    'SELECT (row_number() OVER (ORDER BY s.distance))::int, $2::regclass, s.key, s.image, (1 - s.distance)::real, $3::jsonb'
    || thanopg.also_probability(col, '1 - s.distance') || ' FROM (%s) s ORDER BY s.distance'
  ELSE
    'SELECT s.rank::int, $2::regclass, s.key, s.image, s.similarity::real, $3::jsonb || s.detail FROM (%s) s ORDER BY s.rank'
  END;
  FOREACH statement IN ARRAY written.statements LOOP
    RETURN QUERY EXECUTE replace(shape, '%s', statement)
    USING written.vectors, col.target, thanopg.search_detail(col, written.captions, written.plan);
    GET DIAGNOSTICS found_rows = ROW_COUNT;
    EXIT WHEN FOUND;
  END LOOP;
  PERFORM set_config('hnsw.ef_search', effort, true);
  IF found_rows < k AND has_table_privilege('thanopg.pending', 'SELECT') THEN  -- else it is none of the caller's business
    SELECT count(*) INTO waiting FROM (
      SELECT FROM thanopg.pending p WHERE p.embedding = col.id AND p.available_at < 'infinity' ORDER BY p.available_at LIMIT most_counted) w;
    IF waiting > 0 THEN
      RAISE NOTICE '% rows of % are not embedded yet', concat(CASE WHEN waiting = most_counted THEN 'at least ' END, waiting), col.target
        USING HINT = 'a worker does it: SELECT * FROM embedding_status';
    END IF;
  END IF;
END $$;
COMMENT ON FUNCTION thanopg.run_search IS 'the rows that fit a text, an image or a row';
