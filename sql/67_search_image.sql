-- Search for pictures: by text, by image, by a row that is there already.

-- LANGUAGE sql, because an argument and a result share the name "target".
CREATE OR REPLACE FUNCTION thanopg.search_image(
  query text, model text, k int DEFAULT 10, target regclass DEFAULT NULL, filter text DEFAULT NULL,
  column_name name DEFAULT NULL, options jsonb DEFAULT '{}')
RETURNS TABLE (rank int, target regclass, key jsonb, image text, similarity real, detail jsonb)
LANGUAGE sql STABLE AS $$
  SELECT r.* FROM thanopg.searched_column($2, $3, $4, $6, $7) c,
  LATERAL thanopg.run_search(c, $1, NULL, NULL, $3, $5, $7) r
$$;
COMMENT ON FUNCTION thanopg.search_image(text, text, int, regclass, text, name, jsonb) IS
  'rows whose picture fits a text, nearest first; similarity is the cosine. Example: SELECT * FROM search_image(''a red dress'', ''catalog'')';

CREATE OR REPLACE FUNCTION thanopg.search_image(
  query bytea, model text, k int DEFAULT 10, target regclass DEFAULT NULL, filter text DEFAULT NULL,
  column_name name DEFAULT NULL, options jsonb DEFAULT '{}')
RETURNS TABLE (rank int, target regclass, key jsonb, image text, similarity real, detail jsonb)
LANGUAGE sql STABLE AS $$
  SELECT r.* FROM thanopg.searched_column($2, $3, $4, $6, $7) c,
  LATERAL thanopg.run_search(c, NULL, $1, NULL, $3, $5, $7) r
$$;
COMMENT ON FUNCTION thanopg.search_image(bytea, text, int, regclass, text, name, jsonb) IS
  'rows whose picture is like an image, given as the bytes of its file, nearest first';

CREATE OR REPLACE FUNCTION thanopg.search_sql(
  query text, model text, k int DEFAULT 10, target regclass DEFAULT NULL, filter text DEFAULT NULL,
  column_name name DEFAULT NULL, options jsonb DEFAULT '{}')
RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
  col thanopg.embedding_column := thanopg.searched_column($2, $3, $4, $6, $7);
BEGIN
  IF $1 IS NOT NULL OR NOT thanopg.is_composed($7) THEN
    PERFORM thanopg.check_query($1);
  END IF;
  RETURN (SELECT w.statements[1] FROM thanopg.written_search(col, $1, NULL, NULL, thanopg.image_items(col), $3, $5, $7, true) w);
END $$;
COMMENT ON FUNCTION thanopg.search_sql IS 'the statement that search_image runs, to read, to EXPLAIN, to change';

CREATE OR REPLACE FUNCTION thanopg.similar_image(
  target regclass, key jsonb, model text, k int DEFAULT 10, filter text DEFAULT NULL, column_name name DEFAULT NULL,
  options jsonb DEFAULT '{}')
RETURNS TABLE (rank int, target regclass, key jsonb, image text, similarity real, detail jsonb)
LANGUAGE sql STABLE AS $$
  SELECT r.* FROM thanopg.searched_column($3, $4, $1, $6, $7) c,
  LATERAL thanopg.run_search(c, NULL, NULL, coalesce($2, 'null'), $4, $5, $7) r
$$;
COMMENT ON FUNCTION thanopg.similar_image IS
  'rows whose picture is like that of one row, which is left out. Example: SELECT * FROM similar_image(''photo'', ''{"id": 7}'', ''catalog'')';
