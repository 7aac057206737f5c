-- Several lists of candidates, each from its own index, brought together in one statement. Every candidate is then judged
-- by all methods, whichever list it came from: its picture's and its texts' similarity are computed, its words are known.

-- The rows nearest to a query by one column, as keys, in the halves that a search of that column alone has.
CREATE OR REPLACE FUNCTION thanopg.near_list(
  col thanopg.embedding_column, name text, candidates int, filter text, options jsonb, OUT list text, OUT sources text[])
LANGUAGE plpgsql STABLE AS $$
DECLARE
  half CONSTANT record := thanopg.search_halves(
    col, format('(SELECT %s FROM query)', name), thanopg.key_columns(col), candidates, filter, options,
    format('(SELECT count(*) FROM %s_near) < %s', name, candidates));
BEGIN
  sources := CASE WHEN half.near IS NOT NULL THEN ARRAY[name || '_near'] END || (name || '_every');
  list := concat_ws(', ', name || E'_near AS MATERIALIZED (\n' || half.near || E'\n)', format(E'%s_every AS MATERIALIZED (\n%s\n)', name, half.every));
END $$;
COMMENT ON FUNCTION thanopg.near_list IS 'SQL text: the rows nearest to a query by one column, and the names under which they are';

-- What a method gives to the score of a row.
CREATE OR REPLACE FUNCTION thanopg.fused_term(method text, weight double precision, fusion text)
RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN CASE
  WHEN fusion = 'rrf' THEN format('coalesce(%s / (60 + %s_rank)::double precision, 0)', weight, method)
  WHEN method = 'keyword' THEN format('%s * coalesce(keyword / nullif(max(keyword) OVER (), 0), 0)', weight)
  ELSE format('%1$s * coalesce((%2$s - min(%2$s) OVER ()) / nullif(max(%2$s) OVER () - min(%2$s) OVER (), 0), (%2$s IS NOT NULL)::int)', weight, method)
END;
COMMENT ON FUNCTION thanopg.fused_term IS 'SQL text: what a method adds to a score';

CREATE OR REPLACE FUNCTION thanopg.fused_score(plan jsonb)
RETURNS text LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN (
  SELECT CASE
    WHEN count(*) = 1 THEN min(w.key)  -- nothing to fuse
    WHEN plan->>'fusion' = 'rrf' THEN string_agg(thanopg.fused_term(w.key, w.value::double precision, 'rrf'), ' + ' ORDER BY w.key)
    ELSE format('(%s) / %s', string_agg(thanopg.fused_term(w.key, w.value::double precision, 'score'), ' + ' ORDER BY w.key),
                sum(w.value::double precision)) END
  FROM jsonb_each_text(plan->'weights') w
);
COMMENT ON FUNCTION thanopg.fused_score IS 'SQL text: the score of a row by all methods of a plan';

-- image, caption and keyword of every candidate; null where it has none.
CREATE OR REPLACE FUNCTION thanopg.method_columns(col thanopg.embedding_column, captions thanopg.embedding_column[], weights jsonb)
RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_catalog.concat_ws(E',\n    ',
  CASE WHEN weights ? 'image' THEN
    pg_catalog.format('1 - (%I.%I %s (SELECT image FROM query)) AS image', (col).table_name, (col).column_name,
                      thanopg.distance_operator((col).type_id)) END,
  CASE WHEN weights ? 'caption' THEN
    (SELECT pg_catalog.format('greatest(%s) AS caption', pg_catalog.string_agg(
       pg_catalog.format('1 - (%I.%I %s (SELECT caption_%s FROM query))', c.table_name, c.column_name, thanopg.distance_operator(c.type_id), c.ordinality),
       ', ' ORDER BY c.ordinality))
     FROM pg_catalog.unnest(captions) WITH ORDINALITY c) END,
  CASE WHEN weights ? 'keyword' THEN thanopg.keyword_score_expression(col) || ' AS keyword' END);
COMMENT ON FUNCTION thanopg.method_columns IS 'SQL text: what each method says of a candidate';

-- What detail says of each method that has found a row.
CREATE OR REPLACE FUNCTION thanopg.method_details(col thanopg.embedding_column, captions thanopg.embedding_column[], methods text[])
RETURNS text LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN concat_ws(E',\n    ',
  $sql$'probability', $sql$ || CASE
    WHEN 'image' = ANY (methods) THEN thanopg.probability_expression(col, 'found_row.image')
    WHEN methods = '{caption}' THEN thanopg.probability_expression(captions[1], 'found_row.caption') END,
  (SELECT string_agg(format($sql$'%1$s', CASE WHEN found_row.%1$s_rank IS NOT NULL THEN jsonb_build_object('rank', found_row.%1$s_rank, '%2$s', found_row.%1$s::real) END$sql$,
                            m, CASE m WHEN 'keyword' THEN 'score' ELSE 'similarity' END), E',\n    ')
   FROM unnest(methods) m));
COMMENT ON FUNCTION thanopg.method_details IS 'SQL text: what each method says of a row';

