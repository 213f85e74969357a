-- Spatial questions: what a layer's answer is worth, the conflict monitor, questions that became jobs, and the
-- indexes that make the past as cheap as the present.  docs/geo.md explains them.
CREATE SCHEMA spatial;
GRANT USAGE ON SCHEMA spatial TO mezha_gate, mezha_app, mezha_registrar;

DO $$
DECLARE
  layer text;
BEGIN
  FOREACH layer IN ARRAY ARRAY['municipalities', 'parcels', 'forestries', 'quarters', 'stands', 'forest_plots', 'leases',
    'licences', 'deposits', 'waste_sites', 'zones', 'cutting_areas'] LOOP
    EXECUTE format('CREATE INDEX ix_%1$s_past_geom ON register.%1$I USING gist (geom, sys_from, sys_to) WHERE sys_to < ''infinity''', layer);
    EXECUTE format('CREATE INDEX ix_%1$s_past_sys_to ON register.%1$I (sys_to) WHERE sys_to < ''infinity''', layer);
    EXECUTE format('CREATE INDEX ix_%1$s_narrowed ON register.%1$I (visibility) WHERE sys_to = ''infinity'' AND visibility > 0', layer);
  END LOOP;
END $$;

-- What every layer holds, whoever asks: no object can be told from it.  `narrowed` is the greatest visibility of a
-- current object: who stands below it cannot be told that a place is clear.
-- Written out over all layers, so that a session plans it once and not at each call.
DO $$
DECLARE
  parts text := (
    SELECT string_agg(format(
      'SELECT %1$L::text, last.version, greatest(last.sys_from, (SELECT max(sys_to) FROM register.%1$I WHERE sys_to < ''infinity'')),'
      ' (SELECT max(finished_at) FROM ingest.runs r WHERE r.layer = %1$L AND r.status = ''done''),'
      ' CASE WHEN known IS NULL THEN EXISTS (SELECT FROM register.%1$I WHERE sys_to = ''infinity'')'
      '   ELSE EXISTS (SELECT FROM register.%1$I WHERE sys_from <= known) END,'
      ' coalesce((SELECT max(visibility) FROM register.%1$I WHERE sys_to = ''infinity'' AND visibility > 0), 0::smallint)'
      ' FROM (SELECT 1) one LEFT JOIN LATERAL (SELECT version, sys_from FROM register.%1$I ORDER BY version DESC LIMIT 1) last ON true',
      relname), ' UNION ALL ' ORDER BY relname)
    FROM pg_class WHERE relnamespace = 'gate'::regnamespace AND relkind = 'v');
BEGIN
  EXECUTE format(
    'CREATE FUNCTION spatial.layer_states(known timestamptz)'
    ' RETURNS TABLE (layer text, newest bigint, changed_at timestamptz, confirmed_at timestamptz, loaded boolean, narrowed smallint)'
    ' LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS %L',
    'BEGIN RETURN QUERY ' || parts || '; END');
END $$;

-- The conflict monitor.  Two versions that overlap do so for ever, because versions are never rewritten: a pair is
-- found once, when its later half arrives, and is current while both halves are.
CREATE TABLE spatial.conflict_kinds (
  kind text PRIMARY KEY,
  a_layer text NOT NULL,
  b_layer text NOT NULL,
  least_m2 double precision NOT NULL
);
INSERT INTO spatial.conflict_kinds VALUES
  ('lease-lease', 'leases', 'leases', 100), ('lease-zone', 'leases', 'zones', 100),
  ('licence-licence', 'licences', 'licences', 1000), ('licence-zone', 'licences', 'zones', 1000),
  ('licence-lease', 'licences', 'leases', 1000), ('cutting-cutting', 'cutting_areas', 'cutting_areas', 100),
  ('cutting-zone', 'cutting_areas', 'zones', 100), ('plot-plot', 'forest_plots', 'forest_plots', 100),
  ('parcel-parcel', 'parcels', 'parcels', 10), ('waste-zone', 'waste_sites', 'zones', 0);

CREATE TABLE spatial.conflicts (
  kind text NOT NULL REFERENCES spatial.conflict_kinds,
  a_version bigint NOT NULL,
  b_version bigint NOT NULL,
  area_m2 double precision NOT NULL,
  geom geometry(GEOMETRY, 4326) NOT NULL,
  PRIMARY KEY (kind, a_version, b_version)
);
CREATE INDEX ix_conflicts_geom ON spatial.conflicts USING gist (geom);
CREATE INDEX ix_conflicts_area ON spatial.conflicts (kind, area_m2 DESC);

-- Versions that wait to be compared: one row a statement, however many versions it added.
CREATE TABLE spatial.pending (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  layer text NOT NULL,
  first_version bigint NOT NULL,
  last_version bigint NOT NULL,
  noted_at timestamptz NOT NULL DEFAULT transaction_timestamp()
);

