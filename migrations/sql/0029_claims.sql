-- Other cases that claim the same ground at an instant and stand before a place in the queue (NULL: all of them), the
-- earliest fifty, with the shared piece; asked by the rules, shown masked.  The order is made first, so that pieces and
-- areas are computed one by one until fifty are found: the lodging row is locked while this runs, and the crowd waits.
-- In plpgsql, which keeps its plan for the session; a function in SQL is planned at every call.
DROP FUNCTION cases.claims(geometry, bigint, timestamptz, double precision);
CREATE FUNCTION cases.claims(shape geometry, own bigint, moment timestamptz, before bigint, least_m2 double precision)
RETURNS TABLE (case_id bigint, number text, lodged_order bigint, lodged_at timestamptz, piece geometry, area_m2 double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  RETURN QUERY SELECT c.id, c.number, c.lodged_order, c.lodged_at, shared.piece, shared.area_m2
  FROM (
    SELECT near.case_id, near.lodged_order, p.piece, a.area_m2
    FROM (
      SELECT g.case_id, g.lodged_order, g.geom FROM cases.ground g
      WHERE g.geom && shape AND g.case_id <> own AND g.since <= moment AND g.until > moment
        AND (before IS NULL OR g.lodged_order < before)
      ORDER BY g.lodged_order OFFSET 0
    ) near,
    LATERAL (SELECT CASE WHEN ST_CoveredBy(shape, near.geom) THEN shape
                         WHEN ST_Intersects(shape, near.geom)
                         THEN ST_CollectionExtract(ST_Intersection(shape, near.geom), 3) END AS piece OFFSET 0) p,
    -- A claim to all of the shape is the commonest, and its area is that of the shape, measured once.
    LATERAL (SELECT CASE WHEN p.piece = shape THEN (SELECT ST_Area(shape::geography))
                         ELSE ST_Area(p.piece::geography) END AS area_m2 OFFSET 0) a
    WHERE a.area_m2 > least_m2
    ORDER BY near.lodged_order LIMIT 50
  ) shared
  JOIN cases.cases c ON c.id = shared.case_id
  ORDER BY shared.lodged_order;
END $$;
REVOKE ALL ON FUNCTION cases.claims FROM PUBLIC;
GRANT EXECUTE ON FUNCTION cases.claims TO mezha_registrar;

-- Whoever is told is asked once a telling, not once for the locks and again for each side; and these too keep their plans.
CREATE OR REPLACE FUNCTION cases.members_of(of_inn text) RETURNS SETOF bigint LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog AS $$
BEGIN
  RETURN QUERY SELECT DISTINCT a.id FROM accounts.parties p
  JOIN accounts.members m ON m.party = p.id AND m.ended_at IS NULL AND m.objects IS NULL
    AND m.role IN ('owner', 'operator', 'controller')
  JOIN accounts.accounts a ON a.id = m.account AND a.status IN ('active', 'confirmed')
  WHERE p.inn = of_inn AND p.kind <> 'division' AND p.status = 'confirmed';
END $$;
CREATE OR REPLACE FUNCTION cases.officers_of(subject cases.cases) RETURNS SETOF bigint LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog AS $$
BEGIN
  RETURN QUERY WITH serving AS (
    SELECT DISTINCT a.id FROM accounts.staff s JOIN accounts.accounts a ON a.id = s.account AND a.status IN ('active', 'confirmed')
    WHERE s.ended_at IS NULL AND s.duty = 'officer' AND s.region = subject.region
      AND a.id NOT IN (SELECT cases.members_of(subject.party_inn)))
  SELECT s.id FROM serving s WHERE s.id = subject.officer
  UNION ALL
  SELECT s.id FROM serving s WHERE NOT EXISTS (SELECT FROM serving o WHERE o.id = subject.officer);
END $$;
CREATE OR REPLACE FUNCTION cases.put_message(who bigint[], message cases.messages, quiet boolean) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  waiting integer;
BEGIN
  IF who = '{}' THEN
    RETURN 0;
  END IF;
  WITH numbered AS (
    INSERT INTO cases.mailboxes AS m (account, last_seq) SELECT DISTINCT w, 1 FROM unnest(who) AS w ORDER BY w
    ON CONFLICT (account) DO UPDATE SET last_seq = m.last_seq + 1 RETURNING m.account, m.last_seq
  ), put AS (
    INSERT INTO cases.messages AS t (account, seq, case_id, event, side, kind, topic, title, body, about, read_at, mail, sms)
    SELECT n.account, n.last_seq, message.case_id, message.event, message.side, message.kind, message.topic, message.title,
      message.body, coalesce(message.about, '{}'), CASE WHEN own.hand THEN clock_timestamp() END,
      CASE WHEN own.hand THEN 'off' ELSE coalesce(p.mail ->> k.choice, 'at_once') END,
      CASE WHEN NOT own.hand AND k.choice = ANY (p.sms) AND a.phone IS NOT NULL THEN 'at_once' ELSE 'off' END
    FROM numbered n
    JOIN accounts.accounts a ON a.id = n.account
    LEFT JOIN cases.preferences p ON p.account = n.account,
    LATERAL (SELECT CASE message.kind WHEN 'final' THEN 'final' ELSE message.topic END AS choice) k,
    LATERAL (SELECT quiet AND n.account IS NOT DISTINCT FROM access.account() AS hand) own
    RETURNING t.mail, t.sms
  )
  SELECT count(*) FILTER (WHERE put.mail = 'at_once' OR put.sms = 'at_once')::integer INTO waiting FROM put;
  RETURN waiting;
END $$;
CREATE OR REPLACE FUNCTION cases.tell(subject bigint, cause bigint, what text, weight text, sides jsonb, call jsonb,
  OUT letters integer, OUT calls integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  found cases.cases;
  message cases.messages;
  told text;
  members bigint[];
  officers bigint[];
  everybody bigint[];
BEGIN
  SELECT * INTO found FROM cases.cases c WHERE c.id = subject;
  IF cases.role_of(found.party_inn, found.region) IS NULL THEN
    RAISE EXCEPTION 'the caller is on no side of case %', subject USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_messages_teller';
  END IF;
  members := ARRAY(SELECT cases.members_of(found.party_inn));
  officers := ARRAY(SELECT cases.officers_of(found));
  everybody := members || officers;
  letters := 0;
  IF everybody <> '{}' THEN
    INSERT INTO cases.mailboxes (account) SELECT DISTINCT w FROM unnest(everybody) AS w ORDER BY w ON CONFLICT DO NOTHING;
    PERFORM FROM cases.mailboxes m WHERE m.account = ANY (everybody) ORDER BY m.account FOR UPDATE;
    message.case_id := subject;
    message.event := cause;
    message.kind := weight;
    message.topic := what;
    FOR told IN SELECT side FROM unnest(ARRAY['applicant', 'officer']) AS side WHERE sides ? side LOOP
      message.side := told;
      message.title := sides -> told -> 'title';
      message.body := sides -> told -> 'body';
      letters := letters + cases.put_message(CASE told WHEN 'applicant' THEN members ELSE officers END, message,
        (sides -> told ->> 'quiet')::boolean);
    END LOOP;
  END IF;
  WITH made AS (
    INSERT INTO cases.deliveries (webhook, type, body)
    SELECT w.id, call ->> 'type', call::text FROM cases.webhooks w
    WHERE call IS NOT NULL AND w.party_inn = found.party_inn AND w.revoked_at IS NULL AND what = ANY (w.topics)
    RETURNING id)
  SELECT count(*) INTO calls FROM made;
END $$;
