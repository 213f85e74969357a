-- Who sees and changes which rows of accounts.  docs/accounts.md explains it in words.

-- Duties and ownership are asked of the tables, never of what the request carries: a duty that was ended in the
-- middle of a request is gone for its next statement.
CREATE FUNCTION accounts.serves(of_region text, VARIADIC duties text[]) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog AS $$
  SELECT EXISTS (SELECT FROM accounts.staff s WHERE s.account = access.account() AND s.ended_at IS NULL
    AND (s.duty = 'administrator' OR s.duty = ANY (duties)) AND s.region IN ('*', of_region)) $$;

CREATE FUNCTION accounts.administers() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog AS $$
  SELECT EXISTS (SELECT FROM accounts.staff s WHERE s.account = access.account() AND s.ended_at IS NULL
    AND s.duty = 'administrator') $$;

CREATE FUNCTION accounts.belongs(to_party bigint, VARIADIC roles text[]) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog AS $$
  SELECT EXISTS (SELECT FROM accounts.members m WHERE m.party = to_party AND m.account = access.account()
    AND m.ended_at IS NULL AND m.role = ANY (roles)) $$;

CREATE FUNCTION accounts.examines(who bigint) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog AS $$
  SELECT EXISTS (SELECT FROM accounts.confirmations c WHERE c.account = who AND accounts.serves(c.region, 'officer', 'registrar')) $$;

DO $$
DECLARE
  name text;
BEGIN
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'accounts' LOOP
    EXECUTE format('ALTER TABLE accounts.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY keeper ON accounts.%I TO mezha_owner USING (true) WITH CHECK (true)', name);
  END LOOP;
  -- A function of this schema is nobody's until it is given.
  FOR name IN SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'accounts'::regnamespace LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', name);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO mezha_app, mezha_registrar', name);
  END LOOP;
END $$;
REVOKE ALL ON FUNCTION accounts.person(bigint) FROM mezha_app, mezha_registrar;
GRANT USAGE ON SCHEMA accounts TO mezha_app, mezha_registrar;

GRANT SELECT ON accounts.accounts TO mezha_app;
GRANT UPDATE (name, phone, inn, snils, birth_date, locale) ON accounts.accounts TO mezha_app;
GRANT UPDATE (status) ON accounts.accounts TO mezha_app;
CREATE POLICY sees ON accounts.accounts FOR SELECT TO mezha_app
  USING (id = (SELECT access.account()) OR (SELECT accounts.administers()) OR accounts.examines(id));
CREATE POLICY edits ON accounts.accounts FOR UPDATE TO mezha_app
  USING (id = (SELECT access.account())) WITH CHECK (status IN ('active', 'confirmed'));
CREATE POLICY blocks ON accounts.accounts FOR UPDATE TO mezha_app USING ((SELECT accounts.administers()));

GRANT SELECT, UPDATE (name, kpp, address, status) ON accounts.parties TO mezha_app;
CREATE POLICY sees ON accounts.parties FOR SELECT TO mezha_app
  USING (accounts.belongs(id, 'owner', 'operator', 'controller', 'contractor') OR created_by = (SELECT access.account())
    OR accounts.serves(region, 'officer', 'inspector', 'registrar'));
CREATE POLICY edits ON accounts.parties FOR UPDATE TO mezha_app
  USING (status = 'new' AND accounts.belongs(id, 'owner')) WITH CHECK (status = 'new');
CREATE POLICY decides ON accounts.parties FOR UPDATE TO mezha_app USING (accounts.serves(region, 'registrar'));

GRANT SELECT, INSERT, UPDATE (role, objects, ended_at) ON accounts.members TO mezha_app;
CREATE POLICY sees ON accounts.members FOR SELECT TO mezha_app
  USING (account = (SELECT access.account()) OR accounts.belongs(party, 'owner', 'operator', 'controller') OR (SELECT accounts.administers()));
CREATE POLICY manages ON accounts.members FOR ALL TO mezha_app
  USING (accounts.belongs(party, 'owner')) WITH CHECK (accounts.belongs(party, 'owner'));

GRANT SELECT (id, party, email, role, objects, created_by, created_at, expires_at, accepted_at, withdrawn_at), INSERT,
  UPDATE (withdrawn_at) ON accounts.invitations TO mezha_app;
CREATE POLICY manages ON accounts.invitations FOR ALL TO mezha_app
  USING (accounts.belongs(party, 'owner')) WITH CHECK (accounts.belongs(party, 'owner'));