CREATE FUNCTION spatial.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  first bigint;
  last bigint;
BEGIN
  SELECT min(version), max(version) INTO first, last FROM added;
  IF first IS NOT NULL THEN
    INSERT INTO spatial.pending (layer, first_version, last_version) VALUES (TG_TABLE_NAME, first, last);
    -- The key holds the transaction, so that nobody waits for another's commit.
    PERFORM jobs.enqueue('spatial.monitor', '{}', 'default', 'spatial.monitor', 'spatial.monitor:' || txid_current());
  END IF;
  RETURN NULL;
END $$;

-- Statement for one kind: the pairs of which `side` (a or b) is one of the versions $1 to $2.
CREATE FUNCTION spatial.pairs_statement(k spatial.conflict_kinds, side text) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT format(
    'INSERT INTO spatial.conflicts (kind, a_version, b_version, area_m2, geom) '
    'SELECT %1$L, %2$s, %3$s, measured.area_m2, measured.shape '
    'FROM register.%4$I n JOIN LATERAL ('
    '  SELECT version, id, geom FROM register.%5$I WHERE sys_to = ''infinity'' AND geom && n.geom'
    '    AND n.sys_to > sys_from AND valid_from < n.valid_to AND n.valid_from < valid_to'
    '  UNION ALL SELECT version, id, geom FROM register.%5$I WHERE sys_to < ''infinity'' AND sys_to > n.sys_from AND geom && n.geom'
    '    AND n.sys_to > sys_from AND valid_from < n.valid_to AND n.valid_from < valid_to'
    ') o ON %6$s ST_Intersects(n.geom, o.geom), '
    'LATERAL (SELECT CASE WHEN ST_CoveredBy(n.geom, o.geom) THEN n.geom WHEN ST_CoveredBy(o.geom, n.geom) THEN o.geom ELSE ST_CollectionExtract(ST_Intersection(n.geom, o.geom), 3) END AS shape) cut, '
    'LATERAL (SELECT ST_Area(cut.shape::geography) AS area_m2, cut.shape) measured '
    'WHERE n.version BETWEEN $1 AND $2 AND (measured.area_m2 > %7$s OR %8$s) AND NOT ST_IsEmpty(measured.shape) ON CONFLICT DO NOTHING',
    k.kind,
    CASE WHEN k.a_layer = k.b_layer THEN 'least(n.version, o.version)' WHEN side = 'a' THEN 'n.version' ELSE 'o.version' END,
    CASE WHEN k.a_layer = k.b_layer THEN 'greatest(n.version, o.version)' WHEN side = 'a' THEN 'o.version' ELSE 'n.version' END,
    CASE WHEN side = 'a' THEN k.a_layer ELSE k.b_layer END,
    CASE WHEN side = 'a' THEN k.b_layer ELSE k.a_layer END,
    CASE WHEN k.a_layer = k.b_layer THEN 'o.id <> n.id AND' ELSE '' END,
    k.least_m2,
    CASE WHEN k.a_layer = 'waste_sites' THEN 'true' ELSE 'false' END)
$$;

-- Compares at most `most` waiting versions and returns how many versions wait still.
CREATE FUNCTION spatial.monitor(most bigint) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public AS $$
DECLARE
  p spatial.pending;
  k spatial.conflict_kinds;
  last bigint;
BEGIN
  SELECT * INTO p FROM spatial.pending ORDER BY seq LIMIT 1 FOR UPDATE;
  IF NOT FOUND THEN
    RETURN 0;
  END IF;
  last := least(p.last_version, p.first_version + most - 1);
  FOR k IN SELECT * FROM spatial.conflict_kinds WHERE p.layer IN (a_layer, b_layer) LOOP
    IF k.a_layer = p.layer THEN
      EXECUTE spatial.pairs_statement(k, 'a') USING p.first_version, last;
    END IF;
    IF k.b_layer = p.layer AND k.a_layer <> k.b_layer THEN
      EXECUTE spatial.pairs_statement(k, 'b') USING p.first_version, last;
    END IF;
  END LOOP;
  IF last = p.last_version THEN
    DELETE FROM spatial.pending WHERE seq = p.seq;
  ELSE
    UPDATE spatial.pending SET first_version = last + 1 WHERE seq = p.seq;
  END IF;
  RETURN coalesce((SELECT sum(last_version - first_version + 1) FROM spatial.pending), 0);
