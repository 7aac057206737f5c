-- Search by the letters of words, on core PostgreSQL alone: an expression index over what keyword_terms makes of a row.
--
-- Korean glues particles and endings to its words and leaves spaces out at will, so whole words find little and a
-- dictionary for it is not at hand. Three letters of the alphabet in a row, jamo and not syllables, find 편한 in 편안하다 and
-- 있는 in 있느; the whole words weigh twice. Of what was tried on the catalogue (words, syllables in ones, twos and threes,
-- jamo in threes to sixes) this was best in Korean and in English; docs/search.md has the figures.

-- What an index holds must never change, so neither may this function's results: a better one gets a new name.
CREATE OR REPLACE FUNCTION thanopg.keyword_terms(texts text[], language regconfig DEFAULT NULL)
RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
  WITH said AS (
    SELECT left(array_to_string(texts, ' '), 100000) COLLATE "default" AS text  -- a row's text has an end
  ), word AS (
    SELECT ' ' || normalize(w, NFKD) || ' ' AS letters
    FROM said, regexp_split_to_table(  -- ranges, because under LC_CTYPE C no Hangul is a letter
      lower(normalize(text, NFKC)), '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u3000-\u303f]+') w
    WHERE w <> ''
  )
  SELECT coalesce(array_agg(term COLLATE "C"), '{}') FROM (
    SELECT substr(letters, i, 3) FROM word, generate_series(1, length(letters) - 2) i
    UNION ALL
    SELECT substr(letters, i, 2) FROM word, generate_series(2, length(letters) - 2) i  -- a Chinese word has two letters
    WHERE letters ~ '[\u3040-\u30ff\u3400-\u9fff]'
    UNION ALL
    SELECT left(letters, 64) FROM word WHERE length(letters) > 3
    UNION ALL
    SELECT '=' || lexeme FROM said, unnest(tsvector_to_array(to_tsvector(language, text))) lexeme
  ) t(term)
$$;
COMMENT ON FUNCTION thanopg.keyword_terms IS
  'what a text is found by: its words, their letters in threes, and stems if a text search configuration is named';

-- The catalogue is the registry: an index over keyword_terms, with the names that its columns have now.
CREATE OR REPLACE VIEW thanopg.keyword_index AS
SELECT
  i.indrelid::pg_catalog.regclass AS target,
  i.indexrelid::pg_catalog.regclass AS index,
  ARRAY(SELECT a.attname FROM pg_catalog.pg_depend c
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.refobjid AND a.attnum = c.refobjsubid
        WHERE c.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.objid = i.indexrelid
          AND c.refobjid = i.indrelid AND c.refobjsubid > 0 GROUP BY a.attname, a.attnum ORDER BY a.attnum) AS columns,
  "substring"(e.expression, $$'([^']+)'::regconfig$$) AS language,
  e.expression
FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_index i ON i.indexrelid = d.objid
CROSS JOIN LATERAL (SELECT pg_catalog.format('(%s COLLATE "C")', pg_catalog.pg_get_expr(i.indexprs, i.indrelid)) AS expression) e
WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
  AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
  AND d.refobjid = 'thanopg.keyword_terms(text[], regconfig)'::pg_catalog.regprocedure
  AND i.indisvalid AND i.indnkeyatts = 1 AND i.indpred IS NULL
  AND NOT (SELECT c.relispartition FROM pg_catalog.pg_class c WHERE c.oid = i.indexrelid);
COMMENT ON VIEW thanopg.keyword_index IS 'tables that can be searched by keyword, and the columns that are searched';

CREATE OR REPLACE FUNCTION thanopg.keyword_index_statement(
  target regclass, text_columns text[], language text DEFAULT NULL, concurrent boolean DEFAULT false)
RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  configuration regconfig;
BEGIN
  IF target IS NULL OR text_columns IS NULL OR array_position(text_columns, NULL) IS NOT NULL THEN
    RAISE EXCEPTION 'table and columns are needed' USING ERRCODE = 'null_value_not_allowed';
  ELSIF cardinality(text_columns) = 0 THEN
    RAISE EXCEPTION 'at least one column is needed' USING
      ERRCODE = 'invalid_parameter_value', HINT = 'for example: SELECT add_keyword_index(''product'', ARRAY[''name'', ''description''])';
  END IF;
  BEGIN
    configuration := language;
  EXCEPTION WHEN undefined_object OR invalid_name OR invalid_schema_name THEN
    RAISE EXCEPTION 'no text search configuration named %', quote_literal(language) USING
      ERRCODE = 'undefined_object',
      HINT = 'leave it out for Korean, and where none fits; there are: '
             || (SELECT string_agg(c.cfgname, ', ' ORDER BY c.cfgname) FROM pg_ts_config c WHERE pg_ts_config_is_visible(c.oid));
  END;
  PERFORM thanopg.check_target(target), thanopg.check_source(target, name::name, 'text') FROM unnest(text_columns) name;
  RETURN format('CREATE INDEX %sON %s USING gin ((thanopg.keyword_terms(ARRAY[%s]%s) COLLATE "C"))',
                CASE WHEN concurrent THEN 'CONCURRENTLY ' ELSE '' END, target,
                (SELECT string_agg(format('%I::text', name), ', ' ORDER BY position) FROM unnest(text_columns) WITH ORDINALITY u(name, position)),
                ', ' || quote_literal(configuration) || '::regconfig');
END $$;
COMMENT ON FUNCTION thanopg.keyword_index_statement IS 'the statement that builds a keyword index, for psql''s \gexec where it is to be CONCURRENTLY';

CREATE OR REPLACE FUNCTION thanopg.add_keyword_index(target regclass, text_columns text[], language text DEFAULT NULL)
RETURNS text LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  statement text := thanopg.keyword_index_statement(target, text_columns, language);
  present text := (SELECT k.index FROM thanopg.keyword_index k WHERE k.target = target LIMIT 1);
BEGIN
  IF present IS NOT NULL THEN
    RAISE EXCEPTION '% has a keyword index, %', target, present USING
      ERRCODE = 'duplicate_object', HINT = format('take it away first: SELECT drop_keyword_index(%L)', target);
  END IF;
  EXECUTE statement;
  RETURN (SELECT k.index FROM thanopg.keyword_index k WHERE k.target = target);
END $$;
COMMENT ON FUNCTION thanopg.add_keyword_index IS
  'let text columns be searched by keyword; returns the index''s name. Example: SELECT add_keyword_index(''product'', ARRAY[''name'', ''description''])';

CREATE OR REPLACE FUNCTION thanopg.drop_keyword_index(target regclass)
RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  index regclass;
BEGIN
  IF NOT thanopg.owns_table(target) THEN
    RAISE EXCEPTION '% is not the owner of %', current_user, target USING ERRCODE = 'insufficient_privilege';
  END IF;
  FOR index IN SELECT k.index FROM thanopg.keyword_index k WHERE k.target = drop_keyword_index.target LOOP
    EXECUTE format('DROP INDEX %s', index);
  END LOOP;
  IF index IS NULL THEN
    RAISE EXCEPTION '% has no keyword index', coalesce(target::text, 'null') USING ERRCODE = 'undefined_object';
  END IF;
END $$;
COMMENT ON FUNCTION thanopg.drop_keyword_index IS 'take a table''s keyword index away';

DO $$
BEGIN
  IF to_regrole('thanopg_reader') IS NOT NULL THEN
    GRANT SELECT ON thanopg.keyword_index TO thanopg_reader;
  END IF;
END $$;
