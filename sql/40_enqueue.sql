-- The trigger that records pending work. ENABLE ALWAYS, row-level, with WHEN: it fires under logical apply and on
-- partitions, and an update of any other column costs nothing. It clears the token of a claim in flight: the fence.

CREATE OR REPLACE FUNCTION thanopg.enqueue() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  -- one row must have one key in every session, whatever its display settings are
  SET TimeZone = 'UTC' SET DateStyle = 'ISO' SET IntervalStyle = 'postgres' SET bytea_output = 'hex' SET extra_float_digits = 1
AS $$
DECLARE
  columns text;
  row_key jsonb;
BEGIN
  -- the parent's numbers (a partition may number its columns otherwise), today's names; after a restore, the names
  SELECT string_agg(format('($1).%I', a.attname), ', ' ORDER BY u.position) INTO columns
  FROM thanopg.embedding e
  CROSS JOIN unnest(e.key_attnums) WITH ORDINALITY u(number, position)
  JOIN pg_attribute a ON a.attrelid = e.target
    AND CASE WHEN e.target_oid = e.target THEN a.attnum = u.number ELSE a.attname = e.key_names[u.position] END
  WHERE e.id = TG_ARGV[0]::int;
  IF columns IS NULL THEN
    RETURN NULL;
  END IF;
  EXECUTE 'SELECT jsonb_build_array(' || columns || ')' INTO row_key USING NEW;
  -- not now(): rows of one transaction are to differ, so that a claim can go on behind the last one
  INSERT INTO thanopg.pending AS p (embedding, key, available_at) VALUES (TG_ARGV[0]::int, row_key, clock_timestamp())
  ON CONFLICT (embedding, key) DO UPDATE SET
    claimed_by = NULL, available_at = clock_timestamp(), attempts = 0, lost_leases = 0,
    error_type = NULL, error_text = NULL, failed_at = NULL, source_hash = NULL, adopting = false;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION thanopg.enqueue IS 'trigger of an embedding column''s table: the row''s source is new or changed';
