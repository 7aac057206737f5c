-- The model that comes with the package: the setting thanopg.bundled_model describes it, as JSON. Vectors that an older one
-- has made are kept, and so is then the older one.

DO $$
DECLARE
  info CONSTANT jsonb := current_setting('thanopg.bundled_model');
BEGIN
  INSERT INTO thanopg.model AS m
    (name, base, source, architecture, dimensions, fingerprint, context_length, can_caption, can_embed_texts,
     can_embed_images, languages)
  SELECT i.name, i.name, i.source, i.architecture, i.dimensions, i.fingerprint, i.context_length, i.can_caption,
         i.can_embed_texts, i.can_embed_images, i.languages
  FROM jsonb_populate_record(NULL::thanopg.model, info) i
  ON CONFLICT (name) DO UPDATE SET
    base = EXCLUDED.base, source = EXCLUDED.source, architecture = EXCLUDED.architecture,
    dimensions = EXCLUDED.dimensions, fingerprint = EXCLUDED.fingerprint,
    context_length = EXCLUDED.context_length, can_caption = EXCLUDED.can_caption,
    can_embed_texts = EXCLUDED.can_embed_texts, can_embed_images = EXCLUDED.can_embed_images,
    languages = EXCLUDED.languages
  WHERE m.fingerprint <> EXCLUDED.fingerprint
      AND NOT EXISTS (SELECT FROM thanopg.embedding e WHERE e.model = m.name)
    OR m.fingerprint = EXCLUDED.fingerprint
      AND (m.can_caption, m.languages) IS DISTINCT FROM (EXCLUDED.can_caption, EXCLUDED.languages);
  IF EXISTS (SELECT FROM thanopg.model m WHERE m.name = info->>'name' AND m.fingerprint <> info->>'fingerprint') THEN
    RAISE WARNING 'model % has embedding columns of an older version: drop and add them to use the new one', info->>'name';
  END IF;
END $$;
