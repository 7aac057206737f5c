-- What adding an embedding column is, whatever its kind: the column, its entry, triggers, rights, index and work.

CREATE OR REPLACE FUNCTION thanopg.check_new_column(target regclass, column_name text)
RETURNS void LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF column_name IS NULL THEN
    RAISE EXCEPTION 'the column name is null' USING ERRCODE = 'null_value_not_allowed';
  ELSIF octet_length(column_name) NOT BETWEEN 1 AND 63 THEN
    RAISE EXCEPTION 'column name % has % bytes, at most 63 are possible', quote_literal(column_name), octet_length(column_name) USING
      ERRCODE = 'name_too_long', HINT = 'give a shorter one: column_name => ''embedding''';
  END IF;
END $$;
COMMENT ON FUNCTION thanopg.check_new_column IS 'refuse a name that a column can not have';

CREATE OR REPLACE FUNCTION thanopg.column_number(target regclass, column_name text)
RETURNS int2 LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN (SELECT a.attnum FROM pg_attribute a WHERE a.attrelid = column_number.target AND a.attname = column_number.column_name AND NOT a.attisdropped);
COMMENT ON FUNCTION thanopg.column_number IS 'number of a column; null: there is none of that name';

CREATE OR REPLACE FUNCTION thanopg.vector_type(type text, dimensions int)
RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF type IS NULL OR type NOT IN ('vector', 'halfvec') THEN
    RAISE EXCEPTION 'type is vector or halfvec, not %', coalesce(quote_literal(type), 'null') USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN (
    SELECT format_type(t.oid, dimensions)
    FROM pg_extension x JOIN pg_type t ON t.typnamespace = x.extnamespace AND t.typname = vector_type.type WHERE x.extname = 'vector');
END $$;
COMMENT ON FUNCTION thanopg.vector_type IS 'a vector type as SQL writes it under our search_path';

CREATE OR REPLACE FUNCTION thanopg.add_embedding(
  kind text, target regclass, source_column text, model thanopg.model, column_name text, type text, index text DEFAULT 'none',
  language text DEFAULT NULL, prompt text DEFAULT NULL, attributes_column text DEFAULT NULL)
RETURNS text LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  key_numbers int2[];
  source_number int2;
  embedding int;
  was_there boolean;
BEGIN
  IF target IS NULL THEN
    RAISE EXCEPTION 'the table is null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  PERFORM thanopg.check_target(target), thanopg.check_ability(model, kind);
  key_numbers := thanopg.key_of(target);
  source_number := thanopg.check_source(target, source_column::name, kind);
  was_there := thanopg.make_column(target, source_column, column_name, type);
  IF attributes_column IS NOT NULL THEN
    PERFORM thanopg.make_column(target, source_column, attributes_column, 'jsonb');
  END IF;
  INSERT INTO thanopg.embedding AS e
    (kind, target, target_oid, key_attnums, key_names, source_attnum, source_name, column_attnum, column_name, model, fingerprint,
     index_policy, language, prompt, attributes_attnum, attributes_name)
  SELECT kind, target, target, key_numbers,
         ARRAY(SELECT a.attname FROM unnest(key_numbers) WITH ORDINALITY u(n, i)
               JOIN pg_attribute a ON a.attrelid = target AND a.attnum = u.n ORDER BY u.i),
         source_number, source_column, thanopg.column_number(target, column_name), column_name, model.name, model.fingerprint,
         thanopg.index_policy(target, index), language, prompt, thanopg.column_number(target, attributes_column), attributes_column
  RETURNING e.id INTO embedding;
  PERFORM thanopg.create_triggers(embedding), thanopg.admit_worker(embedding), thanopg.make_index(embedding);
  IF was_there AND kind <> 'caption' THEN
    PERFORM thanopg.adopt(embedding);
  END IF;
  PERFORM thanopg.say_waiting(embedding, thanopg.reconcile(embedding));
  RETURN column_name;
END $$;
COMMENT ON FUNCTION thanopg.add_embedding IS 'what add_image_embedding, add_caption and add_text_embedding have in common';
