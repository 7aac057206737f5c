-- Query vectors: a text or an image goes to the service, a vector comes back.
-- An inline call in ORDER BY would run once per row, so write (SELECT embed_text(…)) there.

CREATE OR REPLACE FUNCTION thanopg.check_query(query text)
RETURNS void LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF query IS NULL THEN
    RAISE EXCEPTION 'the query is null' USING ERRCODE = 'null_value_not_allowed';
  ELSIF btrim(query, E' \t\r\n　') = '' THEN
    RAISE EXCEPTION 'the query text is empty' USING ERRCODE = 'invalid_parameter_value', HINT = 'describe the picture in a few words';
  END IF;
END $$;
COMMENT ON FUNCTION thanopg.check_query(text) IS 'refuse a query that can only give a wrong answer';

CREATE OR REPLACE FUNCTION thanopg.check_query(query bytea)
RETURNS void LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF query IS NULL THEN
    RAISE EXCEPTION 'the query is null' USING ERRCODE = 'null_value_not_allowed';
  ELSIF length(query) = 0 THEN
    RAISE EXCEPTION 'the query image is empty' USING ERRCODE = 'invalid_parameter_value';
  END IF;
END $$;
COMMENT ON FUNCTION thanopg.check_query(bytea) IS 'refuse a query that can only give a wrong answer';

-- The requests themselves, as the service reads them. source and fingerprint name the weights. Hangul typed on a Mac may
-- come as jamo; texts are asked for in the one form (NFC) that models know.
CREATE OR REPLACE FUNCTION thanopg.embed_request(query text, source text, fingerprint text)
RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN format('SELECT embed_text(%L, %L, %L)', normalize(query, NFC), source, fingerprint);
COMMENT ON FUNCTION thanopg.embed_request(text, text, text) IS 'what the service is asked for the vector of a text';

CREATE OR REPLACE FUNCTION thanopg.embed_request(query bytea, source text, fingerprint text)
RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN format('SELECT embed_image(''\x%s'', %L, %L)', encode(query, 'hex'), source, fingerprint);
COMMENT ON FUNCTION thanopg.embed_request(bytea, text, text) IS 'what the service is asked for the vector of an image';

-- The readers' door to the service. service_call is not theirs: describe_model would make the service load whatever it names.
CREATE OR REPLACE FUNCTION thanopg.ask_service(query text, source text, fingerprint text)
RETURNS text LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM thanopg.check_registered(source);
  RETURN thanopg.service_call(thanopg.embed_request(query, source, fingerprint));
END $$;
COMMENT ON FUNCTION thanopg.ask_service(text, text, text) IS 'vector of a text, by the weights of a registered model';

CREATE OR REPLACE FUNCTION thanopg.ask_service(query bytea, source text, fingerprint text)
RETURNS text LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM thanopg.check_registered(source);
  RETURN thanopg.service_call(thanopg.embed_request(query, source, fingerprint));
END $$;
COMMENT ON FUNCTION thanopg.ask_service(bytea, text, text) IS 'vector of an image, by the weights of a registered model';

CREATE OR REPLACE FUNCTION thanopg.check_registered(source text)
RETURNS void LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
  IF NOT EXISTS (SELECT FROM thanopg.model m WHERE m.source = source) THEN
    RAISE EXCEPTION 'no model has the source %', coalesce(quote_literal(source), 'null') USING ERRCODE = 'undefined_object';
  END IF;
END $$;
COMMENT ON FUNCTION thanopg.check_registered IS 'refuse weights that no registered model has';

CREATE OR REPLACE FUNCTION thanopg.find_model(name text)
RETURNS thanopg.model LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  found thanopg.model;
BEGIN
  IF name IS NULL THEN
    RAISE EXCEPTION 'the model is null' USING ERRCODE = 'null_value_not_allowed', HINT = 'name a registered model: SELECT name FROM thanopg.model';
  END IF;
  SELECT m.* INTO found FROM thanopg.model m WHERE m.name = name;
  IF found.name IS NULL THEN
    RAISE EXCEPTION 'no model named %', quote_literal(name) USING
      ERRCODE = 'undefined_object',
      HINT = coalesce((SELECT 'registered: ' || string_agg(m.name, ', ' ORDER BY m.name) FROM thanopg.model m),
                      'register one with: SELECT create_model(''catalog'')');
  END IF;
  RETURN found;
END $$;
COMMENT ON FUNCTION thanopg.find_model IS 'the registered model of that name, or an error that lists them';

CREATE OR REPLACE FUNCTION thanopg.embed_text(query text, model text)
RETURNS vector LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found thanopg.model := thanopg.find_model(model);
BEGIN
  PERFORM thanopg.check_query(query);
  RETURN thanopg.ask_service(query, found.source, found.fingerprint);
END $$;
COMMENT ON FUNCTION thanopg.embed_text IS
  'vector of a text, of length 1. In ORDER BY write: column <=> (SELECT embed_text(''a red dress'', ''catalog''))';

CREATE OR REPLACE FUNCTION thanopg.embed_image(image bytea, model text)
RETURNS vector LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found thanopg.model := thanopg.find_model(model);
BEGIN
  PERFORM thanopg.check_query(image);
  RETURN thanopg.ask_service(image, found.source, found.fingerprint);
END $$;
COMMENT ON FUNCTION thanopg.embed_image IS 'vector of an image file''s bytes, of length 1';
