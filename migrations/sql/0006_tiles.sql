-- What changed where, so that a remembered tile is known to be true.  docs/decisions/0061-tile-versions.md.
CREATE SCHEMA tiles;
GRANT USAGE ON SCHEMA tiles TO mezha_app, mezha_registrar;

CREATE SEQUENCE tiles.weight;

-- A change of a layer in a cell of the web grid at zoom 10; column and row -1: anywhere in the layer.  Rows are only
-- added, so writers never wait for each other.  The version of a cell is the sum of its weights: it grows with every
-- commit.  The worker merges old rows, which leaves the sums as they are.
CREATE TABLE tiles.changes (
  layer text NOT NULL,
  x integer NOT NULL,
  y integer NOT NULL,
  weight bigint NOT NULL DEFAULT nextval('tiles.weight'),
  seen xid8 NOT NULL DEFAULT pg_current_xact_id(),
  merged boolean NOT NULL DEFAULT false
);
CREATE INDEX ix_changes_seen ON tiles.changes (seen) WHERE NOT merged;
CREATE INDEX ix_changes_cell ON tiles.changes (layer, x, y);
GRANT SELECT ON tiles.changes TO mezha_app, mezha_registrar;

-- Column (west to east) and row (north to south) of a place at zoom 10, metres of web mercator.
CREATE FUNCTION tiles.cell(metres double precision) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT LEAST(1023, GREATEST(0, floor((metres + 20037508.342789244) / 39135.75848201024)::integer)) $$;

-- Notes the cells that a statement touched.  More than 5,000 objects or 2,000 cells are noted as the whole layer.
CREATE FUNCTION tiles.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
  objects bigint := (SELECT count(*) FROM (SELECT FROM fresh WHERE geom_3857 IS NOT NULL LIMIT 5001) o);
  cells bigint := 0;
BEGIN
  IF objects = 0 THEN
    RETURN NULL;
  END IF;
  IF objects <= 5000 THEN
    SELECT sum((tiles.cell(ST_XMax(geom_3857)) - tiles.cell(ST_XMin(geom_3857)) + 1)::bigint
             * (tiles.cell(-ST_YMin(geom_3857)) - tiles.cell(-ST_YMax(geom_3857)) + 1)) INTO cells FROM fresh;
  END IF;
  IF objects > 5000 OR cells > 2000 AND cells > objects THEN
    INSERT INTO tiles.changes (layer, x, y) VALUES (TG_TABLE_NAME, -1, -1);
  ELSE
    INSERT INTO tiles.changes (layer, x, y)
      SELECT DISTINCT TG_TABLE_NAME, x, y FROM fresh,
        generate_series(tiles.cell(ST_XMin(geom_3857)), tiles.cell(ST_XMax(geom_3857))) x,
        generate_series(tiles.cell(-ST_YMax(geom_3857)), tiles.cell(-ST_YMin(geom_3857))) y;
  END IF;
  -- A hint only: whoever misses it looks again within half a second.
  PERFORM pg_notify('tiles', '');
  RETURN NULL;
END $$;

-- Who sees a layer changed: everything drawn of it is void.
CREATE FUNCTION tiles.note_access() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  INSERT INTO tiles.changes (layer, x, y) VALUES (coalesce(NEW.name, OLD.name), -1, -1);
  PERFORM pg_notify('tiles', '');
  RETURN NULL;
END $$;
CREATE TRIGGER tiles_access AFTER INSERT OR UPDATE OR DELETE ON access.layers
  FOR EACH ROW EXECUTE FUNCTION tiles.note_access();

DO $$
DECLARE
  layer text;
BEGIN
  FOR layer IN SELECT viewname FROM pg_views WHERE schemaname = 'gate' AND to_regclass(format('register.%I', viewname)) IS NOT NULL LOOP
    EXECUTE format('CREATE TRIGGER tiles_added AFTER INSERT ON register.%I REFERENCING NEW TABLE AS fresh '
                   'FOR EACH STATEMENT EXECUTE FUNCTION tiles.note()', layer);
    EXECUTE format('CREATE TRIGGER tiles_closed AFTER UPDATE ON register.%I REFERENCING NEW TABLE AS fresh '
                   'FOR EACH STATEMENT EXECUTE FUNCTION tiles.note()', layer);
  END LOOP;
