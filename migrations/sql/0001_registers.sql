-- The twelve layers and the coordinate systems, as typed tables.  Written once from geo/models; a test compares them.

CREATE SEQUENCE register.object_id;

-- Display copy for tiles: Web Mercator has no poles, so what lies past 85.06 degrees is cut off.
CREATE FUNCTION register.mercator(g geometry) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN g IS NULL THEN NULL
    WHEN ST_YMin(g) >= -85.06 AND ST_YMax(g) <= 85.06 THEN ST_Transform(g, 3857)
    WHEN ST_Dimension(g) = 2 THEN ST_Transform(
      ST_Multi(ST_CollectionExtract(ST_Intersection(g, ST_MakeEnvelope(-180, -85.06, 180, 85.06, 4326)), 3)), 3857)
  END
$$;

CREATE TABLE register.crs_definitions (
  code TEXT NOT NULL, 
  title TEXT NOT NULL, 
  definition TEXT NOT NULL, 
  kind TEXT NOT NULL, 
  spellings JSONB NOT NULL, 
  source TEXT NOT NULL, 
  control_points JSONB NOT NULL, 
  accuracy_m DOUBLE PRECISION, 
  active BOOLEAN DEFAULT 'true' NOT NULL, 
  CONSTRAINT pk_crs_definitions PRIMARY KEY (code)
);


CREATE TABLE register.cutting_areas (
  number TEXT NOT NULL, 
  declaration TEXT, 
  lease TEXT, 
  quarter TEXT, 
  stand TEXT, 
  year INTEGER, 
  status TEXT, 
  cutting_form TEXT, 
  species TEXT, 
  volume_m3 DOUBLE PRECISION, 
  holder TEXT, 
  holder_inn TEXT, 
  forestry TEXT, 
  subforestry TEXT, 
  tract TEXT, 
  version BIGINT GENERATED ALWAYS AS IDENTITY, 
  id BIGINT DEFAULT nextval('register.object_id') NOT NULL, 
  key TEXT NOT NULL, 
  region TEXT NOT NULL, 
  valid_from DATE DEFAULT '-infinity' NOT NULL, 
  valid_to DATE DEFAULT 'infinity' NOT NULL, 
  sys_from TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL, 
  sys_to TIMESTAMP WITH TIME ZONE DEFAULT 'infinity' NOT NULL, 
  visibility SMALLINT DEFAULT '0' NOT NULL, 
  run BIGINT, 
  source_row INTEGER, 
  source_crs TEXT, 
  source_geom BYTEA, 
  repair TEXT, 
  digest UUID NOT NULL, 
  extra JSONB, 
  area_m2 DOUBLE PRECISION, 
  area_method TEXT, 
  area_declared_m2 DOUBLE PRECISION, 
  geom geometry(MULTIPOLYGON,4326), 
  geom_3857 geometry(MULTIPOLYGON,3857) GENERATED ALWAYS AS (register.mercator(geom)) STORED, 
  CONSTRAINT pk_cutting_areas PRIMARY KEY (version), 
  CONSTRAINT ck_cutting_areas_valid_order CHECK (valid_from < valid_to), 
  CONSTRAINT ck_cutting_areas_sys_order CHECK (sys_from < sys_to), 
  CONSTRAINT ck_cutting_areas_visibility_known CHECK (visibility BETWEEN 0 AND 3), 
  CONSTRAINT ck_cutting_areas_geom_valid CHECK (geom IS NULL OR ST_IsValid(geom) AND NOT ST_IsEmpty(geom))
);

CREATE INDEX ix_cutting_areas_current_geom ON register.cutting_areas USING gist (geom) WHERE sys_to = 'infinity';
CREATE INDEX ix_cutting_areas_current_geom_3857 ON register.cutting_areas USING gist (geom_3857) WHERE sys_to = 'infinity';
CREATE INDEX ix_cutting_areas_current_id ON register.cutting_areas (id) WHERE sys_to = 'infinity';
CREATE INDEX ix_cutting_areas_past_geom_3857 ON register.cutting_areas USING gist (geom_3857, sys_from, sys_to) WHERE sys_to < 'infinity';
CREATE INDEX ix_cutting_areas_past_id ON register.cutting_areas (id, sys_from) WHERE sys_to < 'infinity';
CREATE INDEX ix_cutting_areas_run ON register.cutting_areas (run);
CREATE UNIQUE INDEX ux_cutting_areas_current_key ON register.cutting_areas (key, valid_from) WHERE sys_to = 'infinity';

