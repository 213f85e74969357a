-- The case engine.  States move only along cases.transitions, by an event; events, geometries, checks and findings
-- are never rewritten; numbers and the order of lodging are given here, at the instant of lodging.
CREATE SCHEMA cases;

-- Every definition (service, rule set) that a case or a check rests on, kept for ever under its digest.
CREATE TABLE cases.definitions (
  digest text CONSTRAINT pk_definitions PRIMARY KEY,
  kind text NOT NULL CONSTRAINT ck_definitions_kind CHECK (kind IN ('service', 'rules')),
  name text NOT NULL,
  version integer NOT NULL,
  body jsonb NOT NULL,
  first_used timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE cases.transitions (
  from_state text NOT NULL,
  action text NOT NULL,
  to_state text NOT NULL,
  role text NOT NULL,
  CONSTRAINT pk_transitions PRIMARY KEY (from_state, action, role)
);
INSERT INTO cases.transitions (from_state, action, to_state, role) VALUES
  ('draft', 'submit', 'submitted', 'applicant'),
  ('draft', 'discard', 'withdrawn', 'applicant'),
  ('submitted', 'amend', 'submitted', 'applicant'),
  ('submitted', 'accept', 'accepted', 'officer'),
  ('submitted', 'ask_correction', 'correction_asked', 'officer'),
  ('submitted', 'withdraw', 'withdrawn', 'applicant'),
  ('accepted', 'review', 'in_review', 'officer'),
  ('accepted', 'ask_correction', 'correction_asked', 'officer'),
  ('accepted', 'withdraw', 'withdrawn', 'applicant'),
  ('in_review', 'ask_correction', 'correction_asked', 'officer'),
  ('in_review', 'approve', 'approved', 'officer'),
  ('in_review', 'reject', 'rejected', 'officer'),
  ('in_review', 'suspend', 'suspended', 'officer'),
  ('in_review', 'withdraw', 'withdrawn', 'applicant'),
  ('correction_asked', 'answer', 'answered', 'applicant'),
  ('correction_asked', 'withdraw', 'withdrawn', 'applicant'),
  ('correction_asked', 'lapse', 'rejected', 'system'),
  ('answered', 'review', 'in_review', 'officer'),
  ('answered', 'withdraw', 'withdrawn', 'applicant'),
  ('suspended', 'resume', 'in_review', 'officer'),
  ('suspended', 'withdraw', 'withdrawn', 'applicant'),
  ('approved', 'close', 'closed', 'officer'),
  ('approved', 'close', 'closed', 'system'),
  ('rejected', 'close', 'closed', 'officer'),
  ('rejected', 'close', 'closed', 'system'),
  ('rejected', 'appeal', 'appealed', 'applicant'),
  ('appealed', 'reopen', 'in_review', 'officer'),
  ('appealed', 'uphold', 'closed', 'officer');

-- One row: whoever lodges holds it until he commits, so that the order of lodging is total and has no gaps.
CREATE TABLE cases.lodging (
  one boolean CONSTRAINT pk_lodging PRIMARY KEY DEFAULT true CONSTRAINT ck_lodging_one CHECK (one),
  last_order bigint NOT NULL DEFAULT 0,
  last_at timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO cases.lodging DEFAULT VALUES;

CREATE TABLE cases.counters (
  service text NOT NULL,
  year integer NOT NULL,
  last integer NOT NULL,
  CONSTRAINT pk_counters PRIMARY KEY (service, year)
);

CREATE TABLE cases.cases (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_cases PRIMARY KEY,
  service text NOT NULL,
  service_version integer NOT NULL,
  service_digest text NOT NULL CONSTRAINT fk_cases_service_digest REFERENCES cases.definitions,
  region text NOT NULL,
  party_inn text NOT NULL CONSTRAINT ck_cases_party_inn CHECK (party_inn ~ '^([0-9]{10}|[0-9]{12})$'),
  party_name text NOT NULL DEFAULT '',
  created_by bigint,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  saved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  revision integer NOT NULL DEFAULT 1,
  payload jsonb NOT NULL DEFAULT '{}' CONSTRAINT ck_cases_payload_size CHECK (pg_column_size(payload) < 1000000),
  state text NOT NULL DEFAULT 'draft',
  state_since timestamptz NOT NULL DEFAULT clock_timestamp(),
  officer bigint,
  number text CONSTRAINT uq_cases_number UNIQUE,
  number_year integer,
  number_seq integer,
  lodged_order bigint CONSTRAINT uq_cases_lodged_order UNIQUE,
  lodged_at timestamptz,
  evidence_sha256 text,
  subject_layer text,
  subject_id bigint,
  subject_version bigint,
  geometry bigint,
  CONSTRAINT uq_cases_sequence UNIQUE (service, number_year, number_seq),
  CONSTRAINT ck_cases_state_known CHECK (state IN ('draft', 'submitted', 'accepted', 'in_review', 'correction_asked',
    'answered', 'approved', 'rejected', 'closed', 'withdrawn', 'suspended', 'appealed')),
  CONSTRAINT ck_cases_numbered_when_lodged CHECK (
    num_nulls(number, number_year, number_seq, lodged_order, lodged_at, evidence_sha256) IN (0, 6)),
  CONSTRAINT ck_cases_lodged_has_number CHECK (state IN ('draft', 'withdrawn') OR number IS NOT NULL),
  CONSTRAINT ck_cases_subject_whole CHECK (num_nulls(subject_layer, subject_id, subject_version) IN (0, 3))
);
CREATE INDEX ix_cases_party ON cases.cases (party_inn, id DESC);
CREATE INDEX ix_cases_region_state ON cases.cases (region, state, id DESC);

CREATE TABLE cases.events (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_events PRIMARY KEY,
  case_id bigint NOT NULL CONSTRAINT fk_events_case REFERENCES cases.cases,
  seq integer NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  action text NOT NULL,
  from_state text NOT NULL,
  to_state text NOT NULL,
  role text NOT NULL,
  account bigint,
  reason text NOT NULL DEFAULT '',
  data jsonb NOT NULL DEFAULT '{}',
  CONSTRAINT uq_events_case_seq UNIQUE (case_id, seq),
  CONSTRAINT fk_events_transition FOREIGN KEY (from_state, action, role)
    REFERENCES cases.transitions (from_state, action, role)
);

-- What was submitted: its bytes, their hash, its own coordinate system; geom is derived from it.
CREATE TABLE cases.geometries (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_geometries PRIMARY KEY,
  case_id bigint NOT NULL CONSTRAINT fk_geometries_case REFERENCES cases.cases,
  way text NOT NULL CONSTRAINT ck_geometries_way CHECK (way IN ('drawn', 'picked', 'uploaded', 'typed')),
  source bytea NOT NULL,
  source_format text NOT NULL,
  source_crs text NOT NULL,
  sha256 text NOT NULL,
  repair text NOT NULL DEFAULT '',
  geom geometry(MULTIPOLYGON, 4326) NOT NULL,
  base geometry(MULTIPOLYGON, 4326),
  area_m2 double precision NOT NULL,
  area_method text NOT NULL,
  made_by bigint,
  made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT uq_geometries_of_case UNIQUE (case_id, id),
  CONSTRAINT ck_geometries_sha256 CHECK (sha256 = encode(sha256(source), 'hex')),
  CONSTRAINT ck_geometries_geom_valid CHECK (ST_IsValid(geom) AND NOT ST_IsEmpty(geom))
);
CREATE INDEX ix_geometries_case ON cases.geometries (case_id);
ALTER TABLE cases.cases ADD CONSTRAINT fk_cases_geometry
  FOREIGN KEY (id, geometry) REFERENCES cases.geometries (case_id, id);

-- Ground that lodged cases lay claim to: the conflict queue.  A claim ends, it is never deleted.
CREATE TABLE cases.ground (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_ground PRIMARY KEY,
  case_id bigint NOT NULL CONSTRAINT fk_ground_case REFERENCES cases.cases,
  service text NOT NULL,
  lodged_order bigint NOT NULL,
  geom geometry(MULTIPOLYGON, 4326) NOT NULL,
  since timestamptz NOT NULL DEFAULT clock_timestamp(),
  until timestamptz NOT NULL DEFAULT 'infinity',
  CONSTRAINT ck_ground_period CHECK (since <= until)
);
CREATE UNIQUE INDEX ux_ground_open ON cases.ground (case_id) WHERE until = 'infinity';
CREATE INDEX ix_ground_geom ON cases.ground USING gist (geom, since, until);

CREATE TABLE cases.checks (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_checks PRIMARY KEY,
  case_id bigint NOT NULL CONSTRAINT fk_checks_case REFERENCES cases.cases,
  moment text NOT NULL CONSTRAINT ck_checks_moment CHECK (moment IN ('draft', 'submit', 'decide')),
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  as_of timestamptz NOT NULL,
  snapshot pg_snapshot NOT NULL,
  valid_on date NOT NULL,
  rules_digest text NOT NULL CONSTRAINT fk_checks_rules_digest REFERENCES cases.definitions,
  geometry bigint,
  parameters jsonb NOT NULL
);
CREATE INDEX ix_checks_case ON cases.checks (case_id);

CREATE TABLE cases.findings (
  check_id bigint NOT NULL CONSTRAINT fk_findings_check REFERENCES cases.checks,
  rule text NOT NULL,
  outcome text NOT NULL CONSTRAINT ck_findings_outcome CHECK (outcome IN ('clear', 'hit', 'not_checked', 'stale')),
  severity text NOT NULL CONSTRAINT ck_findings_severity CHECK (severity IN ('off', 'info', 'warn', 'block')),
  layer text NOT NULL,
  layer_version text NOT NULL,
  objects jsonb NOT NULL,
  area_m2 double precision NOT NULL,
  introduced boolean NOT NULL,
  measures jsonb NOT NULL,
  cause text NOT NULL,
  piece geometry(GEOMETRY, 4326),
  CONSTRAINT pk_findings PRIMARY KEY (check_id, rule),
  CONSTRAINT ck_findings_clear_is_empty CHECK (outcome <> 'clear' OR (jsonb_array_length(objects) = 0 AND severity = 'off')),
  CONSTRAINT ck_findings_unanswered_is_shown CHECK (outcome <> 'not_checked' OR severity <> 'off')
);

CREATE TABLE cases.acknowledgements (
  check_id bigint NOT NULL,
  rule text NOT NULL,
  reason text NOT NULL CONSTRAINT ck_acknowledgements_reason CHECK (length(btrim(reason)) >= 3),
  account bigint,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_acknowledgements PRIMARY KEY (check_id, rule),
  CONSTRAINT fk_acknowledgements_finding FOREIGN KEY (check_id, rule) REFERENCES cases.findings
);

-- Days that differ from the plain week; editable by the administrator of the region.
CREATE TABLE cases.calendar_day (
  date date CONSTRAINT pk_calendar_day PRIMARY KEY,
  kind text NOT NULL CONSTRAINT ck_calendar_day_kind CHECK (kind IN ('working', 'holiday')),
  note text NOT NULL DEFAULT ''
);

CREATE TABLE cases.deadlines (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_deadlines PRIMARY KEY,
  case_id bigint NOT NULL CONSTRAINT fk_deadlines_case REFERENCES cases.cases,
  term text NOT NULL,
  owner text NOT NULL CONSTRAINT ck_deadlines_owner CHECK (owner IN ('applicant', 'officer')),
  started_on date NOT NULL,
  due_on date,
  left_days integer,
  ended_at timestamptz,
  CONSTRAINT ck_deadlines_running_or_paused CHECK (num_nulls(due_on, left_days) = 1)
);
CREATE UNIQUE INDEX ux_deadlines_open ON cases.deadlines (case_id, term) WHERE ended_at IS NULL;
CREATE INDEX ix_deadlines_due ON cases.deadlines (due_on) WHERE ended_at IS NULL;

CREATE TABLE cases.reminders (
  deadline bigint NOT NULL CONSTRAINT fk_reminders_deadline REFERENCES cases.deadlines,
  on_day date NOT NULL,
  told_at timestamptz,
  CONSTRAINT pk_reminders PRIMARY KEY (deadline, on_day)
);
CREATE INDEX ix_reminders_open ON cases.reminders (on_day) WHERE told_at IS NULL;

-- A repeated request with the same key gets the first answer.
CREATE TABLE cases.requests (
  account bigint NOT NULL,
  key text NOT NULL CONSTRAINT ck_requests_key CHECK (length(key) BETWEEN 8 AND 200),
  digest text NOT NULL,
  answer jsonb NOT NULL DEFAULT '{}',
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_requests PRIMARY KEY (account, key)
);

-- Layers whose source is known to be down or wrong: rules over them answer not_checked.
CREATE TABLE cases.outages (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_outages PRIMARY KEY,
  layer text NOT NULL,
  since timestamptz NOT NULL DEFAULT clock_timestamp(),
  until timestamptz NOT NULL DEFAULT 'infinity',
  reason text NOT NULL
);

-- When a layer changed last: insert-only, so that two writers never wait for one another.
CREATE TABLE history.layer_changes (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_layer_changes PRIMARY KEY,
  layer text NOT NULL,
  at timestamptz NOT NULL DEFAULT transaction_timestamp(),
  xid xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX ix_layer_changes_layer ON history.layer_changes (layer, id DESC);
CREATE FUNCTION history.note_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $$
BEGIN
  INSERT INTO history.layer_changes (layer) VALUES (TG_TABLE_NAME);
  RETURN NULL;
END $$;
DO $$
DECLARE
  layer text;
BEGIN
  FOR layer IN SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'gate'::regnamespace AND c.relkind = 'v'
    AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass('register.' || quote_ident(c.relname)) AND a.attname = 'sys_to') LOOP
    EXECUTE format('INSERT INTO history.layer_changes (layer) SELECT %L WHERE EXISTS (SELECT FROM register.%I)', layer, layer);
    EXECUTE format('CREATE TRIGGER change_noted AFTER INSERT OR UPDATE ON register.%I FOR EACH STATEMENT EXECUTE FUNCTION history.note_change()', layer);
  END LOOP;
END $$;

-- The sum of a lease's year is asked by every declaration.
CREATE INDEX ix_cutting_areas_current_lease ON register.cutting_areas (lease, year) WHERE sys_to = 'infinity';

-- Nobody rewrites what happened, the owner included.
CREATE FUNCTION cases.forbid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of cases.% are kept as they were written', TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation';
END $$;
DO $$
DECLARE
  kept text;
BEGIN
  FOREACH kept IN ARRAY ARRAY['events', 'geometries', 'checks', 'findings', 'acknowledgements', 'definitions'] LOOP
    EXECUTE format('CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON cases.%I FOR EACH ROW EXECUTE FUNCTION cases.forbid()', kept);
    EXECUTE format('CREATE TRIGGER untruncated BEFORE TRUNCATE ON cases.%I FOR EACH STATEMENT EXECUTE FUNCTION cases.forbid()', kept);
  END LOOP;
  FOREACH kept IN ARRAY ARRAY['cases', 'ground', 'deadlines'] LOOP
    EXECUTE format('CREATE TRIGGER kept BEFORE DELETE ON cases.%I FOR EACH ROW EXECUTE FUNCTION cases.forbid()', kept);
    EXECUTE format('CREATE TRIGGER untruncated BEFORE TRUNCATE ON cases.%I FOR EACH STATEMENT EXECUTE FUNCTION cases.forbid()', kept);
  END LOOP;
END $$;

-- Which side of a case the caller of this transaction is on; one's own case is never one's own to decide.
CREATE FUNCTION cases.role_of(party_inn text, region text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN party_inn = ANY (access.inns()) THEN 'applicant'
    WHEN region = ANY (access.regions()) THEN 'officer'
    WHEN access.rank() >= 3 THEN 'system'
  END
$$;

-- An event moves the case.  The state is changed here and nowhere else.
CREATE FUNCTION cases.move() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
  subject cases.cases;
  target text;
BEGIN
  SELECT * INTO subject FROM cases.cases WHERE id = NEW.case_id FOR UPDATE;
  IF subject.state <> NEW.from_state THEN
    RAISE EXCEPTION 'case % stands in %, not in %', NEW.case_id, subject.state, NEW.from_state
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_events_from_state';
  END IF;
  IF NEW.role IS DISTINCT FROM cases.role_of(subject.party_inn, subject.region) THEN
    RAISE EXCEPTION 'the caller is not % of case %', NEW.role, NEW.case_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_events_role';
  END IF;
  SELECT to_state INTO target FROM cases.transitions t
    WHERE t.from_state = NEW.from_state AND t.action = NEW.action AND t.role = NEW.role;
  IF target IS DISTINCT FROM NEW.to_state THEN
    RAISE EXCEPTION '% does not lead from % to %', NEW.action, NEW.from_state, NEW.to_state
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_events_to_state';
  END IF;
  NEW.seq := coalesce((SELECT max(seq) FROM cases.events e WHERE e.case_id = NEW.case_id), 0) + 1;
  NEW.at := clock_timestamp();
  NEW.account := access.account();
  UPDATE cases.cases SET state = NEW.to_state, state_since = NEW.at,
    officer = CASE WHEN NEW.role = 'officer' THEN NEW.account ELSE officer END WHERE id = NEW.case_id;
  -- A claim to the ground lasts while the case lives, and ends where the register has taken it over.
  IF NEW.to_state IN ('withdrawn', 'rejected', 'closed', 'approved') THEN
    UPDATE cases.ground SET until = clock_timestamp() WHERE case_id = NEW.case_id AND until = 'infinity';
  ELSIF NEW.action = 'reopen' THEN
    INSERT INTO cases.ground (case_id, service, lodged_order, geom)
    SELECT subject.id, subject.service, subject.lodged_order, g.geom FROM cases.geometries g WHERE g.id = subject.geometry;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER moved BEFORE INSERT ON cases.events FOR EACH ROW EXECUTE FUNCTION cases.move();

-- What was lodged changes only while the applicant may change it.
CREATE FUNCTION cases.guard_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state NOT IN ('draft', 'submitted', 'correction_asked') THEN
    RAISE EXCEPTION 'case % stands in %: its evidence is fixed', OLD.id, OLD.state
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_cases_evidence_fixed';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER evidence_fixed BEFORE UPDATE OF payload, geometry, subject_layer, subject_id, subject_version, region,
  party_inn, service, service_version, service_digest, evidence_sha256 ON cases.cases
  FOR EACH ROW EXECUTE FUNCTION cases.guard_evidence();

-- A number is given in the transaction that lodges the case, or not at all: asked when the transaction commits.
CREATE FUNCTION cases.guard_number() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  IF EXISTS (SELECT FROM cases.cases c WHERE c.id = NEW.id AND c.state = 'draft' AND c.number IS NOT NULL) THEN
    RAISE EXCEPTION 'case % has a number and is a draft', NEW.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_cases_draft_has_no_number';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER draft_has_no_number AFTER UPDATE ON cases.cases DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.number IS DISTINCT FROM OLD.number) EXECUTE FUNCTION cases.guard_number();

-- Number, order and instant of lodging.  Locks in one fixed order (the lodging row, then the counter), so that no two
-- submissions can wait for each other; both are held until commit, so that a rollback leaves no gap.
CREATE FUNCTION cases.lodge(subject bigint, prefix text, zone text, evidence text)
RETURNS TABLE (given text, place bigint, instant timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
  found cases.cases;
  this_year integer;
  seq integer;
BEGIN
  SELECT * INTO found FROM cases.cases c WHERE c.id = subject FOR UPDATE;
  IF found.state <> 'draft' OR cases.role_of(found.party_inn, found.region) IS DISTINCT FROM 'applicant' THEN
    RAISE EXCEPTION 'case % cannot be lodged', subject USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_cases_lodging';
  END IF;
  UPDATE cases.lodging l SET last_order = l.last_order + 1,
    last_at = greatest(clock_timestamp(), l.last_at + interval '1 microsecond')
    RETURNING l.last_order, l.last_at INTO place, instant;
  this_year := extract(year FROM instant AT TIME ZONE zone);
  INSERT INTO cases.counters AS n (service, year, last) VALUES (found.service, this_year, 1)
    ON CONFLICT ON CONSTRAINT pk_counters DO UPDATE SET last = n.last + 1 RETURNING n.last INTO seq;
  given := format('%s-%s-%s-%s', prefix, found.region, this_year, lpad(seq::text, 6, '0'));
  UPDATE cases.cases c SET number = given, number_year = this_year, number_seq = seq, lodged_order = place,
    lodged_at = instant, evidence_sha256 = evidence WHERE c.id = subject;
  INSERT INTO cases.ground (case_id, service, lodged_order, geom, since)
  SELECT subject, found.service, place, g.geom, instant FROM cases.geometries g WHERE g.id = found.geometry;
  RETURN NEXT;
END $$;

-- A lodged case whose evidence the applicant may change (correction, amendment): the claim follows, its place stays.
CREATE FUNCTION cases.renew(subject bigint, evidence text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
  found cases.cases;
BEGIN
  SELECT * INTO found FROM cases.cases c WHERE c.id = subject FOR UPDATE;
  IF found.state NOT IN ('submitted', 'correction_asked')
     OR cases.role_of(found.party_inn, found.region) IS DISTINCT FROM 'applicant' THEN
    RAISE EXCEPTION 'case % cannot be changed', subject USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_cases_lodging';
  END IF;
  UPDATE cases.lodging SET last_order = last_order;
  UPDATE cases.cases SET evidence_sha256 = evidence WHERE id = subject;
  UPDATE cases.ground SET until = clock_timestamp() WHERE case_id = subject AND until = 'infinity';
  INSERT INTO cases.ground (case_id, service, lodged_order, geom)
  SELECT subject, found.service, found.lodged_order, g.geom FROM cases.geometries g WHERE g.id = found.geometry;
END $$;

-- Other cases that claim the same ground at an instant, with the shared piece; asked by the rules, shown masked.
CREATE FUNCTION cases.claims(shape geometry, own bigint, moment timestamptz, least_m2 double precision)
RETURNS TABLE (case_id bigint, number text, lodged_order bigint, lodged_at timestamptz, piece geometry, area_m2 double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT * FROM (
    SELECT c.id, c.number, c.lodged_order, c.lodged_at, p.piece, ST_Area(p.piece::geography) AS area_m2
    FROM cases.ground g
    JOIN cases.cases c ON c.id = g.case_id,
    LATERAL (SELECT CASE WHEN ST_CoveredBy(shape, g.geom) THEN shape
                         ELSE ST_CollectionExtract(ST_Intersection(shape, g.geom), 3) END AS piece) p
    WHERE g.geom && shape AND ST_Intersects(g.geom, shape) AND g.case_id <> own
      AND g.since <= moment AND g.until > moment
  ) found WHERE found.area_m2 > least_m2
  ORDER BY found.lodged_order LIMIT 50
$$;

-- Row-level security: the party sees its own, the office what was lodged in its region, the clock everything.
CREATE FUNCTION cases.protect() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  own text := 'party_inn = ANY ((SELECT access.inns())::text[])';
  seen text := own || ' OR (region = ANY ((SELECT access.regions())::text[]) AND lodged_at IS NOT NULL) OR (SELECT access.rank()) >= 3';
  child text;
BEGIN
  EXECUTE 'ALTER TABLE cases.cases ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY';
  EXECUTE 'CREATE POLICY keeper ON cases.cases TO mezha_owner USING (true) WITH CHECK (true)';
  EXECUTE format('CREATE POLICY seen ON cases.cases FOR SELECT TO mezha_app, mezha_registrar USING (%s)', seen);
  EXECUTE format('CREATE POLICY begun ON cases.cases FOR INSERT TO mezha_registrar WITH CHECK (%s)', own);
  EXECUTE format('CREATE POLICY changed ON cases.cases FOR UPDATE TO mezha_registrar USING (%s) WITH CHECK (%s)', seen, own);
  FOREACH child IN ARRAY ARRAY['events', 'geometries', 'checks', 'deadlines'] LOOP
    EXECUTE format('ALTER TABLE cases.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', child);
    EXECUTE format('CREATE POLICY keeper ON cases.%I TO mezha_owner USING (true) WITH CHECK (true)', child);
    EXECUTE format('CREATE POLICY seen ON cases.%I TO mezha_app, mezha_registrar'
      ' USING (EXISTS (SELECT FROM cases.cases c WHERE c.id = case_id))'
      ' WITH CHECK (EXISTS (SELECT FROM cases.cases c WHERE c.id = case_id))', child);
  END LOOP;
  FOREACH child IN ARRAY ARRAY['findings', 'acknowledgements'] LOOP
    EXECUTE format('ALTER TABLE cases.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', child);
    EXECUTE format('CREATE POLICY keeper ON cases.%I TO mezha_owner USING (true) WITH CHECK (true)', child);
    EXECUTE format('CREATE POLICY seen ON cases.%I TO mezha_app, mezha_registrar'
      ' USING (EXISTS (SELECT FROM cases.checks k WHERE k.id = check_id))'
      ' WITH CHECK (EXISTS (SELECT FROM cases.checks k WHERE k.id = check_id))', child);
  END LOOP;
  EXECUTE 'ALTER TABLE cases.reminders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY';
  EXECUTE 'CREATE POLICY keeper ON cases.reminders TO mezha_owner USING (true) WITH CHECK (true)';
  EXECUTE 'CREATE POLICY seen ON cases.reminders TO mezha_app, mezha_registrar'
    ' USING (EXISTS (SELECT FROM cases.deadlines d WHERE d.id = deadline))'
    ' WITH CHECK (EXISTS (SELECT FROM cases.deadlines d WHERE d.id = deadline))';
  EXECUTE 'ALTER TABLE cases.requests ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY';
  EXECUTE 'CREATE POLICY keeper ON cases.requests TO mezha_owner USING (true) WITH CHECK (true)';
  EXECUTE 'CREATE POLICY own ON cases.requests TO mezha_registrar USING (account = (SELECT access.account()))'
    ' WITH CHECK (account = (SELECT access.account()))';
  EXECUTE 'ALTER TABLE cases.ground ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY';
  EXECUTE 'CREATE POLICY keeper ON cases.ground TO mezha_owner USING (true) WITH CHECK (true)';
END $$;
SELECT cases.protect();
DROP FUNCTION cases.protect();

REVOKE ALL ON FUNCTION cases.lodge, cases.renew, cases.claims, cases.move FROM PUBLIC;
GRANT USAGE ON SCHEMA cases TO mezha_app, mezha_registrar;
GRANT SELECT ON cases.definitions, cases.transitions, cases.cases, cases.events, cases.geometries, cases.checks, cases.findings,
  cases.acknowledgements, cases.calendar_day, cases.deadlines, cases.reminders, cases.outages TO mezha_app, mezha_registrar;
GRANT INSERT ON cases.definitions, cases.events, cases.geometries, cases.checks, cases.findings, cases.acknowledgements,
  cases.deadlines, cases.reminders, cases.calendar_day, cases.outages TO mezha_registrar;
GRANT SELECT, INSERT, UPDATE (answer) ON cases.requests TO mezha_registrar;
-- Never the state, the number, the party: those are given by functions.
GRANT INSERT (service, service_version, service_digest, region, party_inn, party_name, created_by, payload,
  subject_layer, subject_id, subject_version) ON cases.cases TO mezha_registrar;
GRANT UPDATE (payload, revision, saved_at, geometry, subject_layer, subject_id, subject_version) ON cases.cases TO mezha_registrar;
GRANT UPDATE (due_on, left_days, ended_at) ON cases.deadlines TO mezha_registrar;
GRANT UPDATE (told_at) ON cases.reminders TO mezha_registrar;
GRANT UPDATE (kind, note), DELETE ON cases.calendar_day TO mezha_registrar;
GRANT UPDATE (until) ON cases.outages TO mezha_registrar;
GRANT EXECUTE ON FUNCTION cases.lodge, cases.renew, cases.claims TO mezha_registrar;
GRANT USAGE ON SCHEMA history TO mezha_app;
GRANT SELECT ON history.layer_changes TO mezha_app, mezha_registrar;
