-- The registry as everyone reads it: numbers turned into today's names.
-- Columns are found by number, so a rename does no harm; after a restore the numbers may differ, and then by name.

CREATE OR REPLACE VIEW thanopg.embedding_column AS
SELECT
  e.id,
  e.target,
  c.relname AS table_name,
  k.names AS key_names,
  k.types AS key_types,
  s.attname AS source_name,
  coalesce(nullif(st.typbasetype, 0), st.oid) = 'pg_catalog.bytea'::pg_catalog.regtype AS source_is_bytes,
  v.attname AS column_name,
  v.atttypid AS type_id,
  pg_catalog.format_type(v.atttypid, v.atttypmod) AS type,
  e.model,
  m.base,
  m.source AS model_source,
  m.dimensions,
  e.fingerprint,
  e.index_policy,
  e.kind,
  e.language,
  e.prompt,
  w.attname AS attributes_name,
  m.template,
  l.slope,
  l.intercept
FROM thanopg.embedding e
JOIN thanopg.model m ON m.name = e.model
LEFT JOIN thanopg.calibration l ON l.embedding = e.id
JOIN pg_catalog.pg_class c ON c.oid = e.target
JOIN pg_catalog.pg_attribute s ON s.attrelid = e.target AND NOT s.attisdropped
  AND CASE WHEN e.target_oid = e.target THEN s.attnum = e.source_attnum ELSE s.attname = e.source_name END
JOIN pg_catalog.pg_type st ON st.oid = s.atttypid
JOIN pg_catalog.pg_attribute v ON v.attrelid = e.target AND NOT v.attisdropped
  AND CASE WHEN e.target_oid = e.target THEN v.attnum = e.column_attnum ELSE v.attname = e.column_name END
LEFT JOIN pg_catalog.pg_attribute w ON w.attrelid = e.target AND NOT w.attisdropped
  AND CASE WHEN e.target_oid = e.target THEN w.attnum = e.attributes_attnum ELSE w.attname = e.attributes_name END
CROSS JOIN LATERAL (
  SELECT
    pg_catalog.array_agg(a.attname ORDER BY u.position) AS names,
    pg_catalog.array_agg(pg_catalog.format_type(a.atttypid, a.atttypmod) ORDER BY u.position) AS types
  FROM pg_catalog.unnest(e.key_attnums) WITH ORDINALITY u(number, position)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = e.target AND NOT a.attisdropped
    AND CASE WHEN e.target_oid = e.target THEN a.attnum = u.number ELSE a.attname = e.key_names[u.position] END
) k
WHERE pg_catalog.cardinality(k.names) = pg_catalog.cardinality(e.key_attnums);
COMMENT ON VIEW thanopg.embedding_column IS 'embedding columns with the names their columns have now';

-- What names one row in the queue, as SQL text: jsonb_build_array(prefix.k1, prefix.k2).
CREATE OR REPLACE FUNCTION thanopg.key_expression(col thanopg.embedding_column, prefix text)
RETURNS text LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN (
  SELECT format('jsonb_build_array(%s)', string_agg(format('%s.%I', prefix, name), ', ' ORDER BY position))
  FROM unnest((col).key_names) WITH ORDINALITY u(name, position)
);
COMMENT ON FUNCTION thanopg.key_expression IS 'SQL text: the key of a row as a jsonb array';

-- And back: t.k1 = (d.key->>0)::type1 AND …
CREATE OR REPLACE FUNCTION thanopg.key_condition(col thanopg.embedding_column, prefix text, key text)
RETURNS text LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN (
  SELECT string_agg(format('%s.%I = (%s->>%s)::%s', prefix, name, key, position - 1, type), ' AND ' ORDER BY position)
  FROM unnest((col).key_names, (col).key_types) WITH ORDINALITY u(name, type, position)
);
COMMENT ON FUNCTION thanopg.key_condition IS 'SQL text: the condition that finds the row of a key';

-- The hash that provenance and the fence compare: of the path or the text as UTF-8, or of the bytea.
CREATE OR REPLACE FUNCTION thanopg.source_hash_expression(col thanopg.embedding_column, prefix text)
RETURNS text LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN CASE
  WHEN (col).source_is_bytes THEN format('sha256(%s.%I)', prefix, (col).source_name)
  ELSE format('sha256(convert_to(%s.%I::text, ''UTF8''))', prefix, (col).source_name)
END;
COMMENT ON FUNCTION thanopg.source_hash_expression IS 'SQL text: sha256 of the source column';

-- The hash that provenance keeps of a vector or caption as it is stored: only the very one that was written has it. A
-- caption's attributes count, where it has a column for them.
CREATE OR REPLACE FUNCTION thanopg.vector_hash_expression(col thanopg.embedding_column, vector text, attributes text DEFAULT NULL)
RETURNS text LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN (
  SELECT format('sha256(%I.%I(%s::%s)%s)', n.nspname, p.proname, vector, (col).type,
                CASE WHEN (col).attributes_name IS NOT NULL THEN format(' || coalesce(textsend(%s::text), '''')', attributes) END)
  FROM pg_type t JOIN pg_proc p ON p.oid = t.typsend JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE t.oid = (col).type_id
);
COMMENT ON FUNCTION thanopg.vector_hash_expression IS 'SQL text: sha256 of what is stored for a row';
