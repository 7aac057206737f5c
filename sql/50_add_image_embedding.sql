-- An embedding column comes and goes: the column, its triggers, its index, and work for the rows that are there.

CREATE OR REPLACE FUNCTION thanopg.check_target(target regclass)
RETURNS void LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  class pg_class;
BEGIN
  SELECT c.* INTO class FROM pg_class c WHERE c.oid = check_target.target;
  IF class.relkind NOT IN ('r', 'p') THEN
    RAISE EXCEPTION '% is not a table', target USING
      ERRCODE = 'wrong_object_type', HINT = 'embed the table that the view or foreign table reads';
  ELSIF class.relpersistence = 't' THEN
    RAISE EXCEPTION '% is a temporary table', target USING
      ERRCODE = 'wrong_object_type', HINT = 'a worker can''t see it; use an ordinary table';
  ELSIF class.relispartition THEN
    RAISE EXCEPTION '% is a partition', target USING
      ERRCODE = 'wrong_object_type', HINT = 'add the embedding to the partitioned table';
  ELSIF class.relnamespace::regnamespace::text IN ('thanopg', 'pg_catalog', 'information_schema') THEN
    RAISE EXCEPTION '% is a system table', target USING ERRCODE = 'wrong_object_type';
  END IF;
END $$;
COMMENT ON FUNCTION thanopg.check_target IS 'refuse what can''t carry an embedding column';

CREATE OR REPLACE FUNCTION thanopg.key_of(target regclass)
RETURNS int2[] LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  numbers int2[];
BEGIN
  SELECT i.indkey[0:i.indnkeyatts - 1]::int2[] INTO numbers
  FROM pg_index i
  WHERE i.indrelid = key_of.target AND i.indisunique AND i.indisvalid AND i.indimmediate
    AND i.indpred IS NULL AND i.indexprs IS NULL
    AND NOT EXISTS (
      SELECT FROM unnest(i.indkey[0:i.indnkeyatts - 1]::int2[]) u(number)
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.number
      WHERE NOT a.attnotnull)
  ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid
  LIMIT 1;
  IF numbers IS NULL THEN
    RAISE EXCEPTION '% has neither a primary key nor a unique index on not-null columns', target USING
      ERRCODE = 'invalid_table_definition',
      HINT = format('add one: ALTER TABLE %s ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY', target);
  END IF;
  RETURN ARRAY(SELECT unnest(numbers));  -- counted from 1
END $$;
COMMENT ON FUNCTION thanopg.key_of IS 'column numbers of the primary key, or of a unique index that can serve as one';

CREATE OR REPLACE FUNCTION thanopg.check_source(target regclass, image_column name)
RETURNS int2 LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  number int2;
  type oid;
BEGIN
  SELECT a.attnum, coalesce(nullif(t.typbasetype, 0), t.oid) INTO number, type
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
  WHERE a.attrelid = check_source.target AND a.attname = image_column AND a.attnum > 0 AND NOT a.attisdropped;
  IF number IS NULL THEN
    RAISE EXCEPTION '% has no column %', target, coalesce(quote_ident(image_column), 'null') USING
      ERRCODE = 'undefined_column',
      HINT = (SELECT 'its columns: ' || string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
              FROM pg_attribute a WHERE a.attrelid = check_source.target AND a.attnum > 0 AND NOT a.attisdropped);
  ELSIF type NOT IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype, 'bytea'::regtype) THEN
    RAISE EXCEPTION 'column % is of type %, expected text or bytea', quote_ident(image_column), format_type(type, NULL) USING
      ERRCODE = 'datatype_mismatch', HINT = 'text holds a path under the image root or a data: URI, bytea the image file itself';
  END IF;
  RETURN number;
END $$;
COMMENT ON FUNCTION thanopg.check_source IS 'number of the image column, or an error';

CREATE OR REPLACE FUNCTION thanopg.create_triggers(embedding int)
RETURNS void LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  col thanopg.embedding_column;
  changed text;
  events text := 'UPDATE';
