-- Rasters: a catalogue of cloud-optimised GeoTIFFs, and the changes found between two of them.
CREATE SCHEMA rasters;
GRANT USAGE ON SCHEMA rasters TO mezha_app, mezha_registrar;

CREATE TABLE rasters.items (
  name text PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  title text NOT NULL,
  -- Items of one collection make a mosaic, the newest on top.
  collection text CHECK (collection ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  -- Of the COG: it names the file.
  sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  source_name text NOT NULL,
  source_sha256 text NOT NULL,
  crs text NOT NULL,
  bands jsonb NOT NULL,
  -- Size of a pixel on the ground, metres, at the middle of the raster.
  resolution_m double precision NOT NULL CHECK (resolution_m > 0),
  bytes bigint NOT NULL,
  taken date NOT NULL,
  region text NOT NULL,
  rank smallint NOT NULL CHECK (rank BETWEEN 0 AND 3),
  box geometry(Polygon, 4326) NOT NULL,
  added_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ON rasters.items (collection, taken);

CREATE TABLE rasters.changes (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  before text NOT NULL REFERENCES rasters.items (name),
  after text NOT NULL REFERENCES rasters.items (name),
  -- The least difference of the values that counts as a change.
  threshold double precision NOT NULL,
  mean double precision NOT NULL,
  area_m2 double precision NOT NULL,
  geom geometry(Polygon, 4326) NOT NULL
);
CREATE INDEX ON rasters.changes (before, after);
CREATE INDEX ON rasters.changes USING gist (geom);

ALTER TABLE rasters.items ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE rasters.changes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY keeper ON rasters.items TO mezha_owner USING (true) WITH CHECK (true);
CREATE POLICY registrar ON rasters.items TO mezha_registrar USING (true) WITH CHECK (true);
CREATE POLICY caller ON rasters.items FOR SELECT TO mezha_app
  USING (rank <= (SELECT access.rank()) OR region = ANY ((SELECT access.regions())::text[]));
CREATE POLICY keeper ON rasters.changes TO mezha_owner USING (true) WITH CHECK (true);
CREATE POLICY registrar ON rasters.changes TO mezha_registrar USING (true) WITH CHECK (true);
-- A change is for whoever may see both rasters: the sub-selects are under the policy above.
CREATE POLICY caller ON rasters.changes FOR SELECT TO mezha_app
  USING (before IN (SELECT name FROM rasters.items) AND after IN (SELECT name FROM rasters.items));
GRANT SELECT ON rasters.items, rasters.changes TO mezha_app, mezha_registrar;
GRANT INSERT, UPDATE, DELETE ON rasters.items, rasters.changes TO mezha_registrar;