CREATE TABLE register.deposits (
  number TEXT, 
  name TEXT NOT NULL, 
  mineral TEXT, 
  status TEXT, 
  reserves DOUBLE PRECISION, 
  reserves_unit TEXT, 
  reserves_category TEXT, 
  discovered_on DATE, 
  version BIGINT GENERATED ALWAYS AS IDENTITY, 
  id BIGINT DEFAULT nextval('register.object_id') NOT NULL, 
  key TEXT NOT NULL, 
  region TEXT NOT NULL, 
  valid_from DATE DEFAULT '-infinity' NOT NULL, 
  valid_to DATE DEFAULT 'infinity' NOT NULL, 
  sys_from TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL, 
  sys_to TIMESTAMP WITH TIME ZONE DEFAULT 'infinity' NOT NULL, 
  visibility SMALLINT DEFAULT '0' NOT NULL, 
  run BIGINT, 
  source_row INTEGER, 
  source_crs TEXT, 
  source_geom BYTEA, 
  repair TEXT, 
  digest UUID NOT NULL, 
  extra JSONB, 
  area_m2 DOUBLE PRECISION, 
  area_method TEXT, 
  area_declared_m2 DOUBLE PRECISION, 
  geom geometry(MULTIPOLYGON,4326), 
  geom_3857 geometry(MULTIPOLYGON,3857) GENERATED ALWAYS AS (register.mercator(geom)) STORED, 
  CONSTRAINT pk_deposits PRIMARY KEY (version), 
  CONSTRAINT ck_deposits_valid_order CHECK (valid_from < valid_to), 
  CONSTRAINT ck_deposits_sys_order CHECK (sys_from < sys_to), 
  CONSTRAINT ck_deposits_visibility_known CHECK (visibility BETWEEN 0 AND 3), 
  CONSTRAINT ck_deposits_geom_valid CHECK (geom IS NULL OR ST_IsValid(geom) AND NOT ST_IsEmpty(geom))
);

CREATE INDEX ix_deposits_current_geom ON register.deposits USING gist (geom) WHERE sys_to = 'infinity';
CREATE INDEX ix_deposits_current_geom_3857 ON register.deposits USING gist (geom_3857) WHERE sys_to = 'infinity';
CREATE INDEX ix_deposits_current_id ON register.deposits (id) WHERE sys_to = 'infinity';
CREATE INDEX ix_deposits_past_geom_3857 ON register.deposits USING gist (geom_3857, sys_from, sys_to) WHERE sys_to < 'infinity';
CREATE INDEX ix_deposits_past_id ON register.deposits (id, sys_from) WHERE sys_to < 'infinity';
CREATE INDEX ix_deposits_run ON register.deposits (run);
CREATE UNIQUE INDEX ux_deposits_current_key ON register.deposits (key, valid_from) WHERE sys_to = 'infinity';

CREATE TABLE register.forest_plots (
  number TEXT NOT NULL, 
  cadastral_number TEXT, 
  status TEXT, 
  purpose TEXT, 
  forest_kind TEXT, 
  usage TEXT, 
  lease TEXT, 
  measures TEXT, 
  registered_on DATE, 
  forestry TEXT, 
  subforestry TEXT, 
  tract TEXT, 
  version BIGINT GENERATED ALWAYS AS IDENTITY, 
  id BIGINT DEFAULT nextval('register.object_id') NOT NULL, 
  key TEXT NOT NULL, 
  region TEXT NOT NULL, 
  valid_from DATE DEFAULT '-infinity' NOT NULL, 
  valid_to DATE DEFAULT 'infinity' NOT NULL, 
  sys_from TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL, 
  sys_to TIMESTAMP WITH TIME ZONE DEFAULT 'infinity' NOT NULL, 
  visibility SMALLINT DEFAULT '0' NOT NULL, 
  run BIGINT, 
  source_row INTEGER, 
  source_crs TEXT, 
  source_geom BYTEA, 
  repair TEXT, 
  digest UUID NOT NULL, 
  extra JSONB, 
  area_m2 DOUBLE PRECISION, 
  area_method TEXT, 
  area_declared_m2 DOUBLE PRECISION, 
  geom geometry(MULTIPOLYGON,4326), 
  geom_3857 geometry(MULTIPOLYGON,3857) GENERATED ALWAYS AS (register.mercator(geom)) STORED, 
  CONSTRAINT pk_forest_plots PRIMARY KEY (version), 
  CONSTRAINT ck_forest_plots_valid_order CHECK (valid_from < valid_to), 
  CONSTRAINT ck_forest_plots_sys_order CHECK (sys_from < sys_to), 
  CONSTRAINT ck_forest_plots_visibility_known CHECK (visibility BETWEEN 0 AND 3), 
  CONSTRAINT ck_forest_plots_geom_valid CHECK (geom IS NULL OR ST_IsValid(geom) AND NOT ST_IsEmpty(geom))
);

