-- Doors: the only ways from the serving role to secrets.  Each runs as the owner, takes one key and does one thing;
-- the rights to call them are given in policies.sql.

-- Those of the objects that a holder holds today: what was shared by a party ends when the right leaves it.
CREATE FUNCTION accounts.held(objects bigint[], by_inn text) RETURNS bigint[] LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog AS $$
  SELECT coalesce(array_agg(DISTINCT found.id), '{}') FROM (
    SELECT id, holder_inn FROM register.leases WHERE id = ANY (objects) AND sys_to = 'infinity'
    UNION ALL SELECT id, holder_inn FROM register.licences WHERE id = ANY (objects) AND sys_to = 'infinity'
    UNION ALL SELECT id, holder_inn FROM register.waste_sites WHERE id = ANY (objects) AND sys_to = 'infinity'
    UNION ALL SELECT id, holder_inn FROM register.cutting_areas WHERE id = ANY (objects) AND sys_to = 'infinity') found
  WHERE found.holder_inn = by_inn $$;

-- Everything that a request needs to know of a person, in one document.
CREATE FUNCTION accounts.person(who bigint) RETURNS jsonb LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog AS $$
  SELECT jsonb_build_object(
    'account', a.id, 'login', a.login, 'name', a.name, 'email', a.email, 'locale', a.locale, 'status', a.status,
    'second', EXISTS (SELECT FROM accounts.totps t WHERE t.account = a.id AND t.confirmed_at IS NOT NULL)
           OR EXISTS (SELECT FROM accounts.passkeys k WHERE k.account = a.id),
    'members', coalesce((
      SELECT jsonb_agg(jsonb_build_object('party', p.id, 'name', p.name, 'kind', p.kind, 'inn', p.inn, 'role', m.role,
        'objects', CASE WHEN m.objects IS NOT NULL THEN accounts.held(m.objects, coalesce(p.inn, above.inn)) END,
        'confirmed', coalesce(above.status, p.status) = 'confirmed') ORDER BY p.id)
      FROM accounts.members m JOIN accounts.parties p ON p.id = m.party
      LEFT JOIN accounts.parties above ON above.id = p.parent
      WHERE m.account = a.id AND m.ended_at IS NULL AND p.status <> 'closed'), '[]'),
    'duties', coalesce((
      SELECT jsonb_agg(jsonb_build_object('duty', s.duty, 'region', s.region, 'office', o.name) ORDER BY s.id)
      FROM accounts.staff s JOIN accounts.offices o ON o.id = s.office
      WHERE s.account = a.id AND s.ended_at IS NULL), '[]'))
  FROM accounts.accounts a WHERE a.id = who $$;

-- A session by the digest of its cookie; notes its use once a minute.  `refused` says why it is none.
CREATE FUNCTION accounts.session(given bytea) RETURNS jsonb LANGUAGE plpgsql VOLATILE SECURITY DEFINER
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
  RETURN who || jsonb_build_object('session', s.id, 'stage', s.stage, 'strong', s.strong, 'method', s.method);
END $$;

-- A bearer token by its digest: a person's or a client's.
CREATE FUNCTION accounts.token(given bytea) RETURNS jsonb LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog AS $$
DECLARE
  t accounts.tokens;
  who jsonb;
BEGIN
  SELECT * INTO t FROM accounts.tokens WHERE digest = given;
  IF NOT FOUND THEN RETURN '{"refused": "unknown"}'; END IF;
  IF t.revoked_at IS NOT NULL THEN RETURN '{"refused": "revoked"}'; END IF;
  IF t.expires_at <= now() THEN RETURN '{"refused": "expired"}'; END IF;
  IF t.account IS NOT NULL THEN
    who := accounts.person(t.account);
    IF who ->> 'status' IN ('new', 'blocked') THEN RETURN '{"refused": "blocked"}'; END IF;
  ELSE
    SELECT jsonb_build_object('client', c.client, 'name', c.name, 'members', jsonb_build_array(jsonb_build_object(
      'party', p.id, 'name', p.name, 'kind', p.kind, 'inn', p.inn, 'role', 'operator', 'objects', NULL,
      'confirmed', p.status = 'confirmed')), 'duties', '[]'::jsonb, 'status', 'active')
    INTO who FROM accounts.clients c JOIN accounts.parties p ON p.id = c.party
    WHERE c.id = t.client AND c.revoked_at IS NULL AND p.status <> 'closed';
    IF NOT FOUND THEN RETURN '{"refused": "revoked"}'; END IF;
  END IF;
  IF t.used_at IS NULL OR t.used_at < now() - interval '1 minute' THEN
    UPDATE accounts.tokens SET used_at = now() WHERE id = t.id;
  END IF;
  RETURN who || jsonb_build_object('token', t.id, 'scopes', t.scopes);
