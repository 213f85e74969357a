-- Decisions: one row a paper, kept for ever.  The bytes lie in the store; anybody who holds the number or the code of
-- the paper may ask whether it is true, and learns nothing about the party.
CREATE TABLE cases.decisions (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_decisions PRIMARY KEY,
  case_id bigint NOT NULL CONSTRAINT fk_decisions_case REFERENCES cases.cases,
  seq integer NOT NULL,
  number text NOT NULL CONSTRAINT uq_decisions_number UNIQUE,
  token text NOT NULL CONSTRAINT uq_decisions_token UNIQUE CONSTRAINT ck_decisions_token CHECK (token ~ '^[0-9a-z]{20}$'),
  outcome text NOT NULL CONSTRAINT ck_decisions_outcome CHECK (outcome IN ('approved', 'rejected')),
  document_id bigint NOT NULL,
  sha256 text NOT NULL CONSTRAINT ck_decisions_sha256 CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  made_by bigint,
  made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT uq_decisions_seq UNIQUE (case_id, seq),
  CONSTRAINT fk_decisions_document FOREIGN KEY (case_id, document_id) REFERENCES cases.documents (case_id, id)
);

-- Only an office that has the case in hand decides; who and when is the database's.
CREATE FUNCTION cases.decide() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  subject cases.cases;
BEGIN
  SELECT * INTO subject FROM cases.cases WHERE id = NEW.case_id;
  IF coalesce(cases.role_of(subject.party_inn, subject.region), 'applicant') = 'applicant'
     OR subject.state NOT IN ('in_review', 'correction_asked') THEN
    RAISE EXCEPTION 'case % cannot be decided', NEW.case_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_decisions_deciding';
  END IF;
  NEW.made_by := access.account();
  NEW.made_at := clock_timestamp();
  RETURN NEW;
END $$;
CREATE TRIGGER decided BEFORE INSERT ON cases.decisions FOR EACH ROW EXECUTE FUNCTION cases.decide();
CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON cases.decisions FOR EACH ROW EXECUTE FUNCTION cases.forbid();
CREATE TRIGGER untruncated BEFORE TRUNCATE ON cases.decisions FOR EACH STATEMENT EXECUTE FUNCTION cases.forbid();

-- No decision without its state and no state without its decision: asked when the transaction commits.
CREATE FUNCTION cases.guard_decision() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM cases.cases c WHERE c.id = NEW.case_id AND c.state = NEW.outcome) THEN
    RAISE EXCEPTION 'decision % without its state', NEW.number
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_decisions_state';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER decision_has_its_state AFTER INSERT ON cases.decisions DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION cases.guard_decision();

ALTER TABLE cases.decisions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY keeper ON cases.decisions TO mezha_owner USING (true) WITH CHECK (true);
CREATE POLICY seen ON cases.decisions TO mezha_app, mezha_registrar
  USING (EXISTS (SELECT FROM cases.cases c WHERE c.id = case_id))
  WITH CHECK (EXISTS (SELECT FROM cases.cases c WHERE c.id = case_id));
GRANT SELECT ON cases.decisions TO mezha_app, mezha_registrar;
GRANT INSERT ON cases.decisions TO mezha_registrar;

-- The public proof: number, outcome, hash, state, and the place in the journal with the root that covers it.
CREATE FUNCTION cases.verify_decision(code text)
RETURNS TABLE (number text, outcome text, title jsonb, sha256 text, made_at timestamptz, state text,
               strand integer, entry bigint, leaf text, root text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT d.number, d.outcome, f.body -> 'decision' -> 'title', d.sha256, d.made_at,
    CASE WHEN EXISTS (SELECT FROM cases.decisions x WHERE x.case_id = d.case_id AND x.seq > d.seq) THEN 'replaced'
         WHEN c.state = 'appealed' THEN 'appealed'
         WHEN c.state IN ('in_review', 'suspended', 'correction_asked', 'answered') THEN 'reopened'
         ELSE 'in_force' END,
    j.strand::integer, j.number, encode(l.leaf, 'hex'),
    (SELECT r.name FROM journal.roots r WHERE (r.strands -> j.strand::text ->> 1)::bigint >= j.number ORDER BY r.position LIMIT 1)
  FROM cases.decisions d
  JOIN cases.cases c ON c.id = d.case_id
  JOIN cases.definitions f ON f.digest = c.service_digest
  -- Entry and decision are of one transaction: the index over time finds it without reading the journal.
  LEFT JOIN LATERAL (SELECT e.strand, e.number FROM journal.entries e
    WHERE e.at >= d.made_at AND e.at < d.made_at + interval '1 minute'
      AND e.subject = 'cases.decisions' AND e.object = d.id AND e.action = 'sign' LIMIT 1) j ON true
  LEFT JOIN journal.links l ON l.strand = j.strand AND l.number = j.number
  WHERE d.number = upper(code) OR d.token = lower(code)
$$;
REVOKE ALL ON FUNCTION cases.verify_decision FROM PUBLIC;
GRANT EXECUTE ON FUNCTION cases.verify_decision TO mezha_app, mezha_registrar;
