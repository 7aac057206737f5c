-- How fast workers were lately, and from it how long what waits will take. Where nothing was measured nothing is said.

-- Like all that a worker does it waits for nobody's row lock; there will be another note.
CREATE OR REPLACE FUNCTION thanopg.note_rate(fingerprint text, kind text, row_count bigint, seconds double precision)
RETURNS void LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
  WITH there AS (
    SELECT r.fingerprint, r.kind FROM thanopg.worker_rate r
    WHERE r.fingerprint = note_rate.fingerprint AND r.kind = note_rate.kind
    FOR UPDATE SKIP LOCKED),
  noted AS (
    UPDATE thanopg.worker_rate r SET row_count = note_rate.row_count, seconds = note_rate.seconds, measured_at = now()
    FROM there t WHERE r.fingerprint = t.fingerprint AND r.kind = t.kind)
  INSERT INTO thanopg.worker_rate (fingerprint, kind, row_count, seconds)
  SELECT note_rate.fingerprint, note_rate.kind, note_rate.row_count, note_rate.seconds
  WHERE NOT EXISTS (SELECT FROM thanopg.worker_rate r WHERE r.fingerprint = note_rate.fingerprint AND r.kind = note_rate.kind)
  ON CONFLICT DO NOTHING;
$$;
COMMENT ON FUNCTION thanopg.note_rate IS 'for a worker: so many rows took so long, while more of them waited';

-- One worker's rate counts once for each that is connected: what several of them on one machine measured, they shared.
CREATE OR REPLACE FUNCTION thanopg.expected_rate(fingerprint text, kind text)
RETURNS double precision LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
RETURN (
  SELECT r.row_count / r.seconds * greatest(thanopg.worker_count(), 1) FROM thanopg.worker_rate r
  WHERE r.fingerprint = expected_rate.fingerprint AND r.kind = expected_rate.kind
);
COMMENT ON FUNCTION thanopg.expected_rate IS
  'rows per second of the workers that are connected, or of one, as they were measured lately; null: never yet';

CREATE OR REPLACE FUNCTION thanopg.in_words(seconds double precision)
RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN CASE
  WHEN seconds < 1.5 THEN '1 second'
  WHEN seconds < 90 THEN round(seconds) || ' seconds'
  WHEN seconds < 90 * 60 THEN round(seconds / 60) || ' minutes'
  WHEN seconds < 36 * 3600 THEN round(seconds / 3600) || ' hours'
  ELSE to_char(round(seconds / 86400), 'FM999,999,999') || ' days'
END;
COMMENT ON FUNCTION thanopg.in_words IS 'a length of time to one unit: 3 minutes';

CREATE OR REPLACE FUNCTION thanopg.say_waiting(embedding int, waiting bigint)
RETURNS void LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  rate double precision;
  measured text;
  how_long text := '';
BEGIN
  IF waiting = 0 THEN
    RETURN;
  END IF;
  SELECT thanopg.expected_rate(r.fingerprint, r.kind),
         format('measured over %s rows%s', to_char(r.row_count, 'FM999,999,999,999'),
                CASE WHEN r.measured_at < now() - interval '1 hour'
                  THEN format(', %s ago', thanopg.in_words(extract(epoch FROM now() - r.measured_at)::double precision)) END)
  INTO rate, measured
  FROM thanopg.embedding e JOIN thanopg.worker_rate r ON r.fingerprint = e.fingerprint AND r.kind = e.kind WHERE e.id = embedding;
  IF rate IS NOT NULL THEN
    how_long := format('; about %s at %s rows/s (%s)', thanopg.in_words(waiting / rate),
                       CASE WHEN rate < 10 THEN round(rate::numeric, 1)::text ELSE to_char(round(rate), 'FM999,999,999') END, measured);
  END IF;
  RAISE NOTICE '%', format('%s wait%s for a worker%s', CASE WHEN waiting = 1 THEN '1 row' ELSE to_char(waiting, 'FM999,999,999,999') || ' rows' END,
                           CASE WHEN waiting = 1 THEN 's' END, how_long) USING
    HINT = CASE WHEN thanopg.worker_count() = 0 THEN 'no worker is connected, start one: thanopg worker; ' ELSE '' END
      || 'see: SELECT * FROM embedding_status';
END $$;
COMMENT ON FUNCTION thanopg.say_waiting IS 'a notice: how many rows wait for a worker, and for how long if something was measured';
