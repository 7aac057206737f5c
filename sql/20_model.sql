-- Models: registered names on a base or a source.

-- What a model can do is the service's to say; one that says nothing of it is of a time when all models could embed both.
CREATE OR REPLACE FUNCTION thanopg.described_model(name text, base text, info jsonb)
RETURNS thanopg.model LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  made thanopg.model;
BEGIN
  made.name := name;
  made.base := base;
  made.source := info->>'source';
  made.architecture := info->>'architecture';
  made.dimensions := nullif((info->>'dimensions')::int, 0);
  made.fingerprint := info->>'fingerprint';
  made.context_length := nullif((info->>'context_length')::int, 0);
  made.can_caption := coalesce((info->>'can_caption')::boolean, false);
  made.can_embed_texts := made.dimensions IS NOT NULL AND coalesce((info->>'can_embed_texts')::boolean, true);
  made.can_embed_images := made.dimensions IS NOT NULL AND coalesce((info->>'can_embed_images')::boolean, true);
  made.languages := (SELECT array_agg(l.language ORDER BY l.position)
                     FROM jsonb_array_elements_text(nullif(info->'languages', 'null')) WITH ORDINALITY l(language, position));
  made.created_at := now();
  RETURN made;
END $$;
COMMENT ON FUNCTION thanopg.described_model IS 'a model as the service describes it';

CREATE OR REPLACE FUNCTION thanopg.create_model(name text, base text DEFAULT NULL, source text DEFAULT NULL, replace boolean DEFAULT false)
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_variable
DECLARE
  label text := coalesce(base, CASE WHEN source IS NULL THEN name ELSE 'custom' END);
  info jsonb;
  described thanopg.model;
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
  described := thanopg.described_model(name, label, info);
  INSERT INTO thanopg.model AS m SELECT described.*
  ON CONFLICT ON CONSTRAINT model_pkey DO UPDATE SET
    base = EXCLUDED.base, source = EXCLUDED.source, architecture = EXCLUDED.architecture, dimensions = EXCLUDED.dimensions,
    fingerprint = EXCLUDED.fingerprint, context_length = EXCLUDED.context_length, can_caption = EXCLUDED.can_caption,
    can_embed_texts = EXCLUDED.can_embed_texts, can_embed_images = EXCLUDED.can_embed_images, languages = EXCLUDED.languages
  WHERE replace;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'model % exists', quote_literal(name) USING ERRCODE = 'duplicate_object';
  END IF;
  RETURN name;
END $$;
COMMENT ON FUNCTION thanopg.create_model IS
  'register a model; the service says what it can do, its dimensions and fingerprint. Example: SELECT create_model(''shop'', base => ''catalog'')';

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

-- Refuses a model that can't do what a column of this kind needs.
CREATE OR REPLACE FUNCTION thanopg.check_ability(model thanopg.model, kind text)
RETURNS void LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  able CONSTANT boolean := CASE kind WHEN 'image' THEN (model).can_embed_images WHEN 'text' THEN (model).can_embed_texts ELSE (model).can_caption END;
  others text;
BEGIN
  IF able THEN
    RETURN;
  END IF;
  SELECT string_agg(m.name, ', ' ORDER BY m.name) INTO others FROM thanopg.model m
  WHERE CASE kind WHEN 'image' THEN m.can_embed_images WHEN 'text' THEN m.can_embed_texts ELSE m.can_caption END;
  RAISE EXCEPTION 'the model % %', quote_literal((model).name),
    CASE kind WHEN 'image' THEN 'makes no vectors of pictures' WHEN 'text' THEN 'makes no vectors of texts' ELSE 'writes no captions' END USING
    ERRCODE = 'feature_not_supported',
    HINT = coalesce('these do: ' || others, 'see: thanopg model list')
           || format('; if it has learnt to since: SELECT create_model(%L, base => %L, source => %L, replace => true)',
                     (model).name, (model).base, (model).source);
END $$;
COMMENT ON FUNCTION thanopg.check_ability IS 'refuse a model that can not fill a column of this kind';