BEGIN
  SELECT c.* INTO STRICT col FROM thanopg.embedding_column c WHERE c.id = embedding;
  SELECT string_agg(format('OLD.%1$I IS DISTINCT FROM NEW.%1$I', name), ' OR ') INTO changed
  FROM unnest(col.source_name || col.key_names) u(name);
  IF col.source_is_bytes THEN  -- spares reading two large values when the statement names neither
    SELECT 'UPDATE OF ' || string_agg(quote_ident(name), ', ') INTO events FROM unnest(col.source_name || col.key_names) u(name);
  END IF;
  EXECUTE format(
    'CREATE OR REPLACE TRIGGER %1$I AFTER INSERT ON %2$s FOR EACH ROW WHEN (NEW.%3$I IS NOT NULL OR NEW.%4$I IS NOT NULL) '
    'EXECUTE FUNCTION thanopg.enqueue(%5$L)',
    'thanopg_' || embedding || '_insert', col.target, col.source_name, col.column_name, embedding);
  EXECUTE format(
    'CREATE OR REPLACE TRIGGER %1$I AFTER %2$s ON %3$s FOR EACH ROW WHEN (%4$s) EXECUTE FUNCTION thanopg.enqueue(%5$L)',
    'thanopg_' || embedding || '_update', events, col.target, changed, embedding);
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', col.target, 'thanopg_' || embedding || '_insert');
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', col.target, 'thanopg_' || embedding || '_update');
END $$;
COMMENT ON FUNCTION thanopg.create_triggers IS 'the two triggers of an embedding column';

-- Built where it can be instant; where it would hold the table for long, thanopg index builds it CONCURRENTLY.
CREATE OR REPLACE FUNCTION thanopg.index_statement(embedding int, concurrent boolean DEFAULT false)
RETURNS text LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN (
  SELECT format('CREATE INDEX %s%I ON %s USING hnsw (%I %I.%I)',
                CASE WHEN concurrent THEN 'CONCURRENTLY IF NOT EXISTS ' ELSE 'IF NOT EXISTS ' END,
                left(c.table_name, 63 - length('_embedding_' || embedding)) || '_embedding_' || embedding,
                c.target, c.column_name, n.nspname, t.typname || '_cosine_ops')
  FROM thanopg.embedding_column c JOIN pg_type t ON t.oid = c.type_id JOIN pg_namespace n ON n.oid = t.typnamespace
  WHERE c.id = embedding
);
COMMENT ON FUNCTION thanopg.index_statement IS 'the statement that builds an embedding column''s HNSW index';

CREATE OR REPLACE FUNCTION thanopg.add_image_embedding(
  target regclass, image_column text, model text, column_name text DEFAULT NULL, type text DEFAULT 'vector', index text DEFAULT 'auto')
RETURNS text LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  small_table CONSTANT bigint := 10000;
  found thanopg.model := thanopg.find_model(model);
  column_label text := coalesce(column_name, found.name || '_' || found.base);
  key_numbers int2[];
  source_number int2;
  embedding int;
  type_schema name;
  row_count bigint;
  most_dimensions int := CASE type WHEN 'halfvec' THEN 4000 ELSE 2000 END;  -- that pgvector can index
