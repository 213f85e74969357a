-- Findings that come after their check: what others claim is known once a case has its place in the queue, and from there
-- to the commit all who submit wait; so everything else is kept before.
CREATE FUNCTION cases.keep_findings(of_check bigint, answers jsonb, reasons jsonb) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, public AS $$
BEGIN
  INSERT INTO cases.findings (check_id, rule, outcome, severity, layer, layer_version, objects, area_m2, introduced,
    measures, cause, piece)
  SELECT of_check, rule, outcome, severity, layer, layer_version, objects, area_m2, introduced, measures, cause, piece::geometry
  FROM jsonb_to_recordset(answers) AS f (rule text, outcome text, severity text, layer text, layer_version text,
    objects jsonb, area_m2 float8, introduced boolean, measures jsonb, cause text, piece text);
  IF reasons <> '{}' THEN
    INSERT INTO cases.acknowledgements (check_id, rule, reason, account)
    SELECT of_check, r.key, r.value, access.account() FROM jsonb_each_text(reasons) r;
  END IF;
END $$;

CREATE OR REPLACE FUNCTION cases.keep_check(head jsonb, answers jsonb, reasons jsonb) RETURNS bigint LANGUAGE plpgsql
SET search_path = pg_catalog, public AS $$
DECLARE
  kept bigint;
BEGIN
  INSERT INTO cases.checks (case_id, moment, as_of, snapshot, valid_on, rules_digest, geometry, parameters)
  VALUES ((head->>'case')::bigint, head->>'moment', (head->>'as_of')::timestamptz, (head->>'snapshot')::pg_snapshot,
    (head->>'valid_on')::date, head->>'digest', (head->>'geometry')::bigint, head->'parameters')
  RETURNING id INTO kept;
  PERFORM cases.keep_findings(kept, answers, reasons);
  RETURN kept;
END $$;

REVOKE ALL ON FUNCTION cases.keep_findings FROM PUBLIC;
GRANT EXECUTE ON FUNCTION cases.keep_findings TO mezha_registrar;
