-- Documents of cases and the signatures over them.  The bytes lie in the store under their SHA-256; here is what they
-- are, whose, in which version, and who may see them.  Rows are kept: a version is added, never changed.
CREATE TABLE cases.documents (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_documents PRIMARY KEY,
  case_id bigint NOT NULL CONSTRAINT fk_documents_case REFERENCES cases.cases,
  series integer NOT NULL,
  version integer NOT NULL,
  side text NOT NULL CONSTRAINT ck_documents_side CHECK (side IN ('applicant', 'officer', 'system')),
  kind text NOT NULL CONSTRAINT ck_documents_kind CHECK (kind ~ '^[a-z][a-z0-9_]*$'),
  name text NOT NULL CONSTRAINT ck_documents_name CHECK (length(name) BETWEEN 1 AND 200),
  format text NOT NULL,
  size bigint NOT NULL CONSTRAINT ck_documents_size CHECK (size > 0),
  sha256 text NOT NULL CONSTRAINT ck_documents_sha256 CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  dated date,
  facts jsonb NOT NULL DEFAULT '{}',
  scan text NOT NULL DEFAULT 'not_scanned' CONSTRAINT ck_documents_scan CHECK (scan IN ('clean', 'not_scanned', 'own')),
  shared boolean NOT NULL DEFAULT true,
  made_by bigint,
  made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  removed_at timestamptz,
  removed_by bigint,
  CONSTRAINT uq_documents_version UNIQUE (case_id, series, version),
  CONSTRAINT uq_documents_of_case UNIQUE (case_id, id),
  CONSTRAINT ck_documents_applicant_shares CHECK (side <> 'applicant' OR shared)
);

-- Side, account and time are the database's; the applicant adds only while his evidence is open, the office only
-- to what was lodged.
CREATE FUNCTION cases.attach() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  subject cases.cases;
BEGIN
  SELECT * INTO subject FROM cases.cases WHERE id = NEW.case_id;
  NEW.side := cases.role_of(subject.party_inn, subject.region);
  NEW.made_by := access.account();
  NEW.made_at := clock_timestamp();
  NEW.removed_at := NULL;
  IF NEW.side = 'applicant' AND subject.state NOT IN ('draft', 'correction_asked')
     OR NEW.side <> 'applicant' AND subject.state IN ('draft', 'withdrawn', 'closed') THEN
    RAISE EXCEPTION 'case % stands in %: nothing is attached now', NEW.case_id, subject.state
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_documents_open';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER attached BEFORE INSERT ON cases.documents FOR EACH ROW EXECUTE FUNCTION cases.attach();

-- A document is shared once and removed once; nothing else of it changes, the owner included.
CREATE FUNCTION cases.guard_document() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF to_jsonb(NEW) - '{shared,removed_at,removed_by}'::text[] <> to_jsonb(OLD) - '{shared,removed_at,removed_by}'::text[]
     OR OLD.removed_at IS NOT NULL OR OLD.shared AND NOT NEW.shared THEN
    RAISE EXCEPTION 'documents are kept as they were handed in' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NEW.removed_at IS NOT NULL THEN
    NEW.removed_at := clock_timestamp();
    NEW.removed_by := access.account();
    IF OLD.kind = 'decision' OR OLD.side = 'applicant'
       AND (SELECT c.state FROM cases.cases c WHERE c.id = OLD.case_id) NOT IN ('draft', 'correction_asked') THEN
      RAISE EXCEPTION 'document % is evidence: it stays', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_documents_open';
    END IF;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER kept BEFORE UPDATE ON cases.documents FOR EACH ROW EXECUTE FUNCTION cases.guard_document();
CREATE TRIGGER undeleted BEFORE DELETE ON cases.documents FOR EACH ROW EXECUTE FUNCTION cases.forbid();
CREATE TRIGGER untruncated BEFORE TRUNCATE ON cases.documents FOR EACH STATEMENT EXECUTE FUNCTION cases.forbid();

