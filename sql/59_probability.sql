-- A similarity that can be compared: the probability that a vector fits a text, along the column's own logistic curve.

CREATE OR REPLACE FUNCTION thanopg.probability(similarity double precision, slope double precision, intercept double precision)
RETURNS double precision LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN 1 / (1 + exp(-least(greatest(slope * similarity + intercept, -500), 500)));
COMMENT ON FUNCTION thanopg.probability IS 'probability that a text and a vector of this similarity fit';

CREATE OR REPLACE FUNCTION thanopg.probability_expression(col thanopg.embedding_column, similarity text)
RETURNS text LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN (col).slope IS NOT NULL THEN
  format('round(thanopg.probability(%s, %s, %s)::numeric, 4)', similarity, (col).slope, (col).intercept) END;
COMMENT ON FUNCTION thanopg.probability_expression IS 'SQL text: the probability of a similarity; null: the column is not calibrated';

CREATE OR REPLACE FUNCTION thanopg.least_similarity(col thanopg.embedding_column, options jsonb)
RETURNS double precision LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
  wanted CONSTANT double precision := (options->>'min_probability')::double precision;
BEGIN
  IF (col).slope IS NULL THEN
    RAISE EXCEPTION 'column %.% is not calibrated', (col).target, quote_ident((col).column_name) USING
      ERRCODE = 'object_not_in_prerequisite_state',
      HINT = format('its owner runs: SELECT calibrate(%L, %L)', (col).target, (col).column_name);
  END IF;
  RETURN CASE wanted WHEN 0 THEN '-infinity' WHEN 1 THEN 'infinity' ELSE (ln(wanted / (1 - wanted)) - (col).intercept) / (col).slope END;
END $$;
COMMENT ON FUNCTION thanopg.least_similarity IS 'the similarity that has the probability min_probability';

CREATE OR REPLACE FUNCTION thanopg.also_probability(col thanopg.embedding_column, similarity text)
RETURNS text LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN (col).slope IS NULL THEN ''
            ELSE format($sql$ || jsonb_build_object('probability', %s)$sql$, thanopg.probability_expression(col, similarity)) END;
COMMENT ON FUNCTION thanopg.also_probability IS 'SQL text that adds the probability to a row''s detail; empty: the column is not calibrated';
