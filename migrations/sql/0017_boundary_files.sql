-- Files with a boundary that applicants send into their cases: the worker reads them, asks what it cannot know, and
-- keeps the shape with the case.  The bytes stay with the shape once there is one; here they go.
CREATE TABLE cases.boundary_files (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_boundary_files PRIMARY KEY,
  case_id bigint NOT NULL CONSTRAINT fk_boundary_files_case REFERENCES cases.cases,
  account bigint,
  file_name text NOT NULL CONSTRAINT ck_boundary_files_name CHECK (length(file_name) BETWEEN 1 AND 200),
  size bigint NOT NULL,
  sha256 text NOT NULL,
  body bytea,
  status text NOT NULL DEFAULT 'queued'
    CONSTRAINT ck_boundary_files_status CHECK (status IN ('queued', 'reading', 'asking', 'refused', 'done', 'dropped')),
  question text NOT NULL DEFAULT '' CONSTRAINT ck_boundary_files_question CHECK (question IN ('', 'crs', 'contours', 'repair')),
  -- What the applicant answered: crs, contours, repair.
  answers jsonb NOT NULL DEFAULT '{}',
  -- What he is asked: the systems or the contours to choose from.
  choices jsonb NOT NULL DEFAULT '[]',
  -- Why the file was refused, or what is wrong with it: code, sentence, remedy and place.
  problem jsonb NOT NULL DEFAULT '{}',
  objects_read integer NOT NULL DEFAULT 0,
  geometry bigint CONSTRAINT fk_boundary_files_geometry REFERENCES cases.geometries,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT ck_boundary_files_asks CHECK ((status = 'asking') = (question <> '')),
  CONSTRAINT ck_boundary_files_readable CHECK (body IS NOT NULL OR status IN ('refused', 'done', 'dropped'))
);
CREATE INDEX ix_boundary_files_case ON cases.boundary_files (case_id, id DESC);
-- Of one case one file is read at a time.
CREATE UNIQUE INDEX ux_boundary_files_open ON cases.boundary_files (case_id) WHERE status IN ('queued', 'reading', 'asking');

ALTER TABLE cases.boundary_files ENABLE ROW LEVEL SECURITY;
ALTER TABLE cases.boundary_files FORCE ROW LEVEL SECURITY;
CREATE POLICY keeper ON cases.boundary_files TO mezha_owner USING (true) WITH CHECK (true);
CREATE POLICY seen ON cases.boundary_files TO mezha_app, mezha_registrar
  USING (EXISTS (SELECT FROM cases.cases c WHERE c.id = case_id AND (c.party_inn = ANY ((SELECT access.inns())::text[]) OR (SELECT access.rank()) >= 3)));
GRANT SELECT (id, case_id, account, file_name, size, sha256, status, question, answers, choices, problem, objects_read, geometry,
  created_at, changed_at) ON cases.boundary_files TO mezha_app;
GRANT SELECT, INSERT (case_id, account, file_name, size, sha256, body, answers) ON cases.boundary_files TO mezha_registrar;
GRANT UPDATE (body, status, question, answers, choices, problem, objects_read, geometry, changed_at) ON cases.boundary_files TO mezha_registrar;

-- Which objects of the file the shape was made of, where it was not the whole file.
ALTER TABLE cases.geometries ADD COLUMN source_part text NOT NULL DEFAULT '',
-- The shape in the system in which it was given (WKB): what a register keeps as the evidence of its object.
  ADD COLUMN source_shape bytea;