END $$;

-- Merges what every server has seen long ago; returns how many rows went.  Old: no transaction of then still runs.
CREATE FUNCTION tiles.merge_changes(kept bigint DEFAULT 100000) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $$
DECLARE
  horizon xid8 := GREATEST(0, pg_snapshot_xmin(pg_current_snapshot())::text::bigint - kept)::text::xid8;
  gone bigint;
BEGIN
  WITH old AS (
    DELETE FROM tiles.changes WHERE seen < horizon RETURNING layer, x, y, weight
  ), sums AS (
    INSERT INTO tiles.changes (layer, x, y, weight, merged) SELECT layer, x, y, sum(weight), true FROM old GROUP BY 1, 2, 3
    RETURNING 1
  )
  SELECT (SELECT count(*) FROM old) - (SELECT count(*) FROM sums) INTO gone;
  RETURN gone;
END $$;
REVOKE ALL ON FUNCTION tiles.merge_changes(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tiles.merge_changes(bigint) TO mezha_registrar;

-- The same answer as before, but planned once a connection instead of once a statement: every tile asks it for every layer.
CREATE OR REPLACE FUNCTION access.layer_rank(layer text) RETURNS smallint LANGUAGE plpgsql STABLE PARALLEL SAFE
SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  RETURN coalesce((SELECT l.rank FROM access.layers l WHERE l.name = layer_rank.layer), 3::smallint);
END $$;

-- Generalised geometry for z0–z9.  A band serves the zooms up to its number; a chunk is a cell of the web grid (zoom 10
-- for band 9, then 8, 6, 4); an object belongs to the chunk of the middle of its box.  Built from what everybody sees
-- who sees the layer at all; what is narrower is always drawn from the register.  docs/decisions/0062-overviews.md.
CREATE TABLE tiles.chunks (
  layer text NOT NULL,
  band smallint NOT NULL,
  x integer NOT NULL,
  y integer NOT NULL,
  -- Sum of the weights of its cells, and of the whole layer, that it was built from.
  version bigint NOT NULL,
  epoch bigint NOT NULL,
  -- Days on which the same objects are valid.
  first date NOT NULL,
  until date NOT NULL,
  built timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (layer, band, x, y)
);
CREATE TABLE tiles.overviews (
  layer text NOT NULL,
  band smallint NOT NULL,
  x integer NOT NULL,
  y integer NOT NULL,
  class jsonb NOT NULL,
  count integer NOT NULL,
  area_m2 double precision,
  geom geometry(MultiPolygon, 3857) NOT NULL,
  FOREIGN KEY (layer, band, x, y) REFERENCES tiles.chunks ON DELETE CASCADE
);
CREATE INDEX ix_overviews_chunk ON tiles.overviews (layer, band, x, y);
-- The epoch for which every occupied cell of a layer has a chunk.
CREATE TABLE tiles.overviewed (
  layer text PRIMARY KEY,
  epoch bigint NOT NULL
);
ALTER TABLE tiles.overviews ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY keeper ON tiles.overviews TO mezha_owner, mezha_registrar USING (true) WITH CHECK (true);
CREATE POLICY caller ON tiles.overviews FOR SELECT TO mezha_app
  USING (layer IN (SELECT name FROM access.layers WHERE rank <= (SELECT access.rank())));
GRANT SELECT ON tiles.chunks, tiles.overviews, tiles.overviewed TO mezha_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON tiles.chunks, tiles.overviews, tiles.overviewed TO mezha_registrar;

-- What is narrower than its layer is never in an overview: this finds it without reading the layer.
CREATE INDEX ix_stands_narrow_geom_3857 ON register.stands USING gist (geom_3857) WHERE sys_to = 'infinity' AND visibility > 0;
