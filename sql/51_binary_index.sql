-- A binary index: HNSW on the signs of a vector's numbers. It is a thirtieth of the size of one on vectors and is built in a
-- fraction of the time; what it finds are candidates, and their whole vectors say which of them are nearest.

CREATE OR REPLACE FUNCTION thanopg.is_binary_index(index oid, column_name name)
RETURNS boolean LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN (
  SELECT x.indkey[0] = 0 AND o.opcname = 'bit_hamming_ops'
         AND position('binary_quantize(' || quote_ident(is_binary_index.column_name) || ')' IN pg_get_expr(x.indexprs, x.indrelid)) > 0
  FROM pg_index x JOIN pg_opclass o ON o.oid = x.indclass[0] WHERE x.indexrelid = is_binary_index.index
);
COMMENT ON FUNCTION thanopg.is_binary_index IS 'is this a binary index of that vector column';

CREATE OR REPLACE FUNCTION thanopg.has_binary_index(target regclass, column_name name)
RETURNS boolean LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN EXISTS (
  SELECT FROM pg_index x WHERE x.indrelid = has_binary_index.target AND x.indisvalid AND thanopg.is_binary_index(x.indexrelid, has_binary_index.column_name)
);
COMMENT ON FUNCTION thanopg.has_binary_index IS 'can a search for candidates use an index';

-- A column or an expression that yields a vector, as its signs. Written out in full: an index is found by its expression.
CREATE OR REPLACE FUNCTION thanopg.binary_expression(col thanopg.embedding_column, vector text)
RETURNS text LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN (
  SELECT format('(%I.binary_quantize(%s)::bit(%s))', n.nspname, vector, (col).dimensions)
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid = (col).type_id
);
COMMENT ON FUNCTION thanopg.binary_expression IS 'SQL text: the signs of a vector as bits';

-- Twenty candidates for each row that is wanted: the signs alone tell near ones badly apart.
CREATE OR REPLACE FUNCTION thanopg.candidates(k bigint)
RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN greatest(20 * k, 200);
COMMENT ON FUNCTION thanopg.candidates IS 'how many rows a binary index is to find where k are wanted';

-- The first part of a search: what an index finds. The scan looks at as many rows as there are to be candidates, unless the
-- caller says at how many.
CREATE OR REPLACE FUNCTION thanopg.near_statement(
  col thanopg.embedding_column, vector text, items text, distance text, source text, condition text, k int, options jsonb)
RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
  candidates CONSTANT bigint := greatest(thanopg.candidates(k), (options->>'candidates')::bigint);
  operator text;
BEGIN
  IF (col).index_policy <> 'binary' OR NOT thanopg.has_binary_index((col).target, (col).column_name) THEN
    -- an iterative scan yields rows nearly in order: with "+ 0" nobody takes them for sorted
    RETURN format(E'  SELECT %1$s, (%2$s) + 0 AS distance\n  FROM %3$s\n  WHERE %4$s\n  ORDER BY %2$s\n  LIMIT %5$s', items, distance, source, condition, k);
  END IF;
  SELECT format('OPERATOR(%I.<~>)', n.nspname) INTO operator
  FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE t.oid = (col).type_id;
  RETURN format(
    E'  SELECT * FROM (  -- candidates by the signs of their numbers, ranked by their whole vectors\n'
    '    SELECT %s, %s AS distance\n    FROM %s\n    WHERE %s%s\n'
    '    ORDER BY %s %s (SELECT %s)\n    LIMIT %s) candidate\n  ORDER BY distance\n  LIMIT %s',
    items, distance, source, condition,
    CASE WHEN options ? 'ef_search' THEN '' ELSE format(' AND (SELECT thanopg.prepare_scan(%s))', candidates) END,
    thanopg.binary_expression(col, format('%I.%I', (col).table_name, (col).column_name)), operator,
    thanopg.binary_expression(col, vector), candidates, k);
END $$;
COMMENT ON FUNCTION thanopg.near_statement IS 'SQL text: the k rows nearest to a query vector, as far as the index finds them';