-- A signature over exact bytes: of the submission (document_id is null) or of a document, with all that its
-- verification relied on.
CREATE TABLE cases.signatures (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_signatures PRIMARY KEY,
  case_id bigint NOT NULL CONSTRAINT fk_signatures_case REFERENCES cases.cases,
  document_id bigint,
  level text NOT NULL CONSTRAINT ck_signatures_level CHECK (level IN ('code', 'qualified')),
  signed_sha256 text NOT NULL CONSTRAINT ck_signatures_sha256 CHECK (signed_sha256 ~ '^[0-9a-f]{64}$'),
  form text NOT NULL CONSTRAINT ck_signatures_form CHECK (form IN ('code', 'cms', 'cades')),
  bytes bytea CONSTRAINT ck_signatures_bytes CHECK (length(bytes) BETWEEN 1 AND 1048576),
  verdict text NOT NULL CONSTRAINT ck_signatures_verdict CHECK (verdict IN ('valid', 'cannot_tell')),
  own boolean NOT NULL,
  signer jsonb NOT NULL DEFAULT '{}',
  signed_at timestamptz,
  relied_on jsonb NOT NULL DEFAULT '{}',
  role text NOT NULL,
  made_by bigint,
  made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT fk_signatures_document FOREIGN KEY (case_id, document_id) REFERENCES cases.documents (case_id, id),
  CONSTRAINT ck_signatures_bytes_kept CHECK ((level = 'code') = (bytes IS NULL))
);
CREATE INDEX ix_signatures_case ON cases.signatures (case_id);
CREATE FUNCTION cases.sign() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.role := (SELECT cases.role_of(c.party_inn, c.region) FROM cases.cases c WHERE c.id = NEW.case_id);
  NEW.made_by := access.account();
  NEW.made_at := clock_timestamp();
  RETURN NEW;
END $$;
CREATE TRIGGER signed BEFORE INSERT ON cases.signatures FOR EACH ROW EXECUTE FUNCTION cases.sign();
CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON cases.signatures FOR EACH ROW EXECUTE FUNCTION cases.forbid();
CREATE TRIGGER untruncated BEFORE TRUNCATE ON cases.signatures FOR EACH STATEMENT EXECUTE FUNCTION cases.forbid();

-- The party sees what is shared, the office its own and what is shared: always within cases that they see at all.
DO $$
DECLARE
  child text;
BEGIN
  FOREACH child IN ARRAY ARRAY['documents', 'signatures'] LOOP
    EXECUTE format('ALTER TABLE cases.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', child);
    EXECUTE format('CREATE POLICY keeper ON cases.%I TO mezha_owner USING (true) WITH CHECK (true)', child);
  END LOOP;
END $$;
CREATE POLICY seen ON cases.documents TO mezha_app, mezha_registrar
  USING (EXISTS (SELECT FROM cases.cases c WHERE c.id = case_id
    AND (documents.shared OR documents.side = cases.role_of(c.party_inn, c.region))))
  WITH CHECK (EXISTS (SELECT FROM cases.cases c WHERE c.id = case_id AND documents.side = cases.role_of(c.party_inn, c.region)));
CREATE POLICY seen ON cases.signatures TO mezha_app, mezha_registrar
  USING (EXISTS (SELECT FROM cases.cases c WHERE c.id = case_id)
    AND (document_id IS NULL OR EXISTS (SELECT FROM cases.documents d WHERE d.id = document_id)))
  WITH CHECK (EXISTS (SELECT FROM cases.cases c WHERE c.id = case_id));

GRANT SELECT ON cases.documents, cases.signatures TO mezha_app, mezha_registrar;
GRANT INSERT ON cases.documents, cases.signatures TO mezha_registrar;
GRANT UPDATE (shared, removed_at, removed_by) ON cases.documents TO mezha_registrar;
