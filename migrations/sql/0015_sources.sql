-- Scheduled sources: what was fetched last, so that the same bytes are not loaded twice.
CREATE TABLE ingest.fetches (
  profile text PRIMARY KEY,
  etag text,
  sha256 text,
  checked_at timestamptz NOT NULL,
  changed_at timestamptz,
  run bigint REFERENCES ingest.runs (id),
  fault text
);
GRANT SELECT, INSERT, UPDATE ON ingest.fetches TO mezha_registrar;

-- Addresses of the registrars of a region, for letters about scheduled loads; nothing else of an account is told.
CREATE FUNCTION accounts.registrars(wanted text) RETURNS TABLE (email text) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog AS $$
  SELECT DISTINCT a.email FROM accounts.accounts a JOIN accounts.staff s ON s.account = a.id
  WHERE s.duty = 'registrar' AND s.ended_at IS NULL AND s.region IN (wanted, '*') AND a.email IS NOT NULL
$$;
REVOKE ALL ON FUNCTION accounts.registrars(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION accounts.registrars(text) TO mezha_registrar;
