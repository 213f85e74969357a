-- A first load drops only the indexes that its rows fill: those of the past and of narrowed objects stay, for an index
-- without rows costs nothing to keep and a whole reading of the table to build.  The statistics are taken from a small
-- sample; autovacuum refines them after the commit.  The tiles learn of the load as of a change of the whole layer.
CREATE OR REPLACE FUNCTION history.begin_bulk(layer text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, register, public AS $$
DECLARE
  target regclass := format('register.%I', layer)::regclass;
  filled boolean;
  index record;
BEGIN
  EXECUTE format('SELECT EXISTS (SELECT FROM register.%I)', layer) INTO filled;
  IF filled THEN
    RAISE EXCEPTION 'register.% is not empty', layer USING HINT = 'Load it row by row.';
  END IF;
  EXECUTE format('LOCK TABLE register.%I IN ACCESS EXCLUSIVE MODE', layer);
  FOR index IN
    SELECT i.indexrelid::regclass AS name, pg_get_indexdef(i.indexrelid) AS definition
    FROM pg_index i WHERE i.indrelid = target AND NOT i.indisprimary
      AND coalesce(pg_get_expr(i.indpred, i.indrelid), '') !~ 'sys_to <|visibility >'
  LOOP
    INSERT INTO history.bulk VALUES (layer, index.definition);
    EXECUTE format('DROP INDEX %s', index.name);
  END LOOP;
  -- The trigger would hold every row once more; what it would note of so many rows is said by end_bulk.
  EXECUTE format('ALTER TABLE register.%I DISABLE TRIGGER tiles_added', layer);
END $$;

CREATE OR REPLACE FUNCTION history.end_bulk(layer text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, register, public SET default_statistics_target = 10 AS $$
DECLARE
  entry record;
BEGIN
  FOR entry IN DELETE FROM history.bulk b WHERE b.layer = end_bulk.layer RETURNING definition LOOP
    EXECUTE entry.definition;
  END LOOP;
  EXECUTE format('ALTER TABLE register.%I ENABLE TRIGGER tiles_added', layer);
  INSERT INTO tiles.changes (layer, x, y) VALUES (end_bulk.layer, -1, -1);
  PERFORM pg_notify('tiles', '');
  EXECUTE format('ANALYZE register.%I', layer);
END $$;
