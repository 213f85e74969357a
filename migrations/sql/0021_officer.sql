-- Officers decide, inspectors and registrars look: the side of a case follows the duty, in the database too.
CREATE FUNCTION access.decides() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT coalesce(nullif(current_setting('mezha.decides', true), ''), '{}')::text[] $$;
GRANT EXECUTE ON FUNCTION access.decides TO mezha_app, mezha_registrar;

CREATE OR REPLACE FUNCTION cases.role_of(party_inn text, region text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN party_inn = ANY (access.inns()) THEN 'applicant'
    WHEN region = ANY (access.regions()) THEN CASE WHEN region = ANY (access.decides()) THEN 'officer' ELSE 'inspector' END
    WHEN access.rank() >= 3 THEN 'system'
  END
$$;
