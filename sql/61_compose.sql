-- What a search asks for, in parts: a text, a picture or a row, more of them (plus, like) and less of others (minus,
-- unlike). Each column makes its own vector of the same parts, weighted, added and brought back to length 1.

-- Parts as jsonb: {"text" | "image" (base64) | "key": …, "weight": …}. What is null is not asked for.
CREATE OR REPLACE FUNCTION thanopg.query_parts(query text, image bytea, key jsonb, options jsonb)
RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN (
  SELECT coalesce(jsonb_agg(part ORDER BY position), '[]') FROM (
    SELECT 0 AS position, jsonb_build_object('text', query, 'weight', 1) AS part WHERE query IS NOT NULL
    UNION ALL
    SELECT 0, jsonb_build_object('image', encode(image, 'base64'), 'weight', 1) WHERE image IS NOT NULL
    UNION ALL
    SELECT 0, jsonb_build_object('key', key, 'weight', 1) WHERE key IS NOT NULL
    UNION ALL
    SELECT 1000 * row_number() OVER () + said.position,
           CASE WHEN options.name IN ('like', 'unlike')
                THEN jsonb_build_object('key', CASE WHEN thanopg.is_weighted_key(said.part) THEN said.part->'key' ELSE said.part END)
                WHEN jsonb_typeof(said.part) = 'string' THEN jsonb_build_object('text', said.part)
                ELSE said.part END
           || jsonb_build_object('weight', options.sign * CASE
                WHEN jsonb_typeof(said.part) = 'object' AND (options.name IN ('plus', 'minus') OR thanopg.is_weighted_key(said.part))
                THEN coalesce((said.part->>'weight')::numeric, options.weight) ELSE options.weight END)
    FROM (VALUES ('plus', 1, 1.0), ('minus', -1, 0.5), ('like', 1, 1.0), ('unlike', -1, 0.5)) options(name, sign, weight)
    CROSS JOIN LATERAL jsonb_array_elements(query_parts.options->options.name) WITH ORDINALITY said(part, position)
  ) parts
);
COMMENT ON FUNCTION thanopg.query_parts IS 'what a search asks for, each part with its weight';

CREATE OR REPLACE FUNCTION thanopg.is_composed(options jsonb)
RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN options ?| ARRAY['plus', 'minus', 'like', 'unlike'];
COMMENT ON FUNCTION thanopg.is_composed IS 'does a search ask for more than its query';

-- Pictures are described by a sentence rather than by words in some models; texts are searched with the query alone.
CREATE OR REPLACE FUNCTION thanopg.templates(col thanopg.embedding_column, options jsonb)
RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN CASE
  WHEN (col).kind <> 'image' THEN '{"{}"}'
  WHEN jsonb_typeof(options->'template') = 'array' THEN ARRAY(SELECT jsonb_array_elements_text(options->'template'))
  ELSE ARRAY[coalesce(options->>'template', (col).template, '{}')]
END;
COMMENT ON FUNCTION thanopg.templates IS 'the sentences that a query''s texts are put into';

CREATE OR REPLACE FUNCTION thanopg.templated(col thanopg.embedding_column, parts jsonb, options jsonb)
RETURNS TABLE (part jsonb, text text, weight double precision)
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT p.part, CASE WHEN p.part ? 'text' THEN replace(t.template, '{}', p.part->>'text') END,
         (p.part->>'weight')::double precision / CASE WHEN p.part ? 'text' THEN cardinality(thanopg.templates(col, options)) ELSE 1 END
  FROM jsonb_array_elements(parts) WITH ORDINALITY p(part, position)
  CROSS JOIN LATERAL unnest(CASE WHEN p.part ? 'text' THEN thanopg.templates(col, options) ELSE ARRAY[NULL] END) WITH ORDINALITY t(template, position)
  ORDER BY p.position, t.position
$$;
COMMENT ON FUNCTION thanopg.templated IS 'parts with their texts as a model is asked';

-- Vectors as text, because the type may lie in any schema.
CREATE OR REPLACE FUNCTION thanopg.combine_vectors(vectors text[], weights double precision[])
RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 AS $$
DECLARE
  sums double precision[];
  length double precision;
BEGIN
  SELECT array_agg(s.value ORDER BY s.position), sqrt(sum(s.value * s.value)) INTO sums, length
  FROM (
    SELECT e.position, sum(u.weight * e.value::double precision) AS value
    FROM unnest(vectors, weights) u(vector, weight)
    CROSS JOIN LATERAL string_to_table(btrim(u.vector, '[]'), ',') WITH ORDINALITY e(value, position)
    GROUP BY e.position) s;
  IF NOT length > 1e-6 THEN
    RAISE EXCEPTION 'the parts of the query cancel each other' USING
      ERRCODE = 'invalid_parameter_value', HINT = 'ask for something that minus and unlike do not take away';
  END IF;
  RETURN (SELECT '[' || string_agg((value / length)::real::text, ',' ORDER BY position) || ']'
          FROM unnest(sums) WITH ORDINALITY u(value, position));
END $$;
COMMENT ON FUNCTION thanopg.combine_vectors IS 'weighted sum of vectors, of length 1';

