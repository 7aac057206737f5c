-- Which embedding column a call means, and where its source comes from.

CREATE OR REPLACE FUNCTION thanopg.find_embedding_column(model text, target regclass, column_name name, kind text DEFAULT NULL)
RETURNS thanopg.embedding_column LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_variable
DECLARE
  fitting thanopg.embedding_column[];
  candidates text;
  number int;
BEGIN
  SELECT count(*), string_agg(format('%s.%I', c.target, c.column_name), ', ' ORDER BY c.id), array_agg(c)
  INTO number, candidates, fitting
  FROM thanopg.embedding_column c
  WHERE (model IS NULL OR c.model = model) AND (target IS NULL OR c.target = target)
    AND (column_name IS NULL OR c.column_name = column_name) AND (kind IS NULL OR c.kind = kind);
  IF number = 0 THEN
    RAISE EXCEPTION '%', concat_ws(' ', 'no embedding column', 'of ' || CASE kind WHEN 'text' THEN 'texts' ELSE kind || 's' END,
                                   'named ' || quote_ident(column_name), 'on ' || target::text, 'with model ' || quote_literal(model)) USING
      ERRCODE = 'undefined_column',
      HINT = coalesce((SELECT 'there are: ' || string_agg(format('%s.%I (%smodel %s)', c.target, c.column_name,
                                CASE WHEN c.kind <> 'image' THEN c.kind || ', ' END, c.model), ', ' ORDER BY c.id)
                       FROM thanopg.embedding_column c),
                      'add one with: SELECT add_image_embedding(''your_table'', ''image_column'', ''model'')');
  ELSIF number > 1 THEN
    RAISE EXCEPTION 'more than one embedding column fits: %', candidates USING
      ERRCODE = 'ambiguous_column',
      HINT = 'name one with target => ''table'' or column_name => ''column''';
  END IF;
  RETURN fitting[1];
END $$;
COMMENT ON FUNCTION thanopg.find_embedding_column IS 'the one embedding column that the arguments mean, or an error that lists the candidates';

-- A text column may be written by a captioner, and its vector by a text encoder: a row's picture then leads to both.
CREATE OR REPLACE FUNCTION thanopg.source_chain(target regclass, source_name name)
RETURNS name[] LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN (
  WITH RECURSIVE chain(names) AS (
    SELECT ARRAY[source_chain.source_name]
    UNION ALL
    SELECT c.source_name || chain.names
    FROM chain JOIN thanopg.embedding_column c ON c.target = source_chain.target AND c.column_name = chain.names[1]
    WHERE c.source_name <> ALL (chain.names)
  )
  SELECT names FROM chain ORDER BY cardinality(names) DESC LIMIT 1
);
COMMENT ON FUNCTION thanopg.source_chain IS 'the columns that a column is made from, the first one first and itself last';