CREATE INDEX ix_forest_plots_current_geom ON register.forest_plots USING gist (geom) WHERE sys_to = 'infinity';
CREATE INDEX ix_forest_plots_current_geom_3857 ON register.forest_plots USING gist (geom_3857) WHERE sys_to = 'infinity';
CREATE INDEX ix_forest_plots_current_id ON register.forest_plots (id) WHERE sys_to = 'infinity';
CREATE INDEX ix_forest_plots_past_geom_3857 ON register.forest_plots USING gist (geom_3857, sys_from, sys_to) WHERE sys_to < 'infinity';
CREATE INDEX ix_forest_plots_past_id ON register.forest_plots (id, sys_from) WHERE sys_to < 'infinity';
CREATE INDEX ix_forest_plots_run ON register.forest_plots (run);
CREATE UNIQUE INDEX ux_forest_plots_current_key ON register.forest_plots (key, valid_from) WHERE sys_to = 'infinity';

CREATE TABLE register.forestries (
  name TEXT NOT NULL, 
  code TEXT, 
  kind TEXT, 
  parent TEXT, 
  office TEXT, 
  version BIGINT GENERATED ALWAYS AS IDENTITY, 
  id BIGINT DEFAULT nextval('register.object_id') NOT NULL, 
  key TEXT NOT NULL, 
  region TEXT NOT NULL, 
  valid_from DATE DEFAULT '-infinity' NOT NULL, 
  valid_to DATE DEFAULT 'infinity' NOT NULL, 
  sys_from TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL, 
  sys_to TIMESTAMP WITH TIME ZONE DEFAULT 'infinity' NOT NULL, 
  visibility SMALLINT DEFAULT '0' NOT NULL, 
  run BIGINT, 
  source_row INTEGER, 
  source_crs TEXT, 
  source_geom BYTEA, 
  repair TEXT, 
  digest UUID NOT NULL, 
  extra JSONB, 
  area_m2 DOUBLE PRECISION, 
  area_method TEXT, 
  area_declared_m2 DOUBLE PRECISION, 
  geom geometry(MULTIPOLYGON,4326), 
  geom_3857 geometry(MULTIPOLYGON,3857) GENERATED ALWAYS AS (register.mercator(geom)) STORED, 
  CONSTRAINT pk_forestries PRIMARY KEY (version), 
  CONSTRAINT ck_forestries_valid_order CHECK (valid_from < valid_to), 
  CONSTRAINT ck_forestries_sys_order CHECK (sys_from < sys_to), 
  CONSTRAINT ck_forestries_visibility_known CHECK (visibility BETWEEN 0 AND 3), 
  CONSTRAINT ck_forestries_geom_valid CHECK (geom IS NULL OR ST_IsValid(geom) AND NOT ST_IsEmpty(geom))
);

CREATE INDEX ix_forestries_current_geom ON register.forestries USING gist (geom) WHERE sys_to = 'infinity';
CREATE INDEX ix_forestries_current_geom_3857 ON register.forestries USING gist (geom_3857) WHERE sys_to = 'infinity';
CREATE INDEX ix_forestries_current_id ON register.forestries (id) WHERE sys_to = 'infinity';
CREATE INDEX ix_forestries_past_geom_3857 ON register.forestries USING gist (geom_3857, sys_from, sys_to) WHERE sys_to < 'infinity';
CREATE INDEX ix_forestries_past_id ON register.forestries (id, sys_from) WHERE sys_to < 'infinity';
CREATE INDEX ix_forestries_run ON register.forestries (run);
CREATE UNIQUE INDEX ux_forestries_current_key ON register.forestries (key, valid_from) WHERE sys_to = 'infinity';

