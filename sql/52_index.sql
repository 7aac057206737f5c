-- The HNSW index of a vector column.

CREATE OR REPLACE FUNCTION thanopg.check_index(type text, index text, dimensions int)
RETURNS void LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  most_dimensions CONSTANT int := CASE WHEN index = 'binary' THEN 64000 WHEN type = 'halfvec' THEN 4000 ELSE 2000 END;  -- that pgvector can index
BEGIN
  IF index IS NULL OR index NOT IN ('auto', 'now', 'later', 'binary', 'none') THEN
    RAISE EXCEPTION 'index is auto, now, later, binary or none, not %', coalesce(quote_literal(index), 'null') USING ERRCODE = 'invalid_parameter_value';
  ELSIF index <> 'none' AND dimensions > most_dimensions THEN
    RAISE EXCEPTION 'an HNSW index on % takes at most % dimensions, not %', type, most_dimensions, dimensions USING
      ERRCODE = 'program_limit_exceeded',
      HINT = CASE WHEN type = 'vector' AND dimensions <= 4000 THEN 'use type => ''halfvec'', or index => ''binary''' ELSE 'use index => ''binary''' END;
  END IF;
END $$;
COMMENT ON FUNCTION thanopg.check_index IS 'refuse an index that can not be';

-- now: an index on few rows is there at once. later: built after many rows are embedded it costs less than kept up meanwhile.
CREATE OR REPLACE FUNCTION thanopg.index_policy(target regclass, index text)
RETURNS text LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  small_table CONSTANT bigint := 10000;
  row_count bigint;
BEGIN
  IF index <> 'auto' THEN
    RETURN index;
  END IF;
  EXECUTE format('SELECT count(*) FROM (SELECT FROM %s LIMIT %s) s', target, small_table) INTO row_count;
  RETURN CASE WHEN row_count < small_table THEN 'now' ELSE 'later' END;
END $$;
COMMENT ON FUNCTION thanopg.index_policy IS 'what auto means for a table';

-- Built where it can be instant; where it would hold the table for long, thanopg index builds it CONCURRENTLY.
CREATE OR REPLACE FUNCTION thanopg.index_statement(embedding int, concurrent boolean DEFAULT false)
RETURNS text LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN (
  SELECT format('CREATE INDEX %s%I ON %s USING hnsw (%s %I.%I)',
                CASE WHEN concurrent THEN 'CONCURRENTLY IF NOT EXISTS ' ELSE 'IF NOT EXISTS ' END,
                left(c.table_name, 63 - length('_embedding_' || embedding)) || '_embedding_' || embedding,
                c.target, CASE c.index_policy WHEN 'binary' THEN thanopg.binary_expression(c, quote_ident(c.column_name)) ELSE quote_ident(c.column_name) END,
                n.nspname, CASE c.index_policy WHEN 'binary' THEN 'bit_hamming_ops' ELSE t.typname || '_cosine_ops' END)
  FROM thanopg.embedding_column c JOIN pg_type t ON t.oid = c.type_id JOIN pg_namespace n ON n.oid = t.typnamespace
  WHERE c.id = embedding AND c.kind <> 'caption'
);
COMMENT ON FUNCTION thanopg.index_statement IS 'the statement that builds a vector column''s HNSW index; null for captions';

CREATE OR REPLACE FUNCTION thanopg.index_state(target regclass, column_name name)
RETURNS text LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN (
  SELECT CASE WHEN x.indisvalid THEN 'ready' ELSE 'invalid' END
  FROM pg_index x JOIN pg_class ic ON ic.oid = x.indexrelid JOIN pg_am am ON am.oid = ic.relam
  JOIN pg_opclass o ON o.oid = x.indclass[0]
  WHERE x.indrelid = index_state.target AND am.amname IN ('hnsw', 'ivfflat')
    AND (o.opcname LIKE '%\_cosine\_ops' AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = x.indrelid AND a.attname = index_state.column_name AND a.attnum = x.indkey[0])
         OR thanopg.is_binary_index(x.indexrelid, index_state.column_name))
  ORDER BY x.indisvalid DESC LIMIT 1
);
COMMENT ON FUNCTION thanopg.index_state IS 'ready or invalid: the vector index that a search by cosine can use; null: there is none';

CREATE OR REPLACE FUNCTION thanopg.make_index(embedding int)
RETURNS void LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  col thanopg.embedding_column;
BEGIN
  SELECT c.* INTO STRICT col FROM thanopg.embedding_column c WHERE c.id = embedding;
  IF (CASE col.index_policy WHEN 'binary' THEN thanopg.has_binary_index(col.target, col.column_name)
       ELSE thanopg.index_state(col.target, col.column_name) = 'ready' END) THEN  -- an adopted column may have one
    RETURN;
  ELSIF col.index_policy = 'now' OR col.index_policy = 'binary' AND thanopg.index_policy(col.target, 'auto') = 'now' THEN
    EXECUTE thanopg.index_statement(embedding);
  ELSIF col.index_policy IN ('later', 'binary') THEN
    RAISE NOTICE 'the index of %.% is to be built when the rows are embedded', col.target, quote_ident(col.column_name)
      USING HINT = 'thanopg index';
  END IF;
END $$;
COMMENT ON FUNCTION thanopg.make_index IS 'build the index of a new embedding column, or say when it is to be built';

-- Its name ends in the number of an embedding column, this one's or that of one that was here before. What a user put on the
-- column beside it is none of our business.
CREATE OR REPLACE FUNCTION thanopg.made_indexes(target regclass, column_name name)
RETURNS SETOF regclass LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT x.indexrelid::regclass
  FROM pg_index x JOIN pg_class ic ON ic.oid = x.indexrelid JOIN pg_am am ON am.oid = ic.relam
  WHERE x.indrelid = made_indexes.target
    AND (EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = x.indrelid AND a.attname = made_indexes.column_name AND a.attnum = x.indkey[0])
         OR thanopg.is_binary_index(x.indexrelid, made_indexes.column_name)) AND x.indnatts = 1 AND am.amname = 'hnsw' AND ic.relname ~ '_embedding_[0-9]+$';
END;
COMMENT ON FUNCTION thanopg.made_indexes IS 'the indexes that were made for an embedding column';

CREATE OR REPLACE FUNCTION thanopg.unmake_index(target regclass, column_name name)
RETURNS void LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  made regclass;
BEGIN
  FOR made IN SELECT m FROM thanopg.made_indexes(target, column_name) m LOOP
    EXECUTE format('DROP INDEX %s', made);
  END LOOP;
END $$;
COMMENT ON FUNCTION thanopg.unmake_index IS 'take away the index that was made for an embedding column';
