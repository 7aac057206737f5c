-- The triggers of an embedding column.

CREATE OR REPLACE FUNCTION thanopg.create_triggers(embedding int)
RETURNS void LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  col thanopg.embedding_column;
  changed text;
  events text := 'UPDATE';
BEGIN
  SELECT c.* INTO STRICT col FROM thanopg.embedding_column c WHERE c.id = embedding;
  SELECT string_agg(format('OLD.%1$I IS DISTINCT FROM NEW.%1$I', name), ' OR ') INTO changed
  FROM unnest(col.source_name || col.key_names) u(name);
  IF col.source_is_bytes THEN  -- spares reading two large values when the statement names neither
    SELECT 'UPDATE OF ' || string_agg(quote_ident(name), ', ') INTO events FROM unnest(col.source_name || col.key_names) u(name);
  END IF;
  EXECUTE format(
    'CREATE OR REPLACE TRIGGER %1$I AFTER INSERT ON %2$s FOR EACH ROW WHEN (NEW.%3$I IS NOT NULL OR NEW.%4$I IS NOT NULL) '
    'EXECUTE FUNCTION thanopg.enqueue(%5$L)',
    'thanopg_' || embedding || '_insert', col.target, col.source_name, col.column_name, embedding);
  EXECUTE format(
    'CREATE OR REPLACE TRIGGER %1$I AFTER %2$s ON %3$s FOR EACH ROW WHEN (%4$s) EXECUTE FUNCTION thanopg.enqueue(%5$L)',
    'thanopg_' || embedding || '_update', events, col.target, changed, embedding);
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', col.target, 'thanopg_' || embedding || '_insert');
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', col.target, 'thanopg_' || embedding || '_update');
END $$;
COMMENT ON FUNCTION thanopg.create_triggers IS 'the two triggers of an embedding column';
