-- Search that yields rows of the user's own type.

CREATE OR REPLACE FUNCTION thanopg.search_rows(
  type_of anyelement, query text, model text, k int DEFAULT 10, filter text DEFAULT NULL, column_name name DEFAULT NULL,
  options jsonb DEFAULT '{}')
RETURNS TABLE (item anyelement, similarity real, detail jsonb)
LANGUAGE plpgsql STABLE SET hnsw.iterative_scan = 'relaxed_order' AS $$
DECLARE
  target regclass := (SELECT t.typrelid FROM pg_catalog.pg_type t WHERE t.oid = pg_typeof(type_of) AND t.typrelid <> 0);
  effort CONSTANT text := thanopg.present_effort();
  col thanopg.embedding_column;
  written record;
  shape text;
  statement text;
BEGIN
  IF target IS NULL THEN
    RAISE EXCEPTION 'the first argument must be a row of a table, not %', pg_typeof(type_of) USING
      ERRCODE = 'datatype_mismatch', HINT = 'for example: SELECT * FROM search_rows(NULL::photo, ''a red dress'', ''catalog'')';
  END IF;
  col := thanopg.searched_column(model, k, target, column_name, options);
  written := thanopg.written_search(col, query, NULL, NULL, format('(%I.*)::%s AS item', col.table_name, thanopg.from_target(col)), k, filter, options, false);
  PERFORM thanopg.set_search_effort(coalesce((written.plan->>'candidates')::int, k), options);
  shape := CASE WHEN written.plan IS NULL THEN
    'SELECT s.item, (1 - s.distance)::real, $2::jsonb' || thanopg.also_probability(col, '1 - s.distance') || ' FROM (%s) s ORDER BY s.distance'
  ELSE
    'SELECT s.item, s.similarity::real, $2::jsonb || s.detail FROM (%s) s ORDER BY s.rank'
  END;
  FOREACH statement IN ARRAY written.statements LOOP
    RETURN QUERY EXECUTE replace(shape, '%s', statement) USING written.vectors, thanopg.search_detail(col, written.captions, written.plan);
    EXIT WHEN FOUND;
  END LOOP;
  PERFORM set_config('hnsw.ef_search', effort, true);
END $$;
COMMENT ON FUNCTION thanopg.search_rows IS
  'whole rows whose picture fits a text, nearest first. Example: SELECT (item).*, similarity FROM search_rows(NULL::photo, ''a red dress'', ''catalog'')';
