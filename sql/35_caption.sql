-- Captions: an image goes to the service, a sentence comes back.

-- Where nothing is said of language or prompt, the service is sent an empty text: the model has its own.
CREATE OR REPLACE FUNCTION thanopg.caption_request(image bytea, source text, fingerprint text, language text, prompt text)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN format('SELECT caption_image(''\x%s'', %L, %L, %L, %L)', encode(image, 'hex'), source, fingerprint,
              coalesce(language, ''), coalesce(prompt, ''));
COMMENT ON FUNCTION thanopg.caption_request IS 'what the service is asked for the caption of an image';

CREATE OR REPLACE FUNCTION thanopg.ask_caption(image bytea, source text, fingerprint text, language text, prompt text)
RETURNS text LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM thanopg.check_registered(source);
  RETURN thanopg.service_call(thanopg.caption_request(image, source, fingerprint, language, prompt));
END $$;
COMMENT ON FUNCTION thanopg.ask_caption IS 'the readers'' door to the service for captions, by the weights of a registered model';

-- Whether a model can write captions is the service's to say: a captioner may have come after its registration.
CREATE OR REPLACE FUNCTION thanopg.caption_image(image bytea, model text, language text DEFAULT NULL, prompt text DEFAULT NULL)
RETURNS text LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found thanopg.model := thanopg.find_model(model);
BEGIN
  PERFORM thanopg.check_query(image);
  RETURN thanopg.ask_caption(image, found.source, found.fingerprint, language, prompt);
END $$;
COMMENT ON FUNCTION thanopg.caption_image IS
  'what an image file''s bytes show, in a sentence. Example: SELECT caption_image(pg_read_binary_file(''a.jpg''), ''catalog'', ''en'')';

REVOKE ALL ON FUNCTION thanopg.ask_caption(bytea, text, text, text, text) FROM PUBLIC;
DO $$
BEGIN
  IF to_regrole('thanopg_reader') IS NOT NULL THEN
    GRANT EXECUTE ON FUNCTION thanopg.ask_caption(bytea, text, text, text, text) TO thanopg_reader;
  END IF;
END $$;
