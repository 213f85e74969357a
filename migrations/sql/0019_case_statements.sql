-- One round trip instead of three: a check with its answers and the reasons given to warnings.  With the caller's
-- rights, so that the policies of the tables decide as before.
CREATE FUNCTION cases.keep_check(head jsonb, answers jsonb, reasons jsonb) RETURNS bigint LANGUAGE plpgsql
SET search_path = pg_catalog, public AS $$
DECLARE
  kept bigint;
BEGIN
  INSERT INTO cases.checks (case_id, moment, as_of, snapshot, valid_on, rules_digest, geometry, parameters)
  VALUES ((head->>'case')::bigint, head->>'moment', (head->>'as_of')::timestamptz, (head->>'snapshot')::pg_snapshot,
    (head->>'valid_on')::date, head->>'digest', (head->>'geometry')::bigint, head->'parameters')
  RETURNING id INTO kept;
  INSERT INTO cases.findings (check_id, rule, outcome, severity, layer, layer_version, objects, area_m2, introduced,
    measures, cause, piece)
  SELECT kept, rule, outcome, severity, layer, layer_version, objects, area_m2, introduced, measures, cause, piece::geometry
  FROM jsonb_to_recordset(answers) AS f (rule text, outcome text, severity text, layer text, layer_version text,
    objects jsonb, area_m2 float8, introduced boolean, measures jsonb, cause text, piece text);
  IF reasons <> '{}' THEN
    INSERT INTO cases.acknowledgements (check_id, rule, reason, account)
    SELECT kept, r.key, r.value, access.account() FROM jsonb_each_text(reasons) r;
  END IF;
  RETURN kept;
END $$;

-- A term with its reminders.
CREATE FUNCTION cases.begin_term(subject bigint, term text, owner text, started_on date, due_on date, remind date[])
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
  kept bigint;
BEGIN
  INSERT INTO cases.deadlines AS d (case_id, term, owner, started_on, due_on)
  VALUES (subject, term, owner, started_on, due_on) RETURNING d.id INTO kept;
  INSERT INTO cases.reminders (deadline, on_day) SELECT kept, day FROM unnest(remind) AS r (day) ON CONFLICT DO NOTHING;
END $$;

REVOKE ALL ON FUNCTION cases.keep_check, cases.begin_term FROM PUBLIC;
GRANT EXECUTE ON FUNCTION cases.keep_check, cases.begin_term TO mezha_registrar;
