-- Captions: an image goes to the service, a sentence comes back.

CREATE OR REPLACE FUNCTION thanopg.caption_request(image bytea, source text, fingerprint text, language text)
RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN format('SELECT caption_image(''\x%s'', %L, %L, %L)', encode(image, 'hex'), source, fingerprint, language);
COMMENT ON FUNCTION thanopg.caption_request IS 'what the service is asked for the caption of an image';

CREATE OR REPLACE FUNCTION thanopg.ask_caption(image bytea, source text, fingerprint text, language text)
RETURNS text LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM thanopg.check_registered(source);
  RETURN thanopg.service_call(thanopg.caption_request(image, source, fingerprint, language));
END $$;
COMMENT ON FUNCTION thanopg.ask_caption IS 'the readers'' door to the service for captions, by the weights of a registered model';

-- Whether a model can write captions is the service's to say: a captioner may have come after its registration.
CREATE OR REPLACE FUNCTION thanopg.caption_image(image bytea, model text, language text DEFAULT 'ko')
RETURNS text LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found thanopg.model := thanopg.find_model(model);
BEGIN
  PERFORM thanopg.check_query(image);
  IF language IS NULL THEN
    RAISE EXCEPTION 'the language is null' USING ERRCODE = 'null_value_not_allowed', HINT = 'leave it out for Korean, or say ''en''';
  END IF;
  RETURN thanopg.ask_caption(image, found.source, found.fingerprint, language);
END $$;
COMMENT ON FUNCTION thanopg.caption_image IS
  'what an image file''s bytes show, in a sentence. Example: SELECT caption_image(pg_read_binary_file(''a.jpg''), ''catalog'', ''en'')';

REVOKE ALL ON FUNCTION thanopg.ask_caption(bytea, text, text, text) FROM PUBLIC;
DO $$
BEGIN
  IF to_regrole('thanopg_reader') IS NOT NULL THEN
    GRANT EXECUTE ON FUNCTION thanopg.ask_caption(bytea, text, text, text) TO thanopg_reader;
  END IF;
END $$;
