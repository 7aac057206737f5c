-- Another index policy for an embedding column that stays as it is.

CREATE OR REPLACE FUNCTION thanopg.set_index(target regclass, column_name text, index text)
RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  col thanopg.embedding_column := thanopg.find_embedding_column(NULL, target, column_name);
BEGIN
  IF target IS NULL OR column_name IS NULL THEN
    RAISE EXCEPTION 'table and column are needed' USING ERRCODE = 'null_value_not_allowed';
  ELSIF col.kind = 'caption' THEN
    RAISE EXCEPTION '%.% is a caption, which has no vector index', col.target, quote_ident(col.column_name) USING
      ERRCODE = 'wrong_object_type', HINT = 'an ordinary index may be on it: CREATE INDEX';
  END IF;
  PERFORM thanopg.check_index((SELECT t.typname::text FROM pg_type t WHERE t.oid = col.type_id), index, col.dimensions);
  UPDATE thanopg.embedding e SET index_policy = thanopg.index_policy(col.target, index) WHERE e.id = col.id;
  IF index = 'none' OR (index = 'binary') <> (col.index_policy = 'binary') THEN  -- one of the other kind is of no use
    PERFORM thanopg.unmake_index(col.target, col.column_name);
  END IF;
  IF index <> 'none' THEN
    PERFORM thanopg.make_index(col.id);
  END IF;
END $$;
COMMENT ON FUNCTION thanopg.set_index IS
  'say when the index of an embedding column is built: auto, now, later, binary, none. Example: SELECT set_index(''photo'', ''catalog_catalog'', ''later'')';
