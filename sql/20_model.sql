-- Models: registered names on a base or a source.

CREATE OR REPLACE FUNCTION thanopg.create_model(name text, base text DEFAULT NULL, source text DEFAULT NULL, replace boolean DEFAULT false)
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_variable
DECLARE
  label text := coalesce(base, CASE WHEN source IS NULL THEN name ELSE 'custom' END);
  info jsonb;
BEGIN
  IF coalesce(name, '') = '' THEN
    RAISE EXCEPTION 'a model needs a name' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF NOT replace AND EXISTS (SELECT FROM thanopg.model m WHERE m.name = name) THEN
    RAISE EXCEPTION 'model % exists', quote_literal(name) USING
      ERRCODE = 'duplicate_object', HINT = 'choose another name, or: SELECT drop_model(' || quote_literal(name) || ')';
  END IF;
  info := thanopg.service_call(format('SELECT describe_model(%L)', coalesce(source, label)))::jsonb;
  IF EXISTS (SELECT FROM thanopg.embedding e WHERE e.model = name AND e.fingerprint <> info->>'fingerprint') THEN
    RAISE EXCEPTION 'embedding columns hold vectors of the present model %', quote_literal(name) USING
      ERRCODE = 'object_in_use',
      HINT = 'register the new weights under a new name, add an embedding column for it, then drop the old one';
  END IF;
  INSERT INTO thanopg.model AS m (name, base, source, architecture, dimensions, fingerprint, context_length, can_caption)
  VALUES (name, label, info->>'source', info->>'architecture', (info->>'dimensions')::int, info->>'fingerprint',
          (info->>'context_length')::int, (info->>'can_caption')::boolean)
  ON CONFLICT ON CONSTRAINT model_pkey DO UPDATE SET
    base = EXCLUDED.base, source = EXCLUDED.source, architecture = EXCLUDED.architecture, dimensions = EXCLUDED.dimensions,
    fingerprint = EXCLUDED.fingerprint, context_length = EXCLUDED.context_length, can_caption = EXCLUDED.can_caption
  WHERE replace;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'model % exists', quote_literal(name) USING ERRCODE = 'duplicate_object';
  END IF;
  RETURN name;
END $$;
COMMENT ON FUNCTION thanopg.create_model IS
  'register a model; the service says its dimensions and fingerprint. Example: SELECT create_model(''clip'')';

CREATE OR REPLACE FUNCTION thanopg.drop_model(name text)
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_variable
DECLARE
  used text;
BEGIN
  PERFORM thanopg.forget_dropped();
  SELECT string_agg(format('%s.%I', c.target, c.column_name), ', ') INTO used
  FROM thanopg.embedding_column c WHERE c.model = name;
  IF used IS NOT NULL THEN
    RAISE EXCEPTION 'model % is used by %', quote_literal(name), used USING
      ERRCODE = 'dependent_objects_still_exist', HINT = 'first: SELECT drop_embedding(''table'', ''column'')';
  END IF;
  DELETE FROM thanopg.model m WHERE m.name = name;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no model named %', quote_literal(name) USING ERRCODE = 'undefined_object';
  END IF;
END $$;
COMMENT ON FUNCTION thanopg.drop_model IS 'forget a model that no embedding column uses';
