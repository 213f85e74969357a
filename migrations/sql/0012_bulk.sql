-- A first load builds the indexes once, after the rows, instead of row by row.  Only an empty layer qualifies, so no
-- reader misses an index; both calls and the rows between them are one transaction.
CREATE TABLE history.bulk (
  layer text NOT NULL,
  definition text NOT NULL
);

CREATE FUNCTION history.begin_bulk(layer text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
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
  LOOP
    INSERT INTO history.bulk VALUES (layer, index.definition);
    EXECUTE format('DROP INDEX %s', index.name);
  END LOOP;
END $$;

CREATE FUNCTION history.end_bulk(layer text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, register, public AS $$
DECLARE
  entry record;
BEGIN
  FOR entry IN DELETE FROM history.bulk b WHERE b.layer = end_bulk.layer RETURNING definition LOOP
    EXECUTE entry.definition;
  END LOOP;
  EXECUTE format('ANALYZE register.%I', layer);
END $$;

REVOKE ALL ON FUNCTION history.begin_bulk(text), history.end_bulk(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION history.begin_bulk(text), history.end_bulk(text) TO mezha_registrar;