-- The vector, in the column's own fingerprint: the service refuses if its weights are others by now.
CREATE OR REPLACE FUNCTION thanopg.query_vector(query text, col thanopg.embedding_column)
RETURNS text LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM thanopg.check_query(query);
  RETURN thanopg.ask_service(query, (col).model_source, (col).fingerprint);
END $$;
COMMENT ON FUNCTION thanopg.query_vector(text, thanopg.embedding_column) IS 'vector of a text, in the space of a column';

CREATE OR REPLACE FUNCTION thanopg.query_vector(query bytea, col thanopg.embedding_column)
RETURNS text LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM thanopg.check_query(query);
  RETURN thanopg.ask_service(query, (col).model_source, (col).fingerprint);
END $$;
COMMENT ON FUNCTION thanopg.query_vector(bytea, thanopg.embedding_column) IS 'vector of an image, in the space of a column';

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

-- The query's vector in the space of a column.
CREATE OR REPLACE FUNCTION thanopg.parts_vector(col thanopg.embedding_column, parts jsonb, options jsonb)
RETURNS text LANGUAGE plpgsql STABLE PARALLEL RESTRICTED AS $$
DECLARE
  item record;
  vectors text[];
  weights double precision[];
BEGIN
  FOR item IN SELECT t.part, t.text, t.weight FROM thanopg.templated(col, parts, options) t LOOP
    vectors := vectors || CASE
      WHEN item.part ? 'key' THEN thanopg.row_vector(col, item.part->'key')
      WHEN item.part ? 'image' THEN thanopg.query_vector(thanopg.image_bytes(item.part->>'image'), col)
      ELSE thanopg.query_vector(item.text, col) END;
    weights := weights || item.weight;
  END LOOP;
  IF vectors IS NULL THEN
    PERFORM thanopg.check_query(NULL::text);
  END IF;
  RETURN CASE WHEN cardinality(vectors) = 1 AND weights[1] > 0 THEN vectors[1] ELSE thanopg.combine_vectors(vectors, weights) END;
END $$;
COMMENT ON FUNCTION thanopg.parts_vector IS 'vector of a composed query, in the space of a column';

CREATE OR REPLACE FUNCTION thanopg.image_bytes(base64 text)
RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN decode(base64, 'base64');
EXCEPTION WHEN invalid_parameter_value THEN
  RAISE EXCEPTION 'the image of the query is not base64' USING
    ERRCODE = 'invalid_parameter_value', HINT = 'for example: jsonb_build_object(''image'', encode(bytes, ''base64''))';
END $$;
COMMENT ON FUNCTION thanopg.image_bytes IS 'the bytes of an image that came as base64';

-- The same as an expression, to read and to run again.
CREATE OR REPLACE FUNCTION thanopg.parts_expression(col thanopg.embedding_column, parts jsonb, options jsonb)
RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
  calls text[];
  weights text[];
BEGIN
  SELECT array_agg(CASE
           WHEN t.part ? 'key' THEN format('(SELECT %I.%I FROM %s WHERE %s)', (col).table_name, (col).column_name, (col).target,
                                           thanopg.row_condition(col, t.part->'key'))
           WHEN t.part ? 'image' THEN format('thanopg.embed_image(decode(%L, ''base64''), %L)', t.part->>'image', (col).model)
           ELSE format('thanopg.embed_text(%L, %L)', t.text, (col).model) END), array_agg(t.weight::text)
  INTO calls, weights FROM thanopg.templated(col, parts, options) t;
  IF cardinality(calls) = 1 AND weights[1]::double precision > 0 THEN
    RETURN calls[1];
  END IF;
  RETURN format('thanopg.combine_vectors(ARRAY[%s], ARRAY[%s])', array_to_string(calls, '::text, ') || '::text', array_to_string(weights, ', '));
END $$;
COMMENT ON FUNCTION thanopg.parts_expression IS 'SQL text: the vector of a composed query';

-- A query's rows are known to whoever names them: they are left out of what is found.
CREATE OR REPLACE FUNCTION thanopg.rows_beside(col thanopg.embedding_column, parts jsonb, filter text)
RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN count(*) = 0 THEN filter ELSE
    concat_ws(' AND ', string_agg('NOT (' || thanopg.row_condition(col, part->'key') || ')', ' AND '), '(' || filter || E'\n)') END
  FROM jsonb_array_elements(parts) part WHERE part ? 'key'
$$;
COMMENT ON FUNCTION thanopg.rows_beside IS 'SQL text: a filter, and not the rows that the query names';

CREATE OR REPLACE FUNCTION thanopg.set_template(model text, template text DEFAULT NULL)
RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  found thanopg.model := thanopg.find_model(model);
BEGIN
  IF strpos(template, '{}') = 0 THEN
    RAISE EXCEPTION 'the template has no place for the query' USING
      ERRCODE = 'invalid_parameter_value', HINT = 'write {} where it goes: SELECT set_template(''catalog'', ''{} 사진'')';
  END IF;
  UPDATE thanopg.model m SET template = template WHERE m.name = found.name;
END $$;
COMMENT ON FUNCTION thanopg.set_template IS
  'the sentence that searches put a query into before they compare it with pictures. Example: SELECT set_template(''catalog'', ''{} 사진'')';
