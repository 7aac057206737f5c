-- What an embedding column can be put on: an ordinary table with a key, and a column to make it from.

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

CREATE OR REPLACE FUNCTION thanopg.check_source(target regclass, source_column name, kind text DEFAULT 'image')
RETURNS int2 LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  texts CONSTANT oid[] := ARRAY['text'::regtype, 'varchar'::regtype, 'bpchar'::regtype];
  number int2;
  type oid;
BEGIN
  SELECT a.attnum, coalesce(nullif(t.typbasetype, 0), t.oid) INTO number, type
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
  WHERE a.attrelid = check_source.target AND a.attname = source_column AND a.attnum > 0 AND NOT a.attisdropped;
  IF number IS NULL THEN
    RAISE EXCEPTION '% has no column %', target, coalesce(quote_ident(source_column), 'null') USING
      ERRCODE = 'undefined_column',
      HINT = (SELECT 'its columns: ' || string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
              FROM pg_attribute a WHERE a.attrelid = check_source.target AND a.attnum > 0 AND NOT a.attisdropped);
  ELSIF kind = 'text' AND type <> ALL (texts) THEN
    RAISE EXCEPTION 'column % is of type %, expected text', quote_ident(source_column), format_type(type, NULL) USING
      ERRCODE = 'datatype_mismatch', HINT = 'of pictures: add_image_embedding, or add_caption';
  ELSIF type <> ALL (texts || 'bytea'::regtype::oid) THEN
    RAISE EXCEPTION 'column % is of type %, expected text or bytea', quote_ident(source_column), format_type(type, NULL) USING
      ERRCODE = 'datatype_mismatch', HINT = 'text holds a path under the image root or a data: URI, bytea the image file itself';
  END IF;
  RETURN number;
END $$;
COMMENT ON FUNCTION thanopg.check_source IS 'number of the column that an embedding column is to be made from, or an error';

-- A table and its partitions or children, as far as they hold rows.
CREATE OR REPLACE FUNCTION thanopg.storage_of(target regclass)
RETURNS TABLE (part oid, reltuples real, relpages int, pages bigint)
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  WITH RECURSIVE parts(part) AS (
    SELECT target::oid UNION SELECT i.inhrelid FROM pg_inherits i JOIN parts p ON p.part = i.inhparent)
  SELECT c.oid, c.reltuples, c.relpages, pg_relation_size(c.oid) / current_setting('block_size')::bigint
  FROM parts p JOIN pg_class c ON c.oid = p.part WHERE c.relkind = 'r'
$$;
COMMENT ON FUNCTION thanopg.storage_of IS 'where a table''s rows lie, with what the planner knows of them';
