-- An embedding column goes.

-- keep_column leaves the column with what is in it, as an ordinary one: for captions to be edited by hand, and for columns
-- that came from elsewhere.
CREATE OR REPLACE FUNCTION thanopg.drop_embedding(target regclass, column_name text, keep_column boolean DEFAULT false)
RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  col thanopg.embedding_column := thanopg.find_embedding_column(NULL, target, column_name);
  followers text;
BEGIN
  IF target IS NULL OR column_name IS NULL THEN
    RAISE EXCEPTION 'table and column are needed' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  SELECT string_agg(quote_ident(c.column_name), ', ' ORDER BY c.id) INTO followers
  FROM thanopg.embedding_column c WHERE c.target = col.target AND c.source_name = col.column_name;
  IF followers IS NOT NULL AND keep_column IS NOT TRUE THEN
    RAISE EXCEPTION '% of % is made from %', followers, col.target, quote_ident(col.column_name) USING
      ERRCODE = 'dependent_objects_still_exist', HINT = format('first: SELECT drop_embedding(%L, ''…''); or keep_column => true', col.target);
  END IF;
  EXECUTE format('DROP TRIGGER IF EXISTS %I ON %s', 'thanopg_' || col.id || '_insert', col.target);
  EXECUTE format('DROP TRIGGER IF EXISTS %I ON %s', 'thanopg_' || col.id || '_update', col.target);
  DELETE FROM thanopg.embedding e WHERE e.id = col.id;
  PERFORM thanopg.dismiss_worker(col);
  IF keep_column THEN
    PERFORM thanopg.unmake_index(col.target, col.column_name);
  ELSE
    EXECUTE format('ALTER TABLE %s DROP COLUMN %I', col.target, col.column_name);
    IF col.attributes_name IS NOT NULL THEN
      EXECUTE format('ALTER TABLE %s DROP COLUMN %I', col.target, col.attributes_name);
    END IF;
  END IF;
END $$;
COMMENT ON FUNCTION thanopg.drop_embedding IS
  'take an embedding column away, with its triggers, index and pending work; a caption''s attributes go with it';