CREATE TABLE register.leases (
  number TEXT NOT NULL, 
  status TEXT, 
  usage TEXT, 
  forest_kind TEXT, 
  forestry TEXT, 
  plots TEXT, 
  signed_on DATE, 
  starts_on DATE, 
  ends_on DATE, 
  annual_volume_m3 DOUBLE PRECISION, 
  holder TEXT, 
  holder_inn TEXT, 
  version BIGINT GENERATED ALWAYS AS IDENTITY, 
  id BIGINT DEFAULT nextval('register.object_id') NOT NULL, 
  key TEXT NOT NULL, 
  region TEXT NOT NULL, 
  valid_from DATE DEFAULT '-infinity' NOT NULL, 
  valid_to DATE DEFAULT 'infinity' NOT NULL, 
  sys_from TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL, 
  sys_to TIMESTAMP WITH TIME ZONE DEFAULT 'infinity' NOT NULL, 
  visibility SMALLINT DEFAULT '0' NOT NULL, 
  run BIGINT, 
  source_row INTEGER, 
  source_crs TEXT, 
  source_geom BYTEA, 
  repair TEXT, 
  digest UUID NOT NULL, 
  extra JSONB, 
  area_m2 DOUBLE PRECISION, 
  area_method TEXT, 
  area_declared_m2 DOUBLE PRECISION, 
  geom geometry(MULTIPOLYGON,4326), 
  geom_3857 geometry(MULTIPOLYGON,3857) GENERATED ALWAYS AS (register.mercator(geom)) STORED, 
  CONSTRAINT pk_leases PRIMARY KEY (version), 
  CONSTRAINT ck_leases_valid_order CHECK (valid_from < valid_to), 
  CONSTRAINT ck_leases_sys_order CHECK (sys_from < sys_to), 
  CONSTRAINT ck_leases_visibility_known CHECK (visibility BETWEEN 0 AND 3), 
  CONSTRAINT ck_leases_geom_valid CHECK (geom IS NULL OR ST_IsValid(geom) AND NOT ST_IsEmpty(geom))
);

CREATE INDEX ix_leases_current_geom ON register.leases USING gist (geom) WHERE sys_to = 'infinity';
CREATE INDEX ix_leases_current_geom_3857 ON register.leases USING gist (geom_3857) WHERE sys_to = 'infinity';
CREATE INDEX ix_leases_current_id ON register.leases (id) WHERE sys_to = 'infinity';
CREATE INDEX ix_leases_past_geom_3857 ON register.leases USING gist (geom_3857, sys_from, sys_to) WHERE sys_to < 'infinity';
CREATE INDEX ix_leases_past_id ON register.leases (id, sys_from) WHERE sys_to < 'infinity';
CREATE INDEX ix_leases_run ON register.leases (run);
CREATE UNIQUE INDEX ux_leases_current_key ON register.leases (key, valid_from) WHERE sys_to = 'infinity';

CREATE TABLE register.licences (
  number TEXT, 
  name TEXT, 
  kind TEXT, 
  status TEXT, 
  minerals TEXT, 
  purpose TEXT, 
  authority TEXT, 
  document TEXT, 
  issued_on DATE, 
  expires_on DATE, 
  upper_limit TEXT, 
  lower_limit TEXT, 
  holder TEXT, 
  holder_inn TEXT, 
  version BIGINT GENERATED ALWAYS AS IDENTITY, 
  id BIGINT DEFAULT nextval('register.object_id') NOT NULL, 
  key TEXT NOT NULL, 
  region TEXT NOT NULL, 
  valid_from DATE DEFAULT '-infinity' NOT NULL, 
  valid_to DATE DEFAULT 'infinity' NOT NULL, 
  sys_from TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL, 
  sys_to TIMESTAMP WITH TIME ZONE DEFAULT 'infinity' NOT NULL, 
  visibility SMALLINT DEFAULT '0' NOT NULL, 
  run BIGINT, 
  source_row INTEGER, 
  source_crs TEXT, 
  source_geom BYTEA, 
  repair TEXT, 
  digest UUID NOT NULL, 
  extra JSONB, 
  area_m2 DOUBLE PRECISION, 
  area_method TEXT, 
  area_declared_m2 DOUBLE PRECISION, 
  geom geometry(MULTIPOLYGON,4326), 
  geom_3857 geometry(MULTIPOLYGON,3857) GENERATED ALWAYS AS (register.mercator(geom)) STORED, 
  CONSTRAINT pk_licences PRIMARY KEY (version), 
  CONSTRAINT ck_licences_valid_order CHECK (valid_from < valid_to), 
  CONSTRAINT ck_licences_sys_order CHECK (sys_from < sys_to), 
  CONSTRAINT ck_licences_visibility_known CHECK (visibility BETWEEN 0 AND 3), 
  CONSTRAINT ck_licences_geom_valid CHECK (geom IS NULL OR ST_IsValid(geom) AND NOT ST_IsEmpty(geom))
);