END $$;
REVOKE ALL ON FUNCTION spatial.monitor(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION spatial.monitor(bigint) TO mezha_registrar;
GRANT SELECT ON spatial.pending, spatial.conflict_kinds TO mezha_app, mezha_registrar;
GRANT SELECT ON spatial.conflicts TO mezha_gate, mezha_registrar;

-- Who sees both halves sees the pair: the view joins the gates, and nobody who serves may read the table itself.
DO $$
DECLARE
  k spatial.conflict_kinds;
  layer text;
  named jsonb := '{"zones": "coalesce(%1$s.name, %1$s.number, %1$s.key)", "waste_sites": "coalesce(%1$s.name, %1$s.number, %1$s.key)"}';
  parts text[];
BEGIN
  FOR k IN SELECT * FROM spatial.conflict_kinds LOOP
    parts := parts || format(
      'SELECT c.kind, %2$L::text AS a_layer, a.id AS a_id, c.a_version, %4$s AS a_title, a.area_m2 AS a_area_m2,'
      ' %3$L::text AS b_layer, b.id AS b_id, c.b_version, %5$s AS b_title, b.area_m2 AS b_area_m2, c.area_m2, c.geom,'
      ' greatest(a.sys_from, b.sys_from) AS sys_from, least(a.sys_to, b.sys_to) AS sys_to,'
      ' greatest(a.valid_from, b.valid_from) AS valid_from, least(a.valid_to, b.valid_to) AS valid_to'
      ' FROM spatial.conflicts c JOIN gate.%2$I a ON a.version = c.a_version JOIN gate.%3$I b ON b.version = c.b_version'
      ' WHERE c.kind = %1$L', k.kind, k.a_layer, k.b_layer,
      format(coalesce(named ->> k.a_layer, 'coalesce(%1$s.number, %1$s.key)'), 'a'),
      format(coalesce(named ->> k.b_layer, 'coalesce(%1$s.number, %1$s.key)'), 'b'));
  END LOOP;
  EXECUTE 'CREATE VIEW gate.conflicts AS ' || array_to_string(parts, ' UNION ALL ');
  ALTER VIEW gate.conflicts OWNER TO mezha_gate;
  GRANT SELECT ON gate.conflicts TO mezha_app, mezha_registrar;
  FOR layer IN SELECT a_layer FROM spatial.conflict_kinds UNION SELECT b_layer FROM spatial.conflict_kinds LOOP
    EXECUTE format('CREATE TRIGGER conflicts_noted AFTER INSERT ON register.%I REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION spatial.note()', layer);
    EXECUTE format('INSERT INTO spatial.pending (layer, first_version, last_version) SELECT %1$L, min(version), max(version) FROM register.%1$I HAVING count(*) > 0', layer);
  END LOOP;
END $$;

-- Questions that are too big to answer at once.  The caller's identity is kept, so that the worker sees what he saw.
CREATE TABLE spatial.questions (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  kind text NOT NULL CHECK (kind IN ('intersect', 'summary', 'export')),
  arguments jsonb NOT NULL,
  caller jsonb NOT NULL,
  account bigint,
  status text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
  progress real NOT NULL DEFAULT 0,
  message text NOT NULL DEFAULT '',
  answer jsonb,
  file text,
  asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  finished_at timestamptz
);
CREATE INDEX ix_questions_waiting ON spatial.questions (asked_at) WHERE status IN ('waiting', 'running');
GRANT SELECT, INSERT, UPDATE ON spatial.questions TO mezha_app, mezha_registrar;

-- The state of a layer in this snapshot.  Each writing statement adds a row, so that writers never wait for each other;
-- count, first and last together change with every commit, in whatever order transactions end.
CREATE TABLE spatial.changes (
  layer text NOT NULL,
  seq bigint GENERATED ALWAYS AS IDENTITY,
  noted_at timestamptz NOT NULL DEFAULT transaction_timestamp(),
  PRIMARY KEY (layer, seq)
);

CREATE FUNCTION spatial.changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  INSERT INTO spatial.changes (layer) VALUES (TG_TABLE_NAME);
  RETURN NULL;
END $$;

DO $$
DECLARE
  layer text;
BEGIN
  FOR layer IN SELECT relname FROM pg_class WHERE relnamespace = 'gate'::regnamespace AND relkind = 'v' AND relname <> 'conflicts' LOOP
    EXECUTE format('CREATE TRIGGER changed AFTER INSERT OR UPDATE ON register.%I FOR EACH STATEMENT EXECUTE FUNCTION spatial.changed()', layer);
  END LOOP;
END $$;

CREATE FUNCTION spatial.stamp(of_layer text) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT concat_ws(' ', count(*), min(seq), max(seq), access.layer_rank(of_layer)) FROM spatial.changes WHERE layer = of_layer
$$;

-- Old rows say nothing more than their number: the monitor sweeps them away.
CREATE FUNCTION spatial.sweep() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
  DELETE FROM spatial.changes WHERE noted_at < now() - interval '1 day'
$$;
REVOKE ALL ON FUNCTION spatial.sweep() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION spatial.sweep() TO mezha_registrar;
