-- For whom a session acts: NULL all parties of the person, 0 himself alone, else that party.
ALTER TABLE accounts.sessions ADD COLUMN acting bigint;
-- A membership that ESIA gave; ESIA takes it too.
ALTER TABLE accounts.members ADD COLUMN vouched boolean NOT NULL DEFAULT false;

-- As before, and without the parties for which this session does not act.
CREATE OR REPLACE FUNCTION accounts.session(given bytea) RETURNS jsonb LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog AS $$
DECLARE
  s accounts.sessions;
  who jsonb;
BEGIN
  SELECT * INTO s FROM accounts.sessions WHERE digest = given;
  IF NOT FOUND THEN RETURN '{"refused": "unknown"}'; END IF;
  IF s.revoked_at IS NOT NULL THEN RETURN '{"refused": "revoked"}'; END IF;
  IF s.expires_at <= now() OR s.seen_at + make_interval(secs => s.idle) <= now() THEN RETURN '{"refused": "expired"}'; END IF;
  who := accounts.person(s.account);
  IF who ->> 'status' IN ('new', 'blocked') THEN RETURN '{"refused": "blocked"}'; END IF;
  IF s.seen_at < now() - interval '1 minute' THEN UPDATE accounts.sessions SET seen_at = now() WHERE id = s.id; END IF;
  who := who || jsonb_build_object('choices', jsonb_array_length(who -> 'members'));
  IF s.acting IS NOT NULL THEN
    who := who || jsonb_build_object('members', coalesce((SELECT jsonb_agg(m) FROM jsonb_array_elements(who -> 'members') m
      WHERE (m ->> 'party')::bigint = s.acting), '[]'));
  END IF;
  RETURN who || jsonb_build_object('session', s.id, 'stage', s.stage, 'strong', s.strong, 'method', s.method, 'acting', s.acting);
END $$;

-- The person of a session chooses for whom he acts; false where he is no member of that party.
CREATE FUNCTION accounts.act_for(given bytea, chosen bigint) RETURNS boolean LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog AS $$
  WITH changed AS (
    UPDATE accounts.sessions s SET acting = chosen WHERE s.digest = given AND s.revoked_at IS NULL
      AND (chosen IS NULL OR chosen = 0 OR EXISTS (SELECT FROM accounts.members m
        WHERE m.account = s.account AND m.party = chosen AND m.ended_at IS NULL)) RETURNING 1)
  SELECT EXISTS (SELECT FROM changed) $$;
REVOKE ALL ON FUNCTION accounts.act_for(bytea, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION accounts.act_for(bytea, bigint) TO mezha_app;

-- The parties for which the state's provider says that somebody acts: confirmed by that word, and ended by its silence.
-- A membership that an owner gave here is not touched.
DROP FUNCTION accounts.vouch(bigint, jsonb);
CREATE FUNCTION accounts.vouch(who bigint, organisations jsonb)
RETURNS TABLE (party bigint, inn text, region text, role text, change text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  told jsonb;
  held accounts.members;
  named bigint[] := '{}';
BEGIN
  FOR told IN SELECT jsonb_array_elements(organisations) LOOP
    inn := told ->> 'inn';
    role := told ->> 'role';
    SELECT p.id, p.region INTO party, region FROM accounts.parties p
    WHERE p.inn = told ->> 'inn' AND p.status = 'confirmed' AND p.parent IS NULL;
    IF NOT FOUND THEN
      INSERT INTO accounts.parties AS p (kind, name, inn, ogrn, region, status)
      VALUES (told ->> 'kind', told ->> 'name', inn, told ->> 'ogrn', told ->> 'region', 'confirmed')
      RETURNING p.id, p.region INTO party, region;
    END IF;
    named := named || party;
    SELECT m.* INTO held FROM accounts.members m WHERE m.party = vouch.party AND m.account = who AND m.ended_at IS NULL;
    IF NOT FOUND THEN
      INSERT INTO accounts.members (party, account, role, vouched) VALUES (vouch.party, who, vouch.role, true);
      change := 'given';
    ELSIF held.vouched AND held.role <> vouch.role THEN
      UPDATE accounts.members m SET role = vouch.role WHERE m.id = held.id;
      change := 'given';
    ELSE
      change := 'kept';
    END IF;
    RETURN NEXT;
  END LOOP;
  FOR party, role IN
    UPDATE accounts.members m SET ended_at = now()
    WHERE m.account = who AND m.vouched AND m.ended_at IS NULL AND NOT m.party = ANY (named) RETURNING m.party, m.role
  LOOP
    SELECT p.inn, p.region INTO inn, region FROM accounts.parties p WHERE p.id = party;
    change := 'ended';
    RETURN NEXT;
  END LOOP;
END $$;
REVOKE ALL ON FUNCTION accounts.vouch(bigint, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION accounts.vouch(bigint, jsonb) TO mezha_app, mezha_registrar;
