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
      ERRCODE = 'datatype_mismatch', HINT = 'for example: SELECT * FROM search_rows(NULL::photo, ''a red dress'', ''catalog'')';
  END IF;
  col := thanopg.searched_column(model, k, target, column_name, options);
  PERFORM thanopg.check_filter(col, filter), thanopg.set_search_effort(k, options);
  RETURN QUERY EXECUTE
    'SELECT s.item, (1 - s.distance)::real, $2::jsonb FROM ('
    || thanopg.search_statement(col, thanopg.query_expression(col, '$1'), format('(%I.*)::%s AS item', col.table_name, col.target), k, filter, options)
    || ') s ORDER BY s.distance'
  USING thanopg.query_vector(query, col),
        jsonb_build_object('model', col.model, 'column', col.column_name);
END $$;
COMMENT ON FUNCTION thanopg.search_rows IS
  'whole rows whose picture fits a text, nearest first. Example: SELECT (item).*, similarity FROM search_rows(NULL::photo, ''a red dress'', ''catalog'')';

-- One row, as a condition: key is an object of the key columns.
CREATE OR REPLACE FUNCTION thanopg.row_condition(col thanopg.embedding_column, key jsonb)
RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF key IS NULL OR jsonb_typeof(key) <> 'object' OR NOT key ?& (col).key_names::text[] THEN
    RAISE EXCEPTION 'the key of % is an object with %', (col).target, array_to_string((col).key_names, ', ') USING
      ERRCODE = 'invalid_parameter_value',
      HINT = format('for example: ''{%s}''', (SELECT string_agg(to_json(name)::text || ': 1', ', ') FROM unnest((col).key_names) name));
  END IF;
  RETURN (SELECT string_agg(format('%I.%I = (%L::jsonb->>%L)::%s', (col).table_name, name, key, name, type), ' AND ')
          FROM unnest((col).key_names, (col).key_types) u(name, type));
END $$;
COMMENT ON FUNCTION thanopg.row_condition IS 'SQL text: the condition that finds the row of a key object';

CREATE OR REPLACE FUNCTION thanopg.row_vector(col thanopg.embedding_column, key jsonb)
RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
  found_row boolean;
  own_vector text;
BEGIN
  EXECUTE format('SELECT true, %I::text FROM %s WHERE %s', (col).column_name, (col).target, thanopg.row_condition(col, key))
  INTO found_row, own_vector;
  IF found_row IS NULL THEN
    RAISE EXCEPTION 'no row of % has the key %', (col).target, key USING ERRCODE = 'no_data_found';
  ELSIF own_vector IS NULL THEN
    RAISE EXCEPTION 'row % of % has no vector yet', key, (col).target USING
      ERRCODE = 'object_not_in_prerequisite_state', HINT = 'see: SELECT * FROM embedding_status; SELECT * FROM failure';
  END IF;
  RETURN own_vector;
END $$;
COMMENT ON FUNCTION thanopg.row_vector IS 'the vector that a row has';

CREATE OR REPLACE FUNCTION thanopg.other_rows(col thanopg.embedding_column, key jsonb, filter text)
RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
  PERFORM thanopg.check_filter(col, filter);
  RETURN concat_ws(' AND ', 'NOT (' || thanopg.row_condition(col, key) || ')', '(' || filter || E'\n)');
END $$;
COMMENT ON FUNCTION thanopg.other_rows IS 'SQL text: a filter, and not this row';

CREATE OR REPLACE FUNCTION thanopg.similar_image(
  target regclass, key jsonb, model text, k int DEFAULT 10, filter text DEFAULT NULL, column_name name DEFAULT NULL,
  options jsonb DEFAULT '{}')
RETURNS TABLE (rank int, target regclass, key jsonb, image text, similarity real, detail jsonb)
LANGUAGE sql STABLE AS $$
  SELECT r.* FROM thanopg.searched_column($3, $4, $1, $6, $7) c,
  LATERAL thanopg.run_search(c, thanopg.row_vector(c, $2), $4, thanopg.other_rows(c, $2, $5), $7) r
$$;
COMMENT ON FUNCTION thanopg.similar_image IS
  'rows whose picture is like that of one row, which is left out. Example: SELECT * FROM similar_image(''photo'', ''{"id": 7}'', ''catalog'')';
