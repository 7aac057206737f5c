-- Which methods a search uses, and with what weights: what was asked for, or what is there.

-- The vectors of texts beside a picture. Several are searched as one list, the nearest of a row counts, and that only
-- makes sense within one model: the searched column's own if it has any, otherwise the first that came.
CREATE OR REPLACE FUNCTION thanopg.caption_columns(col thanopg.embedding_column, options jsonb)
RETURNS thanopg.embedding_column[] LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (
  WITH fitting AS (
    SELECT c AS text_column, c.id, c.fingerprint,
           first_value(c.fingerprint) OVER (ORDER BY (c.fingerprint = (col).fingerprint) DESC, c.id) AS wanted
    FROM thanopg.embedding_column c
    WHERE c.target = (col).target AND c.kind = 'text'
      AND (NOT options ? 'caption_column' OR c.column_name = options->>'caption_column')
  )
  SELECT array_agg(text_column ORDER BY id) FROM fitting WHERE fingerprint = wanted);
END $$;
COMMENT ON FUNCTION thanopg.caption_columns IS 'the columns that method caption searches; null: none';

-- Why a method can't be used, or null if it can.
CREATE OR REPLACE FUNCTION thanopg.missing_method(
  method text, col thanopg.embedding_column, captions thanopg.embedding_column[], parts jsonb, options jsonb)
RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  sees boolean;
  has_text CONSTANT boolean := EXISTS (SELECT FROM jsonb_array_elements(parts) p WHERE p ? 'text' AND (p->>'weight')::numeric > 0);
  has_picture CONSTANT boolean := EXISTS (SELECT FROM jsonb_array_elements(parts) p WHERE p ? 'image');
BEGIN
  IF method = 'keyword' THEN
    RETURN CASE
      WHEN NOT EXISTS (SELECT FROM thanopg.keyword_index k WHERE k.target = (col).target) THEN 'no keyword index'
      WHEN NOT has_text THEN 'no text in the query' END;
  ELSIF method = 'caption' AND captions IS NULL THEN
    RETURN CASE WHEN options ? 'caption_column' THEN 'no column of text vectors named ' || quote_ident(options->>'caption_column')
                ELSE 'no column of text vectors' END;
  ELSIF has_picture THEN
    SELECT m.can_embed_images INTO sees FROM thanopg.model m
    WHERE m.name = CASE method WHEN 'caption' THEN captions[1].model ELSE (col).model END;
    RETURN CASE WHEN NOT sees THEN 'its model makes no vectors of pictures' END;
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION thanopg.missing_method IS 'why a method of search can not be used here; null: it can';

-- {"method", "fusion", "candidates", "weights": {…}, "without": {method: reason}}
CREATE OR REPLACE FUNCTION thanopg.search_plan(
  col thanopg.embedding_column, captions thanopg.embedding_column[], parts jsonb, k int, options jsonb)
RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_variable
DECLARE
  method CONSTANT text := options->>'method';
  fusion CONSTANT text := coalesce(options->>'fusion', 'rrf');
  -- chosen on one half of the catalogue's queries and tried on the other: thanopg tune, see docs/search.md
  usual CONSTANT jsonb := CASE fusion WHEN 'rrf' THEN '{"image": 1, "caption": 1, "keyword": 1}'
                                      ELSE '{"image": 2, "caption": 1, "keyword": 1}' END;
  weights jsonb;
  without jsonb;
BEGIN
  IF method <> 'hybrid' THEN
    IF thanopg.missing_method(method, col, captions, parts, options) IS NOT NULL THEN
      RAISE EXCEPTION 'method % can''t be used with %: %', method, (col).target,
        thanopg.missing_method(method, col, captions, parts, options) USING
        ERRCODE = 'object_not_in_prerequisite_state',
        HINT = CASE method
          WHEN 'keyword' THEN format('SELECT add_keyword_index(%L, ARRAY[''a_text_column'']); or ask with a text', (col).target)
          WHEN 'caption' THEN format('SELECT add_text_embedding(%L, ''a_text_column'', ''model''); of a picture''s caption: add_caption before it', (col).target)
          ELSE 'choose another model, or ask with a text' END;
    END IF;
    RETURN jsonb_build_object('method', method, 'fusion', 'score', 'candidates', k, 'weights', jsonb_build_object(method, 1));
  END IF;
  SELECT jsonb_object_agg(w.key, w.value) FILTER (WHERE m.reason IS NULL), jsonb_object_agg(w.key, m.reason) FILTER (WHERE m.reason IS NOT NULL)
  INTO weights, without
  FROM jsonb_each(coalesce(options->'weights', usual)) w
  CROSS JOIN LATERAL (SELECT thanopg.missing_method(w.key, col, captions, parts, options) AS reason) m
  WHERE w.value::numeric > 0;
  IF weights IS NULL THEN
    RAISE EXCEPTION 'no method can be used with %: %', (col).target,
      (SELECT string_agg(r.key || ': ' || r.value, '; ') FROM jsonb_each_text(without) r) USING
      ERRCODE = 'object_not_in_prerequisite_state', HINT = 'leave weights out to use what is there';
  END IF;
  RETURN jsonb_strip_nulls(jsonb_build_object(
    'method', method, 'fusion', fusion, 'candidates', greatest((options->>'candidates')::int, k, 100),
    'weights', weights, 'without', without));
END $$;
COMMENT ON FUNCTION thanopg.search_plan IS 'the methods that a search uses, their weights, and what it has to do without';