END $$;

-- One try of one key: counted before it is made, so that a thousand at once are still counted.  Returns the end of
-- the lock where the key is locked already, and whether this try is the last before the lock.
CREATE FUNCTION accounts.count_try(given text, tries int, minutes int, OUT locked timestamptz, OUT last boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  g accounts.guards;
BEGIN
  INSERT INTO accounts.guards (key, failures) VALUES (given, 0) ON CONFLICT DO NOTHING;
  SELECT * INTO g FROM accounts.guards WHERE key = given FOR UPDATE;
  IF g.locked_until > clock_timestamp() THEN locked := g.locked_until; last := false; RETURN; END IF;
  IF g.locked_until IS NOT NULL OR g.since < clock_timestamp() - make_interval(mins => minutes) THEN
    g.failures := 0;
    g.since := clock_timestamp();
  END IF;
  last := g.failures + 1 >= tries;
  UPDATE accounts.guards SET failures = g.failures + 1, since = g.since,
    locked_until = CASE WHEN last THEN clock_timestamp() + make_interval(mins => minutes) END WHERE key = given;
END $$;

-- A try succeeded: it was no failure.  An account's key starts afresh, an address only gets its try back.
CREATE FUNCTION accounts.forgive(given text, whole boolean) RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog AS $$
  UPDATE accounts.guards SET failures = CASE WHEN whole THEN 0 ELSE greatest(failures - 1, 0) END, locked_until = NULL
  WHERE key = given $$;

CREATE FUNCTION accounts.find(given text) RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog AS $$
  SELECT id FROM accounts.accounts
  WHERE lower(login) = lower(given) OR lower(email) = lower(given) OR (given ~ '^[0-9]{12}$' AND inn = given AND status = 'confirmed')
  ORDER BY lower(login) = lower(given) DESC, lower(email) = lower(given) DESC LIMIT 1 $$;

-- Beginning of a log-in by password.  An unknown name is counted and locked like a known one.
CREATE FUNCTION accounts.begin_login(given text, address text, tries int, minutes int, address_tries int,
  OUT key text, OUT account bigint, OUT hash text, OUT status text, OUT locked timestamptz, OUT last boolean, OUT cause text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  account := accounts.find(given);
  key := coalesce('account:' || account, 'name:' || encode(sha256(convert_to(lower(given), 'UTF8')), 'hex'));
  SELECT c.locked INTO locked FROM accounts.count_try('address:' || address, address_tries, minutes) c;
  IF locked IS NOT NULL THEN cause := 'address'; RETURN; END IF;
  SELECT c.locked, c.last INTO locked, last FROM accounts.count_try(key, tries, minutes) c;
  IF locked IS NOT NULL THEN cause := 'account'; RETURN; END IF;
  IF last THEN SELECT g.locked_until INTO locked FROM accounts.guards g WHERE g.key = begin_login.key; END IF;
  SELECT p.hash, a.status INTO hash, status
  FROM accounts.accounts a LEFT JOIN accounts.passwords p ON p.account = a.id WHERE a.id = begin_login.account;
END $$;

-- What a log-in still waits for: the second factor, a new password, the consent; full is none.
CREATE FUNCTION accounts.awaits(who bigint, by_method text, is_strong boolean, days int, edition_now text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT CASE
    WHEN by_method = 'password' AND NOT is_strong AND (accounts.person(who) ->> 'second')::boolean THEN 'second'
    WHEN by_method = 'password' AND EXISTS (SELECT FROM accounts.passwords p WHERE p.account = who
      AND (p.must_change OR (days > 0 AND p.changed_at < now() - make_interval(days => days)))) THEN 'renew'
    WHEN NOT EXISTS (SELECT FROM accounts.consents c WHERE c.account = who AND c.edition = edition_now) THEN 'consent'
    ELSE 'full' END $$;

CREATE FUNCTION accounts.open_session(who bigint, given bytea, details jsonb) RETURNS bigint LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog AS $$
  INSERT INTO accounts.sessions (digest, account, stage, method, strong, device, address, provider, subject, provider_sid, idle, expires_at)
  SELECT given, who, d.stage, d.method, coalesce(d.strong, false), d.device, d.address, d.provider, d.subject,
    d.provider_sid, d.idle, now() + make_interval(secs => d.life)
  FROM jsonb_to_record(details) AS d(stage text, method text, strong boolean, device text, address text, provider text,
    subject text, provider_sid text, idle int, life int)
  RETURNING id $$;

-- The next stage of a session, under a new secret: a digest known before is worth nothing afterwards.
CREATE FUNCTION accounts.renew_session(old bytea, new bytea, to_stage text, is_strong boolean) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
  UPDATE accounts.sessions SET digest = new, stage = to_stage, strong = strong OR is_strong, seen_at = now()
  WHERE digest = old AND revoked_at IS NULL AND expires_at > now() RETURNING account $$;

CREATE FUNCTION accounts.close_session(given bytea) RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog AS $$
  UPDATE accounts.sessions SET revoked_at = now() WHERE digest = given AND revoked_at IS NULL $$;

-- Back-channel log-out: all sessions that a provider opened for a subject, or one of them.
CREATE FUNCTION accounts.close_provided(by_provider text, by_subject text, by_sid text) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
  WITH closed AS (
    UPDATE accounts.sessions SET revoked_at = now()
    WHERE provider = by_provider AND revoked_at IS NULL AND (by_subject IS NOT NULL OR by_sid IS NOT NULL)
      AND (by_subject IS NULL OR subject = by_subject) AND (by_sid IS NULL OR provider_sid = by_sid) RETURNING 1)
  SELECT count(*) FROM closed $$;

-- A new password ends every session but the one named.
CREATE FUNCTION accounts.set_password(who bigint, new_hash text, temporary boolean, keep bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
  INSERT INTO accounts.passwords (account, hash, must_change) VALUES (who, new_hash, temporary)
  ON CONFLICT (account) DO UPDATE SET hash = EXCLUDED.hash, must_change = EXCLUDED.must_change, changed_at = now();
  UPDATE accounts.sessions SET revoked_at = now()
  WHERE account = who AND revoked_at IS NULL AND (keep IS NULL OR digest <> keep);
  DELETE FROM accounts.guards WHERE key = 'account:' || who $$;

-- The hash of the account that asks, to compare it with the old password.
CREATE FUNCTION accounts.own_password() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog AS $$ SELECT hash FROM accounts.passwords WHERE account = access.account() $$;

-- A new account, or NULL where the name or the address is taken.
CREATE FUNCTION accounts.register(new_login text, new_email text, new_name text, new_hash text, new_locale text)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  made bigint;
BEGIN
  INSERT INTO accounts.accounts (login, email, name, locale) VALUES (new_login, new_email, new_name, new_locale)
  ON CONFLICT DO NOTHING RETURNING id INTO made;
  IF made IS NOT NULL THEN INSERT INTO accounts.passwords (account, hash) VALUES (made, new_hash); END IF;
  RETURN made;
END $$;

CREATE FUNCTION accounts.put_code(who bigint, what text, new_digest bytea, minutes int, may_try int, carries text)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
  INSERT INTO accounts.codes (account, purpose, digest, tries, payload, expires_at)
  VALUES (who, what, new_digest, may_try, carries, now() + make_interval(mins => minutes))
  ON CONFLICT (account, purpose) DO UPDATE SET digest = EXCLUDED.digest, tries = EXCLUDED.tries, payload = EXCLUDED.payload,
    created_at = now(), expires_at = EXCLUDED.expires_at $$;

-- Takes a code: ok once, else why not.  Every wrong try is counted; after the last one only a new code helps.
CREATE FUNCTION accounts.take_code(who bigint, what text, given bytea, OUT outcome text, OUT carries text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  c accounts.codes;
BEGIN
  SELECT * INTO c FROM accounts.codes WHERE account = who AND purpose = what FOR UPDATE;
  IF NOT FOUND THEN outcome := 'none'; RETURN; END IF;
  IF c.expires_at <= now() THEN outcome := 'expired'; RETURN; END IF;
  IF c.tries <= 0 THEN outcome := 'blocked'; RETURN; END IF;
  IF c.digest = given THEN
    DELETE FROM accounts.codes WHERE account = who AND purpose = what;
    outcome := 'ok';
    carries := c.payload;
    RETURN;
  END IF;
  UPDATE accounts.codes SET tries = tries - 1 WHERE account = who AND purpose = what;
  outcome := CASE WHEN c.tries = 1 THEN 'blocked' ELSE 'wrong' END;
END $$;

-- The mailbox of an account is its owner's: it may log in.
CREATE FUNCTION accounts.activate(who bigint) RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog AS $$ UPDATE accounts.accounts SET status = 'active' WHERE id = who AND status = 'new' $$;

CREATE FUNCTION accounts.change_email(who bigint, new_email text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $$
BEGIN
  UPDATE accounts.accounts SET email = new_email WHERE id = who;
  RETURN true;
EXCEPTION WHEN unique_violation THEN
  RETURN false;
END $$;

CREATE FUNCTION accounts.put_totp(who bigint, new_secret text) RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog AS $$
  INSERT INTO accounts.totps (account, secret) VALUES (who, new_secret)
  ON CONFLICT (account) DO UPDATE SET secret = EXCLUDED.secret, confirmed_at = NULL, last_step = 0
  WHERE accounts.totps.confirmed_at IS NULL $$;

CREATE FUNCTION accounts.totp(who bigint, OUT secret text, OUT confirmed boolean, OUT last_step bigint) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT t.secret, t.confirmed_at IS NOT NULL, t.last_step FROM accounts.totps t WHERE t.account = who $$;

-- Uses up a time step: true once, so that a code seen over the shoulder is worth nothing.
CREATE FUNCTION accounts.take_step(who bigint, step bigint) RETURNS boolean LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog AS $$
  WITH taken AS (
    UPDATE accounts.totps SET last_step = step, confirmed_at = coalesce(confirmed_at, now())
    WHERE account = who AND last_step < step RETURNING 1)
  SELECT EXISTS (SELECT FROM taken) $$;

CREATE FUNCTION accounts.drop_totp(who bigint) RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog AS $$ DELETE FROM accounts.totps WHERE account = who $$;

CREATE FUNCTION accounts.passkey(given bytea, OUT account bigint, OUT public_key bytea, OUT sign_count bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT k.account, k.public_key, k.sign_count FROM accounts.passkeys k WHERE k.credential = given $$;

CREATE FUNCTION accounts.passkeys_of(who bigint) RETURNS SETOF bytea LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog AS $$ SELECT credential FROM accounts.passkeys WHERE account = who $$;

CREATE FUNCTION accounts.use_passkey(given bytea, new_count bigint) RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog AS $$
  UPDATE accounts.passkeys SET sign_count = new_count, used_at = now() WHERE credential = given $$;

CREATE FUNCTION accounts.put_ticket(new_digest bytea, what text, carries jsonb, seconds int) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
  INSERT INTO accounts.tickets (digest, purpose, payload, expires_at) VALUES (new_digest, what, carries, now() + make_interval(secs => seconds)) $$;

CREATE FUNCTION accounts.take_ticket(given bytea, what text) RETURNS jsonb LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog AS $$
  WITH taken AS (DELETE FROM accounts.tickets WHERE digest = given AND purpose = what RETURNING payload, expires_at)
  SELECT payload FROM taken WHERE expires_at > now() $$;

CREATE FUNCTION accounts.external(by_issuer text, by_subject text, OUT account bigint, OUT status text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT a.id, a.status FROM accounts.externals e JOIN accounts.accounts a ON a.id = e.account
  WHERE e.issuer = by_issuer AND e.subject = by_subject $$;

-- The account of somebody whom a provider vouches for, made at his first entry.  An address that another account
-- has already is not taken over: the provider's word on a mailbox is not that account's consent.
CREATE FUNCTION accounts.adopt(by_issuer text, by_subject text, details jsonb) RETURNS bigint LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  made bigint;
  slug text := substr(encode(sha256(convert_to(by_issuer || ' ' || by_subject, 'UTF8')), 'hex'), 1, 16);
  address text := details ->> 'email';
BEGIN
  IF address IS NULL OR EXISTS (SELECT FROM accounts.accounts WHERE lower(email) = lower(address)) THEN
    address := slug || '@provider.invalid';
  END IF;
  INSERT INTO accounts.accounts (login, email, name, inn, snils, status)
  VALUES (slug, address, details ->> 'name', details ->> 'inn', details ->> 'snils', details ->> 'status')
  RETURNING id INTO made;
  INSERT INTO accounts.externals (account, issuer, subject) VALUES (made, by_issuer, by_subject);
  RETURN made;
END $$;

-- A client's credentials for a token of an hour or so; NULL where they do not fit.
CREATE FUNCTION accounts.client_token(by_client text, secret bytea, new_digest bytea, asked text[], seconds int,
  OUT granted text[], OUT outcome text) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  c accounts.clients;
BEGIN
  SELECT * INTO c FROM accounts.clients WHERE client = by_client;
  IF NOT FOUND OR c.digest <> secret OR c.revoked_at IS NOT NULL THEN outcome := 'invalid_client'; RETURN; END IF;
  granted := coalesce(asked, c.scopes);
  IF NOT granted <@ c.scopes THEN outcome := 'invalid_scope'; granted := NULL; RETURN; END IF;
  INSERT INTO accounts.tokens (digest, client, label, scopes, expires_at)
  VALUES (new_digest, c.id, c.name, granted, now() + make_interval(secs => seconds));
  outcome := 'ok';
END $$;

-- The members of a party for those who belong to it: names and rights, nothing of a person's papers.
CREATE FUNCTION accounts.team(of_party bigint) RETURNS TABLE (
  id bigint, account bigint, name text, email text, role text, objects bigint[], since timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT m.id, m.account, a.name, a.email, m.role, m.objects, m.since
  FROM accounts.members m JOIN accounts.accounts a ON a.id = m.account
  WHERE m.party = of_party AND m.ended_at IS NULL AND EXISTS (
    SELECT FROM accounts.members me WHERE me.party = of_party AND me.account = access.account() AND me.ended_at IS NULL
      AND me.role <> 'contractor')
  ORDER BY m.id $$;

-- Accepts an invitation for the account that asks.
CREATE FUNCTION accounts.accept(given bytea) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $$
DECLARE
  i accounts.invitations;
BEGIN
  UPDATE accounts.invitations SET accepted_at = now(), accepted_by = access.account()
  WHERE digest = given AND accepted_at IS NULL AND withdrawn_at IS NULL AND expires_at > now() AND access.account() IS NOT NULL
    AND lower(email) = (SELECT lower(a.email) FROM accounts.accounts a WHERE a.id = access.account())
  RETURNING * INTO i;
  IF NOT FOUND THEN RETURN NULL; END IF;
  INSERT INTO accounts.members (party, account, role, objects, granted_by)
  VALUES (i.party, access.account(), i.role, i.objects, i.created_by)
  ON CONFLICT (party, account) WHERE ended_at IS NULL DO NOTHING;
  RETURN i.party;
END $$;

-- A party and its first owner: the account that asks.
CREATE FUNCTION accounts.found_party(details jsonb) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $$
DECLARE
  made bigint;
BEGIN
  INSERT INTO accounts.parties (kind, name, inn, kpp, ogrn, snils, country, foreign_number, address, region, parent, created_by)
  SELECT d.kind, d.name, d.inn, d.kpp, d.ogrn, d.snils, coalesce(d.country, 'RU'), d.foreign_number, d.address, d.region, d.parent,
    access.account()
  FROM jsonb_to_record(details) AS d(kind text, name text, inn text, kpp text, ogrn text, snils text, country text,
    foreign_number text, address text, region text, parent bigint)
  RETURNING id INTO made;
  INSERT INTO accounts.members (party, account, role, granted_by) VALUES (made, access.account(), 'owner', access.account());
  RETURN made;
END $$;

-- The end of a confirmation: the code was right.
CREATE FUNCTION accounts.confirm(request bigint) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $$
DECLARE
  c accounts.confirmations;
BEGIN
  UPDATE accounts.confirmations SET status = 'confirmed', done_at = now()
  WHERE id = request AND account = access.account() AND status = 'code_sent' RETURNING * INTO c;
  IF NOT FOUND THEN RETURN 'none'; END IF;
  UPDATE accounts.accounts SET status = 'confirmed' WHERE id = c.account AND status = 'active';
  IF c.party IS NOT NULL THEN UPDATE accounts.parties SET status = 'confirmed' WHERE id = c.party AND status = 'new'; END IF;
  RETURN 'confirmed';
EXCEPTION WHEN unique_violation THEN
  RETURN 'taken';
END $$;

-- A party for which the state's provider says that somebody acts: confirmed by that word.
CREATE FUNCTION accounts.vouch(who bigint, details jsonb) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $$
DECLARE
  chosen bigint;
BEGIN
  SELECT id INTO chosen FROM accounts.parties
  WHERE inn = details ->> 'inn' AND status = 'confirmed' AND parent IS NULL;
  IF NOT FOUND THEN
    INSERT INTO accounts.parties (kind, name, inn, ogrn, region, status)
    VALUES (details ->> 'kind', details ->> 'name', details ->> 'inn', details ->> 'ogrn', details ->> 'region', 'confirmed')
    RETURNING id INTO chosen;
  END IF;
  INSERT INTO accounts.members (party, account, role) VALUES (chosen, who, details ->> 'role')
  ON CONFLICT (party, account) WHERE ended_at IS NULL DO NOTHING;
  RETURN chosen;
END $$;
