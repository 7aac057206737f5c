-- Cosines of words and pictures lie elsewhere in every model. calibrate takes a sample of rows with a text that says what
-- they show; each text and its own row's vector are a pair that fits, it and others' vectors pairs that do not. A logistic
-- curve through them (Platt's scaling, both kinds of the same weight) is what probability is read from afterwards.

CREATE OR REPLACE FUNCTION thanopg.fit_logistic(
  similarities double precision[], fits boolean[], OUT slope double precision, OUT intercept double precision)
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  most_steps CONSTANT int := 50;
  ridge CONSTANT double precision := 0.001;  -- pairs that a threshold tells apart would give an infinite slope
  mean double precision;
  deviation double precision;
  step record;
  a double precision := 0;
  b double precision := 0;
BEGIN
  SELECT avg(s), nullif(stddev_pop(s), 0) INTO mean, deviation FROM unnest(similarities) s;
  IF deviation IS NULL THEN
    RETURN;
  END IF;
  FOR i IN 1 .. most_steps LOOP  -- Newton's
    SELECT sum(w * (y - p) * x) - ridge * a AS ga, sum(w * (y - p)) AS gb,
           sum(w * p * (1 - p) * x * x) + ridge AS haa, sum(w * p * (1 - p) * x) AS hab, sum(w * p * (1 - p)) + 1e-12 AS hbb
    INTO step
    FROM (
      SELECT z.x, z.y, 1 / (1 + exp(-least(greatest(a * z.x + b, -500), 500))) AS p, 0.5 / count(*) OVER (PARTITION BY z.y) AS w
      FROM (SELECT (u.s - mean) / deviation AS x, u.f::int AS y FROM unnest(similarities, fits) u(s, f)) z) q;
    EXIT WHEN abs(step.ga) + abs(step.gb) < 1e-9;
    a := a + (step.hbb * step.ga - step.hab * step.gb) / (step.haa * step.hbb - step.hab * step.hab);
    b := b + (step.haa * step.gb - step.hab * step.ga) / (step.haa * step.hbb - step.hab * step.hab);
  END LOOP;
  slope := a / deviation;
  intercept := b - a * mean / deviation;
END $$;
COMMENT ON FUNCTION thanopg.fit_logistic IS 'the logistic curve from a similarity to the probability that a pair fits';

-- The text that says what a row shows: a caption of the same picture, but never the very text that the vector is of.
CREATE OR REPLACE FUNCTION thanopg.describing_column(col thanopg.embedding_column, text_column name)
RETURNS name LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  found name := coalesce(text_column, (
    SELECT c.column_name FROM thanopg.embedding_column c
    WHERE c.target = (col).target AND c.kind = 'caption' AND c.column_name <> (col).source_name ORDER BY c.id LIMIT 1));
BEGIN
  IF found IS NULL THEN
    RAISE EXCEPTION '% has no captions to calibrate with', (col).target USING
      ERRCODE = 'undefined_column', HINT = 'name a column that says what the row shows: text_column => ''name''; or add_caption';
  ELSIF found = (col).source_name THEN
    RAISE EXCEPTION 'column % holds the very texts that the vectors are of', quote_ident(found) USING
      ERRCODE = 'invalid_parameter_value', HINT = 'name another one: text_column => …';
  END IF;
  PERFORM thanopg.check_source((col).target, found, 'text');
  RETURN found;
END $$;
COMMENT ON FUNCTION thanopg.describing_column IS 'the column whose texts say what a row shows';

CREATE OR REPLACE FUNCTION thanopg.calibrate(
  target regclass, column_name name, text_column name DEFAULT NULL, sample int DEFAULT 300,
  OUT row_count int, OUT fitting real, OUT others real, OUT even real)
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_variable
DECLARE
  fewest CONSTANT int := 20;
  others_each CONSTANT int := 20;
  col thanopg.embedding_column := thanopg.find_embedding_column(NULL, target, column_name);
  curve record;
  pairs record;
BEGIN
  IF target IS NULL OR column_name IS NULL THEN
    RAISE EXCEPTION 'table and column are needed' USING ERRCODE = 'null_value_not_allowed';
  ELSIF NOT has_table_privilege('thanopg.calibration', 'INSERT') THEN  -- before the work, not after it
    RAISE EXCEPTION '% may not calibrate', current_user USING
      ERRCODE = 'insufficient_privilege', HINT = 'the role that installed thanopg may';
  ELSIF col.kind = 'caption' THEN
    RAISE EXCEPTION 'column % holds captions, not vectors', quote_ident(column_name) USING ERRCODE = 'wrong_object_type';
  ELSIF sample IS NULL OR sample NOT BETWEEN fewest AND 10000 THEN
    RAISE EXCEPTION 'the sample is % to 10000 rows, not %', fewest, coalesce(sample::text, 'null') USING ERRCODE = 'invalid_parameter_value';
  END IF;
  text_column := thanopg.describing_column(col, text_column);
  EXECUTE format($sql$
    WITH sampled AS MATERIALIZED (
      SELECT row_number() OVER () - 1 AS number, count(*) OVER () AS row_count, s.*
      FROM (SELECT %1$I::text AS said, %2$I AS vector FROM %3$s
            WHERE %2$I IS NOT NULL AND btrim(%1$I) <> '' ORDER BY md5(%4$s::text) LIMIT $2) s
    ), asked AS MATERIALIZED (
      SELECT number, row_count, said,
             thanopg.parts_vector($1, jsonb_build_array(jsonb_build_object('text', said, 'weight', 1)), '{}')::%5$s AS vector
      FROM sampled
    ), pair AS (
      SELECT 1 - (a.vector %6$s s.vector) AS similarity, s.number = a.number AS fits, a.row_count
      FROM asked a
      JOIN sampled s ON s.number = a.number OR (s.number - a.number + a.row_count) %% a.row_count <= $3 AND s.said <> a.said
    )
    SELECT max(row_count) AS row_count, array_agg(similarity) AS similarities, array_agg(fits) AS fits,
           avg(similarity) FILTER (WHERE fits) AS fitting, avg(similarity) FILTER (WHERE NOT fits) AS others FROM pair$sql$,
    text_column, col.column_name, col.target, thanopg.key_expression(col, quote_ident(col.table_name)), col.type,
    thanopg.distance_operator(col.type_id)) INTO pairs USING col, sample, others_each;
  IF coalesce(pairs.row_count, 0) < fewest THEN
    RAISE EXCEPTION 'expected at least % rows of % with a vector and a text, not %', fewest, target, coalesce(pairs.row_count, 0) USING
      ERRCODE = 'object_not_in_prerequisite_state', HINT = 'see: SELECT * FROM embedding_status';
  END IF;
  SELECT f.* INTO curve FROM thanopg.fit_logistic(pairs.similarities, pairs.fits) f;
  IF curve.slope IS NULL OR curve.slope <= 0 THEN
    RAISE EXCEPTION 'the texts in % are no nearer to their own rows than to others', quote_ident(text_column) USING
      ERRCODE = 'data_exception', HINT = 'name a column that says what the row shows: text_column => …';
  END IF;
  INSERT INTO thanopg.calibration AS c (embedding, slope, intercept, text_column, row_count)
  VALUES (col.id, curve.slope, curve.intercept, text_column, pairs.row_count)
  ON CONFLICT (embedding) DO UPDATE SET slope = EXCLUDED.slope, intercept = EXCLUDED.intercept, text_column = EXCLUDED.text_column,
    row_count = EXCLUDED.row_count, calibrated_at = now();
  row_count := pairs.row_count;
  fitting := pairs.fitting;
  others := pairs.others;
  even := -curve.intercept / curve.slope;
END $$;
COMMENT ON FUNCTION thanopg.calibrate IS
  'let searches say how probable a similarity is; returns the sample''s rows, mean similarities of fitting and other pairs, and the even one. Example: SELECT * FROM calibrate(''product'', ''catalog_catalog'', ''name'')';
