-- Columns that are there already: of vectors that the same model made elsewhere, or empty ones for words.

-- A column that were made from itself, over however many others, would be made anew for ever.
CREATE OR REPLACE FUNCTION thanopg.check_cycle(target regclass, source_column name, column_name name)
RETURNS void LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  chain name[] := thanopg.source_chain(target, source_column);
BEGIN
  IF column_name = ANY (chain) THEN
    RAISE EXCEPTION 'column % would be made from itself: %', quote_ident(column_name),
      array_to_string(chain[array_position(chain, column_name):] || column_name, ' → ') USING
      ERRCODE = 'invalid_recursion', HINT = 'give another name: column_name => …';
  END IF;
END $$;
COMMENT ON FUNCTION thanopg.check_cycle IS 'refuse a column that would be made from itself';

CREATE OR REPLACE FUNCTION thanopg.check_adoptable(target regclass, source_column name, column_name name, type text)
RETURNS void LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  there pg_attribute;
  its_type text;
  holds_values boolean := false;
BEGIN
  SELECT a.* INTO STRICT there FROM pg_attribute a WHERE a.attrelid = target AND a.attname = column_name;
  its_type := format_type(there.atttypid, there.atttypmod);
  IF EXISTS (SELECT FROM thanopg.embedding_column c WHERE c.target = target AND column_name IN (c.column_name, c.attributes_name)) THEN
    RAISE EXCEPTION 'column % of % is an embedding column already', quote_ident(column_name), target USING
      ERRCODE = 'duplicate_column',
      HINT = format('give another name: column_name => …; or first: SELECT drop_embedding(%L, %L)', target, column_name);
  ELSIF its_type <> type THEN
    RAISE EXCEPTION '% already has a column %, of type %, expected %', target, quote_ident(column_name), its_type, type USING
      ERRCODE = 'duplicate_column',
      HINT = 'give another name: column_name => …' || CASE
        WHEN replace(its_type, 'halfvec', 'vector') = type THEN '; or say type => ''halfvec'''
        WHEN its_type = replace(type, 'halfvec', 'vector') THEN '; or say type => ''vector''' ELSE '' END;
  ELSIF there.attgenerated <> '' THEN
    RAISE EXCEPTION 'column % of % is generated', quote_ident(column_name), target USING
      ERRCODE = 'generated_always', HINT = 'give another name: column_name => …';
  ELSIF there.attnotnull THEN
    RAISE EXCEPTION 'column % of % is NOT NULL, and a row whose source can not be used has nothing there', quote_ident(column_name), target USING
      ERRCODE = 'invalid_table_definition', HINT = format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL', target, column_name);
  END IF;
  PERFORM thanopg.check_cycle(target, source_column, column_name);
  IF type IN ('text', 'jsonb') THEN
    EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE %I IS NOT NULL)', target, column_name) INTO holds_values;
  END IF;
  IF holds_values THEN  -- somebody's own words: a captioner is not to write over them
    RAISE EXCEPTION 'column % of % is not empty', quote_ident(column_name), target USING
      ERRCODE = 'object_not_in_prerequisite_state',
      HINT = format('give another name: column_name => …; or give up what is there: UPDATE %s SET %I = NULL', target, column_name);
  END IF;
END $$;
COMMENT ON FUNCTION thanopg.check_adoptable IS 'refuse a column that is there and can not become an embedding column';

CREATE OR REPLACE FUNCTION thanopg.make_column(target regclass, source_column text, column_name text, type text)
RETURNS boolean LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM thanopg.check_new_column(target, column_name);
  IF thanopg.column_number(target, column_name) IS NULL THEN
    EXECUTE format('ALTER TABLE %s ADD COLUMN %I %s', target, column_name, type);
    RETURN false;
  END IF;
  PERFORM thanopg.check_adoptable(target, source_column::name, column_name::name, type);
  RETURN true;
END $$;
COMMENT ON FUNCTION thanopg.make_column IS 'add the column of an embedding, or take one that is there. Returns whether it was';

-- Its vectors stay. What they were made from is not known, but for the row as it is now; a few of them are compared with
-- the model's own by a worker, and one that differs becomes a failure and stays as it is.
CREATE OR REPLACE FUNCTION thanopg.adopt(embedding int)
RETURNS bigint LANGUAGE plpgsql VOLATILE STRICT
  SET TimeZone = 'UTC' SET DateStyle = 'ISO' SET IntervalStyle = 'postgres' SET bytea_output = 'hex' SET extra_float_digits = 1
AS $$
#variable_conflict use_variable
DECLARE
  sample_size CONSTANT int := 20;
  col thanopg.embedding_column;
  orphans bigint;
  adopted bigint;
  compared bigint;
BEGIN
  SELECT c.* INTO STRICT col FROM thanopg.embedding_column c WHERE c.id = embedding;
  PERFORM thanopg.see_all_rows(col.target);
  EXECUTE format('SELECT count(*) FROM %s WHERE %I IS NULL AND %I IS NOT NULL', col.target, col.source_name, col.column_name) INTO orphans;
  IF orphans > 0 THEN  -- they would be taken away
    RAISE EXCEPTION '% rows of % have a vector, but no % that it could be made from', orphans, col.target, quote_ident(col.source_name) USING
      ERRCODE = 'object_not_in_prerequisite_state',
      HINT = format('fill it in; or give the vectors up: UPDATE %s SET %I = NULL WHERE %I IS NULL', col.target, col.column_name, col.source_name);
  END IF;
  EXECUTE format(
    'INSERT INTO thanopg.provenance (embedding, key, source_hash, fingerprint, vector_hash, embedded_at) '
    'SELECT $1, %1$s, %2$s, $2, %3$s, NULL FROM %4$s t WHERE t.%5$I IS NOT NULL',
    thanopg.key_expression(col, 't'), thanopg.source_hash_expression(col, 't'),
    thanopg.vector_hash_expression(col, format('t.%I', col.column_name)), col.target, col.column_name) USING embedding, col.fingerprint;
  GET DIAGNOSTICS adopted = ROW_COUNT;
  INSERT INTO thanopg.pending (embedding, key, adopting)
  SELECT embedding, v.key, true FROM thanopg.provenance v WHERE v.embedding = embedding
  ORDER BY pg_catalog.md5(v.key::text) LIMIT sample_size;  -- any, but the same ones if it is done again
  GET DIAGNOSTICS compared = ROW_COUNT;
  IF adopted > 0 THEN
    RAISE NOTICE '% vectors of %.% stay as they are; a worker compares % of them with its own', adopted, col.target,
      quote_ident(col.column_name), compared USING
      HINT = 'those that differ: SELECT * FROM failure WHERE error_type = ''adoption_mismatch''';
  END IF;
  RETURN adopted;
END $$;
COMMENT ON FUNCTION thanopg.adopt IS 'take over the vectors that a new embedding column has from elsewhere. Returns how many';
