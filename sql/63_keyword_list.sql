-- The list of rows that a query's words find, as part of a search's statement. One look into the index per word and per
-- three letters; a row's score is the share of what was asked for that it has, rare words and letters counting more.

CREATE OR REPLACE FUNCTION thanopg.key_columns(col thanopg.embedding_column)
RETURNS text LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN (SELECT string_agg(format('%I.%I AS key%s', (col).table_name, name, position), ', ' ORDER BY position)
        FROM unnest((col).key_names) WITH ORDINALITY u(name, position));
COMMENT ON FUNCTION thanopg.key_columns IS 'SQL text: the key of a row as columns key1, key2 …';

CREATE OR REPLACE FUNCTION thanopg.key_list(col thanopg.embedding_column, prefix text DEFAULT NULL)
RETURNS text LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN (SELECT string_agg(concat(prefix || '.', 'key', position), ', ' ORDER BY position)
        FROM generate_series(1, cardinality((col).key_names)) position);
COMMENT ON FUNCTION thanopg.key_list IS 'SQL text: key1, key2 …';

CREATE OR REPLACE FUNCTION thanopg.key_join(col thanopg.embedding_column, prefix text)
RETURNS text LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN (SELECT string_agg(format('%I.%I = %s.key%s', (col).table_name, name, prefix, position), ' AND ' ORDER BY position)
        FROM unnest((col).key_names) WITH ORDINALITY u(name, position));
COMMENT ON FUNCTION thanopg.key_join IS 'SQL text: the condition that joins a row to key1, key2 …';

-- How common the commonest terms of a table are, as ANALYZE has seen it. Its statistics are their owner's to read; here
-- they go to whoever may read the whole table and could count for himself.
CREATE OR REPLACE FUNCTION thanopg.term_frequencies(index regclass)
RETURNS TABLE (term text, frequency real) LANGUAGE sql STABLE STRICT SECURITY DEFINER ROWS 1000 SET search_path = pg_catalog, pg_temp AS $$
  SELECT u.term, u.frequency
  FROM thanopg.keyword_index k
  JOIN pg_class t ON t.oid = k.target AND NOT t.relrowsecurity AND has_table_privilege(
    CASE current_setting('role') WHEN 'none' THEN session_user ELSE current_setting('role')::name END, t.oid, 'SELECT')  -- who asks
  JOIN pg_class i ON i.oid = k.index
  JOIN pg_stats s ON s.schemaname = i.relnamespace::regnamespace::name AND s.tablename = i.relname
  CROSS JOIN LATERAL unnest(s.most_common_elems::text::text[], s.most_common_elem_freqs) u(term, frequency)
  WHERE k.index = term_frequencies.index AND u.term IS NOT NULL
$$;
COMMENT ON FUNCTION thanopg.term_frequencies IS 'the share of rows that have each of the commonest terms of a keyword index';
REVOKE ALL ON FUNCTION thanopg.term_frequencies(regclass) FROM PUBLIC;
DO $$
BEGIN
  IF to_regrole('thanopg_reader') IS NOT NULL THEN
    GRANT EXECUTE ON FUNCTION thanopg.term_frequencies(regclass) TO thanopg_reader;
  END IF;
END $$;

-- A large table has too many rows with a common word for all of them to be looked at. There the rarest terms of the query
-- choose the rows, and the others only say which of them are best. Where nothing is known of how common terms are, at most
-- most_rows rows are looked at for each, and candidates are scored anew from the row itself.
CREATE OR REPLACE FUNCTION thanopg.keyword_list(col thanopg.embedding_column, parts jsonb, candidates int, filter text)
RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
  most_rows CONSTANT int := 20000;
  most_letters CONSTANT int := 500;
  index record;
  texts text;
  anchors text := '';
  anchored text := '';
  rows text := '0';
  known text := '';
