-- History is kept by the database: a version is added or closed, never rewritten, never deleted.
CREATE SCHEMA history;

CREATE FUNCTION history.forbid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a version of register.% cannot be rewritten or deleted', TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation',
          HINT = 'Close it with history.close() and add a new version.';
END $$;

-- Closes open versions of a layer at this transaction's time; the only way in which the writing role ends one.
-- Returns how many were closed.  A version that is closed already stays as it is.
CREATE FUNCTION history.close(layer text, versions bigint[]) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, register, public AS $$
DECLARE
  closed bigint;
BEGIN
  EXECUTE format(
    'UPDATE register.%I SET sys_to = transaction_timestamp() WHERE version = ANY ($1) AND sys_to = ''infinity''', layer)
    USING versions;
  GET DIAGNOSTICS closed = ROW_COUNT;
  RETURN closed;
END $$;
REVOKE ALL ON FUNCTION history.close(text, bigint[]) FROM PUBLIC;

-- Guards a layer's table against everybody, the owner included.
CREATE FUNCTION history.guard(layer text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  fixed text := (
    SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
    WHERE attrelid = format('register.%I', layer)::regclass AND attnum > 0 AND NOT attisdropped
      AND attname <> 'sys_to' AND attgenerated = '');
  addable text := (
    SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
    WHERE attrelid = format('register.%I', layer)::regclass AND attnum > 0 AND NOT attisdropped
      AND attname NOT IN ('version', 'sys_from', 'sys_to', 'geom_3857'));
BEGIN
  EXECUTE format('CREATE TRIGGER version_fixed BEFORE UPDATE OF %s ON register.%I FOR EACH STATEMENT EXECUTE FUNCTION history.forbid()', fixed, layer);
  EXECUTE format('CREATE TRIGGER version_closed BEFORE UPDATE ON register.%I FOR EACH ROW WHEN (OLD.sys_to < ''infinity'') EXECUTE FUNCTION history.forbid()', layer);
  EXECUTE format('CREATE TRIGGER version_kept BEFORE DELETE ON register.%I FOR EACH ROW EXECUTE FUNCTION history.forbid()', layer);
  EXECUTE format('CREATE TRIGGER version_untruncated BEFORE TRUNCATE ON register.%I FOR EACH STATEMENT EXECUTE FUNCTION history.forbid()', layer);
  EXECUTE format('GRANT INSERT (%s) ON register.%I TO mezha_registrar', addable, layer);
END $$;
