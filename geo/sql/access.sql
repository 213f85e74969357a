-- Who sees what, decided here and nowhere else.  docs/access.md explains it in words.
CREATE SCHEMA access;

-- Rank that a caller needs for a layer: 0 anybody, 1 logged in, 2 restricted, 3 sealed.
CREATE TABLE access.layers (
  name text PRIMARY KEY,
  rank smallint NOT NULL CHECK (rank BETWEEN 0 AND 3)
);

-- The caller's identity lives in settings of the transaction; what is not set is nobody's.
CREATE FUNCTION access.account() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT nullif(current_setting('mezha.account', true), '')::bigint $$;

CREATE FUNCTION access.rank() RETURNS smallint LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT coalesce(nullif(current_setting('mezha.rank', true), ''), '0')::smallint $$;

CREATE FUNCTION access.regions() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT coalesce(nullif(current_setting('mezha.regions', true), ''), '{}')::text[] $$;

CREATE FUNCTION access.inns() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT coalesce(nullif(current_setting('mezha.inns', true), ''), '{}')::text[] $$;

CREATE FUNCTION access.objects() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT coalesce(nullif(current_setting('mezha.objects', true), ''), '{}')::bigint[] $$;

-- A layer that the table does not know is sealed.
CREATE FUNCTION access.layer_rank(layer text) RETURNS smallint LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog AS
$$ SELECT coalesce((SELECT rank FROM access.layers WHERE name = layer), 3::smallint) $$;

-- Puts the one policy on a layer's table, and its gate: the view that serves.  The predicate is the same text in
-- both.  The policy is the backstop under every query; the view lets the planner use the spatial index, which
-- row-level security forbids because `&&` is not leakproof.  Sub-selects are computed once a statement.
CREATE FUNCTION access.protect(layer text, held boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  predicate text := format(
    'GREATEST(visibility, (SELECT access.layer_rank(%L))) <= (SELECT access.rank())'
    ' OR region = ANY ((SELECT access.regions())::text[])'
    ' OR id = ANY ((SELECT access.objects())::bigint[])'
    || CASE WHEN held THEN ' OR holder_inn = ANY ((SELECT access.inns())::text[])' ELSE '' END, layer);
  columns text := (
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
    WHERE attrelid = format('register.%I', layer)::regclass AND attnum > 0 AND NOT attisdropped
      AND attname <> 'source_geom');
BEGIN
  EXECUTE format('ALTER TABLE register.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', layer);
  EXECUTE format('CREATE POLICY keeper ON register.%I TO mezha_owner, mezha_gate USING (true) WITH CHECK (true)', layer);
  EXECUTE format('CREATE POLICY registrar_reads ON register.%I FOR SELECT TO mezha_registrar USING (true)', layer);
  EXECUTE format('CREATE POLICY registrar_adds ON register.%I FOR INSERT TO mezha_registrar WITH CHECK (true)', layer);
  EXECUTE format('CREATE POLICY caller ON register.%I FOR SELECT TO mezha_app USING (%s)', layer, predicate);
  EXECUTE format('CREATE VIEW gate.%I AS SELECT %s FROM register.%I WHERE %s', layer, columns, layer, predicate);
  EXECUTE format('ALTER VIEW gate.%I OWNER TO mezha_gate', layer);
  EXECUTE format('GRANT SELECT ON register.%I TO mezha_gate, mezha_registrar, mezha_app', layer);
  EXECUTE format('GRANT SELECT ON gate.%I TO mezha_app, mezha_registrar', layer);
END $$;
