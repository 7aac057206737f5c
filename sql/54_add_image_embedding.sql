-- The three kinds of embedding columns: a picture's vector, a picture in words, a text's vector. A vector column that is
-- there already and was filled elsewhere by the same model is adopted; for captions one that is empty can serve.

CREATE OR REPLACE FUNCTION thanopg.add_image_embedding(
  target regclass, image_column text, model text, column_name text DEFAULT NULL, type text DEFAULT 'vector', index text DEFAULT 'auto')
RETURNS text LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found thanopg.model := thanopg.find_model(model);
BEGIN
  PERFORM thanopg.check_ability(found, 'image'), thanopg.check_index(type, index, found.dimensions);
  RETURN thanopg.add_embedding('image', target, image_column, found, coalesce(column_name, found.name || '_' || found.base),
                               thanopg.vector_type(type, found.dimensions), index);
END $$;
COMMENT ON FUNCTION thanopg.add_image_embedding IS
  'add a vector column that follows an image column, or adopt one; returns its name. Example: SELECT add_image_embedding(''photo'', ''image_path'', ''catalog'')';

CREATE OR REPLACE FUNCTION thanopg.add_text_embedding(
  target regclass, text_column text, model text, column_name text DEFAULT NULL, type text DEFAULT 'vector', index text DEFAULT 'auto')
RETURNS text LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found thanopg.model := thanopg.find_model(model);
BEGIN
  PERFORM thanopg.check_ability(found, 'text'), thanopg.check_index(type, index, found.dimensions);
  RETURN thanopg.add_embedding('text', target, text_column, found,
                               coalesce(column_name, concat_ws('_', found.name, found.base, text_column)),
                               thanopg.vector_type(type, found.dimensions), index);
END $$;
COMMENT ON FUNCTION thanopg.add_text_embedding IS
  'add a vector column that follows a text column, a caption perhaps, or adopt one; returns its name. Example: SELECT add_text_embedding(''photo'', ''caption'', ''e5'')';

CREATE OR REPLACE FUNCTION thanopg.add_caption(
  target regclass, image_column text, model text, column_name text DEFAULT 'caption', language text DEFAULT NULL,
  prompt text DEFAULT NULL, attributes_column text DEFAULT NULL)
RETURNS text LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found thanopg.model := thanopg.find_model(model);
BEGIN
  PERFORM thanopg.check_ability(found, 'caption');
  IF language <> ALL (found.languages) THEN
    RAISE EXCEPTION 'the model % writes captions in %, not in %', quote_literal(model), array_to_string(found.languages, ', '), quote_literal(language)
      USING ERRCODE = 'invalid_parameter_value', HINT = format('language => %L, or leave it out', found.languages[1]);
  ELSIF btrim(prompt) = '' THEN
    RAISE EXCEPTION 'the prompt is empty' USING ERRCODE = 'invalid_parameter_value', HINT = 'leave it out';
  ELSIF attributes_column = column_name THEN
    RAISE EXCEPTION 'caption and attributes need a column each' USING ERRCODE = 'duplicate_column';
  END IF;
  RETURN thanopg.add_embedding('caption', target, image_column, found, column_name, 'text', 'none', language, prompt, attributes_column);
END $$;
COMMENT ON FUNCTION thanopg.add_caption IS
  'add a text column that says what an image column shows; returns its name. Example: SELECT add_caption(''photo'', ''image_path'', ''catalog'', language => ''en'')';