BEGIN
  IF target IS NULL THEN
    RAISE EXCEPTION 'the table is null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  PERFORM thanopg.check_target(target);
  IF type IS NULL OR type NOT IN ('vector', 'halfvec') THEN
    RAISE EXCEPTION 'type is vector or halfvec, not %', coalesce(quote_literal(type), 'null') USING ERRCODE = 'invalid_parameter_value';
  ELSIF index IS NULL OR index NOT IN ('auto', 'now', 'later', 'none') THEN
    RAISE EXCEPTION 'index is auto, now, later or none, not %', coalesce(quote_literal(index), 'null') USING ERRCODE = 'invalid_parameter_value';
  ELSIF octet_length(column_label) NOT BETWEEN 1 AND 63 THEN
    RAISE EXCEPTION 'column name % has % bytes, at most 63 are possible', quote_literal(column_label), octet_length(column_label) USING
      ERRCODE = 'name_too_long', HINT = 'give a shorter one: column_name => ''embedding''';
  ELSIF index <> 'none' AND found.dimensions > most_dimensions THEN
    RAISE EXCEPTION 'an HNSW index on % takes at most % dimensions, not %', type, most_dimensions, found.dimensions USING
      ERRCODE = 'program_limit_exceeded',
      HINT = CASE WHEN type = 'vector' AND found.dimensions <= 4000 THEN 'use type => ''halfvec''' ELSE 'use index => ''none''' END;
  END IF;
  key_numbers := thanopg.key_of(target);
  source_number := thanopg.check_source(target, image_column::name);
  IF EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = target AND a.attname = column_label AND NOT a.attisdropped) THEN
    RAISE EXCEPTION '% already has a column %', target, quote_ident(column_label) USING
      ERRCODE = 'duplicate_column', HINT = 'give another name: column_name => …; or take the old one away with drop_embedding';
  END IF;

  SELECT n.nspname INTO type_schema
  FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace WHERE x.extname = 'vector';
  EXECUTE format('ALTER TABLE %s ADD COLUMN %I %I.%I(%s)', target, column_label, type_schema, type, found.dimensions);

  EXECUTE format('SELECT count(*) FROM (SELECT FROM %s LIMIT %s) s', target, small_table) INTO row_count;
  IF index = 'auto' THEN
    index := CASE WHEN row_count < small_table THEN 'now' ELSE 'later' END;
  END IF;
  INSERT INTO thanopg.embedding AS e
    (target, target_oid, key_attnums, key_names, source_attnum, source_name, column_attnum, column_name, model, fingerprint, index_policy)
  SELECT target, target, key_numbers,
         ARRAY(SELECT a.attname FROM unnest(key_numbers) WITH ORDINALITY u(n, i)
               JOIN pg_attribute a ON a.attrelid = target AND a.attnum = u.n ORDER BY u.i),
         source_number, image_column, a.attnum, column_label, found.name, found.fingerprint, index
  FROM pg_attribute a WHERE a.attrelid = target AND a.attname = column_label
  RETURNING e.id INTO embedding;
  PERFORM thanopg.create_triggers(embedding), thanopg.admit_worker(embedding);
  IF index = 'now' THEN
    EXECUTE thanopg.index_statement(embedding);
  ELSIF index = 'later' THEN
    RAISE NOTICE 'the index of %.% is to be built when the rows are embedded', target, quote_ident(column_label)
      USING HINT = 'thanopg index';
  END IF;
  PERFORM thanopg.reconcile(embedding);

  RETURN column_label;
END $$;
COMMENT ON FUNCTION thanopg.add_image_embedding IS
  'add a vector column that follows an image column; returns its name. Example: SELECT add_image_embedding(''photo'', ''image_path'', ''clip'')';

CREATE OR REPLACE FUNCTION thanopg.drop_embedding(target regclass, column_name text)
RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  col thanopg.embedding_column := thanopg.find_embedding_column(NULL, target, column_name);
BEGIN
  IF target IS NULL OR column_name IS NULL THEN
    RAISE EXCEPTION 'table and column are needed' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  EXECUTE format('DROP TRIGGER IF EXISTS %I ON %s', 'thanopg_' || col.id || '_insert', col.target);
  EXECUTE format('DROP TRIGGER IF EXISTS %I ON %s', 'thanopg_' || col.id || '_update', col.target);
  DELETE FROM thanopg.embedding e WHERE e.id = col.id;
  PERFORM thanopg.dismiss_worker(col);
  EXECUTE format('ALTER TABLE %s DROP COLUMN %I', col.target, col.column_name);
END $$;
COMMENT ON FUNCTION thanopg.drop_embedding IS 'take an embedding column away, with its triggers, index and pending work';