CREATE INDEX ix_licences_current_geom ON register.licences USING gist (geom) WHERE sys_to = 'infinity';
CREATE INDEX ix_licences_current_geom_3857 ON register.licences USING gist (geom_3857) WHERE sys_to = 'infinity';
CREATE INDEX ix_licences_current_id ON register.licences (id) WHERE sys_to = 'infinity';
CREATE INDEX ix_licences_past_geom_3857 ON register.licences USING gist (geom_3857, sys_from, sys_to) WHERE sys_to < 'infinity';
CREATE INDEX ix_licences_past_id ON register.licences (id, sys_from) WHERE sys_to < 'infinity';
CREATE INDEX ix_licences_run ON register.licences (run);
CREATE UNIQUE INDEX ux_licences_current_key ON register.licences (key, valid_from) WHERE sys_to = 'infinity';

CREATE TABLE register.municipalities (
  name TEXT NOT NULL, 
  name_latin TEXT, 
  oktmo TEXT, 
  kind TEXT, 
  version BIGINT GENERATED ALWAYS AS IDENTITY, 
  id BIGINT DEFAULT nextval('register.object_id') NOT NULL, 
  key TEXT NOT NULL, 
  region TEXT NOT NULL, 
  valid_from DATE DEFAULT '-infinity' NOT NULL, 
  valid_to DATE DEFAULT 'infinity' NOT NULL, 
  sys_from TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL, 
  sys_to TIMESTAMP WITH TIME ZONE DEFAULT 'infinity' NOT NULL, 
  visibility SMALLINT DEFAULT '0' NOT NULL, 
  run BIGINT, 
  source_row INTEGER, 
  source_crs TEXT, 
  source_geom BYTEA, 
  repair TEXT, 
  digest UUID NOT NULL, 
  extra JSONB, 
  area_m2 DOUBLE PRECISION, 
  area_method TEXT, 
  area_declared_m2 DOUBLE PRECISION, 
  geom geometry(MULTIPOLYGON,4326), 
  geom_3857 geometry(MULTIPOLYGON,3857) GENERATED ALWAYS AS (register.mercator(geom)) STORED, 
  CONSTRAINT pk_municipalities PRIMARY KEY (version), 
  CONSTRAINT ck_municipalities_valid_order CHECK (valid_from < valid_to), 
  CONSTRAINT ck_municipalities_sys_order CHECK (sys_from < sys_to), 
  CONSTRAINT ck_municipalities_visibility_known CHECK (visibility BETWEEN 0 AND 3), 
  CONSTRAINT ck_municipalities_geom_valid CHECK (geom IS NULL OR ST_IsValid(geom) AND NOT ST_IsEmpty(geom))
);

CREATE INDEX ix_municipalities_current_geom ON register.municipalities USING gist (geom) WHERE sys_to = 'infinity';
CREATE INDEX ix_municipalities_current_geom_3857 ON register.municipalities USING gist (geom_3857) WHERE sys_to = 'infinity';
CREATE INDEX ix_municipalities_current_id ON register.municipalities (id) WHERE sys_to = 'infinity';
CREATE INDEX ix_municipalities_past_geom_3857 ON register.municipalities USING gist (geom_3857, sys_from, sys_to) WHERE sys_to < 'infinity';
CREATE INDEX ix_municipalities_past_id ON register.municipalities (id, sys_from) WHERE sys_to < 'infinity';
CREATE INDEX ix_municipalities_run ON register.municipalities (run);
CREATE UNIQUE INDEX ux_municipalities_current_key ON register.municipalities (key, valid_from) WHERE sys_to = 'infinity';

