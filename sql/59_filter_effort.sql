-- How a search with a filter is best made. An HNSW scan goes through rows from the query outwards and drops those that do not
-- fit: the fewer rows fit, the further it goes, and the more it misses unless it looks at many at a time. Where few enough
-- fit, reading all of them and no index takes less time and misses none.

-- What the planner thinks of a statement. The filter in it has passed check_filter: EXPLAIN would run what follows a semicolon.
CREATE OR REPLACE FUNCTION thanopg.planned(statement text, OUT rows double precision, OUT cost double precision)
LANGUAGE plpgsql VOLATILE STRICT AS $$
DECLARE
  plan json;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT JSON) ' || statement INTO plan;
  rows := plan->0->'Plan'->>'Plan Rows';
  cost := plan->0->'Plan'->>'Total Cost';
END $$;
COMMENT ON FUNCTION thanopg.planned IS 'how many rows the planner expects of a statement, and at what cost';

-- A scan that looks at twice as many rows as needed, and some more, finds nearly all of the nearest; for a binary index they
-- are candidates. Costs are in the planner's unit: in memory a row that a scan goes through takes about ten, a distance two.
CREATE OR REPLACE FUNCTION thanopg.filter_effort(col thanopg.embedding_column, filter text, k int)
RETURNS int LANGUAGE plpgsql VOLATILE STRICT AS $$
DECLARE
  most_effort CONSTANT int := 1000;
  source CONSTANT text := thanopg.from_target(col);
  fitting CONSTANT record := thanopg.planned(format('SELECT FROM %s WHERE %s', source, filter));
  each CONSTANT double precision := (thanopg.planned('SELECT FROM ' || source)).rows / greatest(fitting.rows, 1);
  wanted CONSTANT bigint := CASE (col).index_policy WHEN 'binary' THEN thanopg.candidates(k) ELSE 2 * k::bigint + 20 END;
BEGIN
  RETURN CASE WHEN fitting.cost + 2 * fitting.rows > 10 * each * wanted THEN least(each * wanted, most_effort) END;
END $$;
COMMENT ON FUNCTION thanopg.filter_effort IS
  'how many rows an index scan is to look at, at a time, to find k that fit a filter; null: better read all that fit';