-- The condition of min_probability, as the similarity that has it.
CREATE OR REPLACE FUNCTION thanopg.similar_enough(
  col thanopg.embedding_column, captions thanopg.embedding_column[], methods text[], options jsonb)
RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
  IF NOT options ? 'min_probability' THEN
    RETURN '';
  ELSIF methods = '{keyword}' THEN
    PERFORM thanopg.refuse_option('min_probability', 'about vectors of pictures or texts, not about method keyword');
  END IF;
  RETURN format(E'\n  WHERE %s >= %L::double precision', methods[1],
                thanopg.least_similarity(CASE methods[1] WHEN 'image' THEN col ELSE captions[1] END, options));
END $$;
COMMENT ON FUNCTION thanopg.similar_enough IS 'SQL text: what min_probability demands of a row';

-- vectors: the select list of the CTE query, with the columns image, caption_1, caption_2 … that the plan needs.
CREATE OR REPLACE FUNCTION thanopg.hybrid_statement(
  col thanopg.embedding_column, captions thanopg.embedding_column[], plan jsonb, vectors text, parts jsonb, items text, k int,
  filter text, options jsonb)
RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
  weights CONSTANT jsonb := plan->'weights';
  methods CONSTANT text[] := ARRAY(SELECT m FROM unnest(ARRAY['image', 'caption', 'keyword']) m WHERE weights ? m);
  candidates CONSTANT int := (plan->>'candidates')::int;
  keys CONSTANT text := thanopg.key_list(col);
  near record;
  lists text[];
  sources text[];
BEGIN
  FOR near IN
    SELECT l.* FROM thanopg.near_list(col, 'image', candidates, filter, options) l WHERE weights ? 'image'
    UNION ALL
    SELECT l.* FROM generate_subscripts(captions, 1) i
    CROSS JOIN LATERAL thanopg.near_list(captions[i], 'caption_' || i, candidates, filter, options) l WHERE weights ? 'caption'
  LOOP
    lists := lists || near.list;
    sources := sources || near.sources;
  END LOOP;
  IF weights ? 'keyword' THEN
    lists := lists || thanopg.keyword_list(col, parts, candidates, filter);
    sources := sources || 'keyword_near'::text;
  END IF;
  RETURN format($sql$WITH %1$s%2$s, candidate_row AS (
  %3$s
), scored_row AS MATERIALIZED (
  SELECT %4$s,
    %5$s
  FROM candidate_row
  JOIN %6$s ON %7$s%8$s
), ranked_row AS (
  SELECT *,
    %9$s
  FROM scored_row
), found_row AS (
  SELECT *, %10$s AS score
  FROM ranked_row%11$s
  ORDER BY score DESC, %12$s
  LIMIT %13$s
)
SELECT row_number() OVER (ORDER BY found_row.score DESC, %14$s) AS rank, %15$s, %16$s AS similarity,
  jsonb_strip_nulls(jsonb_build_object('score', found_row.score::real, %17$s)) AS detail
FROM found_row
JOIN %6$s ON %18$s
ORDER BY rank$sql$,
    E'query AS MATERIALIZED (\n  SELECT ' || vectors || E'\n), ',  -- 1
    array_to_string(lists, ', '),
    (SELECT string_agg(format('SELECT %s FROM %s', keys, source), E'\n  UNION\n  ') FROM unnest(sources) source),
    thanopg.key_list(col, 'candidate_row'),
    thanopg.method_columns(col, captions, weights),  -- 5
    thanopg.from_target(col),
    thanopg.key_join(col, 'candidate_row'),
    CASE WHEN weights ? 'keyword' THEN
      format(E'\n  LEFT JOIN keyword_score ON (%s) = (%s)', thanopg.key_list(col, 'keyword_score'), thanopg.key_list(col, 'candidate_row')) END,
    (SELECT string_agg(format('CASE WHEN %1$s %2$s THEN rank() OVER (ORDER BY %1$s DESC NULLS LAST) END AS %1$s_rank', m,
                              CASE m WHEN 'keyword' THEN '> 0' ELSE 'IS NOT NULL' END), E',\n    ') FROM unnest(methods) m),
    thanopg.fused_score(plan),  -- 10
    thanopg.similar_enough(col, captions, methods, options),
    concat_ws(', ', CASE WHEN weights ? 'image' THEN 'image DESC NULLS LAST' END, keys),
    k,
    concat_ws(', ', CASE WHEN weights ? 'image' THEN 'found_row.image DESC NULLS LAST' END, thanopg.key_list(col, 'found_row')),
    items,  -- 15
    CASE WHEN weights ? 'image' THEN 'found_row.image' WHEN weights ? 'caption' THEN 'found_row.caption' ELSE 'NULL::double precision' END,
    thanopg.method_details(col, captions, methods),
    thanopg.key_join(col, 'found_row'));
END $$;
COMMENT ON FUNCTION thanopg.hybrid_statement IS 'SQL text: the k best rows by several methods, best first';