CREATE TABLE register.parcels (
  number TEXT NOT NULL, 
  quarter TEXT, 
  kind TEXT, 
  status TEXT, 
  category TEXT, 
  permitted_use TEXT, 
  address TEXT, 
  cost_rub DOUBLE PRECISION, 
  area_inaccuracy_m2 DOUBLE PRECISION, 
  registered_on DATE, 
  version BIGINT GENERATED ALWAYS AS IDENTITY, 
  id BIGINT DEFAULT nextval('register.object_id') NOT NULL, 
  key TEXT NOT NULL, 
  region TEXT NOT NULL, 
  valid_from DATE DEFAULT '-infinity' NOT NULL, 
  valid_to DATE DEFAULT 'infinity' NOT NULL, 
  sys_from TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL, 
  sys_to TIMESTAMP WITH TIME ZONE DEFAULT 'infinity' NOT NULL, 
  visibility SMALLINT DEFAULT '0' NOT NULL, 
  run BIGINT, 
  source_row INTEGER, 
  source_crs TEXT, 
  source_geom BYTEA, 
  repair TEXT, 
  digest UUID NOT NULL, 
  extra JSONB, 
  area_m2 DOUBLE PRECISION, 
  area_method TEXT, 
  area_declared_m2 DOUBLE PRECISION, 
  geom geometry(MULTIPOLYGON,4326), 
  geom_3857 geometry(MULTIPOLYGON,3857) GENERATED ALWAYS AS (register.mercator(geom)) STORED, 
  CONSTRAINT pk_parcels PRIMARY KEY (version), 
  CONSTRAINT ck_parcels_valid_order CHECK (valid_from < valid_to), 
  CONSTRAINT ck_parcels_sys_order CHECK (sys_from < sys_to), 
  CONSTRAINT ck_parcels_visibility_known CHECK (visibility BETWEEN 0 AND 3), 
  CONSTRAINT ck_parcels_geom_valid CHECK (geom IS NULL OR ST_IsValid(geom) AND NOT ST_IsEmpty(geom))
);

CREATE INDEX ix_parcels_current_geom ON register.parcels USING gist (geom) WHERE sys_to = 'infinity';
CREATE INDEX ix_parcels_current_geom_3857 ON register.parcels USING gist (geom_3857) WHERE sys_to = 'infinity';
CREATE INDEX ix_parcels_current_id ON register.parcels (id) WHERE sys_to = 'infinity';
CREATE INDEX ix_parcels_past_geom_3857 ON register.parcels USING gist (geom_3857, sys_from, sys_to) WHERE sys_to < 'infinity';
CREATE INDEX ix_parcels_past_id ON register.parcels (id, sys_from) WHERE sys_to < 'infinity';
CREATE INDEX ix_parcels_run ON register.parcels (run);
CREATE UNIQUE INDEX ux_parcels_current_key ON register.parcels (key, valid_from) WHERE sys_to = 'infinity';

CREATE TABLE register.quarters (
  number TEXT NOT NULL, 
  purpose TEXT, 
  forestry TEXT, 
  subforestry TEXT, 
  tract TEXT, 
  version BIGINT GENERATED ALWAYS AS IDENTITY, 
  id BIGINT DEFAULT nextval('register.object_id') NOT NULL, 
  key TEXT NOT NULL, 
  region TEXT NOT NULL, 
  valid_from DATE DEFAULT '-infinity' NOT NULL, 
  valid_to DATE DEFAULT 'infinity' NOT NULL, 
  sys_from TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL, 
  sys_to TIMESTAMP WITH TIME ZONE DEFAULT 'infinity' NOT NULL, 
  visibility SMALLINT DEFAULT '0' NOT NULL, 
  run BIGINT, 
  source_row INTEGER, 
  source_crs TEXT, 
  source_geom BYTEA, 
  repair TEXT, 
  digest UUID NOT NULL, 
  extra JSONB, 
  area_m2 DOUBLE PRECISION, 
  area_method TEXT, 
  area_declared_m2 DOUBLE PRECISION, 
  geom geometry(MULTIPOLYGON,4326), 
  geom_3857 geometry(MULTIPOLYGON,3857) GENERATED ALWAYS AS (register.mercator(geom)) STORED, 
  CONSTRAINT pk_quarters PRIMARY KEY (version), 
  CONSTRAINT ck_quarters_valid_order CHECK (valid_from < valid_to), 
  CONSTRAINT ck_quarters_sys_order CHECK (sys_from < sys_to), 
  CONSTRAINT ck_quarters_visibility_known CHECK (visibility BETWEEN 0 AND 3), 
  CONSTRAINT ck_quarters_geom_valid CHECK (geom IS NULL OR ST_IsValid(geom) AND NOT ST_IsEmpty(geom))
);

CREATE INDEX ix_quarters_current_geom ON register.quarters USING gist (geom) WHERE sys_to = 'infinity';
CREATE INDEX ix_quarters_current_geom_3857 ON register.quarters USING gist (geom_3857) WHERE sys_to = 'infinity';
CREATE INDEX ix_quarters_current_id ON register.quarters (id) WHERE sys_to = 'infinity';
CREATE INDEX ix_quarters_past_geom_3857 ON register.quarters USING gist (geom_3857, sys_from, sys_to) WHERE sys_to < 'infinity';
CREATE INDEX ix_quarters_past_id ON register.quarters (id, sys_from) WHERE sys_to < 'infinity';
CREATE INDEX ix_quarters_run ON register.quarters (run);
CREATE UNIQUE INDEX ux_quarters_current_key ON register.quarters (key, valid_from) WHERE sys_to = 'infinity';

