-- A question is its caller's own, whoever asks for it; those of nobody are found by their ids, which cannot be guessed.
-- The worker answers all of them.
ALTER TABLE spatial.questions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY keeper ON spatial.questions TO mezha_owner USING (true) WITH CHECK (true);
CREATE POLICY caller ON spatial.questions TO mezha_app
  USING (account IS NOT DISTINCT FROM (SELECT access.account()))
  WITH CHECK (account IS NOT DISTINCT FROM (SELECT access.account()));
CREATE POLICY worker ON spatial.questions TO mezha_registrar USING (true) WITH CHECK (true);

-- Whether the caller serves all regions, asked of the tables as every duty is.
CREATE FUNCTION accounts.federal() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog AS $$
  SELECT EXISTS (SELECT FROM accounts.staff s WHERE s.account = access.account() AND s.ended_at IS NULL AND s.region = '*') $$;
REVOKE ALL ON FUNCTION accounts.federal() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION accounts.federal() TO mezha_app, mezha_registrar;

-- A region's journal is read by its staff, and staff of all regions serve that one too.  What concerns no region (whose
-- log-in, whose session) stays with the people whom it concerns and with administrators.
ALTER POLICY caller ON journal.entries USING (
  account = (SELECT access.account())
  OR concerned = (SELECT access.account())
  OR inn = ANY ((SELECT access.inns())::text[])
  OR region = ANY ((SELECT access.regions())::text[])
  OR region IS NOT NULL AND (SELECT accounts.federal())
  OR (SELECT access.rank()) >= 3);
