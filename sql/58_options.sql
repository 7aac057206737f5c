-- What the options of a search may be. An option that is not known is an error: a slip of the finger would be silent.

CREATE OR REPLACE FUNCTION thanopg.refuse_option(name text, expected text, example text DEFAULT NULL)
RETURNS void LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'option % is %', name, expected USING
    ERRCODE = 'invalid_parameter_value',
    HINT = coalesce('for example: options => ''{"' || name || '": ' || example || '}''', 'leave it out for the default');
END $$;
COMMENT ON FUNCTION thanopg.refuse_option IS 'the error of an option that is not what it should be';

CREATE OR REPLACE FUNCTION thanopg.check_search(k int, options jsonb)
RETURNS void LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  known CONSTANT text[] := ARRAY['exact', 'ef_search', 'method', 'weights', 'fusion', 'candidates', 'caption_column',
                                 'plus', 'minus', 'like', 'unlike', 'template', 'min_probability'];
  unknown text;
BEGIN
  IF k IS NULL OR k <= 0 THEN
    RAISE EXCEPTION 'k must be at least 1, not %', coalesce(k::text, 'null') USING ERRCODE = 'invalid_parameter_value';
  ELSIF jsonb_typeof(options) IS DISTINCT FROM 'object' THEN
    RAISE EXCEPTION 'options must be a JSON object' USING
      ERRCODE = 'invalid_parameter_value', HINT = 'for example: options => ''{"exact": true}''';
  ELSIF options = '{}' THEN
    RETURN;
  END IF;
  SELECT o INTO unknown FROM jsonb_object_keys(options) o WHERE o <> ALL (known) LIMIT 1;
  IF unknown IS NOT NULL THEN
    RAISE EXCEPTION 'unknown option %', quote_literal(unknown) USING
      ERRCODE = 'invalid_parameter_value', HINT = 'known: ' || array_to_string(known, ', ');
  ELSIF jsonb_typeof(options->'exact') <> 'boolean' THEN
    PERFORM thanopg.refuse_option('exact', 'true or false', 'true');
  ELSIF NOT thanopg.is_number(options->'ef_search', 1, 1000) THEN
    PERFORM thanopg.refuse_option('ef_search', 'a number from 1 to 1000', '200');
  ELSIF options ? 'method' AND coalesce(options->>'method', '') NOT IN ('image', 'caption', 'keyword', 'hybrid') THEN
    PERFORM thanopg.refuse_option('method', 'image, caption, keyword or hybrid', '"hybrid"');
  ELSIF options ? 'fusion' AND coalesce(options->>'fusion', '') NOT IN ('rrf', 'score') THEN
    PERFORM thanopg.refuse_option('fusion', 'rrf or score', '"score"');
  ELSIF NOT thanopg.is_number(options->'candidates', 1, 10000) THEN
    PERFORM thanopg.refuse_option('candidates', 'a number from 1 to 10000', '200');
  ELSIF NOT thanopg.is_number(options->'min_probability', 0, 1) THEN
    PERFORM thanopg.refuse_option('min_probability', 'a number from 0 to 1', '0.5');
  ELSIF options ? 'caption_column' AND jsonb_typeof(options->'caption_column') <> 'string' THEN
    PERFORM thanopg.refuse_option('caption_column', 'the name of a column of text vectors', '"caption_vector"');
  ELSIF options ? 'template' AND NOT thanopg.is_template(options->'template') THEN
    PERFORM thanopg.refuse_option('template', 'a text with {} where the query goes, or an array of such', '"a photo of {}"');
  END IF;
  PERFORM thanopg.check_weights(options->'weights');
  PERFORM thanopg.check_parts(name, options->name) FROM unnest(ARRAY['plus', 'minus', 'like', 'unlike']) name WHERE options ? name;
END $$;
COMMENT ON FUNCTION thanopg.check_search IS 'refuse a search that can only give a wrong answer';