CREATE TABLE register.stands (
  quarter TEXT, 
  number TEXT NOT NULL, 
  land_kind TEXT, 
  species TEXT, 
  formula TEXT, 
  age INTEGER, 
  age_group TEXT, 
  height_m DOUBLE PRECISION, 
  diameter_cm DOUBLE PRECISION, 
  site_class TEXT, 
  density DOUBLE PRECISION, 
  stock_m3_ha DOUBLE PRECISION, 
  forest_type TEXT, 
  protection TEXT, 
  inventoried_on DATE, 
  forestry TEXT, 
  subforestry TEXT, 
  tract TEXT, 
  version BIGINT GENERATED ALWAYS AS IDENTITY, 
  id BIGINT DEFAULT nextval('register.object_id') NOT NULL, 
  key TEXT NOT NULL, 
  region TEXT NOT NULL, 
  valid_from DATE DEFAULT '-infinity' NOT NULL, 
  valid_to DATE DEFAULT 'infinity' NOT NULL, 
  sys_from TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL, 
  sys_to TIMESTAMP WITH TIME ZONE DEFAULT 'infinity' NOT NULL, 
  visibility SMALLINT DEFAULT '0' NOT NULL, 
  run BIGINT, 
  source_row INTEGER, 
  source_crs TEXT, 
  source_geom BYTEA, 
  repair TEXT, 
  digest UUID NOT NULL, 
  extra JSONB, 
  area_m2 DOUBLE PRECISION, 
  area_method TEXT, 
  area_declared_m2 DOUBLE PRECISION, 
  geom geometry(MULTIPOLYGON,4326), 
  geom_3857 geometry(MULTIPOLYGON,3857) GENERATED ALWAYS AS (register.mercator(geom)) STORED, 
  CONSTRAINT pk_stands PRIMARY KEY (version), 
  CONSTRAINT ck_stands_valid_order CHECK (valid_from < valid_to), 
  CONSTRAINT ck_stands_sys_order CHECK (sys_from < sys_to), 
  CONSTRAINT ck_stands_visibility_known CHECK (visibility BETWEEN 0 AND 3), 
  CONSTRAINT ck_stands_geom_valid CHECK (geom IS NULL OR ST_IsValid(geom) AND NOT ST_IsEmpty(geom))
);

CREATE INDEX ix_stands_current_geom ON register.stands USING gist (geom) WHERE sys_to = 'infinity';
CREATE INDEX ix_stands_current_geom_3857 ON register.stands USING gist (geom_3857) WHERE sys_to = 'infinity';
CREATE INDEX ix_stands_current_id ON register.stands (id) WHERE sys_to = 'infinity';
CREATE INDEX ix_stands_past_geom_3857 ON register.stands USING gist (geom_3857, sys_from, sys_to) WHERE sys_to < 'infinity';
CREATE INDEX ix_stands_past_id ON register.stands (id, sys_from) WHERE sys_to < 'infinity';
CREATE INDEX ix_stands_run ON register.stands (run);
CREATE UNIQUE INDEX ux_stands_current_key ON register.stands (key, valid_from) WHERE sys_to = 'infinity';

CREATE TABLE register.waste_sites (
  number TEXT NOT NULL, 
  name TEXT, 
  kind TEXT, 
  category TEXT, 
  status TEXT, 
  groro_number TEXT, 
  fkko TEXT, 
  capacity_t DOUBLE PRECISION, 
  accumulated_t DOUBLE PRECISION, 
  registered_on DATE, 
  holder TEXT, 
  holder_inn TEXT, 
  version BIGINT GENERATED ALWAYS AS IDENTITY, 
  id BIGINT DEFAULT nextval('register.object_id') NOT NULL, 
  key TEXT NOT NULL, 
  region TEXT NOT NULL, 
  valid_from DATE DEFAULT '-infinity' NOT NULL, 
  valid_to DATE DEFAULT 'infinity' NOT NULL, 
  sys_from TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL, 
  sys_to TIMESTAMP WITH TIME ZONE DEFAULT 'infinity' NOT NULL, 
  visibility SMALLINT DEFAULT '0' NOT NULL, 
  run BIGINT, 
  source_row INTEGER, 
  source_crs TEXT, 
  source_geom BYTEA, 
  repair TEXT, 
  digest UUID NOT NULL, 
  extra JSONB, 
  area_m2 DOUBLE PRECISION, 
  area_method TEXT, 
  area_declared_m2 DOUBLE PRECISION, 
  geom geometry(POINT,4326), 
  geom_3857 geometry(POINT,3857) GENERATED ALWAYS AS (register.mercator(geom)) STORED, 
  CONSTRAINT pk_waste_sites PRIMARY KEY (version), 
  CONSTRAINT ck_waste_sites_valid_order CHECK (valid_from < valid_to), 
  CONSTRAINT ck_waste_sites_sys_order CHECK (sys_from < sys_to), 
  CONSTRAINT ck_waste_sites_visibility_known CHECK (visibility BETWEEN 0 AND 3), 
  CONSTRAINT ck_waste_sites_geom_valid CHECK (geom IS NULL OR ST_IsValid(geom) AND NOT ST_IsEmpty(geom))
);