GRANT SELECT, INSERT ON accounts.offices TO mezha_app;
CREATE POLICY sees ON accounts.offices FOR SELECT TO mezha_app USING ((SELECT access.rank()) >= 1);
CREATE POLICY manages ON accounts.offices FOR INSERT TO mezha_app WITH CHECK (accounts.administers());

GRANT SELECT, INSERT, UPDATE (ended_at) ON accounts.staff TO mezha_app;
CREATE POLICY sees ON accounts.staff FOR SELECT TO mezha_app
  USING (account = (SELECT access.account()) OR (SELECT accounts.administers()));
CREATE POLICY manages ON accounts.staff FOR ALL TO mezha_app
  USING ((SELECT accounts.administers())) WITH CHECK ((SELECT accounts.administers()));

GRANT SELECT (id, account, stage, method, strong, device, address, provider, created_at, seen_at, idle, expires_at, revoked_at),
  UPDATE (revoked_at) ON accounts.sessions TO mezha_app;
CREATE POLICY own ON accounts.sessions FOR ALL TO mezha_app USING (account = (SELECT access.account()));

GRANT SELECT (id, account, client, label, scopes, created_at, expires_at, used_at, revoked_at), INSERT,
  UPDATE (revoked_at) ON accounts.tokens TO mezha_app;
CREATE POLICY own ON accounts.tokens FOR ALL TO mezha_app
  USING (account = (SELECT access.account())) WITH CHECK (account = (SELECT access.account()));

GRANT SELECT (id, client, name, party, scopes, created_by, created_at, revoked_at), INSERT, UPDATE (revoked_at)
  ON accounts.clients TO mezha_app;
CREATE POLICY manages ON accounts.clients FOR ALL TO mezha_app
  USING (accounts.belongs(party, 'owner')) WITH CHECK (accounts.belongs(party, 'owner'));

GRANT SELECT (id, account, label, created_at, used_at), INSERT, DELETE ON accounts.passkeys TO mezha_app;
CREATE POLICY own ON accounts.passkeys FOR ALL TO mezha_app
  USING (account = (SELECT access.account())) WITH CHECK (account = (SELECT access.account()));

GRANT SELECT, INSERT, DELETE ON accounts.externals TO mezha_app;
CREATE POLICY own ON accounts.externals FOR ALL TO mezha_app
  USING (account = (SELECT access.account())) WITH CHECK (account = (SELECT access.account()));

GRANT SELECT, INSERT ON accounts.consents TO mezha_app;
CREATE POLICY own ON accounts.consents FOR ALL TO mezha_app
  USING (account = (SELECT access.account())) WITH CHECK (account = (SELECT access.account()));

GRANT SELECT, INSERT, UPDATE (status, reason, officer, checked_at) ON accounts.confirmations TO mezha_app;
CREATE POLICY files ON accounts.confirmations FOR INSERT TO mezha_app
  WITH CHECK (account = (SELECT access.account()) AND status = 'filed' AND officer IS NULL
    AND (party IS NULL OR accounts.belongs(party, 'owner')));
CREATE POLICY sees ON accounts.confirmations FOR SELECT TO mezha_app
  USING (account = (SELECT access.account()) OR accounts.serves(region, 'officer', 'registrar'));
-- Nobody confirms himself, and an officer's check only sends the code.
CREATE POLICY checks ON accounts.confirmations FOR UPDATE TO mezha_app
  USING (accounts.serves(region, 'officer', 'registrar') AND account <> (SELECT access.account()))
  WITH CHECK (status IN ('code_sent', 'refused') AND officer = (SELECT access.account()));

-- Letters are written by all, read by the worker alone.
GRANT INSERT ON accounts.outbox TO mezha_app;
CREATE POLICY writes ON accounts.outbox FOR INSERT TO mezha_app WITH CHECK (sent_at IS NULL);
GRANT SELECT, INSERT, UPDATE ON accounts.outbox TO mezha_registrar;
CREATE POLICY delivers ON accounts.outbox FOR ALL TO mezha_registrar USING (true) WITH CHECK (true);

-- The worker finds the address of an account, and sweeps away what has expired.
GRANT SELECT ON accounts.accounts TO mezha_registrar;
CREATE POLICY worker ON accounts.accounts FOR SELECT TO mezha_registrar USING (true);
GRANT SELECT, DELETE ON accounts.guards, accounts.codes, accounts.tickets TO mezha_registrar;
CREATE POLICY sweeps ON accounts.guards FOR ALL TO mezha_registrar USING (true);
CREATE POLICY sweeps ON accounts.codes FOR ALL TO mezha_registrar USING (true);
CREATE POLICY sweeps ON accounts.tickets FOR ALL TO mezha_registrar USING (true);