CREATE OR REPLACE FUNCTION thanopg.is_number(value jsonb, lowest numeric, highest numeric)
RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN jsonb_typeof(value) = 'number' THEN value::numeric BETWEEN lowest AND highest ELSE false END;
COMMENT ON FUNCTION thanopg.is_number IS 'is an option a number between two others; null where there is none';

CREATE OR REPLACE FUNCTION thanopg.is_template(value jsonb)
RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN CASE jsonb_typeof(value)
  WHEN 'string' THEN strpos(value #>> '{}', '{}') > 0
  WHEN 'array' THEN jsonb_array_length(value) > 0 AND (SELECT bool_and(jsonb_typeof(e) = 'string' AND strpos(e #>> '{}', '{}') > 0)
                                                       FROM jsonb_array_elements(value) e)
  ELSE false
END;
COMMENT ON FUNCTION thanopg.is_template IS 'has a text, or have all of several, a place for the query';

CREATE OR REPLACE FUNCTION thanopg.check_weights(weights jsonb)
RETURNS void LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF jsonb_typeof(weights) <> 'object'
     OR EXISTS (SELECT FROM jsonb_each(weights) w
                WHERE w.key NOT IN ('image', 'caption', 'keyword') OR NOT thanopg.is_number(w.value, 0, 1000000))
     OR NOT EXISTS (SELECT FROM jsonb_each_text(weights) w WHERE w.value::numeric > 0) THEN
    PERFORM thanopg.refuse_option('weights', 'an object of image, caption and keyword, with numbers from 0 and one above it',
                                  '{"image": 2, "caption": 1, "keyword": 1}');
  END IF;
END $$;
COMMENT ON FUNCTION thanopg.check_weights IS 'refuse weights of methods that are none';

-- plus and minus hold texts, or objects of a text or an image and its weight; like and unlike hold keys of rows, or
-- objects of a key and its weight.
CREATE OR REPLACE FUNCTION thanopg.check_parts(name text, parts jsonb)
RETURNS void LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  most CONSTANT int := 32;
  rows CONSTANT boolean := name IN ('like', 'unlike');
BEGIN
  IF (CASE jsonb_typeof(parts) WHEN 'array' THEN jsonb_array_length(parts) NOT BETWEEN 1 AND most ELSE true END) OR EXISTS (
    SELECT FROM jsonb_array_elements(parts) e
    WHERE CASE
      WHEN jsonb_typeof(e) = 'string' THEN rows OR btrim(e #>> '{}') = ''
      WHEN jsonb_typeof(e) <> 'object' THEN true
      WHEN rows THEN e = '{}' OR (thanopg.is_weighted_key(e) AND NOT coalesce(thanopg.is_number(e->'weight', 0, 1000), true))
      ELSE (SELECT count(*) FROM jsonb_object_keys(e) k WHERE k IN ('text', 'image')) <> 1
           OR EXISTS (SELECT FROM jsonb_object_keys(e) k WHERE k NOT IN ('text', 'image', 'weight'))
           OR jsonb_typeof(coalesce(e->'text', e->'image')) <> 'string' OR btrim(coalesce(e->>'text', e->>'image')) = ''
           OR NOT coalesce(thanopg.is_number(e->'weight', 0, 1000), true)
    END) THEN
    IF rows THEN
      PERFORM thanopg.refuse_option(name, format('an array of 1 to %s keys of rows, or of objects with a key and a weight from 0', most),
                                    '[{"id": 7}, {"key": {"id": 8}, "weight": 0.5}]');
    END IF;
    PERFORM thanopg.refuse_option(name, format('an array of 1 to %s texts, or of objects with a text or an image in base64, and a weight from 0', most),
                                  '["red", {"text": "long sleeves", "weight": 0.5}]');
  END IF;
END $$;
COMMENT ON FUNCTION thanopg.check_parts IS 'refuse what a query can not be composed of';

CREATE OR REPLACE FUNCTION thanopg.is_weighted_key(part jsonb)
RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN coalesce(jsonb_typeof(part->'key') = 'object', false);
COMMENT ON FUNCTION thanopg.is_weighted_key IS 'is a row named as {"key": {…}, "weight": …} and not by its key alone';