CREATE INDEX ix_waste_sites_current_geom ON register.waste_sites USING gist (geom) WHERE sys_to = 'infinity';
CREATE INDEX ix_waste_sites_current_geom_3857 ON register.waste_sites USING gist (geom_3857) WHERE sys_to = 'infinity';
CREATE INDEX ix_waste_sites_current_id ON register.waste_sites (id) WHERE sys_to = 'infinity';
CREATE INDEX ix_waste_sites_past_geom_3857 ON register.waste_sites USING gist (geom_3857, sys_from, sys_to) WHERE sys_to < 'infinity';
CREATE INDEX ix_waste_sites_past_id ON register.waste_sites (id, sys_from) WHERE sys_to < 'infinity';
CREATE INDEX ix_waste_sites_run ON register.waste_sites (run);
CREATE UNIQUE INDEX ux_waste_sites_current_key ON register.waste_sites (key, valid_from) WHERE sys_to = 'infinity';

CREATE TABLE register.zones (
  number TEXT NOT NULL, 
  name TEXT, 
  kind TEXT, 
  status TEXT, 
  restriction TEXT, 
  document TEXT, 
  established_on DATE, 
  version BIGINT GENERATED ALWAYS AS IDENTITY, 
  id BIGINT DEFAULT nextval('register.object_id') NOT NULL, 
  key TEXT NOT NULL, 
  region TEXT NOT NULL, 
  valid_from DATE DEFAULT '-infinity' NOT NULL, 
  valid_to DATE DEFAULT 'infinity' NOT NULL, 
  sys_from TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL, 
  sys_to TIMESTAMP WITH TIME ZONE DEFAULT 'infinity' NOT NULL, 
  visibility SMALLINT DEFAULT '0' NOT NULL, 
  run BIGINT, 
  source_row INTEGER, 
  source_crs TEXT, 
  source_geom BYTEA, 
  repair TEXT, 
  digest UUID NOT NULL, 
  extra JSONB, 
  area_m2 DOUBLE PRECISION, 
  area_method TEXT, 
  area_declared_m2 DOUBLE PRECISION, 
  geom geometry(MULTIPOLYGON,4326), 
  geom_3857 geometry(MULTIPOLYGON,3857) GENERATED ALWAYS AS (register.mercator(geom)) STORED, 
  CONSTRAINT pk_zones PRIMARY KEY (version), 
  CONSTRAINT ck_zones_valid_order CHECK (valid_from < valid_to), 
  CONSTRAINT ck_zones_sys_order CHECK (sys_from < sys_to), 
  CONSTRAINT ck_zones_visibility_known CHECK (visibility BETWEEN 0 AND 3), 
  CONSTRAINT ck_zones_geom_valid CHECK (geom IS NULL OR ST_IsValid(geom) AND NOT ST_IsEmpty(geom))
);

CREATE INDEX ix_zones_current_geom ON register.zones USING gist (geom) WHERE sys_to = 'infinity';
CREATE INDEX ix_zones_current_geom_3857 ON register.zones USING gist (geom_3857) WHERE sys_to = 'infinity';
CREATE INDEX ix_zones_current_id ON register.zones (id) WHERE sys_to = 'infinity';
CREATE INDEX ix_zones_past_geom_3857 ON register.zones USING gist (geom_3857, sys_from, sys_to) WHERE sys_to < 'infinity';
CREATE INDEX ix_zones_past_id ON register.zones (id, sys_from) WHERE sys_to < 'infinity';
CREATE INDEX ix_zones_run ON register.zones (run);
CREATE UNIQUE INDEX ux_zones_current_key ON register.zones (key, valid_from) WHERE sys_to = 'infinity';