BEGIN
  SELECT k.expression, k.index, coalesce(', ' || quote_literal(k.language) || '::regconfig', '') AS language, greatest(c.reltuples, 1) AS rows
  INTO index
  FROM thanopg.keyword_index k JOIN pg_class c ON c.oid = k.target
  WHERE k.target = (col).target ORDER BY k.index LIMIT 1;
  SELECT string_agg(format('(%L, %s)', left(p->>'text', most_letters), p->>'weight'), ', ') INTO texts
  FROM jsonb_array_elements(parts) p WHERE p ? 'text';
  IF index.rows > most_rows THEN
    known := format(E'\n  LEFT JOIN thanopg.term_frequencies(%L) USING (term)', index.index);
    rows := format('coalesce(%s * max(frequency), 0)', index.rows);
    anchors := format($sql$anchor_term AS MATERIALIZED (  -- the rarest, together in no more rows than can be looked at
  SELECT array_agg(term) AS terms
  FROM (SELECT term, rows, sum(rows) OVER (ORDER BY rows, term) AS rows_so_far FROM query_term WHERE factor > 0) ordered
  WHERE rows_so_far <= greatest(%s, (SELECT min(rows) FROM query_term WHERE factor > 0))
), $sql$, most_rows);
    anchored := format(E'\n      AND %s && (SELECT terms FROM anchor_term)', index.expression);
  END IF;
  RETURN format($sql$query_term AS MATERIALIZED (
  SELECT term, CASE WHEN length(term) > 3 THEN 2 ELSE 1 END * sum(weight) AS factor, %12$s AS rows  -- longer ones are whole words
  FROM (VALUES %1$s) said(text, weight)
  CROSS JOIN LATERAL (SELECT DISTINCT unnest(thanopg.keyword_terms(ARRAY[text]%2$s)) AS term) terms%15$s
  GROUP BY term
), %13$sterm_row AS MATERIALIZED (
  SELECT query_term.term, query_term.factor, query_term.rows, %3$s
  FROM query_term CROSS JOIN LATERAL (
    SELECT %4$s
    FROM %5$s
    WHERE %6$s @> ARRAY[query_term.term]%14$s%7$s
    LIMIT %8$s
  ) found
), term_weight AS MATERIALIZED (  -- the rarer, the more
  SELECT term, factor * ln(1 + greatest(%9$s, max(count(*)) OVER ()) / greatest(count(*), rows)::double precision) AS weight,
    count(*) = %8$s AS common
  FROM term_row GROUP BY term, factor, rows
), keyword_score AS MATERIALIZED (
  SELECT %10$s, sum(weight) / (SELECT sum(weight) FROM term_weight WHERE weight > 0) AS score
  FROM term_row JOIN term_weight USING (term)
  GROUP BY %10$s
), keyword_near AS MATERIALIZED (
  SELECT %10$s FROM keyword_score WHERE score > 0 ORDER BY score DESC, %10$s LIMIT %11$s
)$sql$, texts, index.language, thanopg.key_list(col, 'found'), thanopg.key_columns(col), thanopg.from_target(col), index.expression,
    coalesce(E'\n      AND (' || filter || E'\n      )', ''), most_rows, index.rows, thanopg.key_list(col), candidates,
    rows, anchors, anchored, known);
END $$;
COMMENT ON FUNCTION thanopg.keyword_list IS 'SQL text: the rows that a query''s words find, and their scores';

-- The score of a candidate, which another list may have brought: read from the row where the list is not the whole truth.
CREATE OR REPLACE FUNCTION thanopg.keyword_score_expression(col thanopg.embedding_column)
RETURNS text LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $f$
BEGIN
  RETURN format($sql$CASE WHEN NOT (SELECT bool_or(common) FROM term_weight) THEN keyword_score.score ELSE (
      SELECT sum(weight) FILTER (WHERE term = ANY ((SELECT %s FROM %s WHERE %s)::text[])) / sum(weight) FILTER (WHERE weight > 0)
      FROM term_weight) END$sql$,
    (SELECT k.expression FROM thanopg.keyword_index k WHERE k.target = (col).target ORDER BY k.index LIMIT 1),
    thanopg.from_target(col), thanopg.key_join(col, 'candidate_row'));
END $f$;
COMMENT ON FUNCTION thanopg.keyword_score_expression IS 'SQL text: the keyword score of a candidate';
