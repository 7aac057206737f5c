-- Search that yields rows of the user's own type, and search by a row that is already there.

CREATE OR REPLACE FUNCTION thanopg.search_rows(
  type_of anyelement, query text, model text, k int DEFAULT 10, filter text DEFAULT NULL, column_name name DEFAULT NULL,
  options jsonb DEFAULT '{}')
RETURNS TABLE (item anyelement, similarity real, detail jsonb)
LANGUAGE plpgsql STABLE SET hnsw.iterative_scan = 'strict_order' AS $$
DECLARE
  target regclass := (SELECT t.typrelid FROM pg_catalog.pg_type t WHERE t.oid = pg_typeof(type_of) AND t.typrelid <> 0);
  col thanopg.embedding_column;
BEGIN
  IF target IS NULL THEN
    RAISE EXCEPTION 'the first argument must be a row of a table, not %', pg_typeof(type_of) USING
      ERRCODE = 'datatype_mismatch', HINT = 'for example: SELECT * FROM search_rows(NULL::photo, ''a black cat'', ''clip'')';
  END IF;
  PERFORM thanopg.check_query(query), thanopg.check_search(k, options), thanopg.find_model(model), thanopg.set_search_effort(k, options);
  col := thanopg.find_embedding_column(model, target, column_name);
  RETURN QUERY EXECUTE
    'SELECT s.item, (1 - s.distance)::real, $2::jsonb FROM ('
    || thanopg.search_statement(col, thanopg.query_expression(col, '$1'), format('%I AS item', col.table_name), k, filter, options)
    || ') s ORDER BY s.distance'
  USING thanopg.service_call(thanopg.embed_request(query, col.model_source, col.fingerprint)),
        jsonb_build_object('model', col.model, 'column', col.column_name);
END $$;
COMMENT ON FUNCTION thanopg.search_rows IS
  'whole rows whose picture fits a text, nearest first. Example: SELECT (item).*, similarity FROM search_rows(NULL::photo, ''a black cat'', ''clip'')';

CREATE OR REPLACE FUNCTION thanopg.similar_image(
  target regclass, key jsonb, model text, k int DEFAULT 10, filter text DEFAULT NULL, column_name name DEFAULT NULL,
  options jsonb DEFAULT '{}')
RETURNS TABLE (rank int, target regclass, key jsonb, image text, similarity real, detail jsonb)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
  col thanopg.embedding_column;
  this_row text;
  found_row boolean;
  own_vector text;
BEGIN
  IF $1 IS NULL OR $2 IS NULL THEN
    RAISE EXCEPTION 'table and key are needed' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  PERFORM thanopg.check_search($4, $7), thanopg.find_model($3);
  col := thanopg.find_embedding_column($3, $1, $6);
  IF jsonb_typeof($2) <> 'object' OR NOT $2 ?& col.key_names::text[] THEN
    RAISE EXCEPTION 'the key of % is an object with %', col.target, array_to_string(col.key_names, ', ') USING
      ERRCODE = 'invalid_parameter_value',
      HINT = format('for example: similar_image(%L, ''%s'', %L)', col.target, jsonb_build_object(col.key_names[1], 1), $3);
  END IF;
  SELECT string_agg(format('%I.%I = (%L::jsonb->>%L)::%s', col.table_name, name, $2, name, type), ' AND ') INTO this_row
  FROM unnest(col.key_names, col.key_types) u(name, type);
  EXECUTE format('SELECT true, %I::text FROM %s WHERE %s', col.column_name, col.target, this_row) INTO found_row, own_vector;
  IF found_row IS NULL THEN
    RAISE EXCEPTION 'no row of % has the key %', col.target, $2 USING ERRCODE = 'no_data_found';
  ELSIF own_vector IS NULL THEN
    RAISE EXCEPTION 'row % of % has no vector yet', $2, col.target USING
      ERRCODE = 'object_not_in_prerequisite_state', HINT = 'see: SELECT * FROM embedding_status; SELECT * FROM failure';
  END IF;
  RETURN QUERY SELECT * FROM thanopg.run_search(
    col, own_vector, $4, concat_ws(' AND ', format('NOT (%s)', this_row), '(' || $5 || E'\n)'), $7);
END $$;
COMMENT ON FUNCTION thanopg.similar_image IS
  'rows whose picture is like that of one row, which is left out. Example: SELECT * FROM similar_image(''photo'', ''{"id": 7}'', ''clip'')';
