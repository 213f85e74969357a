-- A trigger that is only disabled still has every added row held for it once more, in a file when they are many: during
-- a first load it is taken away and put back.
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
  -- What it would note of so many rows is said by end_bulk.
  INSERT INTO history.bulk SELECT layer, pg_get_triggerdef(t.oid) FROM pg_trigger t WHERE t.tgrelid = target AND t.tgname = 'tiles_added';
  EXECUTE format('DROP TRIGGER tiles_added ON register.%I', layer);
END $$;

CREATE OR REPLACE FUNCTION history.end_bulk(layer text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, register, public SET default_statistics_target = 10 AS $$
DECLARE
  entry record;
BEGIN
  FOR entry IN DELETE FROM history.bulk b WHERE b.layer = end_bulk.layer RETURNING definition LOOP
    EXECUTE entry.definition;
  END LOOP;
  INSERT INTO tiles.changes (layer, x, y) VALUES (end_bulk.layer, -1, -1);
  PERFORM pg_notify('tiles', '');
  EXECUTE format('ANALYZE register.%I', layer);
END $$;
